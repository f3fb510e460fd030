//! Waiting for a condition, with a limit and with words for what did not come.

use std::time::{Duration, Instant};

/// Far longer than anything here takes, so that a slow machine is not a failed test.
pub const LIMIT: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const PACE: Duration = Duration::from_millis(50);

/// Waits until `look` finds something and returns it.
///
/// # Panics
/// After [`LIMIT`], naming `what` was waited for.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    until_ok(what, || look().ok_or(String::new()))
}

/// Waits until `look` succeeds; its last error is part of the failure.
///
/// # Panics
/// After [`LIMIT`], naming `what` was waited for and what was seen instead.
pub fn until_ok<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) if start.elapsed() > LIMIT => panic!("waited {LIMIT:?} for {what}; last seen: {seen}"),
            Err(_) => std::thread::sleep(PACE),
        }
    }
}
