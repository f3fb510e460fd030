//! Forms that a browser posts to OSS: the policy that says what may be uploaded, and the fields that sign it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::credential::Credential;
use crate::error::Error;
use crate::region::normalize_region;
use crate::sign::{DayKeys, SignatureVersion, v1, v4};

/// The longest that a form of version 4 is good for, in seconds from its `x-oss-date`: 7 days [POST V4 signature].
const LONGEST_V4_SECONDS: i64 = 604_800;

/// What a form must be like so that OSS takes it [API page PostObject, appendix Policy].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostPolicy {
    /// Until when it is good; milliseconds count.
    pub expiration: Timestamp,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
}

/// One condition of a [`PostPolicy`]. Field names are those of the form, without `$`; `key`, `content-type`, `x-oss-…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `{"bucket":…}`: the form goes to this bucket.
    Bucket(String),
    /// `{"field":"value"}`: the field has this value, in the form that the page uses for `callback` and `x-oss-…`.
    Is(String, String),
    /// `["eq","$field","value"]`: the field has this value.
    Eq(String, String),
    /// `["starts-with","$field","beginning"]`; an empty beginning fits every value.
    StartsWith(String, String),
    /// `["content-length-range",least,most]`: how long the file may be, in bytes, both included.
    ContentLengthRange(u64, u64),
    /// `["in","$field",[…]]`: the field has one of these values.
    In(String, Vec<String>),
    /// `["not-in","$field",[…]]`: the field has none of these values.
    NotIn(String, Vec<String>),
}

impl PostPolicy {
    /// The policy as JSON. A `$` in a value is written `\$`, as the page asks for, since a bare one stands for a field;
    /// that escape is OSS's own, a strict JSON reader refuses it.
    pub fn json(&self) -> String {
        json_of(self.expiration, &self.conditions)
    }

    /// The fields that a form must carry besides `key` and `file`: the policy and its signature, and the token of
    /// temporary keys. Form fields are sent as they are here, unescaped.
    ///
    /// Version 4 adds the conditions that its own fields must meet, where the policy does not have them yet, and is good
    /// for 7 days from `at` at the most. `region` is looked at by version 4 only. [`Error::Invalid`] says in words what
    /// OSS would refuse: an empty range, an expiration that is over or too far away.
    ///
    /// Source: API pages PostObject, POST V4 signature; py2 `sample/post_object_callback.py`.
    pub fn form_fields(
        &self,
        version: SignatureVersion,
        credential: &Credential,
        region: &str,
        at: Timestamp,
    ) -> Result<Vec<(String, String)>, Error> {
        let left = self.expiration.as_second() - at.as_second();
        if left <= 0 {
            return refuse("it has expired before it is signed".to_owned());
        }
        if version == SignatureVersion::V4 && left > LONGEST_V4_SECONDS {
            return refuse(format!("signature version 4 is good for 7 days at the most, this one for {left} seconds"));
        }
        for condition in &self.conditions {
            match condition {
                Condition::ContentLengthRange(least, most) if least > most => {
                    return refuse(format!("no file is between {least} and {most} bytes long"));
                }
                Condition::In(field, values) if values.is_empty() => {
                    return refuse(format!("no value of “{field}” is in an empty list"));
                }
                _ => {}
            }
        }
        let mut conditions = self.conditions.clone();
        if version == SignatureVersion::V4 {
            for (name, value) in v4_fields(credential, &v4::Scope::new(at, &normalize_region(region)?)) {
                let is = Condition::Is(name, value);
                if !conditions.contains(&is) {
                    conditions.push(is);
                }
            }
        }
        sign_policy(&STANDARD.encode(json_of(self.expiration, &conditions)), version, credential, region, at)
    }
}

/// Signs a policy that is Base64 text already, for those who write their own: the form fields around it, in the order
/// of the pages, with the policy and the token of temporary keys among them.
///
/// Source: as [`PostPolicy::form_fields`]; the signature is over the Base64 text, not over the JSON in it.
pub fn sign_policy(
    policy_base64: &str,
    version: SignatureVersion,
    credential: &Credential,
    region: &str,
    at: Timestamp,
) -> Result<Vec<(String, String)>, Error> {
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let policy = field("policy", policy_base64);
    match version {
        SignatureVersion::V1 => {
            let mut fields = vec![field("OSSAccessKeyId", credential.access_key_id()), policy];
            fields.push(("Signature".to_owned(), v1::signature(credential, policy_base64)));
            fields.extend(credential.security_token().map(|token| field("x-oss-security-token", token)));
            Ok(fields)
        }
        SignatureVersion::V4 => {
            let region = normalize_region(region)?;
            let scope = v4::Scope::new(at, &region);
            let mut fields = v4_fields(credential, &scope);
            let signature = DayKeys::default().key(credential, &scope).sign(policy_base64);
            fields.extend([policy, ("x-oss-signature".to_owned(), signature)]);
            Ok(fields)
        }
    }
}

fn v4_fields(credential: &Credential, scope: &v4::Scope<'_>) -> Vec<(String, String)> {
    let mut fields = vec![
        ("x-oss-signature-version".to_owned(), v4::ALGORITHM.to_owned()),
        ("x-oss-credential".to_owned(), scope.credential(credential.access_key_id())),
        ("x-oss-date".to_owned(), scope.stamp.clone()),
    ];
    fields.extend(credential.security_token().map(|token| ("x-oss-security-token".to_owned(), token.to_owned())));
    fields
}

fn json_of(expiration: Timestamp, conditions: &[Condition]) -> String {
    let conditions: Vec<String> = conditions.iter().map(Condition::json).collect();
    let expiration = expiration.strftime("%Y-%m-%dT%H:%M:%S.%3fZ");
    format!("{{\"expiration\":\"{expiration}\",\"conditions\":[{}]}}", conditions.join(","))
}

impl Condition {
    fn json(&self) -> String {
        match self {
            Condition::Bucket(bucket) => format!("{{\"bucket\":{}}}", quoted(bucket)),
            Condition::Is(field, value) => format!("{{{}:{}}}", quoted(field), quoted(value)),
            Condition::Eq(field, value) => format!("[\"eq\",{},{}]", name(field), quoted(value)),
            Condition::StartsWith(field, value) => format!("[\"starts-with\",{},{}]", name(field), quoted(value)),
            Condition::ContentLengthRange(least, most) => format!("[\"content-length-range\",{least},{most}]"),
            Condition::In(field, values) => format!("[\"in\",{},[{}]]", name(field), list(values)),
            Condition::NotIn(field, values) => format!("[\"not-in\",{},[{}]]", name(field), list(values)),
        }
    }
}

/// A field's name behind the `$` that says it is one.
fn name(field: &str) -> String {
    format!("\"${}", &quoted(field)[1..])
}

fn list(values: &[String]) -> String {
    values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(",")
}

fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string().replace('$', "\\$")
}

fn refuse<T>(why: String) -> Result<T, Error> {
    Err(Error::Invalid(format!("Post policy: {why}.")))
}

#[cfg(test)]
#[path = "post_policy_tests.rs"]
mod tests;
