//! A callback that stands in a program as a header's value, as a map of its fields, as JSON or as Base64.

use serde_json::{Map, Value as Json};

use super::draft::Draft;
use super::source::Source;
use super::value::{Args, Value};
use super::{Trap, json};

/// Names that stand for names, calls within calls.
const DEEPEST: usize = 24;

/// How the SDKs name the two headers.
const CALLBACK: [&str; 4] = ["x-oss-callback", "OSS_CALLBACK", "OSS_HEADER_CALLBACK", "HttpHeaders.Callback"];
const VARIABLES: [&str; 4] =
    ["x-oss-callback-var", "OSS_CALLBACK_VAR", "OSS_HEADER_CALLBACK_VAR", "HttpHeaders.CallbackVar"];

enum Found {
    Json(Map<String, Json>, Option<Trap>),
    Pairs(Vec<(String, Value)>),
}

impl Found {
    fn names(&self) -> Vec<&str> {
        match self {
            Found::Json(object, _) => object.keys().map(String::as_str).collect(),
            Found::Pairs(pairs) => pairs.iter().map(|(name, _)| name.as_str()).collect(),
        }
    }
}

/// What the builder of the language did not say: the callback, the variables, or both.
pub(super) fn read(source: &Source<'_>, draft: &mut Draft) {
    if !draft.found() {
        let named = carried(source, &CALLBACK);
        if let Some(found) = named.or_else(|| first(source, |found| json::is_callback(found.names().into_iter()))) {
            callback(source, draft, &found);
        }
    }
    if !draft.has_variables() {
        let body = draft.body().to_owned();
        let wanted = |found: &Found| json::is_variables(found.names().into_iter());
        let scattered = || first_but(source, &body, wanted);
        if let Some(found) = carried(source, &VARIABLES).or_else(scattered) {
            variables(source, draft, &found);
        }
    }
}

fn callback(source: &Source<'_>, draft: &mut Draft, found: &Found) {
    match found {
        Found::Json(object, trap) => {
            draft.object(object);
            trap.iter().for_each(|trap| draft.note(*trap, "callback"));
        }
        Found::Pairs(pairs) => pairs.iter().for_each(|(name, value)| draft.say(source, name, value)),
    }
}

fn variables(source: &Source<'_>, draft: &mut Draft, found: &Found) {
    match found {
        Found::Json(object, trap) => {
            object.iter().for_each(|(name, value)| draft.variable(name, value));
            trap.iter().for_each(|trap| draft.note(*trap, "callback-var"));
        }
        Found::Pairs(pairs) => pairs.iter().for_each(|(name, value)| draft.say_variable(source, name, value)),
    }
}

/// What the program sets a header to, wherever it does so: `put(name, value)`, `{name: value}`, `headers[name] = value`.
fn carried(source: &Source<'_>, names: &[&str]) -> Option<Found> {
    let is = |value: &Value| match value {
        Value::Text(text) => names.contains(&text.as_str()),
        Value::Name(path) => {
            let last = path.last().map_or("", String::as_str);
            names.contains(&last) || names.contains(&path.join(".").as_str())
        }
        _ => false,
    };
    for called in &source.called {
        let value = called.args.plain.windows(2).find(|pair| is(&pair[0])).map(|pair| &pair[1]);
        if let Some(found) = value.and_then(|value| object(source, value, 0)) {
            return Some(found);
        }
    }
    let items =
        source.assigned.iter().filter(|assigned| assigned.item.as_deref().is_some_and(|item| names.contains(&item)));
    let mut values: Vec<&Value> = items.map(|assigned| &assigned.value).collect();
    for value in all(source) {
        if let Value::Map(pairs) = value {
            values.extend(pairs.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value));
        }
    }
    values.into_iter().find_map(|value| object(source, value, 0))
}

/// The first map or JSON text of the program that is what is wanted.
fn first(source: &Source<'_>, wanted: impl Fn(&Found) -> bool) -> Option<Found> {
    first_but(source, "", wanted)
}

fn first_but(source: &Source<'_>, but: &str, wanted: impl Fn(&Found) -> bool) -> Option<Found> {
    let items = source.assigned.iter().filter(|assigned| assigned.item.is_some());
    let filled = items.map(|assigned| Value::Name(assigned.path.clone()));
    let put = source.calls("put").filter_map(|called| Some(Value::Name(called.path.split_last()?.1.to_vec())));
    let written =
        all(source).into_iter().filter(|value| matches!(value, Value::Map(_) | Value::Text(_) | Value::Joined(_)));
    let values = filled.chain(put).chain(written.cloned());
    values.filter_map(|value| whole(source, &value, but)).find(wanted)
}

/// Every value in the program, in the order they stand there, and what they are made of.
pub(super) fn all<'s>(source: &'s Source<'_>) -> Vec<&'s Value> {
    let assigned = source.assigned.iter().map(|assigned| (assigned.at, vec![&assigned.value]));
    let called = source.called.iter().map(|called| (called.at, called.args.all().collect()));
    let mut roots: Vec<(usize, Vec<&Value>)> = assigned.chain(called).collect();
    roots.sort_by_key(|(at, _)| *at);
    let mut out = Vec::new();
    roots.into_iter().flat_map(|(_, values)| values).for_each(|value| walk(value, &mut out));
    out
}

fn walk<'s>(value: &'s Value, out: &mut Vec<&'s Value>) {
    out.push(value);
    let mut inside = |args: &'s Args| args.all().for_each(|value| walk(value, out));
    match value {
        Value::Call { args, .. } => inside(args),
        Value::Chain { on, args, .. } => {
            inside(args);
            walk(on, out);
        }
        Value::Map(pairs) => pairs.iter().for_each(|(_, value)| walk(value, out)),
        Value::List(values) => values.iter().for_each(|value| walk(value, out)),
        _ => {}
    }
}

/// The object that a value is by itself.
fn whole(source: &Source<'_>, value: &Value, but: &str) -> Option<Found> {
    match source.resolved(value) {
        Value::Map(pairs) if !pairs.is_empty() => Some(Found::Pairs(pairs)),
        Value::Text(text) | Value::Computed { text, .. } if but.is_empty() || text != but => {
            json::object(&text).map(|read| Found::Json(read.object, read.trap))
        }
        _ => None,
    }
}

/// The object that ends up in a value, through the calls that encode it.
fn object(source: &Source<'_>, value: &Value, depth: usize) -> Option<Found> {
    if depth >= DEEPEST {
        return None;
    }
    let deeper = |value: &Value| object(source, value, depth + 1);
    let inside = |args: &Args| args.all().find_map(deeper);
    match source.resolved(value) {
        Value::Call { args, .. } => inside(&args),
        Value::Chain { on, args, .. } => deeper(&on).or_else(|| inside(&args)),
        Value::List(values) => values.iter().find_map(deeper),
        Value::Joined(values) => values.iter().find_map(deeper),
        // C encodes into a buffer: what was put in stands beside it.
        Value::Name(path) => {
            let name = Value::Name(path);
            let encoding = |name: &str| name.to_ascii_lowercase().contains("base64");
            let filling =
                source.called.iter().filter(|called| encoding(called.name()) && called.args.plain.contains(&name));
            filling.flat_map(|called| &called.args.plain).filter(|arg| **arg != name).find_map(deeper)
        }
        other => whole(source, &other, ""),
    }
}
