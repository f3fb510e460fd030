//! The callback's JSON and its Base64, as they are carried and as people paste them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::source::Source;
use super::{Language, Trap, draft, mend};
use crate::escape;

pub(super) struct Read {
    pub object: Map<String, Value>,
    /// What had to be mended before it was JSON.
    pub trap: Option<Trap>,
}

/// The object that a text is, as JSON, as Base64 of JSON, or as either with a trap in it.
pub(super) fn object(text: &str) -> Option<Read> {
    let text = text.trim();
    if let Ok(object) = serde_json::from_str(text) {
        return Some(Read { object, trap: None });
    }
    if let Some(object) = base64(text) {
        return Some(Read { object, trap: None });
    }
    let ours = text.contains("callback") || text.contains("x:");
    if !ours || !text.starts_with('{') || !text.ends_with('}') {
        return None;
    }
    if let Some(object) = mend::unescaped(text).and_then(|text| serde_json::from_str(&text).ok()) {
        return Some(Read { object, trap: Some(Trap::EscapedQuotes) });
    }
    loose(text).map(|object| Read { object, trap: Some(Trap::BrokenSyntax) })
}

/// JSON with a comma too many, with single quotes or without quotes around its names.
fn loose(text: &str) -> Option<Map<String, Value>> {
    let text = format!("it = {text}");
    let source = Source::read(Language::NodeJs, &text);
    match draft::plain(&source, &source.assigned.first()?.value).ok()? {
        Value::Object(object) if !object.is_empty() => Some(object),
        _ => None,
    }
}

/// Base64 of either alphabet, with or without its padding, on one line or more, percent-encoded or not.
fn base64(text: &str) -> Option<Map<String, Value>> {
    let text = escape::decoded(text)?;
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if compact.len() < 4 || !compact.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte)) {
        return None;
    }
    let alphabet = if compact.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(alphabet, config).decode(compact).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Whether this is a callback, by the names of its fields.
pub(super) fn is_callback<'a>(mut names: impl Iterator<Item = &'a str>) -> bool {
    names.any(|name| matches!(name, "callbackUrl" | "callbackBody" | "callbackPolicy"))
}

/// Whether these are variables: all have their `x:`.
pub(super) fn is_variables<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let mut names = names.peekable();
    names.peek().is_some() && names.all(|name| name.get(..2).is_some_and(|prefix| prefix.eq_ignore_ascii_case("x:")))
}
