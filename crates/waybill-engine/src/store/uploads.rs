//! The uploads themselves: one row each, written only on the queue's word.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{calls, from_json, lanes, names, to_json};
use crate::upload::source::SourceStamp;
use crate::upload::state::UploadState;
use crate::view::{CallbackProfileForm, OverwritePolicy, Phase};

/// One row, without the callback's answer (see [`super::calls`]).
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
    /// Higher goes first; of equals the older.
    pub(crate) priority: i64,
    /// Its callback needs somebody.
    pub(crate) callback_bad: bool,
}

impl UploadRecord {
    /// Storing it once more does no harm: no server is called, nothing is asked first, and nothing is refused for being there.
    pub(crate) fn may_be_sent_twice(&self) -> bool {
        self.callback.is_none() && self.overwrite == OverwritePolicy::Overwrite
    }
}

/// Files about to be queued together: what they share, and each of them.
#[derive(Clone, Debug)]
pub(crate) struct NewUploads {
    pub(crate) batch: i64,
    pub(crate) destination_id: String,
    pub(crate) bucket: String,
    pub(crate) callback: Option<CallbackProfileForm>,
    /// The named profile that it is.
    pub(crate) profile_id: Option<String>,
    pub(crate) overwrite: OverwritePolicy,
    pub(crate) created_ms: i64,
    pub(crate) files: Vec<NewFile>,
}

#[cfg(test)]
impl NewUploads {
    /// Files of ten bytes that ask for nothing, by path and key.
    pub(crate) fn plain(batch: i64, files: impl Iterator<Item = (String, String)>) -> NewUploads {
        let stamp = SourceStamp { size_bytes: 10, modified_ns: 1, file_id: 1 };
        NewUploads {
            batch,
            destination_id: "d".into(),
            bucket: "b".into(),
            callback: None,
            profile_id: None,
            overwrite: OverwritePolicy::default(),
            created_ms: 1,
            files: files.map(|(path, key)| NewFile { path, key, content_type: None, stamp }).collect(),
        }
    }
}

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct NewFile {
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) content_type: Option<&'static str>,
    /// The file as it was when it was queued.
    pub(crate) stamp: SourceStamp,
}

/// The columns of [`record`], in its order.
pub(super) const COLUMNS: &str = "no, batch, destination_id, path, bucket, key, content_type, callback_json, size_bytes, \
     state_json, stored_bytes, parts_done, created_ms, started_ms, finished_ms, overwrite, wanted_key, priority, callback_bad";

/// Files of one statement: what it costs by itself is shared.
const TOGETHER: usize = 32;

/// Queues all of these, and answers with the number of the first; the others follow it without a gap.
pub(crate) fn insert(connection: &Connection, new: &NewUploads) -> rusqlite::Result<i64> {
    let first_no = insert_unnamed(connection, new)?;
    name(connection, new.batch, first_no, &new.files)?;
    Ok(first_no)
}

/// Lets these be found by their names; their numbers follow each other.
pub(crate) fn name(connection: &Connection, batch: i64, first_no: i64, files: &[NewFile]) -> rusqlite::Result<()> {
    names::add(connection, batch, first_no, files.iter().map(|file| (file.path.as_str(), file.key.as_str())))
}

/// As [`insert`], without the names: whoever queues one by one adds them together, with [`name`].
pub(crate) fn insert_unnamed(connection: &Connection, new: &NewUploads) -> rusqlite::Result<i64> {
    let lanes = lanes::of(connection, &new.destination_id)?;
    let together = new.files.chunks_exact(TOGETHER);
    let rest = together.remainder();
    insert_some(connection, new, &lanes, TOGETHER, together)?;
    insert_some(connection, new, &lanes, 1, rest.chunks_exact(1))?;
    let first_no = connection.last_insert_rowid() + 1 - new.files.len() as i64;
    let bytes: i64 = new.files.iter().map(|file| file.stamp.size_bytes as i64).sum();
    connection
        .prepare_cached(
            "UPDATE tallies SET uploads = uploads + ?2, bytes = bytes + ?3 \
             WHERE cleared = 0 AND phase = ?1 AND callback_bad = 0",
        )?
        .execute((number_of(Phase::Queued), new.files.len() as i64, bytes))?;
    Ok(first_no)
}

/// Inserts pieces of so many files each.
fn insert_some<'a>(
    connection: &Connection,
    new: &NewUploads,
    lanes: &lanes::Lanes,
    many: usize,
    pieces: impl Iterator<Item = &'a [NewFile]>,
) -> rusqlite::Result<()> {
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return Ok(());
    }
    let of_one = |n: usize| {
        let first = SHARED + n * OWN;
        let own: Vec<String> = (1..=OWN).map(|column| format!("?{}", first + column)).collect();
        format!("(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, {})", own.join(", "))
    };
    let mut statement = connection.prepare_cached(&format!(
        "INSERT INTO uploads (batch, destination_id, bucket, callback_json, phase, state_json, created_ms, overwrite, \
         callback_profile, path, key, content_type, size_bytes, modified_ns, file_id, lane) VALUES {}",
        (0..many).map(of_one).collect::<Vec<_>>().join(", ")
    ))?;
    // A million rows need not say what is usual.
    let overwrite = (new.overwrite != OverwritePolicy::default()).then(|| to_json(&new.overwrite)).transpose()?;
    statement.raw_bind_parameter(1, new.batch)?;
    statement.raw_bind_parameter(2, &new.destination_id)?;
    statement.raw_bind_parameter(3, &new.bucket)?;
    statement.raw_bind_parameter(4, new.callback.as_ref().map(to_json).transpose()?)?;
    statement.raw_bind_parameter(5, number_of(Phase::Queued))?;
    statement.raw_bind_parameter(6, to_json(&UploadState::new())?)?;
    statement.raw_bind_parameter(7, new.created_ms)?;
    statement.raw_bind_parameter(8, overwrite)?;
    statement.raw_bind_parameter(9, &new.profile_id)?;
    for piece in pieces {
        for (n, file) in piece.iter().enumerate() {
            let first = SHARED + n * OWN;
            let size_bytes = file.stamp.size_bytes as i64;
            statement.raw_bind_parameter(first + 1, &file.path)?;
            statement.raw_bind_parameter(first + 2, &file.key)?;
            statement.raw_bind_parameter(first + 3, file.content_type)?;
            statement.raw_bind_parameter(first + 4, size_bytes)?;
            statement.raw_bind_parameter(first + 5, file.stamp.modified_ns)?;
            statement.raw_bind_parameter(first + 6, file.stamp.file_id as i64)?;
            statement.raw_bind_parameter(first + 7, lanes.of_size(size_bytes))?;
        }
        statement.raw_execute()?;
    }
    Ok(())
}

/// Columns that all files of a batch have in common, and those of each.
const SHARED: usize = 9;
const OWN: usize = 7;

/// Another upload that is still to store its object at this key.
pub(crate) fn unfinished_at(
    connection: &Connection,
    no: i64,
    bucket: &str,
    key: &str,
) -> rusqlite::Result<Option<i64>> {
    // Two halves, for the indexes: those that few are in, and those that wait.
    connection
        .prepare_cached(
            "SELECT no FROM uploads WHERE phase <> 0 AND phase <> 5 AND phase < 5 AND key = ?2 AND bucket = ?1 AND no <> ?3 \
             UNION ALL SELECT no FROM uploads WHERE phase = 0 AND key = ?2 AND bucket = ?1 AND no <> ?3 LIMIT 1",
        )?
        .query_row((bucket, key, no), |row| row.get(0))
        .optional()
}

/// Saves where an upload stands; `started_ms` is when it first got a slot. The callback's call goes to a table of its own.
///
/// What fails half-way is taken back with the whole write (with the whole group, where the disk is full), so SQLite need not be
/// able to take back the statement alone: for that it would copy each page that it changes.
pub(crate) fn save(
    connection: &Connection,
    no: i64,
    state: &UploadState,
    started_ms: Option<i64>,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let mut state = state.clone();
    let callback_bad = calls::keep(connection, no, &mut state, now_ms)?;
    let phase = state.phase();
    let stamp = state.session().map(|session| session.stamp);
    let size_bytes = stamp.map(|stamp| stamp.size_bytes).or(state.object_bytes());
    let finished = matches!(phase, Phase::Done | Phase::Failed | Phase::Cancelled).then_some(now_ms);
    connection
        .prepare_cached(
            "UPDATE OR FAIL uploads SET phase = ?2, state_json = ?3, not_before_ms = ?4, callback_bad = ?5, \
             size_bytes = coalesce(?6, size_bytes), finished_ms = ?7, started_ms = coalesce(started_ms, ?8), \
             modified_ns = coalesce(?9, modified_ns), file_id = coalesce(?10, file_id) WHERE no = ?1",
        )?
        .execute(params![
            no,
            number_of(phase),
            to_json(&state)?,
            state.not_before_ms(),
            callback_bad,
            size_bytes.map(|size_bytes| size_bytes as i64),
            finished,
            started_ms,
            stamp.map(|stamp| stamp.modified_ns),
            stamp.map(|stamp| stamp.file_id as i64),
        ])?;
    Ok(())
}

/// Gives an upload another key, since the one it was to have is in use; which that was is kept.
pub(crate) fn rename(connection: &Connection, no: i64, key: &str) -> rusqlite::Result<()> {
    let (batch, path): (i64, String) = connection
        .prepare_cached(
            "UPDATE uploads SET wanted_key = coalesce(wanted_key, key), key = ?2 WHERE no = ?1 RETURNING batch, path",
        )?
        .query_row((no, key), |row| Ok((row.get(0)?, row.get(1)?)))?;
    names::add(connection, batch, no, [(path.as_str(), key)].into_iter())
}

/// The number that the next upload will get.
pub(crate) fn next_no(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'uploads'")?
        .query_row([], |row| row.get(0))
}

/// Loads one upload.
pub(crate) fn load(connection: &Connection, no: i64) -> rusqlite::Result<Option<UploadRecord>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM uploads WHERE no = ?1"))?
        .query_row([no], record)
        .optional()
}

/// Numbers after `after` in one of `phases`, in order; for work on many uploads in constant memory.
pub(crate) fn numbers(
    connection: &Connection,
    phases: &[Phase],
    after: i64,
    limit: usize,
) -> rusqlite::Result<Vec<i64>> {
    let sql = format!("SELECT no FROM uploads WHERE no > ?1 AND {} ORDER BY no LIMIT ?2", in_phases(phases));
    connection.prepare_cached(&sql)?.query_map(params![after, limit as i64], |row| row.get(0))?.collect()
}

/// The condition in so many words, or SQLite would not see which index serves it.
pub(super) fn in_phases(phases: &[Phase]) -> String {
    let numbers: Vec<String> = phases.iter().map(|phase| number_of(*phase).to_string()).collect();
    let few = phases.iter().all(|phase| !matches!(phase, Phase::Queued | Phase::Done));
    format!("{}phase IN ({})", if few { FEW } else { "" }, numbers.join(", "))
}

/// Leads to the index of phases that few uploads are in.
pub(super) const FEW: &str = "phase <> 0 AND phase <> 5 AND ";

/// Changes the order of these, as far as they are not final.
pub(crate) fn place(connection: &Connection, numbers: &[i64], priority: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE uploads SET priority = ?2 WHERE no IN (SELECT value FROM json_each(?1)) AND phase NOT IN (5, 7)",
        )?
        .execute((to_json(&numbers)?, priority))?;
    Ok(())
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
        priority: row.get(17)?,
        callback_bad: row.get(18)?,
    })
}
