//! kill -9 and Ctrl-C in the middle of parts: the next run goes on with what is stored.

use waybill_sandbox::Operation;

use crate::bed::{Bed, all, content, count};
use crate::running::{Running, run};

const SIZE: usize = 24 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_parts_the_next_run_sends_only_what_is_missing() {
    let bed = Bed::start().await;
    let (small, big) = (bed.file("a-first.txt", 1000), bed.file("clip.mov", SIZE));
    let upload = || bed.upload(&[&small, &big], &["--part-size", "1MiB", "--parallel", "4"]);

    bed.hold(Operation::UploadPart, 10);
    let mut running = Running::start(upload());
    let first = running.receipt().await;
    assert_eq!((&first["key"], &first["state"]), (&"a-first.txt".into(), &"done".into()));
    bed.until_logged("ten parts are stored", |log| count(log, Operation::UploadPart) == 10).await;
    bed.until_held(4).await;
    let killed = running.kill().await;
    assert_eq!((killed.code(), killed.lines.len()), (None, 0), "{killed:#?}");
    bed.release().await;

    let receipts = run(upload()).await.receipts(0);
    assert_eq!(all(&receipts, "key"), ["a-first.txt", "clip.mov"], "what was finished before has its receipt, too");
    assert_eq!(all(&receipts, "state"), ["done", "done"]);
    assert_eq!(receipts.iter().find(|receipt| receipt["key"] == "a-first.txt"), Some(&first));
    assert_eq!(bed.parts(), (1..=24).collect::<Vec<_>>(), "every part is stored once");
    let initiated = bed.done(Operation::InitiateMultipartUpload);
    assert_eq!(initiated.len(), 1);
    let same_upload = |entry: &waybill_sandbox::LoggedRequest| entry.upload_id == initiated[0].upload_id;
    assert!(bed.done(Operation::UploadPart).iter().all(same_upload));
    assert_eq!(bed.done(Operation::PutObject).len(), 1, "a file that is stored is not sent again");
    assert_eq!(bed.done(Operation::CompleteMultipartUpload).len(), 1);
    assert_eq!(bed.object("clip.mov"), Some(content(SIZE)));

    let again = run(upload()).await.receipts(0);
    assert_eq!(all(&again, "key"), ["a-first.txt", "clip.mov"]);
    assert_eq!(bed.done(Operation::InitiateMultipartUpload).len(), 2, "a batch that has ended is a new upload");
    assert_eq!((bed.done(Operation::PutObject).len(), bed.parts().len()), (2, 48));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_no_part_is_stored_twice() {
    let bed = Bed::start().await;
    let big = bed.file("clip.mov", SIZE);
    let upload = || bed.upload(&[&big], &["--part-size", "1MiB", "--parallel", "3"]);
    for stored in [5, 10, 15, 20] {
        let before = bed.parts().len();
        let held = bed.sandbox.faults().taken();
        bed.hold(Operation::UploadPart, (stored - before) as u32);
        let running = Running::start(upload());
        bed.until_logged("five more parts are stored", |log| count(log, Operation::UploadPart) == stored).await;
        bed.until_held(held + 3).await;
        assert_eq!(running.kill().await.code(), None);
        bed.release().await;
    }
    assert_eq!(run(upload()).await.receipt(0)["state"], "done");
    assert_eq!(bed.parts(), (1..=24).collect::<Vec<_>>());
    assert_eq!(bed.done(Operation::InitiateMultipartUpload).len(), 1);
    assert_eq!(bed.object("clip.mov"), Some(content(SIZE)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changed_after_the_kill_is_sent_whole_and_the_old_parts_are_removed() {
    let bed = Bed::start().await;
    let big = bed.file("clip.mov", 8 << 20);
    let upload = || bed.upload(&[&big], &["--part-size", "1MiB", "--parallel", "2"]);
    bed.hold(Operation::UploadPart, 4);
    let running = Running::start(upload());
    bed.until_held(2).await;
    running.kill().await;
    bed.release().await;
    let mut changed = content(8 << 20);
    changed.reverse();
    std::fs::write(&big, &changed).unwrap();

    assert_eq!(run(upload()).await.receipt(0)["state"], "done");
    assert_eq!(bed.object("clip.mov"), Some(changed));
    let initiated = bed.done(Operation::InitiateMultipartUpload);
    assert_eq!(initiated.len(), 2);
    let log = bed.sandbox.log();
    let aborted = log.iter().find(|entry| entry.operation == Operation::AbortMultipartUpload);
    assert_eq!(aborted.and_then(|entry| entry.upload_id.clone()), initiated[0].upload_id, "{log:#?}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_is_exit_code_130_and_the_same_command_goes_on() {
    let bed = Bed::start().await;
    let big = bed.file("clip.mov", SIZE);
    let upload = || bed.upload(&[&big], &["--part-size", "1MiB", "--parallel", "2"]);
    bed.hold(Operation::UploadPart, 6);
    let running = Running::start(upload());
    bed.until_held(2).await;
    let ended = running.interrupt().await;
    assert_eq!(ended.code(), Some(130), "{ended:#?}");
    assert!(ended.stderr.contains("the same command goes on"), "{ended:#?}");
    bed.release().await;
    assert_eq!(run(upload()).await.receipt(0)["state"], "done");
    assert_eq!(bed.parts(), (1..=24).collect::<Vec<_>>());
    assert_eq!(bed.done(Operation::InitiateMultipartUpload).len(), 1);
}
