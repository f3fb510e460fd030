//! Objects on disk: bytes and description change together, also when the process dies between the two.
//!
//! A commit writes `<hash>.next`, which names the temporary file, renames the bytes into place, ends the upload they came
//! from, and renames `.next` to `.json`. At the next start a `.next` whose temporary file is gone is carried to its end;
//! one whose temporary file is still there never took effect and is dropped.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Content, Store, names};

/// What is to be stored besides the bytes.
#[derive(Debug, Clone)]
pub(crate) struct NewObject {
    pub(crate) key: String,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) crc64: u64,
    pub(crate) content_md5: Option<String>,
    pub(crate) kind: ObjectKind,
    pub(crate) content_type: String,
    pub(crate) headers: BTreeMap<String, String>,
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
    file: String,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) crc64: u64,
    pub(crate) content_md5: Option<String>,
    pub(crate) kind: ObjectKind,
    pub(crate) content_type: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) last_modified_ms: i64,
}

/// How a commit ended.
#[derive(Debug)]
pub(crate) enum Commit {
    Done(Stored),
    /// The key is taken and overwriting was forbidden.
    AlreadyThere,
}

/// A commit on its way.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Next {
    tmp: String,
    upload_id: Option<String>,
    stored: Stored,
}

impl Store {
    /// Makes the content the object of its key and ends the upload it came from.
    pub(crate) fn commit(&self, content: Content, new: NewObject, upload_id: Option<&str>) -> io::Result<Commit> {
        let _placing = self.placing();
        let previous = self.describe(&new.key)?;
        if new.forbid_overwrite && previous.as_ref().is_some_and(|stored| self.is_there(stored)) {
            return Ok(Commit::AlreadyThere);
        }
        let file = self.choose_place(&new.key, previous.as_ref())?;
        let stored = Stored {
            key: new.key,
            file,
            size: content.size,
            etag: new.etag,
            crc64: new.crc64,
            content_md5: new.content_md5,
            kind: new.kind,
            content_type: new.content_type,
            headers: new.headers,
            last_modified_ms: Timestamp::now().as_millisecond(),
        };
        let next = Next { tmp: content.tmp_name(), upload_id: upload_id.map(str::to_owned), stored };
        let next_path = self.meta_path(&next.stored.key, "next");
        fs::write(&next_path, serde_json::to_vec(&next)?)?;
        if let Err(error) = content.place(&self.bytes_path(&next.stored)) {
            fs::remove_file(&next_path)?;
            return Err(error);
        }
        self.end_commit(&next, &next_path)?;
        Ok(Commit::Done(next.stored))
    }

    /// Description and open file of an object; `None` when it is not there, or when someone changed or took its file.
    pub(crate) fn open(&self, key: &str) -> io::Result<Option<(Stored, File)>> {
        let _placing = self.placing();
        let Some(stored) = self.describe(key)?.filter(|stored| self.is_there(stored)) else {
            return Ok(None);
        };
        let file = File::open(self.bytes_path(&stored))?;
        Ok(Some((stored, file)))
    }

    /// Takes an object away, with the folders that are empty after it.
    pub(crate) fn delete(&self, key: &str) -> io::Result<()> {
        let _placing = self.placing();
        let Some(stored) = self.describe(key)? else {
            return Ok(());
        };
        fs::remove_file(self.meta_path(key, "json"))?;
        let path = self.bytes_path(&stored);
        gone_is_fine(fs::remove_file(&path))?;
        let parents = path.ancestors().skip(1).take_while(|parent| *parent != self.objects);
        for parent in parents {
            if fs::remove_dir(parent).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Carries commits of an earlier process to their end; see the head of this file.
    pub(super) fn end_commits(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.meta)? {
            let path = entry?.path();
            if path.extension().is_none_or(|ending| ending != "next") {
                continue;
            }
            match serde_json::from_slice::<Next>(&fs::read(&path)?) {
                Ok(next) if !self.tmp.join(&next.tmp).exists() => self.end_commit(&next, &path)?,
                Ok(_) | Err(_) => fs::remove_file(&path)?,
            }
        }
        Ok(())
    }

    fn end_commit(&self, next: &Next, next_path: &Path) -> io::Result<()> {
        if let Some(upload_id) = &next.upload_id {
            self.uploads.drop_upload(upload_id)?;
        }
        // The description itself, without what only the commit needed.
        let described = self.tmp.join(format!("{}.json", next.tmp));
        fs::write(&described, serde_json::to_vec_pretty(&next.stored)?)?;
        fs::rename(described, self.meta_path(&next.stored.key, "json"))?;
        fs::remove_file(next_path)
    }

    /// The place an object has already, else its key as a path, else the escaped form. A path that is taken, by another
    /// key that differs in case only, by a folder or by someone's own file, is not used.
    fn choose_place(&self, key: &str, previous: Option<&Stored>) -> io::Result<String> {
        if let Some(stored) = previous.filter(|stored| self.bytes_path(stored).is_file()) {
            return Ok(stored.file.clone());
        }
        if names::is_plain(key) {
            let path = self.objects.join(key);
            let free = path.symlink_metadata().is_err();
            if free && path.parent().is_some_and(|parent| fs::create_dir_all(parent).is_ok()) {
                return Ok(key.to_owned());
            }
        }
        fs::create_dir_all(self.objects.join(names::ESCAPED_DIR))?;
        Ok(names::escaped(key))
    }

    fn describe(&self, key: &str) -> io::Result<Option<Stored>> {
        match fs::read(self.meta_path(key, "json")) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn is_there(&self, stored: &Stored) -> bool {
        fs::metadata(self.bytes_path(stored)).is_ok_and(|about| about.is_file() && about.len() == stored.size)
    }

    fn meta_path(&self, key: &str, ending: &str) -> PathBuf {
        self.meta.join(format!("{}.{ending}", names::hash(key)))
    }

    fn bytes_path(&self, stored: &Stored) -> PathBuf {
        self.objects.join(&stored.file)
    }

    fn placing(&self) -> MutexGuard<'_, ()> {
        self.placing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
