//! Small files that are stored: many of them are saved in one write.
//!
//! It can wait a moment, and their drivers need not: what is lost with a crash is asked about before it is sent again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::Connection;
use tokio::time::Instant;

use crate::queue::{FromStore, Queue};
use crate::store::uploads;
use crate::upload::state::UploadState;

/// Saved in one write at most.
const MANY: usize = 256;
/// How long the first of them waits for others.
const MOMENT: Duration = Duration::from_millis(20);

/// Stored and not yet handed over to be saved.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    stored: Vec<One>,
    /// When the first has waited long enough.
    due: Option<Instant>,
}

#[derive(Debug)]
struct One {
    no: i64,
    state: UploadState,
    started_ms: Option<i64>,
    at_ms: i64,
}

/// What came of one write.
#[derive(Debug)]
pub(crate) struct Saved {
    numbers: Vec<i64>,
    worked: bool,
}

impl Gathered {
    /// When they are to be saved, if there are any.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }
}

impl Queue {
    /// One more that is stored since `at_ms`, and stands nowhere but in memory so far.
    pub(crate) fn gather(&mut self, no: i64, state: UploadState, started_ms: Option<i64>, at_ms: i64) {
        self.gathered.stored.push(One { no, state, started_ms, at_ms });
        self.gathered.due.get_or_insert_with(|| Instant::now() + MOMENT);
        // Nothing is under way that may end soon, and nothing is about to start.
        let nobody_follows =
            self.ending == self.active.len() && !self.next.looking && self.next.line_up.held().next().is_none();
        if nobody_follows || self.gathered.stored.len() >= MANY {
            self.save_gathered();
        }
    }

    /// Hands over what was gathered.
    pub(crate) fn save_gathered(&mut self) {
        self.gathered.due = None;
        let stored = std::mem::take(&mut self.gathered.stored);
        if stored.is_empty() {
            return;
        }
        let numbers: Vec<i64> = stored.iter().map(|one| one.no).collect();
        let (progress, changes) = (Arc::clone(&self.progress), Arc::clone(&self.changes));
        let from_store = self.from_store.clone();
        let write = move |c: &Connection| {
            stored.iter().try_for_each(|one| uploads::save(c, one.no, &one.state, one.started_ms, one.at_ms))
        };
        self.store.submit_large(write, move |result| {
            if result.is_ok() {
                for no in &numbers {
                    progress.stands(*no, None);
                    changes.row(*no);
                }
            }
            // A queue that is gone needs to know nothing.
            let _ = from_store.send(FromStore::Saved(Saved { numbers, worked: result.is_ok() }));
        });
    }

    /// They are saved, or could not be; those whose drivers have ended leave.
    pub(crate) async fn saved(&mut self, saved: Saved) {
        for no in saved.numbers {
            let Some(active) = self.active.get_mut(&no) else { continue };
            active.gathered = false;
            active.told_when_it_leaves = saved.worked;
            if !saved.worked {
                active.unsaved.store(true, Ordering::Release);
            }
            if active.over {
                self.leaves(no).await;
            }
        }
    }
}
