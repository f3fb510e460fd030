//! Signature version 1: HMAC-SHA1 over method, three headers, the `x-oss-` headers and the resource.
//!
//! Source: *Add a signature to the header*; the sub-resources are the union of oss2 `auth.py`, the Go SDK `signer/v1.go`
//! and Java `SignParameters.java`.

use axum::http::HeaderMap;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::{Asked, Verifier, clock, header_token, header_values, mismatch};
use crate::{answer::OssError, route::Target};

/// Query parameters that belong to the resource, besides every `x-oss-…` and `udf…`. Others are not signed at all.
const SUB_RESOURCES: &[&str] = &[
    "acl",
    "append",
    "asyncFetch",
    "bucketArchiveDirectRead",
    "bucketInfo",
    "callback",
    "callback-var",
    "cloudboxes",
    "cname",
    "comp",
    "continuation-token",
    "cors",
    "delete",
    "encryption",
    "endTime",
    "group",
    "httpsConfig",
    "img",
    "inventory",
    "inventoryId",
    "lifecycle",
    "link",
    "live",
    "location",
    "logging",
    "metaQuery",
    "objectInfo",
    "objectMeta",
    "partNumber",
    "policy",
    "position",
    "publicAccessBlock",
    "qos",
    "qosInfo",
    "redundancyTransition",
    "referer",
    "regionList",
    "replication",
    "replicationLocation",
    "replicationProgress",
    "requestPayment",
    "resourceGroup",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "security-token",
    "sequential",
    "startTime",
    "stat",
    "status",
    "style",
    "styleName",
    "symlink",
    "tagging",
    "transferAcceleration",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "vod",
    "website",
    "worm",
    "wormExtend",
    "wormId",
];

/// Checks `Authorization: OSS <AccessKeyId>:<signature>`.
pub(super) fn check_header(verifier: &Verifier<'_>, asked: Asked<'_>, given: &str) -> Result<(), OssError> {
    let invalid = |ec| OssError::argument("Authorization header is invalid.", "Authorization", given).ec(ec);
    let (id, signature) = given["OSS ".len()..].trim().split_once(':').ok_or_else(|| invalid("0002-00000061"))?;
    if signature.is_empty() {
        return Err(invalid("0002-00000065"));
    }
    let (date, at) = clock::request_date(asked.headers)?;
    let secret = verifier.secret(id, header_token(asked.headers).as_deref())?;
    clock::check_skew(at, verifier.now)?;
    check_signature(asked, id, &secret, &date, signature)
}

/// Compares with the signature that the server calculates; `date` is the Date line, or `Expires` of a presigned URL.
pub(super) fn check_signature(
    asked: Asked<'_>,
    id: &str,
    secret: &str,
    date: &str,
    signature: &str,
) -> Result<(), OssError> {
    let to_sign = string_to_sign(asked, date);
    if sign(secret, &to_sign) == signature { Ok(()) } else { Err(mismatch("0002-00000040", id, signature, &to_sign)) }
}

/// Base64 of the HMAC-SHA1.
pub(super) fn sign(secret: &str, message: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(message);
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

pub(super) fn string_to_sign(asked: Asked<'_>, date: &str) -> Vec<u8> {
    let Asked { method, target, headers } = asked;
    let md5 = header_values(headers, "content-md5");
    let content_type = header_values(headers, "content-type");
    let mut out = [method.as_str().as_bytes(), &md5, &content_type, date.as_bytes(), b""].join(&b'\n');
    push_oss_headers(&mut out, headers);
    out.extend_from_slice(resource(target).as_bytes());
    out
}

fn push_oss_headers(out: &mut Vec<u8>, headers: &HeaderMap) {
    let mut names: Vec<&str> = headers.keys().map(|name| name.as_str()).filter(|n| n.starts_with("x-oss-")).collect();
    names.sort_unstable();
    for name in names {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        out.extend_from_slice(&header_values(headers, name));
        out.push(b'\n');
    }
}

fn is_sub_resource(name: &str) -> bool {
    name.starts_with("x-oss-") || name.starts_with("udf") || SUB_RESOURCES.contains(&name)
}

/// `/bucket/key?sub-resources`, nothing of it escaped.
fn resource(target: &Target) -> String {
    let mut out = match (&target.bucket, &target.key) {
        (None, _) => "/".to_owned(),
        (Some(bucket), key) => format!("/{bucket}/{}", key.as_deref().unwrap_or_default()),
    };
    let mut signed: Vec<&(String, String)> = target.query.iter().filter(|(name, _)| is_sub_resource(name)).collect();
    signed.sort();
    for (at, (name, value)) in signed.into_iter().enumerate() {
        out.push(if at == 0 { '?' } else { '&' });
        out.push_str(name);
        if !value.is_empty() {
            out.push('=');
            out.push_str(value);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sub_resources_are_those_of_the_sdks_and_no_others() {
        // The union of the lists of oss2 2.19.1, the Go SDK 1.5.1 and the Java SDK.
        let union: Vec<&str> = include_str!("../../tests/fixtures/v1-sub-resources.txt").lines().collect();
        assert_eq!(union.len(), 69);
        for name in union.iter().chain(&["udf", "udfImageDesc", "x-oss-process", "x-oss-anything"]) {
            assert!(is_sub_resource(name), "{name}");
        }
        assert!(SUB_RESOURCES.iter().all(|name| union.contains(name)));
        for name in ["prefix", "max-keys", "encoding-type", "max-parts", "part-number-marker", "list-type", "Acl", ""] {
            assert!(!is_sub_resource(name), "{name}");
        }
    }
}
