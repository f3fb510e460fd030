//! What may have a slot next. The queue asks for a few hundred at a time; a million that wait stay where they are.

use rusqlite::{Connection, OptionalExtension, params};

use super::to_json;
use super::uploads::{COLUMNS, FEW, UploadRecord, record};

/// Which uploads the queue asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Only these batches; none: all.
    pub(crate) batches: Option<Vec<i64>>,
    /// Not these: they are under way, or known to be ready already.
    pub(crate) busy: Vec<i64>,
    /// Not to these destinations.
    pub(crate) without: Vec<String>,
}

impl Wanted {
    fn batches_json(&self) -> rusqlite::Result<Option<String>> {
        self.batches.as_ref().map(to_json).transpose()
    }
}

/// The first of a lane that were never tried, in the order in which they are to start.
pub(crate) fn of_lane(
    connection: &Connection,
    lane: i64,
    wanted: &Wanted,
    limit: usize,
) -> rusqlite::Result<Vec<UploadRecord>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM uploads WHERE phase = 0 AND not_before_ms IS NULL AND lane = ?1 \
             AND no NOT IN (SELECT value FROM json_each(?2)) \
             AND (?3 IS NULL OR batch IN (SELECT value FROM json_each(?3))) ORDER BY priority DESC, no LIMIT ?4",
        ))?
        .query_map(params![lane, to_json(&wanted.busy)?, wanted.batches_json()?, limit as i64], record)?
        .collect()
}

/// Those whose time to be tried or asked about again has come, oldest first.
pub(crate) fn due(
    connection: &Connection,
    now_ms: i64,
    wanted: &Wanted,
    limit: usize,
) -> rusqlite::Result<Vec<UploadRecord>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM uploads WHERE phase < 5 AND not_before_ms <= ?1 AND phase IN (0, 3) \
             AND no NOT IN (SELECT value FROM json_each(?2)) \
             AND (?3 IS NULL OR batch IN (SELECT value FROM json_each(?3))) \
             AND destination_id NOT IN (SELECT value FROM json_each(?4)) ORDER BY priority DESC, no LIMIT ?5",
        ))?
        .query_map(
            params![now_ms, to_json(&wanted.busy)?, wanted.batches_json()?, to_json(&wanted.without)?, limit as i64],
            record,
        )?
        .collect()
}

/// Those whose finishing request was sent by an earlier run and nobody has asked about yet.
pub(crate) fn unsettled(connection: &Connection, wanted: &Wanted, limit: usize) -> rusqlite::Result<Vec<UploadRecord>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM uploads WHERE {FEW} phase = 3 AND not_before_ms IS NULL \
             AND no NOT IN (SELECT value FROM json_each(?1)) \
             AND (?2 IS NULL OR batch IN (SELECT value FROM json_each(?2))) \
             AND destination_id NOT IN (SELECT value FROM json_each(?3)) ORDER BY no LIMIT ?4",
        ))?
        .query_map(
            params![to_json(&wanted.busy)?, wanted.batches_json()?, to_json(&wanted.without)?, limit as i64],
            record,
        )?
        .collect()
}

/// The upload that may try a destination in trouble: the first one that is due behind number `after`, else from the start.
pub(crate) fn next_to_try(
    connection: &Connection,
    now_ms: i64,
    wanted: &Wanted,
    destination_id: &str,
    after: i64,
) -> rusqlite::Result<Option<UploadRecord>> {
    // Each condition has its index; together they would have none.
    let of_destination = [
        "phase = 0 AND not_before_ms IS NULL AND lane IN (SELECT id FROM lanes WHERE destination_id = ?1) AND ?3 IS NOT NULL",
        "phase < 5 AND not_before_ms <= ?3 AND phase IN (0, 3) AND destination_id = ?1",
        "phase <> 0 AND phase <> 5 AND phase = 3 AND not_before_ms IS NULL AND destination_id = ?1 AND ?3 IS NOT NULL",
    ];
    for after in [after, 0] {
        let mut first: Option<UploadRecord> = None;
        for condition in of_destination {
            let found = connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM uploads WHERE {condition} AND no > ?2 \
                     AND no NOT IN (SELECT value FROM json_each(?4)) \
                     AND (?5 IS NULL OR batch IN (SELECT value FROM json_each(?5))) ORDER BY no LIMIT 1",
                ))?
                .query_row(
                    params![destination_id, after, now_ms, to_json(&wanted.busy)?, wanted.batches_json()?],
                    record,
                )
                .optional()?;
            first = first.into_iter().chain(found).min_by_key(|upload| upload.no);
        }
        if first.is_some() {
            return Ok(first);
        }
    }
    Ok(None)
}

/// The lowest and the highest priority among those that were never tried.
pub(crate) fn priorities(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    connection
        .prepare_cached(
            "SELECT coalesce(min(low), 0), coalesce(max(high), 0) FROM (SELECT \
             (SELECT priority FROM uploads WHERE phase = 0 AND not_before_ms IS NULL AND lane = lanes.id \
              ORDER BY priority ASC LIMIT 1) AS low, \
             (SELECT priority FROM uploads WHERE phase = 0 AND not_before_ms IS NULL AND lane = lanes.id \
              ORDER BY priority DESC LIMIT 1) AS high FROM lanes)",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// When the next waiting retry is due.
pub(crate) fn next_due(connection: &Connection, now_ms: i64) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT min(not_before_ms) FROM uploads WHERE phase < 5 AND not_before_ms > ?1")?
        .query_row([now_ms], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    /// How SQLite says it would find uploads of this condition.
    fn plan(connection: &Connection, condition: &str) -> String {
        let sql = format!("EXPLAIN QUERY PLAN SELECT no FROM uploads WHERE {condition} LIMIT 1");
        connection.query_row(&sql, [], |row| row.get(3)).unwrap()
    }

    #[test]
    fn no_question_of_the_queue_reads_a_million_rows() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let plans = store.write_blocking(|c| {
            Ok([
                (plan(c, "phase = 0 AND not_before_ms IS NULL AND lane = 1"), "uploads_ready"),
                (plan(c, "phase < 5 AND not_before_ms <= 7 AND phase IN (0, 3)"), "uploads_due"),
                (plan(c, &format!("{FEW} phase = 3 AND not_before_ms IS NULL")), "uploads_few"),
                (plan(c, &super::super::uploads::in_phases(&[crate::view::Phase::Failed])), "uploads_few"),
                (plan(c, "phase >= 5 AND no < 9"), "uploads_final"),
            ])
        });
        for (plan, index) in plans.unwrap() {
            assert!(plan.contains(index), "{plan} instead of {index}");
        }
    }
}
