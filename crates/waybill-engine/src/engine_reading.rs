//! Batches on their way from disk into the queue: read in the background, and taken up again after a stop.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::clock::now_ms;
use crate::error::{Code, Error};
use crate::intake::{self, Callback, Enqueue, Intake};
use crate::store::Store;
use crate::store::batches::{self, NewBatch};
use crate::view::{Added, RefusedPath};

/// A batch that is saved and not yet read.
pub(crate) struct Begun {
    pub(crate) batch: i64,
    /// Some of it may be queued already.
    pub(crate) again: bool,
    pub(crate) intake: Intake,
    /// Paths that have no name in text.
    pub(crate) refused: Vec<RefusedPath>,
}

impl Engine {
    /// As [`Engine::add_paths`], with key, callback and fingerprint of the caller's choice.
    ///
    /// # Errors
    /// As [`Engine::add_paths`]; `Invalid` also for a callback that OSS would refuse.
    pub async fn enqueue(&self, wanted: Enqueue) -> Result<Added, Error> {
        let begun = self.begin(wanted, None).await?;
        let mut added = self.read_in(begun.batch, begun.intake, begun.again).await?;
        added.refused_count += begun.refused.len() as i64;
        added.refused.extend(begun.refused);
        Ok(added)
    }

    /// Saves a batch before it is read, unless it is `known`, or its fingerprint finds one that has not ended.
    pub(crate) async fn begin(&self, wanted: Enqueue, known: Option<i64>) -> Result<Begun, Error> {
        let destination = self.destinations.find(wanted.destination_id).await?;
        let (roots, refused) = intake::roots_of(wanted.paths);
        let mut intake = Intake::new(&destination, wanted.key_rule, roots);
        match wanted.callback {
            Callback::OfDestination => {}
            Callback::OfProfile(id) => {
                let profile = self.destinations.profile(id).await?;
                (intake.callback, intake.profile_id) = (Some(profile.form), Some(profile.id));
            }
            Callback::Given(callback) => (intake.callback, intake.profile_id) = (callback, None),
        }
        if let Some(callback) = &intake.callback {
            crate::callback_profile::check(callback)?;
        }
        intake.overwrite = wanted.overwrite.unwrap_or(intake.overwrite);
        let fingerprint = wanted.fingerprint;
        let request_json = serde_json::to_string(&intake).map_err(|error| Error::Invalid(error.to_string()))?;
        let destination_id = destination.id;
        let found = move |c: &rusqlite::Connection| {
            let earlier = match (known, &fingerprint) {
                (Some(batch), _) => Some(batch),
                (None, Some(fingerprint)) => batches::unfinished_with(c, fingerprint)?,
                (None, None) => None,
            };
            match earlier {
                Some(batch) => Ok((batch, true)),
                None => {
                    let new = NewBatch { destination_id, fingerprint, request_json, created_ms: now_ms() };
                    Ok((batches::insert(c, &new)?, false))
                }
            }
        };
        let (batch, again) = self.store.write(found).await?;
        Ok(Begun { batch, again, intake, refused })
    }

    /// Reads a batch's roots in the background and waits for the end; the queue starts while it goes on. `again`: some of it
    /// may be queued already.
    pub(crate) async fn read_in(&self, batch: i64, intake: Intake, mut again: bool) -> Result<Added, Error> {
        let (answer, answered) = oneshot::channel();
        let (store, queue, changes) = (self.store.clone(), self.queue.clone(), Arc::clone(&self.changes));
        let stop = self.tasks.token().clone();
        self.queue.look(Some(batch)).await;
        self.tasks.spawn("reading", async move {
            changes.scanning(1);
            let intake = Arc::new(intake);
            let result = loop {
                let (into, queue, bus) = (store.clone(), queue.clone(), Arc::clone(&changes));
                let (what, until) = (Arc::clone(&intake), stop.clone());
                let reading = tokio::task::spawn_blocking(move || {
                    intake::read_in(&into, batch, &what, again, &until, || {
                        bus.reload();
                        queue.look_blocking(None);
                    })
                });
                match reading.await {
                    // What was queued before the disk was full is not queued twice.
                    Ok(Err(_)) if can_be_saved_again(&store, &stop).await => again = true,
                    Ok(result) => break result,
                    Err(_) => break Err(Error::Refused("reading the dropped files was interrupted".into())),
                }
            };
            changes.scanning(-1);
            // Whoever dropped the files may have gone; they are queued all the same.
            let _ = answer.send(result);
        });
        answered.await.unwrap_or_else(|_| Err(Error::Refused("Waybill is stopping".into())))
    }

    /// Readings that the last run did not end go on in the background.
    pub(super) async fn take_up_readings(&self) -> Result<(), Error> {
        for (batch, request) in self.store.read(batches::unscanned).await? {
            let Ok(intake) = serde_json::from_str::<Intake>(&request) else {
                continue;
            };
            let engine = self.clone();
            self.tasks.spawn("reading again", async move {
                if let Err(error) = engine.read_in(batch, intake, true).await {
                    tracing::warn!(%error, batch, "could not go on reading a batch");
                }
            });
        }
        Ok(())
    }
}

/// Waits while the disk refuses; false if it does not, or if that cannot be waited for.
async fn can_be_saved_again(store: &Store, stop: &CancellationToken) -> bool {
    let mut trouble = store.trouble();
    if trouble.borrow_and_update().as_ref().is_none_or(|problem| problem.code == Code::Damaged) {
        return false;
    }
    tokio::select! {
        () = stop.cancelled() => false,
        mended = trouble.wait_for(Option::is_none) => mended.is_ok(),
    }
}
