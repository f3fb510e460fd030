//! When nothing can be saved: everyone who shows something hears of it, and what waited goes on when it can be again.

use std::sync::Arc;

use super::Engine;

impl Engine {
    /// Passes on what the store says of itself until the engine stops.
    pub(super) fn watch_store(&self) {
        let (mut trouble, stop) = (self.store.trouble(), self.tasks.token().clone());
        let (queue, changes) = (self.queue.clone(), Arc::clone(&self.changes));
        let (aborts, sweep) = (Arc::clone(&self.aborts), Arc::clone(&self.sweep));
        self.tasks.spawn("store", async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    changed = trouble.changed() => if changed.is_err() { return },
                }
                changes.store();
                if trouble.borrow_and_update().is_none() {
                    queue.look(None).await;
                    aborts.notify_one();
                    sweep.notify_one();
                }
            }
        });
    }
}

#[cfg(test)]
#[path = "engine_saving_tests.rs"]
mod tests;
