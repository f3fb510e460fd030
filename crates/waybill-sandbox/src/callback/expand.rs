//! Filling `${name}` places: percent-encoded in a form, as JSON values in JSON.

use serde_json::Value;

use super::BodyType;
use crate::escape::encode;

/// Whether every `$` begins a `${name}`; if not, why, in the words of the page of EC 0007-00000105 (those about the right
/// brace are ours).
pub(super) fn check(template: &str) -> Result<(), &'static str> {
    pieces(template).try_for_each(|piece| match piece {
        Piece::Broken("${") => Err("Right brace is missing after dollar sign and left brace."),
        Piece::Broken(_) => Err("Left brace must be adjacent to dollar sign."),
        Piece::Text(_) | Piece::Place(_) => Ok(()),
    })
}

/// The body with every place filled; `value` gives `Null` for what is not known, which is empty in a form and `null` in
/// JSON.
pub(super) fn expand(template: &str, body_type: BodyType, value: impl Fn(&str) -> Value) -> String {
    let mut out = String::with_capacity(template.len());
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Place(name) => match (body_type, value(name)) {
                (BodyType::Json, value) => out.push_str(&value.to_string()),
                (BodyType::Form, Value::Null) => {}
                (BodyType::Form, Value::String(text)) => out.push_str(&encode(text.as_bytes(), false)),
                (BodyType::Form, other) => out.push_str(&encode(other.to_string().as_bytes(), false)),
            },
            // Refused when the callback was read.
            Piece::Broken(_) => {}
        }
    }
    out
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Place(&'a str),
    /// A `$` that begins no place, with its brace if it has one; nothing after it is read.
    Broken(&'a str),
}

fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(at) = rest.find('$') else {
            return Some(Piece::Text(std::mem::take(&mut rest)));
        };
        if at > 0 {
            let (text, tail) = rest.split_at(at);
            rest = tail;
            return Some(Piece::Text(text));
        }
        match rest.strip_prefix("${").and_then(|tail| tail.split_once('}')) {
            Some((name, tail)) => {
                rest = tail;
                Some(Piece::Place(name))
            }
            None => {
                let broken = if rest.starts_with("${") { "${" } else { "$" };
                rest = "";
                Some(Piece::Broken(broken))
            }
        }
    })
}

#[cfg(test)]
#[path = "expand_tests.rs"]
mod tests;
