//! The one bucket: listed, described, and made again without harm.

use std::sync::Arc;

use axum::http::StatusCode;
use jiff::Timestamp;

use crate::{
    answer::{OssError, Outcome, empty, put, xml},
    exchange::Exchange,
    list::truth,
    object::blocking,
    shared::Shared,
    time,
    xml::Element,
};

/// The account that owns the bucket, also named in callbacks.
pub(crate) const OWNER: &str = "1000000000000001";

/// `GET /` without a bucket → `ListAllMyBucketsResult` (*GetService (ListBuckets)* page).
pub(crate) fn list_buckets(exchange: &Exchange) -> Outcome {
    let (shared, query) = (&exchange.shared, |name: &str| exchange.target.query(name));
    let bucket = &shared.config.bucket;
    let mut result = Element::new("ListAllMyBucketsResult");
    let (prefix, marker) = (query("prefix").unwrap_or_default(), query("marker").unwrap_or_default());
    let limit = query("max-keys").filter(|given| !given.is_empty());
    if limit.is_some_and(|given| !given.parse().is_ok_and(|n: u32| (1..=1000).contains(&n))) {
        let message = "Argument max-keys must be an integer between 1 and 1000.";
        return Err(OssError::argument(message, "max-keys", limit.unwrap_or_default()).into());
    }
    // Without parameters the paging elements are absent.
    if ["prefix", "marker", "max-keys"].into_iter().any(|name| query(name).is_some()) {
        result = result
            .text("Prefix", prefix)
            .text("Marker", marker)
            .text("MaxKeys", limit.unwrap_or("100"))
            .text("IsTruncated", truth(false));
    }
    let mut buckets = Element::new("Buckets");
    if bucket.starts_with(prefix) && bucket.as_str() > marker {
        buckets = buckets.child(
            Element::new("Bucket")
                .text("CreationDate", &created(shared)?)
                .text("ExtranetEndpoint", shared.host())
                .text("IntranetEndpoint", shared.host())
                .text("Location", &location(shared))
                .text("Name", bucket)
                .text("Region", &shared.config.region)
                .text("StorageClass", "Standard"),
        );
    }
    Ok(xml(result.child(owner()).child(buckets).document()))
}

/// `PUT /`: 200 for the own bucket, as OSS answers its owner; any other name is taken.
pub(crate) fn put_bucket(exchange: &Exchange) -> Outcome {
    let bucket = exchange.target.bucket.as_deref().unwrap_or_default();
    if let Some(acl) = exchange.header("x-oss-acl")
        && !["private", "public-read", "public-read-write"].contains(&acl.as_str())
    {
        return Err(OssError::argument("no such bucket access control exists", "x-oss-acl", &acl).into());
    }
    if bucket != exchange.shared.config.bucket {
        let message = "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.";
        return Err(OssError::new(409, "BucketAlreadyExists", message)
            .ec("0015-00000104")
            .with("BucketName", bucket)
            .into());
    }
    let mut response = empty(StatusCode::OK);
    put(&mut response, "location", &format!("/{bucket}"));
    Ok(response)
}

/// `GET /?bucketInfo` → `BucketInfo/Bucket/…` (*GetBucketInfo* page).
pub(crate) fn get_bucket_info(exchange: &Exchange) -> Outcome {
    let shared = &exchange.shared;
    let bucket = Element::new("Bucket")
        .text("AccessMonitor", "Disabled")
        .text("BlockPublicAccess", "false")
        .text("CreationDate", &created(shared)?)
        .text("ExtranetEndpoint", shared.host())
        .text("IntranetEndpoint", shared.host())
        .text("Location", &location(shared))
        .text("Name", &shared.config.bucket)
        .text("StorageClass", "Standard")
        .text("TransferAcceleration", "Disabled")
        .text("CrossRegionReplication", "Disabled")
        .text("DataRedundancyType", "LRS")
        .child(owner())
        .child(Element::new("AccessControlList").text("Grant", "private"))
        .child(Element::new("ServerSideEncryptionRule").text("SSEAlgorithm", "None"))
        .child(Element::new("BucketPolicy").text("LogBucket", "").text("LogPrefix", ""));
    Ok(xml(Element::new("BucketInfo").child(bucket).document()))
}

/// `GET /?location`
pub(crate) fn get_bucket_location(exchange: &Exchange) -> Outcome {
    Ok(xml(Element::new("LocationConstraint").content(&location(&exchange.shared)).document()))
}

/// `GET /?acl`: the bucket is private.
pub(crate) fn get_bucket_acl() -> Outcome {
    let policy = Element::new("AccessControlPolicy")
        .child(owner())
        .child(Element::new("AccessControlList").text("Grant", "private"));
    Ok(xml(policy.document()))
}

/// `GET /?versioning`: never switched on, so nothing is said of it (*GetBucketVersioning* page).
pub(crate) fn get_bucket_versioning() -> Outcome {
    Ok(xml(Element::new("VersioningConfiguration").document()))
}

/// `GET /?stat`: counted now, where OSS counts once an hour. Other classes are counted as Standard.
pub(crate) async fn get_bucket_stat(exchange: &Exchange) -> Outcome {
    let store = Arc::clone(&exchange.shared.store);
    let (objects, bytes) = blocking(move || Ok(store.totals())).await?;
    let uploads = exchange.shared.store.uploads.all();
    let parts: usize = uploads.iter().map(|upload| upload.parts_after(0, usize::MAX).len()).sum();
    let stat = Element::new("BucketStat")
        .text("Storage", &bytes.to_string())
        .text("ObjectCount", &objects.to_string())
        .text("MultipartUploadCount", &uploads.len().to_string())
        .text("LiveChannelCount", "0")
        .text("LastModifiedTime", &Timestamp::now().as_second().to_string())
        .text("StandardStorage", &bytes.to_string())
        .text("StandardObjectCount", &objects.to_string())
        .text("MultipartPartCount", &parts.to_string())
        .text("DeleteMarkerCount", "0");
    Ok(xml(stat.document()))
}

/// `GET /?regions` or `/?regions=oss-cn-hangzhou`: the one region this is.
pub(crate) fn describe_regions(exchange: &Exchange) -> Outcome {
    let shared = &exchange.shared;
    let asked = exchange.target.query("regions").unwrap_or_default();
    if !asked.is_empty() && asked != location(shared) {
        return Err(OssError::new(404, "NoSuchRegion", asked.to_owned()).with("Region", asked).into());
    }
    let region = Element::new("RegionInfo")
        .text("Region", &location(shared))
        .text("InternetEndpoint", shared.host())
        .text("InternalEndpoint", shared.host())
        .text("AccelerateEndpoint", shared.host());
    Ok(xml(Element::new("RegionInfoList").child(region).document()))
}

/// `Owner/{ID,DisplayName}`
pub(crate) fn owner() -> Element {
    Element::new("Owner").text("ID", OWNER).text("DisplayName", OWNER)
}

fn created(shared: &Shared) -> std::io::Result<String> {
    Ok(time::xml(shared.store.created()?))
}

/// `oss-cn-hangzhou`
fn location(shared: &Shared) -> String {
    format!("oss-{}", shared.config.region)
}
