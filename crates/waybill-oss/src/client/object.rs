//! Whole objects: PutObject, DeleteObject, and what a stored object is known by.

use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;

use super::{Call, Client, Payload};
use crate::body::{FileSlice, Progress, shut};
use crate::callback::outcome::CallbackOutcome;
use crate::callback::spec::{CallbackCarrier, CallbackSpec};
use crate::error::Error;
use crate::gate::{Gate, GateSlot};
use crate::headers::{ObjectHeaders, Pair};
use crate::names::ObjectKey;

/// An object that is stored, and what came of its callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// ETag without quotes: an identifier; for a single PutObject the upper-case MD5.
    pub etag: String,
    /// CRC-64 of the whole object, from `x-oss-hash-crc64ecma`; only CompleteMultipartUpload may lack it.
    pub crc64: Option<u64>,
    /// OSS's request id.
    pub request_id: String,
    /// The version, in a bucket that keeps versions.
    pub version_id: Option<String>,
    /// CRC-64 of what was read from the file, equal to `crc64`; PutObject and PostObject only.
    pub local_crc64: Option<u64>,
    /// What came of the callback.
    pub callback: CallbackOutcome,
    /// From the last byte handed to the socket to the end of the answer; a callback is made in this time.
    pub elapsed: Duration,
}

impl Call<'_> {
    /// Adds the callback's headers. Such a call finishes an upload and must not run twice.
    pub(super) fn with_callback(mut self, callback: Option<&CallbackSpec>) -> Result<Self, Error> {
        let Some(spec) = callback else { return Ok(self) };
        self.headers.extend(spec.carried(CallbackCarrier::Header)?);
        self.repeatable = false;
        self.finishing = true;
        Ok(self)
    }

    /// Names one version of the object, or none.
    pub(super) fn of_version(self, version_id: Option<&str>) -> Self {
        match version_id {
            Some(id) => self.query("versionId", id),
            None => self,
        }
    }

    /// Adds what is said about the object. Where nothing may be overwritten, a request whose answer was lost is not sent
    /// again: it would find its own object and report a conflict.
    pub(super) fn with_object(mut self, pairs: Vec<Pair>, headers: &ObjectHeaders) -> Self {
        self.headers.extend(pairs);
        self.repeatable &= !headers.forbid_overwrite;
        self
    }
}

impl Client {
    /// PutObject: stores `body` (up to 5 GB) under `key` in one request, replacing what was there unless `headers`
    /// forbid it (409 `FileAlreadyExists`).
    ///
    /// The CRC-64 OSS answers with is compared with that of the bytes sent: [`Error::Integrity`] means that the object
    /// is stored, but is not the file. With a callback, or where nothing may be overwritten, the request is not repeated once it
    /// may have run; see [`Error::answer_lost`]. An answer without a CRC-64 is [`Error::Unreadable`], so lost too: HeadObject
    /// tells whether the object is there. A failed callback is not an error but [`CallbackOutcome::Failed`].
    /// [PutObject; Callback; go2 `api_op_object.go`]
    pub async fn put_object(
        &self,
        key: &ObjectKey,
        body: &FileSlice,
        headers: &ObjectHeaders,
        callback: Option<&CallbackSpec>,
        progress: Option<&Progress>,
    ) -> Result<Stored, Error> {
        self.put(key, body, headers, callback, None, progress).await
    }

    /// [`Client::put_object`] with a gate before the last slice (64 KiB): `gate` is asked when everything else has gone out, so
    /// that its asker can save that the object may be stored from now on. A gate is asked once, so this is made in one
    /// attempt; only keys that ran out and a wrong clock are mended, since OSS refused these before it took anything. The
    /// gate's word counts for the mended request too, as long as the file's bytes are the same.
    pub async fn put_object_gated(
        &self,
        key: &ObjectKey,
        body: &FileSlice,
        headers: &ObjectHeaders,
        callback: Option<&CallbackSpec>,
        gate: Gate,
        progress: Option<&Progress>,
    ) -> Result<Stored, Error> {
        self.put(key, body, headers, callback, Some(gate), progress).await
    }

    /// [`Client::put_object`] for a small file that was read before ([`FileSlice::read`]), in one attempt: as
    /// [`Client::put_object_gated`] behind an open gate.
    pub async fn put_read(
        &self,
        key: &ObjectKey,
        (bytes, crc64): (Bytes, u64),
        headers: &ObjectHeaders,
        callback: Option<&CallbackSpec>,
        progress: Option<&Progress>,
    ) -> Result<Stored, Error> {
        let call = Call { once: true, payload: Payload::Whole(bytes, crc64), progress, ..put_call(key, headers)? };
        self.send_put(call, callback).await
    }

    async fn put(
        &self,
        key: &ObjectKey,
        body: &FileSlice,
        headers: &ObjectHeaders,
        callback: Option<&CallbackSpec>,
        gate: Option<Gate>,
        progress: Option<&Progress>,
    ) -> Result<Stored, Error> {
        let mut call = put_call(key, headers)?;
        call.once = gate.is_some();
        if let Some(gate) = gate {
            // An empty body has no last bytes to hold back: its headers are all there is.
            if body.len > 0 {
                call.gate = GateSlot::holding(gate);
            } else if !gate.ask(0).await {
                return Err(Error::Source(shut()));
            }
        }
        call.payload = Payload::File(body);
        call.progress = progress;
        self.send_put(call, callback).await
    }

    async fn send_put(&self, call: Call<'_>, callback: Option<&CallbackSpec>) -> Result<Stored, Error> {
        let call = call.with_callback(callback)?;
        self.send(&call, |answer| {
            answer.agreed_crc64()?;
            answer.stored(answer.etag()?, callback.is_some())
        })
        .await
    }

    /// DeleteObject: removes the object, or one version of it. An object that is not there is fine, so it is repeated on
    /// doubt. In a bucket that keeps versions, no version given only hides the object behind a delete marker; the answer is
    /// true then. Where versions are not kept any more the marker is version `null` and takes the place of the object.
    /// [DeleteObject; go2 `api_op_object.go`]
    pub async fn delete_object(&self, key: &ObjectKey, version_id: Option<&str>) -> Result<bool, Error> {
        let call = Call::new("DeleteObject", Method::DELETE, Some(key)).of_version(version_id);
        let hidden = self.send(&call, |answer| {
            answer.known_request_id()?;
            let marked = answer.header("x-oss-delete-marker") == Some("true");
            Ok(marked && answer.header("x-oss-version-id") != Some("null"))
        });
        // A marker that was named is gone itself.
        Ok(hidden.await? && version_id.is_none())
    }
}

fn put_call<'a>(key: &'a ObjectKey, headers: &ObjectHeaders) -> Result<Call<'a>, Error> {
    Ok(Call::new("PutObject", Method::PUT, Some(key)).with_object(headers.for_put()?, headers))
}
