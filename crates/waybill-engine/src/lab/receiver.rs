//! The lab's server: takes any request, keeps it, and answers as told.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{Request, Response, StatusCode, header};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Lab;
use super::signature::Asked;
use crate::clock::now_ms;
use crate::view::{LabRequest, Variable};

/// Whatever is longer is no callback and is not read.
const LONGEST: usize = 8 << 20;
/// As much of a body is kept to be shown: several times what OSS sends, as a body comes out of a header of a few KB. The
/// signature is checked over the whole.
const SHOWN: usize = 64 << 10;

/// What all requests share.
#[derive(Clone)]
struct Shared {
    lab: Lab,
    also: Arc<Vec<String>>,
    stop: CancellationToken,
}

/// A listener on loopback, for a runtime to take over.
pub(super) fn listen(port: u16) -> std::io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Serves until `stop`.
pub(super) async fn run(lab: Lab, listener: TcpListener, also: Vec<String>, stop: CancellationToken) {
    let shared = Shared { lab, also: Arc::new(also), stop: stop.clone() };
    // One fallback and no routes: whatever path a callback goes to is to be seen.
    let app = Router::new().fallback(take).with_state(shared);
    let serving = axum::serve(listener, app).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        served = serving => {
            if let Err(error) = served {
                tracing::warn!(%error, "the callback lab has ended");
            }
        }
        // Somebody who neither asks nor hangs up must not be waited for.
        () = async { stop.cancelled().await; tokio::time::sleep(Duration::from_secs(1)).await } => {}
    }
}

async fn take(State(shared): State<Shared>, request: Request<Body>) -> Response<Body> {
    let at_ms = now_ms();
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: Vec<Variable> =
        head.headers.iter().map(|(name, value)| Variable { name: name.to_string(), value: text(value) }).collect();
    let target = head.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let answer = shared.lab.answer();
    let asked = Asked { target: &target, headers: &headers, also: &shared.also, key: None };
    let mut signature = shared.lab.signatures.judge(&asked, &body).await;
    let shown = |bytes: &[u8]| String::from_utf8_lossy(beginning(bytes)).into_owned();
    if body.len() > SHOWN {
        signature.signed = shown(signature.signed.as_bytes());
    }
    shared.lab.keep(LabRequest {
        no: 0,
        at_ms,
        method: head.method.to_string(),
        target,
        headers,
        body: shown(&body),
        whole_bytes: (body.len() > SHOWN).then(|| i64::try_from(body.len()).unwrap_or(i64::MAX)),
        signature,
        answered: answer.status,
    });
    // Up to 8 MiB, which nobody needs while the answer waits.
    drop(body);
    let delay = u64::try_from(answer.delay_ms).unwrap_or_default();
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(delay)) => {}
        () = shared.stop.cancelled() => {}
    }
    let status = u16::try_from(answer.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    Response::builder()
        .status(status.unwrap_or(StatusCode::OK))
        .header(header::CONTENT_TYPE, answer.content_type)
        .body(Body::from(answer.body))
        // What cannot be a header was refused when it was set.
        .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR))
}

/// What is shown of a body, no letter cut in two.
fn beginning(bytes: &[u8]) -> &[u8] {
    if bytes.len() <= SHOWN {
        return bytes;
    }
    let begins_a_letter = |at: &usize| !matches!(bytes[*at], 0x80..=0xBF);
    // What is no UTF-8 is cut anywhere.
    &bytes[..(SHOWN - 3..=SHOWN).rev().find(begins_a_letter).unwrap_or(SHOWN)]
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_is_cut_between_letters() {
        assert_eq!(beginning(b"ab"), b"ab");
        assert_eq!(beginning(&[b'a'; SHOWN]).len(), SHOWN);
        assert_eq!(beginning(&[b'a'; SHOWN + 1]).len(), SHOWN);
        // Three bytes a letter, which 64 KiB is no multiple of.
        let cut = beginning("文".repeat(SHOWN).as_bytes()).len();
        assert_eq!((cut, cut % 3), (SHOWN - 1, 0));
        assert_eq!(beginning(&[0x80; SHOWN + 1]).len(), SHOWN);
    }
}
