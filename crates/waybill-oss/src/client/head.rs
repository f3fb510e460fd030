//! HeadObject: what OSS knows of an object without sending it.

use std::collections::BTreeMap;

use reqwest::Method;
use reqwest::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPIRES, LAST_MODIFIED,
};

use super::answer::Answer;
use super::{Call, Client};
use crate::error::Error;
use crate::headers::ObjectHeaders;
use crate::names::ObjectKey;

/// What HeadObject and GetObject say about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// Size in bytes.
    pub size: u64,
    /// ETag without quotes.
    pub etag: String,
    /// CRC-64 of the whole object; objects stored before OSS had it have none.
    pub crc64: Option<u64>,
    /// `Last-Modified` as it came.
    pub last_modified: Option<String>,
    /// `Content-Type` as it came.
    pub content_type: Option<String>,
    /// `Cache-Control` as it came.
    pub cache_control: Option<String>,
    /// `Content-Disposition` as it came.
    pub content_disposition: Option<String>,
    /// `Content-Encoding` as it came.
    pub content_encoding: Option<String>,
    /// `Expires` as it came.
    pub expires: Option<String>,
    /// The user's own metadata, without `x-oss-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// `x-oss-object-type`: Normal, Multipart, Appendable or Symlink.
    pub object_type: Option<String>,
    /// `x-oss-storage-class`, such as `Standard`.
    pub storage_class: Option<String>,
    /// `x-oss-server-side-encryption`, such as `AES256`.
    pub encryption: Option<String>,
    /// `x-oss-server-side-encryption-key-id`, the key of the Key Management Service.
    pub encryption_key_id: Option<String>,
    /// The version, in a bucket that keeps versions.
    pub version_id: Option<String>,
    /// `x-oss-tagging-count`: how many tags it has.
    pub tag_count: Option<u32>,
    /// For an archived object that was asked to be restored.
    pub restore: Option<Restore>,
    /// OSS's request id.
    pub request_id: String,
}

/// `x-oss-restore`: how far the restoring of an archived object has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// It is being restored and cannot be read yet.
    pub ongoing: bool,
    /// Until when it can be read, as it came.
    pub expires: Option<String>,
}

impl Restore {
    /// `ongoing-request="false", expiry-date="Sun, 16 Apr 2017 08:12:33 GMT"` [HeadObject].
    fn read(text: &str) -> Self {
        let quoted = |name: &str| {
            let (_, rest) = text.split_once(name)?;
            rest.strip_prefix("=\"")?.split_once('"').map(|(value, _)| value.to_owned())
        };
        Restore { ongoing: quoted("ongoing-request").as_deref() == Some("true"), expires: quoted("expiry-date") }
    }
}

impl ObjectHead {
    pub(super) fn read(answer: &Answer, size: u64) -> Result<Self, Error> {
        let metadata = answer.headers.keys().filter_map(|name| {
            let bare = name.as_str().strip_prefix("x-oss-meta-")?;
            Some((bare.to_owned(), answer.text_header(name.as_str())?))
        });
        Ok(ObjectHead {
            size,
            etag: answer.etag()?,
            crc64: answer.crc64()?,
            last_modified: answer.text_header(LAST_MODIFIED.as_str()),
            content_type: answer.text_header(CONTENT_TYPE.as_str()),
            cache_control: answer.text_header(CACHE_CONTROL.as_str()),
            content_disposition: answer.text_header(CONTENT_DISPOSITION.as_str()),
            content_encoding: answer.text_header(CONTENT_ENCODING.as_str()),
            expires: answer.text_header(EXPIRES.as_str()),
            metadata: metadata.collect(),
            object_type: answer.text_header("x-oss-object-type"),
            storage_class: answer.text_header("x-oss-storage-class"),
            encryption: answer.text_header("x-oss-server-side-encryption"),
            encryption_key_id: answer.text_header("x-oss-server-side-encryption-key-id"),
            version_id: answer.text_header("x-oss-version-id"),
            tag_count: answer.header("x-oss-tagging-count").and_then(|count| count.parse().ok()),
            restore: answer.header("x-oss-restore").map(Restore::read),
            request_id: answer.known_request_id()?,
        })
    }

    /// What describes the object's content, to be said again when it is stored anew: nothing of it is kept by itself
    /// when an object is put together from parts. ACL, storage class, encryption and tags are not among it.
    pub fn description(&self) -> ObjectHeaders {
        ObjectHeaders {
            content_type: self.content_type.clone(),
            cache_control: self.cache_control.clone(),
            content_disposition: self.content_disposition.clone(),
            content_encoding: self.content_encoding.clone(),
            expires: self.expires.clone(),
            metadata: self.metadata.clone(),
            ..ObjectHeaders::default()
        }
    }
}

impl Client {
    /// HeadObject: the facts of the object at `key`, or none if there is no such object. A missing bucket is an error.
    /// [HeadObject; go2 tryConvertServiceError]
    pub async fn head_object(&self, key: &ObjectKey) -> Result<Option<ObjectHead>, Error> {
        self.head_version(key, None).await
    }

    /// [`Client::head_object`] for one version of the object.
    pub async fn head_version(&self, key: &ObjectKey, version_id: Option<&str>) -> Result<Option<ObjectHead>, Error> {
        let call = Call::new("HeadObject", Method::HEAD, Some(key)).of_version(version_id);
        let head = self.send(&call, |answer| {
            let size = answer.header(CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok());
            ObjectHead::read(answer, size.ok_or_else(|| answer.unreadable("it has no Content-Length"))?)
        });
        match head.await {
            Ok(head) => Ok(Some(head)),
            Err(Error::Service(answer)) if answer.status == 404 && matches!(answer.code.as_str(), "" | "NoSuchKey") => {
                match answer.request_id {
                    Some(_) => Ok(None),
                    None => Err(Error::Unreadable {
                        operation: answer.operation,
                        message: "it is a 404 without x-oss-request-id, so OSS did not send it".to_owned(),
                        request_id: None,
                    }),
                }
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restore_is_read_while_it_goes_on_and_when_it_is_over() {
        assert_eq!(Restore::read("ongoing-request=\"true\""), Restore { ongoing: true, expires: None });
        let over = Restore::read("ongoing-request=\"false\", expiry-date=\"Sun, 16 Apr 2017 08:12:33 GMT\"");
        assert_eq!((over.ongoing, over.expires.as_deref()), (false, Some("Sun, 16 Apr 2017 08:12:33 GMT")));
        assert_eq!(Restore::read("odd"), Restore { ongoing: false, expires: None });
    }
}
