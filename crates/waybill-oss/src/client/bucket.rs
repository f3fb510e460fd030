//! The bucket itself: GetBucketInfo, which also proves that endpoint, region and keys fit together.

use reqwest::Method;

use super::{Call, Client};
use crate::error::Error;
use crate::xml::BucketInfoDocument;

/// What GetBucketInfo says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketInfo {
    /// Name.
    pub name: String,
    /// Region as OSS writes it, `oss-cn-hangzhou`; see [`crate::normalize_region`].
    pub location: String,
    /// Public endpoint.
    pub extranet_endpoint: String,
    /// Endpoint inside the same region.
    pub intranet_endpoint: String,
    /// Such as `Standard`.
    pub storage_class: String,
    /// Such as `private`.
    pub acl: String,
}

impl Client {
    /// GetBucketInfo: where the bucket is and what it is set to. `AccessDenied` may also mean that the bucket must be
    /// addressed by the endpoint of its own region.
    pub async fn get_bucket_info(&self) -> Result<BucketInfo, Error> {
        let call = Call::new("GetBucketInfo", Method::GET, None).query("bucketInfo", "");
        self.send(&call, |answer| {
            let bucket = answer.xml::<BucketInfoDocument>()?.bucket;
            Ok(BucketInfo {
                name: bucket.name,
                location: bucket.location,
                extranet_endpoint: bucket.extranet_endpoint,
                intranet_endpoint: bucket.intranet_endpoint,
                storage_class: bucket.storage_class,
                acl: bucket.access_control_list.grant,
            })
        })
        .await
    }
}
