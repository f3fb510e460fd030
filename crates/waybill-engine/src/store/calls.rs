//! Calls of the user's server, each with its whole answer: what came of an upload's callback, however often it was sent.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use waybill_oss::CallbackOutcome;

use super::{from_json, to_json};
use crate::answered;
use crate::answered::advised;
use crate::expectation;
use crate::upload::state::{ObjectFacts, UploadState};
use crate::view::{CallbackProfileForm, CallbackTime, CallbackTimes, CallbackTrial, EcCount, Problem};

/// Calls shown of one upload: the last fifty.
const SHOWN: i64 = 50;
/// Calls in the latency view.
const TIMES: i64 = 2_000;
/// Longer answers are not searched for what lists show.
const LISTED: i64 = 1 << 20;

/// Why a call was made; the number in the database is never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Upload = 0,
    Again = 1,
}

/// What came of it; the number in the database is never changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    AsWanted = 0,
    NotAsExpected = 1,
    Failed = 2,
    Unknown = 3,
    /// OSS was not brought to make it.
    NotMade = 4,
}

/// Keeps the call that came with an upload, and says whether it needs somebody. The answer is taken out of the state. An
/// upload that asked for no callback costs nothing.
pub(crate) fn keep(connection: &Connection, no: i64, state: &mut UploadState, now_ms: i64) -> rusqlite::Result<bool> {
    let UploadState::Done { object, callback } = state else { return Ok(false) };
    if *callback == CallbackOutcome::NotRequested {
        return Ok(false);
    }
    insert(connection, no, Kind::Upload, object, callback, now_ms)
}

/// Keeps a call that was made again, and puts it in the place of what the upload said before. `state` is Done.
/// `spoilt` says so where the object is not what it was.
pub(crate) fn replace(
    connection: &Connection,
    no: i64,
    state: &UploadState,
    spoilt: Option<&Problem>,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let mut state = state.clone();
    let UploadState::Done { object, callback } = &mut state else { return Ok(()) };
    let bad = insert(connection, no, Kind::Again, object, callback, now_ms)? || spoilt.is_some();
    if let Some(problem) = spoilt {
        connection
            .prepare_cached("UPDATE callback_calls SET problem_json = ?2 WHERE id = ?1")?
            .execute((connection.last_insert_rowid(), to_json(problem)?))?;
    }
    connection.prepare_cached("UPDATE uploads SET state_json = ?2, callback_bad = ?3 WHERE no = ?1")?.execute((
        no,
        to_json(&state)?,
        bad,
    ))?;
    Ok(())
}

/// Keeps that a call was wanted again and not made. What the upload says stays as it is.
pub(crate) fn not_made(connection: &Connection, no: i64, problem: &Problem, now_ms: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO callback_calls (no, at_ms, kind, took_ms, outcome, status, ec, request_id, headers_json, \
             problem_json) VALUES (?1, ?2, ?3, 0, ?4, 0, ?5, ?6, '[]', ?7)",
        )?
        .execute(params![
            no,
            now_ms,
            Kind::Again as i64,
            Outcome::NotMade as i64,
            problem.ec,
            problem.request_id.as_deref().unwrap_or_default(),
            to_json(problem)?,
        ])?;
    Ok(())
}

fn insert(
    connection: &Connection,
    no: i64,
    kind: Kind,
    object: &ObjectFacts,
    callback: &mut CallbackOutcome,
    now_ms: i64,
) -> rusqlite::Result<bool> {
    let (profile, profile_id): (Option<String>, Option<String>) = connection
        .prepare_cached("SELECT callback_json, callback_profile FROM uploads WHERE no = ?1")?
        .query_row([no], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let profile: CallbackProfileForm = profile.map(|json| from_json(0, &json)).transpose()?.unwrap_or_default();
    let outcome = match callback {
        CallbackOutcome::NotRequested | CallbackOutcome::Unknown => Outcome::Unknown,
        CallbackOutcome::Failed { .. } => Outcome::Failed,
        CallbackOutcome::Answered { body, .. } if expectation::unmet(&profile, body).is_some() => {
            Outcome::NotAsExpected
        }
        CallbackOutcome::Answered { .. } => Outcome::AsWanted,
    };
    let trial = answered::trial(object, callback, now_ms);
    connection
        .prepare_cached(
            "INSERT INTO callback_calls (no, at_ms, kind, took_ms, outcome, status, ec, request_id, headers_json, body, \
             profile_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            no,
            trial.at_ms,
            kind as i64,
            trial.took_ms,
            outcome as i64,
            trial.status,
            trial.ec,
            trial.request_id,
            to_json(&trial.headers)?,
            (trial.status > 0).then_some(trial.body),
            profile_id,
        ])?;
    Ok(outcome != Outcome::AsWanted && !profile.best_effort)
}

/// The last fifty calls for an upload, oldest first.
pub(crate) fn of(connection: &Connection, no: i64) -> rusqlite::Result<Vec<CallbackTrial>> {
    connection
        .prepare_cached(
            "SELECT at_ms, took_ms, status, headers_json, body, ec, request_id, problem_json FROM \
             (SELECT * FROM callback_calls WHERE no = ?1 ORDER BY id DESC LIMIT ?2) ORDER BY id",
        )?
        .query_map([no, SHOWN], trial)?
        .collect()
}

/// The answers of the last calls that were made for these, as far as they are short enough for lists.
pub(crate) fn answers(connection: &Connection, numbers: &[i64]) -> rusqlite::Result<HashMap<i64, String>> {
    let mut statement = connection.prepare_cached(
        "SELECT body FROM callback_calls WHERE no = ?1 AND outcome <> ?2 AND length(body) <= ?3 ORDER BY id DESC LIMIT 1",
    )?;
    let mut found = HashMap::new();
    for no in numbers {
        let body = statement.query_row((no, Outcome::NotMade as i64, LISTED), |row| row.get::<_, Option<String>>(0));
        found.extend(body.optional()?.flatten().map(|body| (*no, body)));
    }
    Ok(found)
}

/// Uploads after `after` whose callback needs somebody, of one profile or of all, in order.
pub(crate) fn bad(
    connection: &Connection,
    profile_id: Option<&str>,
    after: i64,
    limit: i64,
) -> rusqlite::Result<Vec<i64>> {
    let sql = format!("SELECT no FROM uploads WHERE {} AND no > ?2 ORDER BY no LIMIT ?3", bad_of(profile_id));
    connection.prepare_cached(&sql)?.query_map(params![profile_id, after, limit], |row| row.get(0))?.collect()
}

/// How many there are of those.
fn count_bad(connection: &Connection, profile_id: Option<&str>) -> rusqlite::Result<i64> {
    let sql = format!("SELECT count(*) FROM uploads WHERE {}", bad_of(profile_id));
    connection.prepare_cached(&sql)?.query_row([profile_id], |row| row.get(0))
}

/// In so many words, or SQLite would not see that an index serves them.
fn bad_of(profile_id: Option<&str>) -> &'static str {
    match profile_id {
        Some(_) => "callback_bad = 1 AND callback_profile = ?1",
        None => "callback_bad = 1 AND ?1 IS NULL",
    }
}

/// Whoever has seen to this upload's callback elsewhere does not want to be told of it any more. False where it needed
/// nobody.
pub(crate) fn settle(connection: &Connection, no: i64) -> rusqlite::Result<bool> {
    let changed = connection
        .prepare_cached("UPDATE uploads SET callback_bad = 0 WHERE no = ?1 AND callback_bad = 1")?
        .execute([no])?;
    Ok(changed > 0)
}

/// How the last calls went, of one profile or of all.
pub(crate) fn times(connection: &Connection, profile_id: Option<&str>) -> rusqlite::Result<CallbackTimes> {
    let of = if profile_id.is_some() { "profile_id = ?1" } else { "?1 IS NULL" };
    let sql = format!(
        "SELECT at_ms, took_ms, outcome, ec FROM callback_calls WHERE {of} AND outcome <> ?2 ORDER BY id DESC LIMIT ?3"
    );
    let mut calls = Vec::new();
    let mut failures: HashMap<String, i64> = HashMap::new();
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![profile_id, Outcome::NotMade as i64, TIMES])?;
    while let Some(row) = rows.next()? {
        let outcome: i64 = row.get(2)?;
        calls.push(CallbackTime { at_ms: row.get(0)?, took_ms: row.get(1)?, ok: outcome == Outcome::AsWanted as i64 });
        if outcome == Outcome::Failed as i64 || outcome == Outcome::Unknown as i64 {
            *failures.entry(row.get::<_, Option<String>>(3)?.unwrap_or_default()).or_default() += 1;
        }
    }
    calls.reverse();
    let mut failures: Vec<EcCount> = failures.into_iter().map(|(ec, count)| EcCount { ec, count }).collect();
    failures.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.ec.cmp(&b.ec)));
    Ok(CallbackTimes { calls, failures, bad: count_bad(connection, profile_id)? })
}

fn trial(row: &Row<'_>) -> rusqlite::Result<CallbackTrial> {
    let (headers, problem): (String, Option<String>) = (row.get(3)?, row.get(7)?);
    Ok(advised(CallbackTrial {
        at_ms: row.get(0)?,
        took_ms: row.get(1)?,
        status: row.get(2)?,
        headers: from_json(3, &headers)?,
        body: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
        ec: row.get(5)?,
        request_id: row.get(6)?,
        signed_by_oss: true,
        problem: problem.map(|json| from_json(7, &json)).transpose()?,
        advice: None,
        left_behind: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_page_of_bad_callbacks_is_found_by_an_index_and_not_sorted() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        for (profile_id, index) in [(None, "uploads_bad_in_order"), (Some("p"), "uploads_bad_of_profile")] {
            let plans = store.write_blocking(move |c| {
                let of = bad_of(profile_id);
                let sql =
                    format!("EXPLAIN QUERY PLAN SELECT no FROM uploads WHERE {of} AND no > ?2 ORDER BY no LIMIT ?3");
                let mut statement = c.prepare(&sql)?;
                let plans = statement.query_map(params![profile_id, 0, 9], |row| row.get::<_, String>(3))?;
                plans.collect::<rusqlite::Result<Vec<_>>>()
            });
            let plans = plans.unwrap();
            assert!(plans.iter().any(|plan| plan.contains(index)), "{plans:?} instead of {index}");
            assert!(!plans.iter().any(|plan| plan.contains("TEMP B-TREE")), "{plans:?}");
        }
    }

    #[test]
    fn of_very_many_calls_the_last_are_told_oldest_first() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let told = store.write_blocking(|c| {
            c.execute_batch(
                "PRAGMA defer_foreign_keys = ON;
                 WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2010)
                 INSERT INTO callback_calls (no, at_ms, kind, took_ms, outcome, status, request_id, headers_json)
                 SELECT 1, i, 0, 1, 0, 200, '', '[]' FROM n;",
            )?;
            let told = (of(c, 1)?, times(c, None)?.calls);
            c.execute_batch("DELETE FROM callback_calls")?;
            Ok(told)
        });
        let (shown, times) = told.unwrap();
        assert_eq!((shown.len(), shown[0].at_ms, shown[49].at_ms), (50, 1961, 2010));
        assert_eq!((times.len(), times[0].at_ms, times[1999].at_ms), (2000, 11, 2010));
    }
}
