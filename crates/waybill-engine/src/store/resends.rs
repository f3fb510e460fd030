//! Callbacks on their way once more, as far as a crash must not forget them.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::{from_json, to_json};
use crate::resend::state::ResendState;

/// Saves that one is begun. False where an earlier one has not ended: that is kept.
pub(crate) fn begin(connection: &Connection, no: i64, state: &ResendState) -> rusqlite::Result<bool> {
    let begun = connection
        .prepare_cached("INSERT OR IGNORE INTO resends VALUES (?1, ?2)")?
        .execute(params![no, to_json(state)?])?;
    Ok(begun > 0)
}

/// Saves how far one has got.
pub(crate) fn save(connection: &Connection, no: i64, state: &ResendState) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE resends SET state_json = ?2 WHERE no = ?1")?
        .execute(params![no, to_json(state)?])?;
    Ok(())
}

/// How far one has got.
pub(crate) fn load(connection: &Connection, no: i64) -> rusqlite::Result<Option<ResendState>> {
    connection
        .prepare_cached("SELECT state_json FROM resends WHERE no = ?1")?
        .query_row([no], |row| from_json(0, &row.get::<_, String>(0)?))
        .optional()
}

/// Forgets one that is over.
pub(crate) fn forget(connection: &Connection, no: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM resends WHERE no = ?1")?.execute([no])?;
    Ok(())
}

/// All that have not ended. They are few.
pub(crate) fn numbers(connection: &Connection) -> rusqlite::Result<HashSet<i64>> {
    connection.prepare_cached("SELECT no FROM resends")?.query_map([], |row| row.get(0))?.collect()
}

/// UploadIds that are used for this key; none while one is just being begun, since it may be known in a moment.
pub(crate) fn upload_ids(
    connection: &Connection,
    bucket: &str,
    key: &str,
) -> rusqlite::Result<Option<HashSet<String>>> {
    let mut statement = connection.prepare_cached(
        "SELECT resends.state_json FROM resends JOIN uploads USING (no) WHERE key = ?1 AND bucket = ?2",
    )?;
    let mut known = HashSet::new();
    for json in statement.query_map([key, bucket], |row| row.get::<_, String>(0))? {
        match from_json::<ResendState>(0, &json?)? {
            ResendState::Starting { .. } => return Ok(None),
            state => known.extend(state.upload_id().map(str::to_owned)),
        }
    }
    Ok(Some(known))
}

/// How many are on their way to a destination.
pub(crate) fn of_destination(connection: &Connection, destination_id: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM resends JOIN uploads USING (no) WHERE destination_id = ?1")?
        .query_row([destination_id], |row| row.get(0))
}
