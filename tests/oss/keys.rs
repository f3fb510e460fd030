//! Any key that we take goes the whole way: stored, described, listed, read and deleted under its own name.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use waybill_oss::{Client, ListOptions, ListVersion, ObjectKey};

use crate::lab::{Lab, VERSIONS, get, put};

/// Each goes through ten requests.
const CASES: u32 = 48;

/// Keys of any characters, and keys of what URLs, XML and file systems trip over.
fn keys() -> impl Strategy<Value = String> {
    let any = proptest::collection::vec(any::<char>(), 1..60).prop_map(|chars| chars.into_iter().collect());
    let tricky = prop_oneof![
        Just("."),
        Just(".."),
        Just(""),
        Just("%2e%2e"),
        Just("%"),
        Just("%2F"),
        Just("+"),
        Just(" "),
        Just("?a=b"),
        Just("#"),
        Just("&amp;"),
        Just("<![CDATA["),
        Just("]]>"),
        Just("\u{0}"),
        Just("\r\n"),
        Just("\u{7f}"),
        Just("\u{85}"),
        Just("\u{feff}"),
        Just("e\u{301}"),
        Just("\u{fffe}"),
        Just("NUL"),
        Just("a."),
        Just("~"),
        Just(".escaped"),
    ];
    let path = proptest::collection::vec(tricky, 1..8).prop_map(|segments| segments.join("/"));
    let long = (0usize..=341, "[a-z中]{1}").prop_map(|(times, part)| part.repeat(1023 - times));
    prop_oneof![4 => any, 4 => path, 1 => long]
}

async fn round_trip(client: &Client, key: &ObjectKey) -> Result<(), String> {
    let name = key.as_str();
    let said = |error: waybill_oss::Error| format!("{name:?}: {error}");
    let stored = put(client, name, name.as_bytes()).await.map_err(said)?;
    let head = client.head_object(key).await.map_err(said)?.ok_or("it was not stored there")?;
    for version in [ListVersion::V1, ListVersion::V2] {
        let options = ListOptions { prefix: name.to_owned(), version, ..ListOptions::default() };
        let listed = client.list_objects(options).all().await.map_err(said)?;
        if !listed.iter().map(|object| &object.key).eq([name]) {
            return Err(format!("{name:?} is listed as {listed:?}"));
        }
    }
    let got = get(client, name).await;
    client.delete_object(key, None).await.map_err(said)?;
    let gone = client.head_object(key).await.map_err(said)?.is_none();
    if (head.etag, got.as_slice(), gone) == (stored.etag, name.as_bytes(), true) {
        Ok(())
    } else {
        Err(format!("{name:?} came back with {} bytes, gone: {gone}", got.len()))
    }
}

#[test]
fn any_key_that_is_taken_makes_the_round_trip() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let lab = runtime.block_on(Lab::new());
    let clients = VERSIONS.map(|version| lab.client(version));
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let taken = keys().prop_filter_map("a key that is taken", |text| ObjectKey::parse(&text).ok());
    let outcome = runner.run(&taken, |key| {
        for client in &clients {
            runtime.block_on(round_trip(client, &key)).map_err(TestCaseError::fail)?;
        }
        Ok(())
    });
    outcome.expect("every key");
    runtime.block_on(lab.sandbox.stop());
}
