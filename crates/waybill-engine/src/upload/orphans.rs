//! Multipart uploads that OSS holds because of us and that nobody knows of: an Initiate was on its way when the program
//! died, the user cancelled, or its answer was lost, so its UploadId was never heard.
//!
//! Every Initiate is recorded before it is sent and forgotten with its answer. What is left is looked for, at the start and
//! then from time to time, and aborted only if it can hurt nobody: the key is that of the request, it was begun while the
//! request was on its way, no upload of ours uses it, it has no part (nobody knew where to send one), it is old, and there
//! are no more of them than the request can have begun. Where that is not so, nothing is done.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use waybill_oss::{BucketName, Clock, ObjectKey, OpenUpload};

use crate::clock::now_ms;
use crate::destination::Destinations;
use crate::error::{Code, Error};
use crate::store::Store;
use crate::store::initiates::{self, Initiate};

/// Before the request was sent, for clocks that differ by less than anybody corrects.
const BEFORE_MS: i64 = 60_000;
/// After it was sent, for its repeats and for a server that takes its time.
const AFTER_MS: i64 = 5 * 60_000;
/// Multipart uploads that one recorded request with its repeats can begin.
const MOST: usize = 3;
/// A destination that does not let us look is left alone for so long.
const A_DAY: Duration = Duration::from_secs(24 * 3600);
/// Until one is looked at again that was in use.
const SOON: Duration = Duration::from_secs(3);
/// Between two looks at what is recorded.
const TICK: std::ops::RangeInclusive<Duration> = Duration::from_secs(60)..=Duration::from_secs(3600);

/// Those that may be ours by what the list says of them; whether they have parts is still to be asked. `recorded` requests
/// for this key have had no answer: a program that died again and again leaves one each time.
pub(crate) fn suspects(
    initiate: &Initiate,
    recorded: usize,
    listed: &[OpenUpload],
    known: &HashSet<String>,
) -> Vec<String> {
    let window = initiate.server_ms - BEFORE_MS..=initiate.server_ms + AFTER_MS;
    let ours = |upload: &&OpenUpload| {
        let initiated = upload.initiated.parse::<jiff::Timestamp>().ok();
        upload.key == initiate.key
            && !known.contains(&upload.upload_id)
            && initiated.is_some_and(|at| window.contains(&at.as_millisecond()))
    };
    let found: Vec<String> = listed.iter().filter(ours).map(|upload| upload.upload_id.clone()).collect();
    if found.len() > MOST * recorded { Vec::new() } else { found }
}

/// What the sweep works with.
pub(crate) struct Sweep {
    pub(crate) store: Store,
    pub(crate) destinations: Destinations,
    pub(crate) abort: Arc<Notify>,
    /// Says that a destination can be used now.
    pub(crate) wake: Arc<Notify>,
}

impl Sweep {
    /// Sweeps at once and then from time to time, until `stop`.
    pub(crate) async fn run(self, age: Duration, clock: Clock, stop: CancellationToken) {
        let mut closed: HashMap<String, Instant> = HashMap::new();
        loop {
            let server_ms = now_ms().saturating_add(clock.skew().as_millis() as i64);
            let until_ms = server_ms.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = self.sweep(until_ms, &mut closed) => looked,
            };
            let tick = match looked {
                Ok(true) => age.clamp(*TICK.start(), *TICK.end()),
                Ok(false) => SOON,
                Err(error) => {
                    tracing::warn!(%error, "could not look for unfinished uploads that nobody knows of");
                    *TICK.start()
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(tick) => {}
                // Only the pause is cut short: what has been settled is still to be aborted.
                () = self.wake.notified() => closed.clear(),
            }
        }
    }

    /// False if there is one to look at again soon.
    async fn sweep(&self, until_ms: i64, closed: &mut HashMap<String, Instant>) -> Result<bool, Error> {
        let mut all_looked_at = true;
        closed.retain(|_, since| since.elapsed() < A_DAY);
        let mut after = (i64::MIN, i64::MIN);
        loop {
            let page = self.store.read(move |c| initiates::waiting(c, after, until_ms)).await?;
            let Some(last) = page.last() else { return Ok(all_looked_at) };
            after = (last.no, last.server_ms);
            for initiate in page {
                if closed.contains_key(&initiate.destination_id) {
                    continue;
                }
                match self.look(&initiate).await {
                    Ok(looked) => all_looked_at &= looked,
                    Err(error) => {
                        tracing::debug!(%error, key = initiate.key, "will look later for what an Initiate left behind");
                        if error.code() == Code::AccessDenied {
                            closed.insert(initiate.destination_id, Instant::now());
                        }
                    }
                }
            }
        }
    }

    /// False while an upload of ours to this key is just being begun.
    async fn look(&self, initiate: &Initiate) -> Result<bool, Error> {
        let client = self.destinations.client(&initiate.destination_id, &BucketName::parse(&initiate.bucket)?).await?;
        let key = ObjectKey::parse(&initiate.key)?;
        let listed = client.list_uploads(&initiate.key).await?;
        // Read after the list: whatever of ours is on it is known by now, or is just being begun.
        let of = initiate.clone();
        let recorded = self.store.read(move |c| initiates::recorded(c, &of)).await?;
        let (of, any) = (initiate.clone(), !suspects(initiate, recorded, &listed, &HashSet::new()).is_empty());
        let Some(known) = self.store.read(move |c| initiates::known(c, &of, any)).await? else {
            return Ok(false);
        };
        let mut orphans = Vec::new();
        for upload_id in suspects(initiate, recorded, &listed, &known) {
            match client.list_parts(&key, &upload_id).await {
                Ok(parts) if parts.is_empty() => orphans.push(upload_id),
                // Somebody knows it, and sends parts to it.
                Ok(_) => {}
                Err(error) if error.service_code() == Some("NoSuchUpload") => {}
                Err(error) => return Err(error.into()),
            }
        }
        if !orphans.is_empty() {
            tracing::info!(
                key = initiate.key,
                count = orphans.len(),
                "aborting uploads that were begun and never heard of"
            );
        }
        let done = initiate.clone();
        self.store.write(move |c| initiates::settle(c, &done, &orphans)).await?;
        self.abort.notify_one();
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = "2026-11-20T12:00:00Z";

    fn initiate() -> Initiate {
        let server_ms = SENT.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        Initiate { no: 1, server_ms, destination_id: "d".into(), bucket: "b".into(), key: "clip.mov".into() }
    }

    fn open(key: &str, upload_id: &str, initiated: &str) -> OpenUpload {
        OpenUpload { key: key.into(), upload_id: upload_id.into(), initiated: initiated.into() }
    }

    #[test]
    fn only_an_unknown_upload_of_this_key_begun_while_the_request_was_under_way_is_suspected() {
        let listed = [
            open("clip.mov", "ours", "2026-11-20T12:00:01.000Z"),
            open("clip.mov", "known", "2026-11-20T12:00:01.000Z"),
            open("clip.mov.bak", "another key", "2026-11-20T12:00:01.000Z"),
            open("clip.mov", "before", "2026-11-20T11:58:00.000Z"),
            open("clip.mov", "after", "2026-11-20T12:06:00.000Z"),
            open("clip.mov", "timeless", "yesterday"),
        ];
        assert_eq!(suspects(&initiate(), 1, &listed, &HashSet::from(["known".to_owned()])), ["ours"]);
    }

    #[test]
    fn more_than_the_requests_can_have_begun_are_left_alone_all_of_them() {
        let many: Vec<_> = (0..4).map(|n| open("clip.mov", &n.to_string(), "2026-11-20T12:00:01.000Z")).collect();
        assert_eq!(suspects(&initiate(), 1, &many[..3], &HashSet::new()).len(), 3);
        assert!(suspects(&initiate(), 1, &many, &HashSet::new()).is_empty());
        assert_eq!(suspects(&initiate(), 2, &many, &HashSet::new()).len(), 4);
    }
}
