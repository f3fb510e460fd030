//! Multipart uploads: Initiate, UploadPart, ListParts, Complete, Abort.

use std::sync::Arc;

use axum::http::StatusCode;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use crc_fast::{CrcAlgorithm, checksum_combine};
use jiff::Timestamp;
use md5::{Digest, Md5};

use crate::{
    about,
    answer::{OssError, Outcome, Refusal, empty, put, xml},
    callback,
    digest::Claim,
    escape::{encode, hex_upper},
    exchange::Exchange,
    intake::Intake,
    list::{truth, wants_url},
    object::{self, CRC, blocking, committed},
    store::{NewObject, ObjectKind, Part, Sealed, Upload, UploadInfo},
    time,
    xml::{Element, ListedPart, read_complete},
};

/// Every part but the last has at least this size; judged at completion.
const PART_MINIMUM: u64 = 100 * 1024;
pub(crate) const PART_NUMBERS: std::ops::RangeInclusive<u32> = 1..=10_000;
/// Ten thousand parts fit in well under this.
const LIST_LIMIT: usize = 4 * 1024 * 1024;

/// The upload id of an Initiate answer, for the request log.
#[derive(Clone)]
pub(crate) struct GivenOut(pub(crate) String);

/// `POST /key?uploads`: metadata and Content-Type are given here, not at completion.
pub(crate) async fn initiate(exchange: &Exchange) -> Outcome {
    let store = Arc::clone(&exchange.shared.store);
    let key = exchange.key().to_owned();
    let given = about::texts(&exchange.headers);
    let about = about::read(&given)?;
    if about::forbids_overwrite(&given)? {
        let (store, key) = (Arc::clone(&store), key.clone());
        if blocking(move || store.open(&key)).await?.is_some() {
            return Err(object::already_there(exchange.key()).into());
        }
    }
    let info = UploadInfo {
        upload_id: uuid::Uuid::new_v4().simple().to_string().to_ascii_uppercase(),
        key,
        about: about.clone(),
        initiated_ms: Timestamp::now().as_millisecond(),
    };
    let upload_id = info.upload_id.clone();
    blocking(move || store.uploads.begin(info)).await?;
    let answer = named(exchange, Element::new("InitiateMultipartUploadResult"))?.text("UploadId", &upload_id);
    let mut response = xml(answer.document());
    object::encryption_headers(&mut response, &about);
    response.extensions_mut().insert(GivenOut(upload_id));
    Ok(response)
}

/// `PUT /key?partNumber=n&uploadId=u`: the same number again replaces the part.
pub(crate) async fn upload_part(exchange: &Exchange, intake: &mut Intake) -> Outcome {
    let (number, upload) = part_asked_for(exchange)?;
    let sealed = object::take_body(exchange, intake).await?;
    let md5 = BASE64_STANDARD.encode(sealed.md5);
    let part = put_part(exchange, number, sealed).await?;
    let mut response = empty(StatusCode::OK);
    put(&mut response, "etag", &format!("\"{}\"", part.etag));
    put(&mut response, CRC, &part.crc64.to_string());
    put(&mut response, "content-md5", &md5);
    object::encryption_headers(&mut response, &upload.info.about);
    Ok(response)
}

/// Part number and open upload of a request that brings a part.
pub(crate) fn part_asked_for(exchange: &Exchange) -> Result<(u32, Arc<Upload>), OssError> {
    let number = exchange.target.part_number().filter(|number| PART_NUMBERS.contains(number)).ok_or_else(|| {
        let given = exchange.target.query("partNumber").unwrap_or_default();
        OssError::argument("Part number must be an integer between 1 and 10000, inclusive.", "partNumber", given)
    })?;
    let upload = upload_of(exchange).ok_or_else(|| no_upload(exchange, "0042-00000104"))?;
    Ok((number, upload))
}

/// Puts a part into its upload, which may have ended while the part came in.
pub(crate) async fn put_part(exchange: &Exchange, number: u32, sealed: Sealed) -> Result<Part, Refusal> {
    let gone = || no_upload(exchange, "0042-00000104");
    let upload = upload_of(exchange).ok_or_else(gone)?;
    let _open = upload.gate.read().await;
    let (store, upload_id) = (Arc::clone(&exchange.shared.store), upload.info.upload_id.clone());
    if upload_of(exchange).is_none() {
        return Err(gone().into());
    }
    let part = blocking(move || store.uploads.add_part(&upload_id, number, sealed)).await?;
    Ok(part.ok_or_else(gone)?)
}

/// `GET /key?uploadId=u`: ascending, at most 1000 to a page.
pub(crate) fn list_parts(exchange: &Exchange) -> Outcome {
    let number = |name: &str, default: u32| match exchange.target.query(name) {
        // oss2 sends an empty marker for the first page.
        None | Some("") => Ok(default),
        Some(given) => given
            .parse::<u32>()
            .map_err(|_| OssError::argument(format!("{name} must be a non-negative integer."), name, given)),
    };
    let page = number("max-parts", 1000)?;
    if !(1..=1000).contains(&page) {
        let given = page.to_string();
        return Err(OssError::argument("max-parts must be between 1 and 1000.", "max-parts", &given).into());
    }
    let marker = number("part-number-marker", 0)?;
    let upload = upload_of(exchange).ok_or_else(|| no_upload(exchange, "0042-00000203"))?;
    let mut parts = upload.parts_after(marker, page as usize + 1);
    let truncated = parts.len() > page as usize;
    parts.truncate(page as usize);
    let next = parts.last().map_or(marker, |part| part.number);
    let mut list = named(exchange, Element::new("ListPartsResult"))?
        .text("UploadId", &upload.info.upload_id)
        .text("StorageClass", upload.info.about.storage_class())
        .text("PartNumberMarker", &marker.to_string())
        .text("NextPartNumberMarker", &next.to_string())
        .text("MaxParts", &page.to_string())
        .text("IsTruncated", truth(truncated));
    for part in parts {
        list = list.child(
            Element::new("Part")
                .text("PartNumber", &part.number.to_string())
                .text("LastModified", &time::xml(time::of_ms(part.modified_ms)))
                .text("ETag", &format!("\"{}\"", part.etag))
                .text("HashCrc64ecma", &part.crc64.to_string())
                .text("Size", &part.size.to_string()),
        );
    }
    Ok(xml(list.document()))
}

/// `POST /key?uploadId=u` with the list of parts: the object is there whole afterwards, then the callback is made.
pub(crate) async fn complete(exchange: &Exchange, intake: &mut Intake) -> Outcome {
    let order = callback::ordered(exchange).await?;
    let given = about::texts(&exchange.headers);
    let forbid_overwrite = about::forbids_overwrite(&given)?;
    let acl = exchange.header("x-oss-object-acl").map(|acl| about::read_acl(&acl)).transpose()?;
    let claim = Claim::of(exchange)?;
    let body = intake.whole(LIST_LIMIT).await?.ok_or_else(malformed)?;
    if let Some(claim) = claim {
        claim.check_body(&body)?;
    }
    let gone = || Refusal::from(no_upload(exchange, "0042-00000203"));
    let upload = upload_of(exchange).ok_or_else(gone)?;
    let alone = upload.gate.write().await;
    upload_of(exchange).ok_or_else(gone)?;
    let parts = choose(exchange, &body, &upload)?;
    let mut about = upload.info.about.clone();
    if let Some(acl) = acl {
        about.acl = acl;
    }
    let new = NewObject {
        key: upload.info.key.clone(),
        etag: multipart_etag(parts.iter().map(|part| part.etag.as_str())),
        crc64: parts.iter().fold(0, |crc, part| checksum_combine(CrcAlgorithm::Crc64Xz, crc, part.crc64, part.size)),
        content_md5: None,
        kind: ObjectKind::Multipart,
        about,
        forbid_overwrite,
    };
    let (store, upload_id) = (Arc::clone(&exchange.shared.store), upload.info.upload_id.clone());
    let commit = blocking(move || {
        let content = store.assemble(&upload_id, &parts)?;
        store.commit(content, new, Some(&upload_id))
    })
    .await?;
    // Whoever waits for the upload need not wait for the application too.
    drop(alone);
    let stored = committed(exchange.key(), commit)?;
    let answer = named(exchange, Element::new("CompleteMultipartUploadResult"))?
        .text("Location", &object::location(exchange, &stored.key))
        .text("ETag", &format!("\"{}\"", stored.etag));
    let mut plain = xml(answer.document());
    object::object_headers(&mut plain, &stored);
    object::encryption_headers(&mut plain, &stored.about);
    callback::conclude(exchange, order, &stored, plain).await
}

/// `DELETE /key?uploadId=u`.
pub(crate) async fn abort(exchange: &Exchange) -> Outcome {
    let gone = || Refusal::from(no_upload(exchange, "0042-00000002"));
    let upload = upload_of(exchange).ok_or_else(gone)?;
    let _alone = upload.gate.write().await;
    let (store, upload_id) = (Arc::clone(&exchange.shared.store), upload.info.upload_id.clone());
    if blocking(move || store.uploads.drop_upload(&upload_id)).await? {
        Ok(empty(StatusCode::NO_CONTENT))
    } else {
        Err(gone())
    }
}

/// The parts that the body names, or all of them with `x-oss-complete-all: yes`.
fn choose(exchange: &Exchange, body: &[u8], upload: &Upload) -> Result<Vec<Part>, OssError> {
    let stored = upload.parts_after(0, usize::MAX);
    if let Some(value) = exchange.header("x-oss-complete-all") {
        if !value.eq_ignore_ascii_case("yes") {
            return Err(OssError::argument("x-oss-complete-all must be yes.", "x-oss-complete-all", &value));
        }
        if !body.is_empty() {
            let message = "Should not speficy both complete all header and http body.";
            return Err(OssError::argument(message, "x-oss-complete-all", "yes").ec("0042-00000216"));
        }
        let listed: Vec<ListedPart> =
            stored.iter().map(|part| ListedPart { number: part.number, etag: part.etag.clone() }).collect();
        return pick(&listed, &stored);
    }
    pick(&read_complete(body).ok_or_else(malformed)?, &stored)
}

/// The part rules of CompleteMultipartUpload: a list, in order, of parts that are there, none but the last too small.
fn pick(listed: &[ListedPart], stored: &[Part]) -> Result<Vec<Part>, OssError> {
    if listed.is_empty() || listed.iter().any(|part| !PART_NUMBERS.contains(&part.number)) {
        return Err(malformed());
    }
    if !listed.is_sorted_by(|a, b| a.number < b.number) {
        let message =
            "The list of parts was not in ascending order. Parts list must specified in order by part number.";
        return Err(OssError::new(400, "InvalidPartOrder", message));
    }
    let mut picked = Vec::with_capacity(listed.len());
    for want in listed {
        let found = stored
            .binary_search_by_key(&want.number, |part| part.number)
            .ok()
            .map(|at| &stored[at])
            .filter(|part| part.etag.eq_ignore_ascii_case(&want.etag));
        let Some(part) = found else {
            let message = "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag.";
            return Err(OssError::new(400, "InvalidPart", message)
                .with("PartNumber", want.number.to_string())
                .with("ETag", want.etag.clone()));
        };
        picked.push(part.clone());
    }
    if let Some((_last, others)) = picked.split_last()
        && let Some(small) = others.iter().find(|part| part.size < PART_MINIMUM)
    {
        return Err(OssError::new(
            400,
            "EntityTooSmall",
            "Your proposed upload smaller than the minimum allowed size.",
        )
        .with("ProposedSize", small.size.to_string())
        .with("MinSizeAllowed", PART_MINIMUM.to_string())
        .with("PartNumber", small.number.to_string()));
    }
    Ok(picked)
}

/// ETag of a multipart object: MD5 of the part ETags as upper-case hex text, joined with nothing between, a dash, the
/// number of parts (seen in the unmasked samples of the CompleteMultipartUpload page).
pub(crate) fn multipart_etag<'a>(etags: impl Iterator<Item = &'a str>) -> String {
    let mut md5 = Md5::new();
    let mut count = 0;
    for etag in etags {
        md5.update(etag);
        count += 1;
    }
    format!("{}-{count}", hex_upper(&md5.finalize()))
}

fn upload_of(exchange: &Exchange) -> Option<Arc<Upload>> {
    let upload = exchange.shared.store.uploads.find(exchange.target.upload_id()?)?;
    (upload.info.key == exchange.key()).then_some(upload)
}

fn no_upload(exchange: &Exchange, ec: &'static str) -> OssError {
    OssError::no_such_upload(exchange.target.upload_id().unwrap_or_default(), ec)
}

/// 400 MalformedXML of a completion.
pub(crate) fn malformed() -> OssError {
    OssError::malformed_xml().ec("0042-00000205")
}

/// Bucket and key, the key URL-encoded once when the request asks for it.
fn named(exchange: &Exchange, element: Element) -> Result<Element, OssError> {
    let url = wants_url(exchange)?;
    let key = if url { encode(exchange.key().as_bytes(), false) } else { exchange.key().to_owned() };
    let element = if url { element.text("EncodingType", "url") } else { element };
    Ok(element.text("Bucket", &exchange.shared.config.bucket).text("Key", &key))
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
