//! What an object is to be: its type, its metadata, who may read it, how it is kept; written as the headers of a call.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::escape;

/// All `x-oss-meta-*` together, names and values, must stay below this many bytes (EC 0011-00000002).
const METADATA_LIMIT: usize = 8 * 1024;
/// Slowest and fastest `x-oss-traffic-limit` in bit/s [Single-connection bandwidth throttling; EC 0004-00000502].
const TRAFFIC: std::ops::RangeInclusive<u32> = 819_200..=838_860_800;

/// A header or form field: its name and its value.
pub(crate) type Pair = (String, String);

/// What is said about an object when it is stored. Nothing is required; [`ObjectHeaders::check`] tells what OSS would
/// refuse. Each call takes of it what OSS takes there [PutObject; InitiateMultipartUpload; CompleteMultipartUpload].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectHeaders {
    /// `Content-Type`; without one OSS guesses by the key's ending. See [`content_type_for`].
    pub content_type: Option<String>,
    /// `Cache-Control`, such as `max-age=3600`.
    pub cache_control: Option<String>,
    /// `Content-Disposition`, such as `attachment; filename="a.txt"`.
    pub content_disposition: Option<String>,
    /// `Content-Encoding`: what was done to the bytes before they were handed over, such as `gzip`.
    pub content_encoding: Option<String>,
    /// `Expires`, an HTTP date.
    pub expires: Option<String>,
    /// `x-oss-meta-*` by name, with or without that prefix: letters, digits and hyphens, kept in lower case. Values may
    /// be any text without control characters; the SDKs send and sign other alphabets as UTF-8, and so do we.
    pub metadata: BTreeMap<String, String>,
    /// `x-oss-object-acl`.
    pub acl: Option<Acl>,
    /// `x-oss-storage-class`; without one it is the bucket's.
    pub storage_class: Option<StorageClass>,
    /// `x-oss-server-side-encryption` and its key.
    pub encryption: Option<Encryption>,
    /// `x-oss-tagging`: at most ten tags.
    pub tags: BTreeMap<String, String>,
    /// `x-oss-forbid-overwrite: true`: an object that is there already makes the call fail with 409
    /// `FileAlreadyExists`. Without effect in a bucket that keeps versions.
    pub forbid_overwrite: bool,
    /// `x-oss-traffic-limit` in bit/s, 819,200 to 838,860,800, for each request.
    pub traffic_limit: Option<u32>,
}

/// Who may read and write an object, apart from its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acl {
    /// As the bucket has it.
    Default,
    /// Nobody else.
    Private,
    /// Everybody may read.
    PublicRead,
    /// Everybody may read and write.
    PublicReadWrite,
}

impl Acl {
    /// The one that OSS calls so.
    pub fn named(name: &str) -> Option<Acl> {
        [Acl::Default, Acl::Private, Acl::PublicRead, Acl::PublicReadWrite].into_iter().find(|acl| acl.as_str() == name)
    }

    fn as_str(self) -> &'static str {
        match self {
            Acl::Default => "default",
            Acl::Private => "private",
            Acl::PublicRead => "public-read",
            Acl::PublicReadWrite => "public-read-write",
        }
    }
}

/// How an object is kept, and what reading it costs [go2 `enums.go`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StorageClass {
    /// For what is read often.
    Standard,
    /// Infrequent access: billed for 30 days at least.
    #[serde(rename = "IA")]
    InfrequentAccess,
    /// Billed for 60 days at least; restored before it is read.
    Archive,
    /// Billed for 180 days at least; restored before it is read.
    ColdArchive,
    /// Billed for 180 days at least; restored before it is read, within hours.
    DeepColdArchive,
}

impl StorageClass {
    /// The one that OSS calls so.
    pub fn named(name: &str) -> Option<StorageClass> {
        use StorageClass::{Archive, ColdArchive, DeepColdArchive, InfrequentAccess, Standard};
        let all = [Standard, InfrequentAccess, Archive, ColdArchive, DeepColdArchive];
        all.into_iter().find(|class| class.as_str() == name)
    }

    /// It must be restored before it can be read.
    pub fn is_archived(self) -> bool {
        !matches!(self, StorageClass::Standard | StorageClass::InfrequentAccess)
    }

    fn as_str(self) -> &'static str {
        match self {
            StorageClass::Standard => "Standard",
            StorageClass::InfrequentAccess => "IA",
            StorageClass::Archive => "Archive",
            StorageClass::ColdArchive => "ColdArchive",
            StorageClass::DeepColdArchive => "DeepColdArchive",
        }
    }
}

/// Encryption by OSS while the object is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "algorithm")]
pub enum Encryption {
    /// `AES256`, with keys OSS keeps.
    #[serde(rename = "AES256")]
    Aes256,
    /// `SM4`, with keys OSS keeps.
    #[serde(rename = "SM4")]
    Sm4,
    /// `KMS`, with a key of the Key Management Service; without an id it is the account's own default key.
    #[serde(rename = "KMS")]
    Kms {
        /// `x-oss-server-side-encryption-key-id`.
        #[serde(default)]
        key_id: Option<String>,
    },
}

/// The Content-Type a file's ending stands for, or none for an ending nobody knows. Only the name is looked at.
pub fn content_type_for(file_name: &str) -> Option<&'static str> {
    mime_guess::from_path(file_name).first_raw()
}

impl ObjectHeaders {
    /// Only a Content-Type.
    pub fn of_type(content_type: Option<&str>) -> Self {
        ObjectHeaders { content_type: content_type.map(str::to_owned), ..ObjectHeaders::default() }
    }

    /// Says what OSS would refuse ([`Error::Invalid`]) before anything is sent.
    pub fn check(&self) -> Result<(), Error> {
        self.for_put().map(drop)
    }

    /// PutObject takes everything.
    pub(crate) fn for_put(&self) -> Result<Vec<Pair>, Error> {
        Ok(joined([self.for_initiate()?, traffic_limit(self.traffic_limit)?]))
    }

    /// InitiateMultipartUpload says what the object will be; it moves no bytes.
    pub(crate) fn for_initiate(&self) -> Result<Vec<Pair>, Error> {
        Ok(joined([self.description()?, self.placement()?, self.overwriting()]))
    }

    /// CompleteMultipartUpload: forbid-overwrite counts only if it is said here as well.
    pub(crate) fn for_complete(&self) -> Vec<Pair> {
        joined([self.access(), self.overwriting()])
    }

    /// CopyObject with everything about the object but what describes it.
    pub(crate) fn for_copy(&self) -> Result<Vec<Pair>, Error> {
        Ok(joined([self.placement()?, self.overwriting(), traffic_limit(self.traffic_limit)?]))
    }

    /// PostObject: form fields of the same names, the standard ones as its page writes them; no tagging.
    pub(crate) fn for_form(&self) -> Result<Vec<Pair>, Error> {
        if !self.tags.is_empty() {
            return refuse("OSS takes no tags with a form: leave them out, or upload without a form");
        }
        let field = |(name, value): Pair| match name.as_str() {
            "content-type" => pair("Content-Type", &value),
            "cache-control" => pair("Cache-Control", &value),
            "content-disposition" => pair("Content-Disposition", &value),
            "content-encoding" => pair("Content-Encoding", &value),
            "expires" => pair("Expires", &value),
            _ => (name, value),
        };
        Ok(self.for_put()?.into_iter().map(field).collect())
    }

    /// What describes the content: the standard headers and the user's own metadata.
    pub(crate) fn description(&self) -> Result<Vec<Pair>, Error> {
        let mut pairs = Vec::new();
        let standard = [
            ("content-type", &self.content_type),
            ("cache-control", &self.cache_control),
            ("content-disposition", &self.content_disposition),
            ("content-encoding", &self.content_encoding),
            ("expires", &self.expires),
        ];
        for (name, value) in standard {
            let Some(value) = value.as_deref().map(str::trim).filter(|value| !value.is_empty()) else { continue };
            pairs.push((name.to_owned(), sendable(name, value)?));
        }
        pairs.extend(self.user_metadata()?);
        Ok(pairs)
    }

    fn user_metadata(&self) -> Result<Vec<Pair>, Error> {
        let mut all = BTreeMap::new();
        for (name, value) in &self.metadata {
            let bare = name.to_ascii_lowercase();
            let bare = bare.strip_prefix("x-oss-meta-").unwrap_or(&bare);
            if bare.is_empty() || !bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                return refuse(format!(
                    "the metadata name “{name}” may hold letters, digits and hyphens only (no underscores)"
                ));
            }
            let full = format!("x-oss-meta-{bare}");
            let value = sendable(&full, value.trim())?;
            if all.insert(full, value).is_some() {
                return refuse(format!("the metadata name “{bare}” is given twice; upper and lower case are the same"));
            }
        }
        let size: usize = all.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size >= METADATA_LIMIT {
            return refuse(format!("the metadata take {size} bytes with their names, OSS takes less than 8 KB in all"));
        }
        Ok(all.into_iter().collect())
    }

    fn placement(&self) -> Result<Vec<Pair>, Error> {
        let mut pairs = self.access();
        if let Some(class) = self.storage_class {
            pairs.push(("x-oss-storage-class".to_owned(), class.as_str().to_owned()));
        }
        let mut encrypt = |algorithm: &str| pairs.push(pair("x-oss-server-side-encryption", algorithm));
        match &self.encryption {
            None => {}
            Some(Encryption::Aes256) => encrypt("AES256"),
            Some(Encryption::Sm4) => encrypt("SM4"),
            Some(Encryption::Kms { key_id }) => {
                encrypt("KMS");
                if let Some(id) = key_id.as_deref().map(str::trim).filter(|id| !id.is_empty()) {
                    let name = "x-oss-server-side-encryption-key-id";
                    pairs.push((name.to_owned(), sendable(name, id)?));
                }
            }
        }
        pairs.extend(self.tagging()?);
        Ok(pairs)
    }

    fn access(&self) -> Vec<Pair> {
        self.acl.map(|acl| pair("x-oss-object-acl", acl.as_str())).into_iter().collect()
    }

    fn overwriting(&self) -> Vec<Pair> {
        if self.forbid_overwrite { vec![pair("x-oss-forbid-overwrite", "true")] } else { Vec::new() }
    }

    /// `x-oss-tagging`: the tags as an escaped query string [PutObject; PutObjectTagging].
    fn tagging(&self) -> Result<Option<Pair>, Error> {
        if self.tags.is_empty() {
            return Ok(None);
        }
        if self.tags.len() > 10 {
            return refuse(format!("there are {} tags, OSS takes ten", self.tags.len()));
        }
        let fits = |text: &str| {
            text.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'+' | b'-' | b'=' | b'.' | b'_' | b':' | b'/')
            })
        };
        for (name, value) in &self.tags {
            if name.is_empty() || name.len() > 128 || value.len() > 256 {
                return refuse(format!(
                    "the tag “{name}” must have a name of 1 to 128 characters and a value of up to 256"
                ));
            }
            if !fits(name) || !fits(value) {
                return refuse(format!("the tag “{name}” may hold letters, digits, spaces and + - = . _ : / only"));
            }
        }
        let tags: Vec<Pair> = self.tags.clone().into_iter().collect();
        Ok(Some(("x-oss-tagging".to_owned(), escape::query(&tags))))
    }
}

/// `x-oss-traffic-limit`, if there is to be one.
pub(crate) fn traffic_limit(limit: Option<u32>) -> Result<Vec<Pair>, Error> {
    match limit {
        None => Ok(Vec::new()),
        Some(limit) if TRAFFIC.contains(&limit) => Ok(vec![pair("x-oss-traffic-limit", &limit.to_string())]),
        Some(limit) => refuse(format!(
            "the traffic limit of {limit} bit/s is outside of what OSS takes: {} to {} bit/s",
            TRAFFIC.start(),
            TRAFFIC.end()
        )),
    }
}

fn joined<const N: usize>(lists: [Vec<Pair>; N]) -> Vec<Pair> {
    lists.into_iter().flatten().collect()
}

fn pair(name: &str, value: &str) -> Pair {
    (name.to_owned(), value.to_owned())
}

/// A value as it can stand in a header. Line breaks would end it and let something else begin.
fn sendable(name: &str, value: &str) -> Result<String, Error> {
    if value.chars().any(char::is_control) {
        return refuse(format!("the value of “{name}” has a line break or another control character: take it out"));
    }
    Ok(value.to_owned())
}

fn refuse<T>(why: impl std::fmt::Display) -> Result<T, Error> {
    Err(Error::Invalid(format!("Object headers: {why}.")))
}

#[cfg(test)]
#[path = "headers_tests.rs"]
mod tests;
