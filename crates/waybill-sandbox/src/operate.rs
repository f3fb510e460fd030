//! The work of each operation, and what a fault does to its answer.

use axum::{body::Body, http::Response};

use crate::{
    admit::not_spoken,
    answer::{OssError, Outcome, Refusal, put},
    bucket, copy, delete,
    exchange::Exchange,
    faults::{FaultKind, Taken},
    get,
    intake::Intake,
    list, multipart, object,
    operation::Operation,
    post, tagging,
    traffic::{Pace, put_delay},
};

/// Reads the body, if there is one, and does what is asked.
pub(crate) async fn operate(exchange: &Exchange, intake: &mut Intake, fault: Option<&Taken>) -> Outcome {
    if let Some(Taken { kind: FaultKind::Status { status, code, .. }, .. }) = fault {
        intake.finish().await?;
        return Err(OssError::new(*status, code.clone(), "The sandbox was told to fail.").into());
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
pub(crate) fn after_work(mut response: Response<Body>, fault: Option<&Taken>) -> Outcome {
    match fault.map(|fault| &fault.kind) {
        Some(FaultKind::LoseAnswer) => Err(Refusal::Hangup),
        Some(FaultKind::CorruptCrc) => {
            let crc = response.headers().get(object::CRC).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
            if let Some(crc) = crc {
                put(&mut response, object::CRC, &(crc ^ 1).to_string());
            }
            Ok(response)
        }
        _ => Ok(response),
    }
}
