//! Unfinished multipart uploads: `upload.json` and parts whose file names say all there is to know of them.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::RwLock;

use super::{About, Sealed};
use crate::escape::hex_upper;

const INFO: &str = "upload.json";

/// What Initiate was told.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UploadInfo {
    pub(crate) upload_id: String,
    pub(crate) key: String,
    #[serde(flatten)]
    pub(crate) about: About,
    pub(crate) initiated_ms: i64,
}

/// A stored part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) number: u32,
    /// Without quotes.
    pub(crate) etag: String,
    pub(crate) crc64: u64,
    pub(crate) size: u64,
    pub(crate) modified_ms: i64,
    /// Name inside the upload's folder: `number-nanoseconds-etag-crc64`.
    pub(crate) file: String,
}

/// An open upload.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) info: UploadInfo,
    parts: Mutex<BTreeMap<u32, Part>>,
    /// Read-held while a part is put in, write-held by Complete and Abort.
    pub(crate) gate: RwLock<()>,
}

impl Upload {
    /// Parts with a number above `marker`, ascending.
    pub(crate) fn parts_after(&self, marker: u32, at_most: usize) -> Vec<Part> {
        self.parts().range(marker.saturating_add(1)..).take(at_most).map(|(_, part)| part.clone()).collect()
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<u32, Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All open uploads; the disk is the truth, this is what it said at start and what was done since.
#[derive(Debug)]
pub(crate) struct Uploads {
    root: PathBuf,
    tmp: PathBuf,
    open: Mutex<HashMap<String, Arc<Upload>>>,
}

impl Uploads {
    pub(super) fn load(root: PathBuf, tmp: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&root)?;
        let mut open = HashMap::new();
        for entry in fs::read_dir(&root)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                continue;
            }
            let dir = entry.path();
            let text = match fs::read(dir.join(INFO)) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                Err(error) => {
                    tracing::error!(%error, path = %dir.display(), "an unfinished upload cannot be read; it is left alone");
                    continue;
                }
            };
            if let Ok(info) = serde_json::from_slice::<UploadInfo>(&text) {
                let parts = Mutex::new(read_parts(&dir)?);
                open.insert(info.upload_id.clone(), Arc::new(Upload { info, parts, gate: RwLock::new(()) }));
            } else {
                // Begun but never answered: nobody has its id.
                fs::remove_dir_all(&dir)?;
            }
        }
        Ok(Self { root, tmp, open: Mutex::new(open) })
    }

    pub(crate) fn begin(&self, info: UploadInfo) -> io::Result<()> {
        let dir = self.root.join(&info.upload_id);
        fs::create_dir(&dir)?;
        fs::write(dir.join(INFO), serde_json::to_vec_pretty(&info)?)?;
        let upload = Upload { parts: Mutex::default(), gate: RwLock::new(()), info };
        self.open().insert(upload.info.upload_id.clone(), Arc::new(upload));
        Ok(())
    }

    pub(crate) fn find(&self, upload_id: &str) -> Option<Arc<Upload>> {
        self.open().get(upload_id).cloned()
    }

    /// What is known of every open upload, by key and then by id.
    pub(crate) fn all(&self) -> Vec<Arc<Upload>> {
        let mut all: Vec<Arc<Upload>> = self.open().values().cloned().collect();
        all.sort_by(|a, b| (&a.info.key, &a.info.upload_id).cmp(&(&b.info.key, &b.info.upload_id)));
        all
    }

    /// Stores a part in place of an earlier one of the same number. `None` when the upload is not open any more.
    pub(crate) fn add_part(&self, upload_id: &str, number: u32, sealed: Sealed) -> io::Result<Option<Part>> {
        let Some(upload) = self.find(upload_id) else {
            return Ok(None);
        };
        let dir = self.root.join(upload_id);
        let mut parts = upload.parts();
        let now = later_than(parts.get(&number), Timestamp::now());
        let etag = hex_upper(&sealed.md5);
        let part = Part {
            number,
            file: format!("{number:05}-{:020}-{etag}-{}", now.as_nanosecond(), sealed.crc64),
            etag,
            crc64: sealed.crc64,
            size: sealed.content.size,
            modified_ms: now.as_millisecond(),
        };
        sealed.content.place(&dir.join(&part.file))?;
        if let Some(earlier) = parts.insert(number, part.clone())
            && earlier.file != part.file
        {
            fs::remove_file(dir.join(earlier.file))?;
        }
        Ok(Some(part))
    }

    pub(super) fn part_path(&self, upload_id: &str, part: &Part) -> PathBuf {
        self.root.join(upload_id).join(&part.file)
    }

    /// Forgets an upload and its parts; `false` when it was not open.
    pub(crate) fn drop_upload(&self, upload_id: &str) -> io::Result<bool> {
        if self.open().remove(upload_id).is_none() {
            return Ok(false);
        }
        // Out of the way in one step, so that a crash leaves it whole or not at all.
        let away = self.tmp.join(uuid::Uuid::new_v4().simple().to_string());
        fs::rename(self.root.join(upload_id), &away)?;
        fs::remove_dir_all(away)?;
        Ok(true)
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Arc<Upload>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time for a part that is later than that of the part it replaces, also when the clock was set back between them.
fn later_than(earlier: Option<&Part>, now: Timestamp) -> Timestamp {
    let earlier = earlier.and_then(|part| stamp(&part.file)).and_then(|ns| Timestamp::from_nanosecond(ns + 1).ok());
    earlier.map_or(now, |earlier| earlier.max(now))
}

/// The nanoseconds in a part's file name.
fn stamp(name: &str) -> Option<i128> {
    name.split('-').nth(1)?.parse().ok()
}

/// Reads a folder of parts; of two with one number, left by a crash while one replaced the other, the later counts.
fn read_parts(dir: &Path) -> io::Result<BTreeMap<u32, Part>> {
    let mut found: Vec<(String, u64)> = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string() {
            found.push((name, entry.metadata()?.len()));
        }
    }
    // Numbers and nanoseconds have a fixed width, so the order of names is the order of time within a number.
    found.sort();
    Ok(found.into_iter().filter_map(|(name, size)| read_name(&name, size)).map(|part| (part.number, part)).collect())
}

fn read_name(name: &str, size: u64) -> Option<Part> {
    let mut fields = name.split('-');
    let number = fields.next()?.parse().ok()?;
    let nanoseconds: i128 = fields.next()?.parse().ok()?;
    let etag = fields.next()?.to_owned();
    let crc64 = fields.next()?.parse().ok()?;
    let modified_ms = i64::try_from(nanoseconds / 1_000_000).ok()?;
    Some(Part { number, etag, crc64, size, modified_ms, file: name.to_owned() })
}
