//! How the traps of the published samples are mended: quotes, variables' names, queries.

use crate::callback::spec::BodyType;
use crate::callback::{rules, template};
use crate::escape;

/// A text that was escaped as JSON once more than it should be, with one layer taken off.
pub(super) fn unescaped(text: &str) -> Option<String> {
    if !text.contains('\\') {
        return None;
    }
    serde_json::from_str(&format!("\"{text}\"")).ok()
}

/// The body that was meant where `\"` makes it no JSON. A body that is JSON as it stands is left alone.
pub(super) fn escaped_quotes(body: &str, body_type: BodyType) -> Option<String> {
    if body_type != BodyType::Json || !body.contains("\\\"") || is_json(body) {
        return None;
    }
    unescaped(body).filter(|body| is_json(body))
}

/// Whether a body is JSON once its variables are filled in.
fn is_json(body: &str) -> bool {
    let Ok(variables) = template::variables(body) else { return false };
    let (mut filled, mut from) = (String::with_capacity(body.len()), 0);
    for (at, _) in variables {
        filled += &body[from..at.start];
        filled += "null";
        from = at.end;
    }
    filled += &body[from..];
    serde_json::from_str::<serde::de::IgnoredAny>(&filled).is_ok()
}

pub(super) struct VariableName {
    /// `x:` and lower case.
    pub name: String,
    /// With its `x:`, in the case it was given in.
    pub named: String,
    pub prefixed: bool,
    pub lowered: bool,
}

pub(super) fn variable_name(given: &str) -> VariableName {
    let given = given.trim();
    let bare = given.strip_prefix("x:").or_else(|| given.strip_prefix("X:"));
    let named = match bare {
        Some(_) => given.to_owned(),
        None => format!("x:{given}"),
    };
    let name = named.to_lowercase();
    VariableName { prefixed: bare.is_none(), lowered: name != named, name, named }
}

/// Names and values of a query.
type Query = Vec<(String, String)>;

/// The addresses and their query, each by itself; none unless all have the same one and it comes out the same again.
pub(super) fn query_apart(urls: &[String]) -> Option<(Vec<String>, Query)> {
    let mut all = Vec::new();
    let mut bare = Vec::new();
    for url in urls {
        let (address, query) = url.split_once('?').filter(|_| !url.contains('#'))?;
        let pairs: Option<Vec<_>> = query.split('&').map(pair).collect();
        let pairs = pairs.filter(|pairs| rules::with_query(address, pairs) == rules::encoded_once(url))?;
        if all.last().is_some_and(|other| *other != pairs) {
            return None;
        }
        bare.push(address.to_owned());
        all.push(pairs);
    }
    Some((bare, all.pop()?))
}

fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty())?;
    Some((escape::decoded(name)?, escape::decoded(value)?))
}
