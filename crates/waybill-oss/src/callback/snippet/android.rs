//! aliyun-oss-android-sdk: maps of texts, `setCallbackParam` and `setCallbackVars`, which Kotlin assigns as properties.

use super::draft::Draft;
use super::fill::fill;
use super::quote::unicode;
use super::source::{Called, Source};
use super::value::Value;
use super::wire::{Wire, ascii, json_pieces};

const TEMPLATE: &str = include_str!("templates/android.txt");

pub(super) fn read(source: &Source<'_>, draft: &mut Draft) {
    for called in source.calls("setCallbackParam") {
        pairs(source, called).iter().for_each(|(name, value)| draft.say(source, name, value));
    }
    for called in source.calls("setCallbackVars") {
        pairs(source, called).iter().for_each(|(name, value)| draft.say_variable(source, name, value));
    }
    for (name, value) in assigned(source, "callbackParam") {
        draft.say(source, &name, &value);
    }
    for (name, value) in assigned(source, "callbackVars") {
        draft.say_variable(source, &name, &value);
    }
}

/// The map that Kotlin assigns to a property.
fn assigned(source: &Source<'_>, property: &str) -> Vec<(String, Value)> {
    let maps = source.all_assigned_to(property).filter_map(|assigned| match source.resolved(&assigned.value) {
        Value::Map(pairs) => Some(pairs),
        _ => None,
    });
    maps.flatten().collect()
}

/// The map that a setter is given: one that is filled elsewhere, or one that fills itself with `{{ put(…); }}`.
fn pairs(source: &Source<'_>, setter: &Called) -> Vec<(String, Value)> {
    if let Some(Value::Map(pairs)) = setter.args.plain.first().map(|value| source.resolved(value)) {
        return pairs;
    }
    let inside = source.calls("put").filter(|called| (setter.at..setter.end).contains(&called.at));
    let pair = |called: &Called| match &called.args.plain[..] {
        [name, value] => match source.resolved(name) {
            Value::Text(name) => Some((name, value.clone())),
            _ => None,
        },
        _ => None,
    };
    inside.filter_map(pair).collect()
}

/// [`model/PutObjectRequest.java`; `common/utils/OSSUtils.java` populateMapToBase64JsonString, populateRequestMetadata;
/// `network/OSSRequestTask.java` takes 203 for a failure]
pub(super) fn write(wire: &Wire<'_>) -> String {
    let texts = wire.fields.iter().all(|(_, value)| value.is_string());
    let callback = if texts { by_map(wire) } else { by_header(wire) };
    fill(TEMPLATE, &[("callback", callback)])
}

fn by_map(wire: &Wire<'_>) -> String {
    let fields = wire.fields.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    let mut lines = map("callback", fields);
    lines.push("request.setCallbackParam(callback);".to_owned());
    if !wire.variables.is_empty() {
        lines.extend(map("variables", wire.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
        lines.push("request.setCallbackVars(variables);".to_owned());
    }
    lines.join("\n")
}

fn map<'w>(name: &str, pairs: impl Iterator<Item = (&'w str, &'w str)>) -> Vec<String> {
    let new = format!("Map<String, String> {name} = new HashMap<>();");
    let put = |(key, value): (&str, &str)| format!("{name}.put({}, {});", unicode(key), unicode(value));
    [new].into_iter().chain(pairs.map(put)).collect()
}

fn by_header(wire: &Wire<'_>) -> String {
    let header = |name: &str, json: Vec<String>| {
        let json = json.iter().map(|piece| unicode(&ascii(piece))).collect::<Vec<_>>().join("\n        + ");
        format!(
            "metadata.setHeader(\"{name}\", BinaryUtil.toBase64String((\n        {json}).getBytes(StandardCharsets.UTF_8)));"
        )
    };
    let mut lines = vec![
        "// setCallbackParam takes texts only, and some of this is none, so the headers are set as they are sent."
            .to_owned(),
        "ObjectMetadata metadata = new ObjectMetadata();".to_owned(),
        header("x-oss-callback", json_pieces(&wire.fields)),
    ];
    if !wire.variables.is_empty() {
        lines.push(header("x-oss-callback-var", json_pieces(&wire.variable_values())));
    }
    lines.push("request.setMetadata(metadata);".to_owned());
    lines.join("\n")
}
