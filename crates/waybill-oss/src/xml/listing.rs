//! What OSS answers when it lists objects or open uploads: pages, whose keys are percent-encoded on demand.

use serde::Deserialize;

use super::{Document, trimmed, trimmed_option};
use crate::escape;

/// `ListBucketResult`, of either version of ListObjects.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ObjectsPage {
    #[serde(deserialize_with = "trimmed")]
    pub(crate) is_truncated: bool,
    #[serde(default, deserialize_with = "trimmed_option")]
    encoding_type: Option<String>,
    /// Version 1.
    #[serde(default)]
    next_marker: Option<String>,
    /// Version 2.
    #[serde(default)]
    next_continuation_token: Option<String>,
    /// Version 2: how many objects and prefixes the page has.
    #[serde(default, deserialize_with = "trimmed_option")]
    key_count: Option<usize>,
    #[serde(default)]
    contents: Vec<ObjectRow>,
    #[serde(default)]
    common_prefixes: Vec<PrefixRow>,
}

impl Document for ObjectsPage {
    const ROOT: &'static str = "ListBucketResult";
}

/// `Contents`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ObjectRow {
    pub(crate) key: String,
    #[serde(deserialize_with = "trimmed")]
    pub(crate) size: u64,
    #[serde(rename = "ETag", default, deserialize_with = "trimmed")]
    pub(crate) etag: String,
    #[serde(default, deserialize_with = "trimmed")]
    pub(crate) last_modified: String,
    #[serde(default, rename = "Type", deserialize_with = "trimmed_option")]
    pub(crate) object_type: Option<String>,
    #[serde(default, deserialize_with = "trimmed_option")]
    pub(crate) storage_class: Option<String>,
    #[serde(default, deserialize_with = "trimmed_option")]
    pub(crate) restore_info: Option<String>,
}

/// `CommonPrefixes`.
#[derive(Debug, Deserialize)]
pub(crate) struct PrefixRow {
    #[serde(rename = "Prefix")]
    prefix: String,
}

/// A page of objects with its names decoded.
#[derive(Debug)]
pub(crate) struct DecodedObjects {
    pub(crate) rows: Vec<ObjectRow>,
    pub(crate) prefixes: Vec<String>,
    /// Where the next page begins, as the answer says.
    pub(crate) next: Option<String>,
}

impl ObjectsPage {
    /// Decodes the names, or says what is wrong with the page.
    pub(crate) fn decoded(self) -> Result<DecodedObjects, String> {
        let encoding = Encoding::named(self.encoding_type.as_deref())?;
        if self.key_count.is_some_and(|count| count != self.contents.len() + self.common_prefixes.len()) {
            return Err("it has another number of keys than it says".to_owned());
        }
        let mut rows = self.contents;
        for row in &mut rows {
            row.key = encoding.decode(&row.key)?;
        }
        let prefixes = self.common_prefixes.iter().map(|row| encoding.decode(&row.prefix)).collect::<Result<_, _>>()?;
        let next = self.next_continuation_token.or(self.next_marker).filter(|next| !next.is_empty());
        let next = next.map(|next| encoding.decode(&next)).transpose()?;
        Ok(DecodedObjects { rows, prefixes, next: next.filter(|_| self.is_truncated) })
    }
}

/// `ListMultipartUploadsResult`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UploadsPage {
    #[serde(deserialize_with = "trimmed")]
    pub(crate) is_truncated: bool,
    #[serde(default, deserialize_with = "trimmed_option")]
    encoding_type: Option<String>,
    #[serde(default)]
    next_key_marker: Option<String>,
    #[serde(default, deserialize_with = "trimmed_option")]
    next_upload_id_marker: Option<String>,
    #[serde(rename = "Upload", default)]
    uploads: Vec<UploadRow>,
}

impl Document for UploadsPage {
    const ROOT: &'static str = "ListMultipartUploadsResult";
}

/// `Upload`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UploadRow {
    pub(crate) key: String,
    #[serde(deserialize_with = "trimmed")]
    pub(crate) upload_id: String,
    #[serde(default, deserialize_with = "trimmed")]
    pub(crate) initiated: String,
}

/// A page of open uploads with its names decoded, and the key and UploadId behind which the next page begins.
#[derive(Debug)]
pub(crate) struct DecodedUploads {
    pub(crate) rows: Vec<UploadRow>,
    pub(crate) next: Option<(String, String)>,
}

impl UploadsPage {
    /// Decodes the names, or says what is wrong with the page.
    pub(crate) fn decoded(self) -> Result<DecodedUploads, String> {
        let encoding = Encoding::named(self.encoding_type.as_deref())?;
        let mut rows = self.uploads;
        for row in &mut rows {
            row.key = encoding.decode(&row.key)?;
        }
        let key = self.next_key_marker.filter(|key| self.is_truncated && !key.is_empty());
        let next = match key {
            Some(key) => Some((encoding.decode(&key)?, self.next_upload_id_marker.unwrap_or_default())),
            None => None,
        };
        Ok(DecodedUploads { rows, next })
    }
}

/// How names are written in a page. OSS says so itself, since a server may not know `encoding-type`.
#[derive(Clone, Copy)]
enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    fn named(name: Option<&str>) -> Result<Self, String> {
        match name {
            None | Some("") => Ok(Encoding::Plain),
            Some(name) if name.eq_ignore_ascii_case("url") => Ok(Encoding::Url),
            Some(name) => Err(format!("its keys are written in an unknown way, “{name}”")),
        }
    }

    /// URL-encoded once [ListParts]; a plus is a space, as Go and Java read it [go2 unmarshalEncodeType].
    fn decode(self, text: &str) -> Result<String, String> {
        if matches!(self, Encoding::Plain) {
            return Ok(text.to_owned());
        }
        escape::decoded(&text.replace('+', " ")).ok_or_else(|| format!("the name “{text}” is not written as a URL"))
    }
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
