//! Batches: what came together, saved before it is read from disk.

use rusqlite::{Connection, OptionalExtension};

/// A batch about to be read.
#[derive(Clone, Debug)]
pub(crate) struct NewBatch {
    pub(crate) destination_id: String,
    pub(crate) fingerprint: Option<String>,
    pub(crate) request_json: String,
    pub(crate) created_ms: i64,
}

/// Saves it and answers with its number.
pub(crate) fn insert(connection: &Connection, new: &NewBatch) -> rusqlite::Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO batches (destination_id, fingerprint, request_json, scanned, created_ms) \
             VALUES (?1, ?2, ?3, 0, ?4)",
        )?
        .execute((&new.destination_id, &new.fingerprint, &new.request_json, new.created_ms))?;
    Ok(connection.last_insert_rowid())
}

/// The number that the next one will have.
pub(crate) fn next_no(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'batches'")?
        .query_row([], |row| row.get(0))
}

/// Its roots have been read to the end.
pub(crate) fn mark_scanned(connection: &Connection, batch: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE batches SET scanned = 1 WHERE id = ?1")?.execute([batch])?;
    Ok(())
}

/// Number and request of every batch whose reading was cut short.
pub(crate) fn unscanned(connection: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    connection
        .prepare_cached("SELECT id, request_json FROM batches WHERE scanned = 0 AND fingerprint IS NULL ORDER BY id")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// The newest batch with this fingerprint, if it has not ended: not read to the end, or something in it is not final.
pub(crate) fn unfinished_with(connection: &Connection, fingerprint: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached(
            "SELECT id FROM batches WHERE id = (SELECT max(id) FROM batches WHERE fingerprint = ?1) \
             AND (scanned = 0 OR EXISTS (SELECT 1 FROM uploads WHERE batch = batches.id AND cleared = 0 AND phase < 5))",
        )?
        .query_row([fingerprint], |row| row.get(0))
        .optional()
}
