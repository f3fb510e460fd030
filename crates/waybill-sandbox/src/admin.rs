//! `/_sandbox/`: faults on command and the logs, for tests in another process.
//!
//! - `POST /_sandbox/faults` adds a [`Fault`], `GET` lists what is planned, `DELETE` clears
//! - `POST /_sandbox/tokens` with `{"seconds": n}` issues a temporary key pair, `GET` one of an hour, `DELETE` lets all
//!   expire; the answer is in the form of a credentials URI and of Alibaba's demo application server
//! - `GET /_sandbox/log` gives the request log, `GET /_sandbox/callbacks` the received callbacks
//! - `GET /_sandbox/` shows the received callbacks to people, `GET /_sandbox/callback_pub_key_v1.pem` is the key that
//!   verifies them

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    http::{Response, StatusCode, request::Parts},
};
use serde::{Deserialize, Serialize};

use crate::{
    answer::{OssError, Outcome, empty, put},
    callback::KEY_PATH,
    faults::Fault,
    guard::Audience,
    operation::Operation,
    receiver::{self, ReceivedCallback},
    shared::Shared,
};

const PAGE: &str = "/_sandbox/";
const BODY_LIMIT: usize = 64 * 1024;
const HOUR_SECONDS: u32 = 3600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lifetime {
    seconds: u32,
}

/// Whether a path is for people too.
pub(crate) fn audience(path: &str) -> Audience {
    if path == PAGE { Audience::People } else { Audience::Programs }
}

/// The answer to a request that the guard let through.
pub(crate) async fn answer(shared: &Shared, head: &Parts, body: Body) -> Outcome {
    match (head.method.as_str(), head.uri.path()) {
        ("POST", "/_sandbox/faults") => {
            let body =
                to_bytes(body, BODY_LIMIT).await.map_err(|_| invalid("the body is too long or was cut".into()))?;
            let fault: Fault = serde_json::from_slice(&body).map_err(|error| invalid(error.to_string()))?;
            if fault.fault.is_of_receiver() && fault.operation != Operation::Callback {
                return Err(invalid(format!("{} works on operation Callback only", fault.fault.name())).into());
            }
            shared.faults.add(fault);
            Ok(empty(StatusCode::NO_CONTENT))
        }
        ("GET", "/_sandbox/faults") => json(&shared.faults.planned()),
        ("DELETE", "/_sandbox/faults") => {
            shared.faults.clear();
            Ok(empty(StatusCode::NO_CONTENT))
        }
        ("POST", "/_sandbox/tokens") => {
            let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| wrong_lifetime())?;
            let Lifetime { seconds } = serde_json::from_slice(&body).map_err(|_| wrong_lifetime())?;
            token(shared, seconds)
        }
        ("GET", "/_sandbox/tokens") => token(shared, HOUR_SECONDS),
        ("DELETE", "/_sandbox/tokens") => {
            shared.tokens.expire();
            Ok(empty(StatusCode::NO_CONTENT))
        }
        ("GET", "/_sandbox/log") => json(&shared.log.entries()),
        ("GET", "/_sandbox/callbacks") => callbacks(&shared.callbacks.entries()),
        ("GET", PAGE) => Ok(receiver::page(&shared.callbacks)),
        ("GET", KEY_PATH) => Ok(content("application/x-pem-file", shared.callback_key.public_pem())),
        _ => Err(OssError::new(404, "NoSuchAdminRoute", "There is nothing here.").into()),
    }
}

/// Whoever asks for a pair needs its secret, and it opens nothing but this sandbox.
fn token(shared: &Shared, seconds: u32) -> Outcome {
    let issued = shared.issue_token(Duration::from_secs(seconds.into()));
    json(&serde_json::json!({
        "StatusCode": 200,
        "Code": "Success",
        "AccessKeyId": issued.access_key_id,
        "AccessKeySecret": issued.access_key_secret,
        "SecurityToken": issued.security_token,
        "Expiration": issued.expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }))
}

/// Each with the text that its signature has to be made of.
fn callbacks(received: &[ReceivedCallback]) -> Outcome {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Shown<'a> {
        #[serde(flatten)]
        callback: &'a ReceivedCallback,
        signed_text: String,
    }
    let shown = |callback| Shown { callback, signed_text: ReceivedCallback::signed_text(callback) };
    json(&received.iter().map(shown).collect::<Vec<_>>())
}

fn wrong_lifetime() -> OssError {
    OssError::new(400, "InvalidLifetime", "Send {\"seconds\": n}, a whole number from 0 up.")
}

fn json(value: &impl serde::Serialize) -> Outcome {
    Ok(content("application/json", &serde_json::to_string(value).map_err(std::io::Error::other)?))
}

fn content(content_type: &str, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(text.to_owned()));
    put(&mut response, "content-type", content_type);
    response
}

fn invalid(message: String) -> OssError {
    OssError::new(400, "InvalidFault", message)
}
