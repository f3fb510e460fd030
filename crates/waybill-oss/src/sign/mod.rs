//! Signing: what of a request a signature covers, and putting the seal on it, whichever version computes it.

pub(crate) mod explain;
pub(crate) mod sign_request;
pub(crate) mod v1;
pub(crate) mod v4;

#[cfg(test)]
mod vectors_tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::credential::Credential;
use crate::error::Error;
pub(crate) use v4::DayKeys;

/// The longest a presigned URL of version 4 may live, in seconds: 7 days (EC 0002-00000232).
const LONGEST_V4_SECONDS: u64 = 604_800;

/// How a request is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureVersion {
    /// `OSS4-HMAC-SHA256`, which every account takes [Include a V4 signature in the Authorization header].
    #[default]
    V4,
    /// `OSS id:signature` with HMAC-SHA1, for servers that know nothing newer [Add a signature to the header].
    V1,
}

/// A request as its signature sees it. Nothing here is escaped yet.
pub(crate) struct Signable<'a> {
    pub(crate) method: &'a str,
    pub(crate) bucket: Option<&'a str>,
    pub(crate) key: Option<&'a str>,
    pub(crate) query: &'a [(String, String)],
    pub(crate) headers: &'a [(String, String)],
}

impl Signable<'_> {
    /// Headers by lower-case name, values trimmed, as HTTP libraries send them.
    fn headers(&self) -> BTreeMap<Cow<'_, str>, &str> {
        let lower = |name: &str| name.bytes().all(|byte| !byte.is_ascii_uppercase());
        let name_of = |name| if lower(name) { Cow::from(name) } else { Cow::from(name.to_ascii_lowercase()) };
        self.headers.iter().map(|(name, value)| (name_of(name), value.trim())).collect()
    }
}

/// Who signs, for where, and as of when.
pub(crate) struct Seal<'a> {
    pub(crate) version: SignatureVersion,
    pub(crate) credential: &'a Credential,
    /// Only version 4 names it, without `oss-`.
    pub(crate) region: &'a str,
    pub(crate) at: Timestamp,
    /// Headers that version 4 signs beyond the ones it always does, if they are on the request.
    pub(crate) additional_headers: &'a [String],
    pub(crate) keys: &'a DayKeys,
}

/// What was signed on the way to a signature, for those who compare. It holds the token where there is one.
pub(crate) struct Signed {
    /// Version 1 has none.
    pub(crate) canonical_request: Option<String>,
    pub(crate) string_to_sign: String,
    pub(crate) signature: String,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("signature", &self.signature).finish_non_exhaustive()
    }
}

/// Signs a request in its headers: appends the ones that signing needs and `authorization`. A `Date` that is there
/// already stays for version 1; the others are set anew.
pub(crate) fn seal_headers(
    seal: &Seal<'_>,
    method: &str,
    bucket: Option<&str>,
    key: Option<&str>,
    query: &[(String, String)],
    headers: &mut Vec<(String, String)>,
) -> Signed {
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
    if let Some(token) = seal.credential.security_token() {
        set_header(headers, "x-oss-security-token", token);
    }
    let access_key_id = seal.credential.access_key_id();
    let (signed, authorization) = match seal.version {
        SignatureVersion::V1 => {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("date")) {
                headers.push(("date".to_owned(), v1::http_date(seal.at)));
            }
            let request = Signable { method, bucket, key, query, headers };
            let signed = v1::signed(|text| v1::signature(seal.credential, text), &request, None);
            let authorization = format!("OSS {access_key_id}:{}", signed.signature);
            (signed, authorization)
        }
        SignatureVersion::V4 => {
            let scope = v4::Scope::new(seal.at, seal.region);
            set_header(headers, "x-oss-date", &scope.stamp);
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(v4::CONTENT_SHA256)) {
                headers.push((v4::CONTENT_SHA256.to_owned(), v4::UNSIGNED_PAYLOAD.to_owned()));
            }
            let request = Signable { method, bucket, key, query, headers };
            let additional = v4::additional_names(&request, seal.additional_headers);
            let key = seal.keys.key(seal.credential, &scope);
            let signed = v4::signed(|text| key.sign(text), &scope, &request, &additional);
            let authorization = v4::authorization(access_key_id, &scope, &additional, &signed.signature);
            (signed, authorization)
        }
    };
    headers.push(("authorization".to_owned(), authorization));
    signed
}

/// Signs a request in its query, so that the URL alone is good for `expires` from the time of signing: appends the
/// parameters and the signature. The `headers` that take part must be sent with the URL as they are here.
///
/// Whole seconds count, one at least; version 4 takes 604800 at most. [`Error::Invalid`] says so in words.
pub(crate) fn seal_query(
    seal: &Seal<'_>,
    expires: Duration,
    method: &str,
    bucket: Option<&str>,
    key: Option<&str>,
    query: &mut Vec<(String, String)>,
    headers: &[(String, String)],
) -> Result<Signed, Error> {
    let seconds = expires.as_secs();
    let access_key_id = seal.credential.access_key_id();
    let token = seal.credential.security_token();
    if seconds == 0 {
        return Err(Error::Invalid("A presigned URL must be good for one second at least.".to_owned()));
    }
    match seal.version {
        SignatureVersion::V1 => {
            let end = i64::try_from(seconds).ok().and_then(|seconds| seal.at.as_second().checked_add(seconds));
            let Some(end) = end.map(|end| end.to_string()) else {
                return Err(Error::Invalid(format!("A presigned URL cannot be good for {seconds} seconds.")));
            };
            query.retain(|(name, _)| !matches!(name.as_str(), "OSSAccessKeyId" | "Expires" | "Signature"));
            if let Some(token) = token {
                set_parameter(query, "security-token", token);
            }
            let request = Signable { method, bucket, key, query, headers };
            let signed = v1::signed(|text| v1::signature(seal.credential, text), &request, Some(&end));
            for (name, value) in
                [("OSSAccessKeyId", access_key_id), ("Expires", end.as_str()), ("Signature", &signed.signature)]
            {
                set_parameter(query, name, value);
            }
            Ok(signed)
        }
        SignatureVersion::V4 => {
            if seconds > LONGEST_V4_SECONDS {
                return Err(Error::Invalid(format!(
                    "A presigned URL of signature version 4 is good for 1 to {LONGEST_V4_SECONDS} seconds (7 days), \
                     not for {seconds}."
                )));
            }
            let scope = v4::Scope::new(seal.at, seal.region);
            let additional =
                v4::additional_names(&Signable { method, bucket, key, query, headers }, seal.additional_headers);
            query.retain(|(name, _)| !matches!(name.as_str(), "x-oss-signature" | "x-oss-additional-headers"));
            set_parameter(query, "x-oss-signature-version", v4::ALGORITHM);
            set_parameter(query, "x-oss-date", &scope.stamp);
            set_parameter(query, "x-oss-expires", &seconds.to_string());
            set_parameter(query, "x-oss-credential", &scope.credential(access_key_id));
            if !additional.is_empty() {
                set_parameter(query, "x-oss-additional-headers", &additional.join(";"));
            }
            if let Some(token) = token {
                set_parameter(query, "x-oss-security-token", token);
            }
            let request = Signable { method, bucket, key, query, headers };
            let key = seal.keys.key(seal.credential, &scope);
            let signed = v4::signed(|text| key.sign(text), &scope, &request, &additional);
            set_parameter(query, "x-oss-signature", &signed.signature);
            Ok(signed)
        }
    }
}

fn set_header(headers: &mut Vec<(String, String)>, name: &str, value: &str) {
    headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    headers.push((name.to_owned(), value.to_owned()));
}

fn set_parameter(query: &mut Vec<(String, String)>, name: &str, value: &str) {
    query.retain(|(other, _)| other != name);
    query.push((name.to_owned(), value.to_owned()));
}
