//! The uploads themselves: one row each, written only on the queue's word.

use rusqlite::{Connection, OptionalExtension, Row, params};
use waybill_oss::CallbackOutcome;

use super::{from_json, to_json};
use crate::upload::source::SourceStamp;
use crate::upload::state::UploadState;
use crate::view::{CallbackProfileForm, OverwritePolicy, Phase};

/// One row, without the callback's answer (see [`answer`]).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UploadRecord {
    pub(crate) no: i64,
    pub(crate) batch: i64,
    pub(crate) destination_id: String,
    pub(crate) path: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) content_type: Option<String>,
    /// What callback to ask for; kept with the upload so that a resume weeks later asks for the same.
    pub(crate) callback: Option<CallbackProfileForm>,
    /// What becomes of an object that is at the key already.
    pub(crate) overwrite: OverwritePolicy,
    /// The key that was asked for, if another had to be taken.
    pub(crate) wanted_key: Option<String>,
    pub(crate) size_bytes: i64,
    pub(crate) state: UploadState,
    pub(crate) stored_bytes: i64,
    pub(crate) parts_done: i64,
    pub(crate) created_ms: i64,
    pub(crate) started_ms: Option<i64>,
    pub(crate) finished_ms: Option<i64>,
}

/// A file about to be queued.
#[derive(Clone, Debug)]
pub(crate) struct NewUpload {
    pub(crate) batch: i64,
    pub(crate) destination_id: String,
    pub(crate) path: String,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) content_type: Option<String>,
    pub(crate) callback: Option<CallbackProfileForm>,
    pub(crate) overwrite: OverwritePolicy,
    /// The file as it was when it was queued.
    pub(crate) stamp: SourceStamp,
    pub(crate) created_ms: i64,
}

/// What came of queueing a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queued {
    /// It has this number.
    Now(i64),
    /// Its batch has it already, with the same content.
    Before,
    /// Another file of the batch goes to the same key; one would replace the other.
    KeyTaken,
}

/// The columns of [`record`], in its order.
pub(super) const COLUMNS: &str = "no, batch, destination_id, path, bucket, key, content_type, callback_json, size_bytes, \
     state_json, stored_bytes, parts_done, created_ms, started_ms, finished_ms, overwrite, wanted_key";

/// Queues one file, unless its batch has the path already. A file that changed since its batch stored it is queued again.
pub(crate) fn insert(connection: &Connection, new: &NewUpload) -> rusqlite::Result<Queued> {
    let key_taken: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM uploads WHERE batch = ?1 AND key = ?2 AND path <> ?3)")?
        .query_row(params![new.batch, new.key, new.path], |row| row.get(0))?;
    if key_taken {
        return Ok(Queued::KeyTaken);
    }
    let callback = new.callback.as_ref().map(to_json).transpose()?;
    // A million rows need not say what is usual.
    let overwrite = (new.overwrite != OverwritePolicy::default()).then(|| to_json(&new.overwrite)).transpose()?;
    let added = connection
        .prepare_cached(
            // Not INSERT OR IGNORE: a path that is there already would use up a number.
            "INSERT INTO uploads (batch, destination_id, path, bucket, key, content_type, callback_json, size_bytes, \
             phase, state_json, created_ms, modified_ns, file_id, overwrite) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14 \
             WHERE NOT EXISTS (SELECT 1 FROM uploads WHERE batch = ?1 AND path = ?3 \
             AND (phase <> 5 OR (size_bytes = ?8 AND modified_ns = ?12 AND file_id = ?13)))",
        )?
        .execute(params![
            new.batch,
            new.destination_id,
            new.path,
            new.bucket,
            new.key,
            new.content_type,
            callback,
            new.stamp.size_bytes as i64,
            number_of(Phase::Queued),
            to_json(&UploadState::new())?,
            new.created_ms,
            new.stamp.modified_ns,
            new.stamp.file_id as i64,
            overwrite,
        ])?;
    Ok(if added == 1 { Queued::Now(connection.last_insert_rowid()) } else { Queued::Before })
}

/// Saves where an upload stands. The callback's answer goes to its own table.
pub(crate) fn save(connection: &Connection, no: i64, state: &UploadState, now_ms: i64) -> rusqlite::Result<()> {
    let mut state = state.clone();
    if let UploadState::Done { callback, .. } = &mut state
        && let CallbackOutcome::Answered { body, .. } | CallbackOutcome::Failed { body, .. } = callback
    {
        connection
            .prepare_cached("INSERT OR REPLACE INTO answers VALUES (?1, ?2)")?
            .execute((no, std::mem::take(body)))?;
    }
    let phase = state.phase();
    let not_before_ms = match &state {
        UploadState::Queued { not_before_ms, .. } | UploadState::Completing { not_before_ms, .. } => *not_before_ms,
        _ => None,
    };
    let stamp = state.session().map(|session| session.stamp);
    let finished = matches!(phase, Phase::Done | Phase::Failed | Phase::Cancelled).then_some(now_ms);
    let started = (phase == Phase::Starting).then_some(now_ms);
    connection
        .prepare_cached(
            "UPDATE uploads SET phase = ?2, state_json = ?3, not_before_ms = ?4, callback_bad = ?5, \
             size_bytes = coalesce(?6, size_bytes), finished_ms = ?7, started_ms = coalesce(started_ms, ?8), \
             modified_ns = coalesce(?9, modified_ns), file_id = coalesce(?10, file_id) WHERE no = ?1",
        )?
        .execute(params![
            no,
            number_of(phase),
            to_json(&state)?,
            not_before_ms,
            callback_bad(&state),
            stamp.map(|stamp| stamp.size_bytes as i64),
            finished,
            started,
            stamp.map(|stamp| stamp.modified_ns),
            stamp.map(|stamp| stamp.file_id as i64),
        ])?;
    Ok(())
}

/// Gives an upload another key, since the one it was to have is in use; which that was is kept.
pub(crate) fn rename(connection: &Connection, no: i64, key: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE uploads SET wanted_key = coalesce(wanted_key, key), key = ?2 WHERE no = ?1")?
        .execute((no, key))?;
    Ok(())
}

/// Loads one upload.
pub(crate) fn load(connection: &Connection, no: i64) -> rusqlite::Result<Option<UploadRecord>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM uploads WHERE no = ?1"))?
        .query_row([no], record)
        .optional()
}

/// The callback server's whole answer, or OSS's XML of a failed callback.
pub(crate) fn answer(connection: &Connection, no: i64) -> rusqlite::Result<Option<String>> {
    connection.prepare_cached("SELECT body FROM answers WHERE no = ?1")?.query_row([no], |row| row.get(0)).optional()
}

/// Uploads that may have a slot now, oldest first, those to be settled before those to be sent.
/// `batches`: only these (none: all). `without`: destinations that cannot be used yet.
pub(crate) fn claimable(
    connection: &Connection,
    now_ms: i64,
    batches: Option<&[i64]>,
    without: &[String],
    limit: usize,
) -> rusqlite::Result<Vec<UploadRecord>> {
    let mut found = Vec::new();
    for phase in [Phase::Completing, Phase::Queued] {
        let sql = format!(
            "SELECT {COLUMNS} FROM uploads WHERE phase < 5 AND phase = ?1 AND (not_before_ms IS NULL OR not_before_ms <= ?2) \
             AND (?3 IS NULL OR batch IN (SELECT value FROM json_each(?3))) \
             AND destination_id NOT IN (SELECT value FROM json_each(?4)) ORDER BY no LIMIT ?5",
        );
        let left = limit - found.len();
        let rows: Vec<UploadRecord> = connection
            .prepare_cached(&sql)?
            .query_map(
                params![
                    number_of(phase),
                    now_ms,
                    batches.map(|batches| to_json(&batches)).transpose()?,
                    to_json(&without)?,
                    left as i64
                ],
                record,
            )?
            .collect::<rusqlite::Result<_>>()?;
        found.extend(rows);
    }
    Ok(found)
}

/// The upload that may try a destination in trouble: the first one that is due behind number `after`, else from the start.
pub(crate) fn next_to_try(
    connection: &Connection,
    now_ms: i64,
    batches: Option<&[i64]>,
    destination_id: &str,
    after: i64,
    busy: &[i64],
) -> rusqlite::Result<Option<UploadRecord>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM uploads WHERE phase < 5 AND phase IN (?1, ?2) AND destination_id = ?3 AND no > ?4 \
         AND (not_before_ms IS NULL OR not_before_ms <= ?5) AND no NOT IN (SELECT value FROM json_each(?6)) \
         AND (?7 IS NULL OR batch IN (SELECT value FROM json_each(?7))) ORDER BY no LIMIT 1",
    );
    for after in [after, 0] {
        let found = connection
            .prepare_cached(&sql)?
            .query_row(
                params![
                    number_of(Phase::Queued),
                    number_of(Phase::Completing),
                    destination_id,
                    after,
                    now_ms,
                    to_json(&busy)?,
                    batches.map(|batches| to_json(&batches)).transpose()?,
                ],
                record,
            )
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// When the next waiting retry is due.
pub(crate) fn next_due(connection: &Connection, now_ms: i64) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT min(not_before_ms) FROM uploads WHERE phase < 5 AND not_before_ms > ?1")?
        .query_row([now_ms], |row| row.get(0))
}

/// Numbers after `after` in one of `phases`, in order; for work on many uploads in constant memory.
pub(crate) fn numbers(
    connection: &Connection,
    phases: &[Phase],
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<i64>> {
    let phases: Vec<i64> = phases.iter().map(|phase| number_of(*phase)).collect();
    connection
        .prepare_cached(
            "SELECT no FROM uploads WHERE no > ?1 AND phase IN (SELECT value FROM json_each(?2)) \
             ORDER BY no LIMIT ?3",
        )?
        .query_map(params![after, to_json(&phases)?, limit as i64], |row| row.get(0))?
        .collect()
}

/// Takes stored and cancelled uploads out of Transfers; History keeps them.
pub(crate) fn clear_finished(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE uploads SET cleared = 1 WHERE cleared = 0 AND phase IN (?1, ?2)")?
        .execute([number_of(Phase::Done), number_of(Phase::Cancelled)])?;
    Ok(())
}

/// The phase's number in the database; never renumbered.
pub(super) fn number_of(phase: Phase) -> i64 {
    match phase {
        Phase::Queued => 0,
        Phase::Starting => 1,
        Phase::Sending => 2,
        Phase::Completing => 3,
        Phase::Paused => 4,
        Phase::Done => 5,
        Phase::Failed => 6,
        Phase::Cancelled => 7,
    }
}

/// The phase with this number.
pub(super) fn phase_of(number: i64) -> Phase {
    match number {
        0 => Phase::Queued,
        1 => Phase::Starting,
        2 => Phase::Sending,
        3 => Phase::Completing,
        4 => Phase::Paused,
        5 => Phase::Done,
        6 => Phase::Failed,
        _ => Phase::Cancelled,
    }
}

/// Stored, but the callback failed or its outcome is unknown.
fn callback_bad(state: &UploadState) -> bool {
    matches!(state, UploadState::Done { callback: CallbackOutcome::Failed { .. } | CallbackOutcome::Unknown, .. })
}

pub(super) fn record(row: &Row<'_>) -> rusqlite::Result<UploadRecord> {
    let (callback, overwrite): (Option<String>, Option<String>) = (row.get(7)?, row.get(15)?);
    Ok(UploadRecord {
        no: row.get(0)?,
        batch: row.get(1)?,
        destination_id: row.get(2)?,
        path: row.get(3)?,
        bucket: row.get(4)?,
        key: row.get(5)?,
        content_type: row.get(6)?,
        callback: callback.map(|json| from_json(7, &json)).transpose()?,
        overwrite: overwrite.map(|json| from_json(15, &json)).transpose()?.unwrap_or_default(),
        wanted_key: row.get(16)?,
        size_bytes: row.get(8)?,
        state: from_json(9, &row.get::<_, String>(9)?)?,
        stored_bytes: row.get(10)?,
        parts_done: row.get(11)?,
        created_ms: row.get(12)?,
        started_ms: row.get(13)?,
        finished_ms: row.get(14)?,
    })
}
