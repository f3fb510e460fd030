//! The server's clock, as its answers show it: what is signed must not be more than fifteen minutes off.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// A `Date` header counts whole seconds and travels for a while; less than this is no difference.
const NOISE: SignedDuration = SignedDuration::from_secs(30);
/// No clock jumps this far without a reason, so one answer alone is not believed. OSS refuses beyond fifteen minutes.
const LEAP: SignedDuration = SignedDuration::from_mins(10);

/// How far this computer's clock is off, shared by all clients that are given the same one.
///
/// Every answer of OSS corrects it, so a clock that is set right while the program runs is followed. A difference of more
/// than ten minutes from what is believed so far must be confirmed by a second answer, unless OSS refused a request for its
/// time. Requests and presigned URLs are signed with the corrected time [go2 `oss/client.go` postSendHttpRequestOnce].
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Mutex<Belief>>);

#[derive(Debug, Default)]
struct Belief {
    skew: SignedDuration,
    /// What one answer said that nobody has confirmed.
    rumour: Option<SignedDuration>,
}

impl Clock {
    /// What has to be added to this computer's time to get the server's; zero until an answer said otherwise, and for
    /// differences that mean nothing (below 30 seconds).
    pub fn skew(&self) -> SignedDuration {
        self.belief().skew
    }

    /// The time to sign with, when this computer's clock says `local`.
    pub(crate) fn server_time(&self, local: Timestamp) -> Timestamp {
        // Out of range only for a clock that is off by thousands of years; then nothing helps.
        local.checked_add(self.skew()).unwrap_or(local)
    }

    /// Any answer said that it is `server`, when this computer's clock said `local`.
    pub(crate) fn hear(&self, server: Timestamp, local: Timestamp) {
        let skew = server.duration_since(local);
        let mut belief = self.belief();
        let confirmed = belief.rumour.is_some_and(|rumour| (rumour - skew).abs() < NOISE);
        if (belief.skew - skew).abs() > LEAP && !confirmed {
            belief.rumour = Some(skew);
        } else {
            belief.take(skew);
        }
    }

    /// A request was refused for its time, by an answer that says that it is `server`.
    pub(crate) fn correct(&self, server: Timestamp, local: Timestamp) {
        self.belief().take(server.duration_since(local));
    }

    fn belief(&self) -> MutexGuard<'_, Belief> {
        // Nothing that holds the lock leaves it half-written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Belief {
    fn take(&mut self, skew: SignedDuration) {
        let skew = if skew.abs() < NOISE { SignedDuration::ZERO } else { skew };
        if (self.skew - skew).abs() >= NOISE {
            tracing::warn!(seconds = skew.as_secs(), "this computer's clock differs from the server's");
        }
        *self = Belief { skew, rumour: None };
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

    #[test]
    fn a_leap_is_believed_when_a_second_answer_says_the_same() {
        let local = at("2025-03-14T09:26:53Z");
        let hears = |clock: &Clock, minutes: i64| {
            clock.hear(local + SignedDuration::from_mins(minutes), local);
            clock.skew().as_mins()
        };
        let clock = Clock::default();
        assert_eq!([hears(&clock, 5), hears(&clock, 14)], [5, 14], "small steps are followed at once");
        assert_eq!([hears(&clock, 480), hears(&clock, 14), hears(&clock, 480)], [14, 14, 14], "the first was denied");
        assert_eq!([hears(&clock, 470), hears(&clock, 480), hears(&clock, 480)], [14, 14, 480], "two must agree");
        assert_eq!([hears(&clock, 0), hears(&clock, 0)], [480, 0], "and so must two on the way back");
    }
}
