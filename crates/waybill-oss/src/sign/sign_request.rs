//! A request whose signature is to be explained, and how it is read from JSON with words about what is wrong in it.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::{Map, Value};

use super::SignatureVersion;
use crate::credential::Credential;
use crate::endpoint::Addressing;
use crate::error::Error;

/// A request as somebody means to sign it. Its `Debug` leaves out whatever may hold a secret.
#[derive(Clone)]
pub struct SignRequest {
    /// Which signature.
    pub version: SignatureVersion,
    /// `GET`, `PUT`, …; lower case is raised.
    pub method: String,
    /// None for calls such as ListBuckets.
    pub bucket: Option<String>,
    /// The object's key as it is, not escaped; none for calls on the bucket.
    pub key: Option<String>,
    /// Query parameters, not escaped.
    pub query: Vec<(String, String)>,
    /// Headers that are on the request already.
    pub headers: Vec<(String, String)>,
    /// `cn-hangzhou`; none for the one that the endpoint names. Version 1 does not sign it.
    pub region: Option<String>,
    /// As people type it; none for the region's public one.
    pub endpoint: Option<String>,
    /// Where the bucket stands in the URL (`virtual`, `cname` or `path` in JSON); none to tell from the endpoint.
    pub addressing: Option<Addressing>,
    /// Who signs.
    pub credential: Credential,
    /// As of when; none for what `x-oss-date` or `Date` among the headers says, else now.
    pub time: Option<Timestamp>,
    /// For how long a presigned URL is good; none for a signature in the headers.
    pub expires: Option<Duration>,
    /// Headers that version 4 signs beyond the ones it always does.
    pub additional_headers: Vec<String>,
}

impl fmt::Debug for SignRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignRequest")
            .field("version", &self.version)
            .field("method", &self.method)
            .field("bucket", &self.bucket)
            .field("key", &self.key)
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

const FIELDS: [&str; 15] = [
    "version",
    "method",
    "bucket",
    "key",
    "query",
    "headers",
    "region",
    "endpoint",
    "addressing",
    "access_key_id",
    "access_key_secret",
    "security_token",
    "time",
    "expires",
    "additional_headers",
];

impl SignRequest {
    /// Reads one JSON object with the fields `version` (`v4`, the default, or `v1`), `method`, `bucket`, `key`, `query`
    /// and `headers` (objects), `region`, `endpoint`, `addressing` (`virtual`, `cname`, `path`), `access_key_id`,
    /// `access_key_secret`, `security_token`, `time` (RFC 3339, an HTTP date, or Unix seconds), `expires` (seconds, makes
    /// it a presigned URL) and `additional_headers` (a list). `null` is the same as leaving a field out.
    ///
    /// [`Error::Invalid`] names the field that is wrong, and never shows its value where that may be a secret.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| Error::Invalid(format!("The request is not JSON: {error}.")))?;
        let Value::Object(fields) = value else {
            return Err(Error::Invalid("The request must be one JSON object.".to_owned()));
        };
        if let Some(unknown) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
            return wrong(unknown, &format!("is not a field of a request; the fields are {}", FIELDS.join(", ")));
        }
        let fields = Fields(fields);
        let id = fields.needed("access_key_id")?;
        let secret = fields.needed("access_key_secret")?;
        Ok(SignRequest {
            version: fields.version()?,
            method: fields.needed("method")?,
            bucket: fields.text("bucket")?,
            key: fields.text("key")?,
            query: fields.pairs("query")?,
            headers: fields.pairs("headers")?,
            region: fields.text("region")?,
            endpoint: fields.text("endpoint")?,
            addressing: fields.addressing()?,
            credential: Credential::new(id, secret, fields.text("security_token")?),
            time: fields.time()?,
            expires: fields.expires()?,
            additional_headers: fields.list("additional_headers")?,
        })
    }
}

/// Says what is wrong with a field.
pub(super) fn wrong<T>(field: &str, why: &str) -> Result<T, Error> {
    Err(Error::Invalid(format!("“{field}” {why}.")))
}

/// The moment that a date of HTTP or of RFC 3339 names.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()))
}

struct Fields(Map<String, Value>);

impl Fields {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Empty text is none.
    fn text(&self, name: &str) -> Result<Option<String>, Error> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(_) => wrong(name, "must be text"),
        }
    }

    fn needed(&self, name: &str) -> Result<String, Error> {
        match self.text(name)?.filter(|text| !text.trim().is_empty()) {
            Some(text) => Ok(text),
            None => wrong(name, "is missing"),
        }
    }

    fn version(&self) -> Result<SignatureVersion, Error> {
        match self.text("version")?.as_deref() {
            None => Ok(SignatureVersion::default()),
            Some("v1" | "V1") => Ok(SignatureVersion::V1),
            Some("v4" | "V4") => Ok(SignatureVersion::V4),
            Some(_) => wrong("version", "must be v1 or v4"),
        }
    }

    fn addressing(&self) -> Result<Option<Addressing>, Error> {
        match self.text("addressing")?.as_deref() {
            None => Ok(None),
            Some("virtual") => Ok(Some(Addressing::VirtualHost)),
            Some("cname") => Ok(Some(Addressing::Cname)),
            Some("path") => Ok(Some(Addressing::PathStyle)),
            Some(_) => wrong("addressing", "must be virtual, cname or path"),
        }
    }

    fn time(&self) -> Result<Option<Timestamp>, Error> {
        let time = match self.get("time") {
            None => return Ok(None),
            Some(Value::String(text)) => moment(text),
            Some(value) => value.as_i64().and_then(|seconds| Timestamp::from_second(seconds).ok()),
        };
        match time {
            // A year of four digits is all that the formats on the wire can say.
            Some(time) if (0..253_402_300_800).contains(&time.as_second()) => Ok(Some(time)),
            _ => wrong("time", "must be a time such as 2025-03-14T09:26:53Z"),
        }
    }

    fn expires(&self) -> Result<Option<Duration>, Error> {
        match self.get("expires") {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(seconds) => Ok(Some(Duration::from_secs(seconds))),
                None => wrong("expires", "must be a whole number of seconds, such as 3600"),
            },
        }
    }

    fn list(&self, name: &str) -> Result<Vec<String>, Error> {
        let texts = || Some(self.get(name)?.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect());
        match (self.get(name), texts().flatten()) {
            (None, _) => Ok(Vec::new()),
            (Some(_), Some(list)) => Ok(list),
            (Some(_), None) => wrong(name, "must be a list of texts"),
        }
    }

    fn pairs(&self, name: &str) -> Result<Vec<(String, String)>, Error> {
        let object = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::Object(object)) => object,
            Some(_) => return wrong(name, "must be an object of names and values"),
        };
        let pair = |(key, value): (&String, &Value)| match value {
            Value::String(text) => Ok((key.clone(), text.clone())),
            Value::Number(number) => Ok((key.clone(), number.to_string())),
            Value::Bool(truth) => Ok((key.clone(), truth.to_string())),
            Value::Null => Ok((key.clone(), String::new())),
            Value::Array(_) | Value::Object(_) => wrong(&format!("{name}.{key}"), "must be text or a number"),
        };
        object.iter().map(pair).collect()
    }
}
