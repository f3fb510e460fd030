//! Pages, filters and counts over a real database.

use super::*;
use crate::store::batches::{self, NewBatch};
use crate::store::{Store, uploads};
use crate::upload::state::UploadState;
use crate::view::{Cursor, Problem};

async fn filled(files: i64, batches: i64) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store
        .write(move |connection| {
            for batch in 0..batches {
                let new = NewBatch {
                    destination_id: "d".into(),
                    fingerprint: None,
                    request_json: "{}".into(),
                    created_ms: batch,
                };
                let batch = batches::insert(connection, &new)?;
                let key = |file| format!("shoot/{batch}/a_{file}%.mov");
                let named = |file| (format!("/{}", key(file)), key(file));
                let new = uploads::NewUploads::plain(batch, (0..files).map(named));
                assert_eq!(uploads::insert(connection, &new)?, (batch - 1) * files + 1);
            }
            Ok(())
        })
        .await
        .unwrap();
    (dir, store)
}

fn query(filter: Filter, search: &str, after: Option<Cursor>) -> UploadQuery {
    UploadQuery { scope: Scope::Transfers, filter, search: search.into(), after, limit: 3 }
}

#[tokio::test]
async fn pages_join_without_gap_newest_batch_first() {
    let (_dir, store) = filled(4, 2).await;
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let asked = query(Filter::All, "", after);
        let rows = store.read(move |c| page(c, &asked, &[], 3)).await.unwrap();
        let Some(last) = rows.last() else { break };
        after = Some(Cursor { batch: last.batch, no: last.no });
        seen.extend(rows.iter().map(|row| (row.batch, row.no)));
    }
    assert_eq!(seen, [(2, 5), (2, 6), (2, 7), (2, 8), (1, 1), (1, 2), (1, 3), (1, 4)]);
    store.close().await;
}

#[tokio::test]
async fn counts_follow_every_change_and_clearing_keeps_history() {
    let (_dir, store) = filled(3, 1).await;
    store
        .write(|connection| {
            let problem =
                Problem { code: crate::error::Code::Network, message: String::new(), request_id: None, ec: None };
            uploads::save(connection, 1, &UploadState::Failed { problem, attempts: 1, session: None }, None, 5)?;
            uploads::save(connection, 2, &UploadState::Cancelled, None, 5)
        })
        .await
        .unwrap();
    let counts_now = store.read(counts).await.unwrap();
    assert_eq!((counts_now.all, counts_now.waiting, counts_now.failed, counts_now.bytes_left), (3, 1, 1, 10));
    store.write(uploads::clear_finished).await.unwrap();
    assert_eq!(store.read(counts).await.unwrap().all, 2);
    let history = UploadQuery { scope: Scope::History, ..query(Filter::All, "", None) };
    let rows = store.read(move |c| page(c, &history, &[], 9)).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.no).collect::<Vec<_>>(), [2, 1], "newest first");
    store.close().await;
}

#[tokio::test]
async fn a_percent_sign_in_a_search_means_itself() {
    let (_dir, store) = filled(2, 1).await;
    let hits = store.read(|c| page(c, &query(Filter::All, "1%.m", None), &[], 9)).await.unwrap();
    assert_eq!(hits.len(), 1);
    let none = store.read(|c| page(c, &query(Filter::All, "a%mov", None), &[], 9)).await.unwrap();
    assert!(none.is_empty());
    store.close().await;
}

#[test]
fn names_find_what_rows_would_page_by_page_and_in_the_same_order() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let compared = store.write_blocking(|c| {
        c.execute_batch("PRAGMA defer_foreign_keys = ON")?;
        // Two batches whose files come in turns, over more than a thousand numbers.
        for turn in 0..60 {
            let file = |n: i64| {
                let path = format!("/Shoot/{}/{turn}_{n}%.MOV", ["a", "Ä中", "b_b"][n as usize % 3]);
                let key = if n % 2 == 0 { path[1..].to_owned() } else { format!("Key/{turn}.{n}") };
                (path, key)
            };
            uploads::insert(c, &uploads::NewUploads::plain(turn % 2 + 1, (0..turn).map(file)))?;
        }
        uploads::rename(c, 700, "Taken/Instead.mov")?;
        for no in (1..1500).step_by(7) {
            uploads::save(c, no, &UploadState::Cancelled, None, 5)?;
        }
        uploads::clear_finished(c)?;
        for no in (3..1500).step_by(7) {
            uploads::save(c, no, &UploadState::Cancelled, None, 5)?;
        }
        let mut compared = 0;
        for search in ["mov", "INSTEAD", "key/", "Ä中/5", "b_b/59_", "0%", "%.m", "1.3", "nowhere", "/", "key/9.", "5_"]
        {
            for scope in [Scope::Transfers, Scope::History] {
                let (order, mut conditions, mut values) = match scope {
                    Scope::Transfers => ("batch DESC, no", vec![scope_of(scope, Filter::All).to_owned()], Vec::new()),
                    Scope::History => ("no DESC", vec![scope_of(scope, Filter::All).to_owned()], Vec::new()),
                };
                super::search(search, &mut conditions, &mut values);
                let sql = format!("SELECT no FROM uploads WHERE {} ORDER BY {order}", conditions.join(" AND "));
                let wanted: Vec<i64> = c
                    .prepare(&sql)?
                    .query_map(params_from_iter(values), |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()?;
                let (mut found, mut after) = (Vec::new(), None);
                loop {
                    let asked = UploadQuery { scope, ..query(Filter::All, search, after) };
                    let rows = page_by_names(c, &asked, &[], 100)?;
                    found.extend(rows.iter().map(|row| row.no));
                    let Some(last) = rows.last() else { break };
                    after = Some(Cursor { batch: last.batch, no: last.no });
                }
                assert_eq!(found, wanted, "{search} in {scope:?}");
                compared += found.len();
            }
        }
        c.execute_batch("DELETE FROM uploads")?;
        Ok(compared)
    });
    assert!(compared.unwrap() > 3000);
}

/// How SQLite says it would find uploads.
fn plan(connection: &Connection, sql: &str) -> String {
    connection.query_row(&format!("EXPLAIN QUERY PLAN {sql}"), [], |row| row.get(3)).unwrap()
}

#[test]
fn each_filter_of_transfers_is_led_to_its_rows_by_an_index_and_reads_nothing_that_was_cleared() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let plans = store.write_blocking(|c| {
        let of = |filter: Filter| {
            let (scope, filter) = (scope_of(Scope::Transfers, filter), filter_of(filter, &[]));
            plan(c, &format!("SELECT * FROM uploads WHERE {scope} AND {filter} ORDER BY batch DESC, no LIMIT 9"))
        };
        Ok([
            (of(Filter::All), "uploads_in_transfers"),
            (of(Filter::Waiting), "uploads_in_transfers"),
            (of(Filter::Stored), "uploads_in_transfers"),
            (of(Filter::Paused), "uploads_few"),
            (of(Filter::Failed), "uploads_few"),
            (of(Filter::CallbackFailed), "uploads_callback_bad"),
        ])
    });
    for (plan, index) in plans.unwrap() {
        assert!(plan.contains(index), "{plan} instead of {index}");
    }
}

#[test]
fn a_page_in_the_middle_of_a_batch_costs_as_much_as_its_first() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let counted = store.write_blocking(|c| {
        c.execute_batch("PRAGMA defer_foreign_keys = ON")?;
        let new = uploads::NewUploads::plain(1, (0..20_000).map(|n| (format!("/{n}"), n.to_string())));
        uploads::insert(c, &new)?;
        let sql = format!("SELECT no FROM uploads WHERE {OF_BATCH} ORDER BY no LIMIT 100");
        let mut statement = c.prepare(&sql)?;
        let mut steps = |after: i64| -> rusqlite::Result<(i64, i32)> {
            statement.reset_status(rusqlite::StatementStatus::VmStep);
            let first = statement.query_row([1, after], |row| row.get(0))?;
            let rows = statement.query_map([1, after], |row| row.get::<_, i64>(0))?.count();
            assert_eq!(rows, 100);
            Ok((first, statement.get_status(rusqlite::StatementStatus::VmStep)))
        };
        let counted = (steps(0)?, steps(19_000)?);
        let other = statement.query_map([2, 0], |_| Ok(()))?.count();
        drop(statement);
        c.execute_batch("DELETE FROM uploads")?;
        assert_eq!(other, 0, "a batch of no files has none");
        Ok(counted)
    });
    let ((first, at_first), (later, at_later)) = counted.unwrap();
    assert_eq!((first, later), (1, 19_001));
    assert!(at_later < at_first * 2, "{at_later} steps instead of {at_first}");
}

#[test]
fn names_are_read_where_rows_are_many_and_names_stand_together() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let asked = store.write_blocking(|c| {
        let reads = |filter: Filter, search: &str| reads_names(c, &query(filter, search, None)).unwrap();
        c.execute_batch("INSERT OR REPLACE INTO tallies VALUES (0, 0, 0, 900, 0), (1, 5, 0, 1000000, 0)")?;
        let few = reads(Filter::All, "a");
        let history = UploadQuery { scope: Scope::History, ..query(Filter::All, "a", None) };
        let of_history = reads_names(c, &history)?;
        c.execute_batch("UPDATE tallies SET uploads = 1000000 WHERE uploads > 0")?;
        let many = (reads(Filter::All, "a"), reads(Filter::All, ""), reads(Filter::Failed, "a"));
        c.execute_batch("INSERT INTO names (rowid, batch, thousand, text) VALUES (300000, 1, 1, x'FE')")?;
        let alone = reads(Filter::All, "a");
        c.execute_batch("DELETE FROM tallies; DELETE FROM names")?;
        Ok((few, of_history, many, alone))
    });
    assert_eq!(asked.unwrap(), (false, true, (true, false, false), false));
}
