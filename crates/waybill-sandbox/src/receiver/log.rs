//! The callbacks that were received since the start.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Verdict;
use crate::callback::signed_text;

/// Entries kept, at most.
const KEPT: usize = 10_000;
/// Bytes of what they hold, at most; the newest is kept whatever it holds.
const KEPT_BYTES: usize = 32 * 1024 * 1024;

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
    /// Name of the fault that was applied.
    pub fault: Option<String>,
}

impl ReceivedCallback {
    /// The text that the signature has to be made of, for those whose own server comes to another one.
    pub fn signed_text(&self) -> String {
        String::from_utf8_lossy(&signed_text(&self.path_and_query, self.body.as_bytes())).into_owned()
    }

    /// About as much memory as it takes.
    fn bytes(&self) -> usize {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.path_and_query.len() + headers + self.body.len()
    }
}

#[derive(Debug)]
pub(crate) struct CallbackLog {
    kept: Mutex<Kept>,
    count: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: VecDeque<ReceivedCallback>,
    bytes: usize,
}

impl CallbackLog {
    pub(crate) fn new() -> Self {
        Self { kept: Mutex::default(), count: watch::Sender::new(0) }
    }

    pub(crate) fn entries(&self) -> Vec<ReceivedCallback> {
        self.kept().entries.iter().cloned().collect()
    }

    /// The last ones, newest first, and how many there are.
    pub(crate) fn latest(&self, at_most: usize) -> (Vec<ReceivedCallback>, usize) {
        let kept = self.kept();
        (kept.entries.iter().rev().take(at_most).cloned().collect(), kept.entries.len())
    }

    pub(crate) async fn wait(&self, count: u64, limit: Duration) -> bool {
        let mut so_far = self.count.subscribe();
        let enough = tokio::time::timeout(limit, so_far.wait_for(|so_far| *so_far >= count)).await;
        matches!(enough, Ok(Ok(_)))
    }

    /// Gives the entry its number and keeps it, in the place of the oldest when there are too many.
    pub(super) fn push(&self, mut entry: ReceivedCallback) -> u64 {
        let mut kept = self.kept();
        let no = kept.entries.back().map_or(0, |last| last.no) + 1;
        entry.no = no;
        kept.bytes += entry.bytes();
        while kept.entries.len() >= KEPT || kept.bytes > KEPT_BYTES {
            let Some(oldest) = kept.entries.pop_front() else { break };
            kept.bytes -= oldest.bytes();
        }
        kept.entries.push_back(entry);
        drop(kept);
        self.count.send_replace(no);
        no
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callback(body: usize) -> ReceivedCallback {
        ReceivedCallback {
            no: 0,
            at_ms: 0,
            method: "POST".into(),
            path_and_query: "/".into(),
            headers: BTreeMap::new(),
            body: "x".repeat(body),
            verdict: Verdict::NotSigned,
            fault: None,
        }
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let log = CallbackLog::new();
        for _ in 0..KEPT + 3 {
            log.push(callback(0));
        }
        let all = log.entries();
        assert_eq!((all.len(), all[0].no, log.latest(1).0[0].no), (KEPT, 4, KEPT as u64 + 3));
    }

    #[test]
    fn the_oldest_go_when_they_hold_too_much_and_the_newest_stays() {
        let log = CallbackLog::new();
        for _ in 0..40 {
            log.push(callback(1024 * 1024));
        }
        let held: usize = log.entries().iter().map(|entry| entry.body.len()).sum();
        assert!(held <= KEPT_BYTES && held > KEPT_BYTES - 2 * 1024 * 1024, "{held}");
        assert_eq!(log.push(callback(KEPT_BYTES + 1)), 41);
        assert_eq!(log.entries().len(), 1);
        log.push(callback(1));
        assert_eq!(log.entries().iter().map(|entry| entry.no).collect::<Vec<_>>(), [42]);
    }
}
