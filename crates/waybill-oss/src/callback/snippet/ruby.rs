//! aliyun-oss-ruby-sdk: `Aliyun::OSS::Callback`.

use super::Trap;
use super::draft::{Draft, plain};
use super::fill::fill;
use super::notation::Notation;
use super::quote::ruby;
use super::source::Source;
use super::value::Value;
use super::wire::Wire;

const TEMPLATE: &str = include_str!("templates/ruby.txt");

const NOTATION: Notation = Notation { text: ruby, between: " => ", open: "{", close: "}", yes: "true" };

/// The attributes' names and the JSON's.
const NAMES: [(&str, &str); 4] =
    [("url", "callbackUrl"), ("host", "callbackHost"), ("body", "callbackBody"), ("content_type", "callbackBodyType")];

pub(super) fn read(source: &Source<'_>, draft: &mut Draft) {
    let new =
        source.calls("new").find(|called| called.path.iter().rev().nth(1).is_some_and(|class| class == "Callback"));
    for (name, value) in new.iter().flat_map(|called| &called.args.named) {
        if let Some((_, field)) = NAMES.iter().find(|(attribute, _)| attribute == name) {
            draft.say(source, field, value);
        }
        match (name.as_str(), source.resolved(value)) {
            ("url", Value::Text(url)) if url.contains('?') => draft.note(Trap::QueryMoved, url),
            ("query", Value::Map(pairs)) => {
                for (name, value) in pairs {
                    match plain(source, &value) {
                        Ok(value) => draft.query(&name, &value),
                        Err(about) => draft.note(Trap::NotLiteral, about),
                    }
                }
            }
            _ => {}
        }
    }
}

/// [`lib/aliyun/oss/struct.rb` Callback#serialize; `lib/aliyun/oss/protocol.rb` put_object]
pub(super) fn write(wire: &Wire<'_>) -> String {
    let (callback, mut options) = match by_attributes(wire) {
        Some(callback) => (callback, vec!["callback: callback"]),
        None => (by_header(wire), Vec::new()),
    };
    if options.is_empty() || !wire.variables.is_empty() {
        options.push("headers: headers");
    }
    let options = format!("file: '/path/to/examplefile.txt', {}", options.join(", "));
    fill(TEMPLATE, &[("callback", callback), ("options", options)])
}

/// `Callback` where it sends just this: it refuses a query in the address, writes a `?` behind every one, and encodes in its
/// own way; it has no field for SNI, headers or a stored callback.
fn by_attributes(wire: &Wire<'_>) -> Option<String> {
    let unsaid = ["callbackSNI", "additionalHeaders", "callbackPolicy"].iter().any(|name| wire.has(name));
    let query = &wire.spec.query;
    let (address, encoded) = wire.text("callbackUrl").split_once('?')?;
    let alike = query.iter().all(|(name, value)| !name.is_empty() && !name.contains(' ') && !value.contains(' '));
    let whole = address.starts_with("http") && !address.contains([';', '#']) && !encoded.contains([';', '#', '?']);
    if unsaid || query.is_empty() || !alike || !whole || encoded.matches('=').count() != query.len() {
        return None;
    }
    let mut lines = vec!["callback = Aliyun::OSS::Callback.new(".to_owned(), format!("  url: {},", ruby(address))];
    let pairs: Vec<_> = query.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    lines.push(format!("  query: {},", NOTATION.map(&pairs, "  ").replace('\n', "\n  ")));
    if wire.has("callbackHost") {
        lines.push(format!("  host: {},", ruby(wire.text("callbackHost"))));
    }
    lines.push(format!("  body: {},", ruby(wire.text("callbackBody"))));
    lines.push(format!("  content_type: {}", ruby(wire.text("callbackBodyType"))));
    lines.push(")".to_owned());
    if !wire.variables.is_empty() {
        let variables = NOTATION.map(&wire.variable_values(), "  ");
        lines.push("# Callback has no field for variables, so their header is set as it is sent.".to_owned());
        lines.push(format!("variables = {variables}"));
        lines.push("headers = { 'x-oss-callback-var' => [JSON.generate(variables)].pack('m0') }".to_owned());
    }
    Some(lines.join("\n"))
}

fn by_header(wire: &Wire<'_>) -> String {
    let mut lines = vec![
        "# Aliyun::OSS::Callback cannot send just this (it has no SNI, headers or variables, and writes a ? behind every".to_owned(),
        "# address), so the headers are set as they are sent.".to_owned(),
        format!("callback = {}", NOTATION.map(&wire.fields, "  ")),
    ];
    let mut headers = vec!["  'x-oss-callback' => [JSON.generate(callback)].pack('m0'),".to_owned()];
    if !wire.variables.is_empty() {
        lines.push(format!("variables = {}", NOTATION.map(&wire.variable_values(), "  ")));
        headers.push("  'x-oss-callback-var' => [JSON.generate(variables)].pack('m0'),".to_owned());
    }
    lines.push(format!("headers = {{\n{}\n}}", headers.join("\n")));
    lines.join("\n")
}
