//! Times as OSS writes and reads them.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

const HTTP: &str = "%a, %d %b %Y %H:%M:%S GMT";
const COMPACT: &str = "%Y%m%dT%H%M%SZ";

/// A time that is kept in milliseconds since 1970.
pub(crate) fn of_ms(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `Fri, 14 Mar 2025 09:26:53 GMT`, as headers have it.
pub(crate) fn http(at: Timestamp) -> String {
    at.strftime(HTTP).to_string()
}

/// `2025-03-14T09:26:53.000Z`, as XML has it.
pub(crate) fn xml(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// Reads what [`http`] writes.
pub(crate) fn read_http(text: &str) -> Option<Timestamp> {
    read(HTTP, text)
}

/// Reads `20250314T092653Z`, as signatures of version 4 have it.
pub(crate) fn read_compact(text: &str) -> Option<Timestamp> {
    read(COMPACT, text)
}

fn read(format: &str, text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime(format, text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_that_of_the_pages_and_is_read_back() {
        let at: Timestamp = "2025-03-14T09:26:53.987Z".parse().expect("time");
        let whole: Timestamp = "2025-03-14T09:26:53Z".parse().expect("time");
        assert_eq!(http(at), "Fri, 14 Mar 2025 09:26:53 GMT");
        assert_eq!(xml(at), "2025-03-14T09:26:53.000Z");
        assert_eq!((read_http(&http(at)), read_compact("20250314T092653Z")), (Some(whole), Some(whole)));
        assert_eq!((read_compact("20250314T092653"), read_http("2025-03-14"), read_http("")), (None, None, None));
        assert_eq!(of_ms(at.as_millisecond()), at);
    }
}
