//! The fields of a callback, each with its rule and the EC it gets when broken.
//!
//! Sources: the pages of the ECs named; messages from *HTTP 400 status code* and *Troubleshoot upload callback errors*.
//! Wordings that no page shows are ours.

use std::{collections::BTreeMap, net::Ipv4Addr};

use axum::http::{HeaderName, HeaderValue};
use reqwest::Url;
use serde_json::Value;

use super::{BodyType, Order, expand, parse::Decoded};
use crate::answer::OssError;

const URL_LIMIT: usize = 5;
const HEADER_LIMIT: usize = 10;

/// Message and EC.
type Wrong = (&'static str, &'static str);

const URL_INVALID: Wrong = ("The callback url is invalid.", "0007-00000004");
const URL_TOO_MANY: Wrong = ("The number of callback url exceed max value.", "0007-00000005");
const HOST_INVALID: Wrong = ("The callback host is invalid.", "0007-00000009");
const BODY_INVALID: Wrong = ("The callback body is invalid.", "0007-00000010");
const BODY_EMPTY: Wrong = ("The callback body is empty.", "0007-00000011");
const BODY_TYPE_INVALID: Wrong = ("The callback body type is invalid.", "0007-00000012");
/// The page of a type that is a text, but neither of the two, does not show its number; it stands between its neighbours.
const BODY_TYPE_UNKNOWN: Wrong = ("The callback body type is not supported.", "0007-00000013");
const HEADERS_NOT_MAP: Wrong = ("The additional headers is not a map of strings.", "0007-00000021");
/// Inferred as above, between the map and the empty name.
const HEADERS_TOO_MANY: Wrong = ("The number of additional headers exceed max value.", "0007-00000022");
const HEADER_NAME_EMPTY: Wrong = ("The name of an additional header is empty.", "0007-00000023");
/// Inferred as above, between the empty name and the line break.
const HEADER_NAME_INVALID: Wrong = ("The name of an additional header is invalid.", "0007-00000024");
const HEADER_VALUE_INVALID: Wrong = ("The value of an additional header is invalid.", "0007-00000025");
const HEADER_RESERVED: Wrong = ("An additional header must not begin with x-oss-.", "0007-00000026");

/// An address that has no IP, `123.456` on the page.
pub(super) fn no_ip(url: &str) -> OssError {
    OssError::argument("Can not get ip by this host.", "callbackUrl", url).ec("0007-00000007")
}

/// Checks every field.
pub(super) fn read(callback: &Decoded, variables: BTreeMap<String, String>) -> Result<Order, OssError> {
    let about = |message: &str| OssError::argument(message, "callback", &callback.text);
    let wrong = |(message, ec): Wrong| about(message).ec(ec);
    let text = |name: &str, otherwise: Wrong| match callback.fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(wrong(otherwise)),
    };
    if callback.fields.contains_key("callbackPolicy") {
        return Err(about("This bucket has no stored callback policy."));
    }
    let urls = text("callbackUrl", URL_INVALID)?.unwrap_or_default();
    let host = text("callbackHost", HOST_INVALID)?.filter(|host| !host.is_empty());
    let body = text("callbackBody", BODY_INVALID)?.filter(|body| !body.is_empty()).ok_or_else(|| wrong(BODY_EMPTY))?;
    expand::check(body).map_err(|message| OssError::argument(message, "ReplaceKeyPrefix", body).ec("0007-00000105"))?;
    let body_type = match text("callbackBodyType", BODY_TYPE_INVALID)? {
        None => BodyType::Form,
        Some(given) if given.eq_ignore_ascii_case(BodyType::Form.content_type()) => BodyType::Form,
        Some(given) if given.eq_ignore_ascii_case(BodyType::Json.content_type()) => BodyType::Json,
        Some(_) => return Err(wrong(BODY_TYPE_UNKNOWN)),
    };
    let sni = match callback.fields.get("callbackSNI") {
        None => false,
        Some(Value::Bool(sni)) => *sni,
        // Its page does not show its EC. The text "true" is wrong too, as users of the Android SDK found.
        Some(_) => return Err(about("The callback sni is invalid.")),
    };
    Ok(Order {
        urls: read_urls(urls, wrong)?,
        host: host.map(read_host).transpose().map_err(wrong)?,
        body: body.to_owned(),
        body_type,
        sni,
        additional_headers: read_headers(callback.fields.get("additionalHeaders")).map_err(wrong)?,
        variables,
    })
}

fn read_urls(list: &str, wrong: impl Fn(Wrong) -> OssError) -> Result<Vec<Url>, OssError> {
    let urls: Vec<&str> = list.split(';').map(str::trim).collect();
    if urls.len() > URL_LIMIT {
        return Err(wrong(URL_TOO_MANY));
    }
    urls.into_iter()
        .map(|given| {
            let url = read_url(given).ok_or_else(|| wrong(URL_INVALID))?;
            // A URL library reads `123.456` and `0x7f.1` as addresses; OSS does not.
            let is_ip = url.host_str().is_some_and(|host| host.parse::<Ipv4Addr>().is_ok());
            let was_ip = host_of(given).parse::<Ipv4Addr>().is_ok();
            if is_ip && !was_ip { Err(no_ip(given)) } else { Ok(url) }
        })
        .collect()
}

/// `None` unless it is percent-encoded, http or https (which may be left out), and names a host that is not IPv6.
fn read_url(given: &str) -> Option<Url> {
    if given.bytes().any(|b| !b.is_ascii_graphic()) {
        return None;
    }
    let whole = if has_scheme(given) { given.to_owned() } else { format!("http://{given}") };
    let url = Url::parse(&whole).ok()?;
    // Of `http:///a` a URL library makes the host `a`.
    let host = url.host_str().filter(|_| !host_of(given).is_empty())?;
    (matches!(url.scheme(), "http" | "https") && !host.is_empty() && !host.starts_with('[')).then_some(url)
}

/// Whether a scheme stands at the beginning; `://` may stand in a query too.
fn has_scheme(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, _)| !scheme.contains(['/', '?', '#']))
}

/// The host as it was written.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").filter(|_| has_scheme(url)).map_or(url, |(_scheme, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_user, host)| host);
    host.split_once(':').map_or(host, |(host, _port)| host)
}

/// A domain name or an IP address, with a port if need be.
fn read_host(host: &str) -> Result<HeaderValue, Wrong> {
    let fits = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b));
    HeaderValue::from_str(host).ok().filter(|_| fits).ok_or(HOST_INVALID)
}

fn read_headers(given: Option<&Value>) -> Result<Vec<(HeaderName, HeaderValue)>, Wrong> {
    let fields = match given {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(HEADERS_NOT_MAP),
    };
    if fields.len() > HEADER_LIMIT {
        return Err(HEADERS_TOO_MANY);
    }
    fields
        .iter()
        .map(|(name, value)| {
            let value = value.as_str().ok_or(HEADERS_NOT_MAP)?;
            if name.is_empty() {
                return Err(HEADER_NAME_EMPTY);
            }
            if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                return Err(HEADER_NAME_INVALID);
            }
            let name = HeaderName::try_from(name).map_err(|_| HEADER_NAME_INVALID)?;
            if name.as_str().starts_with("x-oss-") {
                return Err(HEADER_RESERVED);
            }
            Ok((name, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| HEADER_VALUE_INVALID)?))
        })
        .collect()
}
