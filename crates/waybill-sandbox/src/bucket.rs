//! GetBucketInfo: what *Test connection* asks for.

use crate::{
    answer::{Outcome, xml},
    exchange::Exchange,
    xml::Element,
};

/// `GET /?bucketInfo` → `BucketInfo/Bucket/…` (*GetBucketInfo* page).
pub(crate) fn get_bucket_info(exchange: &Exchange) -> Outcome {
    let shared = &exchange.shared;
    let created = shared.store.created()?;
    let bucket = Element::new("Bucket")
        .text("CreationDate", &created.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string())
        .text("ExtranetEndpoint", shared.host())
        .text("IntranetEndpoint", shared.host())
        .text("Location", &format!("oss-{}", shared.config.region))
        .text("Name", &shared.config.bucket)
        .text("StorageClass", "Standard")
        .text("TransferAcceleration", "Disabled")
        .text("CrossRegionReplication", "Disabled")
        .text("DataRedundancyType", "LRS")
        .child(Element::new("Owner").text("DisplayName", OWNER).text("ID", OWNER))
        .child(Element::new("AccessControlList").text("Grant", "private"));
    Ok(xml(Element::new("BucketInfo").child(bucket).document()))
}

/// The account that owns the bucket, also named in callbacks.
pub(crate) const OWNER: &str = "1000000000000001";
