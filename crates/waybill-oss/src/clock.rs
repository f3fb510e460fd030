//! The server's clock, as its answers show it: what is signed must not be more than fifteen minutes off.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// A `Date` header counts whole seconds and travels for a while; less than this is no difference.
const NOISE: SignedDuration = SignedDuration::from_secs(30);

/// How far this computer's clock is off, shared by all clients that are given the same one.
///
/// Every answer of OSS corrects it, so a clock that is set right while the program runs is followed. Requests and
/// presigned URLs are signed with the corrected time [go2 `oss/client.go` postSendHttpRequestOnce].
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// What has to be added to this computer's time to get the server's; zero until an answer said otherwise, and for
    /// differences that mean nothing (below 30 seconds).
    pub fn skew(&self) -> SignedDuration {
        SignedDuration::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// The time to sign with, when this computer's clock says `local`.
    pub(crate) fn server_time(&self, local: Timestamp) -> Timestamp {
        // Out of range only for a clock that is off by thousands of years; then nothing helps.
        local.checked_add(self.skew()).unwrap_or(local)
    }

    /// An answer said that it is `server`, when this computer's clock said `local`.
    pub(crate) fn correct(&self, server: Timestamp, local: Timestamp) {
        let skew = server.duration_since(local);
        let skew = if skew.abs() < NOISE { SignedDuration::ZERO } else { skew };
        let before = SignedDuration::from_millis(self.0.swap(skew.as_millis() as i64, Ordering::Relaxed));
        if (before - skew).abs() >= NOISE {
            tracing::warn!(seconds = skew.as_secs(), "this computer's clock differs from the server's");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("time")
    }

    #[test]
    fn a_clock_eight_hours_off_is_corrected_both_ways_and_set_right_again() {
        let (clock, server) = (Clock::default(), at("2025-03-14T09:26:53Z"));
        for local in ["2025-03-14T01:26:53Z", "2025-03-14T17:26:53Z"] {
            clock.clone().correct(server, at(local));
            assert_eq!(clock.server_time(at(local)), server);
            assert_eq!(clock.skew().as_hours().abs(), 8);
        }
        clock.correct(server, server);
        assert_eq!(clock.skew(), SignedDuration::ZERO);
    }

    #[test]
    fn seconds_of_travel_are_no_difference() {
        let clock = Clock::default();
        clock.correct(at("2025-03-14T09:26:53Z"), at("2025-03-14T09:27:10Z"));
        assert_eq!(clock.skew(), SignedDuration::ZERO);
    }
}
