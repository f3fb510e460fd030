//! The wall clock, in the unit that the database and the window use.

use std::time::{SystemTime, UNIX_EPOCH};

/// UTC milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    // Before 1970 only with a broken clock; 0 then keeps order.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
