//! Drops and commands cut short: what was not read is read at the next start, and nothing is queued twice.

use std::path::{Path, PathBuf};

use waybill_engine::view::{Added, Phase};
use waybill_engine::{Callback, Enqueue, Work};
use waybill_sandbox::Operation::PutObject;
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{TestBed, content};

/// As the command line asks, which recognises its own earlier run by the fingerprint.
async fn command(bed: &TestBed, path: &Path, fingerprint: &str) -> Added {
    let wanted = Enqueue {
        paths: vec![path.to_owned()],
        destination_id: None,
        key_rule: None,
        callback: Callback::OfDestination,
        overwrite: None,
        fingerprint: Some(fingerprint.into()),
    };
    bed.engine().enqueue(wanted).await.unwrap()
}

fn shoot(bed: &TestBed, files: std::ops::Range<usize>) -> PathBuf {
    for n in files {
        bed.file(&format!("shoot/{n}.jpg"), 10 + n);
    }
    bed.folder("shoot")
}

async fn all_done(bed: &TestBed, batch: i64) {
    for row in bed.batch(batch).await {
        let details = bed.finished(row.no).await;
        assert_eq!(details.row.phase, Phase::Done, "{details:#?}");
    }
}

#[tokio::test]
async fn a_drop_whose_reading_was_cut_short_is_taken_up_at_the_next_start_and_queues_nothing_twice() {
    let mut bed = TestBed::new().await;
    let added = bed.add(&shoot(&bed, 0..3)).await;
    all_done(&bed, added.batch).await;
    bed.stop().await;
    // As if the program had been killed before it came to the other two.
    bed.cut_reading_short(added.batch);
    shoot(&bed, 3..5);
    bed.start().await;
    bed.look_for("five files in the batch", async || (bed.batch(added.batch).await.len() == 5).then_some(())).await;
    all_done(&bed, added.batch).await;
    assert_eq!(bed.tally(), [(PutObject, 5)]);
    for n in 0..5 {
        bed.expect_object(&format!("shoot/{n}.jpg"), &content(10 + n));
        assert_eq!(bed.callbacks_for(&format!("shoot/{n}.jpg")), 1);
    }
    bed.stop().await;
    assert_eq!(bed.batches(), (1, 1), "one batch, and read to the end now");
}

#[tokio::test]
async fn the_same_command_continues_its_unfinished_batch_and_begins_a_new_one_after_it_has_ended() {
    let mut bed = TestBed::new().await;
    let folder = shoot(&bed, 0..2);
    bed.fault(Fault::on(PutObject, FaultKind::Stall).times(u32::MAX));
    let first = command(&bed, &folder, "upload shoot").await;
    assert_eq!(first.queued, 2);
    bed.met(2).await;
    let again = command(&bed, &folder, "upload shoot").await;
    assert_eq!((again.batch, again.queued), (first.batch, 0));
    let other = command(&bed, &shoot(&bed, 0..2), "upload shoot elsewhere").await;
    assert_ne!(other.batch, first.batch, "another command is another batch");
    bed.release();
    all_done(&bed, first.batch).await;
    all_done(&bed, other.batch).await;
    let new = command(&bed, &folder, "upload shoot").await;
    assert_ne!(new.batch, first.batch);
    assert_eq!(new.queued, 2);
    all_done(&bed, new.batch).await;
    bed.stop().await;
}

#[tokio::test]
async fn a_killed_command_run_again_sends_only_what_was_not_stored() {
    let mut bed = TestBed::with(|config| config.work = Work::OnlyAsked).await;
    let folder = shoot(&bed, 0..3);
    bed.fault(Fault::on(PutObject, FaultKind::Stall).key("shoot/2.jpg"));
    let first = command(&bed, &folder, "upload shoot").await;
    let rows = bed.batch(first.batch).await;
    for row in &rows[..2] {
        bed.finished(row.no).await;
    }
    bed.met(1).await;
    bed.stop().await;
    bed.release_given_up(1).await;
    bed.start().await;
    let again = command(&bed, &folder, "upload shoot").await;
    assert_eq!((again.batch, again.queued), (first.batch, 0));
    all_done(&bed, first.batch).await;
    let keys: Vec<_> = bed.requests(PutObject).into_iter().filter_map(|put| put.key).collect();
    assert_eq!(keys.iter().filter(|key| *key == "shoot/2.jpg").count(), 2);
    assert_eq!(keys.len(), 4);
    bed.stop().await;
}

#[tokio::test]
async fn a_command_leaves_what_the_window_queued_alone() {
    let mut bed = TestBed::new().await;
    bed.hold(PutObject);
    let windows = bed.upload(&bed.file("window.jpg", 10)).await;
    bed.met(1).await;
    bed.until_phase(windows, Phase::Completing).await;
    bed.stop().await;
    bed.release_given_up(1).await;
    bed.config.work = Work::OnlyAsked;
    bed.start().await;
    let asked = command(&bed, &bed.file("command.jpg", 10), "upload command.jpg").await;
    all_done(&bed, asked.batch).await;
    assert_eq!(bed.details(windows).await.row.phase, Phase::Completing);
    assert_eq!(bed.tally(), [(PutObject, 2)], "not even settled");
    bed.stop().await;
}

#[tokio::test]
async fn a_drop_stopped_while_it_is_read_is_queued_whole_by_the_next_run() {
    let mut bed = TestBed::new().await;
    let folder = shoot(&bed, 0..1200);
    let (engine, dropped) = (bed.engine().clone(), folder.clone());
    let adding = tokio::spawn(async move { engine.add_paths(vec![dropped], None).await });
    bed.logged("a first request", |log| !log.is_empty()).await;
    bed.stop().await;
    // Cut short or just through, whoever was first.
    let _ = adding.await.unwrap();
    bed.start().await;
    bed.look_for("1200 files", async || (bed.engine().counts().await.unwrap().all == 1200).then_some(())).await;
    bed.stop().await;
    let keys: Vec<_> = bed.requests(PutObject).into_iter().filter(|put| put.status == Some(200)).collect();
    let once: std::collections::HashSet<_> = keys.iter().map(|put| &put.key).collect();
    assert_eq!(once.len(), keys.len(), "a file was stored twice");
}
