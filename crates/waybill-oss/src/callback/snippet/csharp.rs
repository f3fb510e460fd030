//! aliyun-oss-csharp-sdk: `CallbackHeaderBuilder` and `CallbackVariableHeaderBuilder`.

use super::draft::Draft;
use super::fill::fill;
use super::quote::unicode;
use super::source::Source;
use super::value::Value;
use super::wire::{Wire, ascii, json_pieces};
use super::{Trap, glued};

const TEMPLATE: &str = include_str!("templates/csharp.txt");

pub(super) fn read(source: &Source<'_>, draft: &mut Draft) {
    for called in source.calls("CallbackHeaderBuilder") {
        let names: &[&str] = match called.args.plain.len() {
            2 => &["callbackUrl", "callbackBody"],
            _ => &["callbackUrl", "callbackHost", "callbackBody", "callbackBodyType"],
        };
        let named = called.args.named.iter().map(|(name, value)| (name.as_str(), value));
        for (name, value) in names.iter().copied().zip(&called.args.plain).chain(named) {
            field(source, draft, name, value);
        }
    }
    for name in ["CallbackUrl", "CallbackHost", "CallbackBody", "CallbackBodyType"] {
        if let Some(assigned) = source.assigned_to(name) {
            field(source, draft, &name.replace("Callback", "callback"), &assigned.value);
        }
    }
    for called in source.calls("AddCallbackVariable") {
        glued::variable(source, draft, &called.args.plain);
    }
    glued::read_limit(source, draft);
    // The Chinese sample names its client so once, and nowhere else.
    if source.calls("SetRegion").any(|called| called.path == ["c", "SetRegion"]) && source.assigned_to("c").is_none() {
        draft.note(Trap::BrokenSyntax, "c.SetRegion(…)");
    }
}

fn field(source: &Source<'_>, draft: &mut Draft, name: &str, value: &Value) {
    match name {
        "callbackBodyType" => draft.field(name, glued::constant(value).into()),
        _ => glued::field(source, draft, name, value),
    }
}

pub(super) fn write(wire: &Wire<'_>) -> String {
    // The builders escape nothing and encode in the code page of the machine. A set header is enough for the SDK to check
    // for 203. [`CallbackHeaderBuilder.cs`; `PutObjectRequest.cs` IsCallbackRequest]
    let unsaid = ["callbackSNI", "additionalHeaders", "callbackPolicy"].iter().any(|name| wire.has(name));
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    let glued = !unsaid && wire.texts().all(|text| text.bytes().all(plain));
    let callback = if glued { by_builder(wire) } else { by_header(wire, unsaid) };
    fill(TEMPLATE, &[("callback", callback)])
}

fn by_builder(wire: &Wire<'_>) -> String {
    let host = if wire.has("callbackHost") { unicode(wire.text("callbackHost")) } else { "null".to_owned() };
    let body_type = if wire.is_json() { "Json" } else { "Url" };
    let mut lines = vec![
        "var callback = new CallbackHeaderBuilder(".to_owned(),
        format!("    {},", unicode(wire.text("callbackUrl"))),
        format!("    {host},"),
        format!("    {},", unicode(wire.text("callbackBody"))),
        format!("    CallbackBodyType.{body_type}).Build();"),
        "var metadata = new ObjectMetadata();".to_owned(),
        "metadata.AddHeader(HttpHeaders.Callback, callback);".to_owned(),
    ];
    if !wire.variables.is_empty() {
        let adds = wire
            .variables
            .iter()
            .map(|(name, value)| format!("    .AddCallbackVariable({}, {})", unicode(name), unicode(value)));
        lines.push("var variables = new CallbackVariableHeaderBuilder()".to_owned());
        lines.extend(adds);
        lines.push("    .Build();".to_owned());
        lines.push("metadata.AddHeader(HttpHeaders.CallbackVar, variables);".to_owned());
    }
    lines.join("\n")
}

fn by_header(wire: &Wire<'_>, unsaid: bool) -> String {
    let text = |json: Vec<String>| json.iter().map(|piece| unicode(&ascii(piece))).collect::<Vec<_>>().join("\n    + ");
    let why = if unsaid {
        "// CallbackHeaderBuilder has no property for some of this, so the JSON is written out."
    } else {
        "// CallbackHeaderBuilder joins its JSON by hand and escapes nothing, so the JSON is written out."
    };
    let set = |name: &str, json: &str| {
        format!("metadata.AddHeader({name}, Convert.ToBase64String(Encoding.UTF8.GetBytes({json})));")
    };
    let mut lines = vec![
        why.to_owned(),
        format!("var callback =\n    {};", text(json_pieces(&wire.fields))),
        "var metadata = new ObjectMetadata();".to_owned(),
        set("HttpHeaders.Callback", "callback"),
    ];
    if !wire.variables.is_empty() {
        lines.push(format!("var variables =\n    {};", text(json_pieces(&wire.variable_values()))));
        lines.push(set("HttpHeaders.CallbackVar", "variables"));
    }
    lines.join("\n")
}
