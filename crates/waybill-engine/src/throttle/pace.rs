//! A token bucket and the line before it: who may send how much, and when.
//!
//! What has been taken is paid off at the rate; whoever comes while more than [`BURST`] is owed waits. So the first to come
//! never waits, a late wake-up is caught up with, and over any time no more goes than rate × time and what a single turn
//! and the burst are worth.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// What may be owed and the next still goes: small, and longer than timers are late.
const BURST: Duration = Duration::from_millis(50);

/// An account that is paid off at a rate. Units are bytes or requests. Pure: it is told what time it is.
#[derive(Debug)]
struct Bucket {
    /// Units per second; None: no limit.
    rate: Option<f64>,
    /// When all that was taken will be paid off.
    even_at: Instant,
}

impl Bucket {
    /// Takes `units`, or says how long to wait before asking again.
    fn take(&mut self, units: f64, now: Instant) -> Result<(), Duration> {
        let Some(rate) = self.rate else { return Ok(()) };
        let owed = self.even_at.saturating_duration_since(now);
        if owed > BURST {
            return Err(owed - BURST);
        }
        self.even_at = self.even_at.max(now) + Duration::from_secs_f64(units / rate);
        Ok(())
    }

    /// Another rate from now on. What is owed stays owed in units, and is forgiven where there is no limit any more.
    fn set(&mut self, rate: Option<f64>, now: Instant) {
        let owed = self.even_at.saturating_duration_since(now);
        self.even_at = match (self.rate, rate) {
            (Some(before), Some(after)) => now + owed.mul_f64(before / after),
            _ => now,
        };
        self.rate = rate;
    }
}

/// A bucket with those who wait for it, served in the order in which they came.
#[derive(Debug)]
pub(crate) struct Line {
    bucket: Mutex<Bucket>,
    /// Held by whoever is first in line; tokio's mutex is fair.
    first: tokio::sync::Mutex<()>,
    changed: Notify,
}

impl Default for Line {
    fn default() -> Self {
        let bucket = Bucket { rate: None, even_at: Instant::now() };
        Line { bucket: Mutex::new(bucket), first: tokio::sync::Mutex::default(), changed: Notify::new() }
    }
}

impl Line {
    /// Another rate in units per second, None for no limit. Whoever waits is reckoned anew at once.
    pub(crate) fn set(&self, rate: Option<f64>) {
        {
            let mut bucket = self.bucket();
            if bucket.rate == rate {
                return;
            }
            bucket.set(rate, Instant::now());
        }
        self.changed.notify_waiters();
    }

    /// Units per second; None: no limit.
    pub(crate) fn rate(&self) -> Option<f64> {
        self.bucket().rate
    }

    /// Waits in line for `units`.
    pub(crate) async fn take(&self, units: f64) {
        let _first = self.first.lock().await;
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            // Listening before looking, so that no change falls in between.
            changed.as_mut().enable();
            let wait = match self.bucket().take(units, Instant::now()) {
                Ok(()) => return,
                Err(wait) => wait,
            };
            tokio::select! { () = sleep(wait) => {} () = changed => {} }
        }
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::task::JoinSet;

    use super::*;

    fn line(rate: f64) -> Arc<Line> {
        let line = Arc::new(Line::default());
        line.set(Some(rate));
        line
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_kept_over_time_and_no_limit_is_no_wait() {
        let (line, start) = (line(100_000.0), Instant::now());
        for _ in 0..100 {
            line.take(10_000.0).await;
        }
        let took = start.elapsed().as_secs_f64();
        assert!((9.8..=10.0).contains(&took), "{took}");
        line.set(None);
        let start = Instant::now();
        line.take(1e12).await;
        line.take(1e12).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_wakes_whoever_waits() {
        let line = line(1.0);
        line.take(1000.0).await;
        let start = Instant::now();
        let waiting = line.take(1.0);
        let raise = async {
            sleep(Duration::from_secs(1)).await;
            // 999 are still owed.
            line.set(Some(999.0));
        };
        tokio::join!(waiting, raise);
        assert_eq!(start.elapsed().as_millis(), 1950);
        line.take(1_000_000.0).await;
        let start = Instant::now();
        tokio::join!(line.take(1.0), async { line.set(None) });
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_given_in_the_order_of_asking_and_one_who_leaves_holds_nobody_up() {
        let line = line(10.0);
        line.take(1.0).await;
        let served = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = JoinSet::new();
        for who in 0..6 {
            let (line, served) = (Arc::clone(&line), Arc::clone(&served));
            let task = waiting.spawn(async move {
                line.take(1.0).await;
                served.lock().unwrap().push(who);
            });
            tokio::task::yield_now().await;
            if who % 3 == 0 {
                task.abort();
            }
        }
        while waiting.join_next().await.is_some() {}
        assert_eq!(*served.lock().unwrap(), [1, 2, 4, 5]);
    }
}
