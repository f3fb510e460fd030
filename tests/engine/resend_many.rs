//! Callbacks sent again by the many: those of one profile alone, how far they have got, and stopped on the way.

use tokio::sync::mpsc;
use waybill_engine::Told;
use waybill_engine::view::{CallbackBadge, Phase, Problem, ResendSelection};
use waybill_sandbox::Operation::UploadPartCopy;
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{LIMIT, TestBed, callback_to};

use crate::resend::broken;

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
    let form = callback_to(&bed.sandbox.info().callback_url);
    let (orders, invoices) = (bed.profile("Orders", form.clone()).await, bed.profile("Invoices", form).await);
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

/// How many are on their way again, and how many of them have ended.
async fn progress(bed: &TestBed) -> (i64, i64) {
    let counts = bed.engine().counts().await.expect("counts");
    (counts.calling_again, counts.called_again)
}

/// No object is copied until all are let go.
fn hold_copies(bed: &TestBed) {
    bed.fault(Fault::on(UploadPartCopy, FaultKind::Stall).times(u32::MAX));
}

/// Twelve that failed are asked for, and the first four are under way.
async fn four_under_way(bed: &TestBed) -> Vec<i64> {
    broken(bed, u32::MAX);
    let numbers = failed(bed, "many", 12, None).await;
    bed.release();
    let met = bed.sandbox.faults().taken();
    hold_copies(bed);
    assert_eq!(resend(bed, ResendSelection::AllBad).await, 12);
    bed.met(met + 4).await;
    numbers
}

#[tokio::test]
async fn those_that_wait_are_dropped_when_stopped_and_those_under_way_end() {
    let mut bed = TestBed::new().await;
    let numbers = four_under_way(&bed).await;
    assert_eq!(progress(&bed).await, (12, 0));
    assert_eq!((bed.engine().stop_resending(), bed.engine().stop_resending()), (8, 0));
    assert_eq!(progress(&bed).await, (4, 0));
    for no in &numbers[4..] {
        let details = bed.details(*no).await;
        assert!(matches!(details.row.callback, CallbackBadge::Failed { .. }) && details.row.callback_bad);
        assert_eq!(details.callback.calls.len(), 1, "nothing was begun, so nothing is told: {details:#?}");
    }
    bed.release();
    until_quiet(&bed).await;
    assert_eq!((answered(&badges(&bed, &numbers[..4]).await), answered(&badges(&bed, &numbers[4..]).await)), (4, 0));
    assert_eq!(bed.sandbox.callbacks().len(), 12 + 4);
    // They can be asked for once more.
    assert_eq!(resend(&bed, ResendSelection::AllBad).await, 8);
    until_quiet(&bed).await;
    assert_eq!(answered(&badges(&bed, &numbers).await), 12);
    assert_eq!(bed.sandbox.callbacks().len(), 12 + 12);
    bed.stop().await;
}

#[tokio::test]
async fn one_that_is_settled_while_it_waits_is_not_called_and_the_others_are_called_once() {
    let mut bed = TestBed::new().await;
    let numbers = four_under_way(&bed).await;
    bed.engine().settle_callbacks(vec![numbers[0], numbers[11]]).await.expect("settled");
    assert_eq!(progress(&bed).await, (11, 0));
    assert_eq!(resend(&bed, ResendSelection::AllBad).await, 0, "all that need somebody are on their way already");
    bed.release();
    until_quiet(&bed).await;
    assert_eq!((answered(&badges(&bed, &numbers[..11]).await), answered(&badges(&bed, &numbers[11..]).await)), (11, 0));
    assert_eq!(bed.sandbox.callbacks().len(), 12 + 11);
    bed.stop().await;
}

#[tokio::test]
async fn how_many_have_ended_is_counted_until_the_last_and_from_the_beginning_next_time() {
    let mut bed = TestBed::new().await;
    broken(&bed, u32::MAX);
    let numbers = failed(&bed, "many", 6, None).await;
    bed.release();
    // One that was answered may be wanted once more all the same.
    let rounds = [(ResendSelection::AllBad, 6), (ResendSelection::These { nos: vec![numbers[5]] }, 1)];
    for (selection, all) in rounds {
        bed.fault(Fault::on(UploadPartCopy, FaultKind::Stall).key("many/5.jpg").times(u32::MAX));
        assert_eq!(resend(&bed, selection).await, all);
        bed.look_for("all but one have ended", async || (progress(&bed).await == (1, all - 1)).then_some(())).await;
        bed.release();
        until_quiet(&bed).await;
    }
    bed.stop().await;
}

/// What a command is told: the number of each upload, and why its callback was not sent again. `meanwhile`: done once it has
/// asked for all.
async fn call_again(
    bed: &TestBed,
    numbers: &[i64],
    meanwhile: impl Future<Output = ()>,
) -> Vec<(i64, Option<Problem>)> {
    let (tell, mut words) = mpsc::channel(64);
    let listening = async {
        let mut told = Vec::new();
        assert!(matches!(words.recv().await, Some(Told::Progress { .. })), "how many there are is told first");
        meanwhile.await;
        while let Some(word) = words.recv().await {
            if let Told::Upload(details) = word {
                let why = details.callback.calls.last().and_then(|call| call.problem.clone());
                told.push((details.row.no, why));
            }
        }
        told.sort_by_key(|(no, _)| *no);
        told
    };
    let both = async { tokio::join!(bed.engine().call_again(numbers.to_vec(), None, tell), listening) };
    let (ended, told) = tokio::time::timeout(LIMIT, both).await.expect("it ends in time");
    ended.expect("it ends well");
    told
}

#[tokio::test]
async fn a_command_hears_of_those_that_somebody_stopped_and_a_later_one_does_not() {
    let mut bed = TestBed::new().await;
    let numbers = four_under_way(&bed).await;
    let stop = async {
        assert_eq!(bed.engine().stop_resending(), 8);
        bed.release();
    };
    let heard = call_again(&bed, &numbers, stop).await;
    assert_eq!(heard.iter().map(|(no, _)| *no).collect::<Vec<_>>(), numbers, "each is told once");
    assert!(heard[..4].iter().all(|(_, why)| why.is_none()), "{heard:#?}");
    let was_stopped = |why: &Option<Problem>| why.as_ref().is_some_and(|why| why.message.contains("it was stopped"));
    assert!(heard[4..].iter().all(|(_, why)| was_stopped(why)), "{heard:#?}");
    // Stopped with nobody who listens.
    let met = bed.sandbox.faults().taken();
    hold_copies(&bed);
    assert_eq!(resend(&bed, ResendSelection::AllBad).await, 8);
    bed.met(met + 4).await;
    assert_eq!(bed.engine().stop_resending(), 4);
    bed.release();
    until_quiet(&bed).await;
    let later = call_again(&bed, &numbers[8..], async {}).await;
    assert!(later.len() == 4 && later.iter().all(|(_, why)| why.is_none()), "{later:#?}");
    bed.stop().await;
}
