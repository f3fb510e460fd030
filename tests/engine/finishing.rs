//! The finishing request: its answer may be lost, its callback may fail, and it must never run twice unasked.

use waybill_engine::Code;
use waybill_engine::view::{CallbackBadge, Phase, UploadDetails};
use waybill_sandbox::Operation::{
    Callback, CompleteMultipartUpload, HeadObject, InitiateMultipartUpload, ListParts, PutObject, UploadPart,
};
use waybill_sandbox::{Fault, FaultKind, Operation};
use waybill_tests::{MIB, TestBed, content};

const LEN: usize = 2 * MIB + 9;

/// Uploads a file of three parts.
async fn multipart(bed: &TestBed) -> UploadDetails {
    let no = bed.upload(&bed.file("clip.mov", LEN)).await;
    bed.finished(no).await
}

fn tally_of(list_parts: usize, complete: usize, head: usize) -> Vec<(Operation, usize)> {
    let counts = [
        (InitiateMultipartUpload, 1),
        (UploadPart, 3),
        (ListParts, list_parts),
        (CompleteMultipartUpload, complete),
        (HeadObject, head),
    ];
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

#[tokio::test]
async fn a_lost_complete_answer_is_settled_and_complete_is_not_sent_again() {
    let mut bed = TestBed::new().await;
    bed.fault(Fault::on(CompleteMultipartUpload, FaultKind::LoseAnswer));
    let details = multipart(&bed).await;
    assert_eq!((details.row.phase, details.row.verified), (Phase::Done, true), "{details:#?}");
    assert_eq!(details.row.callback, CallbackBadge::Unknown);
    assert_eq!(details.callback.answer, None);
    assert_eq!(bed.tally(), tally_of(1, 1, 1));
    assert_eq!(bed.sandbox.callbacks().len(), 1);
    bed.expect_object("clip.mov", &content(LEN));
    bed.stop().await;
}

#[tokio::test]
async fn a_lost_complete_answer_without_a_callback_leaves_nothing_unknown() {
    let mut bed = TestBed::new().await;
    bed.callback(None).await;
    bed.fault(Fault::on(CompleteMultipartUpload, FaultKind::LoseAnswer));
    let details = multipart(&bed).await;
    assert_eq!((details.row.phase, &details.row.callback), (Phase::Done, &CallbackBadge::NotRequested));
    assert_eq!(bed.tally(), tally_of(1, 1, 1));
    bed.stop().await;
}

/// Complete meets a fault that keeps it from being carried out: the UploadId is still there at so many looks.
async fn complete_is_not_carried_out(fault: FaultKind, looks: usize) {
    let mut bed = TestBed::new().await;
    bed.fault(Fault::on(CompleteMultipartUpload, fault));
    let no = bed.upload(&bed.file("clip.mov", LEN)).await;
    bed.answered(no, &content(LEN)).await;
    assert_eq!(bed.tally(), tally_of(looks, 2, 0));
    bed.stop().await;
}

#[tokio::test]
async fn a_complete_that_never_arrived_is_sent_again_after_two_looks() {
    complete_is_not_carried_out(FaultKind::CloseAfterBytes { bytes: 1 }, 2).await;
}

#[tokio::test]
async fn a_complete_answered_with_500_is_sent_again_after_a_look() {
    let fault = FaultKind::Status { status: 500, code: "InternalError".into(), retry_after_seconds: None };
    // An answer, if a bad one, says that OSS is no longer at work: there is nothing to wait for.
    complete_is_not_carried_out(fault, 1).await;
}

#[tokio::test]
async fn a_complete_refused_because_the_upload_id_is_gone_is_settled_by_the_object() {
    let mut bed = TestBed::new().await;
    let refusal = FaultKind::Status { status: 404, code: "NoSuchUpload".into(), retry_after_seconds: None };
    bed.fault(Fault::on(CompleteMultipartUpload, refusal.clone()));
    bed.fault(Fault::on(ListParts, refusal));
    let details = multipart(&bed).await;
    assert_eq!(details.row.phase, Phase::Failed, "{details:#?}");
    assert_eq!(details.row.problem.map(|problem| problem.code), Some(Code::NotStored));
    assert_eq!(bed.tally(), tally_of(1, 1, 1));
    assert_eq!(bed.object("clip.mov"), None);
    // Told so, the user tries again: from the beginning, since the parts are gone.
    bed.engine().retry(details.row.no).await.unwrap();
    let again = bed.finished(details.row.no).await;
    assert_eq!(again.row.phase, Phase::Done, "{again:#?}");
    assert_eq!(bed.upload_ids().len(), 2);
    assert_eq!(bed.callbacks_for("clip.mov"), 1);
    bed.stop().await;
}

#[tokio::test]
async fn the_same_content_at_the_key_before_does_not_pass_for_ours() {
    let mut bed = TestBed::new().await;
    bed.stored(&bed.file("clip.mov", LEN)).await;
    bed.fault(Fault::on(CompleteMultipartUpload, FaultKind::CloseAfterBytes { bytes: 1 }));
    let no = bed.upload(&bed.file("clip.mov", LEN)).await;
    let details = bed.finished(no).await;
    // Equal bytes were there before Complete arrived; only the UploadId tells that it had not.
    assert!(matches!(details.row.callback, CallbackBadge::Answered { .. }), "{details:#?}");
    assert_eq!(bed.callbacks_for("clip.mov"), 2);
    assert_eq!(bed.requests(HeadObject).len(), 0);
    bed.stop().await;
}

#[tokio::test]
async fn a_lost_put_answer_is_settled_and_the_file_is_not_sent_again() {
    let mut bed = TestBed::new().await;
    bed.fault(Fault::on(PutObject, FaultKind::LoseAnswer));
    let details = bed.stored(&bed.file("a.jpg", 1000)).await;
    assert_eq!((&details.row.callback, details.row.verified), (&CallbackBadge::Unknown, true));
    assert_eq!(bed.tally(), [(PutObject, 1), (HeadObject, 1)]);
    assert_eq!(bed.sandbox.callbacks().len(), 1);
    bed.expect_object("a.jpg", &content(1000));
    bed.stop().await;
}

#[tokio::test]
async fn a_put_that_arrived_whole_but_was_not_stored_is_sent_again_after_two_looks() {
    let mut bed = TestBed::new().await;
    bed.fault(Fault::on(PutObject, FaultKind::CloseAfterBytes { bytes: u64::MAX }));
    let no = bed.upload(&bed.file("a.jpg", 1000)).await;
    bed.answered(no, &content(1000)).await;
    assert_eq!(bed.tally(), [(PutObject, 2), (HeadObject, 2)]);
    bed.stop().await;
}

/// The receiver misbehaves: the file is stored all the same, and the row shows both.
async fn callback_fails(fault: FaultKind, expected_ec: &str, expected_message: &str) {
    callback_fails_before(TestBed::new().await, fault, expected_ec, expected_message).await;
}

async fn callback_fails_before(mut bed: TestBed, fault: FaultKind, expected_ec: &str, expected_message: &str) {
    for (name, len) in [("a.jpg", 1000), ("clip.mov", LEN)] {
        bed.fault(Fault::on(Callback, fault.clone()));
        let details = bed.stored(&bed.file(name, len)).await;
        assert!(details.row.verified, "{details:#?}");
        let CallbackBadge::Failed { ec, message } = &details.row.callback else { panic!("{details:#?}") };
        assert_eq!(ec.as_deref(), Some(expected_ec));
        assert!(message.contains(expected_message), "{message}");
        let answer = details.callback.answer.as_deref().expect("OSS's answer");
        assert!(answer.contains(expected_ec) && answer.contains("<Error>"), "{answer}");
        assert_eq!(details.callback.answer_type.as_deref(), Some("application/xml"));
        bed.expect_object(name, &content(len));
        assert_eq!(bed.callbacks_for(name), 1, "OSS calls once");
    }
    let counts = bed.engine().counts().await.unwrap();
    assert_eq!((counts.stored, counts.callback_failed, counts.failed), (2, 2, 0));
    let expected = [(PutObject, 1), (InitiateMultipartUpload, 1), (UploadPart, 3), (CompleteMultipartUpload, 1)];
    assert_eq!(bed.tally(), expected);
    bed.stop().await;
}

#[tokio::test]
async fn a_callback_answered_with_500_fails_beside_a_stored_file() {
    let fault = FaultKind::CallbackStatus { status: 500, body: "{}".into() };
    callback_fails(fault, "0007-00000203", "Error status : 500.").await;
}

#[tokio::test]
async fn a_callback_that_is_not_answered_in_time_fails_beside_a_stored_file() {
    let hurried = TestBed::facing(|tuning| tuning.callback_limit = std::time::Duration::from_millis(500)).await;
    callback_fails_before(hurried, FaultKind::CallbackTimeout, "0007-00000202", "").await;
}

#[tokio::test]
async fn a_callback_answer_that_is_not_json_fails_beside_a_stored_file() {
    callback_fails(FaultKind::CallbackNotJson, "0007-00000205", "").await;
}

#[tokio::test]
async fn a_callback_that_oss_refuses_fails_the_upload_before_anything_is_stored() {
    // The sandbox's own receiver is on this computer, where OSS does not call.
    let mut bed = TestBed::facing(|tuning| tuning.real_address_rules = true).await;
    for (name, len) in [("a.jpg", 1000), ("clip.mov", LEN)] {
        let no = bed.upload(&bed.file(name, len)).await;
        let details = bed.finished(no).await;
        assert_eq!((details.row.phase, &details.row.callback), (Phase::Failed, &CallbackBadge::NotSent));
        let problem = details.row.problem.expect("a reason");
        assert_eq!((problem.code, problem.ec.as_deref()), (Code::CallbackRejected, Some("0007-00000008")));
        assert!(problem.request_id.is_some());
        assert_eq!(bed.object(name), None);
    }
    let expected = [(PutObject, 1), (InitiateMultipartUpload, 1), (UploadPart, 3), (CompleteMultipartUpload, 1)];
    assert_eq!(bed.tally(), expected);
    assert_eq!(bed.sandbox.callbacks().len(), 0);
    bed.stop().await;
}

#[tokio::test]
async fn while_nobody_can_be_asked_the_upload_stays_completing_with_the_reason_and_frees_its_slot() {
    let mut bed = TestBed::with(|config| config.parallel = 1).await;
    let busy = || FaultKind::Status { status: 503, code: "ServiceUnavailable".into(), retry_after_seconds: None };
    bed.fault(Fault::on(CompleteMultipartUpload, FaultKind::LoseAnswer));
    bed.fault(Fault::on(ListParts, busy()).times(u32::MAX));
    let no = bed.upload(&bed.file("clip.mov", LEN)).await;
    let waiting = bed.until(no, "unsettled", |details| details.row.problem.is_some()).await;
    assert_eq!(waiting.row.phase, Phase::Completing);
    assert_eq!(waiting.row.problem.map(|problem| problem.code), Some(Code::ServerBusy));
    assert!(waiting.row.retry_at_ms.is_some());
    // Others go on meanwhile.
    bed.stored(&bed.file("other.txt", 10)).await;
    bed.sandbox.faults().clear();
    let details = bed.finished(no).await;
    assert_eq!((details.row.phase, &details.row.callback), (Phase::Done, &CallbackBadge::Unknown), "{details:#?}");
    assert_eq!(
        bed.tally().into_iter().find(|(operation, _)| *operation == CompleteMultipartUpload).map(|(_, n)| n),
        Some(1)
    );
    bed.stop().await;
}
