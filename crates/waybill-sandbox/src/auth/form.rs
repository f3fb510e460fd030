//! PostObject forms: the policy field is what is signed, and it says what the other fields may be.
//!
//! Source: *PostObject*, *A V1 signature in a PostObject request*, *POST V4 signature*; ECs from their pages.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Verifier, clock, denied, mismatch, policy::Policy, v1, v4};
use crate::{answer::OssError, shared::Shared, time};

/// A V4 form is good for seven days from its `x-oss-date`.
const LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);
/// V4 fields that the policy must bind, or they are refused as extra (page of EC 0006-00000228).
const BOUND: [&str; 3] = ["x-oss-credential", "x-oss-date", "x-oss-signature-version"];

/// Checks a form's signature, and its policy against its fields.
///
/// `fields` are all fields but `file`, with lower-case names; the file part's own Content-Type belongs there as
/// `content-type` when no field of that name was sent. Call it with `file_size: None` before the file is taken in and with
/// the size afterwards: the second call looks at `content-length-range` too, and at the expiration once more, since the
/// policy must hold until the whole request has arrived (page of EC 0006-00000213).
pub(crate) fn check_form(
    shared: &Shared,
    fields: &BTreeMap<String, String>,
    file_size: Option<u64>,
) -> Result<(), OssError> {
    check(&shared.verifier(), fields, file_size)
}

pub(super) fn check(
    verifier: &Verifier<'_>,
    fields: &BTreeMap<String, String>,
    file_size: Option<u64>,
) -> Result<(), OssError> {
    let has = |name: &str| fields.contains_key(name);
    let is_v4 = has("x-oss-signature-version") || has("x-oss-credential") || has("x-oss-signature");
    if !is_v4 && !has("signature") && !has("ossaccesskeyid") && !has("policy") {
        return Err(denied("You have no right to access this object because of bucket acl.").ec("0003-00000001"));
    }
    let policy = wanted(fields, "policy")?;
    if is_v4 {
        check_v4(verifier, fields, policy)?;
    } else {
        check_v1(verifier, fields, policy)?;
    }
    let policy = Policy::read(policy)?;
    policy.check_expiration(verifier.now)?;
    if is_v4 && let Some(free) = BOUND.iter().find(|name| !policy.binds(name)) {
        let text = format!("Invalid according to Policy: Extra input fields: {free}");
        return Err(denied(&text).ec("0006-00000228"));
    }
    policy.check_fields(fields, &verifier.config.bucket)?;
    file_size.map_or(Ok(()), |size| policy.check_size(size))
}

fn check_v1(verifier: &Verifier<'_>, fields: &BTreeMap<String, String>, policy: &str) -> Result<(), OssError> {
    let id = wanted(fields, "ossaccesskeyid")?;
    let signature = wanted(fields, "signature")?;
    let secret = verifier.secret(id, token(fields))?;
    if v1::sign(&secret, policy.as_bytes()) == signature {
        return Ok(());
    }
    Err(mismatch("0002-00000705", id, signature, policy.as_bytes()))
}

fn check_v4(verifier: &Verifier<'_>, fields: &BTreeMap<String, String>, policy: &str) -> Result<(), OssError> {
    let version = wanted(fields, "x-oss-signature-version")?;
    if version != v4::ALGORITHM {
        return Err(OssError::argument("Invalid signature version.", "x-oss-signature-version", version));
    }
    let credential = wanted(fields, "x-oss-credential")?;
    let date = wanted(fields, "x-oss-date")?;
    let signature = wanted(fields, "x-oss-signature")?;
    let scope = v4::Scope::parse(credential, v4::Place::FORM, credential)?;
    let from = time::read_compact(date).ok_or_else(|| {
        OssError::argument("Invalid date in x-oss-date, must be in ISO8601 form.", "x-oss-date", date)
    })?;
    let secret = verifier.secret(scope.access_key_id, token(fields))?;
    let until = from.saturating_add(LIFETIME).unwrap_or(Timestamp::MAX);
    clock::check_lifetime(Some(from), until, verifier.now)?;
    scope.check(date, &verifier.config.region, v4::Place::FORM, credential)?;
    if scope.sign(&secret, policy.as_bytes()) == signature {
        return Ok(());
    }
    Err(mismatch("0002-00000705", scope.access_key_id, signature, policy.as_bytes()))
}

fn token(fields: &BTreeMap<String, String>) -> Option<&str> {
    fields.get("x-oss-security-token").map(String::as_str)
}

fn wanted<'a>(fields: &'a BTreeMap<String, String>, name: &str) -> Result<&'a str, OssError> {
    fields.get(name).map(String::as_str).filter(|value| !value.is_empty()).ok_or_else(|| {
        let text = format!(
            "Bucket POST must contain a field named '{name}'. If it is specified, please check the order of the fields."
        );
        OssError::argument(text, name, "")
    })
}
