//! Which limit is in force at a moment of local time. Pure.

use jiff::civil::DateTime;

use crate::error::Error;
use crate::view::{Limit, LimitRules, Limits, TimedLimit};

/// Slower than this, requests would take so long that servers hang up.
pub(crate) const LEAST_BYTES_PER_SECOND: i64 = 1024;
const MINUTES_OF_A_DAY: i16 = 24 * 60;

/// The limit at this moment: that of the first line of the timetable that covers it, else the usual one.
pub(crate) fn in_force(rules: &LimitRules, at: DateTime) -> Limit {
    let line = rules.timetable.iter().find(|line| covers(line, at));
    line.map_or(rules.usual, |line| line.limit)
}

/// A line that ends before it begins goes on past midnight; one that ends when it begins lasts 24 hours. Its days are
/// those on which it begins.
fn covers(line: &TimedLimit, at: DateTime) -> bool {
    let minute = i16::from(at.hour()) * 60 + i16::from(at.minute());
    let today = at.weekday().to_monday_one_offset() as u8;
    let yesterday = if today == 1 { 7 } else { today - 1 };
    let past_midnight = line.until_minute <= line.from_minute;
    let from_today = minute >= line.from_minute && (past_midnight || minute < line.until_minute);
    let from_yesterday = past_midnight && minute < line.until_minute;
    (from_today && line.days.contains(&today)) || (from_yesterday && line.days.contains(&yesterday))
}

/// Refuses limits that cannot be kept, in words.
///
/// # Errors
/// `Invalid`.
pub(crate) fn check(limits: &Limits) -> Result<(), Error> {
    if limits.requests_at_once.is_some_and(|most| !(1..=512).contains(&most)) {
        return Err(Error::Invalid("requests at once must be from 1 to 512".into()));
    }
    let mut seen = Vec::new();
    for of in &limits.destinations {
        if seen.contains(&&of.destination_id) {
            return Err(Error::Invalid("a destination has limits twice".into()));
        }
        seen.push(&of.destination_id);
        check_rules(&of.rules)?;
    }
    check_rules(&limits.everywhere)
}

fn check_rules(rules: &LimitRules) -> Result<(), Error> {
    check_limit(rules.usual)?;
    for line in &rules.timetable {
        check_limit(line.limit)?;
        if line.days.is_empty() || line.days.iter().any(|day| !(1..=7).contains(day)) {
            return Err(Error::Invalid("a line of the timetable needs at least one day of the week".into()));
        }
        let times = [line.from_minute, line.until_minute];
        if times.iter().any(|minute| !(0..=MINUTES_OF_A_DAY).contains(minute)) {
            return Err(Error::Invalid("times of the timetable are from 00:00 to 24:00".into()));
        }
    }
    Ok(())
}

/// Refuses a limit that cannot be kept.
///
/// # Errors
/// `Invalid`.
pub(crate) fn check_limit(limit: Limit) -> Result<(), Error> {
    if limit.bytes_per_second.is_some_and(|rate| rate < LEAST_BYTES_PER_SECOND) {
        return Err(Error::Invalid(
            "a speed limit must be at least 1 KiB per second; pause uploads to stop them".into(),
        ));
    }
    if limit.requests_per_second.is_some_and(|rate| rate < 1) {
        return Err(Error::Invalid(
            "at least one request per second must be allowed; pause uploads to stop them".into(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Limit = Limit { bytes_per_second: None, requests_per_second: None };
    const SLOW: Limit = Limit { bytes_per_second: Some(2_000_000), requests_per_second: None };

    fn rules(days: &[u8], from_minute: i16, until_minute: i16) -> LimitRules {
        let line = TimedLimit { days: days.to_vec(), from_minute, until_minute, limit: SLOW };
        LimitRules { usual: FREE, timetable: vec![line] }
    }

    fn limited(rules: &LimitRules, at: &str) -> bool {
        in_force(rules, at.parse().unwrap()) == SLOW
    }

    // 2026-11-20 is a Friday.
    #[test]
    fn office_hours_are_limited_from_their_first_minute_to_the_last() {
        let office = rules(&[1, 2, 3, 4, 5], 9 * 60, 18 * 60);
        for at in ["2026-11-20T09:00:00", "2026-11-20T17:59:59", "2026-11-16T12:00:00"] {
            assert!(limited(&office, at), "{at}");
        }
        for at in ["2026-11-20T08:59:59", "2026-11-20T18:00:00", "2026-11-21T12:00:00", "2026-11-22T12:00:00"] {
            assert!(!limited(&office, at), "{at}");
        }
    }

    #[test]
    fn a_line_past_midnight_belongs_to_the_day_on_which_it_begins() {
        let night = rules(&[5], 22 * 60, 6 * 60);
        for at in ["2026-11-20T22:00:00", "2026-11-21T05:59:00"] {
            assert!(limited(&night, at), "{at}");
        }
        for at in ["2026-11-20T05:00:00", "2026-11-21T06:00:00", "2026-11-21T22:30:00"] {
            assert!(!limited(&night, at), "{at}");
        }
        assert!(limited(&rules(&[7], 22 * 60, 6 * 60), "2026-11-23T01:00:00"), "Sunday night reaches into Monday");
    }

    #[test]
    fn the_whole_day_is_one_line_and_the_first_line_that_fits_counts() {
        assert!(limited(&rules(&[5], 0, 24 * 60), "2026-11-20T23:59:59"));
        assert!(limited(&rules(&[5], 600, 600), "2026-11-21T09:59:00"));
        let mut rules = rules(&[5], 0, 24 * 60);
        let lunch = TimedLimit { days: vec![5], from_minute: 720, until_minute: 780, limit: FREE };
        rules.timetable.insert(0, lunch);
        assert!(!limited(&rules, "2026-11-20T12:30:00"));
        assert!(limited(&rules, "2026-11-20T13:00:00"));
    }

    #[test]
    fn limits_that_cannot_be_kept_are_refused_in_words() {
        let with = |rules: LimitRules| check(&Limits { everywhere: rules, ..Limits::default() });
        with(rules(&[1], 0, 60)).unwrap();
        assert!(with(rules(&[], 0, 60)).unwrap_err().to_string().contains("day of the week"));
        assert!(with(rules(&[8], 0, 60)).is_err());
        assert!(with(rules(&[1], 0, 24 * 60 + 1)).is_err());
        let standing = Limit { bytes_per_second: Some(0), requests_per_second: None };
        let told = with(LimitRules { usual: standing, timetable: Vec::new() }).unwrap_err().to_string();
        assert!(told.contains("1 KiB per second"), "{told}");
        assert!(check(&Limits { requests_at_once: Some(0), ..Limits::default() }).is_err());
    }
}
