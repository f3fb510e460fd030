//! Callbacks sent again by the many: those of one profile alone.

use waybill_engine::view::{CallbackBadge, CallbackProfileDraft, Phase, ResendSelection};
use waybill_tests::{TestBed, callback_to};

use crate::resend::broken;

/// A profile with this name, of which everything else is the same.
async fn profile(bed: &TestBed, name: &str) -> String {
    let form = callback_to(&bed.sandbox.info().callback_url);
    let draft = CallbackProfileDraft { id: None, name: name.into(), form };
    bed.engine().save_callback_profile(draft).await.expect("it is saved").id
}

/// Stores as many files, whose callbacks fail; answers with their numbers.
async fn failed(bed: &TestBed, folder: &str, files: usize, profile_id: Option<&str>) -> Vec<i64> {
    for n in 0..files {
        bed.file(&format!("{folder}/{n}.jpg"), 100 + n);
    }
    let path = bed.dir.path().join("files").join(folder);
    let added = bed.engine().add_paths_asking(vec![path], None, profile_id.map(str::to_owned)).await.expect("queued");
    let stored = async || {
        let rows = bed.batch(added.batch).await;
        rows.iter().all(|row| row.phase == Phase::Done).then_some(rows)
    };
    let rows = bed.look_for("stored files", stored).await;
    assert!(rows.len() == files && rows.iter().all(|row| row.callback_bad), "{rows:#?}");
    rows.into_iter().map(|row| row.no).collect()
}

async fn bad(bed: &TestBed, profile_id: Option<&str>) -> i64 {
    bed.engine().callback_times(profile_id.map(str::to_owned)).await.expect("times").bad
}

async fn resend(bed: &TestBed, selection: ResendSelection) -> i64 {
    bed.engine().resend_callbacks(selection).await.expect("asked for")
}

/// Waits until nothing is on its way again.
async fn until_quiet(bed: &TestBed) {
    let quiet = async || (bed.engine().counts().await.expect("counts").calling_again == 0).then_some(());
    bed.look_for("nothing is on its way", quiet).await;
}

async fn badges(bed: &TestBed, numbers: &[i64]) -> Vec<CallbackBadge> {
    let mut badges = Vec::new();
    for no in numbers {
        badges.push(bed.details(*no).await.row.callback);
    }
    badges
}

fn answered(badges: &[CallbackBadge]) -> usize {
    badges.iter().filter(|badge| matches!(badge, CallbackBadge::Answered { .. })).count()
}

#[tokio::test]
async fn all_that_failed_of_one_profile_are_sent_again_and_those_of_others_stay_as_they_are() {
    let mut bed = TestBed::new().await;
    let (orders, invoices) = (profile(&bed, "Orders").await, profile(&bed, "Invoices").await);
    broken(&bed, u32::MAX);
    let ours = failed(&bed, "orders", 3, Some(&orders)).await;
    let theirs = failed(&bed, "invoices", 2, Some(&invoices)).await;
    let nobodys = failed(&bed, "own", 1, None).await;
    assert_eq!((bad(&bed, Some(&orders)).await, bad(&bed, Some(&invoices)).await, bad(&bed, None).await), (3, 2, 6));
    bed.release();
    assert_eq!(resend(&bed, ResendSelection::AllBadOf { profile_id: "nobody".into() }).await, 0);
    // One that was settled needs nobody, whichever profile it asks for.
    bed.engine().settle_callbacks(vec![ours[2]]).await.expect("settled");
    assert_eq!(resend(&bed, ResendSelection::AllBadOf { profile_id: orders.clone() }).await, 2);
    until_quiet(&bed).await;
    assert_eq!(answered(&badges(&bed, &ours[..2]).await), 2);
    let others = [&ours[2..], &theirs[..], &nobodys[..]].concat();
    assert_eq!(answered(&badges(&bed, &others).await), 0);
    assert_eq!(bed.sandbox.callbacks().len(), 6 + 2);
    assert_eq!((bad(&bed, Some(&orders)).await, bad(&bed, Some(&invoices)).await, bad(&bed, None).await), (0, 2, 3));
    bed.stop().await;
}
