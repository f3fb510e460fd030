//! What OSS answers when something was begun or stored: uploads, parts, copies, forms.

use serde::Deserialize;

use super::{Document, trimmed, trimmed_option};

/// `InitiateMultipartUploadResult`.
#[derive(Debug, Deserialize)]
pub(crate) struct Initiated {
    #[serde(rename = "UploadId", deserialize_with = "trimmed")]
    pub(crate) upload_id: String,
}

impl Document for Initiated {
    const ROOT: &'static str = "InitiateMultipartUploadResult";
}

/// `ListPartsResult`: one page, ascending part numbers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PartsPage {
    #[serde(deserialize_with = "trimmed")]
    pub(crate) is_truncated: bool,
    #[serde(default, deserialize_with = "trimmed_option")]
    pub(crate) next_part_number_marker: Option<u32>,
    #[serde(rename = "Part", default)]
    pub(crate) parts: Vec<PartRow>,
}

impl Document for PartsPage {
    const ROOT: &'static str = "ListPartsResult";
}

/// One `Part` of a page.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PartRow {
    #[serde(deserialize_with = "trimmed")]
    pub(crate) part_number: u32,
    #[serde(rename = "ETag", deserialize_with = "trimmed")]
    pub(crate) etag: String,
    #[serde(deserialize_with = "trimmed")]
    pub(crate) size: u64,
    /// Newer answers only.
    #[serde(default, rename = "HashCrc64ecma", deserialize_with = "trimmed_option")]
    pub(crate) crc64: Option<u64>,
}

/// `CompleteMultipartUploadResult`, which comes only when no callback was asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Completed {
    #[serde(rename = "ETag", deserialize_with = "trimmed")]
    pub(crate) etag: String,
}

impl Document for Completed {
    const ROOT: &'static str = "CompleteMultipartUploadResult";
}

/// `CopyPartResult`.
#[derive(Debug, Deserialize)]
pub(crate) struct CopiedPartDocument {
    #[serde(rename = "ETag", deserialize_with = "trimmed")]
    pub(crate) etag: String,
}

impl Document for CopiedPartDocument {
    const ROOT: &'static str = "CopyPartResult";
}

/// `CopyObjectResult`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CopiedObjectDocument {
    #[serde(rename = "ETag", deserialize_with = "trimmed")]
    pub(crate) etag: String,
    #[serde(default, deserialize_with = "trimmed_option")]
    pub(crate) last_modified: Option<String>,
}

impl Document for CopiedObjectDocument {
    const ROOT: &'static str = "CopyObjectResult";
}

/// `PostResponse`, the answer to a form that asked for 201.
#[derive(Debug, Deserialize)]
pub(crate) struct PostedDocument {
    #[serde(rename = "ETag", deserialize_with = "trimmed")]
    pub(crate) etag: String,
}

impl Document for PostedDocument {
    const ROOT: &'static str = "PostResponse";
}
