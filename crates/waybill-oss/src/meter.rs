//! What one attempt has sent and when it last moved: progress, stalls, and taking back what did not count.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::body::Progress;

/// What one attempt has sent so far, shared by its body and by whoever waits for its answer.
pub(crate) struct Meter {
    progress: Option<Progress>,
    gauge: Mutex<Gauge>,
}

struct Gauge {
    /// False once the attempt is over; a body that is still being drained counts no more.
    open: bool,
    sent: u64,
    moved_at: Instant,
    /// Since when the pace has held the body back, if it does.
    held_since: Option<Instant>,
    held: Duration,
    body_sent_at: Option<Instant>,
    crc64: Option<u64>,
    failure: Option<io::Error>,
}

impl Meter {
    pub(crate) fn new(progress: Option<Progress>) -> Arc<Self> {
        let gauge = Gauge {
            open: true,
            sent: 0,
            moved_at: Instant::now(),
            held_since: None,
            held: Duration::ZERO,
            body_sent_at: None,
            crc64: None,
            failure: None,
        };
        Arc::new(Meter { progress, gauge: Mutex::new(gauge) })
    }

    fn gauge(&self) -> MutexGuard<'_, Gauge> {
        // Nothing that holds the lock leaves the gauge half-written, so a panic elsewhere does not spoil it.
        self.gauge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `bytes` more went out.
    pub(crate) fn advance(&self, bytes: u64) {
        let mut gauge = self.gauge();
        gauge.moved_at = Instant::now();
        if gauge.open {
            gauge.sent += bytes;
            self.report(bytes as i64);
        }
    }

    /// The pace holds the body back from now on: a body that may not move has not stalled.
    pub(crate) fn hold(&self) {
        self.gauge().held_since = Some(Instant::now());
    }

    /// The body may move again.
    pub(crate) fn release(&self) {
        let mut gauge = self.gauge();
        let now = Instant::now();
        if let Some(since) = gauge.held_since.take() {
            gauge.held += now - since;
        }
        gauge.moved_at = now;
    }

    /// Bytes handed over so far, and for how long the pace has held them back.
    pub(crate) fn sent_and_held(&self) -> (u64, Duration) {
        let gauge = self.gauge();
        (gauge.sent, gauge.held + gauge.held_since.map(|since| since.elapsed()).unwrap_or_default())
    }

    /// The last byte went out; `crc64` is that of all of them, where it was computed.
    pub(crate) fn body_sent(&self, crc64: Option<u64>) {
        let mut gauge = self.gauge();
        gauge.body_sent_at = Some(Instant::now());
        gauge.crc64 = crc64;
    }

    /// Something of the answer came in.
    pub(crate) fn touch(&self) {
        self.gauge().moved_at = Instant::now();
    }

    /// CRC-64 of the body, if all of it went out and it came from a file.
    pub(crate) fn crc64(&self) -> Option<u64> {
        self.gauge().crc64
    }

    /// Time since the last byte went out; zero while some are still to go.
    pub(crate) fn since_body_sent(&self) -> Duration {
        self.gauge().body_sent_at.map(|at| at.elapsed()).unwrap_or_default()
    }

    /// The body could not be read.
    pub(crate) fn fail(&self, error: io::Error) {
        self.gauge().failure = Some(error);
    }

    /// Why the body could not be read, told once.
    pub(crate) fn take_failure(&self) -> Option<io::Error> {
        self.gauge().failure.take()
    }

    /// Returns when nothing has moved for `stall`, or for `patience` once only the answer is awaited.
    pub(crate) async fn stalled(&self, stall: Duration, patience: Duration) {
        loop {
            let deadline = {
                let gauge = self.gauge();
                let since = if gauge.held_since.is_some() { Instant::now() } else { gauge.moved_at };
                since + if gauge.body_sent_at.is_some() { patience } else { stall }
            };
            if deadline <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(deadline).await;
        }
    }

    /// The attempt succeeded: what was counted stays counted.
    pub(crate) fn keep(&self) {
        self.gauge().open = false;
    }

    /// The attempt is over without success: what was counted is taken back, once.
    pub(crate) fn take_back(&self) {
        let mut gauge = self.gauge();
        if gauge.open && gauge.sent > 0 {
            self.report(-(gauge.sent as i64));
        }
        gauge.open = false;
    }

    fn report(&self, bytes: i64) {
        if let Some(progress) = &self.progress {
            progress(bytes);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    /// A sum that follows the progress reports.
    pub(crate) fn counted() -> (Arc<AtomicI64>, Progress) {
        let sum = Arc::new(AtomicI64::new(0));
        let inner = Arc::clone(&sum);
        (sum, Arc::new(move |bytes| _ = inner.fetch_add(bytes, Ordering::Relaxed)))
    }

    #[tokio::test]
    async fn an_attempt_that_is_over_takes_its_bytes_back_once_and_counts_no_more() {
        let (sum, progress) = counted();
        let meter = Meter::new(Some(progress));
        meter.advance(500);
        assert_eq!(sum.load(Ordering::Relaxed), 500);
        meter.take_back();
        meter.take_back();
        meter.advance(100);
        assert_eq!(sum.load(Ordering::Relaxed), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_held_back_has_not_stalled_and_its_clock_starts_anew_when_it_may_go() {
        let stall = Duration::from_secs(30);
        let meter = Meter::new(None);
        let start = Instant::now();
        let watch = async {
            meter.stalled(stall, stall).await;
            start.elapsed()
        };
        let moves = async {
            meter.hold();
            tokio::time::sleep(Duration::from_secs(1000)).await;
            meter.release();
        };
        let (waited, ()) = tokio::join!(watch, moves);
        assert_eq!(waited.as_secs(), 1030);
        assert_eq!(meter.sent_and_held().1.as_secs(), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn movement_puts_the_stall_off_and_an_awaited_answer_gets_more_patience() {
        let (stall, patience) = (Duration::from_secs(30), Duration::from_secs(60));
        let meter = Meter::new(None);
        let start = Instant::now();
        let watch = async {
            meter.stalled(stall, patience).await;
            start.elapsed()
        };
        let moves = async {
            tokio::time::sleep(Duration::from_secs(20)).await;
            meter.advance(1);
            tokio::time::sleep(Duration::from_secs(20)).await;
            meter.body_sent(None);
            meter.touch();
        };
        let (waited, ()) = tokio::join!(watch, moves);
        assert_eq!(waited.as_secs(), 20 + 20 + 60);
    }
}
