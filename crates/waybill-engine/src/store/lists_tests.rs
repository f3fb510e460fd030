//! Pages, filters and counts over a real database.

use super::*;
use crate::store::batches::{self, NewBatch};
use crate::store::{Store, uploads};
use crate::upload::source::SourceStamp;
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
                let file = |file| {
                    let path = format!("/shoot/{batch}/a_{file}%.mov");
                    let stamp = SourceStamp { size_bytes: 10, modified_ns: 1, file_id: 1 };
                    uploads::NewFile { key: path[1..].into(), path, content_type: None, stamp }
                };
                let new = uploads::NewUploads {
                    batch,
                    destination_id: "d".into(),
                    bucket: "b".into(),
                    callback: None,
                    profile_id: None,
                    overwrite: Default::default(),
                    created_ms: 1,
                    files: (0..files).map(file).collect(),
                };
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
