//! An answer of OSS, and how its headers and its XML are read.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{AGE, DATE, ETAG, HeaderMap, RETRY_AFTER};

use super::object::Stored;
use crate::callback::outcome::CallbackOutcome;
use crate::error::{Error, ServiceError, TransportKind};
use crate::xml::error::ErrorDocument;
use crate::xml::{self, Document, unquoted};

/// The longest wait that is taken for one: whoever asks for more is asked again after this.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// `Retry-After`: seconds, or a date of the server's own clock (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        // One that has passed is no wait.
        date(text)?.duration_since(date(headers.get(DATE)?.to_str().ok()?)?).try_into().unwrap_or_default()
    };
    Some(wait.min(LONGEST_WAIT))
}

fn date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

/// When the server answered, by its own clock. Only an answer of OSS counts; a captive portal has a clock too, and what a
/// cache kept (`Age`) is of another time.
pub(super) fn server_time(headers: &HeaderMap) -> Option<Timestamp> {
    headers.get("x-oss-request-id")?;
    if headers.contains_key(AGE) {
        return None;
    }
    date(headers.get(DATE)?.to_str().ok()?)
}

/// A whole answer, whatever its status.
pub(super) struct Answer {
    pub(super) operation: &'static str,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// CRC-64 of the body that was sent, if all of it was.
    pub(super) local_crc64: Option<u64>,
    /// From the last byte of the request to the last byte of the answer.
    pub(super) elapsed: Duration,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A header whose value may be any text; bytes that are not UTF-8 become `�`.
    pub(super) fn text_header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    pub(super) fn request_id(&self) -> Option<&str> {
        self.header("x-oss-request-id")
    }

    /// The request id every answer of OSS carries; without it something else answered.
    pub(super) fn known_request_id(&self) -> Result<String, Error> {
        let id =
            self.request_id().ok_or_else(|| self.unreadable("it has no x-oss-request-id, so OSS did not send it"))?;
        Ok(id.to_owned())
    }

    /// The ETag without its quotes.
    pub(super) fn etag(&self) -> Result<String, Error> {
        let etag = self.header(ETAG.as_str()).map(unquoted).filter(|etag| !etag.is_empty());
        Ok(etag.ok_or_else(|| self.unreadable("it has no ETag"))?.to_owned())
    }

    /// The server's CRC-64, an unsigned decimal; objects stored before OSS had it have none.
    pub(super) fn crc64(&self) -> Result<Option<u64>, Error> {
        let Some(text) = self.header("x-oss-hash-crc64ecma") else {
            return Ok(None);
        };
        let value = text.trim().parse().map_err(|_| self.unreadable("x-oss-hash-crc64ecma is not a number"))?;
        Ok(Some(value))
    }

    /// The CRC-64 of what was sent and of what OSS stored, which are the same. An answer that comes before everything was
    /// sent, or names none, is no proof that anything was stored [PutObject; UploadPart; py1 `examples/object_post.py`].
    pub(super) fn agreed_crc64(&self) -> Result<u64, Error> {
        let early = || self.unreadable("it came before the whole body was sent");
        let local = self.local_crc64.ok_or_else(early)?;
        let server = self.crc64()?.ok_or_else(|| self.unreadable("it has no x-oss-hash-crc64ecma"))?;
        self.check_crc64(local, server)?;
        Ok(local)
    }

    /// Refuses an answer whose CRC-64 is not that of what was sent.
    pub(super) fn check_crc64(&self, local: u64, server: u64) -> Result<(), Error> {
        if local == server {
            return Ok(());
        }
        let request_id = self.request_id().map(str::to_owned);
        Err(Error::Integrity { operation: self.operation, local, server, request_id })
    }

    /// The XML body.
    pub(super) fn xml<T: Document>(&self) -> Result<T, Error> {
        xml::read(&self.body).map_err(|error| self.unreadable(&error))
    }

    /// What a finished Put or Complete says about the object and about the callback.
    pub(super) fn stored(&self, etag: String, callback_asked: bool) -> Result<Stored, Error> {
        Ok(Stored {
            etag,
            crc64: self.crc64()?,
            request_id: self.known_request_id()?,
            version_id: self.header("x-oss-version-id").map(str::to_owned),
            local_crc64: self.local_crc64,
            callback: CallbackOutcome::read(callback_asked, self.status, &self.headers, &self.body),
            elapsed: self.elapsed,
        })
    }

    /// The error this answer is. A HEAD has no body; its error stands in `x-oss-err` [go2 tryConvertServiceError].
    pub(super) fn service_error(&self) -> Error {
        if self.status == 407 {
            let message = "it answered 407".to_owned();
            return Error::Transport { operation: self.operation, kind: TransportKind::ProxyLogin, message };
        }
        let from_header = || {
            let bytes = STANDARD.decode(self.header("x-oss-err")?.trim()).ok()?;
            ErrorDocument::read(&String::from_utf8_lossy(&bytes))
        };
        let document =
            ErrorDocument::read(&String::from_utf8_lossy(&self.body)).or_else(from_header).unwrap_or_default();
        Error::Service(Box::new(ServiceError {
            operation: self.operation,
            status: self.status,
            code: document.code,
            message: document.message,
            ec: document.ec.or_else(|| self.header("x-oss-ec").map(str::to_owned)),
            request_id: document.request_id.or_else(|| self.request_id().map(str::to_owned)),
            host_id: document.host_id,
            retry_after: retry_after(&self.headers),
            string_to_sign: document.string_to_sign,
            endpoint: document.endpoint,
        }))
    }

    /// The error inside a body whose status claims success, if it is one.
    pub(super) fn error_in_body(&self) -> Option<Error> {
        ErrorDocument::read(&String::from_utf8_lossy(&self.body)).map(|_| self.service_error())
    }

    pub(super) fn unreadable(&self, message: &str) -> Error {
        let request_id = self.request_id().map(str::to_owned);
        Error::Unreadable { operation: self.operation, message: message.to_owned(), request_id }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().expect("name"), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_wait_is_read_as_seconds_or_as_a_date_and_never_longer_than_an_hour() {
        const DATED: (&str, &str) = ("date", "Fri, 14 Mar 2025 09:26:53 GMT");
        for (text, seconds) in [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("86400", Some(3600)),
            ("18446744073709551615", Some(3600)),
            ("99999999999999999999999", Some(3600)),
            ("Fri, 14 Mar 2025 09:27:53 GMT", Some(60)),
            ("Fri, 14 Mar 2025 09:25:53 GMT", Some(0)),
            ("Sat, 15 Mar 2025 09:26:53 GMT", Some(3600)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            let wait = retry_after(&headers(&[DATED, ("retry-after", text)]));
            assert_eq!(wait, seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&headers(&[("retry-after", "Fri, 14 Mar 2025 09:27:53 GMT")])), None);
    }
}
