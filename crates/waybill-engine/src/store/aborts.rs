//! UploadIds that OSS should forget, remembered until it has.

use rusqlite::Connection;

/// One AbortMultipartUpload still to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Abort {
    pub(crate) upload_id: String,
    pub(crate) destination_id: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
}

/// Remembers one.
pub(crate) fn remember(connection: &Connection, abort: &Abort) -> rusqlite::Result<()> {
    connection.prepare_cached("INSERT OR IGNORE INTO aborts VALUES (?1, ?2, ?3, ?4)")?.execute((
        &abort.upload_id,
        &abort.destination_id,
        &abort.bucket,
        &abort.key,
    ))?;
    Ok(())
}

/// Forgets one that OSS has answered.
pub(crate) fn forget(connection: &Connection, upload_id: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM aborts WHERE upload_id = ?1")?.execute([upload_id])?;
    Ok(())
}

/// A hundred after `after`, by UploadId: whoever goes through them all is not held up by those that fail.
pub(crate) fn waiting(connection: &Connection, after: &str) -> rusqlite::Result<Vec<Abort>> {
    connection
        .prepare_cached(
            "SELECT upload_id, destination_id, bucket, key FROM aborts WHERE upload_id > ?1 ORDER BY upload_id LIMIT 100",
        )?
        .query_map([after], |row| {
            Ok(Abort { upload_id: row.get(0)?, destination_id: row.get(1)?, bucket: row.get(2)?, key: row.get(3)? })
        })?
        .collect()
}

/// A destination is gone, and with it the way to its unfinished uploads.
pub(crate) fn forget_all_of(connection: &Connection, destination_id: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM aborts WHERE destination_id = ?1")?.execute([destination_id])?;
    Ok(())
}
