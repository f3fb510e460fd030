//! Whether an upload that ran into trouble is tried again by itself, and when: pure.

use std::time::Duration;

use waybill_oss::Advice;

use crate::error::Code;

/// Longest wait between two tries.
const CAP: Duration = Duration::from_secs(60);
/// Tries for trouble that more patience seldom cures.
const FEW: u32 = 5;

/// How long to wait before try `attempts + 1`; None: give up and say so.
///
/// Trouble with the network, a busy server or a source that still changes is waited out for ever, since a night without
/// a line must not turn into a list of failures; `patience` bounds it for the command line, which has to end.
/// `jitter` is in 0..1.
pub(crate) fn again_after(
    code: Code,
    advice: Advice,
    attempts: u32,
    patience: Option<u32>,
    jitter: f64,
) -> Option<Duration> {
    let most = match code {
        Code::Network | Code::ServerBusy | Code::SourceChanged => patience.unwrap_or(u32::MAX),
        _ => FEW,
    };
    if advice == Advice::Never || attempts >= most {
        return None;
    }
    let doubled =
        Duration::from_secs(1).saturating_mul(1u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX));
    let spread = doubled.min(CAP).mul_f64(0.5 + jitter / 2.0);
    Some(match advice {
        Advice::Later(at_least) => spread.max(at_least),
        Advice::Now | Advice::Never => spread,
    })
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
}
