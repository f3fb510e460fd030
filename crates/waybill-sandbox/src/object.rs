//! PutObject and DeleteObject, and what all operations on objects share.

use std::{fs::File, io, sync::Arc};

use axum::{
    body::Body,
    http::{Response, StatusCode, header},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    about,
    answer::{OssError, Outcome, Refusal, empty, put},
    callback,
    digest::Claim,
    escape::{encode, hex_upper},
    exchange::Exchange,
    intake::Intake,
    store::{About, NewObject, ObjectKind, Sealed, Stored},
};

/// Header with the CRC-64/XZ of an object or part, unsigned decimal.
pub(crate) const CRC: &str = "x-oss-hash-crc64ecma";
/// Largest body of one PutObject, PostObject or UploadPart, and largest source of one copy.
pub(crate) const BODY_LIMIT: u64 = 5 * 1024 * 1024 * 1024;

/// Stores the body under the key, whole or not at all, then makes the callback.
pub(crate) async fn put_object(exchange: &Exchange, intake: &mut Intake) -> Outcome {
    let order = callback::ordered(exchange).await?;
    let given = about::texts(&exchange.headers);
    let (about, forbid_overwrite) = (about::read(&given)?, about::forbids_overwrite(&given)?);
    let sealed = take_body(exchange, intake).await?;
    let stored = store(exchange, exchange.key(), sealed, about, forbid_overwrite).await?;
    let mut plain = empty(StatusCode::OK);
    object_headers(&mut plain, &stored);
    encryption_headers(&mut plain, &stored.about);
    callback::conclude(exchange, order, &stored, plain).await
}

/// Puts a body that has come whole in its place.
pub(crate) async fn store(
    exchange: &Exchange,
    key: &str,
    sealed: Sealed,
    about: About,
    forbid_overwrite: bool,
) -> Result<Stored, Refusal> {
    let new = NewObject {
        key: key.to_owned(),
        etag: hex_upper(&sealed.md5),
        crc64: sealed.crc64,
        content_md5: Some(BASE64_STANDARD.encode(sealed.md5)),
        kind: ObjectKind::Normal,
        about,
        forbid_overwrite,
    };
    let store = Arc::clone(&exchange.shared.store);
    committed(key, blocking(move || store.commit(sealed.content, new, None)).await?)
}

/// Takes a body into a temporary file and checks it against `Content-MD5`.
pub(crate) async fn take_body(exchange: &Exchange, intake: &mut Intake) -> Result<Sealed, Refusal> {
    let length = exchange.header("content-length");
    if length.is_none() && !exchange.headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(no_length().into());
    }
    if length.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > BODY_LIMIT) {
        return Err(too_large().into());
    }
    let claim = Claim::of(exchange)?;
    let mut incoming = exchange.shared.store.incoming().await?;
    let mut size = 0;
    while let Some(piece) = intake.next().await? {
        size += piece.len() as u64;
        if size > BODY_LIMIT {
            return Err(too_large().into());
        }
        incoming.push(&piece).await?;
    }
    let sealed = incoming.seal().await?;
    if let Some(claim) = claim {
        claim.check(sealed.md5)?;
    }
    Ok(sealed)
}

/// 204 whether or not the object was there.
pub(crate) async fn delete_object(exchange: &Exchange) -> Outcome {
    let (store, key) = (Arc::clone(&exchange.shared.store), exchange.key().to_owned());
    blocking(move || store.delete(&key)).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// What is stored now, or the refusal of `x-oss-forbid-overwrite`.
pub(crate) fn committed(key: &str, commit: Option<Stored>) -> Result<Stored, Refusal> {
    commit.ok_or_else(|| already_there(key).into())
}

/// 409 FileAlreadyExists.
pub(crate) fn already_there(key: &str) -> OssError {
    OssError::new(409, "FileAlreadyExists", "The object you specified already exists and can not be overwritten.")
        .with("Key", key)
}

/// ETag (quoted), CRC-64 and, for a single Put, Content-MD5.
pub(crate) fn object_headers(response: &mut Response<Body>, stored: &Stored) {
    put(response, "etag", &format!("\"{}\"", stored.etag));
    put(response, CRC, &stored.crc64.to_string());
    if let Some(md5) = &stored.content_md5 {
        put(response, "content-md5", md5);
    }
}

/// 411 MissingContentLength.
pub(crate) fn no_length() -> OssError {
    OssError::new(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
}

/// 400 EntityTooLarge.
pub(crate) fn too_large() -> OssError {
    OssError::new(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
        .with("MaxSizeAllowed", BODY_LIMIT.to_string())
}

/// The encryption that was asked for comes back with every answer about the object.
pub(crate) fn encryption_headers(response: &mut Response<Body>, about: &About) {
    for (name, value) in about.headers.iter().filter(|(name, _)| name.starts_with("x-oss-server-side-")) {
        put(response, name, value);
    }
}

/// Description and open file of the request's object; 404 NoSuchKey.
pub(crate) async fn find(exchange: &Exchange) -> Result<(Stored, File), Refusal> {
    let (store, key) = (Arc::clone(&exchange.shared.store), exchange.key().to_owned());
    let found = blocking(move || store.open(&key)).await?;
    found.ok_or_else(|| OssError::no_such_key(exchange.key()).into())
}

/// Address of an object, path-style as everything here.
pub(crate) fn location(exchange: &Exchange, key: &str) -> String {
    let shared = &exchange.shared;
    format!("{}/{}/{}", shared.info.endpoint, shared.config.bucket, encode(key.as_bytes(), true))
}

/// Runs file-system work that blocks.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?;
    Ok(done?)
}
