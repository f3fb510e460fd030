//! What the receiver answers: well, or in one of the ways in which applications get it wrong.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{Response, StatusCode},
};
use futures_util::stream;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    answer::{Outcome, Refusal, put},
    faults::FaultKind,
    route::parse_query,
};

/// Longest answer that can be ordered.
const HUGE_LIMIT: u64 = 64 * 1024 * 1024;
/// An answer longer than OSS takes.
const HUGE: u64 = 2 * 1024 * 1024;
/// Longer than OSS waits.
const SLOW_MS: u64 = 6_000;
/// As long as a person may order.
const SLOW_LIMIT_MS: u64 = 60_000;

/// One way to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// 200 with JSON.
    Well,
    /// This status; the body is JSON when not told.
    Status { status: u16, body: Option<String> },
    /// Well, but after this time.
    Slow { ms: u64 },
    /// 200 with a text that is not JSON.
    Text,
    /// 200 with JSON of about this many bytes.
    Huge { bytes: u64 },
    /// 200 with JSON and no Content-Length.
    Chunked,
    /// 302 to another address.
    Redirect { location: String },
    /// 200 with JSON behind a byte-order mark.
    Bom,
    /// 200 with XML that says so, which OSS takes as well.
    Xml,
    /// Closes the connection.
    Hangup,
}

impl Command {
    /// Reads `?answer=…` of the callback address: a status such as `500`, or `slow` (with `ms`), `text`, `huge` (with
    /// `bytes`), `chunked`, `redirect` (with `to`), `bom`, `xml`, `hangup`. Anything else is answered well.
    pub(super) fn of_query(query: &str) -> Self {
        let pairs = parse_query(query).unwrap_or_default();
        let value = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
        let number = |name: &str| value(name).and_then(|value| value.parse::<u64>().ok());
        match value("answer").unwrap_or_default() {
            "slow" => Self::Slow { ms: number("ms").unwrap_or(SLOW_MS).min(SLOW_LIMIT_MS) },
            "text" => Self::Text,
            "huge" => Self::Huge { bytes: number("bytes").unwrap_or(HUGE) },
            "chunked" => Self::Chunked,
            "redirect" => Self::Redirect { location: value("to").unwrap_or("/callback").to_owned() },
            "bom" => Self::Bom,
            "xml" => Self::Xml,
            "hangup" => Self::Hangup,
            other => match other.parse::<u16>() {
                Ok(status @ 200..600) => Self::Status { status, body: None },
                _ => Self::Well,
            },
        }
    }

    /// What a fault tells the receiver to do; its waiting is over.
    pub(super) fn of_fault(fault: FaultKind) -> Self {
        match fault {
            FaultKind::CallbackStatus { status, body } => Self::Status { status, body: Some(body) },
            FaultKind::Status { status, code, .. } => {
                Self::Status { status, body: Some(json!({"Status": code}).to_string()) }
            }
            FaultKind::CallbackNotJson => Self::Text,
            FaultKind::CallbackHuge { bytes } => Self::Huge { bytes },
            FaultKind::CallbackChunked => Self::Chunked,
            FaultKind::CallbackRedirect { location } => Self::Redirect { location },
            FaultKind::CallbackBom => Self::Bom,
            FaultKind::CallbackXml => Self::Xml,
            FaultKind::LoseAnswer => Self::Hangup,
            _ => Self::Well,
        }
    }

    /// The answer; `ok` is what a good one says. `gone` is cancelled when the client hangs up, `stop` when the sandbox
    /// stops.
    pub(super) async fn answer(self, ok: &Value, gone: &CancellationToken, stop: &CancellationToken) -> Outcome {
        const JSON: &str = "application/json";
        let ok = ok.to_string();
        Ok(match self {
            Self::Well => content(200, JSON, ok.into()),
            Self::Status { status, body } => content(status, JSON, body.unwrap_or(ok).into()),
            Self::Slow { ms } => tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(ms)) => content(200, JSON, ok.into()),
                () = gone.cancelled() => return Err(Refusal::Hangup),
                () = stop.cancelled() => return Err(Refusal::Hangup),
            },
            Self::Text => content(200, "text/plain", Body::from("this is not JSON")),
            Self::Huge { bytes } => {
                let padding = usize::try_from(bytes.min(HUGE_LIMIT)).unwrap_or_default();
                content(200, JSON, json!({"Status": "OK", "padding": "a".repeat(padding)}).to_string().into())
            }
            Self::Chunked => {
                let pieces = stream::iter([Ok::<_, Infallible>(Bytes::from(ok))]);
                content(200, JSON, Body::from_stream(pieces))
            }
            Self::Redirect { location } => {
                let mut response = content(302, JSON, ok.into());
                put(&mut response, "location", &location);
                response
            }
            Self::Bom => content(200, JSON, format!("\u{feff}{ok}").into()),
            Self::Xml => content(200, "application/xml", Body::from("<CallbackResult>OK</CallbackResult>")),
            Self::Hangup => return Err(Refusal::Hangup),
        })
    }
}

fn content(status: u16, content_type: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    put(&mut response, "content-type", content_type);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_to_answer() {
        for (query, command) in [
            ("", Command::Well),
            ("from=put", Command::Well),
            ("answer=", Command::Well),
            ("answer=nonsense", Command::Well),
            ("answer=99", Command::Well),
            ("answer=600", Command::Well),
            ("answer=500", Command::Status { status: 500, body: None }),
            ("x=1&answer=201", Command::Status { status: 201, body: None }),
            ("answer=slow", Command::Slow { ms: 6_000 }),
            ("answer=slow&ms=20", Command::Slow { ms: 20 }),
            ("answer=slow&ms=999999999", Command::Slow { ms: 60_000 }),
            ("answer=text", Command::Text),
            ("answer=huge", Command::Huge { bytes: 2 * 1024 * 1024 }),
            ("answer=huge&bytes=7", Command::Huge { bytes: 7 }),
            ("answer=chunked", Command::Chunked),
            ("answer=redirect", Command::Redirect { location: "/callback".into() }),
            ("answer=redirect&to=http%3A%2F%2Fa%2F", Command::Redirect { location: "http://a/".into() }),
            ("answer=bom", Command::Bom),
            ("answer=xml", Command::Xml),
            ("answer=hangup", Command::Hangup),
            ("answer=%zz", Command::Well),
        ] {
            assert_eq!(Command::of_query(query), command, "{query}");
        }
    }
}
