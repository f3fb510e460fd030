//! Watched folders, and which of their files were handed to the queue.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::upload::source::SourceStamp;

/// One watched folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FolderRow {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) destination_id: String,
    pub(crate) prefix: String,
    pub(crate) paused: bool,
    /// The named callback profile that its files ask for; none for the destination's.
    pub(crate) profile_id: Option<String>,
}

/// Adds or changes a folder.
pub(crate) fn save(connection: &Connection, row: &FolderRow, now_ms: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO watched_folders (id, path, destination_id, prefix, paused, created_ms, callback_profile_id) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET path = ?2, destination_id = ?3, prefix = ?4, \
             paused = ?5, callback_profile_id = ?7",
        )?
        .execute(params![row.id, row.path, row.destination_id, row.prefix, row.paused, now_ms, row.profile_id])?;
    Ok(())
}

/// All, oldest first.
pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<FolderRow>> {
    connection
        .prepare_cached(
            "SELECT id, path, destination_id, prefix, paused, callback_profile_id FROM watched_folders \
             ORDER BY created_ms, id",
        )?
        .query_map([], folder)?
        .collect()
}

/// Stops watching a folder and forgets its files; uploads stay.
pub(crate) fn delete(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM watched_folders WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// What is known of a file in a watched folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Exactly this content was handed over, or was there before the folder was watched.
    Yes,
    /// Another content of it is on its way; what that upload takes along will be known when it has ended.
    Busy,
    /// This content is new.
    No,
}

/// Whether this content of `path` was handed over before.
pub(crate) fn knows(
    connection: &Connection,
    folder_id: &str,
    path: &str,
    stamp: SourceStamp,
) -> rusqlite::Result<Known> {
    let found: Option<(bool, Option<i64>, Option<bool>)> = connection
        .prepare_cached(
            "SELECT (w.size_bytes, w.modified_ns, w.file_id) = (?3, ?4, ?5), u.phase, \
             (u.size_bytes, u.modified_ns, u.file_id) = (?3, ?4, ?5) \
             FROM watched_files w LEFT JOIN uploads u ON u.no = w.upload_no WHERE w.folder_id = ?1 AND w.path = ?2",
        )?
        .query_row(params![folder_id, path, stamp.size_bytes as i64, stamp.modified_ns, stamp.file_id as i64], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    Ok(match found {
        Some((true, _, _)) => Known::Yes,
        // The file went on after it had seemed settled, and its upload took the rest along.
        Some((false, Some(5), Some(true))) => Known::Yes,
        Some((false, Some(0..=4), _)) => Known::Busy,
        _ => Known::No,
    })
}

/// Remembers that this content of `path` is known; no upload: it was there before the folder was watched.
pub(crate) fn remember(
    connection: &Connection,
    folder_id: &str,
    path: &str,
    stamp: SourceStamp,
    upload_no: Option<i64>,
) -> rusqlite::Result<()> {
    connection.prepare_cached("INSERT OR REPLACE INTO watched_files VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(
        params![folder_id, path, stamp.size_bytes as i64, stamp.modified_ns, stamp.file_id as i64, upload_no],
    )?;
    Ok(())
}

/// Files of the folder that were handed to the queue.
pub(crate) fn uploaded(connection: &Connection, folder_id: &str) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT count(*) FROM watched_files WHERE folder_id = ?1 AND upload_no IS NOT NULL")?
        .query_row([folder_id], |row| row.get(0))
}

fn folder(row: &Row<'_>) -> rusqlite::Result<FolderRow> {
    Ok(FolderRow {
        id: row.get(0)?,
        path: row.get(1)?,
        destination_id: row.get(2)?,
        prefix: row.get(3)?,
        paused: row.get(4)?,
        profile_id: row.get(5)?,
    })
}
