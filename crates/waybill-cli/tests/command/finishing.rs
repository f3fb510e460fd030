//! kill -9 while the finishing request is on its way: settled at the next run, never carried out twice.

use serde_json::Value;
use waybill_sandbox::{LoggedRequest, Operation};

use crate::bed::{Bed, LIMIT, content, is_done};
use crate::running::{Running, run};

/// Kills while the receiver is still at work on the callback, lets OSS end, and runs the same command again.
async fn killed_during_the_callback(bed: &Bed, len: usize, finishing: Operation) -> Value {
    let file = bed.file("clip.mov", len);
    let url = bed.sandbox.info().callback_url.clone();
    let upload = || bed.upload(&[&file], &["--part-size", "1MiB", "--callback-url", &url]);
    bed.hold(Operation::Callback, 0);
    let running = Running::start(upload());
    bed.sandbox.wait_for_callbacks(1, LIMIT).await.expect("OSS calls back");
    let killed = running.kill().await;
    assert_eq!((killed.code(), killed.lines.len()), (None, 0), "{killed:#?}");
    bed.sandbox.faults().clear();
    let ended = |entry: &LoggedRequest| entry.operation == finishing && entry.status.is_some();
    bed.until_logged("OSS has ended", |log| log.iter().any(ended)).await;
    run(upload()).await.receipt(2)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_answer_to_complete_it_is_settled_and_called_back_once() {
    let bed = Bed::start().await;
    let receipt = killed_during_the_callback(&bed, 3 << 20, Operation::CompleteMultipartUpload).await;
    assert_eq!((&receipt["state"], &receipt["callback"]["outcome"]), (&"done".into(), &"unknown".into()));
    assert_eq!(receipt["size"], 3 << 20);
    assert!(receipt.get("error").is_none(), "{receipt}");
    assert_eq!(bed.sandbox.callbacks().len(), 1, "the server is told once");
    let asked = bed.sandbox.log();
    let completes = asked.iter().filter(|entry| entry.operation == Operation::CompleteMultipartUpload).count();
    assert_eq!(completes, 1, "{asked:#?}");
    assert_eq!(bed.parts(), [1, 2, 3]);
    assert_eq!(bed.object("clip.mov"), Some(content(3 << 20)));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_answer_to_a_single_put_it_is_settled_and_called_back_once() {
    let bed = Bed::start().await;
    let receipt = killed_during_the_callback(&bed, 1000, Operation::PutObject).await;
    assert_eq!((&receipt["state"], &receipt["callback"]["outcome"]), (&"done".into(), &"unknown".into()));
    assert!(receipt.get("error").is_none(), "{receipt}");
    assert_eq!(bed.sandbox.callbacks().len(), 1, "the server is told once");
    let asked = bed.sandbox.log();
    assert_eq!(asked.iter().filter(|entry| entry.operation == Operation::PutObject).count(), 1, "{asked:#?}");
    assert_eq!(bed.object("clip.mov"), Some(content(1000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complete_that_oss_never_carried_out_is_sent_again_and_answered() {
    let bed = Bed::start().await;
    let file = bed.file("clip.mov", 3 << 20);
    let url = bed.sandbox.info().callback_url.clone();
    let upload = || bed.upload(&[&file], &["--part-size", "1MiB", "--callback-url", &url]);
    bed.hold(Operation::CompleteMultipartUpload, 0);
    let running = Running::start(upload());
    bed.until_held(1).await;
    assert_eq!(running.kill().await.code(), None);
    bed.release().await;

    let receipt = run(upload()).await.receipt(0);
    assert_eq!((&receipt["state"], &receipt["callback"]["outcome"]), (&"done".into(), &"answered".into()));
    assert_eq!(bed.done(Operation::CompleteMultipartUpload).len(), 1);
    assert_eq!(bed.sandbox.callbacks().len(), 1);
    assert_eq!(bed.parts(), [1, 2, 3], "settling sends no part again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_oss_never_carried_out_is_sent_again_and_answered() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 1000);
    let url = bed.sandbox.info().callback_url.clone();
    let upload = || bed.upload(&[&file], &["--callback-url", &url]);
    bed.hold(Operation::PutObject, 0);
    let running = Running::start(upload());
    bed.until_held(1).await;
    assert_eq!(running.kill().await.code(), None);
    bed.release().await;

    let receipt = run(upload()).await.receipt(0);
    assert_eq!((&receipt["state"], &receipt["callback"]["outcome"]), (&"done".into(), &"answered".into()));
    let puts = bed.sandbox.log().into_iter().filter(|entry| is_done(entry, Operation::PutObject)).count();
    assert_eq!((puts, bed.sandbox.callbacks().len()), (1, 1));
}
