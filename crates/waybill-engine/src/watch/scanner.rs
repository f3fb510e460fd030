//! One watched folder: looks at every file, waits until each has settled, and queues it once.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Zoned;
use tokio_util::sync::CancellationToken;
use walkdir::WalkDir;

use super::rules::{Seen, Verdict, is_ignored, judge};
use super::watcher;
use crate::clock::now_ms;
use crate::error::{Code, Error};
use crate::intake::{Intake, KeyRule, relative_to};
use crate::store::batches::{self, NewBatch};
use crate::store::callback_profiles;
use crate::store::destinations;
use crate::store::uploads;
use crate::store::watched::{self, FolderRow, Known};
use crate::upload::source::SourceStamp;
use crate::view::Problem;
use crate::watching::Shared;

/// What the window shows of a scan.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Health {
    pub(crate) settling: usize,
    pub(crate) last_scan_ms: Option<i64>,
    pub(crate) reachable: bool,
    pub(crate) problem: Option<Problem>,
}

/// Watches until `stop`. Trouble is shown in `health` and tried again at the next regular scan.
pub(crate) async fn run(shared: Shared, folder: FolderRow, health: Arc<Mutex<Health>>, stop: CancellationToken) {
    let mut growing: HashMap<PathBuf, Seen> = HashMap::new();
    let mut watching = None;
    loop {
        if watching.is_none() {
            let path = PathBuf::from(&folder.path);
            watching = tokio::task::spawn_blocking(move || watcher::watch(&path)).await.ok().and_then(|started| {
                // Without events the regular scans still find everything; only later.
                started.inspect_err(|error| tracing::warn!(%error, "watching by regular scans only")).ok()
            });
        }
        let scan = {
            let (shared, folder, stop) = (shared.clone(), folder.clone(), stop.clone());
            tokio::task::spawn_blocking(move || {
                let outcome = look(&shared, &folder, &mut growing, &stop);
                (growing, outcome)
            })
        };
        let (seen, outcome) = scan.await.unwrap_or_else(|_| {
            (HashMap::new(), Err(Error::Watch(format!("looking at \"{}\" was interrupted", folder.path))))
        });
        growing = seen;
        let failed = outcome.is_err();
        let wait = note(&shared, &health, outcome);
        if failed {
            // The folder may have been replaced by another of the same name: its old watch would stay silent.
            watching = None;
        }
        let hint = async {
            match &mut watching {
                Some((_, hints)) => {
                    if hints.recv().await.is_none() {
                        std::future::pending().await
                    }
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = hint => {}
            () = tokio::time::sleep(wait.unwrap_or(shared.rescan)) => {}
        }
    }
}

/// Marks everything that is in the folder now as known, so that only what comes later is uploaded; blocking.
pub(crate) fn know_existing(shared: &Shared, folder: &FolderRow) -> Result<(), Error> {
    for chunk in files(Path::new(&folder.path))?.chunks(1_000) {
        let (id, chunk) = (folder.id.clone(), chunk.to_vec());
        shared.store.write_blocking(move |c| {
            chunk.iter().try_for_each(|(path, stamp)| watched::remember(c, &id, &path.to_string_lossy(), *stamp, None))
        })?;
    }
    Ok(())
}

fn note(shared: &Shared, health: &Mutex<Health>, outcome: Result<Looked, Error>) -> Option<Duration> {
    let before = health_of(health);
    let (now, wait) = match outcome {
        Ok(Looked { settling, wait, problem }) => {
            (Health { settling, last_scan_ms: Some(now_ms()), reachable: true, problem }, wait)
        }
        Err(error) => {
            let reachable = error.code() != Code::Watch;
            (Health { reachable, problem: Some(error.problem()), ..before }, None)
        }
    };
    *health.lock().unwrap_or_else(PoisonError::into_inner) = now;
    shared.changes.folders();
    wait
}

pub(crate) fn health_of(health: &Mutex<Health>) -> Health {
    health.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// What one look found.
#[derive(Debug, Default)]
struct Looked {
    /// Files that may still be growing.
    settling: usize,
    /// Until the next growing file may have settled.
    wait: Option<Duration>,
    /// Why a settled file cannot be uploaded; the others are.
    problem: Option<Problem>,
}

/// One look at the whole folder.
fn look(
    shared: &Shared,
    folder: &FolderRow,
    growing: &mut HashMap<PathBuf, Seen>,
    stop: &CancellationToken,
) -> Result<Looked, Error> {
    let found = files(Path::new(&folder.path))?;
    let (mut settled, mut still_growing, mut soonest) = (Vec::new(), HashMap::new(), None::<Duration>);
    for (path, stamp) in found {
        if stop.is_cancelled() {
            return Ok(Looked::default());
        }
        let (id, text) = (folder.id.clone(), path.to_string_lossy().into_owned());
        let known = shared.store.read_blocking(move |c| watched::knows(c, &id, &text, stamp))?;
        if known == Known::Yes {
            continue;
        }
        match judge(growing.get(&path).copied(), stamp, Instant::now(), shared.quiet) {
            Verdict::Settled if known == Known::No => settled.push((path, stamp)),
            Verdict::Settled => {
                still_growing.extend(growing.get(&path).map(|seen| (path, *seen)));
                soonest = Some(soonest.map_or(shared.quiet, |wait| wait.min(shared.quiet)));
            }
            Verdict::Wait(seen, left) => {
                still_growing.insert(path, seen);
                soonest = Some(soonest.map_or(left, |wait| wait.min(left)));
            }
        }
    }
    let settling = still_growing.len();
    let mut problem = None;
    if !settled.is_empty() {
        for (path, error) in enqueue(shared, folder, settled)? {
            problem = Some(error.problem());
            // Settled at the next look, too, so that its problem stays in sight until its name or the template is mended.
            still_growing.extend(growing.get(&path).map(|seen| (path, *seen)));
        }
    }
    *growing = still_growing;
    // A little later than due, so that the file is settled when it is looked at and not a moment before.
    Ok(Looked { settling, wait: soonest.map(|wait| wait + Duration::from_millis(50)), problem })
}

/// Queues settled files and remembers them in the same write: neither is true without the other. Answers with those that
/// cannot be uploaded, and why.
fn enqueue(
    shared: &Shared,
    folder: &FolderRow,
    settled: Vec<(PathBuf, SourceStamp)>,
) -> Result<Vec<(PathBuf, Error)>, Error> {
    let (id, profile_id) = (folder.destination_id.clone(), folder.profile_id.clone());
    let (destination, profile) = shared.store.read_blocking(move |c| {
        let profile = profile_id.map(|id| callback_profiles::load(c, &id)).transpose()?.flatten();
        Ok((destinations::load(c, &id)?, profile))
    })?;
    let destination = destination.ok_or_else(|| Error::Invalid("the folder's destination no longer exists".into()))?;
    let rule = match folder.prefix.as_str() {
        "" => None,
        prefix => Some(KeyRule::Template(format!("{prefix}{}", destination.key_template))),
    };
    let mut intake = Intake::new(&destination, rule, Vec::new());
    if let Some(profile) = profile {
        (intake.callback, intake.profile_id) = (Some(profile.form), Some(profile.id));
    }
    let root = Path::new(&folder.path);
    let base = root.parent().unwrap_or(root);
    let (mut files, mut unfit) = (Vec::new(), Vec::new());
    let now = Zoned::now();
    for (path, stamp) in settled {
        match intake.file(&path, &relative_to(base, &path), stamp, &now) {
            Ok(file) => files.push(file),
            Err(error) => unfit.push((path, error)),
        }
    }
    if files.is_empty() {
        return Ok(unfit);
    }
    let new = NewBatch {
        destination_id: intake.destination_id.clone(),
        fingerprint: None,
        request_json: serde_json::to_string(&intake).unwrap_or_default(),
        created_ms: now_ms(),
    };
    let folder_id = folder.id.clone();
    shared.store.write_blocking(move |c| {
        let batch = batches::insert(c, &new)?;
        batches::mark_scanned(c, batch)?;
        let mut keys = HashSet::new();
        let mut new = intake.uploads(batch, Vec::new());
        for file in files {
            // Asked again within the write: another look at the same folder may have been faster. Of two files for one key
            // the second waits for the next look, so that the older does not replace it.
            if watched::knows(c, &folder_id, &file.path, file.stamp)? == Known::No && keys.insert(file.key.clone()) {
                new.files.push(file);
            }
        }
        let first = uploads::insert(c, &new)?;
        for (no, file) in (first..).zip(&new.files) {
            watched::remember(c, &folder_id, &file.path, file.stamp, Some(no))?;
        }
        Ok(())
    })?;
    shared.changes.reload();
    shared.queue.look_blocking(None);
    Ok(unfit)
}

/// Every file below `root` that may be ours, with its stamp. What cannot be read is looked at again next time.
fn files(root: &Path) -> Result<Vec<(PathBuf, SourceStamp)>, Error> {
    let unreachable =
        |error: &dyn std::fmt::Display| Error::Watch(format!("could not read \"{}\": {error}", root.display()));
    std::fs::read_dir(root).map_err(|error| unreachable(&error))?;
    let mut found = Vec::new();
    // A hidden folder is some program's own: version control, a trash can, a transfer's partial files.
    let ours = |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.');
    for entry in WalkDir::new(root).follow_links(false).into_iter().filter_entry(ours) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                tracing::info!(%error, "skipped while looking at a watched folder");
                continue;
            }
        };
        if !entry.file_type().is_file() || is_ignored(entry.path()) {
            continue;
        }
        // Gone between listing and looking: the next look will not list it.
        if let Ok(metadata) = entry.metadata() {
            found.push((entry.into_path(), SourceStamp::of(&metadata)));
        }
    }
    Ok(found)
}
