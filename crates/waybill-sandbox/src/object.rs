//! PutObject, HeadObject, GetObject, DeleteObject.

use std::{collections::BTreeMap, io, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, Response, StatusCode, header},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::stream;
use jiff::Timestamp;
use tokio::io::AsyncReadExt;

use crate::{
    answer::{OssError, Outcome, Refusal, empty, put},
    callback,
    escape::hex_upper,
    exchange::Exchange,
    intake::Intake,
    store::{Commit, NewObject, ObjectKind, Sealed, Stored},
};

/// Header with the CRC-64/XZ of an object or part, unsigned decimal.
pub(crate) const CRC: &str = "x-oss-hash-crc64ecma";
/// Largest body of one PutObject or UploadPart.
const BODY_LIMIT: u64 = 5 * 1024 * 1024 * 1024;

/// Stores the body under the key, whole or not at all, then makes the callback.
pub(crate) async fn put_object(exchange: &Exchange, intake: &mut Intake) -> Outcome {
    let order = callback::ordered(exchange).await?;
    let sealed = take_body(exchange, intake).await?;
    let new = NewObject {
        key: exchange.key().to_owned(),
        etag: hex_upper(&sealed.md5),
        crc64: sealed.crc64,
        content_md5: Some(BASE64_STANDARD.encode(sealed.md5)),
        kind: ObjectKind::Normal,
        content_type: content_type(exchange),
        headers: kept_headers(exchange),
        forbid_overwrite: forbids_overwrite(exchange),
    };
    let store = Arc::clone(&exchange.shared.store);
    let stored = committed(exchange, blocking(move || store.commit(sealed.content, new, None)).await?)?;
    let mut plain = empty(StatusCode::OK);
    object_headers(&mut plain, &stored);
    callback::conclude(exchange, order, &stored, plain).await
}

/// Takes a body into a temporary file and checks it against `Content-MD5`.
pub(crate) async fn take_body(exchange: &Exchange, intake: &mut Intake) -> Result<Sealed, Refusal> {
    let length = exchange.header("content-length");
    if length.is_none() && !exchange.headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(
            OssError::new(411, "MissingContentLength", "You must provide the Content-Length HTTP header.").into()
        );
    }
    if length.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > BODY_LIMIT) {
        return Err(OssError::new(
            400,
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed object size.",
        )
        .into());
    }
    let mut incoming = exchange.shared.store.incoming().await?;
    while let Some(piece) = intake.next().await? {
        incoming.push(&piece).await?;
    }
    let sealed = incoming.seal().await?;
    if let Some(claimed) = exchange.header("content-md5")
        && claimed != BASE64_STANDARD.encode(sealed.md5)
    {
        return Err(OssError::new(
            400,
            "InvalidDigest",
            "The Content-MD5 you specified did not match what we received.",
        )
        .with("Content-MD5", claimed)
        .into());
    }
    Ok(sealed)
}

pub(crate) async fn head_object(exchange: &Exchange) -> Outcome {
    let (stored, _file) = find(exchange).await?;
    Ok(description(&stored, Body::empty()))
}

pub(crate) async fn get_object(exchange: &Exchange) -> Outcome {
    let (stored, file) = find(exchange).await?;
    let file = tokio::fs::File::from_std(file);
    let pieces = stream::try_unfold(file, |mut file| async move {
        let mut piece = vec![0; 128 * 1024];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        Ok::<_, io::Error>((read > 0).then(|| (Bytes::from(piece), file)))
    });
    Ok(description(&stored, Body::from_stream(pieces)))
}

/// 204 whether or not the object was there.
pub(crate) async fn delete_object(exchange: &Exchange) -> Outcome {
    let (store, key) = (Arc::clone(&exchange.shared.store), exchange.key().to_owned());
    blocking(move || store.delete(&key)).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// The refusal of `x-oss-forbid-overwrite`, or what is stored now.
pub(crate) fn committed(exchange: &Exchange, commit: Commit) -> Result<Stored, Refusal> {
    match commit {
        Commit::Done(stored) => Ok(stored),
        Commit::AlreadyThere => Err(already_there(exchange.key()).into()),
    }
}

/// 409 FileAlreadyExists.
pub(crate) fn already_there(key: &str) -> OssError {
    OssError::new(409, "FileAlreadyExists", "The object you specified already exists and can not be overwritten.")
        .with("Key", key)
}

/// `x-oss-forbid-overwrite: true`.
pub(crate) fn forbids_overwrite(exchange: &Exchange) -> bool {
    exchange.header("x-oss-forbid-overwrite").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Content-Type as given, or what OSS assumes.
pub(crate) fn content_type(exchange: &Exchange) -> String {
    exchange.header("content-type").unwrap_or_else(|| "application/octet-stream".to_owned())
}

/// The request headers that come back with the object.
pub(crate) fn kept_headers(exchange: &Exchange) -> BTreeMap<String, String> {
    const KEPT: [&str; 5] = ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"];
    exchange
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .filter(|(name, _)| name.starts_with("x-oss-meta-") || KEPT.contains(name))
        .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

/// ETag (quoted), CRC-64 and, for a single Put, Content-MD5.
pub(crate) fn object_headers(response: &mut Response<Body>, stored: &Stored) {
    put(response, "etag", &format!("\"{}\"", stored.etag));
    put(response, CRC, &stored.crc64.to_string());
    if let Some(md5) = &stored.content_md5 {
        put(response, "content-md5", md5);
    }
}

/// Runs file-system work that blocks.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?;
    Ok(done?)
}

async fn find(exchange: &Exchange) -> Result<(Stored, std::fs::File), Refusal> {
    let (store, key) = (Arc::clone(&exchange.shared.store), exchange.key().to_owned());
    let found = blocking(move || store.open(&key)).await?;
    found.ok_or_else(|| OssError::no_such_key(exchange.key()).into())
}

fn description(stored: &Stored, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    for (name, value) in &stored.headers {
        put(&mut response, name, value);
    }
    object_headers(&mut response, stored);
    put(&mut response, "content-type", &stored.content_type);
    put(&mut response, "content-length", &stored.size.to_string());
    put(&mut response, "last-modified", &http_date(stored.last_modified_ms));
    put(&mut response, "x-oss-object-type", stored.kind.name());
    put(&mut response, "x-oss-storage-class", "Standard");
    response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    response
}

/// `Fri, 14 Mar 2025 09:26:53 GMT`.
pub(crate) fn http_date(ms: i64) -> String {
    let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
