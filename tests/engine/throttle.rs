//! Limits before a real server: they are kept, they can be changed while parts run, and nobody takes a slow upload for a
//! dead one. Of times only the lower bounds are asserted, and upper ones that are off by a factor of ten when broken.

use std::time::{Duration, Instant};

use waybill_engine::view::{DestinationLimits, Limit, LimitRules, Limits, Phase, TimedLimit};
use waybill_sandbox::Operation::{self, PutObject, UploadPart};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{DESTINATION, MIB, TestBed, content};

const FREE: Limit = Limit { bytes_per_second: None, requests_per_second: None };

fn bytes(rate: i64) -> Limit {
    Limit { bytes_per_second: Some(rate), ..FREE }
}

fn requests(rate: i64) -> Limit {
    Limit { requests_per_second: Some(rate), ..FREE }
}

fn everywhere(usual: Limit) -> Limits {
    Limits { everywhere: LimitRules { usual, timetable: Vec::new() }, ..Limits::default() }
}

/// An engine that keeps this limit from its start.
async fn limited(limit: Limit) -> TestBed {
    TestBed::with(|config| config.limit = limit).await
}

/// From the beginning of the first request of this operation to that of the last.
fn span(bed: &TestBed, operation: Operation) -> Duration {
    let mut began: Vec<i64> = bed.requests(operation).iter().map(|entry| entry.at_ms).collect();
    began.sort_unstable();
    Duration::from_millis((began[began.len() - 1] - began[0]).unsigned_abs())
}

#[tokio::test]
async fn a_limit_in_bytes_is_kept_over_parts_and_the_file_is_whole() {
    let mut bed = limited(bytes(1_000_000)).await;
    let len = 3 * MIB;
    let start = Instant::now();
    let no = bed.upload(&bed.file("clip.mov", len)).await;
    bed.answered(no, &content(len)).await;
    // What the burst and the last pieces are worth may be missing, not more.
    let least = Duration::from_secs_f64(len as f64 / 1_000_000.0 - 0.3);
    assert!(start.elapsed() >= least, "{:?}", start.elapsed());
    bed.stop().await;
}

#[tokio::test]
async fn a_limit_in_bytes_is_shared_by_small_files() {
    let mut bed = limited(bytes(200_000)).await;
    let folder = bed.folder("shoot");
    for n in 0..40 {
        bed.file(&format!("shoot/{n}.jpg"), 16 << 10);
    }
    let start = Instant::now();
    let added = bed.add(&folder).await;
    for row in bed.batch(added.batch).await {
        assert_eq!(bed.finished(row.no).await.row.phase, Phase::Done);
    }
    let least = Duration::from_secs_f64(40.0 * 16_384.0 / 200_000.0 - 0.3);
    assert!(start.elapsed() >= least, "{:?}", start.elapsed());
    bed.stop().await;
}

#[tokio::test]
async fn a_limit_that_is_lifted_lets_parts_under_way_go_at_once() {
    let mut bed = TestBed::new().await;
    let len = 20 * MIB;
    bed.engine().save_limits(everywhere(bytes(100_000))).await.expect("saved");
    let no = bed.upload(&bed.file("clip.mov", len)).await;
    bed.until(no, "on its way", |details| details.row.sent_bytes > 50_000).await;
    let start = Instant::now();
    bed.engine().save_limits(Limits::default()).await.expect("saved");
    bed.answered(no, &content(len)).await;
    // 200 s at the limit.
    assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
    assert!(bed.parts_tried().iter().all(|(_, times)| *times == 1), "nothing was broken off: {:?}", bed.parts_tried());
    bed.stop().await;
}

#[tokio::test]
async fn a_limit_that_is_set_holds_back_parts_under_way() {
    let mut bed = TestBed::new().await;
    // Slow enough to be caught half-way, and far faster than the limit.
    let slowly = FaultKind::Throttle { bytes_per_second: MIB as u64 };
    bed.fault(Fault::on(UploadPart, slowly).times(u32::MAX));
    let len = 24 * MIB;
    let no = bed.upload(&bed.file("clip.mov", len)).await;
    let sent = bed.until(no, "on its way", |details| details.row.parts_done >= 2).await.row.sent_bytes;
    bed.engine().save_limits(everywhere(bytes(50_000))).await.expect("saved");
    bed.release();
    let start = Instant::now();
    let goal = sent + 8 * MIB as i64;
    let quick =
        bed.until(no, "on", |details| details.row.sent_bytes > goal || start.elapsed() > Duration::from_secs(3));
    let details = quick.await;
    assert!(details.row.sent_bytes <= goal, "{} of {sent} bytes and a little", details.row.sent_bytes);
    bed.engine().save_limits(Limits::default()).await.expect("saved");
    bed.answered(no, &content(len)).await;
    bed.stop().await;
}

#[tokio::test]
async fn requests_per_second_are_kept() {
    let mut bed = limited(requests(10)).await;
    let folder = bed.folder("shoot");
    for n in 0..25 {
        bed.file(&format!("shoot/{n}.jpg"), 1000);
    }
    let added = bed.add(&folder).await;
    for row in bed.batch(added.batch).await {
        assert_eq!(bed.finished(row.no).await.row.phase, Phase::Done);
    }
    assert_eq!(bed.tally(), [(PutObject, 25)]);
    // 24 turns after the first; the log's clock may see the last one a little early.
    assert!(span(&bed, PutObject) >= Duration::from_millis(2_200), "{:?}", span(&bed, PutObject));
    bed.stop().await;
}

#[tokio::test]
async fn repeats_count_as_requests() {
    let mut bed = limited(requests(2)).await;
    let busy = FaultKind::Status { status: 500, code: "InternalError".into(), retry_after_seconds: None };
    bed.fault(Fault::on(UploadPart, busy).times(2));
    let no = bed.upload(&bed.file("clip.mov", 2 * MIB)).await;
    bed.answered(no, &content(2 * MIB)).await;
    assert_eq!(bed.requests(UploadPart).len(), 4);
    assert!(span(&bed, UploadPart) >= Duration::from_millis(1_300), "{:?}", span(&bed, UploadPart));
    bed.stop().await;
}

#[tokio::test]
async fn a_paced_body_is_never_given_up_as_stalled() {
    let mut bed = TestBed::with(|config| {
        config.stall = Duration::from_millis(300);
        // Four parts share this, so each waits longer than the stall for its next piece.
        config.limit = bytes(4_096);
        config.part_size_bytes = 100 << 10;
    })
    .await;
    let len = 400 << 10;
    let no = bed.upload(&bed.file("clip.mov", len)).await;
    let start = Instant::now();
    let look = |details: &waybill_engine::view::UploadDetails| {
        details.row.phase == Phase::Failed || start.elapsed() > Duration::from_secs(4)
    };
    bed.until(no, "four seconds old", look).await;
    assert_eq!(bed.requests(UploadPart).len(), 0, "no part has ended, so none was given up");
    bed.engine().pause(no).await.expect("paused");
    bed.until_phase(no, Phase::Paused).await;
    bed.stop().await;
}

#[tokio::test]
async fn a_destinations_own_limit_counts_for_it_alone_and_outlives_a_restart() {
    let mut bed = TestBed::new().await;
    let rules = LimitRules { usual: bytes(300_000), timetable: Vec::new() };
    let limits = Limits {
        destinations: vec![DestinationLimits { destination_id: DESTINATION.into(), rules }],
        ..Limits::default()
    };
    bed.engine().save_limits(limits.clone()).await.expect("saved");
    bed.stop().await;
    bed.start().await;
    assert_eq!(bed.engine().limits().await.expect("limits"), limits);
    let free = bed.destination("test-secret").await;
    let start = Instant::now();
    let slow = bed.upload(&bed.file("slow.mov", MIB)).await;
    let fast = bed.upload_to(&bed.file("fast.mov", 40 * MIB), &free.id).await;
    assert_eq!(bed.finished(fast).await.row.phase, Phase::Done);
    assert_ne!(bed.details(slow).await.row.phase, Phase::Failed);
    assert_eq!(bed.finished(slow).await.row.phase, Phase::Done);
    assert!(start.elapsed() >= Duration::from_millis(3_100), "{:?}", start.elapsed());
    bed.stop().await;
}

#[tokio::test]
async fn the_timetable_counts_by_local_time_now() {
    let mut bed = TestBed::new().await;
    let always = TimedLimit { days: (1..=7).collect(), from_minute: 0, until_minute: 1440, limit: bytes(300_000) };
    let mut limits = everywhere(bytes(1024));
    limits.everywhere.timetable = vec![always];
    bed.engine().save_limits(limits).await.expect("saved");
    let start = Instant::now();
    let no = bed.upload(&bed.file("clip.mov", MIB)).await;
    // 1,000 s at what is usual.
    bed.answered(no, &content(MIB)).await;
    assert!(start.elapsed() >= Duration::from_millis(3_100), "{:?}", start.elapsed());
    bed.stop().await;
}

#[tokio::test]
async fn limits_that_cannot_be_kept_are_refused_and_those_of_no_destination_are_dropped() {
    let mut bed = TestBed::new().await;
    let refused = bed.engine().save_limits(everywhere(bytes(0))).await.expect_err("standing still");
    assert!(refused.to_string().contains("1 KiB per second"), "{refused}");
    assert_eq!(bed.engine().limits().await.expect("limits"), Limits::default());
    let gone = DestinationLimits { destination_id: "gone".into(), rules: LimitRules::default() };
    let saved =
        bed.engine().save_limits(Limits { destinations: vec![gone], ..Limits::default() }).await.expect("saved");
    assert_eq!(saved, Limits::default());
    bed.stop().await;
}

#[tokio::test]
async fn with_no_settings_64_small_files_are_in_flight_while_the_server_takes_its_time() {
    let mut bed = TestBed::with(|config| {
        config.parallel = 128;
        config.part_size_bytes = 0;
    })
    .await;
    bed.callback(None).await;
    let files = 400;
    let folder = bed.folder("shoot");
    for n in 0..files {
        bed.file(&format!("shoot/{n}.jpg"), 1000);
    }
    // As on a far line: time in which more could be in flight.
    bed.fault(Fault::on(PutObject, FaultKind::Delay { ms: 400 }).times(u32::MAX));
    let added = bed.add(&folder).await;
    for row in bed.batch(added.batch).await {
        assert_eq!(bed.finished(row.no).await.row.phase, Phase::Done);
    }
    let mut began: Vec<i64> = bed.requests(PutObject).iter().map(|entry| entry.at_ms).collect();
    began.sort_unstable();
    // Each is in flight for at least the delay after it came.
    let at_once = began.iter().map(|at| began.iter().filter(|other| (*at..at + 400).contains(*other)).count()).max();
    assert!(at_once.expect("requests") >= 64, "{at_once:?} at once");
    bed.stop().await;
}

#[tokio::test]
async fn a_small_file_does_not_wait_for_the_end_of_a_huge_one() {
    let mut bed = TestBed::with(|config| config.parallel = 2).await;
    bed.fault(Fault::on(UploadPart, FaultKind::Delay { ms: 150 }).times(u32::MAX));
    let huge = bed.upload(&bed.file("clip.mov", 30 * MIB)).await;
    bed.until(huge, "on its way", |details| details.row.parts_done >= 1).await;
    let small = bed.upload(&bed.file("a.jpg", 1000)).await;
    assert_eq!(bed.finished(small).await.row.phase, Phase::Done);
    let parts = bed.details(huge).await.row.parts_done;
    assert!(parts < 20, "{parts} of 30 parts went before a file of 1,000 bytes");
    bed.release();
    bed.answered(huge, &content(30 * MIB)).await;
    bed.stop().await;
}

#[tokio::test]
async fn an_upload_that_goes_on_keeps_the_part_size_it_began_with() {
    let mut bed = TestBed::new().await;
    let path = bed.file("clip.mov", 6 * MIB);
    let no = bed.half_way(&path).await;
    bed.stop().await;
    bed.release();
    bed.config.part_size_bytes = 2 * MIB as u64;
    bed.start().await;
    bed.answered(no, &content(6 * MIB)).await;
    let numbers: Vec<u32> = bed.parts_stored().into_iter().map(|(number, _)| number).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    bed.stop().await;
}
