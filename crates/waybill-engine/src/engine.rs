//! The façade: starts and stops everything, and has one method for each thing a user can do.

mod folders;
mod limits;

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, Notify, mpsc, watch};
use waybill_oss::Clock;

use crate::changes::ChangeBus;
use crate::config::EngineConfig;
use crate::destination::{BuiltIn, Destinations};
use crate::error::Error;
use crate::finished::{AtHand, Finished, LastWord};
use crate::intake::{Callback, Enqueue};
use crate::lab::Lab;
use crate::launch::Launcher;
use crate::progress::Progress;
use crate::queue::{Next, Queue};
use crate::queue_gathered::Gathered;
use crate::queue_line::{QueueLine, Work};
use crate::queue_resend::Resends;
use crate::resolving::Names;
use crate::rows;
use crate::store::uploads;
use crate::store::{Store, attempts, calls, lists, log, parts};
use crate::task::Tasks;
use crate::throttle::Throttle;
use crate::trouble::Troubles;
use crate::upload::abort;
use crate::upload::orphans::Sweep;
use crate::upload::state::Event;
use crate::view::{
    Added, Changes, ConnectionReport, Counts, Cursor, DestinationForm, DestinationView, UploadDetails, UploadPage,
    UploadQuery, UploadRow, UploadSelection, Wish,
};
use crate::watching::{Shared, WatchedFolders};

#[path = "engine_callbacks.rs"]
mod callbacks;
#[path = "following.rs"]
pub(crate) mod following;
#[path = "engine_lab.rs"]
pub(crate) mod lab;
#[path = "engine_reading.rs"]
mod reading;
#[path = "engine_resending.rs"]
mod resending;
#[path = "engine_saving.rs"]
mod saving;
#[path = "engine_serving.rs"]
mod serving;
#[path = "engine_showing.rs"]
mod showing;
#[path = "engine_studying.rs"]
mod studying;

/// Between two batches of changes: at most five a second.
const CHANGES_EVERY: Duration = Duration::from_millis(200);

/// A running engine. Cheap to clone; [`Engine::stop`] ends it for all clones.
#[derive(Clone, Debug)]
pub struct Engine {
    store: Store,
    destinations: Destinations,
    folders: WatchedFolders,
    queue: QueueLine,
    throttle: Throttle,
    progress: Arc<Progress>,
    changes: Arc<ChangeBus>,
    tasks: Tasks,
    last_changes: Arc<Mutex<Instant>>,
    finished: Finished<LastWord>,
    /// Commands of other processes whose uploads are under way here.
    handed_over: Arc<watch::Sender<usize>>,
    aborts: Arc<Notify>,
    sweep: Arc<Notify>,
    troubles: Arc<Troubles>,
    clock: Clock,
    resends: Resends,
    lab: Lab,
    names: Names,
}

impl Engine {
    /// Opens the data folder and goes on with what an earlier run left.
    ///
    /// # Errors
    /// `DataFolderInUse`, `Store`.
    pub async fn start(config: EngineConfig) -> Result<Engine, Error> {
        let EngineConfig {
            data_dir,
            secrets,
            parallel,
            part_size_bytes,
            limit,
            patience,
            work,
            quiet,
            rescan,
            finishing,
            orphan_age,
            ..
        } = config;
        let opened = data_dir.clone();
        let store = tokio::task::spawn_blocking(move || Store::open(&opened))
            .await
            .unwrap_or_else(|_| Err(Error::Refused("opening the data folder was interrupted".into())))?;
        let (changes, progress) = (Arc::<ChangeBus>::default(), Arc::<Progress>::default());
        let tasks = Tasks::start().map_err(|error| Error::Refused(format!("no thread could be started: {error}")))?;
        let clock = Clock::default();
        let destinations = Destinations::new(store.clone(), secrets, clock.clone(), config.stall, Arc::clone(&changes));
        let throttle = limits::throttle(&store, parallel, limit).await?;
        let part_size_bytes = Some(part_size_bytes).filter(|wanted| *wanted > 0);
        let (line, inbox) = mpsc::channel(1024);
        let finished = Finished::default();
        let (aborts, sweep) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let troubles = Arc::<Troubles>::default();
        let (from_store, answers) = mpsc::unbounded_channel();
        let queue = Queue {
            store: store.clone(),
            launcher: Launcher { destinations: destinations.clone(), part_size_bytes, finishing },
            throttle: throttle.clone(),
            progress: Arc::clone(&progress),
            changes: Arc::clone(&changes),
            tasks: tasks.clone(),
            line: line.clone(),
            from_store,
            abort: Arc::clone(&aborts),
            troubles: Arc::clone(&troubles),
            finished: finished.clone(),
            at_hand: AtHand::default(),
            patience,
            batches: (work == Work::OnlyAsked).then(Vec::new),
            active: HashMap::new(),
            ending: 0,
            gathered: Gathered::default(),
            runs: 0,
            next: Next::unknown(),
            sweeps: VecDeque::new(),
            handed_out: None,
            outcomes: HashMap::new(),
        };
        tasks.spawn("answers", store.clone().tell_answers(tasks.token().clone()));
        tasks.spawn("throttle", throttle.clone().run(tasks.token().clone()));
        tasks.spawn("queue", queue.run(inbox, answers));
        tasks.spawn(
            "abort",
            abort::run(store.clone(), destinations.clone(), Arc::clone(&aborts), tasks.token().clone()),
        );
        let orphans = Sweep {
            store: store.clone(),
            destinations: destinations.clone(),
            abort: Arc::clone(&aborts),
            wake: Arc::clone(&sweep),
        };
        tasks.spawn("sweep", orphans.run(orphan_age, clock.clone(), tasks.token().clone()));
        let resends = Resends {
            store: store.clone(),
            destinations: destinations.clone(),
            throttle: throttle.clone(),
            changes: Arc::clone(&changes),
            tasks: tasks.clone(),
            abort: Arc::clone(&aborts),
            finishing,
            patience,
            line: Arc::default(),
            ended: Finished::default(),
        };
        tasks.spawn("resends", resends.clone().run());
        let queue = QueueLine::new(line);
        let shared = Shared {
            data_dir: std::fs::canonicalize(&data_dir).unwrap_or_else(|_| data_dir.clone()),
            store: store.clone(),
            queue: queue.clone(),
            changes: Arc::clone(&changes),
            quiet,
            rescan,
        };
        let folders = WatchedFolders::new(shared, tasks.clone());
        let engine = Engine {
            store,
            destinations,
            folders,
            queue,
            throttle,
            progress,
            changes: Arc::clone(&changes),
            tasks: tasks.clone(),
            last_changes: Arc::new(Mutex::new(Instant::now())),
            finished,
            handed_over: Arc::new(watch::Sender::new(0)),
            aborts,
            sweep,
            troubles,
            clock,
            lab: Lab::new(tasks, changes),
            names: Names::default(),
            resends,
        };
        engine.watch_store();
        if work == Work::Everything {
            engine.take_up_readings().await?;
            engine.folders.start().await?;
            engine.resends.take_up_all().await;
        }
        engine.listen_for_other_processes(&data_dir);
        Ok(engine)
    }

    /// Returns when every piece of background work has ended and SQLite is closed. Uploads under way go on at the next
    /// start.
    pub async fn stop(&self) {
        self.tasks.stop().await;
        self.store.close().await;
    }

    /// One page of Transfers or History.
    ///
    /// # Errors
    /// `Store`.
    pub async fn list_uploads(&self, query: UploadQuery) -> Result<UploadPage, Error> {
        let limit = query.limit.clamp(1, 500);
        let starting: Vec<i64> = self.progress.unsaved().into_keys().collect();
        let mut records = self.store.read(move |c| lists::page(c, &query, &starting, limit + 1)).await?;
        let more = records.len() as i64 > limit;
        records.truncate(limit as usize);
        let next = records.last().filter(|_| more).map(|last| Cursor { batch: last.batch, no: last.no });
        Ok(UploadPage { rows: self.rows(&records).await?, next })
    }

    /// Everything of one upload.
    ///
    /// # Errors
    /// `Refused` if there is no such upload, `Store`.
    pub async fn upload_details(&self, no: i64) -> Result<UploadDetails, Error> {
        let found = self
            .store
            .read(move |c| {
                let Some(record) = uploads::load(c, no)? else {
                    return Ok(None);
                };
                let told = (attempts::of(c, no)?, log::of(c, no)?);
                Ok(Some((record, calls::of(c, no)?, parts::of(c, no)?, told)))
            })
            .await?;
        let (record, calls, parts, (attempts, log)) =
            found.ok_or_else(|| Error::Refused(format!("there is no upload {no}")))?;
        let row = self.rows(std::slice::from_ref(&record)).await?.remove(0);
        Ok(rows::details(&record, row, calls, parts, attempts, log))
    }

    /// The numbers on the chips.
    ///
    /// # Errors
    /// `Store`.
    pub async fn counts(&self) -> Result<Counts, Error> {
        Ok(self.with_starting(self.store.read(lists::counts).await?))
    }

    /// Queues files and folders for a destination (None: the current one). Returns when all have been read.
    ///
    /// # Errors
    /// `Invalid` without a destination, `Store`. What is wrong with single paths is in the answer.
    pub async fn add_paths(&self, paths: Vec<PathBuf>, destination_id: Option<String>) -> Result<Added, Error> {
        self.add_paths_asking(paths, destination_id, None).await
    }

    /// As [`Engine::add_paths`], with the callback of a profile instead of the destination's.
    ///
    /// # Errors
    /// As [`Engine::add_paths`], and `Invalid` if there is no such profile.
    pub async fn add_paths_asking(
        &self,
        paths: Vec<PathBuf>,
        destination_id: Option<String>,
        callback_profile_id: Option<String>,
    ) -> Result<Added, Error> {
        let callback = callback_profile_id.map_or(Callback::OfDestination, Callback::OfProfile);
        self.enqueue(Enqueue { paths, destination_id, key_rule: None, callback, overwrite: None, fingerprint: None })
            .await
    }

    /// One batch in the order it was queued, after upload `after`; at most `limit` rows.
    ///
    /// # Errors
    /// `Store`.
    pub async fn batch_page(&self, batch: i64, after: i64, limit: i64) -> Result<Vec<UploadRow>, Error> {
        let records = self.store.read(move |c| lists::of_batch(c, batch, after, limit)).await?;
        self.rows(&records).await
    }

    /// Stops one upload; what is stored stays stored.
    ///
    /// # Errors
    /// `Refused` while OSS is finishing it or when it is final, `Store`.
    pub async fn pause(&self, no: i64) -> Result<(), Error> {
        self.queue.wish(no, Event::Pause).await
    }

    /// Goes on with a paused upload.
    ///
    /// # Errors
    /// `Refused`, `Store`.
    pub async fn resume(&self, no: i64) -> Result<(), Error> {
        self.queue.wish(no, Event::Resume).await
    }

    /// Tries a failed upload again; its good parts are kept.
    ///
    /// # Errors
    /// `Refused`, `Store`.
    pub async fn retry(&self, no: i64) -> Result<(), Error> {
        self.queue.wish(no, Event::Retry).await
    }

    /// Gives an upload up and has its parts removed at OSS.
    ///
    /// # Errors
    /// `Refused` while OSS is finishing it or when it is final, `Store`.
    pub async fn cancel(&self, no: i64) -> Result<(), Error> {
        self.queue.wish(no, Event::Cancel).await
    }

    /// Does the same with many uploads of Transfers, in constant memory; returns when all of it is saved. Those that the wish
    /// does not fit are left as they are.
    ///
    /// # Errors
    /// `Store`.
    pub async fn wish_many(&self, selection: UploadSelection, wish: Wish) -> Result<(), Error> {
        self.queue.wish_many(selection, wish).await
    }

    /// Stops everything that can be stopped now.
    ///
    /// # Errors
    /// `Store`.
    pub async fn pause_all(&self) -> Result<(), Error> {
        self.wish_many(UploadSelection::all(), Wish::Pause).await
    }

    /// Goes on with everything paused.
    ///
    /// # Errors
    /// `Store`.
    pub async fn resume_all(&self) -> Result<(), Error> {
        self.wish_many(UploadSelection::all(), Wish::Resume).await
    }

    /// Tries everything failed again.
    ///
    /// # Errors
    /// `Store`.
    pub async fn retry_failed(&self) -> Result<(), Error> {
        self.wish_many(UploadSelection::all(), Wish::Retry).await
    }

    /// Takes stored and cancelled uploads out of Transfers; History keeps them.
    ///
    /// # Errors
    /// `Store`.
    pub async fn clear_finished(&self) -> Result<(), Error> {
        self.store.write_large(uploads::clear_finished).await?;
        self.changes.reload();
        Ok(())
    }

    /// All destinations.
    ///
    /// # Errors
    /// `Store`.
    pub async fn destinations(&self) -> Result<Vec<DestinationView>, Error> {
        self.destinations.all().await
    }

    /// The id of the destination with this name.
    ///
    /// # Errors
    /// `Store`.
    pub async fn destination_named(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.destinations.named(name).await?.map(|row| row.id))
    }

    /// Adds or changes a destination; its secret goes to the keychain.
    ///
    /// # Errors
    /// `Invalid`, `Refused` for a built-in one, `Keychain`, `Store`.
    pub async fn save_destination(&self, form: DestinationForm) -> Result<DestinationView, Error> {
        let saved = self.destinations.save(form).await?;
        self.now_usable(&saved.id).await;
        Ok(saved)
    }

    /// Adds or refreshes one of the program's own destinations; uploads that waited for it start.
    ///
    /// # Errors
    /// `Store`.
    pub async fn ensure_built_in(&self, built_in: BuiltIn) -> Result<(), Error> {
        let id = built_in.id.clone();
        self.destinations.ensure_built_in(built_in).await?;
        self.now_usable(&id).await;
        Ok(())
    }

    /// Removes a destination and its secret.
    ///
    /// # Errors
    /// `Refused` while something needs it, `Keychain`, `Store`.
    pub async fn delete_destination(&self, id: &str) -> Result<(), Error> {
        self.destinations.delete(id).await?;
        self.troubles.forget(id);
        Ok(())
    }

    /// New drops go to this one.
    ///
    /// # Errors
    /// `Invalid` if there is none, `Store`.
    pub async fn set_current_destination(&self, id: &str) -> Result<(), Error> {
        self.destinations.set_current(id).await
    }

    /// Asks the bucket with the form's keys. What is wrong is in the report.
    ///
    /// # Errors
    /// None today; a Result so that the command is like the others.
    pub async fn test_connection(&self, form: DestinationForm) -> Result<ConnectionReport, Error> {
        Ok(self.destinations.test(&form).await)
    }

    /// Why the keychain cannot be used, if so.
    pub async fn keychain_problem(&self) -> Option<String> {
        self.destinations.keychain_problem().await
    }

    /// What changed since the last call; waits until something has, and never returns twice within 200 ms. For one
    /// listener: the pump. None once the engine stops.
    pub async fn next_changes(&self) -> Option<Changes> {
        let mut last = self.last_changes.lock().await;
        let wait = CHANGES_EVERY.saturating_sub(last.elapsed());
        let something = async {
            tokio::time::sleep(wait).await;
            let moving = async {
                if self.progress.is_idle() {
                    std::future::pending::<()>().await;
                }
                tokio::time::sleep(CHANGES_EVERY).await;
            };
            tokio::select! { () = self.changes.changed() => {} () = moving => {} }
        };
        tokio::select! {
            () = self.tasks.token().cancelled() => return None,
            () = something => {}
        }
        *last = Instant::now();
        match self.collect_changes().await {
            Ok(changes) => Some(changes),
            Err(error) => {
                tracing::warn!(%error, "could not read what changed");
                Some(Changes { reload: true, ..Changes::default() })
            }
        }
    }

    /// Whatever waited for this destination goes on.
    async fn now_usable(&self, destination_id: &str) {
        self.troubles.try_now(destination_id, None);
        self.aborts.notify_one();
        self.sweep.notify_one();
        self.queue.look(None).await;
    }
}
