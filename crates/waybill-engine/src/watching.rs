//! All watched folders: which there are, and a scanner for each that is not paused.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::changes::ChangeBus;
use crate::clock::now_ms;
use crate::error::Error;
use crate::key_template;
use crate::queue_line::QueueLine;
use crate::store::watched::{self, FolderRow};
use crate::store::{Store, callback_profiles, destinations};
use crate::task::Tasks;
use crate::view::{WatchedFolderForm, WatchedFolderView};
use crate::watch::scanner::{self, Health};

/// What every scanner needs.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) queue: QueueLine,
    pub(crate) changes: Arc<ChangeBus>,
    /// Never watched: every upload writes to it.
    pub(crate) data_dir: PathBuf,
    /// How long a file must look the same before it is settled.
    pub(crate) quiet: Duration,
    /// Between two looks when nothing hints at a change.
    pub(crate) rescan: Duration,
}

/// The watched folders of this data folder. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct WatchedFolders {
    shared: Shared,
    tasks: Tasks,
    running: Arc<Mutex<HashMap<String, Running>>>,
}

#[derive(Debug)]
struct Running {
    stop: CancellationToken,
    health: Arc<Mutex<Health>>,
}

impl WatchedFolders {
    pub(crate) fn new(shared: Shared, tasks: Tasks) -> WatchedFolders {
        WatchedFolders { shared, tasks, running: Arc::default() }
    }

    /// Starts a scanner for every folder that is not paused.
    pub(crate) async fn start(&self) -> Result<(), Error> {
        for folder in self.shared.store.read(watched::all).await? {
            if !folder.paused {
                self.scan(folder);
            }
        }
        Ok(())
    }

    /// All, with their health.
    pub(crate) async fn all(&self) -> Result<Vec<WatchedFolderView>, Error> {
        let rows = self
            .shared
            .store
            .read(|c| {
                let folders = watched::all(c)?;
                let mut rows = Vec::with_capacity(folders.len());
                for folder in folders {
                    let uploaded = watched::uploaded(c, &folder.id)?;
                    let destination = destinations::load(c, &folder.destination_id)?.map(|row| row.name);
                    rows.push((folder, uploaded, destination.unwrap_or_default()));
                }
                Ok(rows)
            })
            .await?;
        Ok(rows.into_iter().map(|(folder, uploaded, destination)| self.view(folder, uploaded, destination)).collect())
    }

    /// Adds or changes a folder and starts to watch it.
    pub(crate) async fn save(&self, form: WatchedFolderForm) -> Result<WatchedFolderView, Error> {
        let folder = self.checked(&form).await?;
        let saved = folder.clone();
        let (shared, existing) = (self.shared.clone(), form.include_existing || form.id.is_some());
        let work = move || {
            let save = |row: FolderRow| shared.store.write_blocking(move |c| watched::save(c, &row, now_ms()));
            if !existing {
                // Paused until all of it is known: a crash in between must not upload what was there before.
                save(FolderRow { paused: true, ..saved.clone() })?;
                scanner::know_existing(&shared, &saved)?;
            }
            save(saved)
        };
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|_| Err(Error::Watch("looking at the folder was interrupted".into())))?;
        self.halt(&folder.id);
        if !folder.paused {
            self.scan(folder.clone());
        }
        self.shared.changes.folders();
        let id = folder.id;
        let view = self.all().await?.into_iter().find(|view| view.id == id);
        view.ok_or_else(|| Error::Watch("the folder was removed while it was saved".into()))
    }

    /// Stops watching and forgets the folder; its uploads stay.
    pub(crate) async fn delete(&self, id: &str) -> Result<(), Error> {
        self.halt(id);
        let id = id.to_owned();
        self.shared.store.write(move |c| watched::delete(c, &id)).await?;
        self.shared.changes.folders();
        Ok(())
    }

    /// Stops or goes on watching. What changed in between is found by the first look.
    pub(crate) async fn pause(&self, id: &str, paused: bool) -> Result<(), Error> {
        let folder = self.shared.store.read(watched::all).await?.into_iter().find(|folder| folder.id == id);
        let folder = folder.ok_or_else(|| Error::Invalid("there is no such watched folder".into()))?;
        let changed = FolderRow { paused, ..folder };
        let saved = changed.clone();
        self.shared.store.write(move |c| watched::save(c, &saved, now_ms())).await?;
        self.halt(id);
        if !paused {
            self.scan(changed);
        }
        self.shared.changes.folders();
        Ok(())
    }

    async fn checked(&self, form: &WatchedFolderForm) -> Result<FolderRow, Error> {
        let path = std::path::absolute(form.path.trim())
            .ok()
            .and_then(|path| path.to_str().map(str::to_owned))
            .ok_or_else(|| Error::Invalid("choose a folder".into()))?;
        if !Path::new(&path).is_dir() {
            return Err(Error::Invalid(format!("\"{path}\" is not a folder")));
        }
        let path = canonical(path);
        let data_dir = &self.shared.data_dir;
        if data_dir.starts_with(&path) || Path::new(&path).starts_with(data_dir) {
            return Err(Error::Invalid(format!(
                "\"{path}\" holds Waybill's own data, which changes with every upload; choose a folder beside it"
            )));
        }
        let destination = form.destination_id.clone();
        let destination = self.shared.store.read(move |c| destinations::load(c, &destination)).await?;
        let destination = destination.ok_or_else(|| Error::Invalid("choose a destination".into()))?;
        if let Some(id) = form.callback_profile_id.clone() {
            let profile = self.shared.store.read(move |c| callback_profiles::load(c, &id)).await?;
            profile.ok_or_else(|| Error::Invalid("there is no such callback profile; choose another".into()))?;
        }
        let prefix = form.prefix.trim();
        key_template::check(&format!("{prefix}{}", destination.key_template))?;
        let others = self.shared.store.read(watched::all).await?;
        let overlaps = |other: &FolderRow| {
            let (a, b) = (Path::new(&path), Path::new(&other.path));
            form.id.as_ref() != Some(&other.id) && (a.starts_with(b) || b.starts_with(a))
        };
        if let Some(other) = others.iter().find(|other| overlaps(other)) {
            return Err(Error::Invalid(format!("\"{}\" is watched already; its files would go up twice", other.path)));
        }
        Ok(FolderRow {
            id: form.id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
            path,
            destination_id: form.destination_id.clone(),
            prefix: prefix.to_owned(),
            paused: false,
            profile_id: form.callback_profile_id.clone(),
        })
    }

    fn scan(&self, folder: FolderRow) {
        let stop = self.tasks.token().child_token();
        let health = Arc::new(Mutex::new(Health { reachable: true, ..Health::default() }));
        let running = Running { stop: stop.clone(), health: Arc::clone(&health) };
        if let Some(earlier) = self.map().insert(folder.id.clone(), running) {
            earlier.stop.cancel();
        }
        self.tasks.spawn("watch", scanner::run(self.shared.clone(), folder, health, stop));
    }

    fn halt(&self, id: &str) {
        if let Some(running) = self.map().remove(id) {
            running.stop.cancel();
        }
    }

    fn view(&self, folder: FolderRow, uploaded: i64, destination: String) -> WatchedFolderView {
        let health = self.map().get(&folder.id).map(|running| scanner::health_of(&running.health)).unwrap_or_default();
        WatchedFolderView {
            reachable: folder.paused || health.reachable,
            id: folder.id,
            path: folder.path,
            destination_id: folder.destination_id,
            destination,
            prefix: folder.prefix,
            callback_profile_id: folder.profile_id,
            paused: folder.paused,
            settling: health.settling as i64,
            uploaded,
            last_scan_ms: health.last_scan_ms,
            problem: health.problem,
        }
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The folder's one name, so that a link to it is not watched as a second folder.
fn canonical(path: String) -> String {
    let known = std::fs::canonicalize(&path).ok().and_then(|path| path.to_str().map(str::to_owned));
    // Windows' verbatim form would stand in every key and window; the plain one names the same folder.
    known.map_or(path, |known| known.strip_prefix(r"\\?\").map(str::to_owned).unwrap_or(known))
}
