//! Whether the disk takes what is saved. When it does not, it is asked again now and then, and everyone hears when it does.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::watch;

use super::refusal::Refusal;
use super::settings;
use crate::error::Code;
use crate::view::Problem;

/// Between two tries while the disk refuses.
const AGAIN: Duration = Duration::from_secs(3);
/// Room that must be there before anything goes on: less, and the first uploads would fill it again.
const ROOM: usize = 1 << 19;
/// The setting that is written to find out.
const PROBE: &str = "room";

/// Kept by the store, read by the queue and the window.
#[derive(Debug, Default)]
pub(super) struct Health {
    problem: watch::Sender<Option<Problem>>,
}

impl Health {
    /// A write was refused.
    pub(super) fn refused(&self, refusal: &Refusal) {
        if !refusal.of_the_disk {
            return;
        }
        self.problem.send_if_modified(|problem| {
            // The first reason is the one to mend; what follows from it may be worded otherwise.
            if problem.as_ref().is_some_and(|known| known.code == Code::Damaged || refusal.code != Code::Damaged) {
                return false;
            }
            tracing::error!(reason = refusal.reason, "nothing can be saved");
            let message = format!("could not save to waybill.db: {}", refusal.reason);
            *problem = Some(Problem { code: refusal.code, message, request_id: None, ec: None });
            true
        });
    }

    /// Why nothing can be saved now, and whoever waits hears of changes.
    pub(super) fn watch(&self) -> watch::Receiver<Option<Problem>> {
        self.problem.subscribe()
    }

    /// What was read or written is not what had been saved.
    pub(super) fn is_damaged(&self) -> bool {
        self.problem.borrow().as_ref().is_some_and(|problem| problem.code == Code::Damaged)
    }

    /// The next write, or None when there will be none. While the disk refuses, asks it in between whether it does still.
    pub(super) fn next<T>(&self, inbox: &Receiver<T>, connection: &Connection) -> Option<T> {
        let mut due = Instant::now() + AGAIN;
        loop {
            // Trouble does not mend a damaged file; the next start looks at the whole of it.
            if self.problem.borrow().is_none() || self.is_damaged() {
                return inbox.recv().ok();
            }
            match inbox.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(write) => return Some(write),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {
                    self.ask(connection);
                    due = Instant::now() + AGAIN;
                }
            }
        }
    }

    fn ask(&self, connection: &Connection) {
        let asked =
            settings::set(connection, PROBE, &"0".repeat(ROOM)).and_then(|()| settings::set(connection, PROBE, ""));
        // Whatever fails is the old trouble still, so it is not told again.
        if asked.is_ok() {
            tracing::info!("saving works again");
            self.problem.send_replace(None);
        }
    }
}
