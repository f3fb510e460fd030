//! The built-in callback receiver: the application's side, which checks the signature, remembers, and answers as told.
//!
//! - `log`: what was received; `verify`: whether OSS or this sandbox sent it
//! - `command`: what to answer; `page`: what was received, for people

mod command;
mod log;
mod page;
mod verify;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Body,
    http::{Method, request::Parts},
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    answer::{OssError, Outcome},
    callback::signed_text,
    guard::Audience,
    intake::{Intake, before_work},
    operation::Operation,
    route::parse_query,
    shared::Shared,
};
use command::Command;

pub(crate) use log::CallbackLog;
pub use log::ReceivedCallback;
pub(crate) use page::page;
pub use verify::Verdict;

/// Longest body taken.
const BODY_LIMIT: usize = 1024 * 1024;
const PATH: &str = "/callback";

/// Whether a request is for the receiver and not for a bucket.
pub(crate) fn is_addressed(head: &Parts) -> bool {
    head.uri.path() == PATH && (head.method == Method::POST || head.method == Method::GET)
}

/// Who may come.
pub(crate) fn audience(method: &Method) -> Audience {
    if method == Method::GET { Audience::People } else { Audience::Callers }
}

/// `GET` shows the page of what was received. `POST` takes a callback and answers `{"Status":"OK","received":…,"no":n}`,
/// or as the fault says, or as the address says ([`Command::of_query`]).
pub(crate) async fn answer(shared: &Arc<Shared>, head: &Parts, body: Body, gone: &CancellationToken) -> Outcome {
    if head.method == Method::GET {
        return Ok(page(&shared.callbacks));
    }
    let mut intake = Intake::new(body, Arc::default(), None, gone.clone(), shared.stop.clone())
        .with_patience(shared.tuning.body_patience);
    let Some(body) = intake.whole(BODY_LIMIT).await? else {
        return Err(OssError::new(413, "EntityTooLarge", "The callback body is longer than 1 MB.").into());
    };
    let target = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let signed = signed_text(&target, &body);
    let verdict = verify::verify(&head.headers, &signed, &shared.info.endpoint, shared.callback_key.public_pem());
    let body = String::from_utf8_lossy(&body).into_owned();
    let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let received = read_fields(content_type, &body);
    let key = ["object", "key"].iter().find_map(|name| received.get(name)?.as_str());
    let fault = shared.faults.take(Operation::Callback, key, None);
    let no = shared.callbacks.push(ReceivedCallback {
        no: 0,
        at_ms: Timestamp::now().as_millisecond(),
        method: head.method.to_string(),
        path_and_query: target,
        headers: joined(head),
        body,
        verdict,
        fault: fault.as_ref().map(|fault| fault.kind.name().to_owned()),
    });
    let command = match fault {
        Some(fault) => {
            before_work(&fault, gone, &shared.stop).await?;
            Command::of_fault(fault.kind)
        }
        None => Command::of_query(head.uri.query().unwrap_or_default()),
    };
    let ok = json!({"Status": "OK", "received": received, "no": no});
    command.answer(&ok, gone, &shared.stop).await
}

/// A form or JSON body taken apart; a body that is neither is given back as text.
fn read_fields(content_type: &str, body: &str) -> Value {
    if content_type.starts_with("application/json") {
        return serde_json::from_str(body).unwrap_or_else(|_| Value::String(body.to_owned()));
    }
    match parse_query(body) {
        Ok(pairs) => {
            Value::Object(pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect::<Map<_, _>>())
        }
        Err(_) => Value::String(body.to_owned()),
    }
}

fn joined(head: &Parts) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|earlier| *earlier = format!("{earlier}, {value}"))
            .or_insert_with(|| value.into_owned());
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_and_json_bodies_become_fields_and_anything_else_stays_text() {
        assert_eq!(
            read_fields("application/x-www-form-urlencoded", "object=a%2Fb&e="),
            json!({"object": "a/b", "e": ""})
        );
        assert_eq!(read_fields("application/json; charset=utf-8", r#"{"size":3}"#), json!({"size": 3}));
        assert_eq!(read_fields("application/json", "{"), json!("{"));
        assert_eq!(read_fields("", "%zz"), json!("%zz"));
    }
}
