//! When keys that end are to be replaced: the times decide, nothing else.

use jiff::{SignedDuration, Timestamp};

/// Keys that live long are refreshed this long before their end [alibabacloud_credentials `provider/uri.py`].
const MARGIN: SignedDuration = SignedDuration::from_mins(15);
/// Short-lived keys are refreshed when this part of their life is left, so that a token for a minute is not fetched in
/// a loop.
const PART: i32 = 5;

/// What is to be done about keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing yet.
    Fresh,
    /// Somebody should fetch new ones while these are still good.
    Refresh,
    /// They are of no use any more.
    Expired,
}

/// Whether it is time for new keys. Keys that had ended when they were fetched are taken as fresh: either this clock is
/// wrong or the source is, and only OSS can tell; asking the source again and again cannot.
pub(super) fn due(now: Timestamp, fetched_at: Timestamp, expires_at: Timestamp) -> Due {
    let life = expires_at.duration_since(fetched_at);
    let left = expires_at.duration_since(now);
    if life <= SignedDuration::ZERO {
        Due::Fresh
    } else if left <= SignedDuration::ZERO {
        Due::Expired
    } else if left <= MARGIN.min(life / PART) {
        Due::Refresh
    } else {
        Due::Fresh
    }
}

/// When to try again after an early refresh failed: when a quarter of the time left has passed, within a minute.
pub(super) fn next_early_try(now: Timestamp, expires_at: Timestamp) -> Timestamp {
    let quarter = expires_at.duration_since(now) / 4;
    let pause = quarter.clamp(SignedDuration::from_secs(1), SignedDuration::from_mins(1));
    now.checked_add(pause).unwrap_or(expires_at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).expect("time")
    }

    #[test]
    fn an_hour_is_refreshed_twelve_minutes_and_a_day_fifteen_minutes_before_its_end() {
        for (life, margin) in [(3600, 720), (86_400, 900), (900, 180), (60, 12)] {
            assert_eq!(due(at(life - margin - 1), at(0), at(life)), Due::Fresh, "{life}");
            assert_eq!(due(at(life - margin), at(0), at(life)), Due::Refresh, "{life}");
            assert_eq!(due(at(life - 1), at(0), at(life)), Due::Refresh, "{life}");
            assert_eq!(due(at(life), at(0), at(life)), Due::Expired, "{life}");
        }
    }

    #[test]
    fn keys_that_seem_to_have_ended_before_they_came_are_left_to_oss() {
        assert_eq!(due(at(0), at(0), at(-8 * 3600)), Due::Fresh);
        assert_eq!(due(at(60), at(0), at(0)), Due::Fresh);
    }

    #[test]
    fn failed_early_tries_pause_but_fit_into_what_is_left() {
        assert_eq!(next_early_try(at(0), at(900)), at(60));
        assert_eq!(next_early_try(at(0), at(12)), at(3));
        assert_eq!(next_early_try(at(0), at(-5)), at(1));
    }

    proptest! {
        #[test]
        fn keys_just_fetched_are_never_fetched_again_at_once(life in -100_000_i64..100_000_000) {
            prop_assert_eq!(due(at(0), at(0), at(life)), Due::Fresh);
        }

        #[test]
        fn time_only_makes_keys_older(life in 1_i64..10_000_000, early in 0_i64..10_000_000, later in 0_i64..10_000_000) {
            let rank = |due| match due { Due::Fresh => 0, Due::Refresh => 1, Due::Expired => 2 };
            let (first, second) = (due(at(early), at(0), at(life)), due(at(early + later), at(0), at(life)));
            prop_assert!(rank(first) <= rank(second));
        }
    }
}
