//! What is known of one host: its permits, what was measured, and how many requests it is given.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use waybill_oss::{End, Exchange};

use super::controller::{self, Sample, State};
use super::pool::{Pool, Pooled};
use crate::upload::plan::LineSeen;

/// A tick lasts twice as long as a request takes, within these bounds: long enough to see something end, and short
/// enough to get going.
const SHORTEST_TICK: Duration = Duration::from_millis(100);
const LONGEST_TICK: Duration = Duration::from_secs(1);
/// A body of this size or more says how fast one connection is, a smaller one how long a round trip takes.
const LARGE: u64 = 1 << 20;
const TINY: u64 = 64 << 10;

/// One host.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) permits: Pool,
    requests: AtomicU64,
    bytes: AtomicU64,
    trouble: AtomicU64,
    /// Those who wait for a permit.
    waiting: AtomicUsize,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    state: State,
    began: Instant,
    /// What was under way when the target changed is not measured.
    settling: bool,
    /// More are in flight than the target.
    over: bool,
    mean_request: Duration,
    seen: LineSeen,
}

impl Host {
    pub(crate) fn new(most: usize) -> Host {
        let state = State::new(most);
        let inner = Inner {
            state,
            began: Instant::now(),
            settling: false,
            over: false,
            mean_request: Duration::ZERO,
            seen: LineSeen::default(),
        };
        Host {
            permits: Pool::new(state.target),
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            trouble: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
            inner: Mutex::new(inner),
        }
    }

    /// Bytes are on their way to the socket.
    pub(crate) fn moved(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The right to have one request in flight here, in order of asking.
    pub(crate) async fn permit(&self) -> Pooled {
        if let Some(permit) = self.permits.try_take() {
            return permit;
        }
        let _waiting = Waiting::begin(&self.waiting);
        self.permits.take().await
    }

    /// A request has ended.
    pub(crate) fn ended(&self, exchange: &Exchange) {
        match exchange.end {
            End::Answered => self.requests.fetch_add(1, Ordering::Relaxed),
            End::Busy | End::Broken => self.trouble.fetch_add(1, Ordering::Relaxed),
            End::Unsent => return,
        };
        if exchange.end == End::Answered {
            let mut inner = self.inner();
            let mean = smooth(inner.mean_request.as_secs_f64(), exchange.elapsed.as_secs_f64());
            inner.mean_request = Duration::from_secs_f64(mean);
            inner.learn(exchange);
        }
    }

    /// How the line has shown itself so far.
    pub(crate) fn seen(&self) -> LineSeen {
        self.inner().seen
    }

    /// What was not measured while nothing was on its way is forgotten.
    pub(crate) fn begin(&self, now: Instant) {
        self.take_sample(now, now);
        self.inner().began = now;
    }

    /// Looks at what a tick has brought, if it is over, and gives the host its next number of requests. True when it grew.
    pub(crate) fn tick(&self, now: Instant, most: usize) -> bool {
        let mut inner = self.inner();
        let (elapsed, mean) = (now.saturating_duration_since(inner.began), inner.mean_request);
        let length =
            if inner.settling { mean.min(LONGEST_TICK) } else { (mean * 2).clamp(SHORTEST_TICK, LONGEST_TICK) };
        // Another bound holds at once.
        let bound_moved = inner.state.most != most;
        if elapsed < length && !bound_moved {
            return false;
        }
        let sample = Sample { over: inner.over, ..self.take_sample(inner.began, now) };
        inner.began = now;
        inner.over = self.permits.out() > inner.state.target;
        if std::mem::take(&mut inner.settling) && !bound_moved {
            return false;
        }
        let before = inner.state.target;
        inner.state = controller::decide(inner.state, &sample, most);
        let after = inner.state.target;
        if after != before {
            tracing::debug!(before, after, ?sample, "requests in flight");
            inner.settling = true;
            self.permits.resize(after);
            inner.over = self.permits.out() > after;
        }
        after > before
    }

    fn take_sample(&self, began: Instant, now: Instant) -> Sample {
        Sample {
            elapsed: now.saturating_duration_since(began),
            requests: self.requests.swap(0, Ordering::Relaxed),
            bytes: self.bytes.swap(0, Ordering::Relaxed),
            trouble: self.trouble.swap(0, Ordering::Relaxed),
            full: self.waiting.load(Ordering::Relaxed) > 0,
            over: false,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn learn(&mut self, exchange: &Exchange) {
        let seconds = exchange.elapsed.as_secs_f64();
        let before = self.seen;
        if exchange.bytes >= LARGE && seconds > 0.0 {
            self.seen.bytes_per_second = smooth(before.bytes_per_second as f64, exchange.bytes as f64 / seconds) as u64;
        } else if exchange.bytes <= TINY {
            self.seen.round_trip_ms = smooth(before.round_trip_ms as f64, seconds * 1000.0).round() as u64;
        }
    }
}

/// Counts somebody who waits, also when they give up.
struct Waiting<'a>(&'a AtomicUsize);

impl Waiting<'_> {
    fn begin(counter: &AtomicUsize) -> Waiting<'_> {
        counter.fetch_add(1, Ordering::Relaxed);
        Waiting(counter)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A moving average; 0 is no value yet.
fn smooth(before: f64, now: f64) -> f64 {
    if before == 0.0 { now } else { before * 0.8 + now * 0.2 }
}
