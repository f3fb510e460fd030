//! The way of one upload through all limits: what its driver waits for, and what its requests and bytes are paced by.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::OwnedSemaphorePermit;
use waybill_oss::{Exchange, Leave, Pace};

use super::host::Host;
use super::pace::Line;
use super::pool::{Pool, Pooled, acquire};
use super::{MEMORY_UNIT, Shared, most_fed};
use crate::upload::plan::LineSeen;
use crate::view::Limit;

/// Bytes are let go in pieces, eight a second at a low rate, so that all who wait move.
const PIECES_A_SECOND: f64 = 8.0;
const LEAST_PIECE: usize = 1024;

/// The limits of one destination, or of all together.
#[derive(Debug)]
pub(crate) struct Rates {
    bytes: Line,
    requests: Line,
    /// What a low rate can feed; more would sit on permits that others need.
    pub(crate) permits: Pool,
}

impl Rates {
    /// No limit but so many requests at once.
    pub(crate) fn new(most: usize) -> Rates {
        Rates { bytes: Line::default(), requests: Line::default(), permits: Pool::new(most) }
    }

    /// Another limit from now on, also for those who wait already; at most so many requests at once.
    pub(crate) fn set(&self, limit: Limit, most: usize) {
        self.bytes.set(limit.bytes_per_second.map(|rate| rate as f64));
        self.requests.set(limit.requests_per_second.map(|rate| rate as f64));
        self.permits.resize(most_fed(limit.bytes_per_second).min(most));
    }
}

/// One upload's way. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(super) shared: Arc<Shared>,
    pub(super) own: Arc<Rates>,
    pub(super) host: Arc<Host>,
    /// Requests that have had their turn and are still to be made.
    pub(super) prepaid: Arc<AtomicUsize>,
}

/// The right to have one request in flight; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    _own: Pooled,
    _host: Pooled,
    _all: Pooled,
    _memory: OwnedSemaphorePermit,
}

impl Lane {
    /// Waits, in order of asking, for the right to send one request without a file's bytes.
    pub(crate) async fn permit(&self) -> Permit {
        self.permit_for(0).await
    }

    /// Waits, in order of asking, for the right to send one request that needs so much memory.
    ///
    /// What others may need is waited for last: whoever waits for a slow destination's turn holds up nobody else.
    pub(crate) async fn permit_for(&self, memory_bytes: u64) -> Permit {
        self.shared.woken.notify_one();
        let own = self.own.permits.take().await;
        self.take_request().await;
        self.prepaid.fetch_add(1, Ordering::Relaxed);
        let host = self.host.permit().await;
        let all = self.shared.everywhere.permits.take().await;
        let units = memory_bytes.div_ceil(MEMORY_UNIT).max(1);
        let memory = acquire(&self.shared.memory, u32::try_from(units).unwrap_or(u32::MAX)).await;
        Permit { _own: own, _host: host, _all: all, _memory: memory }
    }

    /// How the line has shown itself, with the share of one request in the limits.
    pub(crate) fn seen(&self) -> LineSeen {
        let seen = self.host.seen();
        let Some(limit) = self.rate() else { return seen };
        let share = (limit as u64 / most_fed(Some(limit as i64)).min(self.host.permits.size()) as u64).max(1);
        let bytes_per_second = if seen.bytes_per_second == 0 { share } else { share.min(seen.bytes_per_second) };
        LineSeen { bytes_per_second, ..seen }
    }

    /// Whether there is a limit in requests per second.
    pub(crate) fn counts_requests(&self) -> bool {
        self.own.requests.rate().or(self.shared.everywhere.requests.rate()).is_some()
    }

    async fn take_request(&self) {
        self.own.requests.take(1.0).await;
        self.shared.everywhere.requests.take(1.0).await;
    }

    /// The lower limit, in bytes per second.
    fn rate(&self) -> Option<f64> {
        [self.own.bytes.rate(), self.shared.everywhere.bytes.rate()].into_iter().flatten().reduce(f64::min)
    }
}

impl Pace for Lane {
    fn request(&self) -> Leave<()> {
        let one_less = |prepaid: usize| prepaid.checked_sub(1);
        if self.prepaid.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
            return Leave::Now(());
        }
        let lane = self.clone();
        Leave::Later(Box::pin(async move { lane.take_request().await }))
    }

    fn bytes(&self, wanted: usize) -> Leave<usize> {
        let Some(rate) = self.rate() else {
            self.host.moved(wanted);
            return Leave::Now(wanted);
        };
        let piece = wanted.min(((rate / PIECES_A_SECOND) as usize).max(LEAST_PIECE));
        let lane = self.clone();
        Leave::Later(Box::pin(async move {
            lane.own.bytes.take(piece as f64).await;
            lane.shared.everywhere.bytes.take(piece as f64).await;
            lane.host.moved(piece);
            piece
        }))
    }

    fn ended(&self, exchange: &Exchange) {
        self.host.ended(exchange);
    }
}
