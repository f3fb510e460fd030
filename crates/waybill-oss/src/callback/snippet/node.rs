//! ali-oss: the option `callback`.

use serde_json::{Value as Json, json};

use super::draft::Draft;
use super::fill::fill;
use super::notation::Notation;
use super::quote::single;
use super::source::Source;
use super::value::Value;
use super::wire::Wire;
use super::{Trap, payload};

const TEMPLATE: &str = include_str!("templates/node.txt");

const NOTATION: Notation = Notation { text: single, between: ": ", open: "{", close: "}", yes: "true" };

/// The option's names and the JSON's.
const NAMES: [(&str, &str); 5] = [
    ("url", "callbackUrl"),
    ("host", "callbackHost"),
    ("body", "callbackBody"),
    ("contentType", "callbackBodyType"),
    ("callbackSNI", "callbackSNI"),
];

pub(super) fn read(source: &Source<'_>, draft: &mut Draft) {
    let is_option = |pairs: &[(String, Value)]| {
        let has = |name: &str| pairs.iter().any(|(known, _)| known == name);
        has("customValue") || (has("body") && (has("url") || has("contentType")))
    };
    let option = payload::all(source).into_iter().find_map(|value| match value {
        Value::Map(pairs) if is_option(pairs) => Some(pairs),
        _ => None,
    });
    for (name, value) in option.into_iter().flatten() {
        if let Some((_, field)) = NAMES.iter().find(|(option, _)| option == name) {
            draft.say(source, field, value);
        }
        // The SDK puts the `x:` in front itself.
        if let (true, Value::Map(pairs)) = (name == "customValue", source.resolved(value)) {
            for (name, value) in pairs {
                let name = if name.starts_with("x:") { name } else { format!("x:{name}") };
                draft.say_variable(source, &name, &value);
            }
        }
    }
    // The Chinese sample has lost a blank.
    if source.assigned_to("varpath").is_some() {
        draft.note(Trap::BrokenSyntax, "varpath");
    }
}

/// [`lib/common/callback.js` encodeCallback; `lib/object.js` put: any status but 200 is thrown]
pub(super) fn write(wire: &Wire<'_>) -> String {
    let unsaid = wire.has("additionalHeaders") || wire.has("callbackPolicy");
    // encodeURI would encode these once more.
    let encoded_again = wire.text("callbackUrl").contains(['%', '[', ']', '^', '|', '`']);
    let magic = wire.variables.iter().any(|(name, _)| name == "x:__proto__");
    let callback = match (unsaid, encoded_again || magic) {
        (true, _) => by_header(wire, "The option callback has no field for some of this"),
        (false, true) => by_header(wire, "The option callback would encode the address a second time"),
        (false, false) => by_option(wire),
    };
    fill(TEMPLATE, &[("callback", callback)])
}

fn by_option(wire: &Wire<'_>) -> String {
    let field = |(option, field): &(&str, &str)| {
        let value = wire.fields.iter().find(|(name, _)| name == field).map(|(_, value)| value.clone())?;
        Some(format!(
            "    {option}: {},\n",
            if value == json!(true) { "true".to_owned() } else { single(value.as_str()?) }
        ))
    };
    let mut lines: String = NAMES.iter().filter_map(field).collect();
    if !wire.variables.is_empty() {
        let bare = |(name, value): &(String, String)| {
            (name.strip_prefix("x:").unwrap_or(name).to_owned(), Json::from(value.as_str()))
        };
        let variables: Vec<_> = wire.variables.iter().map(bare).collect();
        let map = NOTATION.map(&variables, "  ").replace('\n', "\n    ");
        lines.push_str(&format!("    // The SDK puts x: in front of the names.\n    customValue: {map},\n"));
    }
    format!("const options = {{\n  callback: {{\n{lines}  }},\n}};")
}

fn by_header(wire: &Wire<'_>, why: &str) -> String {
    let mut lines = vec![
        format!("// {why}, so the headers are set as they are sent."),
        "const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64');".to_owned(),
        format!("const callback = {};", NOTATION.map(&wire.fields, "  ")),
    ];
    let mut headers = vec!["    'x-oss-callback': encode(callback),".to_owned()];
    if !wire.variables.is_empty() {
        lines.push(format!("const variables = {};", NOTATION.map(&wire.variable_values(), "  ")));
        headers.push("    'x-oss-callback-var': encode(variables),".to_owned());
    }
    lines.push(format!("const options = {{\n  headers: {{\n{}\n  }},\n}};", headers.join("\n")));
    lines.join("\n")
}
