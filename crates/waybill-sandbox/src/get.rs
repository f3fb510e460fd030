//! HeadObject, GetObject and GetObjectMeta: conditions, ranges, and headers the client wants otherwise.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Response, StatusCode, header},
};
use futures_util::stream;
use tokio::io::AsyncReadExt;

use crate::{
    answer::{OssError, Outcome, empty, put},
    condition::{self, Conditions, Verdict},
    exchange::Exchange,
    object::{find, object_headers},
    range::{self, Stretch},
    store::Stored,
    time,
    traffic::{Pace, put_delay},
};

/// Bytes of a body at once.
const PIECE: usize = 128 * 1024;
/// The same under a traffic limit, so that something comes several times a second at the lowest one.
const SLOW_PIECE: usize = 16 * 1024;

/// `HEAD /key`
pub(crate) async fn head_object(exchange: &Exchange) -> Outcome {
    let (stored, _file) = find(exchange).await?;
    match Conditions::of(exchange).judge(&stored) {
        Verdict::Met => Ok(described(&stored, stored.size, Body::empty())),
        Verdict::NotModified => Ok(not_modified(&stored)),
        Verdict::Failed(condition) => Err(condition::failed(condition).into()),
    }
}

/// `GET /key`, with `Range`, conditions and `response-*` parameters.
pub(crate) async fn get_object(exchange: &Exchange) -> Outcome {
    let pace = Pace::of(exchange)?;
    let (stored, file) = find(exchange).await?;
    match Conditions::of(exchange).judge(&stored) {
        Verdict::Met => {}
        Verdict::NotModified => return Ok(not_modified(&stored)),
        Verdict::Failed(condition) => return Err(condition::failed(condition).into()),
    }
    let standard = exchange.header("x-oss-range-behavior").is_some_and(|value| value.eq_ignore_ascii_case("standard"));
    let wanted = exchange.header("range");
    let stretch = wanted.as_deref().map_or(Stretch::Whole, |wanted| range::read(wanted, stored.size, standard));
    let (from, length) = match stretch {
        Stretch::Whole => (0, stored.size),
        Stretch::Part { from, to } => (from, to - from + 1),
        Stretch::Outside => {
            return Err(OssError::new(416, "InvalidRange", "The requested range cannot be satisfied.")
                .with("ActualObjectSize", stored.size.to_string())
                .with("RangeRequested", wanted.unwrap_or_default())
                .into());
        }
    };
    let mut response = described(&stored, length, bytes(file, from, length, pace)?);
    if let Stretch::Part { from, to } = stretch {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        put(&mut response, "content-range", &format!("bytes {from}-{to}/{}", stored.size));
        // The digest is of the whole object.
        response.headers_mut().remove("content-md5");
    }
    if let Some(pace) = pace {
        // The header goes out before the body: it says what is to come.
        put_delay(&mut response, pace.time_for(length));
    }
    for (parameter, name) in OVERRIDES {
        if let Some(value) = exchange.target.query(parameter) {
            put(&mut response, name, value);
        }
    }
    Ok(response)
}

/// `HEAD` or `GET /key?objectMeta`: ETag, size and time, little else.
pub(crate) async fn get_object_meta(exchange: &Exchange) -> Outcome {
    let (stored, _file) = find(exchange).await?;
    let mut response = empty(StatusCode::OK);
    object_headers(&mut response, &stored);
    response.headers_mut().remove("content-md5");
    // A GET answers without a body too, so it must not announce one.
    let length = if exchange.method == axum::http::Method::HEAD { stored.size } else { 0 };
    put(&mut response, "content-length", &length.to_string());
    put(&mut response, "last-modified", &time::http(time::of_ms(stored.last_modified_ms)));
    Ok(response)
}

/// Parameters that replace a header of the answer.
pub(crate) const OVERRIDES: [(&str, &str); 6] = [
    ("response-content-type", "content-type"),
    ("response-content-language", "content-language"),
    ("response-expires", "expires"),
    ("response-cache-control", "cache-control"),
    ("response-content-disposition", "content-disposition"),
    ("response-content-encoding", "content-encoding"),
];

fn described(stored: &Stored, length: u64, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    for (name, value) in &stored.about.headers {
        put(&mut response, name, value);
    }
    object_headers(&mut response, stored);
    put(&mut response, "content-type", &stored.about.content_type);
    put(&mut response, "content-length", &length.to_string());
    put(&mut response, "last-modified", &time::http(time::of_ms(stored.last_modified_ms)));
    put(&mut response, "x-oss-object-type", stored.kind.name());
    put(&mut response, "x-oss-storage-class", stored.about.storage_class());
    if !stored.about.tags.is_empty() {
        put(&mut response, "x-oss-tagging-count", &stored.about.tags.len().to_string());
    }
    response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

fn not_modified(stored: &Stored) -> Response<Body> {
    let mut response = empty(StatusCode::NOT_MODIFIED);
    object_headers(&mut response, stored);
    response.headers_mut().remove("content-md5");
    put(&mut response, "last-modified", &time::http(time::of_ms(stored.last_modified_ms)));
    response
}

/// A stretch of a file as a body that goes at this pace, if at one.
fn bytes(mut file: File, from: u64, length: u64, pace: Option<Pace>) -> io::Result<Body> {
    file.seek(SeekFrom::Start(from))?;
    let file = tokio::fs::File::from_std(file).take(length);
    let size = if pace.is_some() { SLOW_PIECE } else { PIECE };
    let pieces = stream::try_unfold(file, move |mut file| async move {
        let mut piece = vec![0; size];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        if let Some(pace) = pace {
            tokio::time::sleep(pace.time_for(read as u64)).await;
        }
        Ok::<_, io::Error>((read > 0).then(|| (Bytes::from(piece), file)))
    });
    Ok(Body::from_stream(pieces))
}
