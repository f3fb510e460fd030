//! Which requests are worked on at all: signed well, for a bucket and a key that can be, an operation that is spoken.

use crate::{
    answer::OssError,
    auth::{Asked, is_signed},
    copy::check_version,
    exchange::Exchange,
    operation::{Operation, VERSION},
    route::{check_bucket, check_key},
    shared::Shared,
};

/// Whether the request may be worked on at all.
pub(crate) fn admit(exchange: &Exchange) -> Result<(), OssError> {
    let Exchange { shared, method, target, headers, .. } = exchange;
    if let Some(bucket) = &target.bucket {
        check_bucket(bucket)?;
        elsewhere(shared, bucket)?;
    }
    // A form is signed in its fields, and signatures elsewhere are not looked at.
    if exchange.operation != Operation::PostObject && !is_public(exchange) {
        shared.verifier().check(Asked { method, target, headers })?;
    }
    match &target.bucket {
        Some(bucket) if *bucket == shared.config.bucket => {}
        // Any name can be asked for, and nothing at all when the buckets are listed.
        Some(_) if exchange.operation == Operation::PutBucket => {}
        None if matches!(exchange.operation, Operation::ListBuckets | Operation::DescribeRegions) => {}
        Some(bucket) => {
            return Err(OssError::new(404, "NoSuchBucket", "The specified bucket does not exist.")
                .ec("0015-00000101")
                .with("BucketName", bucket));
        }
        None => return Err(not_spoken()),
    }
    if let Some(key) = &target.key {
        check_key(key)?;
    }
    check_version(target.query(VERSION))?;
    if exchange.operation == Operation::Unknown { Err(not_spoken()) } else { Ok(()) }
}

/// Whether anybody may read what is asked for: an object whose own ACL says so, with nothing of the answer asked for
/// otherwise, which takes a signature (*GetObject* page).
fn is_public(exchange: &Exchange) -> bool {
    let Exchange { shared, target, headers, .. } = exchange;
    matches!(exchange.operation, Operation::GetObject | Operation::HeadObject | Operation::GetObjectMeta)
        && target.bucket.as_deref() == Some(&shared.config.bucket)
        && !is_signed(headers, target)
        && !target.query.iter().any(|(name, _)| name.starts_with("response-"))
        && shared.store.acl(exchange.key()).is_some_and(|acl| acl.starts_with("public-read"))
}

/// Refuses a bucket that is set to be of another region, in the words of the real service.
fn elsewhere(shared: &Shared, bucket: &str) -> Result<(), OssError> {
    let Some(endpoint) = shared.tuning.other_region_buckets.get(bucket) else { return Ok(()) };
    let text = "The bucket you are attempting to access must be addressed using the specified endpoint. \
                Please send all future requests to this endpoint.";
    Err(OssError::new(403, "AccessDenied", text).ec("0003-00001403").with("Bucket", bucket).with("Endpoint", endpoint))
}

/// 501 NotImplemented.
pub(crate) fn not_spoken() -> OssError {
    OssError::new(501, "NotImplemented", "A header you provided implies functionality that is not implemented.")
}
