//! The operations by their names in the OSS API reference, and how a request names one.

use axum::http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};

use crate::{auth::URL_PARAMETERS, copy, get, route::Target, traffic};

/// What a request asks for, by its name in the OSS API reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// `PUT /bucket/key`
    PutObject,
    /// `POST /bucket/` with a form
    PostObject,
    /// `PUT /bucket/key` with `x-oss-copy-source`
    CopyObject,
    /// `POST /bucket/key?uploads`
    InitiateMultipartUpload,
    /// `PUT /bucket/key?partNumber=n&uploadId=u`
    UploadPart,
    /// `PUT /bucket/key?partNumber=n&uploadId=u` with `x-oss-copy-source`
    UploadPartCopy,
    /// `GET /bucket/key?uploadId=u`
    ListParts,
    /// `POST /bucket/key?uploadId=u`
    CompleteMultipartUpload,
    /// `DELETE /bucket/key?uploadId=u`
    AbortMultipartUpload,
    /// `GET /bucket/?uploads`
    ListMultipartUploads,
    /// `HEAD /bucket/key`
    HeadObject,
    /// `GET /bucket/key`
    GetObject,
    /// `HEAD /bucket/key?objectMeta`
    GetObjectMeta,
    /// `DELETE /bucket/key`
    DeleteObject,
    /// `POST /bucket/?delete`
    DeleteMultipleObjects,
    /// `GET /bucket/key?tagging`
    GetObjectTagging,
    /// `PUT /bucket/key?tagging`
    PutObjectTagging,
    /// `DELETE /bucket/key?tagging`
    DeleteObjectTagging,
    /// `GET /bucket/key?acl`
    GetObjectAcl,
    /// `PUT /bucket/key?acl`
    PutObjectAcl,
    /// `GET /bucket/`
    ListObjects,
    /// `GET /bucket/?list-type=2`
    ListObjectsV2,
    /// `GET /`
    ListBuckets,
    /// `GET /?regions`
    DescribeRegions,
    /// `PUT /bucket/`
    PutBucket,
    /// `GET /bucket/?bucketInfo`
    GetBucketInfo,
    /// `GET /bucket/?versioning`
    GetBucketVersioning,
    /// `GET /bucket/?location`
    GetBucketLocation,
    /// `GET /bucket/?stat`
    GetBucketStat,
    /// `GET /bucket/?acl`
    GetBucketAcl,
    /// `POST /callback`: the built-in receiver, the application's side of a callback.
    Callback,
    /// Anything this sandbox does not speak; answered with 501 NotImplemented.
    Unknown,
}

/// One version of an object; without versioning there is one, `null`.
pub(crate) const VERSION: &str = "versionId";

impl Operation {
    /// The name as the API reference and `${operation}` write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PutObject => "PutObject",
            Self::PostObject => "PostObject",
            Self::CopyObject => "CopyObject",
            Self::InitiateMultipartUpload => "InitiateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::UploadPartCopy => "UploadPartCopy",
            Self::ListParts => "ListParts",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::ListMultipartUploads => "ListMultipartUploads",
            Self::HeadObject => "HeadObject",
            Self::GetObject => "GetObject",
            Self::GetObjectMeta => "GetObjectMeta",
            Self::DeleteObject => "DeleteObject",
            Self::DeleteMultipleObjects => "DeleteMultipleObjects",
            Self::GetObjectTagging => "GetObjectTagging",
            Self::PutObjectTagging => "PutObjectTagging",
            Self::DeleteObjectTagging => "DeleteObjectTagging",
            Self::GetObjectAcl => "GetObjectAcl",
            Self::PutObjectAcl => "PutObjectAcl",
            Self::ListObjects => "ListObjects",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::ListBuckets => "ListBuckets",
            Self::DescribeRegions => "DescribeRegions",
            Self::PutBucket => "PutBucket",
            Self::GetBucketInfo => "GetBucketInfo",
            Self::GetBucketVersioning => "GetBucketVersioning",
            Self::GetBucketLocation => "GetBucketLocation",
            Self::GetBucketStat => "GetBucketStat",
            Self::GetBucketAcl => "GetBucketAcl",
            Self::Callback => "Callback",
            Self::Unknown => "Unknown",
        }
    }

    /// The operation that method, target and headers name together. A parameter that this sandbox would have to ignore
    /// makes it [`Operation::Unknown`]: better refused than done otherwise than asked.
    pub(crate) fn of(method: &Method, target: &Target, headers: &HeaderMap) -> Self {
        let has = |name: &str| target.query(name).is_some();
        let copies = headers.contains_key(copy::SOURCE);
        let (operation, known) = if target.key.is_some() {
            on_object(method, has, copies)
        } else if target.bucket.is_some() {
            on_bucket(method, has)
        } else {
            on_service(method, has)
        };
        let overrides = operation == Self::GetObject;
        let fine = |name: &str| {
            known.contains(&name)
                || name == traffic::NAME
                || URL_PARAMETERS.contains(&name)
                || overrides && get::OVERRIDES.iter().any(|(parameter, _)| *parameter == name)
        };
        let known = target.query.iter().all(|(name, _)| fine(name));
        if known && (!copies || matches!(operation, Self::CopyObject | Self::UploadPartCopy)) {
            operation
        } else {
            Self::Unknown
        }
    }
}

/// An operation and the parameters it knows.
type Told = (Operation, &'static [&'static str]);

fn on_object(method: &Method, has: impl Fn(&str) -> bool, copies: bool) -> Told {
    use Operation::*;
    match method.as_str() {
        "PUT" if has("uploadId") && has("partNumber") => {
            (if copies { UploadPartCopy } else { UploadPart }, &["uploadId", "partNumber"])
        }
        "PUT" if has("tagging") => (PutObjectTagging, &["tagging", VERSION]),
        "PUT" if has("acl") => (PutObjectAcl, &["acl", VERSION]),
        "PUT" if copies => (CopyObject, &[]),
        "PUT" => (PutObject, &["callback", "callback-var"]),
        "POST" if has("uploads") => (InitiateMultipartUpload, &["uploads", "encoding-type"]),
        "POST" if has("uploadId") => {
            (CompleteMultipartUpload, &["uploadId", "callback", "callback-var", "encoding-type"])
        }
        "GET" if has("uploadId") => (ListParts, &["uploadId", "max-parts", "part-number-marker", "encoding-type"]),
        "GET" if has("tagging") => (GetObjectTagging, &["tagging", VERSION]),
        "GET" if has("acl") => (GetObjectAcl, &["acl", VERSION]),
        "GET" | "HEAD" if has("objectMeta") => (GetObjectMeta, &["objectMeta", VERSION]),
        "GET" => (GetObject, &[VERSION]),
        "HEAD" => (HeadObject, &[VERSION]),
        "DELETE" if has("uploadId") => (AbortMultipartUpload, &["uploadId"]),
        "DELETE" if has("tagging") => (DeleteObjectTagging, &["tagging", VERSION]),
        "DELETE" => (DeleteObject, &[VERSION]),
        _ => (Unknown, &[]),
    }
}

fn on_bucket(method: &Method, has: impl Fn(&str) -> bool) -> Told {
    use Operation::*;
    match method.as_str() {
        "GET" if has("bucketInfo") => (GetBucketInfo, &["bucketInfo"]),
        "GET" if has("versioning") => (GetBucketVersioning, &["versioning"]),
        "GET" if has("location") => (GetBucketLocation, &["location"]),
        "GET" if has("stat") => (GetBucketStat, &["stat"]),
        "GET" if has("acl") => (GetBucketAcl, &["acl"]),
        "GET" if has("uploads") => (
            ListMultipartUploads,
            &["uploads", "prefix", "delimiter", "key-marker", "upload-id-marker", "max-uploads", "encoding-type"],
        ),
        "GET" if has("list-type") => (
            ListObjectsV2,
            &[
                "list-type",
                "prefix",
                "delimiter",
                "start-after",
                "continuation-token",
                "max-keys",
                "fetch-owner",
                "encoding-type",
            ],
        ),
        "GET" => (ListObjects, &["prefix", "delimiter", "marker", "max-keys", "encoding-type"]),
        "PUT" => (PutBucket, &[]),
        "POST" if has("delete") => (DeleteMultipleObjects, &["delete", "encoding-type"]),
        "POST" => (PostObject, &[]),
        _ => (Unknown, &[]),
    }
}

fn on_service(method: &Method, has: impl Fn(&str) -> bool) -> Told {
    use Operation::*;
    match method.as_str() {
        "GET" if has("regions") => (DescribeRegions, &["regions"]),
        "GET" => (ListBuckets, &["prefix", "marker", "max-keys"]),
        _ => (Unknown, &[]),
    }
}

#[cfg(test)]
#[path = "operation_tests.rs"]
mod tests;
