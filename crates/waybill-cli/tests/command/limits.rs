//! `--part-size`, `--parallel`, `--limit` and `--requests-per-second` are kept to.

use std::time::{Duration, Instant};

use waybill_sandbox::{Fault, FaultKind, Operation};

use crate::bed::{Bed, all, content};
use crate::running::{Running, run};

#[tokio::test(flavor = "multi_thread")]
async fn the_part_size_decides_how_many_parts_there_are() {
    let bed = Bed::start().await;
    let len = (5 << 20) + 1;
    let file = bed.file("clip.mov", len);
    for (number, (size, parts)) in [("1MiB", 6), ("2097152", 3), ("300k", 18)].into_iter().enumerate() {
        let key = format!("{number}.mov");
        let command = bed.upload(&[&file], &["--part-size", size, "--key", &key]);
        assert_eq!(run(command).await.receipt(0)["size"], len);
        let sent: Vec<u64> = bed
            .done(Operation::UploadPart)
            .into_iter()
            .filter(|entry| entry.key.as_deref() == Some(&key))
            .map(|entry| entry.bytes_received)
            .collect();
        assert_eq!((sent.len(), sent.iter().sum::<u64>()), (parts, len as u64), "{size}: {sent:?}");
        assert_eq!(bed.object(&key), Some(content(len)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_one_part_is_one_request() {
    let bed = Bed::start().await;
    let file = bed.file("clip.mov", 2 << 20);
    run(bed.upload(&[&file], &["--part-size", "2MiB"])).await.receipt(0);
    let operations: Vec<Operation> = bed.sandbox.log().into_iter().map(|entry| entry.operation).collect();
    assert_eq!(operations, [Operation::PutObject]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_parallel_1_no_request_begins_before_the_one_before_has_ended() {
    const DELAY: i64 = 40;
    let bed = Bed::start().await;
    let (one, two) = (bed.file("one.mov", 3 << 20), bed.file("two.mov", 3 << 20));
    let delay = FaultKind::Delay { ms: DELAY.unsigned_abs() };
    bed.sandbox.faults().add(Fault::on(Operation::UploadPart, delay).times(u32::MAX));
    let receipts = run(bed.upload(&[&one, &two], &["--part-size", "1MiB", "--parallel", "1"])).await.receipts(0);
    assert_eq!(all(&receipts, "key"), ["one.mov", "two.mov"]);
    let began: Vec<i64> = bed.done(Operation::UploadPart).iter().map(|entry| entry.at_ms).collect();
    assert_eq!(began.len(), 6);
    // Every request takes at least the delay, so two that begin closer together were in flight together.
    let apart: Vec<i64> = began.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(apart.iter().all(|ms| *ms >= DELAY - 2), "{apart:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_parallel_3_three_requests_are_in_flight_at_once() {
    let bed = Bed::start().await;
    let (one, two) = (bed.file("one.mov", 3 << 20), bed.file("two.mov", 3 << 20));
    bed.hold(Operation::UploadPart, 0);
    let running = Running::start(bed.upload(&[&one, &two], &["--part-size", "1MiB", "--parallel", "3"]));
    bed.until_held(3).await;
    assert_eq!(bed.parts(), [] as [u32; 0], "held requests store nothing");
    bed.sandbox.faults().clear();
    assert_eq!(all(&running.end().await.receipts(0), "key"), ["one.mov", "two.mov"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_limit_no_more_bytes_go_in_a_second() {
    let bed = Bed::start().await;
    let file = bed.file("clip.mov", 2 << 20);
    let start = Instant::now();
    run(bed.upload(&[&file], &["--limit", "1MiB/s"])).await.receipt(0);
    assert!(start.elapsed() >= Duration::from_millis(1_700), "{:?}", start.elapsed());
    assert_eq!(bed.object("clip.mov"), Some(content(2 << 20)));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_requests_per_second_no_more_begin_in_a_second() {
    let bed = Bed::start().await;
    let file = bed.file("clip.mov", 5 << 20);
    run(bed.upload(&[&file], &["--part-size", "1MiB", "--requests-per-second", "5"])).await.receipt(0);
    let mut began: Vec<i64> = bed.done(Operation::UploadPart).iter().map(|entry| entry.at_ms).collect();
    began.sort_unstable();
    assert_eq!(began.len(), 5);
    assert!(began[4] - began[0] >= 650, "{began:?}");
}
