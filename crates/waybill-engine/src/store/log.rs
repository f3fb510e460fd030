//! What happened to an upload, line by line.

use rusqlite::Connection;

use crate::view::LogLine;

/// Adds a line.
pub(crate) fn add(connection: &Connection, no: i64, at_ms: i64, what: &str, detail: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO log (no, at_ms, what, detail) VALUES (?1, ?2, ?3, ?4)")?
        .execute((no, at_ms, what, detail))?;
    Ok(())
}

/// The last 500 lines of an upload, oldest first.
pub(crate) fn of(connection: &Connection, no: i64) -> rusqlite::Result<Vec<LogLine>> {
    connection
        .prepare_cached(
            "SELECT at_ms, what, detail FROM (SELECT * FROM log WHERE no = ?1 ORDER BY id DESC LIMIT 500) ORDER BY id",
        )?
        .query_map([no], |row| Ok(LogLine { at_ms: row.get(0)?, what: row.get(1)?, detail: row.get(2)? }))?
        .collect()
}
