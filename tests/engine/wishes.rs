//! What a user may ask of an upload under way: pause, resume, cancel, retry, and what is refused.

use waybill_engine::Code;
use waybill_engine::view::{CallbackBadge, Phase};
use waybill_sandbox::Operation::{
    AbortMultipartUpload, CompleteMultipartUpload, InitiateMultipartUpload, ListParts, PutObject, UploadPart,
};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{MIB, TestBed, content, each_once};

/// Six parts.
const LEN: usize = 5 * MIB + 77;

#[tokio::test]
async fn pause_while_sending_keeps_the_stored_parts_and_resume_sends_the_rest() {
    let mut bed = TestBed::new().await;
    let no = bed.half_way(&bed.file("clip.mov", LEN)).await;
    bed.engine().pause(no).await.unwrap();
    bed.release_given_up(2).await;
    let paused = bed.details(no).await;
    assert_eq!((paused.row.phase, paused.row.parts_done), (Phase::Paused, 4));
    assert_eq!(bed.open_uploads(), bed.upload_ids());
    bed.engine().resume(no).await.unwrap();
    bed.answered(no, &content(LEN)).await;
    assert_eq!(bed.parts_stored(), each_once(6));
    assert_eq!(
        bed.tally(),
        [(InitiateMultipartUpload, 1), (UploadPart, 8), (ListParts, 1), (CompleteMultipartUpload, 1)]
    );
    bed.stop().await;
}

#[tokio::test]
async fn pause_and_cancel_are_refused_while_oss_is_finishing() {
    let mut bed = TestBed::new().await;
    bed.hold(CompleteMultipartUpload);
    let no = bed.upload(&bed.file("clip.mov", LEN)).await;
    bed.met(1).await;
    assert_eq!(bed.details(no).await.row.phase, Phase::Completing);
    assert_eq!(bed.engine().pause(no).await.unwrap_err().code(), Code::Refused);
    assert_eq!(bed.engine().cancel(no).await.unwrap_err().code(), Code::Refused);
    bed.release();
    bed.answered(no, &content(LEN)).await;
    assert_eq!(bed.requests(CompleteMultipartUpload).len(), 1);
    assert_eq!(bed.engine().cancel(no).await.unwrap_err().code(), Code::Refused, "what is stored is not cancelled");
    bed.stop().await;
}

#[tokio::test]
async fn cancel_while_sending_aborts_the_upload_id_and_leaves_nothing_at_the_server() {
    let mut bed = TestBed::new().await;
    let no = bed.half_way(&bed.file("clip.mov", LEN)).await;
    bed.engine().cancel(no).await.unwrap();
    bed.until_no_open_uploads().await;
    let details = bed.finished(no).await;
    assert_eq!((details.row.phase, &details.row.callback), (Phase::Cancelled, &CallbackBadge::NotSent));
    assert_eq!(bed.object("clip.mov"), None);
    assert_eq!(bed.sandbox.callbacks().len(), 0);
    let aborted = bed.requests(AbortMultipartUpload);
    assert_eq!(aborted.last().unwrap().upload_id.as_ref(), Some(&bed.upload_ids()[0]));
    assert_eq!(bed.engine().resume(no).await.unwrap_err().code(), Code::Refused);
    bed.stop().await;
}

#[tokio::test]
async fn an_abort_that_fails_is_remembered_and_made_at_the_next_start() {
    let mut bed = TestBed::new().await;
    let mine = bed.destination("test-secret").await;
    bed.hold_part(2);
    let no = bed.upload_to(&bed.file("clip.mov", 2 * MIB), &mine.id).await;
    bed.met(1).await;
    let trouble = FaultKind::Status { status: 500, code: "InternalError".into(), retry_after_seconds: None };
    bed.fault(Fault::on(AbortMultipartUpload, trouble).times(3));
    bed.engine().cancel(no).await.unwrap();
    bed.met(4).await;
    bed.stop().await;
    assert_eq!(bed.open_uploads(), bed.upload_ids());
    bed.release_given_up(1).await;
    bed.start().await;
    bed.until_no_open_uploads().await;
    assert_eq!(bed.details(no).await.row.phase, Phase::Cancelled);
    bed.stop().await;
}

#[tokio::test]
async fn cancel_of_a_paused_upload_aborts_its_upload_id() {
    let mut bed = TestBed::new().await;
    let no = bed.half_way(&bed.file("clip.mov", LEN)).await;
    bed.engine().pause(no).await.unwrap();
    bed.release_given_up(2).await;
    bed.engine().cancel(no).await.unwrap();
    bed.until_no_open_uploads().await;
    assert_eq!(bed.requests(AbortMultipartUpload).len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn retry_of_a_failed_upload_goes_on_when_its_reason_is_gone() {
    let mut bed = TestBed::new().await;
    let refusal = FaultKind::Status { status: 403, code: "AccessDenied".into(), retry_after_seconds: None };
    bed.fault(Fault::on(UploadPart, refusal).part(6));
    let no = bed.upload(&bed.file("clip.mov", LEN)).await;
    let failed = bed.finished(no).await;
    assert_eq!(failed.row.phase, Phase::Failed);
    assert_eq!(failed.row.problem.map(|problem| problem.code), Some(Code::AccessDenied));
    assert_eq!(bed.engine().pause(no).await.unwrap_err().code(), Code::Refused);
    bed.engine().retry(no).await.unwrap();
    bed.answered(no, &content(LEN)).await;
    assert_eq!(bed.upload_ids().len(), 1, "good parts are kept");
    assert_eq!(bed.requests(ListParts).len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn retry_failed_takes_all_that_failed_and_nothing_else() {
    let mut bed = TestBed::new().await;
    let refusal = FaultKind::Status { status: 403, code: "AccessDenied".into(), retry_after_seconds: None };
    for name in ["b.jpg", "c.jpg"] {
        bed.fault(Fault::on(PutObject, refusal.clone()).key(name));
    }
    let mut numbers = Vec::new();
    for name in ["a.jpg", "b.jpg", "c.jpg"] {
        numbers.push(bed.upload(&bed.file(name, 10)).await);
        bed.finished(numbers[numbers.len() - 1]).await;
    }
    assert_eq!(bed.engine().counts().await.unwrap().failed, 2);
    bed.engine().retry_failed().await.unwrap();
    for no in numbers {
        bed.answered(no, &content(10)).await;
    }
    assert_eq!(bed.tally(), [(PutObject, 5)]);
    bed.stop().await;
}

#[tokio::test]
async fn pause_all_stops_what_waits_and_what_sends_and_resume_all_goes_on() {
    let mut bed = TestBed::with(|config| config.parallel = 1).await;
    bed.fault(Fault::on(UploadPart, FaultKind::Stall).times(u32::MAX));
    let mut numbers = Vec::new();
    for n in 0..5 {
        numbers.push(bed.upload(&bed.file(&format!("{n}.mov"), MIB + 1 + n)).await);
    }
    bed.met(1).await;
    bed.engine().pause_all().await.unwrap();
    let counts = bed.engine().counts().await.unwrap();
    assert_eq!((counts.paused, counts.uploading, counts.waiting), (5, 0, 0));
    bed.release_given_up(bed.sandbox.faults().taken() as usize).await;
    bed.engine().resume_all().await.unwrap();
    for (n, no) in numbers.into_iter().enumerate() {
        let details = bed.finished(no).await;
        assert!(details.row.verified, "{details:#?}");
        bed.expect_object(&format!("{n}.mov"), &content(MIB + 1 + n));
        assert_eq!(bed.callbacks_for(&format!("{n}.mov")), 1);
    }
    assert_eq!(bed.parts_stored(), [(1, 5), (2, 5)]);
    bed.stop().await;
}
