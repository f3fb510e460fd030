//! Signature version 1, HMAC-SHA1 in Base64: pure functions, the time is passed in.
//!
//! [Add a signature to the header; Add signatures to a URL; go2 `oss/signer/v1.go`; py1 `auth.py`]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha1::Sha1;

use super::{Signable, Signed};
use crate::credential::Credential;

/// The query parameters that are part of the resource, in byte order: the union of the lists in py1 `auth.py`, go2
/// `oss/signer/v1.go` and Java `SignParameters.java`. Names that begin with `x-oss-` or `udf` are too.
const SUB_RESOURCES: [&str; 69] = [
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

/// What is signed. The date is `expires` in a presigned URL (Unix seconds), else `x-oss-date`, else `Date`.
fn string_to_sign(request: &Signable<'_>, expires: Option<&str>) -> String {
    let headers = request.headers();
    let header = |name: &str| headers.get(name).copied().unwrap_or_default();
    let date = match (expires, headers.get("x-oss-date")) {
        (Some(expires), _) => expires,
        (None, Some(date)) => date,
        (None, None) => header("date"),
    };
    let (method, md5, content_type) = (request.method, header("content-md5"), header("content-type"));
    let mut text = format!("{method}\n{md5}\n{content_type}\n{date}\n");
    for (name, value) in headers.iter().filter(|(name, _)| name.starts_with("x-oss-")) {
        text += &format!("{name}:{value}\n");
    }
    text + &resource(request)
}

/// `/bucket/key` and the sub-resources, nothing of it escaped.
fn resource(request: &Signable<'_>) -> String {
    let mut text = match (request.bucket, request.key) {
        (Some(bucket), key) => format!("/{bucket}/{}", key.unwrap_or_default()),
        (None, _) => "/".to_owned(),
    };
    let mut parameters: Vec<&(String, String)> =
        request.query.iter().filter(|(name, _)| is_sub_resource(name)).collect();
    parameters.sort();
    for (at, (name, value)) in parameters.into_iter().enumerate() {
        text.push(if at == 0 { '?' } else { '&' });
        text += name;
        if !value.is_empty() {
            text.push('=');
            text += value;
        }
    }
    text
}

fn is_sub_resource(name: &str) -> bool {
    name.starts_with("x-oss-") || name.starts_with("udf") || SUB_RESOURCES.binary_search(&name).is_ok()
}

/// Signs a request, or a URL that ends at `expires`; `sign` is [`signature`] with the secret.
pub(crate) fn signed(sign: impl FnOnce(&str) -> String, request: &Signable<'_>, expires: Option<&str>) -> Signed {
    let string_to_sign = string_to_sign(request, expires);
    let signature = sign(&string_to_sign);
    Signed { canonical_request: None, string_to_sign, signature }
}

/// HMAC-SHA1 in Base64.
pub(crate) fn signature(credential: &Credential, text: &str) -> String {
    // HMAC takes keys of every length: a longer one than the block is hashed first (RFC 2104).
    let mut mac = Hmac::<Sha1>::new_from_slice(credential.access_key_secret().as_bytes())
        .expect("HMAC takes keys of every length");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// `Fri, 14 Mar 2025 09:26:53 GMT`, as HTTP writes dates (RFC 1123).
pub(crate) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_sub_resources_is_in_byte_order_so_that_each_is_found() {
        assert!(SUB_RESOURCES.is_sorted());
        assert!(SUB_RESOURCES.iter().all(|name| is_sub_resource(name)));
        for name in ["x-oss-anything", "udfImageDesc"] {
            assert!(is_sub_resource(name), "{name}");
        }
        for name in ["prefix", "max-keys", "encoding-type", "max-parts", "part-number-marker", "list-type", "Acl"] {
            assert!(!is_sub_resource(name), "{name} is not signed");
        }
    }

    #[test]
    fn names_sort_before_values_and_an_empty_value_has_no_equals_sign() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let query = [pair("uploads", ""), pair("x-oss-b", "1"), pair("acl", "a/b c"), pair("prefix", "p")];
        let request = Signable { method: "GET", bucket: Some("b"), key: None, query: &query, headers: &[] };
        assert_eq!(resource(&request), "/b/?acl=a/b c&uploads&x-oss-b=1");
    }

    #[test]
    fn x_oss_date_stands_in_the_place_of_the_date_and_among_the_oss_headers() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = [pair("Date", "now"), pair("X-Oss-Date", "then")];
        let request = Signable { method: "GET", bucket: None, key: None, query: &[], headers: &headers };
        assert_eq!(string_to_sign(&request, None), "GET\n\n\nthen\nx-oss-date:then\n/");
    }
}
