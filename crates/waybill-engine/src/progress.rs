//! Bytes on their way, counted in atomics by the drivers and sampled a few times a second by the pump.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::upload::state::UploadState;

/// Speed forgets what is older than about this.
const MEMORY: Duration = Duration::from_secs(5);
/// No estimate before this, and none at a crawl: a number that jumps is worth nothing.
const ESTIMATE_AFTER: Duration = Duration::from_secs(3);

/// Bytes of one upload that are stored or in flight.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    sent: AtomicI64,
}

impl Gauge {
    /// Moves it; negative when an attempt's bytes are taken back.
    pub(crate) fn add(&self, bytes: i64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Sets it, when parts of an earlier session are taken up.
    pub(crate) fn set(&self, bytes: i64) {
        self.sent.store(bytes, Ordering::Relaxed);
    }
}

/// One upload's progress at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) sent_bytes: i64,
    pub(crate) bytes_per_second: i64,
    /// Long enough under way for an estimate.
    pub(crate) steady: bool,
}

/// Everything under way: its gauge, and its state where that is not worth a write.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    uploads: Mutex<HashMap<i64, Tracked>>,
}

#[derive(Debug)]
struct Tracked {
    /// Where it stands, while its row still says that it waits.
    unsaved: Option<UploadState>,
    gauge: Arc<Gauge>,
    began: Instant,
    at: Instant,
    last: i64,
    speed: f64,
}

impl Progress {
    /// A gauge for an upload that starts now; `unsaved` as for [`Progress::stands`].
    pub(crate) fn begin(&self, no: i64, unsaved: Option<UploadState>) -> Arc<Gauge> {
        let gauge = Arc::new(Gauge::default());
        let now = Instant::now();
        let tracked = Tracked { unsaved, gauge: Arc::clone(&gauge), began: now, at: now, last: 0, speed: 0.0 };
        self.map().insert(no, tracked);
        gauge
    }

    /// Where it stands now, while its row still says that it waits; none once that was saved.
    pub(crate) fn stands(&self, no: i64, unsaved: Option<UploadState>) {
        if let Some(tracked) = self.map().get_mut(&no) {
            tracked.unsaved = unsaved;
        }
    }

    /// Uploads whose rows still say that they wait, and where they stand.
    pub(crate) fn unsaved(&self) -> HashMap<i64, UploadState> {
        let map = self.map();
        map.iter().filter_map(|(no, tracked)| Some((*no, tracked.unsaved.clone()?))).collect()
    }

    /// It is no longer under way.
    pub(crate) fn end(&self, no: i64) {
        self.map().remove(&no);
    }

    /// Whether anything is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.map().is_empty()
    }

    /// Samples everything at `now`.
    pub(crate) fn sample(&self, now: Instant) -> HashMap<i64, Sample> {
        self.map().iter_mut().map(|(no, tracked)| (*no, tracked.sample(now))).collect()
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Tracked>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tracked {
    fn sample(&mut self, now: Instant) -> Sample {
        let sent = self.gauge.sent.load(Ordering::Relaxed).max(0);
        let elapsed = now.duration_since(self.at);
        // A second look within a few milliseconds would divide by next to nothing.
        if elapsed >= Duration::from_millis(50) {
            let moved = (sent - self.last).max(0) as f64 / elapsed.as_secs_f64();
            self.speed = smooth(self.speed, moved, elapsed);
            self.last = sent;
            self.at = now;
        }
        Sample {
            sent_bytes: sent,
            bytes_per_second: self.speed as i64,
            steady: now.duration_since(self.began) >= ESTIMATE_AFTER,
        }
    }
}

/// Exponential smoothing with a time constant instead of a fixed weight, so that uneven samples do not matter.
fn smooth(before: f64, now: f64, elapsed: Duration) -> f64 {
    let weight = 1.0 - (-elapsed.as_secs_f64() / MEMORY.as_secs_f64()).exp();
    if before == 0.0 { now } else { before + (now - before) * weight }
}

/// Seconds to go, or none when there is no honest answer.
pub(crate) fn eta_seconds(size_bytes: i64, sample: Sample) -> Option<i64> {
    (sample.steady && sample.bytes_per_second > 1024)
        .then(|| (size_bytes - sample.sent_bytes).max(0) / sample.bytes_per_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_settles_on_the_true_rate_and_the_estimate_waits_until_it_is_honest() {
        let progress = Progress::default();
        let gauge = progress.begin(1, None);
        let start = Instant::now();
        let mut sample = progress.sample(start)[&1];
        assert_eq!(eta_seconds(1 << 30, sample), None);
        for tick in 1..=100 {
            gauge.add(1 << 20);
            sample = progress.sample(start + Duration::from_millis(200 * tick))[&1];
        }
        let rate = (5 << 20) as f64;
        assert!((sample.bytes_per_second as f64 - rate).abs() < rate * 0.05, "{sample:?}");
        assert_eq!(eta_seconds(200 << 20, sample), Some(20));
    }

    #[test]
    fn bytes_taken_back_never_show_as_negative() {
        let progress = Progress::default();
        progress.begin(1, None).add(-5);
        assert_eq!(progress.sample(Instant::now())[&1].sent_bytes, 0);
    }
}
