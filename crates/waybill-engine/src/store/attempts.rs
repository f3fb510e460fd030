//! Tries of an upload that did not work, and why: the last fifty of each.

use rusqlite::{Connection, params};

use super::uploads::{number_of, phase_of};
use super::{from_json, to_json};
use crate::error::Code;
use crate::view::{AttemptView, Phase, Problem};

/// Kept of each upload; a night without a line must not fill the disk.
const MOST: i64 = 50;

/// Adds one and forgets those beyond the last fifty.
pub(crate) fn add(
    connection: &Connection,
    no: i64,
    at_ms: i64,
    phase: Phase,
    problem: &Problem,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO attempts (no, at_ms, phase, code, problem_json) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![no, at_ms, number_of(phase), to_json(&problem.code)?, to_json(problem)?])?;
    connection
        .prepare_cached(
            "DELETE FROM attempts WHERE no = ?1 AND id <= \
             (SELECT id FROM attempts WHERE no = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute([no, MOST])?;
    Ok(())
}

/// All that are kept of an upload, oldest first.
pub(crate) fn of(connection: &Connection, no: i64) -> rusqlite::Result<Vec<AttemptView>> {
    connection
        .prepare_cached("SELECT at_ms, phase, problem_json FROM attempts WHERE no = ?1 ORDER BY id")?
        .query_map([no], |row| {
            let problem: String = row.get(2)?;
            Ok(AttemptView { at_ms: row.get(0)?, phase: phase_of(row.get(1)?), problem: from_json(2, &problem)? })
        })?
        .collect()
}

/// How many of those that are kept failed like this.
pub(crate) fn count(connection: &Connection, no: i64, code: Code) -> rusqlite::Result<u32> {
    connection
        .prepare_cached("SELECT count(*) FROM attempts WHERE no = ?1 AND code = ?2")?
        .query_row(params![no, to_json(&code)?], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn only_the_last_fifty_of_each_upload_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let kept = store.write_blocking(|c| {
            c.execute_batch("PRAGMA defer_foreign_keys = ON")?;
            for n in 0..60 {
                let code = if n % 2 == 0 { Code::Network } else { Code::ServerBusy };
                let problem = Problem { code, message: format!("try {n}"), request_id: None, ec: None };
                for no in [1, 2].into_iter().take(if n < 3 { 2 } else { 1 }) {
                    add(c, no, n, Phase::Sending, &problem)?;
                }
            }
            let result = (of(c, 1)?, of(c, 2)?.len(), count(c, 1, Code::Network)?);
            c.execute_batch("DELETE FROM attempts")?;
            Ok(result)
        });
        let (first, second, network) = kept.unwrap();
        assert_eq!((first.len(), second, network), (50, 3, 25));
        assert_eq!((first[0].problem.message.as_str(), first[49].at_ms), ("try 10", 59));
    }
}
