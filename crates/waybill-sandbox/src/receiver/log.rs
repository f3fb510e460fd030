//! The callbacks that were received since the start.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Verdict;

/// Entries kept.
const KEPT: usize = 10_000;

/// One request that came to `POST /callback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedCallback {
    /// Counted from 1 since the start.
    pub no: u64,
    /// When it came, in milliseconds since 1970 (UTC).
    pub at_ms: i64,
    /// HTTP method.
    pub method: String,
    /// Request target as sent.
    pub path_and_query: String,
    /// Headers, names in lower case; several values of one name are joined by `, `.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub body: String,
    /// What its signature is worth.
    pub verdict: Verdict,
    /// The text that the signature has to be made of, for those whose own server comes to another one.
    pub signed_text: String,
    /// Name of the fault that was applied.
    pub fault: Option<String>,
}

#[derive(Debug)]
pub(crate) struct CallbackLog {
    entries: Mutex<VecDeque<ReceivedCallback>>,
    count: watch::Sender<u64>,
}

impl CallbackLog {
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::default(), count: watch::Sender::new(0) }
    }

    pub(crate) fn entries(&self) -> Vec<ReceivedCallback> {
        self.locked().iter().cloned().collect()
    }

    pub(crate) async fn wait(&self, count: u64, limit: Duration) -> bool {
        let mut so_far = self.count.subscribe();
        let enough = tokio::time::timeout(limit, so_far.wait_for(|so_far| *so_far >= count)).await;
        matches!(enough, Ok(Ok(_)))
    }

    /// Gives the entry its number and keeps it.
    pub(super) fn push(&self, mut entry: ReceivedCallback) -> u64 {
        let mut entries = self.locked();
        let no = entries.back().map_or(0, |last| last.no) + 1;
        entry.no = no;
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(entry);
        drop(entries);
        self.count.send_replace(no);
        no
    }

    fn locked(&self) -> MutexGuard<'_, VecDeque<ReceivedCallback>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
