//! `/_sandbox/`: faults on command and the logs, for tests in another process.
//!
//! - `POST /_sandbox/faults` adds a [`Fault`], `GET` lists what is planned, `DELETE` clears
//! - `GET /_sandbox/log` gives the request log, `GET /_sandbox/callbacks` the received callbacks

use axum::{
    body::{Body, to_bytes},
    http::{StatusCode, request::Parts},
};

use crate::{
    answer::{OssError, Outcome, empty, put},
    exchange::Shared,
    faults::Fault,
    route::Operation,
};

const BODY_LIMIT: usize = 64 * 1024;

pub(crate) async fn answer(shared: &Shared, head: &Parts, body: Body) -> Outcome {
    // A web page in the person's browser can reach loopback too, and always says where it comes from.
    if head.headers.contains_key("origin") {
        return Err(OssError::new(403, "AccessDenied", "Not for web pages.").into());
    }
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
        ("GET", "/_sandbox/log") => json(&shared.log.entries()),
        ("GET", "/_sandbox/callbacks") => json(&shared.callbacks.entries()),
        _ => Err(OssError::new(404, "NoSuchAdminRoute", "There is nothing here.").into()),
    }
}

fn json(value: &impl serde::Serialize) -> Outcome {
    let mut response = axum::http::Response::new(Body::from(serde_json::to_vec(value).map_err(std::io::Error::other)?));
    put(&mut response, "content-type", "application/json");
    Ok(response)
}

fn invalid(message: String) -> OssError {
    OssError::new(400, "InvalidFault", message)
}
