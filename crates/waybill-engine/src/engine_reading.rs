//! Batches on their way from disk into the queue: read in the background, and taken up again after a stop.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::Engine;
use crate::error::Error;
use crate::intake::{self, Intake};
use crate::store::batches;
use crate::view::Added;

impl Engine {
    /// Reads a batch's roots in the background and waits for the end; the queue starts while it goes on. `again`: some of it
    /// may be queued already.
    pub(super) async fn read_in(&self, batch: i64, intake: Intake, again: bool) -> Result<Added, Error> {
        let (answer, answered) = oneshot::channel();
        let (store, queue, changes) = (self.store.clone(), self.queue.clone(), Arc::clone(&self.changes));
        let stop = self.tasks.token().clone();
        self.queue.look(Some(batch)).await;
        self.tasks.spawn("reading", async move {
            changes.scanning(1);
            let bus = Arc::clone(&changes);
            let reading = tokio::task::spawn_blocking(move || {
                intake::read_in(&store, batch, &intake, again, &stop, || {
                    bus.reload();
                    queue.look_blocking(None);
                })
            });
            let result = reading
                .await
                .unwrap_or_else(|_| Err(Error::Refused("reading the dropped files was interrupted".into())));
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
