//! InitiateMultipartUpload requests whose answer nobody has heard yet: what the server may hold without our knowing its name.

use std::collections::HashSet;

use rusqlite::{Connection, params};

use super::aborts::{self, Abort};
use super::resends;
use super::uploads::{self, COLUMNS, record};
use crate::resend::state::ResendState;
use crate::view::Phase;

/// One such request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Initiate {
    /// The upload it was made for.
    pub(crate) no: i64,
    /// The server's time when it was sent.
    pub(crate) server_ms: i64,
    pub(crate) destination_id: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
}

/// Remembers one, before it is sent.
pub(crate) fn remember(connection: &Connection, initiate: &Initiate) -> rusqlite::Result<()> {
    connection.prepare_cached("INSERT OR IGNORE INTO initiates VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
        initiate.no,
        initiate.server_ms,
        initiate.destination_id,
        initiate.bucket,
        initiate.key,
    ])?;
    Ok(())
}

/// Forgets one whose answer is known.
pub(crate) fn forget(connection: &Connection, no: i64, server_ms: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM initiates WHERE no = ?1 AND server_ms = ?2")?.execute((no, server_ms))?;
    Ok(())
}

/// A hundred sent until `until_ms`, behind `after`, in order.
pub(crate) fn waiting(connection: &Connection, after: (i64, i64), until_ms: i64) -> rusqlite::Result<Vec<Initiate>> {
    connection
        .prepare_cached(
            "SELECT no, server_ms, destination_id, bucket, key FROM initiates \
             WHERE (no, server_ms) > (?1, ?2) AND server_ms <= ?3 ORDER BY no, server_ms LIMIT 100",
        )?
        .query_map((after.0, after.1, until_ms), |row| {
            Ok(Initiate {
                no: row.get(0)?,
                server_ms: row.get(1)?,
                destination_id: row.get(2)?,
                bucket: row.get(3)?,
                key: row.get(4)?,
            })
        })?
        .collect()
}

/// How many requests for the same key are without an answer.
pub(crate) fn recorded(connection: &Connection, initiate: &Initiate) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("SELECT count(*) FROM initiates WHERE key = ?1 AND bucket = ?2")?
        .query_row([&initiate.key, &initiate.bucket], |row| row.get::<_, u32>(0))
        .map(|count| count as usize)
}

/// UploadIds that uploads of ours use for this key, or that are to be aborted anyway; without `others`, which have to be
/// looked for among all uploads, only whether there is nothing to wait for. None while one of them is just being begun,
/// since its UploadId may be known in a moment.
pub(crate) fn known(
    connection: &Connection,
    initiate: &Initiate,
    others: bool,
) -> rusqlite::Result<Option<HashSet<String>>> {
    let mut known = HashSet::new();
    let own = uploads::load(connection, initiate.no)?;
    // An upload that is stored may be just being copied onto itself.
    let copying = resends::load(connection, initiate.no)?;
    if own.is_some_and(|upload| upload.state.phase() == Phase::Starting)
        || matches!(copying, Some(ResendState::Starting { .. }))
    {
        return Ok(None);
    }
    if !others {
        return Ok(Some(known));
    }
    let (bucket, key) = (&initiate.bucket, &initiate.key);
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM uploads WHERE key = ?1 AND bucket = ?2"))?;
    for upload in statement.query_map([key, bucket], record)? {
        let state = upload?.state;
        if state.phase() == Phase::Starting {
            return Ok(None);
        }
        known.extend(state.session().and_then(|session| session.upload_id.clone()));
    }
    match resends::upload_ids(connection, bucket, key)? {
        Some(copying) => known.extend(copying),
        None => return Ok(None),
    }
    let mut statement = connection.prepare_cached("SELECT upload_id FROM aborts WHERE key = ?1 AND bucket = ?2")?;
    for upload_id in statement.query_map([key, bucket], |row| row.get(0))? {
        known.insert(upload_id?);
    }
    Ok(Some(known))
}

/// The server has been asked about one: what it left behind is to be aborted, and it is forgotten.
pub(crate) fn settle(connection: &Connection, initiate: &Initiate, orphans: &[String]) -> rusqlite::Result<()> {
    for upload_id in orphans {
        let abort = Abort {
            upload_id: upload_id.clone(),
            destination_id: initiate.destination_id.clone(),
            bucket: initiate.bucket.clone(),
            key: initiate.key.clone(),
        };
        aborts::remember(connection, &abort)?;
    }
    forget(connection, initiate.no, initiate.server_ms)
}

/// A destination is gone, and with it the way to what it holds.
pub(crate) fn forget_all_of(connection: &Connection, destination_id: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM initiates WHERE destination_id = ?1")?.execute([destination_id])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resend::state::Original;
    use crate::store::Store;

    #[test]
    fn an_initiate_of_a_callback_that_is_just_being_sent_again_is_not_given_up_as_having_left_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let initiate = || {
            let (destination_id, bucket, key) = ("d".to_owned(), "b".to_owned(), "k".to_owned());
            Initiate { no: 1, server_ms: 5, destination_id, bucket, key }
        };
        let original = Original { size_bytes: 3, etag: "E".into(), crc64: None, last_modified: None };
        let told = store.write_blocking(move |c| {
            c.execute_batch("PRAGMA defer_foreign_keys = ON")?;
            let starting = ResendState::Starting { original: original.clone() };
            assert!(resends::begin(c, 1, &starting)?);
            let before = known(c, &initiate(), false)?;
            resends::save(c, 1, &ResendState::Copying { original, upload_id: "U".into() })?;
            let after = known(c, &initiate(), false)?;
            resends::forget(c, 1)?;
            Ok((before, after))
        });
        assert_eq!(told.unwrap(), (None, Some(HashSet::new())));
    }
}
