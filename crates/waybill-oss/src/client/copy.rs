//! Copies inside OSS: CopyObject and UploadPartCopy, which move no bytes through this computer.

use std::ops::Range;

use reqwest::Method;

use super::{Call, Client};
use crate::error::Error;
use crate::escape;
use crate::headers::{self, ObjectHeaders};
use crate::names::{BucketName, ObjectKey};
use crate::xml::stored::{CopiedObjectDocument, CopiedPartDocument};
use crate::xml::{Document, unquoted};

/// What is copied. The bucket must be in the same region, and the keys must be allowed to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopySource {
    /// Its bucket.
    pub bucket: BucketName,
    /// Its key.
    pub key: ObjectKey,
    /// One version of it, the current one otherwise.
    pub version_id: Option<String>,
    /// Copy only while the source has this ETag (with or without quotes), else 412 `PreconditionFailed`.
    pub if_match: Option<String>,
}

/// Whether a copy keeps what describes the source's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataDirective {
    /// Content-Type, the other standard headers and metadata stay those of the source.
    Copy,
    /// They are all replaced by the ones given, also where none are given.
    Replace,
}

/// A part that OSS copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedPart {
    /// 1 to 10,000.
    pub number: u32,
    /// ETag without quotes, needed to complete the upload.
    pub etag: String,
    /// CRC-64 of the part, where OSS gave one.
    pub crc64: Option<u64>,
    /// OSS's request id.
    pub request_id: String,
}

/// An object that OSS copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedObject {
    /// ETag of the copy, without quotes.
    pub etag: String,
    /// `LastModified` as it came.
    pub last_modified: Option<String>,
    /// CRC-64 of the copy, where OSS gave one.
    pub crc64: Option<u64>,
    /// The version of the copy, in a bucket that keeps versions.
    pub version_id: Option<String>,
    /// OSS's request id.
    pub request_id: String,
}

impl Call<'_> {
    /// Names the source as `/bucket/escaped-key[?versionId=…]` [go2 encodeSourceObject].
    fn copying(self, source: &CopySource) -> Self {
        let mut path = format!("/{}/{}", source.bucket, escape::path(source.key.as_str()));
        if let Some(version) = &source.version_id {
            path += &format!("?versionId={}", escape::component(version));
        }
        let call = self.header("x-oss-copy-source", path);
        match &source.if_match {
            Some(etag) => call.header("x-oss-copy-source-if-match", format!("\"{}\"", unquoted(etag))),
            None => call,
        }
    }
}

impl Client {
    /// UploadPartCopy: makes a part (100 KB to 5 GB, the last one may be smaller) of an object that is stored already,
    /// or of the stretch `range` of it, in bytes. The same number again replaces the part, so it is repeated on doubt.
    /// The range must lie inside the source: OSS copies everything where it does not, without complaint.
    /// [UploadPartCopy; go2 `api_op_object.go`]
    pub async fn upload_part_copy(
        &self,
        key: &ObjectKey,
        upload_id: &str,
        number: u32,
        source: &CopySource,
        range: Option<Range<u64>>,
        traffic_limit: Option<u32>,
    ) -> Result<CopiedPart, Error> {
        let mut call = Call::new("UploadPartCopy", Method::PUT, Some(key)).of_part(number, upload_id)?.copying(source);
        if let Some(range) = range {
            if range.is_empty() {
                return Err(Error::Invalid("The range of a part to copy is empty.".to_owned()));
            }
            call = call.header("x-oss-copy-source-range", format!("bytes={}-{}", range.start, range.end - 1));
        }
        call.headers.extend(headers::traffic_limit(traffic_limit)?);
        call.finishing = true;
        self.send(&call, |answer| {
            let copied = or_error_in_body::<CopiedPartDocument>(answer)?;
            let request_id = answer.known_request_id()?;
            Ok(CopiedPart { number, etag: unquoted(&copied.etag).to_owned(), crc64: answer.crc64()?, request_id })
        })
        .await
    }

    /// CopyObject: stores a copy of `source` (up to 5 GB) under `key`, also onto itself to change what describes it.
    ///
    /// Of `headers` the ACL, storage class, encryption, tags (in place of the source's), forbid-overwrite and the traffic
    /// limit count; the rest only with [`MetadataDirective::Replace`]. Repeated on doubt, unless nothing may be overwritten.
    /// [CopyObject; go2 `api_op_object.go`]
    pub async fn copy_object(
        &self,
        key: &ObjectKey,
        source: &CopySource,
        directive: MetadataDirective,
        headers: &ObjectHeaders,
    ) -> Result<CopiedObject, Error> {
        let described = headers.description()?;
        let directive = match directive {
            MetadataDirective::Replace => "REPLACE",
            MetadataDirective::Copy if described.is_empty() => "COPY",
            MetadataDirective::Copy => {
                return Err(Error::Invalid(
                    "A copy that keeps its source's description cannot have another Content-Type or metadata: replace the \
                     description, or leave these out."
                        .to_owned(),
                ));
            }
        };
        let mut call = Call::new("CopyObject", Method::PUT, Some(key))
            .copying(source)
            .header("x-oss-metadata-directive", directive)
            .with_object([described, headers.for_copy()?].concat(), headers);
        if !headers.tags.is_empty() {
            call = call.header("x-oss-tagging-directive", "Replace");
        }
        call.finishing = true;
        self.send(&call, |answer| {
            let copied = or_error_in_body::<CopiedObjectDocument>(answer)?;
            Ok(CopiedObject {
                etag: unquoted(&copied.etag).to_owned(),
                last_modified: copied.last_modified,
                crc64: answer.crc64()?,
                version_id: answer.text_header("x-oss-version-id"),
                request_id: answer.known_request_id()?,
            })
        })
        .await
    }
}

/// The document, or the error that a 200 may carry in its place.
fn or_error_in_body<T: Document>(answer: &super::Answer) -> Result<T, Error> {
    answer.xml().map_err(|unreadable| answer.error_in_body().unwrap_or(unreadable))
}
