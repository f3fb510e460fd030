//! Presigned URLs: the signature and all it needs stand in the query.
//!
//! Source: *Add signatures to a URL* for V1, *Include a V4 signature in a URL* for V4.

use jiff::{SignedDuration, Timestamp};

use super::{Asked, Verifier, clock, denied, v1, v4};
use crate::{answer::OssError, route::Target, time};

/// A week.
const LONGEST_SECONDS: i64 = 604_800;

/// Query parameters that say who asks, of both versions, and nothing of what is asked.
pub(crate) const URL_PARAMETERS: [&str; 11] = [
    "OSSAccessKeyId",
    "Expires",
    "Signature",
    "security-token",
    "x-oss-signature-version",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-expires",
    "x-oss-signature",
    "x-oss-additional-headers",
    "x-oss-security-token",
];

/// Which version of URL signature a query claims to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    V1,
    V4,
}

impl Kind {
    /// One parameter of a kind makes the request one of that kind, so that a missing other one is told.
    pub(super) fn of(target: &Target) -> Option<Self> {
        let has = |names: &[&str]| names.iter().any(|name| target.query(name).is_some());
        if has(&["x-oss-signature-version", "x-oss-signature", "x-oss-credential"]) {
            Some(Self::V4)
        } else if has(&["OSSAccessKeyId", "Signature"]) {
            Some(Self::V1)
        } else {
            None
        }
    }
}

/// Checks `OSSAccessKeyId`, `Expires` (Unix seconds), `Signature` and, of temporary keys, `security-token`.
pub(super) fn check_v1(verifier: &Verifier<'_>, asked: Asked<'_>) -> Result<(), OssError> {
    let query = |name: &str| asked.target.query(name);
    let incomplete =
        || denied("Query-string authentication requires the Signature, Expires and OSSAccessKeyId parameters.");
    let expires = query("Expires").ok_or_else(|| incomplete().ec("0002-00000067"))?;
    if expires.is_empty() {
        return Err(incomplete().ec("0002-00000068"));
    }
    let (Some(id), Some(signature)) = (query("OSSAccessKeyId"), query("Signature")) else {
        return Err(incomplete());
    };
    let until = whole_number(expires).and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or_else(|| {
        denied("Invalid date (should be seconds since epoch).").ec("0002-00000070").with("Expires", expires)
    })?;
    let secret = verifier.secret(id, query("security-token"))?;
    clock::check_lifetime(None, until, verifier.now)?;
    v1::check_signature(asked, id, &secret, expires, signature)
}

/// Checks the `x-oss-` parameters of V4. Headers that were signed must come with the URL, or the signature differs.
pub(super) fn check_v4(verifier: &Verifier<'_>, asked: Asked<'_>) -> Result<(), OssError> {
    let query = |name: &str| asked.target.query(name);
    let wanted = |name: &'static str, ec: Option<&'static str>| {
        query(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            let error = OssError::argument(format!("{name} is missing."), name, "");
            ec.map_or(error.clone(), |ec| error.ec(ec))
        })
    };
    let version = query("x-oss-signature-version").unwrap_or_default();
    if version != v4::ALGORITHM {
        let text = "Invalid signature version.";
        return Err(OssError::argument(text, "x-oss-signature-version", version).ec("0002-00000066"));
    }
    let credential = wanted("x-oss-credential", Some("0002-00000217"))?;
    let expires = wanted("x-oss-expires", Some("0002-00000215"))?;
    let date = wanted("x-oss-date", None)?;
    let signature = wanted("x-oss-signature", None)?;
    let scope = v4::Scope::parse(credential, v4::Place::URL, credential)?;
    let seconds = whole_number(expires).filter(|seconds| (1..=LONGEST_SECONDS).contains(seconds)).ok_or_else(|| {
        OssError::argument("x-oss-expires must be a number from 1 to 604800.", "x-oss-expires", expires)
            .ec("0002-00000232")
    })?;
    let from = time::read_compact(date).ok_or_else(|| {
        OssError::argument("Invalid date in x-oss-date, must be in ISO8601 form.", "x-oss-date", date)
    })?;
    let secret = verifier.secret(scope.access_key_id, query("x-oss-security-token"))?;
    let until = from.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
    clock::check_lifetime(Some(from), until, verifier.now)?;
    scope.check(date, &verifier.config.region, v4::Place::URL, credential)?;
    let additional = query("x-oss-additional-headers");
    v4::check_additional(additional, asked.headers)?;
    v4::check_signature(asked, &scope, &secret, date, additional.unwrap_or_default(), signature)
}

/// Digits only: no sign, no space.
fn whole_number(text: &str) -> Option<i64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}
