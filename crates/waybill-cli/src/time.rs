//! A time as it is written on a command line.

use std::time::Duration;

/// `30ms` or `2s`; 0 needs no unit.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let milliseconds = text.strip_suffix("ms").map(|number| (number, 1));
    let parsed = milliseconds.or_else(|| text.strip_suffix('s').map(|number| (number, 1000)));
    let parsed = parsed.and_then(|(number, each)| number.trim().parse::<u32>().ok()?.checked_mul(each));
    let words = || format!("\"{text}\" is not a time; write for instance 30ms or 2s");
    parsed.map(|ms| Duration::from_millis(ms.into())).ok_or_else(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_milliseconds_or_seconds_and_nothing_else() {
        assert_eq!(parse("30ms"), Ok(Duration::from_millis(30)));
        assert_eq!(parse("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(parse("0"), Ok(Duration::ZERO));
        for wrong in ["", "30", "ms", "-1ms", "1h", "9999999999ms", "4294968s"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
