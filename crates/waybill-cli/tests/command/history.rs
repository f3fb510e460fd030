//! `waybill history` after the program was started again, and who may look.

use serde_json::Value;
use waybill_sandbox::{Fault, FaultKind, Operation};

use crate::bed::{Bed, bare};
use crate::running::{Running, run};

#[tokio::test(flavor = "multi_thread")]
async fn the_history_has_every_receipt_newest_first() {
    let bed = Bed::start().await;
    let (one, two, three) = (bed.file("one.txt", 10), bed.file("two_100%.txt", 20), bed.file("three.txt", 30));
    let url = bed.sandbox.info().callback_url.clone();
    let mut receipts = vec![run(bed.upload(&[&one], &["--callback-url", &url])).await.receipt(0)];
    let failing = FaultKind::CallbackStatus { status: 502, body: String::new() };
    bed.sandbox.faults().add(Fault::on(Operation::Callback, failing));
    receipts.push(run(bed.upload(&[&two], &["--callback-url", &url])).await.receipt(2));
    let mut wrong = bed.upload(&[&three], &[]);
    wrong.env("OSS_ACCESS_KEY_SECRET", "wrong");
    receipts.push(run(wrong).await.receipt(1));
    receipts.reverse();

    let told = run(bed.waybill(&["history", "--json"])).await.receipts(0);
    assert_eq!(told, receipts, "the history tells what was told at the time");
    assert_eq!(told[2]["callback"]["outcome"], "answered");
    assert!(told[2]["callback"]["body"].as_str().unwrap().contains("one.txt"), "{told:#?}");
    assert_eq!(told[1]["callback"]["ec"], "0007-00000203");
    assert_eq!(told[0]["error"]["code"], "credentials");

    let asked = |more: &'static [&'static str]| {
        let mut command = bed.waybill(&["history", "--json"]);
        command.args(more);
        run(command)
    };
    assert_eq!(asked(&["--limit", "2"]).await.receipts(0), receipts[..2]);
    assert_eq!(asked(&["--search", "one"]).await.receipts(0), receipts[2..]);
    assert_eq!(asked(&["--search", "_100%"]).await.receipts(0), receipts[1..2]);
    assert_eq!(asked(&["--search", "%e.txt"]).await.receipts(0), [] as [Value; 0]);

    let words = run(bed.waybill(&["history"])).await;
    assert_eq!((words.code(), words.lines.len()), (Some(0), 3), "{words:#?}");
    assert!(words.lines[0].starts_with('✗') && words.lines[0].contains("SignatureDoesNotMatch"), "{words:#?}");
    assert!(words.lines[1].contains("callback failed (0007-00000203)"), "{words:#?}");
    assert!(words.lines[2].contains("oss://bucket/one.txt"), "{words:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_page_is_told_whole_and_an_unfinished_upload_is_not_history() {
    const FILES: usize = 505; // a page has 500
    let bed = Bed::start().await;
    for n in 0..FILES {
        bed.file(&format!("shoot/{n:03}.txt"), n);
    }
    let folder = bed.dir.path().join("files/shoot");
    run(bed.upload(&[&folder], &["--parallel", "32"])).await.receipts(0);
    let late = bed.file("late.txt", 10);
    bed.hold(Operation::PutObject, 0);
    let running = Running::start(bed.upload(&[&late], &[]));
    bed.until_held(1).await;
    running.kill().await;

    for limit in [1000, 503] {
        let told = run(bed.waybill(&["history", "--json", "--limit", &limit.to_string()])).await.receipts(0);
        let keys: Vec<&str> = told.iter().map(|receipt| receipt["key"].as_str().unwrap()).collect();
        let wanted: Vec<String> = (0..FILES).rev().take(limit).map(|n| format!("shoot/{n:03}.txt")).collect();
        assert_eq!(keys, wanted, "the newest first, each once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_can_be_read_while_an_upload_holds_the_data_folder() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 10);
    bed.hold(Operation::PutObject, 0);
    let first = Running::start(bed.upload(&[&file], &[]));
    bed.until_held(1).await;
    assert!(run(bed.waybill(&["history", "--json"])).await.receipts(0).is_empty(), "what is under way is not history");
    bed.sandbox.faults().clear();
    let receipt = first.end().await.receipt(0);
    let late = bed.file("late.txt", 10);
    bed.hold(Operation::PutObject, 0);
    let second = Running::start(bed.upload(&[&late], &[]));
    bed.until_held(2).await;
    assert_eq!(run(bed.waybill(&["history", "--json"])).await.receipts(0), [receipt]);
    bed.sandbox.faults().clear();
    assert_eq!(second.end().await.receipt(0)["state"], "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_folder_may_come_from_the_environment() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 10);
    run(bed.upload(&[&file], &[])).await.receipt(0);
    let mut command = bare();
    command.args(["history", "--json"]).env("WAYBILL_DATA_DIR", bed.data_dir());
    let ended = run(command).await;
    assert_eq!(ended.receipt(0)["key"], "note.txt", "looking back needs no credential");
}
