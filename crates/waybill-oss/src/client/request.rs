//! One call of the API, and how it becomes a signed request.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use reqwest::{Body, Method, Request, Url};

use super::rounds::Signature;
use crate::body::{FileBody, FileSlice, Progress};
use crate::clock::Clock;
use crate::credential::Credential;
use crate::credentials::Credentials;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::form::Form;
use crate::gate::GateSlot;
use crate::meter::Meter;
use crate::names::{BucketName, ObjectKey};
use crate::pace::Pace;
use crate::region::normalize_region;
use crate::sign::{DayKeys, Seal, SignatureVersion, seal_headers};

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
    /// Whether it is never repeated here, not even if it certainly did not run; a refused signature is mended even so.
    pub(super) once: bool,
    /// Whether it goes out without a signature, since its form carries one [PostObject].
    pub(super) unsigned: bool,
    /// Whether OSS does its long work, and the callback, after the last byte.
    pub(super) finishing: bool,
    /// Asked before the last slice of a file goes out, by the first attempt that gets there.
    pub(super) gate: GateSlot,
}

pub(super) enum Payload<'a> {
    Empty,
    Bytes(Bytes),
    File(&'a FileSlice),
    /// A small file that was read before, and its CRC-64.
    Whole(Bytes, u64),
    Form(&'a Form),
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
            unsigned: false,
            finishing: false,
            gate: GateSlot::default(),
        }
    }

    /// Whether it may go out again, signed anew, after its signature was refused so: not if it is not ours to sign, nor if
    /// it may have run and must not run twice.
    pub(super) fn may_be_signed_anew(&self, refusal: &Error) -> bool {
        let may_run_again = (self.repeatable && !self.once) || refusal.surely_not_carried_out();
        !self.unsigned && may_run_again
    }

    /// What the Content-Length says. Explicit, since a body of no bytes would go without, which is 411
    /// MissingContentLength.
    pub(super) fn length(&self) -> Option<u64> {
        let length = match &self.payload {
            Payload::Empty => 0,
            Payload::Bytes(bytes) | Payload::Whole(bytes, _) => bytes.len() as u64,
            Payload::File(slice) => slice.len,
            Payload::Form(form) => form.len(),
        };
        matches!(self.method, Method::PUT | Method::POST).then_some(length)
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
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) endpoint: Endpoint,
    pub(super) region: String,
    /// None for what concerns the whole account.
    pub(super) bucket: Option<BucketName>,
    pub(super) credentials: Credentials,
    pub(super) clock: Clock,
    pub(super) version: SignatureVersion,
    /// Headers to sign beyond those that always are, in lower case.
    pub(super) additional_headers: Vec<String>,
    keys: Arc<DayKeys>,
}

impl Site {
    pub(super) fn new(
        endpoint: Endpoint,
        region: String,
        bucket: Option<BucketName>,
        credentials: Credentials,
    ) -> Self {
        Site {
            endpoint,
            // What is no region is refused when it is to be signed.
            region: normalize_region(&region).unwrap_or(region),
            bucket,
            credentials,
            clock: Clock::default(),
            version: SignatureVersion::default(),
            additional_headers: Vec::new(),
            keys: Arc::default(),
        }
    }

    /// Signs the call and writes it down; `meter` follows its body.
    pub(super) fn request(
        &self,
        call: &Call<'_>,
        signature: &Signature,
        meter: &Arc<Meter>,
        pace: Option<&Arc<dyn Pace>>,
    ) -> Result<Request, Error> {
        let url = self.url(call.key, &call.query)?;
        let mut headers = call.headers.clone();
        let (bucket, key) = (self.bucket.as_ref().map(BucketName::as_str), call.key.map(ObjectKey::as_str));
        if !call.unsigned {
            self.supply(&mut headers, &url, call);
            let seal = self.seal(&signature.credential, signature.at)?;
            seal_headers(&seal, call.method.as_str(), bucket, key, &call.query, &mut headers);
        }

        let mut request = Request::new(call.method.clone(), url);
        for (name, value) in &headers {
            let header = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Error::Invalid(format!("The header name “{name}” cannot be sent.")))?;
            request.headers_mut().insert(header, header_value(name, value)?);
        }
        write_body(&mut request, call, meter, pace);
        Ok(request)
    }

    /// How this site signs, if its region can be one.
    pub(super) fn seal<'a>(&'a self, credential: &'a Credential, at: Timestamp) -> Result<Seal<'a>, Error> {
        if self.version == SignatureVersion::V4 {
            normalize_region(&self.region)?;
        }
        Ok(Seal {
            version: self.version,
            credential,
            region: &self.region,
            at,
            additional_headers: &self.additional_headers,
            keys: &self.keys,
        })
    }

    /// The address of the bucket or of one object in it; without a bucket that of the endpoint itself.
    pub(super) fn url(&self, key: Option<&ObjectKey>, query: &[(String, String)]) -> Result<Url, Error> {
        let url = match &self.bucket {
            Some(bucket) => self.endpoint.object_url(bucket, key, query),
            None => self.endpoint.bare_url(query)?,
        };
        Url::parse(&url).map_err(|error| Error::Invalid(format!("The address cannot be written: {error}.")))
    }
}

fn write_body(request: &mut Request, call: &Call<'_>, meter: &Arc<Meter>, pace: Option<&Arc<dyn Pace>>) {
    if let Some(length) = call.length() {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    match &call.payload {
        Payload::Empty => meter.body_sent(None),
        Payload::Bytes(bytes) => {
            *request.body_mut() = Some(Body::from(bytes.clone()));
            meter.body_sent(None);
        }
        Payload::File(slice) => {
            let body = FileBody::new((*slice).clone(), Arc::clone(meter), call.gate.clone(), pace.cloned());
            *request.body_mut() = Some(Body::wrap(body));
        }
        Payload::Whole(bytes, crc64) => {
            let body = FileBody::of_bytes(bytes.clone(), *crc64, Arc::clone(meter), pace.cloned());
            *request.body_mut() = Some(Body::wrap(body));
        }
        Payload::Form(form) => *request.body_mut() = Some(Body::wrap(form.body(meter))),
    }
}

/// The value is named only where it is not secret.
fn header_value(name: &str, value: &str) -> Result<HeaderValue, Error> {
    let unfit = |_| Error::Invalid(format!("The value of the header “{name}” has characters that cannot be sent."));
    let mut header = HeaderValue::from_bytes(value.trim().as_bytes()).map_err(unfit)?;
    header.set_sensitive(matches!(name, "authorization" | "x-oss-security-token"));
    Ok(header)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use reqwest::header::AUTHORIZATION;

    use super::*;
    use crate::credential::Credential;

    fn site() -> Site {
        let endpoint = Endpoint::parse("http://127.0.0.1:9000").expect("endpoint");
        let bucket = BucketName::parse("examplebucket").expect("bucket");
        Site::new(endpoint, "cn-hangzhou".to_owned(), Some(bucket), credential().into())
    }

    fn credential() -> Credential {
        Credential::new("ak", "sk", Some("t0ken".to_owned()))
    }

    fn written(site: &Site, at: &str) -> Request {
        let call = Call::new("GetBucketInfo", Method::GET, None).query("bucketInfo", "");
        let signature =
            Signature { credential: credential(), at: at.parse().expect("time"), skew: SignedDuration::ZERO };
        site.request(&call, &signature, &Meter::new(None), None).expect("request")
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
