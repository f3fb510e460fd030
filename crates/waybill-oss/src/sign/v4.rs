//! Signature version 4, `OSS4-HMAC-SHA256`: pure functions, the time is passed in.
//!
//! [Include a V4 signature in the Authorization header; go2 `oss/signer/v4.go`]

use std::fmt;
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Signable, Signed};
use crate::credential::Credential;
use crate::escape;

/// Value of `x-oss-content-sha256`: the body is not part of the signature, CRC-64 guards it.
pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
/// The header that says what of the body is signed.
pub(crate) const CONTENT_SHA256: &str = "x-oss-content-sha256";
/// The name of the version on the wire.
pub(crate) const ALGORITHM: &str = "OSS4-HMAC-SHA256";

/// When and for which region a signature is good.
pub(crate) struct Scope<'a> {
    /// `yyyymmddThhmmssZ`, the value of `x-oss-date`.
    pub(crate) stamp: String,
    region: &'a str,
    /// What stands behind the AccessKey id, and in what is signed.
    path: String,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(at: Timestamp, region: &'a str) -> Self {
        let stamp = at.strftime("%Y%m%dT%H%M%SZ").to_string();
        let path = format!("{}/{region}/oss/aliyun_v4_request", date_of(&stamp));
        Scope { stamp, region, path }
    }

    /// The AccessKey id with the scope behind it, the value of `x-oss-credential`.
    pub(crate) fn credential(&self, access_key_id: &str) -> String {
        format!("{access_key_id}/{}", self.path)
    }

    /// `yyyymmdd`.
    fn date(&self) -> &str {
        date_of(&self.stamp)
    }
}

fn date_of(stamp: &str) -> &str {
    stamp.split('T').next().unwrap_or_default()
}

/// The request in its canonical form. `additional` are the names that [`additional_names`] left.
///
/// In one text from the beginning: many texts that are put together take longer than the hash of them.
fn canonical_request(request: &Signable<'_>, additional: &[String]) -> String {
    let mut text = String::with_capacity(512);
    text.extend([request.method, "\n/"]);
    if let Some(bucket) = request.bucket {
        text.extend([bucket, "/"]);
        escape::push_path(&mut text, request.key.unwrap_or_default());
    }
    text.push('\n');
    let mut query: Vec<(String, String)> =
        request.query.iter().map(|(name, value)| (escape::component(name), escape::component(value))).collect();
    query.sort();
    for (at, (name, value)) in query.iter().enumerate() {
        text.extend([if at == 0 { "" } else { "&" }, name]);
        if !value.is_empty() {
            text.extend(["=", value]);
        }
    }
    text.push('\n');
    let all = request.headers();
    for (name, value) in all.iter().filter(|(name, _)| always_signed(name) || additional.iter().any(|a| a == *name)) {
        text.extend([name, ":", value, "\n"]);
    }
    let payload = all.get(CONTENT_SHA256).copied().unwrap_or(UNSIGNED_PAYLOAD);
    text.extend(["\n", &additional.join(";"), "\n", payload]);
    text
}

/// What is signed: algorithm, time, scope, and the hash of the canonical request.
fn string_to_sign(scope: &Scope<'_>, canonical_request: &str) -> String {
    let hash = hex(&Sha256::digest(canonical_request.as_bytes()));
    format!("{ALGORITHM}\n{}\n{}\n{hash}", scope.stamp, scope.path)
}

/// Signs a request whose headers and query are complete; `sign` is [`SigningKey::sign`] of the scope's key.
pub(crate) fn signed(
    sign: impl FnOnce(&str) -> String,
    scope: &Scope<'_>,
    request: &Signable<'_>,
    additional: &[String],
) -> Signed {
    let canonical_request = canonical_request(request, additional);
    let string_to_sign = string_to_sign(scope, &canonical_request);
    let signature = sign(&string_to_sign);
    Signed { canonical_request: Some(canonical_request), string_to_sign, signature }
}

/// The value of the Authorization header.
pub(crate) fn authorization(access_key_id: &str, scope: &Scope<'_>, additional: &[String], signature: &str) -> String {
    let additional = match additional.join(";") {
        names if names.is_empty() => names,
        names => format!(",AdditionalHeaders={names}"),
    };
    format!("{ALGORITHM} Credential={access_key_id}/{}{additional},Signature={signature}", scope.path)
}

/// The additional names that count: lower case, sorted, on the request, and not signed anyway. OSS refuses a list with
/// absent names, another order or upper case (EC 0002-00000209, -210).
pub(crate) fn additional_names(request: &Signable<'_>, additional: &[String]) -> Vec<String> {
    if additional.is_empty() {
        return Vec::new();
    }
    let headers = request.headers();
    let mut names: Vec<String> = additional.iter().map(|name| name.to_ascii_lowercase()).collect();
    names.retain(|name| headers.contains_key(name.as_str()) && !always_signed(name));
    names.sort();
    names.dedup();
    names
}

fn always_signed(name: &str) -> bool {
    matches!(name, "content-type" | "content-md5") || name.starts_with("x-oss-")
}

/// A key that signs for one day and one region.
#[derive(Clone)]
pub(crate) struct SigningKey([u8; 32]);

impl SigningKey {
    fn derive(access_key_secret: &str, scope: &Scope<'_>) -> Self {
        let first = hmac(format!("aliyun_v4{access_key_secret}").as_bytes(), scope.date());
        let region = hmac(&first, scope.region);
        let product = hmac(&region, "oss");
        SigningKey(hmac(&product, "aliyun_v4_request"))
    }

    /// HMAC-SHA256 in lower-case hex.
    pub(crate) fn sign(&self, text: &str) -> String {
        hex(&hmac(&self.0, text))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

/// The signing key in use, kept while day, region and AccessKey stay the same: deriving it takes longer than signing.
#[derive(Default)]
pub(crate) struct DayKeys(Mutex<Option<Kept>>);

struct Kept {
    date: String,
    region: String,
    credential: Credential,
    key: SigningKey,
}

impl DayKeys {
    /// The key for this scope, derived if it is not the one that was asked for last.
    pub(crate) fn key(&self, credential: &Credential, scope: &Scope<'_>) -> SigningKey {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |kept: &&Kept| {
            kept.date == scope.date() && kept.region == scope.region && kept.credential.same_keys(credential)
        };
        if let Some(kept) = kept.as_ref().filter(fits) {
            return kept.key.clone();
        }
        let key = SigningKey::derive(credential.access_key_secret(), scope);
        *kept = Some(Kept {
            date: scope.date().to_owned(),
            region: scope.region.to_owned(),
            credential: credential.clone(),
            key: key.clone(),
        });
        key
    }
}

impl fmt::Debug for DayKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DayKeys(***)")
    }
}

fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    // HMAC takes keys of every length: a longer one than the block is hashed first (RFC 2104).
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    let mut text = String::with_capacity(2 * bytes.len());
    text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope<'a>(at: &str, region: &'a str) -> Scope<'a> {
        Scope::new(at.parse().expect("time"), region)
    }

    #[test]
    fn additional_headers_are_listed_sorted_and_only_when_present() {
        let headers =
            [("Content-Length".to_owned(), "5".to_owned()), ("content-disposition".to_owned(), "x".to_owned())];
        let request = Signable { method: "PUT", bucket: None, key: None, query: &[], headers: &headers };
        let asked = ["Content-Length", "host", "content-disposition", "content-length"].map(str::to_owned);
        let names = additional_names(&request, &asked);
        assert_eq!(names, ["content-disposition", "content-length"]);
        let scope = scope("2025-03-14T09:26:53Z", "cn-hangzhou");
        let header = authorization("ak", &scope, &names, "f00");
        let listed = "/aliyun_v4_request,AdditionalHeaders=content-disposition;content-length,Signature=f00";
        assert!(header.ends_with(listed), "{header}");
        assert!(!authorization("ak", &scope, &[], "f00").contains("AdditionalHeaders"));
    }

    #[test]
    fn a_kept_key_is_never_used_for_another_day_region_or_access_key() {
        let kept = DayKeys::default();
        let hangzhou = scope("2024-12-31T23:59:59Z", "cn-hangzhou");
        let next_day = scope("2025-01-01T00:00:00Z", "cn-hangzhou");
        let shanghai = scope("2024-12-31T23:59:59Z", "cn-shanghai");
        let (first, second) = (Credential::new("ak", "sk", None), Credential::new("ak", "changed", None));
        let mut seen = std::collections::BTreeSet::new();
        for (credential, scope) in [
            (&first, &hangzhou),
            (&first, &hangzhou),
            (&first, &next_day),
            (&first, &hangzhou),
            (&first, &shanghai),
            (&second, &shanghai),
            (&second, &hangzhou),
        ] {
            let fresh = SigningKey::derive(credential.access_key_secret(), scope).sign("text");
            assert_eq!(kept.key(credential, scope).sign("text"), fresh);
            seen.insert(fresh);
        }
        assert_eq!(seen.len(), 5, "the keys of the five differ");
    }

    #[test]
    fn neither_key_nor_secret_is_in_debug() {
        let kept = DayKeys::default();
        let key = kept.key(&Credential::new("ak", "s3cr3t", None), &scope("2025-01-01T00:00:00Z", "cn-hangzhou"));
        assert_eq!(format!("{key:?} {kept:?}"), "SigningKey(***) DayKeys(***)");
    }
}
