//! The values that `${…}` can name: those of the system, and the client's own.
//!
//! Source: *Callback* page, current edition. Names are case-sensitive. A text becomes a quoted text in JSON; sizes are
//! bare numbers, as in a callback that was captured. A name that nobody knows has no value: a captured JSON callback
//! carries `null` for one.

use std::fs::File;

use serde_json::{Value, json};

use super::{Order, image};
use crate::{exchange::Exchange, store::Stored};

/// Looks at the stored object when the template asks for an image.
pub(super) async fn image_of(exchange: &Exchange, order: &Order, stored: &Stored) -> Option<image::ImageInfo> {
    if !order.body.contains("${imageInfo.") {
        return None;
    }
    let (store, key) = (exchange.shared.store.clone(), stored.key.clone());
    let look = move || -> Option<image::ImageInfo> {
        let (_stored, file): (Stored, File) = store.open(&key).ok()??;
        image::read(file)
    };
    tokio::task::spawn_blocking(look).await.ok()?
}

/// The value of one name, `Null` when it has none.
pub(super) fn value(
    exchange: &Exchange,
    order: &Order,
    stored: &Stored,
    image: Option<&image::ImageInfo>,
    name: &str,
) -> Value {
    match name {
        "bucket" => json!(exchange.shared.config.bucket),
        "object" => json!(stored.key),
        "etag" => json!(stored.etag),
        "size" => json!(stored.size),
        "mimeType" => json!(stored.about.content_type),
        "imageInfo.height" => json!(image.map(|image| image.height)),
        "imageInfo.width" => json!(image.map(|image| image.width)),
        "imageInfo.format" => json!(image.map(|image| image.format)),
        "crc64" => json!(stored.crc64.to_string()),
        // Put and Post have one, a completed multipart upload has none.
        "contentMd5" => json!(stored.content_md5),
        // A request that does not come out of a VPC.
        "vpcId" => Value::Null,
        "clientIp" => json!(exchange.client_ip.to_string()),
        "reqId" => json!(exchange.request_id),
        "operation" => json!(exchange.operation.name()),
        custom => order.variables.get(custom).map_or(Value::Null, |value| json!(value)),
    }
}
