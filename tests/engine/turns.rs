//! Whose turn it is: order of age, what a user moves to the front or the back, and a huge file among many small ones.

use waybill_engine::view::{Filter, Phase, UploadSelection, Wish};
use waybill_sandbox::Operation::{InitiateMultipartUpload, PutObject};
use waybill_tests::{MIB, TestBed};

/// Slots of an engine that sends one request at a time: one that sends and two that are ready.
const SLOTS: usize = 3;

/// An engine whose first upload is held at the server, two more have a slot, and the others wait.
async fn waiting(names: &[&str]) -> (TestBed, Vec<i64>) {
    let bed = TestBed::with(|config| config.parallel = 1).await;
    bed.hold(PutObject);
    let mut numbers = Vec::new();
    for name in names {
        numbers.push(bed.upload(&bed.file(name, 1000)).await);
        if numbers.len() == 1 {
            bed.met(1).await;
        }
    }
    for no in &numbers[1..SLOTS] {
        bed.until_phase(*no, Phase::Starting).await;
    }
    (bed, numbers)
}

fn only(numbers: &[i64]) -> UploadSelection {
    UploadSelection { numbers: numbers.to_vec(), ..UploadSelection::all() }
}

/// Keys in the order in which they were sent; of those that had a slot from the beginning in the order of their names, since
/// they are opened at the same time.
fn put_keys(bed: &TestBed) -> Vec<String> {
    let mut keys: Vec<String> = bed.requests(PutObject).into_iter().filter_map(|request| request.key).collect();
    keys[..SLOTS].sort();
    keys
}

#[tokio::test]
async fn what_is_moved_to_the_front_goes_before_older_ones_and_what_is_moved_back_goes_last() {
    let (mut bed, numbers) = waiting(&["a", "b", "c", "d", "e", "f", "g", "h"]).await;
    bed.engine().wish_many(only(&numbers[6..7]), Wish::First).await.unwrap();
    bed.engine().wish_many(only(&numbers[3..4]), Wish::Last).await.unwrap();
    bed.release();
    for no in &numbers {
        assert_eq!(bed.finished(*no).await.row.phase, Phase::Done);
    }
    assert_eq!(put_keys(&bed), ["a", "b", "c", "g", "e", "f", "h", "d"]);
    bed.stop().await;
}

#[tokio::test]
async fn in_order_again_forgets_what_was_moved() {
    let (mut bed, numbers) = waiting(&["a", "b", "c", "d", "e", "f"]).await;
    bed.engine().wish_many(only(&numbers[5..]), Wish::First).await.unwrap();
    bed.engine().wish_many(UploadSelection::all(), Wish::InOrder).await.unwrap();
    bed.release();
    for no in &numbers {
        bed.finished(*no).await;
    }
    assert_eq!(put_keys(&bed), ["a", "b", "c", "d", "e", "f"]);
    bed.stop().await;
}

#[tokio::test]
async fn a_wish_for_what_a_search_shows_leaves_the_rest_alone() {
    let (mut bed, numbers) = waiting(&["a.jpg", "b.jpg", "c.jpg", "raw-d.jpg", "e.jpg", "raw-f.jpg"]).await;
    let shown = UploadSelection { search: "raw-".into(), ..UploadSelection::all() };
    bed.engine().wish_many(shown.clone(), Wish::Pause).await.unwrap();
    bed.release();
    for at in [0, 1, 2, 4] {
        assert_eq!(bed.finished(numbers[at]).await.row.phase, Phase::Done);
    }
    for at in [3, 5] {
        assert_eq!(bed.details(numbers[at]).await.row.phase, Phase::Paused);
    }
    bed.engine().wish_many(UploadSelection { filter: Filter::Paused, ..shown }, Wish::Resume).await.unwrap();
    for at in [3, 5] {
        assert_eq!(bed.finished(numbers[at]).await.row.phase, Phase::Done);
    }
    bed.stop().await;
}

#[tokio::test]
async fn pausing_what_waits_does_not_stop_what_has_a_slot_though_its_row_still_waits() {
    let (mut bed, numbers) = waiting(&["a", "b", "c", "d", "e"]).await;
    let waiting = UploadSelection { filter: Filter::Waiting, ..UploadSelection::all() };
    bed.engine().wish_many(waiting, Wish::Pause).await.unwrap();
    let counts = bed.engine().counts().await.unwrap();
    assert_eq!((counts.uploading, counts.waiting, counts.paused), (3, 0, 2));
    bed.release();
    for no in &numbers[..SLOTS] {
        assert_eq!(bed.finished(*no).await.row.phase, Phase::Done);
    }
    bed.stop().await;
}

#[tokio::test]
async fn a_huge_file_behind_many_small_ones_gets_the_next_slot() {
    let (mut bed, mut numbers) = waiting(&["a", "b", "c", "d", "e", "f"]).await;
    numbers.push(bed.upload(&bed.file("huge.mov", 9 * MIB)).await);
    bed.release();
    for no in &numbers {
        assert_eq!(bed.finished(*no).await.row.phase, Phase::Done);
    }
    let began = bed.requests(InitiateMultipartUpload)[0].at_ms;
    let fifth = bed.requests(PutObject).into_iter().find(|request| request.key.as_deref() == Some("e"));
    assert!(began <= fifth.unwrap().at_ms, "the huge file waited for the small ones");
    bed.stop().await;
}
