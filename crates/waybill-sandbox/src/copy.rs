//! CopyObject and UploadPartCopy: content that the bucket has already.
//!
//! Sources: *CopyObject* and *UploadPartCopy* pages. What a copy of a multipart object has for an ETag is not
//! established; here the content keeps its ETag, as it keeps its CRC-64.

use std::{fs::File, sync::Arc};

use axum::body::Body;
use axum::http::{Response, StatusCode};
use jiff::Timestamp;

use crate::{
    about::{self, Given},
    answer::{OssError, Outcome, Refusal, empty, put, xml},
    condition::{self, Conditions, Verdict},
    escape::{decode, hex_upper},
    exchange::Exchange,
    multipart,
    object::{self, CRC, blocking, committed},
    range::{self, Stretch},
    store::{About, NewObject, Stored},
    time,
    xml::Element,
};

/// Header that names the source.
pub(crate) const SOURCE: &str = "x-oss-copy-source";

/// `PUT /key` with a source: a new object, or new metadata when the source is the object itself.
pub(crate) async fn copy_object(exchange: &Exchange) -> Outcome {
    let given = about::texts(&exchange.headers);
    let replace_metadata = directive(&given, "x-oss-metadata-directive")?;
    let replace_tags = directive(&given, "x-oss-tagging-directive")?;
    let asked = about::read(&given)?;
    let forbid_overwrite = about::forbids_overwrite(&given)?;
    let Some((source, file)) = find_source(exchange).await? else {
        return Ok(empty(StatusCode::NOT_MODIFIED));
    };
    if source.size > object::BODY_LIMIT {
        return Err(object::too_large().into());
    }
    let onto_itself = source.key == exchange.key();
    // Onto itself the request's metadata counts whatever the directive says.
    let about = merged(&source.about, asked, replace_metadata || onto_itself, replace_tags);
    let store = Arc::clone(&exchange.shared.store);
    let stored = if onto_itself {
        if forbid_overwrite {
            return Err(object::already_there(exchange.key()).into());
        }
        let key = source.key;
        let changed = blocking(move || {
            store.redescribe(&key, |stored| {
                stored.about = about;
                stored.last_modified_ms = Timestamp::now().as_millisecond();
            })
        });
        changed.await?.ok_or_else(|| OssError::no_such_key(exchange.key()))?
    } else {
        let new = NewObject {
            key: exchange.key().to_owned(),
            etag: source.etag,
            crc64: source.crc64,
            content_md5: source.content_md5,
            kind: source.kind,
            about,
            forbid_overwrite,
        };
        let commit = blocking(move || {
            let copied = store.copy(&file, 0, source.size)?;
            store.commit(copied.content, new, None)
        });
        committed(exchange.key(), commit.await?)?
    };
    let mut response = result("CopyObjectResult", &stored.etag, stored.crc64, stored.last_modified_ms);
    object::encryption_headers(&mut response, &stored.about);
    Ok(response)
}

/// `PUT /key?partNumber=n&uploadId=u` with a source, whole or in part. A range that does not lie in the source copies
/// all of it without complaint.
pub(crate) async fn upload_part_copy(exchange: &Exchange) -> Outcome {
    let (number, _upload) = multipart::part_asked_for(exchange)?;
    let Some((source, file)) = find_source(exchange).await? else {
        return Ok(empty(StatusCode::NOT_MODIFIED));
    };
    let stretch = exchange
        .header("x-oss-copy-source-range")
        .map_or(Stretch::Whole, |wanted| range::read(&wanted, source.size, false));
    let (from, length) = match stretch {
        Stretch::Part { from, to } => (from, to - from + 1),
        Stretch::Whole | Stretch::Outside => (0, source.size),
    };
    if length > object::BODY_LIMIT {
        return Err(object::too_large().into());
    }
    let store = Arc::clone(&exchange.shared.store);
    let sealed = blocking(move || store.copy(&file, from, length)).await?;
    let etag = hex_upper(&sealed.md5);
    let part = multipart::put_part(exchange, number, sealed).await?;
    Ok(result("CopyPartResult", &etag, part.crc64, part.modified_ms))
}

/// The source, `None` when the conditions on it say *not modified*.
async fn find_source(exchange: &Exchange) -> Result<Option<(Stored, File)>, Refusal> {
    let given = exchange.header(SOURCE).unwrap_or_default();
    let (bucket, key) = read_source(&given)?;
    if bucket != exchange.shared.config.bucket {
        return Err(OssError::new(404, "NoSuchBucket", "The specified bucket does not exist.")
            .ec("0015-00000101")
            .with("BucketName", bucket)
            .into());
    }
    let (store, wanted) = (Arc::clone(&exchange.shared.store), key.clone());
    let (stored, file) = blocking(move || store.open(&wanted)).await?.ok_or_else(|| OssError::no_such_key(&key))?;
    match Conditions::of_source(exchange).judge(&stored) {
        Verdict::Met => Ok(Some((stored, file))),
        Verdict::NotModified => Ok(None),
        Verdict::Failed(name) => {
            Err(condition::failed(&format!("x-oss-copy-source-{}", name.to_ascii_lowercase())).into())
        }
    }
}

/// `/bucket/key`, URL-encoded, perhaps with a version. A plus sign is a space there: the Go SDK encodes a key as a
/// query, and every other one writes a plus sign as `%2B`.
fn read_source(given: &str) -> Result<(String, String), OssError> {
    let wrong = || {
        let message = "Copy Source must mention the source bucket and key: /sourcebucket/sourcekey.";
        OssError::argument(message, SOURCE, given)
    };
    let (path, query) = given.split_once('?').unwrap_or((given, ""));
    check_version(query.strip_prefix("versionId="))?;
    let path = decode(path, true).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(wrong)?;
    let (bucket, key) = path.strip_prefix('/').and_then(|path| path.split_once('/')).ok_or_else(wrong)?;
    if bucket.is_empty() || key.is_empty() {
        return Err(wrong());
    }
    Ok((bucket.to_owned(), key.to_owned()))
}

/// The only version of an object is `null`, since versioning is off.
pub(crate) fn check_version(given: Option<&str>) -> Result<(), OssError> {
    match given {
        None | Some("" | "null") => Ok(()),
        Some(other) => Err(OssError::argument("Invalid version id specified.", "versionId", other)),
    }
}

/// Whether a directive says REPLACE; COPY when it is absent.
fn directive(given: &Given, name: &str) -> Result<bool, OssError> {
    match given.get(name) {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case("COPY") => Ok(false),
        Some(value) if value.eq_ignore_ascii_case("REPLACE") => Ok(true),
        Some(value) => Err(OssError::argument(format!("{name} must be COPY or REPLACE."), name, value)),
    }
}

/// Metadata and tags from the source or the request; ACL, storage class and encryption always from the request.
fn merged(source: &About, mut asked: About, replace_metadata: bool, replace_tags: bool) -> About {
    if !replace_tags {
        asked.tags.clone_from(&source.tags);
    }
    if replace_metadata {
        return asked;
    }
    let own = |name: &str| name == crate::store::STORAGE_CLASS || name.starts_with("x-oss-server-side-");
    asked.headers.retain(|name, _| own(name));
    let theirs = source.headers.iter().filter(|(name, _)| !own(name));
    asked.headers.extend(theirs.map(|(name, value)| (name.clone(), value.clone())));
    asked.content_type.clone_from(&source.content_type);
    asked
}

/// ETag in the document and as a header, where oss2 for Python looks for it.
fn result(name: &'static str, etag: &str, crc64: u64, modified_ms: i64) -> Response<Body> {
    let etag = format!("\"{etag}\"");
    let document = Element::new(name).text("LastModified", &time::xml(time::of_ms(modified_ms))).text("ETag", &etag);
    let mut response = xml(document.document());
    put(&mut response, "etag", &etag);
    put(&mut response, CRC, &crc64.to_string());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_decoded_with_a_plus_for_a_space() {
        for (given, key) in
            [("/b/a%2Fb+c", "a/b c"), ("/b/a/b%20c", "a/b c"), ("/b/a%2Bb", "a+b"), ("/b/a%3Fb?versionId=null", "a?b")]
        {
            assert_eq!(read_source(given).expect("reads"), ("b".to_owned(), key.to_owned()), "{given}");
        }
        for given in ["", "/b", "/b/", "//k", "b/k", "/b/%FF", "/b/%", "/b/k?versionId=CAEQ"] {
            assert_eq!(read_source(given).unwrap_err().code, "InvalidArgument", "{given}");
        }
    }

    #[test]
    fn encryption_and_class_are_never_copied_and_metadata_only_when_not_replaced() {
        let about = |pairs: &[(&str, &str)], content_type: &str| About {
            content_type: content_type.into(),
            headers: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..About::default()
        };
        let source = about(&[("x-oss-meta-a", "1"), ("x-oss-server-side-encryption", "KMS")], "text/plain");
        let asked = about(&[("x-oss-meta-b", "2"), ("x-oss-storage-class", "IA")], "image/png");
        let copied = merged(&source, asked.clone(), false, false);
        assert_eq!(copied, about(&[("x-oss-meta-a", "1"), ("x-oss-storage-class", "IA")], "text/plain"));
        assert_eq!(merged(&source, asked.clone(), true, false), asked);
    }
}
