//! The sandbox's clock, the dates that requests carry, and how far the two may be apart.

use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

use super::{denied, header_text};
use crate::{answer::OssError, time};

/// Greatest allowed difference between the signer's clock and ours.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// What the sandbox holds for the present time: the system's clock, wrong by that many seconds.
pub(crate) fn now(offset_seconds: i64) -> Timestamp {
    let system = Timestamp::now();
    system.saturating_add(SignedDuration::from_secs(offset_seconds)).unwrap_or(system)
}

/// The date of a header request, as sent and as read: `x-oss-date`, else `Date`. The pages want the ISO form in the one
/// and the GMT form in the other; ali-oss puts the GMT form into `x-oss-date` for V1, so either form is read in both.
pub(super) fn request_date(headers: &HeaderMap) -> Result<(String, Timestamp), OssError> {
    let invalid = || denied("OSS authentication requires a valid Date.");
    let text = header_text(headers, "x-oss-date")
        .or_else(|| header_text(headers, "date"))
        .ok_or_else(|| invalid().ec("0002-00000503"))?;
    let at =
        time::read_compact(&text).or_else(|| time::read_http(&text)).ok_or_else(|| invalid().ec("0002-00000502"))?;
    Ok((text, at))
}

/// Refuses a request that was signed more than 15 minutes before or after `now`.
pub(super) fn check_skew(at: Timestamp, now: Timestamp) -> Result<(), OssError> {
    if at.duration_since(now).abs() <= SKEW {
        return Ok(());
    }
    Err(OssError::new(
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    )
    .ec("0002-00000504")
    .with("MaxAllowedSkewMilliseconds", SKEW.as_millis().to_string())
    .with("RequestTime", time::xml(at))
    .with("ServerTime", time::xml(now)))
}

/// Refuses a presigned URL of the past, and one whose signer's clock was more than 15 minutes ahead.
pub(super) fn check_lifetime(from: Option<Timestamp>, until: Timestamp, now: Timestamp) -> Result<(), OssError> {
    if now > until {
        return Err(denied("Request has expired.")
            .ec("0002-00000069")
            .with("Expires", time::xml(until))
            .with("ServerTime", time::xml(now)));
    }
    match from {
        // The text of this refusal is not established.
        Some(from) if from.duration_since(now) > SKEW => Err(denied("Request is not valid yet.")
            .with("RequestTime", time::xml(from))
            .with("ServerTime", time::xml(now))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_is_off_by_exactly_its_seconds() {
        for hours in [8, -8] {
            let off = now(hours * 3600).duration_since(Timestamp::now()).as_secs_f64();
            assert!((off - hours as f64 * 3600.0).abs() < 60.0, "{off}");
        }
    }
}
