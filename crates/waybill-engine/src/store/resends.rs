//! Callbacks on their way once more, as far as a crash must not forget them.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::{from_json, to_json};
use crate::resend::state::ResendState;

/// Saves how far one has got.
pub(crate) fn save(connection: &Connection, no: i64, state: &ResendState) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO resends VALUES (?1, ?2)")?
        .execute(params![no, to_json(state)?])?;
    Ok(())
}

/// Forgets one that is over.
pub(crate) fn forget(connection: &Connection, no: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM resends WHERE no = ?1")?.execute([no])?;
    Ok(())
}

/// All: what an earlier run left. They are few.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<(i64, ResendState)>> {
    connection
        .prepare_cached("SELECT no, state_json FROM resends ORDER BY no")?
        .query_map([], |row| Ok((row.get(0)?, from_json(1, &row.get::<_, String>(1)?)?)))?
        .collect()
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
