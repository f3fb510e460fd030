//! The work of each operation, and what a fault does to its answer.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    http::{Response, header},
};
use futures_util::stream;

use crate::{
    admit::{admit, not_spoken},
    answer::{OssError, Outcome, Refusal, put},
    bucket, copy, delete,
    exchange::Exchange,
    faults::{FaultKind, Taken},
    get,
    intake::Intake,
    list, multipart, object,
    operation::Operation,
    post,
    server::Line,
    tagging,
    traffic::{Pace, put_delay},
};

/// Longest answer that a fault can change; pages of lists are far below it.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;

/// Reads the body, if there is one, and does what is asked.
pub(crate) async fn operate(exchange: &Exchange, intake: &mut Intake, fault: Option<&Taken>) -> Outcome {
    match fault.map(|fault| &fault.kind) {
        Some(FaultKind::Status { status, code, .. }) => {
            intake.finish().await?;
            return Err(OssError::new(*status, code.clone(), "The sandbox was told to fail.").into());
        }
        Some(FaultKind::ClockAhead { seconds }) => {
            exchange.shared.clock_jumped.fetch_add(*seconds, Ordering::Relaxed);
            admit(exchange)?;
        }
        _ => {}
    }
    let pace = Pace::of(exchange)?;
    if let Some(pace) = pace {
        intake.go_at(pace);
    }
    let mut outcome = work(exchange, intake).await;
    if let (Some(_), Ok(response), Operation::PutObject | Operation::PostObject | Operation::UploadPart) =
        (pace, &mut outcome, exchange.operation)
    {
        put_delay(response, intake.delayed());
    }
    outcome
}

async fn work(exchange: &Exchange, intake: &mut Intake) -> Outcome {
    match exchange.operation {
        Operation::PutObject => return object::put_object(exchange, intake).await,
        Operation::PostObject => return post::post_object(exchange, intake).await,
        Operation::UploadPart => return multipart::upload_part(exchange, intake).await,
        Operation::CompleteMultipartUpload => return multipart::complete(exchange, intake).await,
        Operation::DeleteMultipleObjects => return delete::delete_multiple_objects(exchange, intake).await,
        Operation::PutObjectTagging => return tagging::put_object_tagging(exchange, intake).await,
        _ => intake.finish().await?,
    }
    match exchange.operation {
        Operation::CopyObject => copy::copy_object(exchange).await,
        Operation::InitiateMultipartUpload => multipart::initiate(exchange).await,
        Operation::UploadPartCopy => copy::upload_part_copy(exchange).await,
        Operation::ListParts => multipart::list_parts(exchange),
        Operation::AbortMultipartUpload => multipart::abort(exchange).await,
        Operation::ListMultipartUploads => list::list_multipart_uploads(exchange),
        Operation::HeadObject => get::head_object(exchange).await,
        Operation::GetObject => get::get_object(exchange).await,
        Operation::GetObjectMeta => get::get_object_meta(exchange).await,
        Operation::DeleteObject => object::delete_object(exchange).await,
        Operation::GetObjectTagging => tagging::get_object_tagging(exchange).await,
        Operation::DeleteObjectTagging => tagging::delete_object_tagging(exchange).await,
        Operation::GetObjectAcl => tagging::get_object_acl(exchange).await,
        Operation::PutObjectAcl => tagging::put_object_acl(exchange).await,
        Operation::ListObjects => list::list_objects(exchange).await,
        Operation::ListObjectsV2 => list::list_objects_v2(exchange).await,
        Operation::ListBuckets => bucket::list_buckets(exchange),
        Operation::DescribeRegions => bucket::describe_regions(exchange),
        Operation::PutBucket => bucket::put_bucket(exchange),
        Operation::GetBucketInfo => bucket::get_bucket_info(exchange),
        Operation::GetBucketVersioning => bucket::get_bucket_versioning(),
        Operation::GetBucketLocation => bucket::get_bucket_location(exchange),
        Operation::GetBucketStat => bucket::get_bucket_stat(exchange).await,
        Operation::GetBucketAcl => bucket::get_bucket_acl(),
        _ => Err(not_spoken().into()),
    }
}

/// What a fault does to a finished answer.
pub(crate) async fn after_work(
    mut response: Response<Body>,
    fault: Option<&Taken>,
    exchange: &Exchange,
    line: &Line,
) -> Outcome {
    let Some(Taken { kind, cleared }) = fault else { return Ok(response) };
    let shared = &exchange.shared;
    match kind {
        FaultKind::LoseAnswer => Err(Refusal::Hangup),
        FaultKind::HoldAnswer => tokio::select! {
            biased;
            () = cleared.cancelled() => Ok(response),
            () = exchange.gone.cancelled() => Err(Refusal::Hangup),
            () = shared.stop.cancelled() => Err(Refusal::Hangup),
        },
        FaultKind::CutAnswer => cut(response).await,
        FaultKind::CorruptCrc => spoilt(response, object::CRC, "HashCrc64ecma").await,
        FaultKind::WrongEtag => spoilt(response, "etag", "ETag").await,
        FaultKind::RefuseConnections { ms, answered } => {
            // The answer still goes out on its own connection, which it closes.
            put(&mut response, "connection", "close");
            shared.door.shut(line);
            let (shared, cleared, time) = (Arc::clone(shared), cleared.clone(), Duration::from_millis(*ms));
            tokio::spawn(async move {
                tokio::select! {
                    () = tokio::time::sleep(time) => {}
                    () = cleared.cancelled() => {}
                    () = shared.stop.cancelled() => {}
                }
                shared.door.open();
            });
            if *answered { Ok(response) } else { Err(Refusal::Hangup) }
        }
        _ => Ok(response),
    }
}

/// The first half of the body under a head that announces all of it.
async fn cut(response: Response<Body>) -> Outcome {
    let (mut head, body) = response.into_parts();
    let whole = to_bytes(body, ANSWER_LIMIT).await.map_err(io::Error::other)?;
    if whole.is_empty() {
        return Err(Refusal::Hangup);
    }
    head.headers.insert(header::CONTENT_LENGTH, whole.len().into());
    let pieces = [Ok(whole.slice(..whole.len() / 2)), Err(io::Error::from(io::ErrorKind::ConnectionAborted))];
    Ok(Response::from_parts(head, Body::from_stream(stream::iter(pieces))))
}

/// Changes the last digit of a header's value, and of every element of that name in the body.
async fn spoilt(mut response: Response<Body>, name: &str, element: &str) -> Outcome {
    if let Some(value) = response.headers().get(name).and_then(|value| value.to_str().ok()) {
        let wrong = changed(value);
        put(&mut response, name, &wrong);
    }
    let (head, body) = response.into_parts();
    let whole = to_bytes(body, ANSWER_LIMIT).await.map_err(io::Error::other)?;
    let Ok(text) = std::str::from_utf8(&whole) else { return Ok(Response::from_parts(head, Body::from(whole))) };
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let mut pieces = text.split(&open);
    let mut wrong = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (value, rest) = piece.split_once(&close).unwrap_or((piece, ""));
        wrong += &format!("{open}{}{close}{rest}", changed(value));
    }
    Ok(Response::from_parts(head, Body::from(wrong)))
}

/// Another value of the same form: the last digit is another.
fn changed(value: &str) -> String {
    let Some(at) = value.rfind(|c: char| c.is_ascii_hexdigit()) else { return value.to_owned() };
    let other = if value[at..].starts_with('1') { "2" } else { "1" };
    format!("{}{other}{}", &value[..at], &value[at + 1..])
}
