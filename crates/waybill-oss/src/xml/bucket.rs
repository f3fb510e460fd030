//! What OSS answers about buckets: one bucket's facts, its place, and the list of all of them.

use serde::Deserialize;

use super::{Document, trimmed, trimmed_option};

/// `BucketInfo`.
#[derive(Debug, Deserialize)]
pub(crate) struct BucketInfoDocument {
    #[serde(rename = "Bucket")]
    pub(crate) bucket: BucketRow,
}

impl Document for BucketInfoDocument {
    const ROOT: &'static str = "BucketInfo";
}

/// `BucketInfo/Bucket`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BucketRow {
    #[serde(deserialize_with = "trimmed")]
    pub(crate) name: String,
    #[serde(deserialize_with = "trimmed")]
    pub(crate) location: String,
    #[serde(default, deserialize_with = "trimmed_option")]
    pub(crate) creation_date: Option<String>,
    #[serde(default, deserialize_with = "trimmed")]
    pub(crate) extranet_endpoint: String,
    #[serde(default, deserialize_with = "trimmed")]
    pub(crate) intranet_endpoint: String,
    #[serde(default, deserialize_with = "trimmed")]
    pub(crate) storage_class: String,
    #[serde(default)]
    pub(crate) access_control_list: AccessControlList,
    #[serde(default, deserialize_with = "trimmed_option")]
    pub(crate) data_redundancy_type: Option<String>,
    #[serde(default, deserialize_with = "trimmed_option")]
    pub(crate) versioning: Option<String>,
    #[serde(default, deserialize_with = "trimmed_option")]
    pub(crate) transfer_acceleration: Option<String>,
    #[serde(default, deserialize_with = "trimmed_option")]
    pub(crate) block_public_access: Option<bool>,
    #[serde(default)]
    pub(crate) server_side_encryption_rule: EncryptionRule,
}

/// `AccessControlList`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct AccessControlList {
    #[serde(rename = "Grant", default, deserialize_with = "trimmed")]
    pub(crate) grant: String,
}

/// `ServerSideEncryptionRule`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct EncryptionRule {
    #[serde(rename = "SSEAlgorithm", default, deserialize_with = "trimmed_option")]
    pub(crate) algorithm: Option<String>,
}

/// `LocationConstraint`, which is nothing but its text.
#[derive(Debug, Deserialize)]
pub(crate) struct LocationDocument {
    #[serde(rename = "$text", default, deserialize_with = "trimmed")]
    pub(crate) location: String,
}

impl Document for LocationDocument {
    const ROOT: &'static str = "LocationConstraint";
}

/// `ListAllMyBucketsResult`: one page. A list that is whole says nothing about pages.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BucketsPage {
    #[serde(default, deserialize_with = "trimmed_option")]
    pub(crate) is_truncated: Option<bool>,
    #[serde(default, deserialize_with = "trimmed_option")]
    pub(crate) next_marker: Option<String>,
    pub(crate) buckets: BucketRows,
}

impl Document for BucketsPage {
    const ROOT: &'static str = "ListAllMyBucketsResult";
}

/// `ListAllMyBucketsResult/Buckets`.
#[derive(Debug, Deserialize)]
pub(crate) struct BucketRows {
    #[serde(rename = "Bucket", default)]
    pub(crate) rows: Vec<ListedBucketRow>,
}

/// `ListAllMyBucketsResult/Buckets/Bucket`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListedBucketRow {
    #[serde(deserialize_with = "trimmed")]
    pub(crate) name: String,
    #[serde(deserialize_with = "trimmed")]
    pub(crate) location: String,
    #[serde(default, deserialize_with = "trimmed_option")]
    pub(crate) region: Option<String>,
    #[serde(default, deserialize_with = "trimmed_option")]
    pub(crate) creation_date: Option<String>,
    #[serde(default, deserialize_with = "trimmed")]
    pub(crate) extranet_endpoint: String,
    #[serde(default, deserialize_with = "trimmed")]
    pub(crate) intranet_endpoint: String,
    #[serde(default, deserialize_with = "trimmed")]
    pub(crate) storage_class: String,
}
