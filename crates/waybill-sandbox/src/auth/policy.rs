//! The policy of a form: until when it holds, and what the fields may be.
//!
//! Source: *PostObject*, appendix *Policy*; ECs from the pages 0006-00000201 to 0006-00000228.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use serde_json::Value;

use super::denied;
use crate::answer::OssError;

pub(super) struct Policy {
    expiration: Timestamp,
    conditions: Vec<Condition>,
}

enum Condition {
    /// A field of this name, in lower case, and what its value must be.
    Field { name: String, test: Test },
    /// Bytes of the file.
    Length { least: u64, most: u64 },
}

enum Test {
    Equal(String),
    StartsWith(String),
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Policy {
    /// Reads the Base64 of the policy's JSON.
    pub(super) fn read(base64: &str) -> Result<Self, OssError> {
        let text = BASE64_STANDARD
            .decode(base64)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| invalid("Invalid Base64 or UTF-8.", "0006-00000201"))?;
        let document: Value = serde_json::from_str(&keep_escaped_dollars(&text))
            .map_err(|_| invalid("Invalid JSON. ", "0006-00000201"))?;
        let (expiration, conditions) = match (document.get("expiration"), document.get("conditions")) {
            (None, None) => return Err(invalid("Policy missing expiration and conditions.", "0006-00000209")),
            (None, _) => return Err(invalid("Policy missing expiration.", "0006-00000208")),
            (_, None) => return Err(invalid("Policy missing conditions.", "0006-00000207")),
            (Some(expiration), Some(conditions)) => (expiration, conditions),
        };
        let expiration = expiration.as_str().ok_or_else(|| invalid("Invalid 'expiration' value.", "0006-00000210"))?;
        let expiration = match expiration.parse() {
            Ok(at) if expiration.ends_with('Z') => at,
            _ => return Err(invalid("Invalid 'expiration' value.", "0006-00000211")),
        };
        let items = conditions
            .as_array()
            .ok_or_else(|| invalid("Invalid 'conditions' value: must be a List.", "0006-00000214"))?;
        let mut conditions = Vec::new();
        for item in items {
            read_condition(item, &mut conditions)?;
        }
        Ok(Self { expiration, conditions })
    }

    pub(super) fn check_expiration(&self, now: Timestamp) -> Result<(), OssError> {
        if now > self.expiration {
            return Err(denied("Invalid according to Policy: Policy expired.").ec("0006-00000213"));
        }
        Ok(())
    }

    /// Whether a condition speaks of this field.
    pub(super) fn binds(&self, field: &str) -> bool {
        self.conditions.iter().any(|condition| matches!(condition, Condition::Field { name, .. } if name == field))
    }

    /// Every condition on a field. `bucket` is no field but the bucket that is asked for.
    pub(super) fn check_fields(&self, fields: &BTreeMap<String, String>, bucket: &str) -> Result<(), OssError> {
        for condition in &self.conditions {
            let Condition::Field { name, test } = condition else { continue };
            let value = if name == "bucket" { Some(bucket) } else { fields.get(name).map(String::as_str) };
            if !test.passes(value) {
                let text = format!("Invalid according to Policy: Policy Condition failed: {}", test.shown(name));
                return Err(denied(&text).ec("0006-00000227"));
            }
        }
        Ok(())
    }

    pub(super) fn check_size(&self, size: u64) -> Result<(), OssError> {
        for condition in &self.conditions {
            let Condition::Length { least, most } = condition else { continue };
            if size > *most {
                let text = "Your proposed upload exceeds the maximum allowed size.";
                return Err(length_error("EntityTooLarge", text, size, "MaxSizeAllowed", *most).ec("0006-00000003"));
            }
            if size < *least {
                let text = "Your proposed upload is smaller than the minimum allowed size.";
                return Err(length_error("EntityTooSmall", text, size, "MinSizeAllowed", *least).ec("0006-00000004"));
            }
        }
        Ok(())
    }
}

impl Test {
    fn passes(&self, value: Option<&str>) -> bool {
        match self {
            Self::Equal(wanted) => value == Some(wanted),
            Self::StartsWith(start) => value.is_some_and(|value| value.starts_with(start.as_str())),
            Self::In(list) => value.is_some_and(|value| list.iter().any(|one| one == value)),
            Self::NotIn(list) => !value.is_some_and(|value| list.iter().any(|one| one == value)),
        }
    }

    /// The condition as the answer shows it: `["eq", "$key", "a"]`.
    fn shown(&self, name: &str) -> String {
        let quoted = |text: &str| Value::from(text).to_string();
        let list = |all: &[String]| format!("[{}]", all.iter().map(|one| quoted(one)).collect::<Vec<_>>().join(", "));
        let (mode, value) = match self {
            Self::Equal(value) => ("eq", quoted(value)),
            Self::StartsWith(value) => ("starts-with", quoted(value)),
            Self::In(values) => ("in", list(values)),
            Self::NotIn(values) => ("not-in", list(values)),
        };
        format!("[\"{mode}\", \"${name}\", {value}]")
    }
}

fn read_condition(item: &Value, into: &mut Vec<Condition>) -> Result<(), OssError> {
    match item {
        Value::Object(map) => {
            for (name, value) in map {
                let value = value.as_str().ok_or_else(wrong_type)?;
                into.push(Condition::Field { name: field_name(name), test: Test::Equal(plain(value)) });
            }
            Ok(())
        }
        Value::Array(list) => {
            into.push(read_list(list)?);
            Ok(())
        }
        _ => Err(invalid("Invalid 'conditions' value: must be a Map or a List.", "0006-00000222")),
    }
}

fn read_list(list: &[Value]) -> Result<Condition, OssError> {
    let [mode, first, second] = list else {
        let ec = if list.len() < 3 { "0006-00000216" } else { "0006-00000218" };
        return Err(invalid("Invalid 'conditions' value: wrong number of parameters.", ec));
    };
    let mode = mode.as_str().ok_or_else(wrong_type)?;
    if mode == "content-length-range" {
        let number = |value: &Value| value.as_u64().ok_or_else(|| invalid("Invalid JSON. ", "0006-00000221"));
        let (least, most) = (number(first)?, number(second)?);
        if most < least {
            return Err(invalid("Invalid 'content-length-range' value.", "0006-00000219"));
        }
        return Ok(Condition::Length { least, most });
    }
    let one = || second.as_str().map(plain).ok_or_else(wrong_type);
    let many = || {
        let list = second.as_array().ok_or_else(wrong_type)?;
        list.iter().map(|one| one.as_str().map(plain).ok_or_else(wrong_type)).collect::<Result<Vec<_>, _>>()
    };
    let test = match mode {
        "eq" => Test::Equal(one()?),
        "starts-with" => Test::StartsWith(one()?),
        "in" => Test::In(many()?),
        "not-in" => Test::NotIn(many()?),
        _ => return Err(invalid("Invalid 'conditions' value: unknown matching mode.", "0006-00000216")),
    };
    Ok(Condition::Field { name: field_name(first.as_str().ok_or_else(wrong_type)?), test })
}

/// Field names do not mind case and may come without their `$`, as on the page of EC 0006-00000227.
fn field_name(name: &str) -> String {
    let name = plain(name);
    name.strip_prefix('$').unwrap_or(&name).to_ascii_lowercase()
}

/// In a policy `\$` is a dollar sign, which JSON does not know as an escape: it is kept as a backslash and a dollar.
fn keep_escaped_dollars(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut escaped = false;
    for c in text.chars() {
        if escaped && c == '$' {
            out.push('\\');
        }
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out
}

/// Undoes `\$`.
fn plain(value: &str) -> String {
    value.replace("\\$", "$")
}

fn length_error(code: &'static str, text: &str, size: u64, bound: &'static str, value: u64) -> OssError {
    OssError::new(400, code, text).with("ProposedSize", size.to_string()).with(bound, value.to_string())
}

fn wrong_type() -> OssError {
    invalid("Invalid 'conditions' value: wrong type of a parameter.", "0006-00000224")
}

fn invalid(what: &str, ec: &'static str) -> OssError {
    OssError::new(400, "InvalidPolicyDocument", format!("Invalid Policy: {what}")).ec(ec)
}
