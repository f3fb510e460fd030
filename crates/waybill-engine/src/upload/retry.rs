//! Whether an upload that ran into trouble is tried again by itself, and when: pure.

use std::time::Duration;

use waybill_oss::Advice;

use crate::error::Code;

/// Longest wait between two tries.
const CAP: Duration = Duration::from_secs(60);
/// Tries for trouble that more patience seldom cures.
const FEW: u32 = 5;
/// A stored object with another checksum is sent once more, then shown.
const TWICE: u32 = 2;

/// Who can end a trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// It passes by itself: waited out for ever, since a night without a line must not turn into a list of failures.
    Passing,
    /// Somebody has to mend something first: keys, rights, the bucket, the file, the disk, the clock.
    NeedsYou,
    /// Sending this file this way cannot work, or has been tried often enough.
    Fatal,
}

/// Who can end this trouble.
pub(crate) fn class_of(code: Code) -> Class {
    match code {
        Code::Network | Code::ServerBusy | Code::SourceChanged => Class::Passing,
        Code::Certificate
        | Code::ProxyLogin
        | Code::Credentials
        | Code::NoSecret
        | Code::AccessDenied
        | Code::Bucket
        | Code::Clock
        | Code::CallbackRejected
        | Code::SourceGone
        | Code::SourceUnreadable
        | Code::Keychain
        | Code::Store
        | Code::DiskFull
        | Code::ReadOnly
        | Code::Damaged
        | Code::DataFolderInUse
        | Code::Watch => Class::NeedsYou,
        Code::Integrity
        | Code::AlreadyThere
        | Code::NotStored
        | Code::NotAFile
        | Code::TooLarge
        | Code::Invalid
        | Code::Refused
        | Code::Service => Class::Fatal,
    }
}

/// How long to wait before try `attempts + 1`; None: give up and say so.
///
/// Trouble that passes is waited out; `patience` bounds it for the command line, which has to end. `jitter` is in 0..1.
pub(crate) fn again_after(
    code: Code,
    advice: Advice,
    attempts: u32,
    patience: Option<u32>,
    jitter: f64,
) -> Option<Duration> {
    let most = match (class_of(code), code) {
        (Class::Passing, _) => patience.unwrap_or(u32::MAX),
        (_, Code::Integrity) => TWICE,
        _ => FEW,
    };
    if advice == Advice::Never || attempts >= most {
        return None;
    }
    let wait = spread(Duration::from_secs(1), CAP, attempts, jitter);
    Some(match advice {
        Advice::Later(at_least) => wait.max(at_least),
        Advice::Now | Advice::Never => wait,
    })
}

/// `base`, doubled for every try behind the first up to `cap`, and between half and all of that.
pub(crate) fn spread(base: Duration, cap: Duration, attempts: u32, jitter: f64) -> Duration {
    let doubled = base.saturating_mul(1u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX));
    doubled.min(cap).mul_f64(0.5 + jitter / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_line_is_waited_out_at_a_bounded_pace() {
        let wait = again_after(Code::Network, Advice::Now, 400, None, 1.0);
        assert_eq!(wait, Some(CAP));
        assert_eq!(again_after(Code::Network, Advice::Now, 1, None, 0.0), Some(Duration::from_millis(500)));
        assert_eq!(again_after(Code::Network, Advice::Now, 8, Some(8), 0.0), None);
    }

    #[test]
    fn what_cannot_help_is_not_tried_again() {
        assert_eq!(again_after(Code::AccessDenied, Advice::Never, 1, None, 0.5), None);
        assert_eq!(again_after(Code::Service, Advice::Now, FEW, None, 0.5), None);
    }

    #[test]
    fn the_server_may_ask_for_a_longer_wait() {
        let asked = Duration::from_secs(90);
        assert_eq!(again_after(Code::ServerBusy, Advice::Later(asked), 1, None, 0.5), Some(asked));
    }

    #[test]
    fn a_stored_object_with_another_checksum_is_sent_once_more_and_then_shown() {
        assert!(again_after(Code::Integrity, Advice::Now, 1, None, 0.5).is_some());
        assert_eq!(again_after(Code::Integrity, Advice::Now, 2, None, 0.5), None);
    }
}
