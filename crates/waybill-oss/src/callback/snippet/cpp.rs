//! aliyun-oss-cpp-sdk: `ObjectCallbackBuilder` and `ObjectCallbackVariableBuilder`.

use super::draft::Draft;
use super::fill::fill;
use super::glued;
use super::quote::octal;
use super::source::Source;
use super::value::Value;
use super::wire::{Wire, ascii, json_pieces};

const TEMPLATE: &str = include_str!("templates/cpp.txt");

pub(super) fn read(source: &Source<'_>, draft: &mut Draft) {
    const BUILDER: &str = "ObjectCallbackBuilder";
    let fields = ["callbackUrl", "callbackBody", "callbackHost", "callbackBodyType"];
    for called in
        source.called.iter().filter(|called| called.before.as_deref() == Some(BUILDER) || called.name() == BUILDER)
    {
        for (name, value) in fields.iter().zip(&called.args.plain) {
            field(source, draft, name, value);
        }
    }
    for name in fields {
        let setter = name.replace("callback", "setCallback");
        for value in source.calls(&setter).filter_map(|called| called.args.plain.first()) {
            field(source, draft, name, value);
        }
    }
    for called in source.calls("addCallbackVariable") {
        glued::variable(source, draft, &called.args.plain);
    }
}

fn field(source: &Source<'_>, draft: &mut Draft, name: &str, value: &Value) {
    match name {
        "callbackBodyType" => draft.field(name, glued::constant(value).into()),
        _ => glued::field(source, draft, name, value),
    }
}

pub(super) fn write(wire: &Wire<'_>) -> String {
    // The builder escapes nothing, and what a compiler makes of other letters depends on its code page. A set header is
    // enough for the SDK to check for 203. [`ObjectCallbackBuilder.cc`; `OssClientImpl.cc` hasResponseError]
    let unsaid = ["callbackSNI", "additionalHeaders", "callbackPolicy"].iter().any(|name| wire.has(name));
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    let glued = !unsaid && wire.texts().all(|text| text.bytes().all(plain));
    let callback = if glued { by_builder(wire) } else { by_header(wire, unsaid) };
    fill(TEMPLATE, &[("callback", callback)])
}

fn by_builder(wire: &Wire<'_>) -> String {
    let body_type = if wire.is_json() { "JSON" } else { "URL" };
    let mut lines = vec![
        "ObjectCallbackBuilder callback(".to_owned(),
        format!("    {},", octal(wire.text("callbackUrl"))),
        format!("    {},", octal(wire.text("callbackBody"))),
        format!("    {},", octal(wire.text("callbackHost"))),
        format!("    ObjectCallbackBuilder::Type::{body_type});"),
        "request.MetaData().addHeader(\"x-oss-callback\", callback.build());".to_owned(),
    ];
    if !wire.variables.is_empty() {
        lines.push("ObjectCallbackVariableBuilder variables;".to_owned());
        for (name, value) in &wire.variables {
            lines.push(format!("variables.addCallbackVariable({}, {});", octal(name), octal(value)));
        }
        lines.push("request.MetaData().addHeader(\"x-oss-callback-var\", variables.build());".to_owned());
    }
    lines.join("\n")
}

fn by_header(wire: &Wire<'_>, unsaid: bool) -> String {
    let text = |json: Vec<String>| json.iter().map(|piece| octal(&ascii(piece))).collect::<Vec<_>>().join("\n    ");
    let why = if unsaid {
        "// ObjectCallbackBuilder has no field for some of this, so the JSON is written out."
    } else {
        "// ObjectCallbackBuilder joins its JSON by hand and escapes nothing, so the JSON is written out."
    };
    let mut lines = vec![
        why.to_owned(),
        format!("std::string callback =\n    {};", text(json_pieces(&wire.fields))),
        "request.MetaData().addHeader(\"x-oss-callback\", Base64Encode(callback));".to_owned(),
    ];
    if !wire.variables.is_empty() {
        lines.push(format!("std::string variables =\n    {};", text(json_pieces(&wire.variable_values()))));
        lines.push("request.MetaData().addHeader(\"x-oss-callback-var\", Base64Encode(variables));".to_owned());
    }
    lines.join("\n")
}
