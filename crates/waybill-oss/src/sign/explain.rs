//! A signature explained step by step, for people whose own server's signature disagrees with OSS.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use reqwest::Url;
use serde::Serialize;

use super::sign_request::{SignRequest, UrlForm, moment, wrong};
use super::{DayKeys, Seal, SignatureVersion, seal_headers, seal_query};
use crate::error::Error;
use crate::escape;
use crate::names::BucketName;
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
    let (bucket, key) = (filled(&request.bucket), filled(&request.key));
    match (bucket, key) {
        (Some(bucket), _) => drop(named("bucket", BucketName::parse(bucket))?),
        (None, Some(_)) => return wrong("bucket", "is missing, and an object's key has no meaning without it"),
        (None, None) => {}
    }
    check_headers(&request.headers)?;
    let region = region_of(request)?;
    let site = Site::of(request, region.as_deref(), bucket)?;
    let mut headers = request.headers.clone();
    let wants_host = request.additional_headers.iter().any(|name| name.eq_ignore_ascii_case("host"));
    if wants_host && header(&headers, "host").is_none() {
        headers.push(("host".to_owned(), site.authority.clone()));
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
    let signed = match request.expires {
        Some(expires) => named("expires", seal_query(&seal, expires, &method, bucket, key, &mut query, &headers))?,
        None => seal_headers(&seal, &method, bucket, key, &query, &mut headers),
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
        url: site.url(key, &query),
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

/// The region that is named, or the one that the endpoint names.
fn region_of(request: &SignRequest) -> Result<Option<String>, Error> {
    if let Some(region) = filled(&request.region) {
        return named("region", normalize_region(region)).map(Some);
    }
    let endpoint = filled(&request.endpoint).unwrap_or_default();
    let host = endpoint.split("://").last().unwrap_or_default();
    let host = host.trim().trim_end_matches('/').strip_suffix(".aliyuncs.com");
    let region = host.and_then(|name| match name.strip_suffix(".oss") {
        Some(dual_stack) => dual_stack.rsplit('.').next(),
        None => name.rsplit('.').next()?.strip_prefix("oss-").map(|id| id.strip_suffix("-internal").unwrap_or(id)),
    });
    Ok(region.filter(|id| !id.starts_with("accelerate")).and_then(|id| normalize_region(id).ok()))
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

/// Where the request goes.
struct Site {
    scheme: String,
    /// Host and port as the Host header has them.
    authority: String,
    /// What stands before the key.
    path: String,
}

impl Site {
    fn of(request: &SignRequest, region: Option<&str>, bucket: Option<&str>) -> Result<Self, Error> {
        let endpoint = match (filled(&request.endpoint), region) {
            (Some(endpoint), _) => endpoint.trim().to_owned(),
            (None, Some(region)) => format!("oss-{region}.aliyuncs.com"),
            (None, None) => {
                return wrong("endpoint", "is missing, and so is “region”, which would name the public one");
            }
        };
        let whole = if endpoint.contains("://") { endpoint } else { format!("https://{endpoint}") };
        let url = Url::parse(&whole).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
                && matches!(url.path(), "" | "/")
                && url.query().is_none()
                && url.fragment().is_none()
        });
        let Some((url, host)) = url.as_ref().and_then(|url| Some((url, url.host_str()?))) else {
            return wrong(
                "endpoint",
                "must be an address such as https://oss-cn-hangzhou.aliyuncs.com, without a path",
            );
        };
        let host_and_port = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let form = request.addressing.unwrap_or_else(|| guessed(host, bucket));
        let (authority, path) = match (bucket, form) {
            (Some(bucket), UrlForm::VirtualHost) => (format!("{bucket}.{host_and_port}"), "/".to_owned()),
            (Some(bucket), UrlForm::PathStyle) => (host_and_port, format!("/{bucket}/")),
            _ => (host_and_port, "/".to_owned()),
        };
        Ok(Site { scheme: url.scheme().to_owned(), authority, path })
    }

    fn url(&self, key: Option<&str>, query: &[(String, String)]) -> String {
        let mut url = format!("{}://{}{}", self.scheme, self.authority, self.path);
        if let Some(key) = key {
            let folds = key.split('/').any(|segment| segment == "." || segment == "..");
            url += &if folds { escape::component(key) } else { escape::path(key) };
        }
        if !query.is_empty() {
            url.push('?');
            url += &escape::query(query);
        }
        url
    }
}

/// Path style for addresses and `localhost`, as the SDKs do; a domain that is not Alibaba's, or that begins with the
/// bucket already, is one bound to the bucket.
fn guessed(host: &str, bucket: Option<&str>) -> UrlForm {
    let is_ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    let has_bucket = bucket.is_some_and(|bucket| host.strip_prefix(bucket).is_some_and(|rest| rest.starts_with('.')));
    match (is_ip || host == "localhost", has_bucket || !host.ends_with(".aliyuncs.com")) {
        (true, _) => UrlForm::PathStyle,
        (false, true) => UrlForm::Cname,
        (false, false) => UrlForm::VirtualHost,
    }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
