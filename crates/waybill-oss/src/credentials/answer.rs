//! The JSON that keys come in, in all the shapes that are about.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::failure::Failure;
use crate::credential::Credential;

/// Reads `{AccessKeyId, AccessKeySecret[, SecurityToken, Expiration]}`, bare, with the `Code` of the credentials URI and
/// the metadata service, with the `StatusCode` of the mobile demo, or within the `Credentials` of AssumeRole. Names may
/// be written `AccessKeyId`, `accessKeyId` or `access_key_id`.
pub(super) fn keys(origin: &'static str, body: &[u8]) -> Result<Credential, Failure> {
    let lasting = |message: String| Failure::lasting(origin, message);
    let Some(Value::Object(whole)) = json(body) else {
        return Err(lasting("what it gave is not a JSON object".to_owned()));
    };
    if let Some(refusal) = refusal(origin, &whole) {
        return Err(refusal);
    }
    let fields = match find(&whole, &["Credentials"]) {
        Some(Value::Object(inner)) => inner,
        _ => &whole,
    };
    let text = |names: &[&str]| match find(fields, names) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Some(_) => Err(lasting(format!("{} is not text", names[0]))),
    };
    let missing = |name: &str| {
        let form = find(fields, &["policy"]).is_some() && find(fields, &["signature"]).is_some();
        lasting(if form {
            "it gave a signed upload form, not keys".to_owned()
        } else {
            format!("what it gave has no {name}")
        })
    };
    let id = text(&["AccessKeyId"])?.ok_or_else(|| missing("AccessKeyId"))?;
    let secret = text(&["AccessKeySecret"])?.ok_or_else(|| missing("AccessKeySecret"))?;
    let credential = Credential::new(id, secret, text(&["SecurityToken", "StsToken"])?);
    match text(&["Expiration"])? {
        None => Ok(credential),
        Some(end) => {
            let end: Timestamp =
                end.parse().map_err(|_| lasting("Expiration is not a time such as 2025-01-01T00:00:00Z".to_owned()))?;
            Ok(credential.with_expiry(end))
        }
    }
}

/// What the source said instead of giving keys, for an answer whose HTTP status is not good.
pub(super) fn refused(origin: &'static str, status: u16, passing: bool, body: &[u8]) -> Failure {
    let said = match json(body) {
        Some(Value::Object(fields)) => words(&fields),
        _ => String::new(),
    };
    Failure::Fetch { origin, message: format!("it answered {status}{said}"), passing }
}

pub(super) fn json(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)).ok()
}

/// The field of one of these names, however it is written.
pub(super) fn find<'a>(fields: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    let wanted = |name: &&str| fields.iter().find(|(key, _)| plain(key) == plain(name)).map(|(_, value)| value);
    names.iter().find_map(wanted)
}

/// A name without what differs between the ways to write it.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// `StatusCode` other than 200, or `Code` other than `Success`.
fn refusal(origin: &'static str, fields: &Map<String, Value>) -> Option<Failure> {
    let status = match find(fields, &["StatusCode"]) {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    if let Some(status) = status.filter(|status| *status != 200) {
        let message = format!("it answered {status}{}", words(fields));
        return Some(Failure::Fetch { origin, message, passing: matches!(status, 408 | 429 | 500..) });
    }
    match find(fields, &["Code"]) {
        Some(Value::String(code)) if !code.eq_ignore_ascii_case("success") => {
            Some(Failure::lasting(origin, format!("it refused{}", words(fields))))
        }
        _ => None,
    }
}

/// The server's own words: a code and a message, made fit for one line. They are cut later, when no secret is in them.
fn words(fields: &Map<String, Value>) -> String {
    let text = |names: &[&str]| {
        let text = find(fields, names)?.as_str()?;
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Some(line.trim().to_owned()).filter(|line| !line.is_empty())
    };
    match (text(&["ErrorCode", "Code"]), text(&["ErrorMessage", "Message"])) {
        (Some(code), Some(message)) => format!(" {code}: {message}"),
        (Some(words), None) | (None, Some(words)) => format!(": {words}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
