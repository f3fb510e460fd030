//! Objects on disk: their descriptions, looked up, listed, changed and taken away.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{Store, names, walk::Walk};
use crate::page::{Page, Wanted, page};

/// What a client said about an object besides its bytes. An unfinished upload keeps it for the object to come.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct About {
    pub(crate) content_type: String,
    /// What comes back as headers: metadata, Cache-Control and its kin, encryption, storage class.
    pub(crate) headers: BTreeMap<String, String>,
    /// `None` is `default`: the object follows its bucket.
    #[serde(default)]
    pub(crate) acl: Option<String>,
    #[serde(default)]
    pub(crate) tags: Vec<(String, String)>,
}

impl About {
    /// `x-oss-storage-class`, Standard unless told.
    pub(crate) fn storage_class(&self) -> &str {
        self.headers.get(STORAGE_CLASS).map_or("Standard", String::as_str)
    }
}

/// Header of the storage class.
pub(crate) const STORAGE_CLASS: &str = "x-oss-storage-class";

/// What is to be stored besides the bytes.
#[derive(Debug, Clone)]
pub(crate) struct NewObject {
    pub(crate) key: String,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) crc64: u64,
    pub(crate) content_md5: Option<String>,
    pub(crate) kind: ObjectKind,
    pub(crate) about: About,
    /// Refuse when the key is taken.
    pub(crate) forbid_overwrite: bool,
}

/// `x-oss-object-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ObjectKind {
    Normal,
    Multipart,
}

impl ObjectKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::Multipart => "Multipart",
        }
    }
}

/// The description of an object that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stored {
    pub(crate) key: String,
    /// Path of the bytes inside the bucket's folder, with slashes.
    pub(super) file: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) crc64: u64,
    pub(crate) content_md5: Option<String>,
    pub(crate) kind: ObjectKind,
    #[serde(flatten)]
    pub(crate) about: About,
    pub(crate) last_modified_ms: i64,
}

/// All descriptions by key, in the order of their bytes, as listings want them.
pub(super) type Index = BTreeMap<String, Stored>;

impl Store {
    /// Description and open file of an object; `None` when it is not there, or when someone changed or took its file.
    pub(crate) fn open(&self, key: &str) -> io::Result<Option<(Stored, File)>> {
        let index = self.index();
        let Some(stored) = index.get(key).filter(|stored| self.is_there(stored)) else {
            return Ok(None);
        };
        let file = File::open(self.bytes_path(stored))?;
        Ok(Some((stored.clone(), file)))
    }

    /// The object's own ACL, `None` when it has none or is not there.
    pub(crate) fn acl(&self, key: &str) -> Option<String> {
        self.index().get(key)?.about.acl.clone()
    }

    /// Changes what is said of an object and leaves its bytes; `None` when it is not there.
    pub(crate) fn redescribe(&self, key: &str, change: impl FnOnce(&mut Stored)) -> io::Result<Option<Stored>> {
        let mut index = self.index();
        let Some(mut stored) = index.get(key).filter(|stored| self.is_there(stored)).cloned() else {
            return Ok(None);
        };
        change(&mut stored);
        self.write_meta(&stored)?;
        index.insert(key.to_owned(), stored.clone());
        Ok(Some(stored))
    }

    /// Takes an object away, with the folders that are empty after it. The bytes go first: a crash then leaves a
    /// description without bytes, which is no object and is dropped at the next start.
    pub(crate) fn delete(&self, key: &str) -> io::Result<()> {
        let mut index = self.index();
        let Some(stored) = index.get(key) else {
            return Ok(());
        };
        let path = self.bytes_path(stored);
        let away = self.tmp.join(uuid::Uuid::new_v4().simple().to_string());
        gone_is_fine(fs::rename(&path, &away))?;
        gone_is_fine(fs::remove_file(self.meta_path(key, "json")))?;
        index.remove(key);
        let parents = path.ancestors().skip(1).take_while(|parent| *parent != self.objects);
        for parent in parents {
            if fs::remove_dir(parent).is_err() {
                break;
            }
        }
        drop(index);
        gone_is_fine(fs::remove_file(away))
    }

    /// One page of the keys after `after`.
    pub(crate) fn list(&self, wanted: &Wanted<'_>) -> Page<Stored> {
        let mut walk = Walk::new(self, wanted);
        page(|skip| walk.next(skip), wanted)
    }

    /// Number of objects and their bytes together.
    pub(crate) fn totals(&self) -> (u64, u64) {
        // The disk is asked without the lock: nobody has to wait for a count.
        let all: Vec<(PathBuf, u64)> =
            self.index().values().map(|stored| (self.bytes_path(stored), stored.size)).collect();
        all.into_iter()
            .filter(|(path, size)| has_size(path, *size))
            .fold((0, 0), |(count, bytes), (_, size)| (count + 1, bytes + size))
    }

    /// Reads every description at start. One without bytes is what a crash left of a delete, or of a person's; one that
    /// cannot be read, as after a power cut, costs its own object and no other.
    pub(super) fn load_index(&self) -> io::Result<()> {
        let mut index = self.index();
        for entry in fs::read_dir(&self.meta)? {
            let path = entry?.path();
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            let Some(stored) = read_description(&path) else { continue };
            if self.bytes_path(&stored).is_file() {
                index.insert(stored.key.clone(), stored);
            } else {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    pub(super) fn is_there(&self, stored: &Stored) -> bool {
        has_size(&self.bytes_path(stored), stored.size)
    }

    pub(super) fn meta_path(&self, key: &str, ending: &str) -> PathBuf {
        self.meta.join(format!("{}.{ending}", names::hash(key)))
    }

    pub(super) fn bytes_path(&self, stored: &Stored) -> PathBuf {
        self.objects.join(&stored.file)
    }

    /// Held while an object is put in place, looked up or taken away, so that bytes and description always agree.
    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_size(path: &Path, size: u64) -> bool {
    fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() == size)
}

/// A description, or `None` when it cannot be read; it is then put aside under a name that says so.
fn read_description(path: &Path) -> Option<Stored> {
    let read = fs::read(path).and_then(|text| Ok(serde_json::from_slice(&text)?));
    match read {
        Ok(stored) => Some(stored),
        Err(error) => {
            tracing::error!(%error, path = %path.display(), "an object's description cannot be read; it is put aside as .broken");
            if let Err(error) = fs::rename(path, path.with_extension("broken")) {
                tracing::error!(%error, path = %path.display(), "putting a description aside");
            }
            None
        }
    }
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
