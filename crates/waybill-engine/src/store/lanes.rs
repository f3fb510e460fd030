//! Lanes: each destination's small files and its large ones wait apart, so that neither is buried under the other.

use rusqlite::Connection;

/// A file above this size is large. The migration that fills the lanes says the same.
pub(crate) const LARGE_BYTES: i64 = 8 << 20;

/// One lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lane {
    pub(crate) id: i64,
    pub(crate) destination_id: String,
    pub(crate) large: bool,
}

/// Both lanes of a destination.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lanes {
    small: i64,
    large: i64,
}

impl Lanes {
    /// The lane of a file of this size.
    pub(crate) fn of_size(self, size_bytes: i64) -> i64 {
        if size_bytes > LARGE_BYTES { self.large } else { self.small }
    }
}

/// The lanes of a destination, made where it has none yet.
pub(super) fn of(connection: &Connection, destination_id: &str) -> rusqlite::Result<Lanes> {
    let lane = |large: bool| -> rusqlite::Result<i64> {
        connection
            .prepare_cached("INSERT OR IGNORE INTO lanes (destination_id, large) VALUES (?1, ?2)")?
            .execute((destination_id, large))?;
        connection
            .prepare_cached("SELECT id FROM lanes WHERE destination_id = ?1 AND large = ?2")?
            .query_row((destination_id, large), |row| row.get(0))
    };
    Ok(Lanes { small: lane(false)?, large: lane(true)? })
}

/// All there are.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<Lane>> {
    connection
        .prepare_cached("SELECT id, destination_id, large FROM lanes ORDER BY id")?
        .query_map([], |row| Ok(Lane { id: row.get(0)?, destination_id: row.get(1)?, large: row.get(2)? }))?
        .collect()
}
