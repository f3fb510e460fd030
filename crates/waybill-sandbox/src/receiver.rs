//! The built-in callback receiver: the application's side, which answers with what it was told.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    body::Body,
    http::{Response, StatusCode, request::Parts},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    answer::{OssError, Outcome, Refusal, put},
    exchange::Shared,
    faults::FaultKind,
    intake::{Intake, before_work},
    route::{Operation, parse_query},
};

/// Entries kept.
const KEPT: usize = 10_000;
/// Longest body taken.
const BODY_LIMIT: usize = 1024 * 1024;

/// One request that came to `POST /callback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedCallback {
    /// Counted from 1 since the start.
    pub no: u64,
    /// When it came, in milliseconds since 1970 (UTC).
    pub at_ms: i64,
    /// HTTP method.
    pub method: String,
    /// Request target as sent.
    pub path_and_query: String,
    /// Headers, names in lower case; several values of one name are joined by `, `.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub body: String,
    /// Name of the fault that was applied.
    pub fault: Option<String>,
}

#[derive(Debug)]
pub(crate) struct CallbackLog {
    entries: Mutex<VecDeque<ReceivedCallback>>,
    count: watch::Sender<u64>,
}

impl CallbackLog {
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::default(), count: watch::Sender::new(0) }
    }

    pub(crate) fn entries(&self) -> Vec<ReceivedCallback> {
        self.locked().iter().cloned().collect()
    }

    pub(crate) async fn wait(&self, count: u64, limit: Duration) -> bool {
        let mut so_far = self.count.subscribe();
        let enough = tokio::time::timeout(limit, so_far.wait_for(|so_far| *so_far >= count)).await;
        matches!(enough, Ok(Ok(_)))
    }

    /// Gives the entry its number and keeps it.
    fn push(&self, mut entry: ReceivedCallback) -> u64 {
        let mut entries = self.locked();
        let no = entries.back().map_or(0, |last| last.no) + 1;
        entry.no = no;
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(entry);
        drop(entries);
        self.count.send_replace(no);
        no
    }

    fn locked(&self) -> MutexGuard<'_, VecDeque<ReceivedCallback>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers `{"Status":"OK","received":…,"no":n}`, or as the fault says.
pub(crate) async fn answer(shared: &Arc<Shared>, head: &Parts, body: Body, gone: &CancellationToken) -> Outcome {
    let mut intake = Intake::new(body, Arc::default(), None, gone.clone(), shared.stop.clone());
    let Some(body) = intake.whole(BODY_LIMIT).await? else {
        return Err(OssError::new(413, "EntityTooLarge", "The callback body is longer than 1 MB.").into());
    };
    let body = String::from_utf8_lossy(&body).into_owned();
    let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let received = read_fields(content_type, &body);
    let key = ["object", "key"].iter().find_map(|name| received.get(name)?.as_str());
    let fault = shared.faults.take(Operation::Callback, key, None);
    let no = shared.callbacks.push(ReceivedCallback {
        no: 0,
        at_ms: Timestamp::now().as_millisecond(),
        method: head.method.to_string(),
        path_and_query: head.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: joined(head),
        body,
        fault: fault.as_ref().map(|fault| fault.kind.name().to_owned()),
    });
    let ok = json!({"Status": "OK", "received": received, "no": no}).to_string();
    let Some(fault) = fault else {
        return Ok(text(200, "application/json", ok));
    };
    before_work(&fault, gone, &shared.stop).await?;
    match fault.kind {
        FaultKind::CallbackStatus { status, body } => Ok(text(status, "application/json", body)),
        FaultKind::Status { status, code, .. } => {
            Ok(text(status, "application/json", json!({"Status": code}).to_string()))
        }
        FaultKind::CallbackNotJson => Ok(text(200, "text/plain", "this is not JSON".to_owned())),
        FaultKind::LoseAnswer => Err(Refusal::Hangup),
        _ => Ok(text(200, "application/json", ok)),
    }
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

fn text(status: u16, content_type: &str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    put(&mut response, "content-type", content_type);
    response
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
