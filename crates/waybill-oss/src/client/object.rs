//! Whole objects: PutObject, HeadObject, and what a stored object is known by.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, LAST_MODIFIED};

use super::{Call, Client, Payload};
use crate::body::{FileSlice, Progress, shut};
use crate::callback::outcome::CallbackOutcome;
use crate::callback::spec::CallbackSpec;
use crate::error::Error;
use crate::gate::{Gate, GateSlot};
use crate::names::ObjectKey;

/// An object that is stored, and what came of its callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// ETag without quotes: an identifier; for a single PutObject the upper-case MD5.
    pub etag: String,
    /// CRC-64 of the whole object, from `x-oss-hash-crc64ecma`.
    pub crc64: Option<u64>,
    /// OSS's request id.
    pub request_id: String,
    /// The version, in a bucket that keeps versions.
    pub version_id: Option<String>,
    /// CRC-64 of what was read from the file; PutObject only, and then equal to `crc64` where OSS gave one.
    pub local_crc64: Option<u64>,
    /// What came of the callback.
    pub callback: CallbackOutcome,
    /// From the last byte handed to the socket to the end of the answer; a callback is made in this time.
    pub elapsed: Duration,
}

/// What HeadObject says about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// Size in bytes.
    pub size: u64,
    /// ETag without quotes.
    pub etag: String,
    /// CRC-64; objects stored before OSS had it have none.
    pub crc64: Option<u64>,
    /// `Last-Modified` as it came.
    pub last_modified: Option<String>,
    /// `Content-Type` as it came.
    pub content_type: Option<String>,
    /// OSS's request id.
    pub request_id: String,
}

impl Call<'_> {
    /// Adds the callback's headers. Such a call finishes an upload and must not run twice.
    pub(super) fn with_callback(mut self, callback: Option<&CallbackSpec>) -> Result<Self, Error> {
        let Some(spec) = callback else { return Ok(self) };
        let headers = spec.encode()?;
        self.repeatable = false;
        self.finishing = true;
        self = self.header("x-oss-callback", headers.callback);
        match headers.callback_var {
            Some(variables) => Ok(self.header("x-oss-callback-var", variables)),
            None => Ok(self),
        }
    }

    pub(super) fn with_content_type(self, content_type: Option<&str>) -> Self {
        match content_type {
            Some(content_type) => self.header("content-type", content_type),
            None => self,
        }
    }
}

impl Client {
    /// PutObject: stores `body` (up to 5 GB) under `key` in one request, replacing what was there.
    ///
    /// The CRC-64 OSS answers with is compared with that of the bytes sent: [`Error::Integrity`] means that the object
    /// is stored, but is not the file. With a callback the request is not repeated once it may have run; see
    /// [`Error::answer_lost`]. A failed callback is not an error but [`CallbackOutcome::Failed`].
    pub async fn put_object(
        &self,
        key: &ObjectKey,
        body: &FileSlice,
        content_type: Option<&str>,
        callback: Option<&CallbackSpec>,
        progress: Option<&Progress>,
    ) -> Result<Stored, Error> {
        self.put(key, body, content_type, callback, None, progress).await
    }

    /// [`Client::put_object`] with a gate before the last chunk: `gate` is asked when everything else has gone out, so
    /// that its asker can save that the object may be stored from now on. A gate is asked once, so this is made in one
    /// attempt; only keys that ran out and a wrong clock are mended, while the gate has not been asked.
    pub async fn put_object_gated(
        &self,
        key: &ObjectKey,
        body: &FileSlice,
        content_type: Option<&str>,
        callback: Option<&CallbackSpec>,
        gate: Gate,
        progress: Option<&Progress>,
    ) -> Result<Stored, Error> {
        self.put(key, body, content_type, callback, Some(gate), progress).await
    }

    async fn put(
        &self,
        key: &ObjectKey,
        body: &FileSlice,
        content_type: Option<&str>,
        callback: Option<&CallbackSpec>,
        gate: Option<Gate>,
        progress: Option<&Progress>,
    ) -> Result<Stored, Error> {
        let mut call = Call::new("PutObject", Method::PUT, Some(key)).with_content_type(content_type);
        call = call.with_callback(callback)?;
        call.once = gate.is_some();
        match gate {
            // An empty body has no last bytes to hold back: its headers are all there is.
            Some(gate) if body.len == 0 => {
                if !gate.ask(0).await {
                    return Err(Error::Source(shut()));
                }
            }
            Some(gate) => call.gate = GateSlot::holding(gate),
            None => {}
        }
        call.payload = Payload::File(body);
        call.progress = progress;
        self.send(&call, |answer| {
            let local = answer.sent_crc64()?;
            let stored = answer.stored(answer.etag()?, callback.is_some())?;
            if let Some(server) = stored.crc64 {
                answer.check_crc64(local, server)?;
            }
            Ok(stored)
        })
        .await
    }

    /// HeadObject: the facts of the object at `key`, or none if there is no such object. A missing bucket is an error.
    pub async fn head_object(&self, key: &ObjectKey) -> Result<Option<ObjectHead>, Error> {
        let call = Call::new("HeadObject", Method::HEAD, Some(key));
        let head = self.send(&call, |answer| {
            let size = answer.header(CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok());
            Ok(ObjectHead {
                size: size.ok_or_else(|| answer.unreadable("it has no Content-Length"))?,
                etag: answer.etag()?,
                crc64: answer.crc64()?,
                last_modified: answer.header(LAST_MODIFIED.as_str()).map(str::to_owned),
                content_type: answer.header(CONTENT_TYPE.as_str()).map(str::to_owned),
                request_id: answer.known_request_id()?,
            })
        });
        match head.await {
            Ok(head) => Ok(Some(head)),
            Err(Error::Service(answer)) if answer.status == 404 && matches!(answer.code.as_str(), "" | "NoSuchKey") => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
