//! The disk: objects a person can open, their descriptions, unfinished uploads. What a crash leaves is whole or gone.
//!
//! - `objects/<bucket>/<key>`: the bytes (see [`names`] for keys that are no file names)
//! - `meta/<bucket>/<hash>.json`: what is known of an object; an object without it is not there
//! - `uploads/<uploadId>/`: `upload.json` and one file for each part
//! - `tmp/`: bodies on their way, emptied at start

mod commit;
mod names;
mod objects;
mod uploads;
mod walk;
mod write;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::config::SandboxError;

pub(crate) use objects::{About, NewObject, ObjectKind, STORAGE_CLASS, Stored};
pub(crate) use uploads::{Part, Upload, UploadInfo, Uploads};
pub(crate) use write::{Content, Incoming, Sealed};

use objects::Index;

/// One bucket's data folder.
#[derive(Debug)]
pub(crate) struct Store {
    objects: PathBuf,
    meta: PathBuf,
    tmp: PathBuf,
    pub(crate) uploads: Uploads,
    /// The descriptions; the disk is the truth, this is what it said at start and what was done since.
    index: Mutex<Index>,
}

impl Store {
    /// Opens or makes the folder, ends what a crash left half done and throws away bodies that never arrived whole.
    pub(crate) fn open_dir(data_dir: &Path, bucket: &str) -> io::Result<Self> {
        let tmp = data_dir.join("tmp");
        let objects = data_dir.join("objects").join(bucket);
        let meta = data_dir.join("meta").join(bucket);
        for dir in [&tmp, &objects, &meta] {
            fs::create_dir_all(dir)?;
        }
        let uploads = Uploads::load(data_dir.join("uploads"), tmp.clone())?;
        let store = Self { objects, meta, tmp, uploads, index: Mutex::default() };
        store.end_commits()?;
        store.empty_tmp()?;
        store.load_index()?;
        Ok(store)
    }

    /// A new body on its way in.
    pub(crate) async fn incoming(&self) -> io::Result<Incoming> {
        Incoming::new(&self.tmp).await
    }

    /// Puts the parts of an upload one after another into one content, in the order given.
    pub(crate) fn assemble(&self, upload_id: &str, parts: &[Part]) -> io::Result<Content> {
        Content::joined(&self.tmp, parts.iter().map(|part| self.uploads.part_path(upload_id, part)))
    }

    /// A copy of a stretch of an object's file.
    pub(crate) fn copy(&self, file: &File, from: u64, length: u64) -> io::Result<Sealed> {
        Sealed::copied(&self.tmp, file, from, length)
    }

    /// When the bucket came to be.
    pub(crate) fn created(&self) -> io::Result<Timestamp> {
        let about = fs::metadata(&self.objects)?;
        let at = about.created().or_else(|_| about.modified())?;
        Timestamp::try_from(at).map_err(io::Error::other)
    }

    fn empty_tmp(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.tmp)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// A process that was killed a moment ago may hold the lock until its last thread is gone, and one that was started a
/// moment ago has it from its parent until it runs its own program.
const PATIENCE: Duration = Duration::from_secs(1);

/// The right to use a data folder; the system takes it back when the process dies.
#[derive(Debug)]
pub(crate) struct DirLock {
    _file: File,
}

impl DirLock {
    pub(crate) fn take(data_dir: &Path) -> Result<Self, SandboxError> {
        let failed = |source| SandboxError::DataDir { path: data_dir.to_owned(), source };
        fs::create_dir_all(data_dir).map_err(failed)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(data_dir.join("sandbox.lock"))
            .map_err(failed)?;
        match lock_within(&file, PATIENCE) {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(SandboxError::DataDirInUse { path: data_dir.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

fn lock_within(file: &File, patience: Duration) -> Result<(), TryLockError> {
    let until = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(Duration::from_millis(20)),
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests;
