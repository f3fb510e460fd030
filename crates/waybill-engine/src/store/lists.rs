//! Pages of uploads and the numbers above them. Keyset pages: a million rows cost as much as a hundred.

use rusqlite::{Connection, params_from_iter, types::Value};

use super::uploads::{COLUMNS, UploadRecord, in_phases, phase_of, record};
use super::{names, to_json};
use crate::view::{Counts, Cursor, Filter, Phase, Scope, UploadQuery, UploadSelection};

/// So many rows are searched as fast as the names of a million.
const FEW_ROWS: i64 = 100_000;

/// One page; the caller asks for one row more than it shows to learn whether there is another. `starting` are uploads that
/// have a slot though their rows still say that they wait.
pub(crate) fn page(
    connection: &Connection,
    query: &UploadQuery,
    starting: &[i64],
    limit: i64,
) -> rusqlite::Result<Vec<UploadRecord>> {
    if reads_names(connection, query)? {
        return page_by_names(connection, query, starting, limit);
    }
    // In pieces, each of which an index leads to: the rest of the batch where the page before ended, then older batches.
    let pieces: Vec<(&str, Vec<Value>)> = match (query.after, query.scope) {
        (None, _) => vec![("1", vec![])],
        (Some(after), Scope::Transfers) => vec![
            ("batch = ? AND no > ?", vec![after.batch.into(), after.no.into()]),
            ("batch < ?", vec![after.batch.into()]),
        ],
        (Some(after), Scope::History) => vec![("no < ?", vec![after.no.into()])],
    };
    let order = match query.scope {
        Scope::Transfers => "batch DESC, no",
        Scope::History => "no DESC",
    };
    let mut found = Vec::new();
    for (piece, mut values) in pieces {
        let mut conditions =
            vec![piece.to_owned(), scope_of(query.scope, query.filter).to_owned(), filter_of(query.filter, starting)];
        search(&query.search, &mut conditions, &mut values);
        values.push((limit - found.len() as i64).into());
        let sql = format!("SELECT {COLUMNS} FROM uploads WHERE {} ORDER BY {order} LIMIT ?", conditions.join(" AND "));
        let rows =
            connection.prepare(&sql)?.query_map(params_from_iter(values), record)?.collect::<Result<Vec<_>, _>>()?;
        found.extend(rows);
        if found.len() as i64 >= limit {
            break;
        }
    }
    Ok(found)
}

/// Whether a search had better look into names than into rows: not where an index leads to a few rows, nor where most names
/// stand alone, as those of files that came one by one.
fn reads_names(connection: &Connection, query: &UploadQuery) -> rusqlite::Result<bool> {
    let many = matches!(query.filter, Filter::All | Filter::Waiting | Filter::Stored);
    if query.search.is_empty() || !many {
        return Ok(false);
    }
    let (rows, pieces): (i64, i64) = connection
        .prepare_cached(
            "SELECT coalesce((SELECT sum(uploads) FROM tallies WHERE cleared = 0 OR ?1), 0), \
             coalesce((SELECT max(rowid) FROM names), 0)",
        )?
        .query_row([query.scope == Scope::History], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows > FEW_ROWS && rows / 4 > pieces)
}

fn page_by_names(
    connection: &Connection,
    query: &UploadQuery,
    starting: &[i64],
    limit: i64,
) -> rusqlite::Result<Vec<UploadRecord>> {
    let order = match query.scope {
        Scope::Transfers => "no",
        Scope::History => "no DESC",
    };
    let mut conditions = vec![
        "no IN (SELECT value FROM json_each(?))".to_owned(),
        scope_of(query.scope, query.filter).to_owned(),
        filter_of(query.filter, starting),
    ];
    let mut names = Vec::new();
    search(&query.search, &mut conditions, &mut names);
    let sql = format!("SELECT {COLUMNS} FROM uploads WHERE {} ORDER BY {order} LIMIT ?", conditions.join(" AND "));
    let mut statement = connection.prepare(&sql)?;
    let mut found = Vec::new();
    names::find(connection, query.scope, query.after, &query.search, |numbers| {
        let room = limit - found.len() as i64;
        let values = [to_json(&numbers)?.into()].into_iter().chain(names.iter().cloned()).chain([room.into()]);
        let rows = statement.query_map(params_from_iter(values), record)?;
        for row in rows {
            found.push(row?);
        }
        Ok(found.len() as i64 >= limit)
    })?;
    Ok(found)
}

/// Numbers and batches of those in Transfers that are selected and in one of `phases`, behind `after`: for work on many
/// uploads in constant memory. They come in the order of an index, so that each page costs as much as the first: as lists
/// show them where few are in a phase, else by number. `starting` as for [`page`].
pub(crate) fn selected(
    connection: &Connection,
    selection: &UploadSelection,
    phases: &[Phase],
    starting: &[i64],
    after: Option<Cursor>,
    limit: i64,
) -> rusqlite::Result<Vec<Cursor>> {
    let few = matches!(phases, [Phase::Paused | Phase::Failed]);
    let pieces: Vec<(&str, Vec<Value>)> = match after {
        None => vec![("1", vec![])],
        Some(after) if few => vec![
            ("batch = ? AND no > ?", vec![after.batch.into(), after.no.into()]),
            ("batch < ?", vec![after.batch.into()]),
        ],
        Some(after) => vec![("no > ?", vec![after.no.into()])],
    };
    let order = if few { "batch DESC, no" } else { "no" };
    let mut found = Vec::new();
    for (piece, mut values) in pieces {
        let mut conditions = vec![
            piece.to_owned(),
            scope_of(Scope::Transfers, selection.filter).to_owned(),
            in_phases(phases),
            filter_of(selection.filter, starting),
        ];
        if let Some(batch) = selection.batch {
            conditions.push("batch = ?".into());
            values.push(batch.into());
        }
        if !selection.numbers.is_empty() {
            conditions.push("no IN (SELECT value FROM json_each(?))".into());
            values.push(to_json(&selection.numbers)?.into());
        }
        search(&selection.search, &mut conditions, &mut values);
        values.push((limit - found.len() as i64).into());
        let sql = format!("SELECT batch, no FROM uploads WHERE {} ORDER BY {order} LIMIT ?", conditions.join(" AND "));
        let mut statement = connection.prepare(&sql)?;
        let rows =
            statement.query_map(params_from_iter(values), |row| Ok(Cursor { batch: row.get(0)?, no: row.get(1)? }))?;
        found.extend(rows.collect::<Result<Vec<_>, _>>()?);
        if found.len() as i64 >= limit {
            break;
        }
    }
    Ok(found)
}

fn search(text: &str, conditions: &mut Vec<String>, values: &mut Vec<Value>) {
    if !text.is_empty() {
        conditions.push("(path LIKE ? ESCAPE '\\' OR key LIKE ? ESCAPE '\\')".into());
        let pattern = like(text);
        values.extend([pattern.clone().into(), pattern.into()]);
    }
}

/// The rows of these numbers, in no order.
pub(crate) fn by_numbers(connection: &Connection, numbers: &[i64]) -> rusqlite::Result<Vec<UploadRecord>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM uploads WHERE no IN (SELECT value FROM json_each(?1))"))?
        .query_map([to_json(&numbers)?], record)?
        .collect()
}

/// A batch's uploads behind number ?2. Where its numbers lie, others among them, its names tell; one lower bound, or SQLite
/// would read every page from the batch's beginning.
const OF_BATCH: &str = "batch = ?1 AND no BETWEEN max(?2 + 1, (SELECT min(thousand) << 10 FROM names WHERE batch = ?1)) \
     AND (SELECT (max(thousand) << 10) | 1023 FROM names WHERE batch = ?1)";

/// One batch, in the order it was queued, after `after`.
pub(crate) fn of_batch(
    connection: &Connection,
    batch: i64,
    after: i64,
    limit: i64,
) -> rusqlite::Result<Vec<UploadRecord>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM uploads WHERE {OF_BATCH} ORDER BY no LIMIT ?3"))?
        .query_map([batch, after, limit], record)?
        .collect()
}

/// How many files a batch has, and their bytes.
pub(crate) fn total_of_batch(connection: &Connection, batch: i64) -> rusqlite::Result<(i64, i64)> {
    connection
        .prepare_cached(&format!("SELECT count(*), coalesce(sum(size_bytes), 0) FROM uploads WHERE {OF_BATCH}"))?
        .query_row([batch, 0], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// An upload that is paused or final.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtRest {
    pub(crate) no: i64,
    pub(crate) phase: Phase,
    pub(crate) finished_ms: Option<i64>,
}

/// Uploads of a batch that are paused or final, in the order they were queued, after `after`.
pub(crate) fn at_rest_of_batch(
    connection: &Connection,
    batch: i64,
    after: i64,
    limit: i64,
) -> rusqlite::Result<Vec<AtRest>> {
    connection
        .prepare_cached(&format!(
            "SELECT no, phase, finished_ms FROM uploads WHERE {OF_BATCH} AND phase >= 4 ORDER BY no LIMIT ?3",
        ))?
        .query_map([batch, after, limit], |row| {
            Ok(AtRest { no: row.get(0)?, phase: phase_of(row.get(1)?), finished_ms: row.get(2)? })
        })?
        .collect()
}

/// The numbers on the chips, from the tallies that triggers keep.
pub(crate) fn counts(connection: &Connection) -> rusqlite::Result<Counts> {
    let mut counts = Counts::default();
    let mut statement =
        connection.prepare_cached("SELECT cleared, phase, callback_bad, uploads, bytes FROM tallies")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (cleared, phase, bad): (bool, i64, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (uploads, bytes): (i64, i64) = (row.get(3)?, row.get(4)?);
        if cleared {
            continue;
        }
        counts.all += uploads;
        match phase {
            0 => counts.waiting += uploads,
            1..=3 => counts.uploading += uploads,
            4 => counts.paused += uploads,
            5 => counts.stored += uploads,
            6 => counts.failed += uploads,
            _ => {}
        }
        if phase < 4 {
            counts.bytes_left += bytes;
        }
        if bad {
            counts.callback_failed += uploads;
        }
    }
    Ok(counts)
}

fn scope_of(scope: Scope, filter: Filter) -> &'static str {
    match (scope, filter) {
        // Few are in these, and an index leads to them: not to be read in the order of all.
        (Scope::Transfers, Filter::CallbackFailed | Filter::Paused | Filter::Failed) => "+cleared = 0",
        (Scope::Transfers, _) => "cleared = 0",
        (Scope::History, _) => "phase >= 5",
    }
}

fn filter_of(filter: Filter, starting: &[i64]) -> String {
    let numbers = || starting.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    match filter {
        Filter::All => "1".into(),
        Filter::CallbackFailed => "callback_bad = 1".into(),
        Filter::Uploading => {
            let saved = in_phases(&[Phase::Starting, Phase::Sending, Phase::Completing]);
            format!("({saved} OR (phase = 0 AND no IN ({})))", numbers())
        }
        Filter::Waiting => format!("phase = 0 AND no NOT IN ({})", numbers()),
        Filter::Paused => in_phases(&[Phase::Paused]),
        Filter::Stored => in_phases(&[Phase::Done]),
        Filter::Failed => in_phases(&[Phase::Failed]),
    }
}

fn like(search: &str) -> String {
    let escaped = search.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

#[cfg(test)]
#[path = "lists_tests.rs"]
mod tests;
