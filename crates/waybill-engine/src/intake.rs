//! From dropped paths to queued uploads: read in a stream, saved in chunks, one bad entry never stops the rest.
//!
//! The batch is saved with its roots before they are read, so that a reading cut short is taken up at the next start.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

use jiff::Zoned;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use walkdir::{DirEntry, WalkDir};
use waybill_oss::ObjectKey;

use crate::clock::now_ms;
use crate::error::{Code, Error};
use crate::key_template::{FileFacts, render};
use crate::store::batch_index::{self, Known};
use crate::store::destinations::DestinationRow;
use crate::store::uploads::{self, NewFile, NewUploads};
use crate::store::{Store, batches, closed};
use crate::upload::source::{SourceStamp, io_error};
use crate::view::{Added, CallbackProfileForm, OverwritePolicy, RefusedPath};

/// Rows of one write.
const CHUNK: usize = 1_000;
/// Chunks that are handed over and not saved yet, so that neither the reading nor the writing waits for the other.
const AHEAD: usize = 2;
/// Refusals that are listed one by one.
const MOST_REFUSALS: usize = 100;

/// What object keys are made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyRule {
    /// A template, for instance a destination's.
    Template(String),
    /// Text in front of the path below what was given.
    Prefix(String),
    /// This key; for one file.
    Exact(String),
}

/// What to upload, for callers that say more than "these paths".
#[derive(Clone, Debug)]
pub struct Enqueue {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Where to; None: the current destination.
    pub destination_id: Option<String>,
    /// Object keys; None: the destination's template.
    pub key_rule: Option<KeyRule>,
    /// The callback.
    pub callback: Callback,
    /// What becomes of objects that are there already; None: what the destination says.
    pub overwrite: Option<OverwritePolicy>,
    /// The same fingerprint finds an unfinished batch again and continues it.
    pub fingerprint: Option<String>,
}

/// Which callback a batch asks for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Callback {
    /// The destination's.
    OfDestination,
    /// The profile with this id.
    OfProfile(String),
    /// This one, or none.
    Given(Option<CallbackProfileForm>),
}

/// What a batch is asked to upload, as saved with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intake {
    pub(crate) roots: Vec<String>,
    pub(crate) destination_id: String,
    pub(crate) bucket: String,
    pub(crate) key_rule: KeyRule,
    pub(crate) callback: Option<CallbackProfileForm>,
    /// The named profile that it is.
    #[serde(default)]
    pub(crate) profile_id: Option<String>,
    #[serde(default)]
    pub(crate) overwrite: OverwritePolicy,
}

impl Intake {
    /// Files for a destination as it is now.
    pub(crate) fn new(destination: &DestinationRow, key_rule: Option<KeyRule>, roots: Vec<String>) -> Intake {
        Intake {
            roots,
            destination_id: destination.id.clone(),
            bucket: destination.bucket.clone(),
            key_rule: key_rule.unwrap_or_else(|| KeyRule::Template(destination.key_template.clone())),
            callback: destination.callback.clone(),
            profile_id: destination.profile_id.clone(),
            overwrite: destination.overwrite,
        }
    }

    /// One file of it, or why it cannot be queued. `relative` is its path below what was given, `/` between.
    pub(crate) fn file(
        &self,
        path: &Path,
        relative: &str,
        stamp: SourceStamp,
        queued: &Zoned,
    ) -> Result<NewFile, Error> {
        let path_text = path
            .to_str()
            .ok_or_else(|| Error::Invalid(format!("\"{}\" has a name that is not Unicode", path.display())))?;
        let key = match &self.key_rule {
            KeyRule::Template(template) => render(template, &FileFacts { relative, queued, upload: None })?,
            KeyRule::Prefix(prefix) => format!("{prefix}{relative}"),
            KeyRule::Exact(key) => key.clone(),
        };
        Ok(NewFile {
            path: path_text.to_owned(),
            key: ObjectKey::parse(&key)?.as_str().to_owned(),
            content_type: waybill_oss::content_type_for(path_text),
            stamp,
        })
    }

    /// These files of it, as they are queued.
    pub(crate) fn uploads(&self, batch: i64, files: Vec<NewFile>) -> NewUploads {
        NewUploads {
            batch,
            destination_id: self.destination_id.clone(),
            bucket: self.bucket.clone(),
            callback: self.callback.clone(),
            profile_id: self.profile_id.clone(),
            overwrite: self.overwrite,
            created_ms: now_ms(),
            files,
        }
    }

    /// No two files can have the same path or key: every root has a name of its own and none lies in another, and the rule
    /// keeps the path below it.
    fn keeps_apart(&self) -> bool {
        let rule_does = match &self.key_rule {
            KeyRule::Template(template) => template.contains("{path}"),
            KeyRule::Prefix(_) => true,
            KeyRule::Exact(_) => false,
        };
        let mut names = HashSet::new();
        let own_names = self.roots.iter().all(|root| names.insert(Path::new(root).file_name()));
        rule_does && own_names
    }
}

/// Reads all roots of a batch and queues their files; blocking. `queued` hears of every chunk. `again`: an earlier reading
/// of it may have queued some.
///
/// # Errors
/// `Store`. Anything wrong with a path is a refusal in the answer, not an error.
pub(crate) fn read_in(
    store: &Store,
    batch: i64,
    intake: &Intake,
    again: bool,
    stop: &CancellationToken,
    queued: impl Fn(),
) -> Result<Added, Error> {
    let asks = again || !intake.keeps_apart();
    if asks {
        store.write_blocking(move |c| batch_index::make(c, batch))?;
    }
    let mut reading = Reading {
        store,
        batch,
        intake,
        asks,
        began: Zoned::now(),
        chunk: Vec::with_capacity(CHUNK),
        on_its_way: VecDeque::new(),
        added: Added { batch, queued: 0, refused: Vec::new(), refused_count: 0 },
        queued,
    };
    let mut read = intake.roots.iter().try_for_each(|root| reading.root(Path::new(root), stop));
    read = read.and_then(|()| reading.flush());
    while !reading.on_its_way.is_empty() {
        // Of what fails later the first failure is the reason; what is saved all the same is queued.
        read = read.and(reading.arrived());
    }
    read?;
    let whole = !stop.is_cancelled();
    store.write_blocking(move |c| {
        if asks {
            batch_index::drop(c, batch)?;
        }
        if whole { batches::mark_scanned(c, batch) } else { Ok(()) }
    })?;
    Ok(reading.added)
}

/// What came of a chunk: how many were queued, and the paths whose keys were taken.
type Chunk = (i64, Vec<(String, String)>);

struct Reading<'a, F> {
    store: &'a Store,
    batch: i64,
    intake: &'a Intake,
    /// Each file is looked for among those queued before.
    asks: bool,
    began: Zoned,
    chunk: Vec<NewFile>,
    /// The chunks before, which are saved while this one is read.
    on_its_way: VecDeque<Receiver<Result<Chunk, Error>>>,
    added: Added,
    queued: F,
}

impl<F: Fn()> Reading<'_, F> {
    fn root(&mut self, root: &Path, stop: &CancellationToken) -> Result<(), Error> {
        // Relative to its parent, so that a folder's own name is part of its files' keys.
        let base = root.parent().unwrap_or(root).to_owned();
        // By name: what is compared lies in one folder, so all that comes before the name is the same.
        let by_name = |a: &DirEntry, b: &DirEntry| a.path().as_os_str().cmp(b.path().as_os_str());
        for entry in WalkDir::new(root).follow_links(false).sort_by(by_name) {
            if stop.is_cancelled() {
                return Ok(());
            }
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) => self.file(entry.path(), &base)?,
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    let reason = error.into_io_error().map_or_else(
                        || Error::Invalid(format!("\"{}\" leads back to itself", path.display())),
                        |error| io_error("read", &path, &error),
                    );
                    self.refuse(&path, &reason);
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, base: &Path) -> Result<(), Error> {
        match self.row(path, base) {
            Ok(row) => {
                self.chunk.push(row);
                if self.chunk.len() >= CHUNK { self.flush() } else { Ok(()) }
            }
            Err(reason) => {
                self.refuse(path, &reason);
                Ok(())
            }
        }
    }

    fn row(&self, path: &Path, base: &Path) -> Result<NewFile, Error> {
        // Follows a link to a file; a link to a folder would upload the same files twice or for ever.
        let metadata = std::fs::metadata(path).map_err(|error| io_error("look at", path, &error))?;
        if !metadata.is_file() {
            let message = format!("\"{}\" is not a file (a link to a folder, a socket or a device)", path.display());
            return Err(Error::Source { code: Code::NotAFile, message });
        }
        self.intake.file(path, &relative_to(base, path), SourceStamp::of(&metadata), &self.began)
    }

    /// Hands the chunk over to be saved, once not too many are on their way.
    fn flush(&mut self) -> Result<(), Error> {
        if self.on_its_way.len() >= AHEAD {
            self.arrived()?;
        }
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK));
        if chunk.is_empty() {
            return Ok(());
        }
        let new = self.intake.uploads(self.batch, chunk);
        let (asks, (saved, result)) = (self.asks, channel());
        self.store.submit_large(
            move |c| if asks { queue_new(c, new) } else { queue_all(c, &new) },
            move |chunk| {
                // Whoever reads has not gone: it waits for all that is on its way.
                let _ = saved.send(chunk);
            },
        );
        self.on_its_way.push_back(result);
        Ok(())
    }

    /// Waits until the oldest chunk is saved.
    fn arrived(&mut self) -> Result<(), Error> {
        let Some(result) = self.on_its_way.pop_front() else { return Ok(()) };
        let (added, taken) = result.recv().unwrap_or_else(|_| Err(closed()))?;
        self.added.queued += added;
        for (path, key) in taken {
            self.refuse(Path::new(&path), &key_taken(&path, &key));
        }
        (self.queued)();
        Ok(())
    }

    fn refuse(&mut self, path: &Path, reason: &Error) {
        self.added.refused_count += 1;
        if self.added.refused.len() < MOST_REFUSALS {
            let path = path.to_string_lossy().into_owned();
            self.added.refused.push(RefusedPath { path, problem: reason.problem() });
        }
    }
}

fn queue_all(connection: &Connection, new: &NewUploads) -> rusqlite::Result<Chunk> {
    uploads::insert(connection, new)?;
    Ok((new.files.len() as i64, Vec::new()))
}

/// Queues those that are new, one by one: each may be what the next one is compared with.
fn queue_new(connection: &Connection, new: NewUploads) -> rusqlite::Result<Chunk> {
    let (mut first_no, mut added, mut taken) = (None, Vec::new(), Vec::new());
    let (files, mut one) = (new.files, NewUploads { files: Vec::new(), ..new });
    for file in files {
        match batch_index::knows(connection, one.batch, &file)? {
            Known::Before => {}
            Known::KeyTaken => taken.push((file.path, file.key)),
            Known::No => {
                one.files = vec![file];
                let no = uploads::insert_unnamed(connection, &one)?;
                first_no.get_or_insert(no);
                added.append(&mut one.files);
            }
        }
    }
    if let Some(first_no) = first_no {
        uploads::name(connection, one.batch, first_no, &added)?;
    }
    Ok((added.len() as i64, taken))
}

fn key_taken(path: &str, key: &str) -> Error {
    Error::Invalid(format!("\"{path}\" would replace another file of this drop: both go to the key \"{key}\""))
}

/// `path` below `base` with `/` between its segments on every system.
pub(crate) fn relative_to(base: &Path, path: &Path) -> String {
    let below = path.strip_prefix(base).unwrap_or(path);
    if std::path::MAIN_SEPARATOR == '/' {
        return below.to_string_lossy().into_owned();
    }
    let segments: Vec<_> = below.iter().map(|segment| segment.to_string_lossy()).collect();
    segments.join("/")
}

/// Dropped paths as text and absolute, and those that cannot be.
pub(crate) fn roots_of(paths: Vec<PathBuf>) -> (Vec<String>, Vec<RefusedPath>) {
    let mut roots = Vec::with_capacity(paths.len());
    let mut refused = Vec::new();
    for path in paths {
        let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
        match absolute.to_str() {
            Some(text) => roots.push(text.to_owned()),
            None => {
                let reason = Error::Invalid(format!("\"{}\" has a name that is not Unicode", path.display()));
                refused.push(RefusedPath { path: path.to_string_lossy().into_owned(), problem: reason.problem() });
            }
        }
    }
    // What lies in another of them is read with it.
    let all = roots.clone();
    let mut seen = HashSet::new();
    roots.retain(|root| {
        let inside = all.iter().any(|other| other != root && Path::new(root).starts_with(other));
        !inside && seen.insert(root.clone())
    });
    (roots, refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::batches::NewBatch;

    fn intake(root: &Path, key_rule: KeyRule) -> Intake {
        Intake {
            roots: vec![root.to_str().unwrap().to_owned()],
            destination_id: "d".into(),
            bucket: "b".into(),
            key_rule,
            callback: None,
            profile_id: None,
            overwrite: OverwritePolicy::default(),
        }
    }

    #[test]
    fn a_folder_with_one_bad_entry_queues_the_rest_and_names_the_bad_one() {
        let dir = tempfile::tempdir().unwrap();
        let shoot = dir.path().join("shoot");
        std::fs::create_dir_all(shoot.join("a")).unwrap();
        std::fs::write(shoot.join("a/b.jpg"), "x").unwrap();
        std::fs::write(shoot.join("c.txt"), "").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("nowhere", shoot.join("broken")).unwrap();
        let store = Store::open(&dir.path().join("data")).unwrap();
        let new = NewBatch { destination_id: "d".into(), fingerprint: None, request_json: "{}".into(), created_ms: 0 };
        let batch = store.write_blocking(move |c| batches::insert(c, &new)).unwrap();
        let intake = intake(&shoot, KeyRule::Prefix("p/".into()));
        let stop = CancellationToken::new();
        let added = read_in(&store, batch, &intake, false, &stop, || {}).unwrap();
        assert_eq!(added.queued, 2);
        #[cfg(unix)]
        {
            assert_eq!(added.refused_count, 1);
            assert!(added.refused[0].path.ends_with("broken"));
            assert_eq!(added.refused[0].problem.code, Code::SourceGone);
        }
        let again = read_in(&store, batch, &intake, true, &stop, || {}).unwrap();
        assert_eq!(again.queued, 0, "a reading that is taken up again must not queue a path twice");
        let keys = store.write_blocking(move |c| crate::store::lists::of_batch(c, batch, 0, 10)).unwrap();
        let keys: Vec<_> = keys.into_iter().map(|row| (row.key, row.content_type)).collect();
        assert_eq!(
            keys,
            [
                ("p/shoot/a/b.jpg".to_owned(), Some("image/jpeg".to_owned())),
                ("p/shoot/c.txt".to_owned(), Some("text/plain".to_owned()))
            ]
        );
    }
}
