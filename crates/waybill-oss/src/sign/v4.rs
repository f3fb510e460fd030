//! Signature version 4, `OSS4-HMAC-SHA256`, in the Authorization header: pure functions, the time is passed in.
//!
//! [Include a V4 signature in the Authorization header; go2 `oss/signer/v4.go`]

use std::collections::BTreeMap;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::Signable;
use crate::escape;

/// Value of `x-oss-content-sha256`: the body is not part of the signature, CRC-64 guards it.
pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

const ALGORITHM: &str = "OSS4-HMAC-SHA256";

/// When and for which region a signature is good.
pub(crate) struct Scope {
    /// `yyyymmdd`.
    pub(crate) date: String,
    /// `yyyymmddThhmmssZ`, the value of `x-oss-date`.
    pub(crate) stamp: String,
    region: String,
}

impl Scope {
    pub(crate) fn new(at: Timestamp, region: &str) -> Self {
        let stamp = at.strftime("%Y%m%dT%H%M%SZ").to_string();
        Scope { date: stamp[..8].to_owned(), stamp, region: region.to_owned() }
    }

    fn path(&self) -> String {
        format!("{}/{}/oss/aliyun_v4_request", self.date, self.region)
    }
}

/// The request in its canonical form. `additional` names headers to sign beyond the ones that always are.
pub(crate) fn canonical_request(request: &Signable<'_>, additional: &[&str]) -> String {
    let uri = match (request.bucket, request.key) {
        (Some(bucket), key) => format!("/{bucket}/{}", escape::path(key.unwrap_or_default())),
        (None, _) => "/".to_owned(),
    };
    let mut query: Vec<(String, String)> =
        request.query.iter().map(|(name, value)| (escape::component(name), escape::component(value))).collect();
    query.sort();
    let query: Vec<String> = query
        .into_iter()
        .map(|(name, value)| if value.is_empty() { name } else { format!("{name}={value}") })
        .collect();
    let all = request.headers();
    let extra = additional_names(&all, additional);
    let mut headers = String::new();
    for (name, value) in all.iter().filter(|(name, _)| always_signed(name) || extra.contains(name)) {
        headers += &format!("{name}:{value}\n");
    }
    let extra = extra.join(";");
    format!("{}\n{uri}\n{}\n{headers}\n{extra}\n{UNSIGNED_PAYLOAD}", request.method, query.join("&"))
}

/// What is signed: algorithm, time, scope, and the hash of the canonical request.
pub(crate) fn string_to_sign(scope: &Scope, canonical_request: &str) -> String {
    let hash = hex(&Sha256::digest(canonical_request.as_bytes()));
    format!("{ALGORITHM}\n{}\n{}\n{hash}", scope.stamp, scope.path())
}

/// The value of the Authorization header.
pub(crate) fn authorization(
    access_key_id: &str,
    key: &SigningKey,
    scope: &Scope,
    request: &Signable<'_>,
    additional: &[&str],
) -> String {
    let signature = key.sign(&string_to_sign(scope, &canonical_request(request, additional)));
    let extra = match additional_names(&request.headers(), additional).join(";") {
        names if names.is_empty() => names,
        names => format!(",AdditionalHeaders={names}"),
    };
    format!("{ALGORITHM} Credential={access_key_id}/{}{extra},Signature={signature}", scope.path())
}

/// A key that signs for one day and one region. Worth keeping for the day: deriving it takes longer than signing.
#[derive(Clone)]
pub(crate) struct SigningKey([u8; 32]);

impl SigningKey {
    pub(crate) fn derive(access_key_secret: &str, scope: &Scope) -> Self {
        let first = hmac(format!("aliyun_v4{access_key_secret}").as_bytes(), &scope.date);
        let region = hmac(&first, &scope.region);
        let product = hmac(&region, "oss");
        SigningKey(hmac(&product, "aliyun_v4_request"))
    }

    fn sign(&self, text: &str) -> String {
        hex(&hmac(&self.0, text))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

fn always_signed(name: &str) -> bool {
    matches!(name, "content-type" | "content-md5") || name.starts_with("x-oss-")
}

/// The additional names that count: lower case, sorted, on the request, and not signed anyway. OSS refuses a list with
/// absent names, another order or upper case (EC 0002-00000209, -210).
fn additional_names(headers: &BTreeMap<String, &str>, additional: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = additional.iter().map(|name| name.to_ascii_lowercase()).collect();
    names.retain(|name| headers.contains_key(name) && !always_signed(name));
    names.sort();
    names.dedup();
    names
}

fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    // HMAC takes keys of every length: a longer one than the block is hashed first (RFC 2104).
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn pairs(object: &Value) -> Vec<(String, String)> {
        let pair = |(name, value): (&String, &Value)| (name.clone(), value.as_str().unwrap_or_default().to_owned());
        object.as_object().expect("object").iter().map(pair).collect()
    }

    #[test]
    fn every_vector_of_the_sdks_is_reproduced() {
        let vectors: Value = serde_json::from_str(include_str!("../../tests/fixtures/oss-sign-v4.json")).expect("json");
        let vectors = vectors.as_array().expect("vectors");
        assert!(vectors.len() > 40, "only {} vectors", vectors.len());
        for vector in vectors {
            let id = vector["id"].as_str().expect("id");
            let text = |name: &str| vector[name].as_str().filter(|text| !text.is_empty());
            let additional: Vec<&str> =
                vector["additional_headers"].as_array().expect("list").iter().filter_map(Value::as_str).collect();
            let (query, headers) = (pairs(&vector["query"]), pairs(&vector["headers"]));
            let request = Signable {
                method: text("method").expect("method"),
                bucket: text("bucket"),
                key: text("key"),
                query: &query,
                headers: &headers,
            };
            let at: Timestamp = text("time").expect("time").parse().expect("time");
            let scope = Scope::new(at, text("region").expect("region"));
            let key = SigningKey::derive(text("access_key_secret").expect("secret"), &scope);
            let canonical = canonical_request(&request, &additional);
            assert_eq!(canonical, text("canonical_request").expect("canonical"), "{id}");
            assert_eq!(string_to_sign(&scope, &canonical), text("string_to_sign").expect("string"), "{id}");
            let header = authorization(text("access_key_id").expect("id"), &key, &scope, &request, &additional);
            let signature = header.rsplit_once("Signature=").expect("signature").1;
            assert_eq!(signature, text("signature").expect("signature"), "{id}");
        }
    }

    #[test]
    fn additional_headers_are_listed_sorted_and_only_when_present() {
        let headers =
            [("Content-Length".to_owned(), "5".to_owned()), ("content-disposition".to_owned(), "x".to_owned())];
        let request = Signable { method: "PUT", bucket: None, key: None, query: &[], headers: &headers };
        let scope = Scope::new(Timestamp::UNIX_EPOCH, "cn-hangzhou");
        let key = SigningKey::derive("sk", &scope);
        let header = authorization("ak", &key, &scope, &request, &["Content-Length", "host", "content-disposition"]);
        let listed = "/aliyun_v4_request,AdditionalHeaders=content-disposition;content-length,Signature=";
        assert!(header.contains(listed), "{header}");
        assert!(!authorization("ak", &key, &scope, &request, &["host"]).contains("AdditionalHeaders"));
    }

    #[test]
    fn the_signing_key_is_not_in_debug() {
        let key = SigningKey::derive("sk", &Scope::new(Timestamp::UNIX_EPOCH, "cn-hangzhou"));
        assert_eq!(format!("{key:?}"), "SigningKey(***)");
    }
}
