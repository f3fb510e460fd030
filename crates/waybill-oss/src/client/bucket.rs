//! Buckets: the facts of one, its place, and the list of an account's buckets.

use reqwest::Method;

use super::{Account, Call, Client};
use crate::error::Error;
use crate::xml::bucket::{BucketInfoDocument, BucketsPage, LocationDocument};

/// What GetBucketInfo says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketInfo {
    /// Name.
    pub name: String,
    /// Region as OSS writes it, `oss-cn-hangzhou`; see [`crate::normalize_region`].
    pub location: String,
    /// When it was created, as it came.
    pub creation_date: Option<String>,
    /// Public endpoint.
    pub extranet_endpoint: String,
    /// Endpoint inside the same region.
    pub intranet_endpoint: String,
    /// Such as `Standard`.
    pub storage_class: String,
    /// Such as `private`.
    pub acl: String,
    /// `LRS` (one zone) or `ZRS` (several).
    pub redundancy: Option<String>,
    /// `Enabled` or `Suspended`; a bucket that never kept versions says nothing.
    pub versioning: Option<String>,
    /// Whether the accelerate endpoints work for it.
    pub transfer_acceleration: bool,
    /// Whether public access is blocked, whatever an ACL says.
    pub block_public_access: Option<bool>,
    /// How objects are encrypted that do not say so themselves: `AES256`, `KMS`, `SM4`, or `None`.
    pub encryption: Option<String>,
}

/// A bucket in the list of an account's buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedBucket {
    /// Name.
    pub name: String,
    /// Region as OSS writes it, `oss-cn-hangzhou`; see [`crate::normalize_region`].
    pub location: String,
    /// Region as signatures use it, `cn-hangzhou`, in newer answers.
    pub region: Option<String>,
    /// When it was created, as it came.
    pub creation_date: Option<String>,
    /// Public endpoint.
    pub extranet_endpoint: String,
    /// Endpoint inside the same region.
    pub intranet_endpoint: String,
    /// Such as `Standard`.
    pub storage_class: String,
}

impl Client {
    /// GetBucketInfo: where the bucket is and what it is set to. `AccessDenied` may also mean that the bucket must be
    /// addressed by the endpoint of its own region. [GetBucketInfo; go2 `api_op_bucket.go`]
    pub async fn get_bucket_info(&self) -> Result<BucketInfo, Error> {
        let call = Call::new("GetBucketInfo", Method::GET, None).query("bucketInfo", "");
        self.send(&call, |answer| {
            let bucket = answer.xml::<BucketInfoDocument>()?.bucket;
            Ok(BucketInfo {
                name: bucket.name,
                location: bucket.location,
                creation_date: bucket.creation_date,
                extranet_endpoint: bucket.extranet_endpoint,
                intranet_endpoint: bucket.intranet_endpoint,
                storage_class: bucket.storage_class,
                acl: bucket.access_control_list.grant,
                redundancy: bucket.data_redundancy_type,
                versioning: bucket.versioning,
                transfer_acceleration: bucket.transfer_acceleration.as_deref() == Some("Enabled"),
                block_public_access: bucket.block_public_access,
                encryption: bucket.server_side_encryption_rule.algorithm,
            })
        })
        .await
    }

    /// GetBucketLocation: the bucket's region as OSS writes it, `oss-cn-hangzhou`; see [`crate::normalize_region`].
    /// (API page GetBucketLocation)
    pub async fn get_bucket_location(&self) -> Result<String, Error> {
        let call = Call::new("GetBucketLocation", Method::GET, None).query("location", "");
        self.send(&call, |answer| match answer.xml::<LocationDocument>()?.location {
            location if location.is_empty() => Err(answer.unreadable("it names no place")),
            location => Ok(location),
        })
        .await
    }
}

impl Account {
    /// ListBuckets: the account's buckets of all regions whose names begin with `prefix`, all pages. It needs the right
    /// `oss:ListBuckets`, which keys for a single bucket often lack. [GetService (ListBuckets); go2 `api_op_service.go`]
    pub async fn list_buckets(&self, prefix: &str) -> Result<Vec<ListedBucket>, Error> {
        let mut all = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let mut call = Call::new("ListBuckets", Method::GET, None).query("max-keys", "1000");
            if !prefix.is_empty() {
                call = call.query("prefix", prefix);
            }
            if let Some(marker) = &marker {
                call = call.query("marker", marker);
            }
            let page = self.0.send(&call, |answer| {
                let page: BucketsPage = answer.xml()?;
                let truncated = page.is_truncated.unwrap_or(false);
                let next = page.next_marker.filter(|next| truncated && !next.is_empty());
                if truncated && (next.is_none() || next == marker) {
                    return Err(answer.unreadable("it is cut off and does not say where the next page begins"));
                }
                Ok((page.buckets.rows, next))
            });
            let (rows, next) = page.await?;
            all.extend(rows.into_iter().map(|row| ListedBucket {
                name: row.name,
                location: row.location,
                region: row.region,
                creation_date: row.creation_date,
                extranet_endpoint: row.extranet_endpoint,
                intranet_endpoint: row.intranet_endpoint,
                storage_class: row.storage_class,
            }));
            match next {
                Some(next) => marker = Some(next),
                None => return Ok(all),
            }
        }
    }
}
