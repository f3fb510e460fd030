//! `Engine::stop` whatever is under way: it returns at once, frees the data folder, and nothing is lost or done twice.

use waybill_engine::view::{CallbackBadge, Phase};
use waybill_sandbox::Operation::{
    AbortMultipartUpload, CompleteMultipartUpload, HeadObject, InitiateMultipartUpload, ListParts, PutObject,
};
use waybill_sandbox::{Fault, FaultKind, Operation};
use waybill_tests::{MIB, TestBed, content, each_once};

/// Stops while the server holds this request, starts again, and expects one whole object and one callback.
async fn stopped_while_held(operation: Operation, len: usize, phase: Phase) -> TestBed {
    let mut bed = TestBed::new().await;
    bed.hold(operation);
    let no = bed.upload(&bed.file("clip.mov", len)).await;
    bed.met(1).await;
    bed.until_phase(no, phase).await;
    bed.stop().await;
    bed.release_given_up(1).await;
    bed.start().await;
    bed.answered(no, &content(len)).await;
    bed
}

#[tokio::test]
async fn stopped_while_starting_the_upload_starts_again() {
    let mut bed = stopped_while_held(InitiateMultipartUpload, 2 * MIB, Phase::Starting).await;
    assert_eq!(bed.parts_tried(), each_once(2));
    bed.stop().await;
}

#[tokio::test]
async fn stopped_while_completing_the_upload_is_settled_and_completed_once() {
    let mut bed = stopped_while_held(CompleteMultipartUpload, 2 * MIB, Phase::Completing).await;
    assert_eq!(bed.parts_tried(), each_once(2));
    // Given up by the first run and not carried out; open twice, so sent again.
    assert_eq!((bed.requests(ListParts).len(), bed.requests(CompleteMultipartUpload).len()), (2, 2));
    bed.stop().await;
}

#[tokio::test]
async fn stopped_after_the_last_byte_of_a_put_that_was_not_stored_the_file_is_sent_again() {
    let mut bed = stopped_while_held(PutObject, 1000, Phase::Completing).await;
    assert_eq!(bed.tally(), [(PutObject, 2), (HeadObject, 2)]);
    bed.stop().await;
}

/// Stops while the server goes on with the finishing request, and expects that its outcome is found out.
async fn stopped_while_oss_goes_on(operation: Operation, len: usize) -> TestBed {
    let mut bed = TestBed::new().await;
    bed.fault(Fault::on(operation, FaultKind::Delay { ms: 1000 }));
    let no = bed.upload(&bed.file("clip.mov", len)).await;
    bed.met(1).await;
    bed.until_phase(no, Phase::Completing).await;
    bed.stop().await;
    bed.start().await;
    let details = bed.finished(no).await;
    assert_eq!((details.row.phase, details.row.verified), (Phase::Done, true), "{details:#?}");
    assert_eq!(details.row.callback, CallbackBadge::Unknown);
    bed.expect_object("clip.mov", &content(len));
    assert_eq!(bed.sandbox.callbacks().len(), 1);
    assert_eq!(bed.requests(operation).len(), 1);
    bed
}

#[tokio::test]
async fn stopped_while_oss_completes_the_outcome_is_found_out_and_complete_is_not_sent_again() {
    let mut bed = stopped_while_oss_goes_on(CompleteMultipartUpload, 2 * MIB).await;
    assert_eq!(bed.parts_tried(), each_once(2));
    bed.stop().await;
}

#[tokio::test]
async fn stopped_while_oss_stores_a_put_the_file_is_not_sent_again() {
    let mut bed = stopped_while_oss_goes_on(PutObject, 1000).await;
    bed.stop().await;
}

#[tokio::test]
async fn stopped_while_the_outcome_is_being_settled_it_is_settled_by_the_next_run() {
    let mut bed = TestBed::new().await;
    bed.fault(Fault::on(CompleteMultipartUpload, FaultKind::LoseAnswer));
    bed.hold(ListParts);
    let no = bed.upload(&bed.file("clip.mov", 2 * MIB)).await;
    bed.met(2).await;
    bed.stop().await;
    bed.release_given_up(1).await;
    bed.start().await;
    let details = bed.finished(no).await;
    assert_eq!((details.row.phase, &details.row.callback), (Phase::Done, &CallbackBadge::Unknown), "{details:#?}");
    assert_eq!((bed.requests(CompleteMultipartUpload).len(), bed.sandbox.callbacks().len()), (1, 1));
    bed.stop().await;
}

#[tokio::test]
async fn stopped_while_paused_the_upload_stays_paused_and_can_be_resumed() {
    let mut bed = TestBed::new().await;
    let no = bed.half_way(&bed.file("clip.mov", 6 * MIB)).await;
    bed.engine().pause(no).await.unwrap();
    bed.release_given_up(2).await;
    bed.stop().await;
    bed.start().await;
    // Whatever is to be started at start has been started when a later upload has gone through.
    bed.stored(&bed.file("later.jpg", 10)).await;
    assert_eq!(bed.details(no).await.row.phase, Phase::Paused);
    bed.engine().resume(no).await.unwrap();
    bed.answered(no, &content(6 * MIB)).await;
    assert_eq!(bed.parts_stored(), each_once(6));
    bed.stop().await;
}

#[tokio::test]
async fn stopped_while_waiting_for_a_retry_the_upload_still_waits_and_keeps_its_reason() {
    let mut bed = TestBed::new().await;
    let busy = FaultKind::Status { status: 503, code: "ServiceUnavailable".into(), retry_after_seconds: Some(600) };
    bed.fault(Fault::on(InitiateMultipartUpload, busy));
    let no = bed.upload(&bed.file("clip.mov", 2 * MIB)).await;
    let waiting = bed.until(no, "waiting", |details| details.row.retry_at_ms.is_some()).await;
    bed.stop().await;
    bed.start().await;
    bed.stored(&bed.file("later.jpg", 10)).await;
    let still = bed.details(no).await;
    assert_eq!((still.row.phase, still.row.retry_at_ms), (Phase::Queued, waiting.row.retry_at_ms));
    assert_eq!(still.row.problem, waiting.row.problem);
    assert_eq!(bed.requests(InitiateMultipartUpload).len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn stopped_while_an_abort_hangs_the_engine_does_not_hang_with_it() {
    let mut bed = TestBed::new().await;
    let mine = bed.destination("test-secret").await;
    bed.hold_part(2);
    let no = bed.upload_to(&bed.file("clip.mov", 2 * MIB), &mine.id).await;
    bed.met(1).await;
    bed.hold(AbortMultipartUpload);
    bed.engine().cancel(no).await.unwrap();
    bed.met(2).await;
    bed.stop().await;
    bed.release_given_up(2).await;
    bed.start().await;
    bed.until_no_open_uploads().await;
    bed.stop().await;
}

#[tokio::test]
async fn stopped_when_everything_is_over_nothing_is_asked_at_the_next_start() {
    let mut bed = TestBed::new().await;
    let done = bed.stored(&bed.file("a.jpg", 10)).await.row.no;
    let path = bed.file("b.jpg", 10);
    bed.fault(Fault::on(
        PutObject,
        FaultKind::Status { status: 403, code: "AccessDenied".into(), retry_after_seconds: None },
    ));
    let failed = bed.upload(&path).await;
    bed.finished(failed).await;
    bed.stop().await;
    bed.start().await;
    bed.stored(&bed.file("later.jpg", 10)).await;
    assert_eq!(bed.details(done).await.row.phase, Phase::Done);
    assert_eq!(bed.details(failed).await.row.phase, Phase::Failed);
    assert_eq!(bed.tally(), [(PutObject, 3)]);
    bed.stop().await;
}
