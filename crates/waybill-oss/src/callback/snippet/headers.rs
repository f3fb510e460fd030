//! Headers, a curl command, a signed address, a form, JSON or Base64: whatever carries a callback without a program.

use serde_json::{Map, Value};

use super::draft::Draft;
use super::{Trap, json};
use crate::escape;

/// What stands in front of the callback and of the variables, in the order in which it is looked for.
const CALLBACK: [&str; 5] = ["x-oss-callback:", "x-oss-callback=", "\"x-oss-callback\"", "callback=", "\"callback\""];
const VARIABLES: [&str; 6] = [
    "x-oss-callback-var:",
    "x-oss-callback-var=",
    "\"x-oss-callback-var\"",
    "callback-var=",
    "\"callback-var\"",
    "\"callbackvar\"",
];

/// More braces than this are no callback.
const MOST: usize = 500;

pub(super) fn read(text: &str, draft: &mut Draft) {
    if let Some((object, trap)) = carried(text, &CALLBACK) {
        draft.object(&object);
        trap.into_iter().for_each(|trap| draft.note(trap, "x-oss-callback"));
        form_variables(text, draft);
        if let Some((object, trap)) = carried(text, &VARIABLES) {
            object.iter().for_each(|(name, value)| draft.variable(name, value));
            trap.into_iter().for_each(|trap| draft.note(trap, "x-oss-callback-var"));
        }
        return;
    }
    for (object, trap) in bare(text) {
        if json::is_callback(object.keys().map(String::as_str)) {
            if draft.found() && !draft.body().is_empty() {
                continue;
            }
            draft.object(&object);
        } else if json::is_variables(object.keys().map(String::as_str)) {
            object.iter().for_each(|(name, value)| draft.variable(name, value));
        } else {
            continue;
        }
        trap.into_iter().for_each(|trap| draft.note(trap, ""));
    }
}

/// The object behind one of these marks, in any case of letters.
fn carried(text: &str, marks: &[&str]) -> Option<(Map<String, Value>, Option<Trap>)> {
    let lower = text.to_ascii_lowercase();
    marks.iter().find_map(|mark| lower.match_indices(mark).find_map(|(at, _)| value(&text[at + mark.len()..])))
}

/// The Base64 or JSON that a text begins with.
fn value(text: &str) -> Option<(Map<String, Value>, Option<Trap>)> {
    let text = text.trim_start_matches([' ', '\t', ':', '"', '\'', '@']);
    if text.starts_with('{') {
        return document(text).map(|(object, _)| (object, None)).or_else(|| {
            let line = text.lines().next()?.trim_end_matches(['\'', '"', ' ', ',', '\\']);
            json::object(line).map(|read| (read.object, read.trap))
        });
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"+/-_=%".contains(c)).unwrap_or(text.len());
    json::object(&text[..end]).map(|read| (read.object, read.trap))
}

/// Variables of a form: `-F 'x:name=value'`.
fn form_variables(text: &str, draft: &mut Draft) {
    for word in ["-F '", "-F \"", "--form '", "--form \"", "--form-string '", "--form-string \""] {
        for (at, _) in text.match_indices(word) {
            let rest = &text[at + word.len()..];
            let Some(field) = rest.split(['\'', '"']).next().filter(|field| field.starts_with("x:")) else { continue };
            if let Some((name, value)) = field.split_once('=') {
                draft.variable(name, &value.into());
            }
        }
    }
}

/// Every object in a text that is nothing but JSON and Base64, with words between.
fn bare(text: &str) -> Vec<(Map<String, Value>, Option<Trap>)> {
    let slips = match json::object(text) {
        Some(read) if read.trap.is_none() => return vec![(read.object, None)],
        read => read.map(|read| (read.object, read.trap)),
    };
    let mut all = Vec::new();
    let mut rest = text;
    for _ in 0..MOST {
        let Some(at) = rest.find('{') else { break };
        match document(&rest[at..]) {
            Some((object, length)) => {
                all.push((object, None));
                rest = &rest[at + length..];
            }
            None => rest = &rest[at + 1..],
        }
    }
    let whole = |word: &str| json::object(word).map(|read| (read.object, read.trap));
    let words = text.split(|c: char| c.is_whitespace() || "'\",;".contains(c)).filter(|word| !word.starts_with('{'));
    all.extend(words.filter(|word| word.len() > 8 && escape::decoded(word).is_some()).filter_map(whole));
    if all.is_empty() { slips.into_iter().collect() } else { all }
}

/// The JSON object that a text begins with, and how long it is.
pub(super) fn document(text: &str) -> Option<(Map<String, Value>, usize)> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>();
    let object = stream.next()?.ok()?;
    Some((object, stream.byte_offset()))
}
