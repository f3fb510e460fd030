//! A data folder of the version before callbacks were sent again: all that is in it is there afterwards.

use rusqlite::{Connection, params};
use rusqlite_migration::Migrations;

use super::STEPS;
use crate::resend::state::{Original, ResendState};
use crate::store::uploads::UploadRecord;
use crate::store::{Store, callback_profiles, calls, destinations, resends, settings, uploads, watched};
use crate::upload::state::UploadState;
use crate::view::Phase;

const PROFILE: &str =
    r#"{"urls":["https://a/cb"],"host":"","body":"o=${object}","bodyType":"form","sni":true,"variables":[]}"#;
const FAILED: &str = r#"{"Done":{"object":{"size_bytes":3,"etag":"E","crc64":7,"verified":true,"request_id":"R1",
    "version_id":"v1","finishing_ms":42},"callback":{"outcome":"failed","ec":"0007-00000203","message":"m","body":""}}}"#;
const NOT_REQUESTED: &str = r#"{"Done":{"object":{"size_bytes":4,"etag":"F","crc64":null,"verified":false,
    "request_id":"R2","version_id":null,"finishing_ms":1},"callback":{"outcome":"notRequested"}}}"#;
const QUEUED: &str = r#"{"Queued":{"not_before_ms":null,"attempts":0,"session":null}}"#;

/// As that version left it: a destination with a callback of its own, a folder, and an upload of each kind.
fn left_by_version_4(path: &std::path::Path) {
    let mut connection = Connection::open(path).unwrap();
    Migrations::from_slice(&STEPS[..4]).to_latest(&mut connection).unwrap();
    connection
        .execute_batch(
            "INSERT INTO settings VALUES ('language', 'zh-CN');
             INSERT INTO batches VALUES (1, 'd', NULL, '{}', 1, 5);
             INSERT INTO watched_folders VALUES ('w', '/in', 'd', 'p/', 1, 5);",
        )
        .unwrap();
    connection.execute("INSERT INTO callback_profiles VALUES ('d', ?1)", [PROFILE]).unwrap();
    connection
        .execute_batch(
            "INSERT INTO destinations (id, name, endpoint, region, bucket, key_template, access_key_id, has_secret, \
             has_token, callback_profile_id, built_in, created_ms) \
             VALUES ('d', 'Mine', 'https://e', 'r', 'b', '{path}', 'id', 1, 0, 'd', 0, 5);",
        )
        .unwrap();
    let upload = "INSERT INTO uploads (no, batch, destination_id, path, bucket, key, callback_json, size_bytes, \
                  modified_ns, file_id, phase, state_json, callback_bad, created_ms, finished_ms) \
                  VALUES (?1, 1, 'd', 'p', 'b', ?2, ?3, ?1 + 2, 0, 0, ?4, ?5, ?6, 7, ?7)";
    for (no, key, callback, phase, state, bad, finished) in [
        (1, "failed", Some(PROFILE), 5, FAILED, true, Some(99)),
        (2, "plain", None, 5, NOT_REQUESTED, false, Some(100)),
        (3, "queued", Some(PROFILE), 0, QUEUED, false, None),
    ] {
        connection.execute(upload, params![no, key, callback, phase, state, bad, finished]).unwrap();
    }
    // The second is of an upload that is not stored, as nothing should leave it.
    connection.execute_batch("INSERT INTO answers VALUES (1, '<Error>502</Error>'), (3, 'stale')").unwrap();
    connection.execute("INSERT INTO log (no, at_ms, what, detail) VALUES (1, 8, 'stored', 'x')", []).unwrap();
}

#[tokio::test]
async fn a_data_folder_of_version_4_opens_with_all_its_rows_and_what_each_callback_said() {
    let dir = tempfile::tempdir().unwrap();
    left_by_version_4(&dir.path().join("waybill.db"));
    let store = Store::open(dir.path()).unwrap();
    assert!(dir.path().join("waybill.db.before-v4").exists());
    let all = move |c: &Connection| (1..=3).map(|no| Ok(uploads::load(c, no)?.unwrap())).collect();
    let rows: Vec<UploadRecord> = store.read(all).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.key.as_str(), row.size_bytes, row.callback_bad)).collect();
    assert_eq!(told, [("failed", 3, true), ("plain", 4, false), ("queued", 5, false)]);
    assert_eq!(rows[0].callback.as_ref().map(|callback| callback.body.as_str()), Some("o=${object}"));
    assert!(matches!(&rows[0].state, UploadState::Done { object, .. } if object.version_id.as_deref() == Some("v1")));
    assert_eq!(rows[2].state.phase(), Phase::Queued);

    let calls_of = |no: i64| store.read(move |c| calls::of(c, no));
    let calls = calls_of(1).await.unwrap();
    assert_eq!((calls.len(), calls[0].status, calls[0].at_ms, calls[0].took_ms), (1, 203, 99, 42), "{calls:#?}");
    assert_eq!(
        (calls[0].body.as_str(), calls[0].ec.as_deref(), calls[0].request_id.as_str(), &calls[0].problem),
        ("<Error>502</Error>", Some("0007-00000203"), "R1", &None)
    );
    assert!(calls_of(2).await.unwrap().is_empty() && calls_of(3).await.unwrap().is_empty());
    assert_eq!(store.read(|c| calls::bad(c, None, 0, 10)).await.unwrap(), [1]);

    let destination = store.read(|c| destinations::load(c, "d")).await.unwrap().unwrap();
    assert_eq!(destination.callback.map(|callback| callback.urls), Some(vec!["https://a/cb".to_owned()]));
    assert_eq!(destination.profile_id, None, "it is the destination's own");
    assert!(store.read(callback_profiles::all).await.unwrap().is_empty(), "nor is it offered to others");
    let folders = store.read(watched::all).await.unwrap();
    assert_eq!((folders.len(), folders[0].prefix.as_str(), &folders[0].profile_id), (1, "p/", &None));
    assert_eq!(store.read(|c| settings::get(c, "language")).await.unwrap().as_deref(), Some("zh-CN"));

    // What it stored can be called for again.
    let original = Original { size_bytes: 3, etag: "E".into(), crc64: Some(7), last_modified: None };
    let state = ResendState::Starting { original };
    let begun = state.clone();
    assert!(store.write(move |c| resends::begin(c, 1, &begun)).await.unwrap());
    assert_eq!(store.read(|c| resends::load(c, 1)).await.unwrap(), Some(state));
    store.close().await;
}
