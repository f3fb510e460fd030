//! One call of the API, and how it becomes a signed request.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderName, HeaderValue};
use reqwest::{Body, Method, Request, Url};

use crate::body::{FileBody, FileSlice, Progress};
use crate::credential::Credential;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::gate::Gate;
use crate::meter::Meter;
use crate::names::{BucketName, ObjectKey};
use crate::sign::{Signable, v4};

/// One call of the API, before it is signed.
pub(super) struct Call<'a> {
    pub(super) operation: &'static str,
    pub(super) method: Method,
    pub(super) key: Option<&'a ObjectKey>,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) payload: Payload<'a>,
    pub(super) progress: Option<&'a Progress>,
    /// Whether it may run twice. Where not, it is repeated only if it certainly did not run.
    pub(super) repeatable: bool,
    /// Whether it is never repeated here, not even if it certainly did not run.
    pub(super) once: bool,
    /// Whether OSS does its long work, and the callback, after the last byte.
    pub(super) finishing: bool,
    /// Asked before the last chunk of a file goes out; taken by the first attempt.
    pub(super) gate: Mutex<Option<Gate>>,
}

pub(super) enum Payload<'a> {
    Empty,
    Bytes(Bytes),
    File(&'a FileSlice),
}

impl<'a> Call<'a> {
    pub(super) fn new(operation: &'static str, method: Method, key: Option<&'a ObjectKey>) -> Self {
        Call {
            operation,
            method,
            key,
            query: Vec::new(),
            headers: Vec::new(),
            payload: Payload::Empty,
            progress: None,
            repeatable: true,
            once: false,
            finishing: false,
            gate: Mutex::new(None),
        }
    }

    pub(super) fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// Where requests go and who signs them.
#[derive(Debug)]
pub(super) struct Site {
    endpoint: Endpoint,
    region: String,
    bucket: BucketName,
    credential: Credential,
    /// The signing key and the day it is good for.
    day_key: Mutex<Option<(String, v4::SigningKey)>>,
}

impl Site {
    pub(super) fn new(endpoint: Endpoint, region: String, bucket: BucketName, credential: Credential) -> Self {
        Site { endpoint, region, bucket, credential, day_key: Mutex::new(None) }
    }

    /// Signs the call as of `at` and writes it down; `meter` follows its body.
    pub(super) fn request(&self, call: &Call<'_>, meter: &Arc<Meter>, at: Timestamp) -> Result<Request, Error> {
        let scope = v4::Scope::new(at, &self.region);
        let mut headers = call.headers.clone();
        headers.push(("x-oss-date".to_owned(), scope.stamp.clone()));
        headers.push(("x-oss-content-sha256".to_owned(), v4::UNSIGNED_PAYLOAD.to_owned()));
        if let Some(token) = self.credential.security_token() {
            headers.push(("x-oss-security-token".to_owned(), token.to_owned()));
        }
        let signable = Signable {
            method: call.method.as_str(),
            bucket: Some(self.bucket.as_str()),
            key: call.key.map(ObjectKey::as_str),
            query: &call.query,
            headers: &headers,
        };
        let key = self.signing_key(&scope);
        let authorization = v4::authorization(self.credential.access_key_id(), &key, &scope, &signable, &[]);

        let url = self.endpoint.object_url(&self.bucket, call.key, &call.query);
        let url =
            Url::parse(&url).map_err(|error| Error::Invalid(format!("The address cannot be written: {error}.")))?;
        let mut request = Request::new(call.method.clone(), url);
        for (name, value) in &headers {
            let secret = name == "x-oss-security-token";
            let header = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Error::Invalid(format!("The header name “{name}” cannot be sent.")))?;
            request.headers_mut().insert(header, header_value(name, value, secret)?);
        }
        request.headers_mut().insert(AUTHORIZATION, header_value("authorization", &authorization, true)?);
        let length = match &call.payload {
            Payload::Empty => 0,
            Payload::Bytes(bytes) => bytes.len() as u64,
            Payload::File(slice) => slice.len,
        };
        if matches!(call.method, Method::PUT | Method::POST) {
            // Explicit, since a body of no bytes would go without, which is 411 MissingContentLength.
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        match &call.payload {
            Payload::Empty => meter.body_sent(None),
            Payload::Bytes(bytes) => {
                *request.body_mut() = Some(Body::from(bytes.clone()));
                meter.body_sent(None);
            }
            Payload::File(slice) => {
                let gate = call.gate.lock().unwrap_or_else(PoisonError::into_inner).take();
                *request.body_mut() = Some(Body::wrap(FileBody::new((*slice).clone(), Arc::clone(meter), gate)));
            }
        }
        Ok(request)
    }

    fn signing_key(&self, scope: &v4::Scope) -> v4::SigningKey {
        let mut kept = self.day_key.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((day, key)) if *day == scope.date => key.clone(),
            _ => {
                let key = v4::SigningKey::derive(self.credential.access_key_secret(), scope);
                *kept = Some((scope.date.clone(), key.clone()));
                key
            }
        }
    }
}

/// The value is named only where it is not secret.
fn header_value(name: &str, value: &str, secret: bool) -> Result<HeaderValue, Error> {
    let unfit = |_| Error::Invalid(format!("The value of the header “{name}” has characters that cannot be sent."));
    let mut header = HeaderValue::from_str(value.trim()).map_err(unfit)?;
    header.set_sensitive(secret);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        let endpoint = Endpoint::parse("http://127.0.0.1:9000").expect("endpoint");
        let bucket = BucketName::parse("examplebucket").expect("bucket");
        Site::new(endpoint, "cn-hangzhou".to_owned(), bucket, Credential::new("ak", "sk", Some("t0ken".to_owned())))
    }

    fn written(site: &Site, at: &str) -> Request {
        let call = Call::new("GetBucketInfo", Method::GET, None).query("bucketInfo", "");
        site.request(&call, &Meter::new(None), at.parse().expect("time")).expect("request")
    }

    #[test]
    fn token_and_signature_are_not_in_a_requests_debug() {
        let request = written(&site(), "2025-03-14T09:26:53Z");
        assert_eq!(request.headers()["x-oss-security-token"], "t0ken");
        let text = format!("{request:?}");
        assert!(!text.contains("t0ken") && !text.contains("Signature="), "{text}");
    }

    #[test]
    fn the_kept_signing_key_is_renewed_when_the_day_changes() {
        let kept = site();
        for at in ["2024-12-31T23:59:59Z", "2024-12-31T23:59:59Z", "2025-01-01T00:00:00Z"] {
            let fresh = written(&site(), at);
            assert_eq!(written(&kept, at).headers()[AUTHORIZATION], fresh.headers()[AUTHORIZATION], "{at}");
        }
    }
}
