//! What an object has besides its bytes, read so that it can be given again when the object is stored anew.

use std::collections::BTreeMap;

use reqwest::Method;

use super::head::ObjectHead;
use super::{Call, Client};
use crate::error::Error;
use crate::headers::{Acl, Encryption, ObjectHeaders, StorageClass};
use crate::names::ObjectKey;
use crate::xml::kept::{AclDocument, TaggingDocument};

impl Client {
    /// GetObjectAcl: who may read and write the object. It needs the right `oss:GetObjectAcl`. (API page GetObjectAcl)
    pub async fn get_object_acl(&self, key: &ObjectKey) -> Result<Acl, Error> {
        let call = Call::new("GetObjectAcl", Method::GET, Some(key)).query("acl", "");
        self.send(&call, |answer| {
            let grant = answer.xml::<AclDocument>()?.list.grant;
            Acl::named(&grant).ok_or_else(|| answer.unreadable(&format!("its ACL is “{grant}”, which is none")))
        })
        .await
    }

    /// GetObjectTagging: the object's tags. It needs the right `oss:GetObjectTagging`; [`ObjectHead::tag_count`] says
    /// whether there are any. (API page GetObjectTagging)
    pub async fn get_object_tags(&self, key: &ObjectKey) -> Result<BTreeMap<String, String>, Error> {
        let call = Call::new("GetObjectTagging", Method::GET, Some(key)).query("tagging", "");
        self.send(&call, |answer| {
            let tags = answer.xml::<TaggingDocument>()?.set.tags;
            Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
        })
        .await
    }
}

impl ObjectHead {
    /// As [`ObjectHead::description`], and how the object is kept: its storage class and its encryption. Its ACL and tags
    /// are asked for by [`Client::get_object_acl`] and [`Client::get_object_tags`].
    ///
    /// [`Error::Invalid`] for a class or an encryption that this program does not know how to ask for.
    pub fn kept(&self) -> Result<ObjectHeaders, Error> {
        let unknown =
            |what: &str, name: &str| Error::Invalid(format!("The object's {what} is “{name}”, which is new to us."));
        let storage_class = match self.storage_class.as_deref() {
            None => None,
            Some(name) => Some(StorageClass::named(name).ok_or_else(|| unknown("storage class", name))?),
        };
        let encryption = match self.encryption.as_deref() {
            None => None,
            Some("AES256") => Some(Encryption::Aes256),
            Some("SM4") => Some(Encryption::Sm4),
            Some("KMS") => Some(Encryption::Kms { key_id: self.encryption_key_id.clone() }),
            Some(name) => return Err(unknown("encryption", name)),
        };
        Ok(ObjectHeaders { storage_class, encryption, ..self.description() })
    }
}
