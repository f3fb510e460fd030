//! What OSS would POST for one object, byte for byte, before anything is sent.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::rules;
use super::spec::{BodyType, CallbackSpec, LONGEST};
use super::template;
use crate::error::Error;
use crate::escape;

/// What is known of one value of the object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fact<T> {
    /// Only OSS will know it: a sample stands in its place, and is marked.
    #[default]
    Unknown,
    /// There is none, such as the width of what is no image: `null` in JSON, nothing in a form.
    Missing,
    /// It is this.
    Known(T),
}

/// The object that a callback is shown for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectFacts {
    /// `${bucket}`
    pub bucket: Fact<String>,
    /// `${object}`, the whole key.
    pub object: Fact<String>,
    /// `${etag}`, without quotes.
    pub etag: Fact<String>,
    /// `${size}`
    pub size: Fact<u64>,
    /// `${mimeType}`
    pub mime_type: Fact<String>,
    /// `${imageInfo.width}` and its neighbours; missing for what is no image.
    pub image: Fact<ImageFacts>,
    /// `${crc64}`
    pub crc64: Fact<u64>,
    /// `${contentMd5}`, in Base64; missing after CompleteMultipartUpload.
    pub content_md5: Fact<String>,
    /// `${vpcId}`; missing for a request that comes out of no VPC.
    pub vpc_id: Fact<String>,
    /// `${clientIp}`
    pub client_ip: Fact<String>,
    /// `${reqId}`
    pub req_id: Fact<String>,
    /// `${operation}`: `PutObject`, `PostObject` or `CompleteMultipartUpload`.
    pub operation: Fact<String>,
}

/// What OSS tells of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFacts {
    /// Pixels.
    pub width: u64,
    /// Pixels.
    pub height: u64,
    /// Such as `jpg`, `png`, `gif`, `webp`, `bmp`, `tiff`.
    pub format: String,
}

/// The request that OSS would make to the first address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPreview {
    /// The address as a whole, for whoever wants to make the same request.
    pub url: String,
    /// `POST /path?query HTTP/1.1`
    pub request_line: String,
    /// Those that follow from the spec: Host, Content-Type, Content-Length, then the additional ones. OSS adds its own:
    /// signature, date, request id.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// The stretches of the body that are samples, in bytes.
    pub samples: Vec<Sample>,
    /// The pairs of a form body as a server reads them; none for JSON.
    pub decoded: Vec<(String, String)>,
    /// `x-oss-callback`
    pub callback: Carried,
    /// `x-oss-callback-var`, if there are variables.
    pub callback_var: Option<Carried>,
}

/// A stretch of the body that only OSS can know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Where it stands.
    pub at: Range<usize>,
    /// The variable that it stands for.
    pub name: String,
}

/// One of the two headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// What it says.
    pub json: String,
    /// What is sent.
    pub base64: String,
}

impl Carried {
    /// The most that OSS takes of `base64`, in bytes.
    pub const LIMIT: usize = LONGEST;

    fn of(base64: String) -> Carried {
        // It was text before it was encoded.
        let json = STANDARD.decode(&base64).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Carried { json: json.unwrap_or_default(), base64 }
    }
}

impl CallbackSpec {
    /// What OSS would send for this object, if the first address answers; or why it would send nothing ([`Error::Invalid`]).
    /// Of a callback that is stored with the bucket nothing is known here.
    pub fn preview(&self, facts: &ObjectFacts) -> Result<CallPreview, Error> {
        let encoded = self.encode()?;
        if self.stored_policy().is_some() {
            return rules::refuse("what is stored with the bucket is not known here");
        }
        let first = self.urls.iter().map(|url| url.trim()).find(|url| !url.is_empty()).unwrap_or_default();
        let Some(mut url) = rules::parsed(&rules::with_query(first, &self.query)) else {
            return rules::refuse(format!("“{first}” is not an address"));
        };
        url.set_fragment(None);
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let (body, samples) = self.filled_body(facts)?;
        let mut headers = rules::additional_headers(&self.additional_headers)?;
        let given_host = headers.remove("host");
        let host = match (self.own_host(), given_host, url.host_str(), url.port()) {
            (Some(host), ..) => host.to_owned(),
            (None, Some(host), ..) => host,
            (None, None, host, Some(port)) => format!("{}:{port}", host.unwrap_or_default()),
            (None, None, host, None) => host.unwrap_or_default().to_owned(),
        };
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let own = [
            header("Host", &host),
            header("Content-Type", self.body_type.content_type()),
            header("Content-Length", &body.len().to_string()),
        ];
        let others = headers.into_iter().filter(|(name, _)| !rules::HEADERS_OF_OSS.contains(&name.as_str()));
        Ok(CallPreview {
            request_line: format!("POST {target} HTTP/1.1"),
            url: url.into(),
            headers: own.into_iter().chain(others).collect(),
            decoded: if self.body_type == BodyType::Form { decoded(&body) } else { Vec::new() },
            body,
            samples,
            callback: Carried::of(encoded.callback),
            callback_var: encoded.callback_var.map(Carried::of),
        })
    }

    /// The body with its variables filled in, and where samples stand in it.
    fn filled_body(&self, facts: &ObjectFacts) -> Result<(String, Vec<Sample>), Error> {
        let variables = self.checked_variables()?;
        let places = template::variables(rules::body(&self.body)?).or_else(rules::refuse)?;
        let (mut out, mut samples, mut behind) = (String::new(), Vec::new(), 0);
        for (at, name) in places {
            out += &self.body[behind..at.start];
            behind = at.end;
            let (value, is_sample) = match variables.get(name) {
                Some(value) => (Value::from(value.as_str()), false),
                None => facts.value(name),
            };
            let start = out.len();
            match (self.body_type, value) {
                (BodyType::Json, value) => out += &value.to_string(),
                (BodyType::Form, Value::Null) => {}
                (BodyType::Form, Value::String(text)) => out += &escape::component(&text),
                (BodyType::Form, other) => out += &escape::component(&other.to_string()),
            }
            if is_sample {
                samples.push(Sample { at: start..out.len(), name: name.to_owned() });
            }
        }
        out += &self.body[behind..];
        Ok((out, samples))
    }
}

impl ObjectFacts {
    /// The value of one of OSS's variables, and whether it is a sample. What nobody knows has none.
    fn value(&self, name: &str) -> (Value, bool) {
        match name {
            "bucket" => text(&self.bucket, "examplebucket"),
            "object" => text(&self.object, "folder/example.jpg"),
            "etag" => text(&self.etag, "5B3C1A2E053D763E1B002CC607C5A0FE"),
            "size" => told(&self.size, |size| (*size).into(), 1024.into()),
            "mimeType" => text(&self.mime_type, "image/jpeg"),
            "imageInfo.height" => told(&self.image, |image| image.height.into(), 1080.into()),
            "imageInfo.width" => told(&self.image, |image| image.width.into(), 1920.into()),
            "imageInfo.format" => told(&self.image, |image| image.format.as_str().into(), "jpg".into()),
            // A text: it may be more than a number in JavaScript can be.
            "crc64" => told(&self.crc64, |crc64| crc64.to_string().into(), "9548687815775124833".into()),
            "contentMd5" => text(&self.content_md5, "WzwaLgU9dj4bACzGB8Wg/g=="),
            "vpcId" => text(&self.vpc_id, "vpc-bp1examplevpc0000000a"),
            "clientIp" => text(&self.client_ip, "203.0.113.7"),
            "reqId" => text(&self.req_id, "65A1B2C3D4E5F60718293A4B"),
            "operation" => text(&self.operation, "PutObject"),
            _ => (Value::Null, false),
        }
    }
}

fn text(fact: &Fact<String>, sample: &str) -> (Value, bool) {
    told(fact, |text| text.as_str().into(), sample.into())
}

fn told<T>(fact: &Fact<T>, value: impl Fn(&T) -> Value, sample: Value) -> (Value, bool) {
    match fact {
        Fact::Known(known) => (value(known), false),
        Fact::Missing => (Value::Null, false),
        Fact::Unknown => (sample, true),
    }
}

/// The pairs of a form as servers read them: a plus is a space, and what is not encoded rightly stays as it is.
fn decoded(body: &str) -> Vec<(String, String)> {
    let read = |text: &str| escape::decoded(&text.replace('+', " ")).unwrap_or_else(|| text.to_owned());
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, value)) => (read(name), read(value)),
        None => (read(pair), String::new()),
    };
    body.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

#[cfg(test)]
#[path = "preview_tests.rs"]
mod tests;
