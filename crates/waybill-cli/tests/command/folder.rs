//! kill -9 in the middle of many small files: each is stored once, and each has its receipt.

use std::collections::BTreeMap;

use waybill_sandbox::{Fault, FaultKind, Operation};

use crate::bed::{Bed, all, content, count};
use crate::running::{Running, run};

const FILES: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn killed_among_200_small_files_each_is_stored_exactly_once() {
    let bed = Bed::start().await;
    for n in 0..FILES {
        bed.file(&format!("shoot/{n:03}.txt"), 100 + n);
    }
    let folder = bed.dir.path().join("files/shoot");
    let upload = || bed.upload(&[&folder], &["--parallel", "8"]);

    // Killed among requests that are being answered; the hold only keeps it from ending first.
    bed.hold(Operation::PutObject, 150);
    let running = Running::start(upload());
    bed.until_logged("half of it is stored", |log| count(log, Operation::PutObject) >= 80).await;
    let killed = running.kill().await;
    assert!(killed.lines.len() < FILES, "{killed:#?}");
    bed.release().await;

    let receipts = run(upload()).await.receipts(0);
    let keys: Vec<String> = (0..FILES).map(|n| format!("shoot/{n:03}.txt")).collect();
    assert_eq!(all(&receipts, "key"), keys, "one receipt for each file");
    assert!(receipts.iter().all(|receipt| receipt["state"] == "done"));
    let mut stored: BTreeMap<String, usize> = BTreeMap::new();
    for entry in bed.done(Operation::PutObject) {
        *stored.entry(entry.key.expect("a key")).or_default() += 1;
    }
    assert_eq!(stored, keys.iter().map(|key| (key.clone(), 1)).collect(), "each file is stored exactly once");
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(bed.object(key), Some(content(100 + n)), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_added_to_the_folder_after_the_kill_is_not_forgotten_by_the_run_after_next() {
    let bed = Bed::start().await;
    for n in 0..4 {
        bed.file(&format!("shoot/{n}.txt"), 100);
    }
    let folder = bed.dir.path().join("files/shoot");
    let upload = || bed.upload(&[&folder], &["--parallel", "2"]);
    bed.hold(Operation::PutObject, 1);
    let running = Running::start(upload());
    bed.until_held(2).await;
    running.kill().await;
    bed.release().await;
    bed.file("shoot/late.txt", 50);
    let receipts = run(upload()).await.receipts(0);
    let keys = ["shoot/0.txt", "shoot/1.txt", "shoot/2.txt", "shoot/3.txt", "shoot/late.txt"];
    assert_eq!(all(&receipts, "key"), keys);
    assert_eq!(bed.done(Operation::PutObject).len(), 5);
}

/// Four files killed while two of them are held, so that nobody knows whether those were stored.
async fn killed_in_doubt(bed: &Bed) -> std::path::PathBuf {
    for n in 0..4 {
        bed.file(&format!("shoot/{n}.txt"), 100);
    }
    let folder = bed.dir.path().join("files/shoot");
    bed.hold(Operation::PutObject, 1);
    let running = Running::start(bed.upload(&[&folder], &["--parallel", "2"]));
    bed.until_held(2).await;
    running.kill().await;
    bed.release().await;
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_may_only_write_send_again_what_they_may_not_ask_for_after_a_kill() {
    let bed = Bed::start().await;
    let folder = killed_in_doubt(&bed).await;
    let denied = FaultKind::Status { status: 403, code: "AccessDenied".into(), retry_after_seconds: None };
    bed.sandbox.faults().add(Fault::on(Operation::HeadObject, denied).times(u32::MAX));
    let receipts = run(bed.upload(&[&folder], &["--parallel", "2"])).await.receipts(0);
    assert!(receipts.iter().all(|receipt| receipt["state"] == "done"), "{receipts:#?}");
    assert!(bed.sandbox.faults().taken() > 2, "they were asked for");
}
