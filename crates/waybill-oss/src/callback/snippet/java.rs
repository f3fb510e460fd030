//! aliyun-oss-java-sdk: `com.aliyun.oss.model.Callback`.

use super::draft::Draft;
use super::fill::fill;
use super::glued;
use super::quote::unicode;
use super::source::Source;
use super::value::Value;
use super::wire::{Wire, ascii, json_pieces};

const TEMPLATE: &str = include_str!("templates/java.txt");

/// Why texts go through `json(…)`.
const ESCAPER: &str = r#"
// The SDK joins the callback's JSON by hand and escapes nothing (OSSUtils.jsonizeCallback), so texts are escaped here.
private static String json(String text) {
    StringBuilder escaped = new StringBuilder();
    for (char c : text.toCharArray()) {
        if (c == '"' || c == '\\') {
            escaped.append('\\').append(c);
        } else if (c < ' ' || c > '~') {
            escaped.append(String.format("\\u%04x", (int) c));
        } else {
            escaped.append(c);
        }
    }
    return escaped.toString();
}"#;

pub(super) fn read(source: &Source<'_>, draft: &mut Draft) {
    let fields =
        [("setCallbackUrl", "callbackUrl"), ("setCallbackHost", "callbackHost"), ("setCallbackBody", "callbackBody")];
    for (method, name) in fields {
        source.calls(method).filter_map(|called| called.args.plain.first()).for_each(|value| {
            glued::field(source, draft, name, value);
        });
    }
    // The SDK spells it so.
    for called in source.calls("setCalbackBodyType").chain(source.calls("setCallbackBodyType")) {
        if let Some(value) = called.args.plain.first() {
            draft.field("callbackBodyType", glued::constant(value).into());
        }
    }
    for value in source.calls("setCallbackSNI").filter_map(|called| called.args.plain.first()) {
        draft.say(source, "callbackSNI", value);
    }
    for called in source.calls("addCallbackVar") {
        glued::variable(source, draft, &called.args.plain);
    }
    for value in source.calls("setCallbackVar").filter_map(|called| called.args.plain.first()) {
        if let Value::Map(pairs) = source.resolved(value) {
            for (name, value) in pairs {
                glued::variable(source, draft, &[Value::Text(name), value]);
            }
        }
    }
    glued::read_limit(source, draft);
}

pub(super) fn write(wire: &Wire<'_>) -> String {
    // [`model/Callback.java`; `OSSUtils.java` jsonizeCallback; `OSSObjectOperation.java` isNeedReturnResponse]
    if wire.has("additionalHeaders") || wire.has("callbackPolicy") {
        return fill(TEMPLATE, &[("callback", by_header(wire)), ("json", String::new())]);
    }
    let mut escaped = false;
    let mut text = |text: &str| {
        let plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\');
        escaped |= !plain;
        // Which letters javac sees in a file depends on the machine.
        let literal = ascii(&unicode(text));
        if plain { literal } else { format!("{}({literal})", glued::ESCAPING) }
    };
    let mut lines = vec!["Callback callback = new Callback();".to_owned()];
    lines.push(format!("callback.setCallbackUrl({});", text(wire.text("callbackUrl"))));
    if wire.has("callbackHost") {
        lines.push(format!("callback.setCallbackHost({});", text(wire.text("callbackHost"))));
    }
    lines.push(format!("callback.setCallbackBody({});", text(wire.text("callbackBody"))));
    let body_type = if wire.is_json() { "JSON" } else { "URL" };
    lines.push(format!("callback.setCalbackBodyType(Callback.CalbackBodyType.{body_type});"));
    if wire.has("callbackSNI") {
        lines.push("callback.setCallbackSNI(true);".to_owned());
    }
    for (name, value) in &wire.variables {
        lines.push(format!("callback.addCallbackVar({}, {});", text(name), text(value)));
    }
    lines.push("request.setCallback(callback);".to_owned());
    let json = if escaped { ESCAPER.to_owned() } else { String::new() };
    fill(TEMPLATE, &[("callback", lines.join("\n")), ("json", json)])
}

/// What the SDK has no setter for goes into the header; `setProcess` makes it keep the answer then.
fn by_header(wire: &Wire<'_>) -> String {
    let header = |name: &str, json: Vec<String>| {
        let pieces: Vec<_> = json.iter().map(|piece| unicode(&ascii(piece))).collect();
        let json = pieces.join("\n        + ");
        format!("metadata.setHeader(\"{name}\", BinaryUtil.toBase64String((\n        {json}).getBytes(\"UTF-8\")));")
    };
    let mut lines = vec![
        "// Callback has no setter for some of this, so the headers are set as they are sent.".to_owned(),
        "ObjectMetadata metadata = new ObjectMetadata();".to_owned(),
        header("x-oss-callback", json_pieces(&wire.fields)),
    ];
    if !wire.variables.is_empty() {
        lines.push(header("x-oss-callback-var", json_pieces(&wire.variable_values())));
    }
    lines.push("request.setMetadata(metadata);".to_owned());
    lines.push("// Without a Callback the SDK closes the answer unread; an empty process makes it keep it.".to_owned());
    lines.push("request.setProcess(\"\");".to_owned());
    lines.join("\n")
}
