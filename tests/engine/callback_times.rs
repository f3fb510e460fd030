//! How the last callbacks went, and those that somebody has settled.

use std::time::Duration;

use tokio::time::timeout;
use waybill_engine::view::{CallbackBadge, CallbackProfileForm, Comparison, Expectation, ResendSelection};
use waybill_sandbox::Operation::{Callback, PutObject};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{LIMIT, TestBed, callback_to, key};

use crate::resend::{ask, broken};

#[tokio::test]
async fn every_call_is_counted_once_in_its_order_with_what_failed_and_a_call_that_was_not_made_is_none() {
    let mut bed = TestBed::new().await;
    let wants = Expectation { pointer: "/status".into(), comparison: Comparison::Equals, value: "ok".into() };
    let to_receiver = callback_to(&bed.sandbox.info().callback_url);
    bed.callback(Some(CallbackProfileForm { expectations: vec![wants], ..to_receiver })).await;
    let answer = |status: u16, body: &str| {
        bed.fault(Fault::on(Callback, FaultKind::CallbackStatus { status, body: body.into() }));
    };
    answer(200, r#"{"status":"ok"}"#);
    bed.stored(&bed.file("well.jpg", 10)).await;
    answer(200, r#"{"status":"busy"}"#);
    bed.stored(&bed.file("not-as-expected.jpg", 10)).await;
    bed.fault(Fault::on(PutObject, FaultKind::LoseAnswer));
    bed.stored(&bed.file("unknown.jpg", 10)).await;
    broken(&bed, 2);
    let failed = bed.stored(&bed.file("failed.jpg", 10)).await.row.no;
    bed.stored(&bed.file("failed-too.jpg", 10)).await;
    bed.client().delete_object(&key("failed.jpg"), None).await.expect("deleted");
    ask(&bed, failed).await;
    bed.calls(failed, 2).await;
    let times = bed.engine().callback_times(None).await.expect("times");
    let well: Vec<bool> = times.calls.iter().map(|call| call.ok).collect();
    assert_eq!(well, [true, false, false, false, false]);
    assert!(times.calls.is_sorted_by_key(|call| call.at_ms), "{times:?}");
    let failures: Vec<_> = times.failures.iter().map(|of| (of.ec.as_str(), of.count)).collect();
    assert_eq!(failures, [("0007-00000203", 2), ("", 1)], "an answer was heard where it was not as expected");
    bed.stop().await;
}

#[tokio::test]
async fn only_what_is_settled_needs_nobody_until_it_is_sent_again_and_fails() {
    let mut bed = TestBed::new().await;
    broken(&bed, 2);
    let settled = bed.stored(&bed.file("settled.jpg", 10)).await.row.no;
    let other = bed.stored(&bed.file("other.jpg", 10)).await.row.no;
    let well = bed.stored(&bed.file("well.jpg", 10)).await.row.no;
    for _ in 0..2 {
        bed.engine().settle_callbacks(vec![settled, well]).await.expect("settled");
    }
    bed.stop().await;
    bed.start().await;
    let lines = async |no: i64| {
        let log = bed.details(no).await.log;
        log.iter().filter(|line| line.what == "callbackSettled").count()
    };
    assert_eq!((lines(settled).await, lines(other).await, lines(well).await), (1, 0, 0));
    let bad = async |no: i64| bed.details(no).await.row.callback_bad;
    assert_eq!((bad(settled).await, bad(other).await, bad(well).await), (false, true, false));
    assert_eq!(bed.engine().counts().await.expect("counts").callback_failed, 1);
    broken(&bed, 1);
    ask(&bed, settled).await;
    let again = bed.calls(settled, 2).await;
    assert!(matches!(again.row.callback, CallbackBadge::Failed { .. }) && again.row.callback_bad, "{again:#?}");
    assert_eq!(bed.engine().resend_callbacks(ResendSelection::AllBad).await.expect("asked for"), 2);
    bed.calls(settled, 3).await;
    bed.calls(other, 2).await;
    bed.stop().await;
}

#[tokio::test]
async fn whoever_looks_is_told_that_a_callback_was_settled() {
    let mut bed = TestBed::new().await;
    broken(&bed, 1);
    let no = bed.stored(&bed.file("a.jpg", 10)).await.row.no;
    // What is still to be told of the upload itself must not be taken for this.
    while timeout(Duration::from_secs(1), bed.engine().next_changes()).await.is_ok() {}
    bed.engine().settle_callbacks(vec![no]).await.expect("settled");
    let told = timeout(LIMIT, bed.engine().next_changes()).await.expect("it is told").expect("the engine runs");
    assert!(told.reload && told.counts.callback_failed == 0, "{told:#?}");
    bed.stop().await;
}
