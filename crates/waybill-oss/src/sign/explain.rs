//! A signature explained step by step, for people whose own server's signature disagrees with OSS.

use std::fmt;

use jiff::Timestamp;
use reqwest::Url;
use serde::Serialize;

use super::sign_request::{SignRequest, moment, wrong};
use super::{DayKeys, Seal, SignatureVersion, seal_headers, seal_query};
use crate::endpoint::{Addressing, Endpoint, Network, Pasted, PlainHttp, host_header, recognise};
use crate::error::Error;
use crate::names::{BucketName, ObjectKey};
use crate::region::normalize_region;

/// Each step on the way to a signature, to lay beside one's own or beside OSS's `StringToSign`.
///
/// With temporary keys the token is in it, as it is in the request; the AccessKey secret never is.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    /// The canonical request; version 1 has none.
    pub canonical_request: Option<String>,
    /// What the secret signs.
    pub string_to_sign: String,
    /// The value of the header `Authorization`; a presigned URL has none.
    pub authorization: Option<String>,
    /// Hex in version 4, Base64 in version 1.
    pub signature: String,
    /// Where the request goes, with the signature in it if it is presigned.
    pub url: String,
    /// All headers to send, `authorization` apart; what is signed must arrive unchanged.
    #[serde(skip)]
    pub headers: Vec<(String, String)>,
}

impl fmt::Debug for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explained").field("signature", &self.signature).finish_non_exhaustive()
    }
}

/// Signs a request and tells every step. [`Error::Invalid`] names the field that is missing or wrong.
///
/// A key with a `.` or `..` between slashes has `%2F` in the URL, since HTTP libraries fold such segments away; the
/// signature is the same.
pub fn explain(request: &SignRequest) -> Result<Explained, Error> {
    let method = request.method.trim().to_ascii_uppercase();
    if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return wrong("method", "must be a method such as PUT");
    }
    let bucket = filled(&request.bucket).map(|bucket| named("bucket", BucketName::parse(bucket))).transpose()?;
    let key = filled(&request.key).map(|key| named("key", ObjectKey::parse(key))).transpose()?;
    if bucket.is_none() && key.is_some() {
        return wrong("bucket", "is missing, and an object's key has no meaning without it");
    }
    check_headers(&request.headers)?;
    let region = filled(&request.region).map(|region| named("region", normalize_region(region))).transpose()?;
    let endpoint = endpoint_of(request, region.as_deref(), bucket.as_ref())?;
    let region = region.or_else(|| endpoint.region());
    let url = |query: &[(String, String)]| match &bucket {
        Some(bucket) => Ok(endpoint.object_url(bucket, key.as_ref(), query)),
        None => named("endpoint", endpoint.bare_url(query)),
    };
    let mut headers = request.headers.clone();
    let wants_host = request.additional_headers.iter().any(|name| name.eq_ignore_ascii_case("host"));
    if wants_host
        && header(&headers, "host").is_none()
        && let Ok(url) = Url::parse(&url(&[])?)
    {
        headers.push(("host".to_owned(), host_header(&url)));
    }
    if request.version == SignatureVersion::V4 && region.is_none() {
        return wrong("region", "is missing, and the endpoint does not name it");
    }
    let keys = DayKeys::default();
    let seal = Seal {
        version: request.version,
        credential: &request.credential,
        region: region.as_deref().unwrap_or_default(),
        at: time_of(request)?,
        additional_headers: &request.additional_headers,
        keys: &keys,
    };
    let mut query = request.query.clone();
    let (names_bucket, names_key) = (bucket.as_ref().map(BucketName::as_str), key.as_ref().map(ObjectKey::as_str));
    let signed = match request.expires {
        Some(expires) => {
            named("expires", seal_query(&seal, expires, &method, names_bucket, names_key, &mut query, &headers))?
        }
        None => seal_headers(&seal, &method, names_bucket, names_key, &query, &mut headers),
    };
    let authorization = match request.expires {
        Some(_) => None,
        None => header(&headers, "authorization").map(str::to_owned),
    };
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
    Ok(Explained {
        canonical_request: signed.canonical_request,
        string_to_sign: signed.string_to_sign,
        authorization,
        signature: signed.signature,
        url: url(&query)?,
        headers,
    })
}

fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

/// Puts the field's name before what is wrong with it.
fn named<T>(field: &str, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| Error::Invalid(format!("“{field}”: {error}")))
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// Values are not shown: one may be the token.
fn check_headers(headers: &[(String, String)]) -> Result<(), Error> {
    for (name, value) in headers {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            return wrong("headers", &format!("has the name “{}”, which HTTP cannot send", name.escape_debug()));
        }
        if value.chars().any(|char| char.is_ascii_control() && char != '\t') {
            return wrong(&format!("headers.{name}"), "has a line break or control character, which HTTP cannot send");
        }
        if headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).count() > 1 {
            return wrong(&format!("headers.{name}"), "is there twice, in another spelling");
        }
    }
    Ok(())
}

/// As of when: `time`, or the date among the headers, which must not contradict each other; else now.
fn time_of(request: &SignRequest) -> Result<Timestamp, Error> {
    let mut dated = None;
    if request.expires.is_none() {
        let names: &[&str] = match (request.version, request.time) {
            // Version 4 does not sign Date, so it matters only where nothing else tells the time.
            (SignatureVersion::V4, Some(_)) => &["x-oss-date"],
            _ => &["x-oss-date", "date"],
        };
        if let Some((name, text)) = names.iter().find_map(|name| Some((name, header(&request.headers, name)?))) {
            let Some(moment) = moment(text) else {
                return wrong(&format!("headers.{name}"), "is not a time");
            };
            dated = Some((name, moment));
        }
    }
    match (request.time, dated) {
        (Some(time), Some((name, moment))) if time.as_second() != moment.as_second() => {
            wrong("time", &format!("is not the time in the header “{name}”; leave one of them out"))
        }
        (Some(time), _) => Ok(time),
        (None, Some((_, moment))) => Ok(moment),
        (None, None) => Ok(Timestamp::now()),
    }
}

/// Where the request goes. A domain that is not Alibaba's is one bound to the bucket.
fn endpoint_of(request: &SignRequest, region: Option<&str>, bucket: Option<&BucketName>) -> Result<Endpoint, Error> {
    let endpoint = match (filled(&request.endpoint), region) {
        (Some(text), _) => named("endpoint", endpoint_in(text.trim(), bucket))?,
        (None, Some(region)) => named("region", Endpoint::of_region(region, Network::Public))?,
        (None, None) => {
            return wrong("endpoint", "is missing, and so is “region”, which would name the public one");
        }
    };
    let own = bucket.is_some() && endpoint.addressing() == Addressing::VirtualHost && endpoint.network().is_none();
    Ok(match request.addressing {
        Some(Addressing::Cname) if endpoint.network().is_some() => {
            return wrong("addressing", "is cname, but the endpoint is Alibaba's and not a domain of one's own");
        }
        Some(addressing) => endpoint.addressed(addressing),
        None if own => endpoint.addressed(Addressing::Cname),
        None => endpoint,
    })
}

/// An endpoint as the client itself would read it, before which or behind which the bucket may stand. Nothing is sent, so
/// plain http does no harm.
fn endpoint_in(text: &str, bucket: Option<&BucketName>) -> Result<Endpoint, Error> {
    match recognise(text) {
        Some(Pasted { bucket: Some(pasted), key: None, endpoint: Some(endpoint), .. }) if bucket == Some(&pasted) => {
            match endpoint.addressing() {
                Addressing::PathStyle => Ok(endpoint),
                _ => {
                    let bare = text.to_ascii_lowercase().replacen(&format!("{pasted}."), "", 1);
                    Endpoint::parse_with(&bare, PlainHttp::Allowed)
                }
            }
        }
        _ => Endpoint::parse_with(text, PlainHttp::Allowed),
    }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
