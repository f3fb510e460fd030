//! Indexes over one batch, for as long as its reading needs them: to find a path again that was queued before, or a key that
//! two files would share. A batch that is read for the first time, each file under a key of its own, needs none.

use rusqlite::{Connection, OptionalExtension, params};

use super::uploads::NewFile;

/// What is known of a file that is about to be queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing.
    No,
    /// Its batch has it already, with the same content, or it is still on its way.
    Before,
    /// Another file of the batch goes to the same key; one would replace the other.
    KeyTaken,
}

/// Makes them. They hold what is queued from now on too.
pub(crate) fn make(connection: &Connection, batch: i64) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "CREATE INDEX IF NOT EXISTS batch_path_{batch} ON uploads (path) WHERE batch = {batch}; \
         CREATE INDEX IF NOT EXISTS batch_key_{batch} ON uploads (key) WHERE batch = {batch};"
    ))
}

/// Removes them.
pub(crate) fn drop(connection: &Connection, batch: i64) -> rusqlite::Result<()> {
    connection
        .execute_batch(&format!("DROP INDEX IF EXISTS batch_path_{batch}; DROP INDEX IF EXISTS batch_key_{batch};"))
}

/// Removes all that a run left behind which did not come to an end.
pub(crate) fn drop_all(connection: &Connection) -> rusqlite::Result<()> {
    let names: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'index' AND (name GLOB 'batch_path_*' OR name GLOB 'batch_key_*')")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for name in names {
        connection.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    Ok(())
}

/// What the batch knows of this file. A file that changed since its batch stored it is not known.
pub(crate) fn knows(connection: &Connection, batch: i64, file: &NewFile) -> rusqlite::Result<Known> {
    let taken: Option<i64> = connection
        .prepare_cached(&format!("SELECT 1 FROM uploads WHERE batch = {batch} AND key = ?1 AND path <> ?2 LIMIT 1"))?
        .query_row((&file.key, &file.path), |row| row.get(0))
        .optional()?;
    if taken.is_some() {
        return Ok(Known::KeyTaken);
    }
    let before: Option<i64> = connection
        .prepare_cached(&format!(
            "SELECT 1 FROM uploads WHERE batch = {batch} AND path = ?1 \
             AND (phase <> 5 OR (size_bytes = ?2 AND modified_ns = ?3 AND file_id = ?4)) LIMIT 1"
        ))?
        .query_row(
            params![file.path, file.stamp.size_bytes as i64, file.stamp.modified_ns, file.stamp.file_id as i64],
            |row| row.get(0),
        )
        .optional()?;
    Ok(if before.is_some() { Known::Before } else { Known::No })
}
