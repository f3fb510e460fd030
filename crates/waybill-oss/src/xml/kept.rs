//! What OSS answers about what an object has besides its bytes: its ACL and its tags.

use serde::Deserialize;

use super::bucket::AccessControlList;
use super::{Document, trimmed};

/// `AccessControlPolicy`.
#[derive(Debug, Deserialize)]
pub(crate) struct AclDocument {
    #[serde(rename = "AccessControlList", default)]
    pub(crate) list: AccessControlList,
}

impl Document for AclDocument {
    const ROOT: &'static str = "AccessControlPolicy";
}

/// `Tagging`.
#[derive(Debug, Deserialize)]
pub(crate) struct TaggingDocument {
    #[serde(rename = "TagSet", default)]
    pub(crate) set: TagSet,
}

impl Document for TaggingDocument {
    const ROOT: &'static str = "Tagging";
}

/// `Tagging/TagSet`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct TagSet {
    #[serde(rename = "Tag", default)]
    pub(crate) tags: Vec<TagRow>,
}

/// `Tagging/TagSet/Tag`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagRow {
    #[serde(deserialize_with = "trimmed")]
    pub(crate) key: String,
    #[serde(default, deserialize_with = "trimmed")]
    pub(crate) value: String,
}
