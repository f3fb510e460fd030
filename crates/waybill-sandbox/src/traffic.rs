//! `x-oss-traffic-limit`: the pace of one connection, which slows a request down and never fails it.
//!
//! Source: *Single-connection bandwidth throttling*; the answer's header from the tests of the PHP SDK.

use std::time::Duration;

use axum::{body::Body, http::Response};

use crate::{
    answer::{OssError, put},
    exchange::Exchange,
};

/// In header or query, of any operation.
pub(crate) const NAME: &str = "x-oss-traffic-limit";
/// How long the limit has held a request up, in milliseconds.
const DELAY: &str = "x-oss-qos-delay-time";

/// How fast a body may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    bytes_per_second: u64,
}

impl Pace {
    /// The pace that a request asks for, if it does.
    pub(crate) fn of(exchange: &Exchange) -> Result<Option<Self>, OssError> {
        read(exchange.header(NAME).as_deref(), exchange.target.query(NAME))
    }

    /// How long so many bytes take.
    pub(crate) fn time_for(self, bytes: u64) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64)
    }
}

/// Says in an answer how long its request was held up.
pub(crate) fn put_delay(response: &mut Response<Body>, delay: Duration) {
    put(response, DELAY, &delay.as_millis().to_string());
}

/// The limit in bit/s, in one of the two places, within its bounds.
fn read(header: Option<&str>, query: Option<&str>) -> Result<Option<Pace>, OssError> {
    let value = match (header, query) {
        (None, None) => return Ok(None),
        (Some(value), Some(_)) => {
            let message = "x-oss-traffic-limit should be specified either in query string or header, not both.";
            return Err(OssError::argument(message, NAME, value));
        }
        (Some(value), None) | (None, Some(value)) => value,
    };
    let bits = value.parse::<u64>().ok().filter(|limit| (819_200..=838_860_800).contains(limit)).ok_or_else(|| {
        let message =
            "x-oss-traffic-limit is invalid, should be specified between 819200(100KB/s) and 838860800(100MB/s).";
        OssError::argument(message, NAME, value)
    })?;
    Ok(Some(Pace { bytes_per_second: bits / 8 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_within_bounds_and_in_one_place() {
        assert_eq!(read(None, None).expect("none"), None);
        assert_eq!(read(Some("819200"), None).expect("least"), Some(Pace { bytes_per_second: 102_400 }));
        assert_eq!(read(None, Some("838860800")).expect("most"), Some(Pace { bytes_per_second: 104_857_600 }));
        for (header, query) in [
            (Some("819199"), None),
            (Some("838860801"), None),
            (None, Some("x")),
            (Some(""), None),
            (Some("819200"), Some("819200")),
        ] {
            assert_eq!(read(header, query).unwrap_err().code, "InvalidArgument", "{header:?} {query:?}");
        }
    }

    #[test]
    fn a_second_takes_an_eighth_of_the_bits() {
        let pace = read(Some("819200"), None).expect("reads").expect("a limit");
        assert_eq!(pace.time_for(102_400), Duration::from_secs(1));
    }
}
