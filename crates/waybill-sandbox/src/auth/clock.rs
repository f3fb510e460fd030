//! The sandbox's clock, the dates that requests carry, and how far the two may be apart.

use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use super::{denied, header_text};
use crate::answer::OssError;

/// Greatest allowed difference between the signer's clock and ours.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// What the sandbox holds for the present time: the system's clock, wrong by that many seconds.
pub(crate) fn now(offset_seconds: i64) -> Timestamp {
    let system = Timestamp::now();
    system.saturating_add(SignedDuration::from_secs(offset_seconds)).unwrap_or(system)
}

/// `Fri, 14 Mar 2025 09:26:53 GMT`, the form of the `Date` header.
pub(crate) fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// `2025-03-14T09:26:53.000Z`, the form of times in error documents.
pub(super) fn document_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// Reads `20250314T092653Z`.
pub(super) fn read_compact(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The date of a header request, as sent and as read: `x-oss-date`, else `Date`. The pages want the ISO form in the one
/// and the GMT form in the other; ali-oss puts the GMT form into `x-oss-date` for V1, so either form is read in both.
pub(super) fn request_date(headers: &HeaderMap) -> Result<(String, Timestamp), OssError> {
    let invalid = || denied("OSS authentication requires a valid Date.");
    let text = header_text(headers, "x-oss-date")
        .or_else(|| header_text(headers, "date"))
        .ok_or_else(|| invalid().ec("0002-00000503"))?;
    let at = read_compact(&text).or_else(|| read_http(&text)).ok_or_else(|| invalid().ec("0002-00000502"))?;
    Ok((text, at))
}

fn read_http(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%a, %d %b %Y %H:%M:%S GMT", text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
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
    .with("RequestTime", document_time(at))
    .with("ServerTime", document_time(now)))
}

/// Refuses a presigned URL of the past, and one whose signer's clock was more than 15 minutes ahead.
pub(super) fn check_lifetime(from: Option<Timestamp>, until: Timestamp, now: Timestamp) -> Result<(), OssError> {
    if now > until {
        return Err(denied("Request has expired.")
            .ec("0002-00000069")
            .with("Expires", document_time(until))
            .with("ServerTime", document_time(now)));
    }
    match from {
        // The text of this refusal is not established.
        Some(from) if from.duration_since(now) > SKEW => Err(denied("Request is not valid yet.")
            .with("RequestTime", document_time(from))
            .with("ServerTime", document_time(now))),
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

    #[test]
    fn both_forms_of_a_date_are_read_back() {
        let at: Timestamp = "2025-03-14T09:26:53Z".parse().expect("time");
        assert_eq!(http_date(at), "Fri, 14 Mar 2025 09:26:53 GMT");
        assert_eq!((read_http(&http_date(at)), read_compact("20250314T092653Z")), (Some(at), Some(at)));
        assert_eq!(read_compact("20250314T092653"), None);
    }
}
