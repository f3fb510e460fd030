//! Where a callback is ordered: header, query or form field; Base64 and JSON taken off, variables read.
//!
//! Sources: *Callback* page, current edition; the pages of the ECs named; *HTTP 400 status code* for the messages.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

use super::{Order, fields};
use crate::{answer::OssError, route::Target};

/// Longest header, parameter or field value, measured as it is sent, in Base64.
const LIMIT: usize = 5 * 1024;

/// One of the two arguments: how it is called, and what is said when it is wrong.
struct Argument {
    /// Parameter and form field; the header has `x-oss-` before it.
    name: &'static str,
    header: &'static str,
    too_long: (&'static str, &'static str),
    not_base64: (&'static str, &'static str),
    not_json: (&'static str, &'static str),
    two_carriers: (&'static str, &'static str),
}

/// The wording about two carriers is ours; no page shows it.
const CALLBACK: Argument = Argument {
    name: "callback",
    header: "x-oss-callback",
    too_long: ("The length of callback exceed max value.", "0007-00000001"),
    not_base64: ("The callback configuration is not base64 encoded.", "0007-00000002"),
    not_json: ("The callback configuration is not json format.", "0007-00000003"),
    two_carriers: ("The callback is in both header and query.", "0007-00000027"),
};

/// `expecten` stands so on the page. The Base64 wording and the EC of two carriers are inferred from those of `callback`.
const VARIABLES: Argument = Argument {
    name: "callback-var",
    header: "x-oss-callback-var",
    too_long: ("The length of callback var exceed max value.", "0007-00000101"),
    not_base64: ("The callback var is not base64 encoded.", "0007-00000102"),
    not_json: ("The callback var is not expecten json.", "0007-00000103"),
    two_carriers: ("The callback-var is in both header and query.", "0007-00000127"),
};

/// An argument without its Base64, as text for error answers and as JSON object.
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) fields: Map<String, Value>,
}

/// The callback that header or query of a request order, `None` when they order none.
pub(super) fn parse(headers: &HeaderMap, target: &Target) -> Result<Option<Order>, OssError> {
    let callback = carried(&CALLBACK, headers, target)?;
    let variables = carried(&VARIABLES, headers, target)?;
    let Some(callback) = callback else { return Ok(None) };
    let callback = decode(&CALLBACK, &callback)?;
    let variables = variables.as_deref().map(read_variables).transpose()?.unwrap_or_default();
    fields::read(&callback, variables).map(Some)
}

/// The callback that a form orders: Base64 in the field `callback`, the variables bare in fields of their own names. The
/// page of EC 0007-00000101 knows a field `callback-var` too; a field of a variable's own name comes before it.
pub(super) fn parse_form<'a>(form: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Option<Order>, OssError> {
    let (mut callback, mut variables, mut named) = (None, None, BTreeMap::new());
    for (name, value) in form {
        if name == CALLBACK.name {
            callback = Some(value);
        } else if name == VARIABLES.name {
            variables = Some(value);
        } else if name.starts_with("x:") {
            check_name(name, value)?;
            named.insert(name.to_owned(), value.to_owned());
        }
    }
    let Some(callback) = callback else { return Ok(None) };
    check_length(&CALLBACK, callback)?;
    let callback = decode(&CALLBACK, callback)?;
    let mut all = match variables {
        Some(variables) => {
            check_length(&VARIABLES, variables)?;
            read_variables(variables)?
        }
        None => BTreeMap::new(),
    };
    all.append(&mut named);
    fields::read(&callback, all).map(Some)
}

fn carried(argument: &Argument, headers: &HeaderMap, target: &Target) -> Result<Option<String>, OssError> {
    let in_header = headers.get(argument.header).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let in_query = target.query(argument.name).map(str::to_owned);
    let value = match (in_header, in_query) {
        (Some(value), Some(_)) => return Err(wrong(argument, argument.two_carriers, &value)),
        (value, other) => value.or(other),
    };
    if let Some(value) = &value {
        check_length(argument, value)?;
    }
    Ok(value)
}

fn check_length(argument: &Argument, value: &str) -> Result<(), OssError> {
    if value.len() <= LIMIT {
        return Ok(());
    }
    Err(wrong(argument, argument.too_long, &value.chars().take(64).collect::<String>()))
}

fn decode(argument: &Argument, encoded: &str) -> Result<Decoded, OssError> {
    let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| wrong(argument, argument.not_base64, encoded))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => Ok(Decoded { text, fields }),
        Ok(_) | Err(_) => Err(wrong(argument, argument.not_json, &text)),
    }
}

fn read_variables(encoded: &str) -> Result<BTreeMap<String, String>, OssError> {
    let Decoded { text, fields } = decode(&VARIABLES, encoded)?;
    fields
        .into_iter()
        .map(|(name, value)| {
            check_name(&name, &text)?;
            let Value::String(value) = value else {
                return Err(wrong(&VARIABLES, VARIABLES.not_json, &text));
            };
            Ok((name, value))
        })
        .collect()
}

/// `x:` and something without capitals. The EC is that of everything else that goes wrong between variables and body.
fn check_name(name: &str, context: &str) -> Result<(), OssError> {
    let bare = name.strip_prefix("x:").unwrap_or_default();
    if !bare.is_empty() && !bare.bytes().any(|b| b.is_ascii_uppercase()) {
        return Ok(());
    }
    let message = "A custom variable must begin with x: and have no upper-case letter.";
    Err(wrong(&VARIABLES, (message, "0007-00000105"), context))
}

fn wrong(argument: &Argument, (message, ec): (&str, &'static str), value: &str) -> OssError {
    OssError::argument(message, argument.name, value).ec(ec)
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
