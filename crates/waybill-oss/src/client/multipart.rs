//! Multipart uploads: Initiate, UploadPart, ListParts, Complete, Abort.

use reqwest::Method;

use super::object::Stored;
use super::{Call, Client, Payload};
use crate::body::{FileSlice, Progress};
use crate::callback::spec::CallbackSpec;
use crate::error::Error;
use crate::headers::{self, ObjectHeaders};
use crate::names::ObjectKey;
use crate::xml::stored::{Completed, Initiated, PartsPage};
use crate::xml::{self, unquoted};

/// A part that OSS has stored, its checksum compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartReceipt {
    /// 1 to 10,000.
    pub number: u32,
    /// ETag without quotes, needed to complete the upload.
    pub etag: String,
    /// CRC-64 of the part, the same here and there.
    pub crc64: u64,
    /// Size in bytes.
    pub size: u64,
    /// OSS's request id.
    pub request_id: String,
}

/// A part as ListParts reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPart {
    /// 1 to 10,000.
    pub number: u32,
    /// ETag without quotes.
    pub etag: String,
    /// Size in bytes.
    pub size: u64,
    /// CRC-64, in newer answers.
    pub crc64: Option<u64>,
}

impl Call<'_> {
    /// Names the part that is sent or copied.
    pub(super) fn of_part(self, number: u32, upload_id: &str) -> Result<Self, Error> {
        if !(1..=10_000).contains(&number) {
            return Err(Error::Invalid(format!("Part number {number} is not from 1 to 10,000.")));
        }
        Ok(self.query("partNumber", number.to_string()).query("uploadId", upload_id))
    }
}

impl Client {
    /// InitiateMultipartUpload: begins an upload and returns its UploadId. What the object will be is said here, not at
    /// the end; give the same `headers` to [`Client::complete_multipart`], since forbid-overwrite counts only if both say
    /// it. Repeated on doubt: an UploadId nobody knows of holds no parts. [InitiateMultipartUpload; go2
    /// `api_op_object.go`]
    pub async fn initiate_multipart(&self, key: &ObjectKey, headers: &ObjectHeaders) -> Result<String, Error> {
        let mut call = Call::new("InitiateMultipartUpload", Method::POST, Some(key))
            .query("uploads", "")
            .query("encoding-type", "url");
        call.headers = headers.for_initiate()?;
        self.send(&call, |answer| match answer.xml::<Initiated>()?.upload_id {
            id if id.is_empty() => Err(answer.unreadable("its UploadId is empty")),
            id => Ok(id),
        })
        .await
    }

    /// UploadPart: sends one part (100 KB to 5 GB, the last one may be smaller) and compares its CRC-64.
    /// The same number again replaces the part, so it is repeated on doubt. `traffic_limit` is in bit/s, 819,200 to
    /// 838,860,800, for this one request. [UploadPart; Single-connection bandwidth throttling]
    pub async fn upload_part(
        &self,
        key: &ObjectKey,
        upload_id: &str,
        number: u32,
        body: &FileSlice,
        traffic_limit: Option<u32>,
        progress: Option<&Progress>,
    ) -> Result<PartReceipt, Error> {
        let mut call = Call::new("UploadPart", Method::PUT, Some(key)).of_part(number, upload_id)?;
        call.headers = headers::traffic_limit(traffic_limit)?;
        call.payload = Payload::File(body);
        call.progress = progress;
        self.send(&call, |answer| {
            let (etag, crc64) = (answer.etag()?, answer.agreed_crc64()?);
            Ok(PartReceipt { number, etag, crc64, size: body.len, request_id: answer.known_request_id()? })
        })
        .await
    }

    /// ListParts: every part OSS holds for this upload, all pages, ascending. `NoSuchUpload` says that it was completed
    /// or aborted. [ListParts; go2 `api_op_object.go`]
    pub async fn list_parts(&self, key: &ObjectKey, upload_id: &str) -> Result<Vec<ListedPart>, Error> {
        let mut parts: Vec<ListedPart> = Vec::new();
        let mut marker = 0;
        loop {
            let mut call = Call::new("ListParts", Method::GET, Some(key))
                .query("uploadId", upload_id)
                .query("max-parts", "1000")
                .query("encoding-type", "url");
            if marker > 0 {
                call = call.query("part-number-marker", marker.to_string());
            }
            let (page, next) = self
                .send(&call, |answer| {
                    let page: PartsPage = answer.xml()?;
                    if !page.is_truncated {
                        return Ok((page, None));
                    }
                    match page.next_part_number_marker.filter(|next| *next > marker) {
                        Some(next) => Ok((page, Some(next))),
                        None => Err(answer.unreadable("it is cut off and does not say where the next page begins")),
                    }
                })
                .await?;
            parts.extend(page.parts.into_iter().map(|part| ListedPart {
                number: part.part_number,
                etag: unquoted(&part.etag).to_owned(),
                size: part.size,
                crc64: part.crc64,
            }));
            match next {
                Some(next) => marker = next,
                None => return Ok(parts),
            }
        }
    }

    /// CompleteMultipartUpload: puts the parts (number and ETag, in any order) together and makes the callback.
    ///
    /// `headers` are those of [`Client::initiate_multipart`]; the ACL and forbid-overwrite are said again.
    ///
    /// It is sent again only if OSS certainly has not carried it out; after [`Error::answer_lost`] ask ListParts, then
    /// HeadObject. Errors worth knowing: `InvalidPart`, `EntityTooSmall`, `NoSuchUpload`,
    /// `FileAlreadyExists`. [CompleteMultipartUpload; Callback; HTTP 203 status code]
    pub async fn complete_multipart(
        &self,
        key: &ObjectKey,
        upload_id: &str,
        parts: &[(u32, String)],
        headers: &ObjectHeaders,
        callback: Option<&CallbackSpec>,
    ) -> Result<Stored, Error> {
        let mut call = Call::new("CompleteMultipartUpload", Method::POST, Some(key))
            .query("uploadId", upload_id)
            .query("encoding-type", "url")
            .header("content-type", "application/xml")
            .with_object(headers.for_complete(), headers)
            .with_callback(callback)?;
        call.payload = Payload::Bytes(xml::complete_body(parts)?.into());
        call.repeatable = false;
        call.finishing = true;
        self.send(&call, |answer| {
            // Without a callback the body is OSS's own; a 200 may still carry an error in it.
            let etag = if callback.is_some() || answer.status == 203 {
                answer.etag()?
            } else {
                match answer.xml::<Completed>() {
                    Ok(completed) => unquoted(&completed.etag).to_owned(),
                    Err(error) => return Err(answer.error_in_body().unwrap_or(error)),
                }
            };
            answer.stored(etag, callback.is_some())
        })
        .await
    }

    /// AbortMultipartUpload: removes the upload and its parts. An upload that is gone already (`NoSuchUpload`) is fine.
    /// Parts that are still on their way may survive: abort again after they have ended. (API
    /// page AbortMultipartUpload)
    pub async fn abort_multipart(&self, key: &ObjectKey, upload_id: &str) -> Result<(), Error> {
        let call = Call::new("AbortMultipartUpload", Method::DELETE, Some(key)).query("uploadId", upload_id);
        match self.send(&call, |answer| answer.known_request_id().map(drop)).await {
            Err(error) if error.service_code() == Some("NoSuchUpload") => Ok(()),
            result => result,
        }
    }
}
