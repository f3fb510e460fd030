//! A callback sent again without the file: by hand, with the object as it is, and never a byte of the body twice.

use waybill_engine::Code;
use waybill_engine::view::{
    CallbackBadge, Filter, Phase, ResendPlan, ResendSelection, Scope, UploadDetails, UploadQuery,
};
use waybill_oss::{Acl, BucketName, CopySource, Encryption, FileSlice, MetadataDirective, ObjectHeaders, StorageClass};
use waybill_sandbox::Operation::{
    AbortMultipartUpload, Callback, CompleteMultipartUpload, InitiateMultipartUpload, PutObject, UploadPart,
    UploadPartCopy,
};
use waybill_sandbox::{Fault, FaultKind, Operation};
use waybill_tests::{MIB, TestBed, callback_to, content, key};

pub(crate) const NAME: &str = "clip.mov";

/// The receiver answers 500 as often as this.
pub(crate) fn broken(bed: &TestBed, times: u32) {
    let fault = FaultKind::CallbackStatus { status: 500, body: "{}".into() };
    bed.fault(Fault::on(Callback, fault).times(times));
}

/// A file of this size, stored, whose callback failed; the receiver is well again.
pub(crate) async fn failed(bed: &TestBed, len: usize) -> UploadDetails {
    broken(bed, 1);
    let details = bed.stored(&bed.file(NAME, len)).await;
    assert!(matches!(details.row.callback, CallbackBadge::Failed { .. }) && details.row.callback_bad, "{details:#?}");
    details
}

pub(crate) async fn ask(bed: &TestBed, no: i64) {
    let asked = bed.engine().resend_callbacks(ResendSelection::These { nos: vec![no] }).await.expect("it is asked for");
    assert_eq!(asked, 1);
}

pub(crate) async fn plan(bed: &TestBed, no: i64) -> ResendPlan {
    bed.engine().plan_resend(no).await.expect("a plan")
}

/// Bytes of bodies that the server got in requests that carry a file's bytes.
fn body_bytes(bed: &TestBed) -> u64 {
    let carries = |operation: Operation| matches!(operation, PutObject | UploadPart);
    bed.sandbox.log().iter().filter(|entry| carries(entry.operation)).map(|entry| entry.bytes_received).sum()
}

async fn mended(len: usize) {
    let mut bed = TestBed::new().await;
    let before = failed(&bed, len).await;
    let no = before.row.no;
    let planned = plan(&bed, no).await;
    assert_eq!((planned.size_bytes, planned.problem), (len as i64, None));
    assert_eq!((planned.parts, planned.new_version), (i64::from(len > 0), false));
    let asked = bed.engine().resend_callbacks(ResendSelection::AllBad).await.expect("it is asked for");
    assert_eq!(asked, 1);
    let after = bed.calls(no, 2).await;
    assert!(matches!(after.row.callback, CallbackBadge::Answered { status: 200, .. }), "{after:#?}");
    assert_eq!((after.row.phase, after.row.verified, after.row.callback_bad), (Phase::Done, true, false), "{after:#?}");
    let statuses: Vec<_> = after.callback.calls.iter().map(|call| (call.status, call.problem.is_some())).collect();
    assert_eq!(statuses, [(203, false), (200, false)]);
    assert_eq!(after.callback.calls[0].ec.as_deref(), Some("0007-00000203"));
    assert!(
        after.callback.calls[1].body.contains('{')
            && after.callback.answer.as_ref() == Some(&after.callback.calls[1].body)
    );
    assert!(after.callback.calls[1].headers.iter().any(|header| header.name == "content-type"), "{after:#?}");
    let (object, earlier) = (after.object.expect("an object"), before.object.expect("an object"));
    assert_eq!((object.crc64, object.size_bytes), (earlier.crc64, earlier.size_bytes));
    assert_eq!(body_bytes(&bed), len as u64, "no byte of the file goes twice: {:#?}", bed.sandbox.log());
    assert_eq!((bed.requests(UploadPartCopy).len(), bed.callbacks_for(NAME)), (usize::from(len > 0), 2));
    bed.expect_object(NAME, &content(len));
    bed.until_no_open_uploads().await;
    let head = bed.client().head_object(&key(NAME)).await.expect("answered").expect("there");
    assert_eq!((head.etag, head.content_type.as_deref()), (object.etag, Some("video/quicktime")));
    assert_eq!(bed.engine().counts().await.expect("counts").callback_failed, 0);
    assert!(after.log.iter().any(|line| line.what == "calledAgain"), "{:#?}", after.log);
    bed.stop().await;
}

#[tokio::test]
async fn an_empty_object_is_put_again_and_called_for() {
    mended(0).await;
}

#[tokio::test]
async fn a_byte_is_copied_onto_itself_and_called_for() {
    mended(1).await;
}

#[tokio::test]
async fn an_object_below_the_least_part_is_copied_in_one_part_all_the_same() {
    mended(99 << 10).await;
}

#[tokio::test]
async fn an_object_of_the_least_part_is_copied_in_one_part() {
    mended(100 << 10).await;
}

#[tokio::test]
async fn an_object_of_many_parts_is_copied_without_its_file() {
    mended(2 * MIB + 9).await;
}

#[tokio::test]
async fn the_file_may_be_gone_and_the_program_started_again_meanwhile() {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    bed.stop().await;
    std::fs::remove_file(bed.dir.path().join("files").join(NAME)).expect("the file is there");
    bed.start().await;
    ask(&bed, no).await;
    let after = bed.calls(no, 2).await;
    assert!(matches!(after.row.callback, CallbackBadge::Answered { .. }), "{after:#?}");
    // The same upload number is told, so that the application can see that it is the same file.
    let bodies: Vec<_> = bed.sandbox.callbacks().into_iter().map(|callback| callback.body).collect();
    assert!(bodies.iter().all(|body| body.contains(&format!("\"uploadNo\":\"{no}\""))), "{bodies:?}");
    bed.stop().await;
}

/// Describes the object anew behind the engine's back; bytes, ETag and CRC-64 stay.
async fn describe(bed: &TestBed, headers: &ObjectHeaders) {
    let source = CopySource {
        bucket: BucketName::parse("bucket").expect("a bucket"),
        key: key(NAME),
        version_id: None,
        if_match: None,
    };
    bed.client().copy_object(&key(NAME), &source, MetadataDirective::Replace, headers).await.expect("described");
}

#[tokio::test]
async fn what_the_object_was_described_by_and_kept_as_is_given_again() {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    let wanted = ObjectHeaders {
        cache_control: Some("max-age=60".into()),
        content_disposition: Some("attachment".into()),
        metadata: [("camera".to_owned(), "A 7".to_owned())].into(),
        acl: Some(Acl::PublicRead),
        storage_class: Some(StorageClass::InfrequentAccess),
        encryption: Some(Encryption::Aes256),
        tags: [("shoot".to_owned(), "day 2".to_owned())].into(),
        ..ObjectHeaders::of_type(Some("video/x-own"))
    };
    describe(&bed, &wanted).await;
    ask(&bed, no).await;
    bed.calls(no, 2).await;
    let (_, kept) = bed.told(NAME).await;
    assert_eq!(kept, wanted);
    bed.stop().await;
}

/// It is refused before anything is begun: in the plan, and with the upload when it is asked for all the same.
pub(crate) async fn refused(bed: &TestBed, no: i64, word: &str) {
    let problem = plan(bed, no).await.problem.expect("a reason");
    assert!(problem.code == Code::Refused && problem.message.contains(word), "{problem:?}");
    ask(bed, no).await;
    let after = bed.calls(no, 2).await;
    assert!(matches!(after.row.callback, CallbackBadge::Failed { .. }) && after.row.callback_bad, "{after:#?}");
    let told = after.callback.calls[1].problem.clone().expect("a reason");
    assert!(after.callback.calls[1].status == 0 && told.message.contains(word), "{told:?}");
    assert!(after.callback.answer.expect("the earlier answer").contains("CallbackFailed"));
    assert_eq!((bed.upload_ids().len(), bed.requests(CompleteMultipartUpload).len()), (0, 0));
    assert!(after.log.iter().any(|line| line.what == "notCalledAgain"), "{:#?}", after.log);
}

#[tokio::test]
async fn an_object_that_somebody_replaced_is_refused_in_words_and_left_alone() {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    replace(&bed).await;
    refused(&bed, no, "changed since").await;
    bed.expect_object(NAME, &content(7));
    bed.stop().await;
}

pub(crate) async fn replace(bed: &TestBed) {
    let other = std::fs::File::open(bed.file("other.mov", 7)).expect("a file");
    let body = FileSlice { file: std::sync::Arc::new(other), offset: 0, len: 7 };
    bed.client().put_object(&key(NAME), &body, &ObjectHeaders::default(), None, None).await.expect("replaced");
}

#[tokio::test]
async fn an_object_that_somebody_deleted_is_refused_in_words() {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    bed.client().delete_object(&key(NAME), None).await.expect("deleted");
    refused(&bed, no, "no longer there").await;
    bed.stop().await;
}

#[tokio::test]
async fn an_archived_object_is_refused_in_words() {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    describe(&bed, &ObjectHeaders { storage_class: Some(StorageClass::Archive), ..ObjectHeaders::default() }).await;
    refused(&bed, no, "archived").await;
    bed.stop().await;
}

#[tokio::test]
async fn an_upload_without_a_callback_or_not_yet_stored_is_refused_at_once() {
    let mut bed = TestBed::new().await;
    bed.hold(PutObject);
    let waiting = bed.upload(&bed.file("waiting.jpg", 10)).await;
    bed.met(1).await;
    bed.callback(None).await;
    let without = bed.stored(&bed.file("a.jpg", 10)).await;
    assert!(without.callback.calls.is_empty() && !without.row.callback_bad, "{without:#?}");
    for (no, word) in [(without.row.no, "no callback"), (waiting, "not stored")] {
        let refused = bed.engine().resend_callbacks(ResendSelection::These { nos: vec![no] }).await;
        let refused = refused.expect_err("refused");
        assert!(refused.code() == Code::Refused && refused.to_string().contains(word), "{refused}");
        assert!(plan(&bed, no).await.problem.expect("a reason").message.contains(word));
    }
    bed.stop().await;
}

/// It goes wrong after it was begun: the object is as it was, nothing is left at OSS, and the reason is told.
pub(crate) async fn ends_as_it_was(fault: Fault, meanwhile: impl AsyncFn(&TestBed), word: &str, object: &[u8]) {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    let met = bed.sandbox.faults().taken();
    bed.fault(fault);
    ask(&bed, no).await;
    bed.met(met + 1).await;
    meanwhile(&bed).await;
    bed.release();
    let after = bed.calls(no, 2).await;
    let told = after.callback.calls[1].problem.clone().expect("a reason");
    assert!(told.message.contains(word), "{told:?}");
    assert!(matches!(after.row.callback, CallbackBadge::Failed { .. }), "{after:#?}");
    bed.until_no_open_uploads().await;
    bed.expect_object(NAME, object);
    assert_eq!(bed.callbacks_for(NAME), 1);
    bed.stop().await;
}

pub(crate) fn answered(status: u16, code: &str) -> FaultKind {
    FaultKind::Status { status, code: code.into(), retry_after_seconds: None }
}

#[tokio::test]
async fn an_object_replaced_between_the_look_and_the_copy_is_not_copied() {
    let fault = Fault::on(UploadPartCopy, FaultKind::Stall);
    ends_as_it_was(fault, async |bed| replace(bed).await, "changed meanwhile", &content(7)).await;
}

#[tokio::test]
async fn a_bucket_that_lets_nothing_be_overwritten_leaves_the_object_as_it_was() {
    let fault = Fault::on(CompleteMultipartUpload, answered(409, "FileAlreadyExists"));
    ends_as_it_was(fault, async |_| {}, "lets no object be overwritten", &content(1000)).await;
}

#[tokio::test]
async fn a_complete_that_never_arrived_leaves_the_object_as_it_was() {
    let fault = Fault::on(CompleteMultipartUpload, FaultKind::CloseAfterBytes { bytes: 1 });
    ends_as_it_was(fault, async |_| {}, "CompleteMultipartUpload", &content(1000)).await;
}

#[tokio::test]
async fn a_complete_that_oss_failed_at_leaves_the_object_as_it_was() {
    let fault = Fault::on(CompleteMultipartUpload, answered(500, "InternalError"));
    ends_as_it_was(fault, async |_| {}, "InternalError", &content(1000)).await;
}

#[tokio::test]
async fn a_lost_answer_is_found_out_about_and_nobody_is_called_twice() {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    bed.fault(Fault::on(CompleteMultipartUpload, FaultKind::LoseAnswer));
    ask(&bed, no).await;
    let after = bed.calls(no, 2).await;
    assert_eq!((&after.row.callback, after.row.verified), (&CallbackBadge::Unknown, true), "{after:#?}");
    assert_eq!((after.callback.calls[1].status, after.callback.answer), (0, None));
    assert_eq!((bed.requests(CompleteMultipartUpload).len(), bed.callbacks_for(NAME)), (1, 2));
    assert!(after.row.callback_bad);
    // And once more, by hand.
    ask(&bed, no).await;
    let again = bed.calls(no, 3).await;
    assert!(matches!(again.row.callback, CallbackBadge::Answered { .. }), "{again:#?}");
    bed.stop().await;
}

#[tokio::test]
async fn a_callback_that_fails_again_stays_bad_with_both_answers_kept() {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    broken(&bed, 1);
    ask(&bed, no).await;
    let after = bed.calls(no, 2).await;
    assert!(matches!(after.row.callback, CallbackBadge::Failed { .. }) && after.row.callback_bad, "{after:#?}");
    assert!(after.callback.calls.iter().all(|call| call.status == 203 && call.body.contains("<Error>")));
    assert_eq!(bed.callbacks_for(NAME), 2);
    bed.stop().await;
}

#[tokio::test]
async fn a_copy_whose_crc64_differs_says_so() {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    bed.fault(Fault::on(CompleteMultipartUpload, FaultKind::CorruptCrc));
    ask(&bed, no).await;
    let after = bed.calls(no, 2).await;
    assert_eq!((after.row.verified, after.row.callback_bad), (false, true), "{after:#?}");
    let told = after.callback.calls[1].problem.clone().expect("a reason");
    assert!(told.code == Code::Integrity && told.message.contains("CRC-64 was"), "{told:?}");
    bed.stop().await;
}

#[tokio::test]
async fn many_are_sent_again_a_few_at_a_time_with_progress() {
    let mut bed = TestBed::new().await;
    broken(&bed, u32::MAX);
    for n in 0..12 {
        bed.file(&format!("many/{n}.jpg"), 100 + n);
    }
    let batch = bed.add(&bed.dir.path().join("files/many")).await.batch;
    let stored = async || Some(bed.batch(batch).await).filter(|rows| rows.iter().all(|row| row.phase == Phase::Done));
    bed.look_for("twelve stored files", stored).await;
    assert_eq!(bed.engine().counts().await.expect("counts").callback_failed, 12);
    bed.release();
    let met = bed.sandbox.faults().taken();
    bed.fault(Fault::on(UploadPartCopy, FaultKind::Stall).times(u32::MAX));
    assert_eq!(bed.engine().resend_callbacks(ResendSelection::AllBad).await.expect("asked for"), 12);
    bed.met(met + 4).await;
    let rows = bed.batch(batch).await;
    assert!(rows.iter().all(|row| row.callback == CallbackBadge::CallingAgain), "{rows:#?}");
    assert_eq!(bed.engine().counts().await.expect("counts").calling_again, 12);
    // Asked for twice, they are sent once.
    bed.engine().resend_callbacks(ResendSelection::AllBad).await.expect("asked for");
    assert_eq!(bed.upload_ids().len(), 4, "a few at a time");
    bed.release();
    let well = async || {
        let counts = bed.engine().counts().await.expect("counts");
        ((counts.callback_failed, counts.calling_again) == (0, 0)).then_some(())
    };
    bed.look_for("all callbacks answered", well).await;
    assert_eq!((bed.upload_ids().len(), bed.sandbox.callbacks().len()), (12, 24));
    bed.stop().await;
}

#[tokio::test]
async fn what_was_settled_elsewhere_needs_nobody_and_keeps_its_answer() {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    bed.engine().settle_callbacks(vec![no, 4711]).await.expect("settled");
    let after = bed.details(no).await;
    assert!(matches!(after.row.callback, CallbackBadge::Failed { .. }) && !after.row.callback_bad, "{after:#?}");
    assert!(after.callback.answer.is_some());
    assert_eq!(after.log.iter().filter(|line| line.what == "callbackSettled").count(), 1);
    let query = UploadQuery {
        scope: Scope::Transfers,
        filter: Filter::CallbackFailed,
        search: String::new(),
        after: None,
        limit: 10,
    };
    assert!(bed.engine().list_uploads(query).await.expect("a list").rows.is_empty());
    assert_eq!(bed.engine().resend_callbacks(ResendSelection::AllBad).await.expect("asked for"), 0);
    bed.stop().await;
}

#[tokio::test]
async fn an_initiate_whose_answer_is_lost_leaves_nothing_at_oss() {
    let mut bed = TestBed::with(|config| config.orphan_age = std::time::Duration::ZERO).await;
    let no = failed(&bed, 1000).await.row.no;
    bed.fault(Fault::on(InitiateMultipartUpload, FaultKind::LoseAnswer));
    ask(&bed, no).await;
    let after = bed.calls(no, 2).await;
    assert!(matches!(after.row.callback, CallbackBadge::Answered { .. }), "{after:#?}");
    assert_eq!(bed.upload_ids().len(), 2);
    // The sweep at the next start finds the one that nobody heard of.
    bed.stop().await;
    bed.start().await;
    bed.until_no_open_uploads().await;
    assert_eq!(bed.requests(AbortMultipartUpload).len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn a_destination_is_kept_while_a_callback_to_it_is_on_its_way() {
    let mut bed = TestBed::new().await;
    let destination = bed.destination("test-secret").await;
    broken(&bed, 1);
    let no = bed.upload_to(&bed.file(NAME, 1000), &destination.id).await;
    bed.finished(no).await;
    bed.callback(Some(callback_to(&bed.sandbox.info().callback_url))).await;
    let met = bed.sandbox.faults().taken();
    bed.hold(UploadPartCopy);
    ask(&bed, no).await;
    bed.met(met + 1).await;
    let refused = bed.engine().delete_destination(&destination.id).await.expect_err("still needed");
    assert!(refused.to_string().contains("1 uploads"), "{refused}");
    bed.release();
    bed.calls(no, 2).await;
    bed.engine().delete_destination(&destination.id).await.expect("no longer needed");
    bed.stop().await;
}
