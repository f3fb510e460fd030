//! Reading `x-oss-callback` and `x-oss-callback-var`: everything that is wrong is told before a byte is stored.
//!
//! Source: *Callback* page, current edition, and the pages of the ECs named.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Url;
use serde_json::{Map, Value};

use super::{BodyType, Order, expand};
use crate::{answer::OssError, route::Target};

/// Longest header or parameter value, measured as it is sent, in Base64.
const LIMIT: usize = 5 * 1024;
const URL_LIMIT: usize = 5;

/// The ECs of one of the two arguments. Those of the variables are one hundred above those of the callback; for length
/// and carrier only one of the pair is known from a page, the other is inferred from that.
struct Argument {
    name: &'static str,
    header: &'static str,
    too_long: &'static str,
    not_base64: &'static str,
    not_json: &'static str,
    two_carriers: &'static str,
}

const CALLBACK: Argument = Argument {
    name: "callback",
    header: "x-oss-callback",
    too_long: "0007-00000001",
    not_base64: "0007-00000002",
    not_json: "0007-00000003",
    two_carriers: "0007-00000027",
};

const VARIABLES: Argument = Argument {
    name: "callback-var",
    header: "x-oss-callback-var",
    too_long: "0007-00000101",
    not_base64: "0007-00000102",
    not_json: "0007-00000103",
    two_carriers: "0007-00000127",
};

/// The callback that a request orders, `None` when it orders none.
pub(crate) fn parse(headers: &HeaderMap, target: &Target) -> Result<Option<Order>, OssError> {
    let callback = carried(&CALLBACK, headers, target)?;
    let variables = carried(&VARIABLES, headers, target)?;
    let Some(callback) = callback else { return Ok(None) };
    let fields = object(&CALLBACK, &callback)?;
    let variables = match &variables {
        Some(text) => read_variables(&object(&VARIABLES, text)?, text)?,
        None => BTreeMap::new(),
    };
    read_order(&fields, variables, &callback).map(Some)
}

fn carried(argument: &Argument, headers: &HeaderMap, target: &Target) -> Result<Option<String>, OssError> {
    let in_header = headers.get(argument.header).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let in_query = target.query(argument.name).map(str::to_owned);
    let value = match (in_header, in_query) {
        (Some(value), Some(_)) => {
            let message = format!("The {} is in both header and query.", argument.name);
            return Err(OssError::argument(message, argument.name, &value).ec(argument.two_carriers));
        }
        (value, other) => value.or(other),
    };
    if let Some(long) = value.as_deref().filter(|value| value.len() > LIMIT) {
        let message = format!("The {} configuration is longer than 5 KB.", argument.name);
        return Err(OssError::argument(message, argument.name, &long[..64]).ec(argument.too_long));
    }
    Ok(value)
}

fn object(argument: &Argument, encoded: &str) -> Result<Map<String, Value>, OssError> {
    let wrong = |message: &str, ec| {
        let message = format!("The {} configuration is not {message} format.", argument.name);
        OssError::argument(message, argument.name, encoded).ec(ec)
    };
    let text = BASE64_STANDARD.decode(encoded).map_err(|_| wrong("base64 encoded", argument.not_base64))?;
    match serde_json::from_slice(&text) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) | Err(_) => Err(wrong("json", argument.not_json)),
    }
}

fn read_variables(fields: &Map<String, Value>, encoded: &str) -> Result<BTreeMap<String, String>, OssError> {
    let wrong = |message: &str, ec| OssError::argument(message, "callback-var", encoded).ec(ec);
    let mut variables = BTreeMap::new();
    for (name, value) in fields {
        let bare = name.strip_prefix("x:").unwrap_or_default();
        if bare.is_empty() || bare.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(wrong("A custom variable must begin with x: and have no upper-case letter.", "0007-00000105"));
        }
        let Value::String(value) = value else {
            return Err(wrong("The value of a custom variable must be a string.", "0007-00000103"));
        };
        variables.insert(name.clone(), value.clone());
    }
    Ok(variables)
}

fn read_order(
    fields: &Map<String, Value>,
    variables: BTreeMap<String, String>,
    encoded: &str,
) -> Result<Order, OssError> {
    let wrong = |message: &str| OssError::argument(message, "callback", encoded);
    let text = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(wrong(&format!("{name} must be a string.")).ec("0007-00000003")),
    };
    if fields.contains_key("callbackPolicy") {
        return Err(wrong("This bucket has no stored callback policy."));
    }
    let body = text("callbackBody")?
        .filter(|body| !body.is_empty())
        .ok_or_else(|| wrong("The callbackBody is empty.").ec("0007-00000011"))?;
    expand::check(body).map_err(|()| wrong("A $ in callbackBody must begin a ${variable}.").ec("0007-00000105"))?;
    let body_type = match text("callbackBodyType")? {
        None => BodyType::Form,
        Some(given) if given.eq_ignore_ascii_case(BodyType::Form.content_type()) => BodyType::Form,
        Some(given) if given.eq_ignore_ascii_case(BodyType::Json.content_type()) => BodyType::Json,
        Some(_) => return Err(wrong("The callbackBodyType is not supported.")),
    };
    // Read for its type only: the sandbox always sends SNI.
    if !matches!(fields.get("callbackSNI"), None | Some(Value::Bool(_))) {
        return Err(wrong("callbackSNI must be true or false."));
    }
    Ok(Order {
        urls: read_urls(text("callbackUrl")?.unwrap_or_default()).map_err(|(message, ec)| wrong(message).ec(ec))?,
        host: text("callbackHost")?.filter(|host| !host.is_empty()).map(str::to_owned),
        body: body.to_owned(),
        body_type,
        additional_headers: read_headers(fields.get("additionalHeaders")).ok_or_else(|| {
            wrong("additionalHeaders must be a map of header texts without x-oss-.").ec("0007-00000026")
        })?,
        variables,
    })
}

/// Unlike OSS, which refuses private and loopback addresses (EC 0007-00000008), a sandbox lives on loopback.
fn read_urls(list: &str) -> Result<Vec<Url>, (&'static str, &'static str)> {
    let invalid = ("The callbackUrl is invalid.", "0007-00000004");
    let urls: Vec<&str> = list.split(';').map(str::trim).collect();
    if urls.len() > URL_LIMIT {
        return Err(("At most 5 callback URLs are allowed.", "0007-00000005"));
    }
    urls.into_iter()
        .map(|url| {
            // It must come percent-encoded.
            if url.bytes().any(|b| !b.is_ascii_graphic()) {
                return Err(invalid);
            }
            let whole = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
            let url = Url::parse(&whole).map_err(|_| invalid)?;
            let host = url.host_str().unwrap_or_default();
            let fine = matches!(url.scheme(), "http" | "https") && !host.is_empty() && !host.starts_with('[');
            if fine { Ok(url) } else { Err(invalid) }
        })
        .collect()
}

fn read_headers(given: Option<&Value>) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let fields = match given {
        None | Some(Value::Null) => return Some(Vec::new()),
        Some(Value::Object(fields)) => fields,
        Some(_) => return None,
    };
    fields
        .iter()
        .map(|(name, value)| {
            let name = HeaderName::try_from(name).ok().filter(|name| !name.as_str().starts_with("x-oss-"))?;
            Some((name, HeaderValue::from_bytes(value.as_str()?.as_bytes()).ok()?))
        })
        .collect()
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
