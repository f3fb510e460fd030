//! `kill -9` while a callback is being sent again, at every step that OSS hears of: the object is as it was or finished,
//! nobody is called twice for one Complete, and the next start or command puts an end to it and says so.
//!
//! The one that is killed is a process of its own. OSS holds its request, or the answer to it, and when the sandbox has it
//! the kill comes.

use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;
use waybill_engine::view::{CallbackBadge, ResendSelection, UploadDetails};
use waybill_engine::{Told, Work};
use waybill_oss::{Acl, BucketName, CopySource, MetadataDirective, ObjectHead, ObjectHeaders, StorageClass};
use waybill_sandbox::Operation::{
    AbortMultipartUpload, Callback, CompleteMultipartUpload, GetObjectAcl, GetObjectTagging, HeadObject,
    InitiateMultipartUpload, ListParts, PutObject, UploadPartCopy,
};
use waybill_sandbox::{Fault, FaultKind, LoggedRequest, Operation};
use waybill_tests::crash::victim::Victim;
use waybill_tests::{LIMIT, TestBed, content, key};

const NAME: &str = "clip.mov";
const SOME: Object = Object { len: 1000, sent_again: 0 };
const EMPTY: Object = Object { len: 0, sent_again: 0 };
/// Copied in one part it gets the ETag that it has.
const SENT_AGAIN: Object = Object { len: 1000, sent_again: 1 };

/// What is called for.
#[derive(Clone, Copy, Debug)]
struct Object {
    len: usize,
    /// How often its callback was sent again before, and failed.
    sent_again: usize,
}

/// What became of it, as the next start finds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    /// Nothing was begun, and nobody asks for it any more.
    Nothing,
    /// OSS was not brought to call, for the reason with this in it, and the object is as it was.
    NoCall(&'static str),
    /// OSS has stored the object anew and has called; what it was told nobody heard.
    Called,
}
use Outcome::{Called, NoCall, Nothing};

const ENDED: Outcome = NoCall("Waybill was ended before OSS was asked to call");
const NOT_DONE: Outcome = NoCall("OSS did not finish it, and nobody was called");

/// Who comes after the kill.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// A window, which ends what was begun by itself.
    Window,
    /// The same command.
    Command,
}

/// OSS has the request, and has done nothing.
fn asked(operation: Operation) -> Fault {
    Fault::on(operation, FaultKind::Stall)
}

/// OSS has done it, and its answer is not heard.
fn done(operation: Operation) -> Fault {
    Fault::on(operation, FaultKind::HoldAnswer)
}

fn refused(operation: Operation) -> Fault {
    Fault::on(operation, FaultKind::Status { status: 409, code: "FileAlreadyExists".into(), retry_after_seconds: None })
}

/// An object is called for again; the last of these faults holds a request, and the kill comes.
async fn killed(object: Object, faults: &[Fault], came: Outcome) {
    for next in [Next::Window, Next::Command] {
        Box::pin(killed_before(object, faults, came, next)).await;
    }
}

async fn killed_before(object: Object, faults: &[Fault], came: Outcome, next: Next) {
    let (mut bed, no) = failed(object).await;
    let (earlier, content) = (1 + object.sent_again, content(object.len));
    bed.stop().await;
    let (head, kept) = bed.told(NAME).await;
    kill_at(&bed, no, faults).await;

    let (after, kept_after) = bed.told(NAME).await;
    bed.expect_object(NAME, &content);
    assert_eq!((after.crc64, kept_after), (head.crc64, kept.clone()), "{next:?}");
    let stored = |head: &ObjectHead| (head.etag.clone(), head.last_modified.clone());
    // A copy with the ETag of its original may have its second too; then only the log below tells.
    let told_apart = came != Called || object.sent_again == 0;
    assert!(
        !told_apart || (stored(&after) == stored(&head)) == (came != Called),
        "as it was unless it was finished; {next:?}: {after:?}"
    );

    let known = match next {
        Next::Window => {
            bed.start().await;
            bed.calls(no, earlier + usize::from(came != Nothing)).await
        }
        Next::Command => {
            bed.config.work = Work::OnlyAsked;
            bed.config.patience = Some(8);
            bed.start().await;
            command(&bed, no).await
        }
    };
    expect(&known, earlier, came, next);
    bed.until_no_open_uploads().await;
    assert!(bed.resends().is_empty(), "{next:?}");
    // Whatever became of it, it can be asked for again.
    let before = known.callback.calls.len();
    let again = match next {
        Next::Window => {
            bed.engine().resend_callbacks(ResendSelection::These { nos: vec![no] }).await.expect("it is asked for");
            bed.calls(no, before + 1).await
        }
        Next::Command => command(&bed, no).await,
    };
    assert!(matches!(again.row.callback, CallbackBadge::Answered { .. }) && !again.row.callback_bad, "{again:#?}");
    bed.until_no_open_uploads().await;
    bed.expect_object(NAME, &content);
    let (after, kept_after) = bed.told(NAME).await;
    assert_eq!((after.crc64, kept_after), (head.crc64, kept), "{next:?}");
    let finished = bed.sandbox.log().iter().filter(|entry| is_finished(entry)).count();
    assert_eq!(bed.callbacks_for(NAME), finished, "one call for each time it was stored; {next:?}");
    assert_eq!(finished, earlier + made(came, next), "{next:?}: {:#?}", bed.sandbox.log());
    bed.stop().await;
    assert!(bed.resends().is_empty(), "{next:?}");
}

/// How often it was stored from then on: by the one that was killed, by the command that came next, and once more.
fn made(came: Outcome, next: Next) -> usize {
    match (came, next) {
        (Called, _) | (_, Next::Command) => 2,
        (_, Next::Window) => 1,
    }
}

/// What is told of it: that the earlier calls failed, what came of the one that was killed, and what the command did then.
fn expect(known: &UploadDetails, earlier: usize, came: Outcome, next: Next) {
    let (before, since) = known.callback.calls.split_at(earlier);
    assert!(before.iter().all(|call| call.status == 203), "{known:#?}");
    let mut calls = since.iter();
    match came {
        Nothing => {}
        NoCall(why) => {
            let told = calls.next().and_then(|call| call.problem.as_ref()).expect("a reason");
            assert!(told.message.contains(why), "{next:?}: {told:?}");
        }
        Called => {
            let call = calls.next().expect("the one that was made");
            assert_eq!((call.status, &call.problem), (0, &None), "{next:?}: {known:#?}");
        }
    }
    let badge = &known.row.callback;
    let right = match (came, next) {
        // Nobody is called twice where OSS has called.
        (Called, _) => *badge == CallbackBadge::Unknown,
        (_, Next::Window) => matches!(badge, CallbackBadge::Failed { .. }),
        (_, Next::Command) => {
            matches!(badge, CallbackBadge::Answered { .. }) && calls.next().is_some_and(|call| call.status == 200)
        }
    };
    assert!(right && calls.next().is_none(), "{next:?}: {known:#?}");
    assert_eq!(known.row.callback_bad, !matches!(badge, CallbackBadge::Answered { .. }), "{next:?}");
}

/// An object with everything an object can have, whose callback failed.
async fn failed(object: Object) -> (TestBed, i64) {
    let bed = TestBed::with(|config| {
        config.orphan_age = Duration::ZERO;
        // The one that asked is dead, and what it was answered is known to be done or not.
        config.finishing = Duration::from_millis(50);
    })
    .await;
    let broken = Fault::on(Callback, FaultKind::CallbackStatus { status: 500, body: "{}".into() });
    bed.fault(broken.clone());
    let details = bed.stored(&bed.file(NAME, object.len)).await;
    assert!(matches!(details.row.callback, CallbackBadge::Failed { .. }), "{details:#?}");
    let no = details.row.no;
    let headers = ObjectHeaders {
        cache_control: Some("max-age=60".into()),
        metadata: [("camera".to_owned(), "A 7".to_owned())].into(),
        acl: Some(Acl::PublicRead),
        storage_class: Some(StorageClass::InfrequentAccess),
        tags: [("shoot".to_owned(), "day 2".to_owned())].into(),
        ..ObjectHeaders::of_type(Some("video/x-own"))
    };
    let bucket = BucketName::parse("bucket").expect("a bucket");
    let source = CopySource { bucket, key: key(NAME), version_id: None, if_match: None };
    let described = bed.client().copy_object(&key(NAME), &source, MetadataDirective::Replace, &headers).await;
    described.expect("described");
    for again in 1..=object.sent_again {
        bed.fault(broken.clone());
        bed.engine().resend_callbacks(ResendSelection::These { nos: vec![no] }).await.expect("it is asked for");
        let details = bed.calls(no, 1 + again).await;
        assert!(matches!(details.row.callback, CallbackBadge::Failed { .. }), "{details:#?}");
    }
    (bed, no)
}

/// Has the callback sent again by a process that is killed when the sandbox holds the last of these.
async fn kill_at(bed: &TestBed, no: i64, faults: &[Fault]) {
    let met = bed.sandbox.faults().taken();
    faults.iter().for_each(|fault| bed.fault(fault.clone()));
    let last = faults.last().expect("a step");
    let program = Path::new(env!("CARGO_BIN_EXE_soak"));
    let victim = Victim::calling_again(program, &bed.config.data_dir, bed.sandbox.info(), no).expect("it starts");
    bed.met(met + faults.len() as u64).await;
    let done = |entry: &LoggedRequest| entry.fault.as_deref() == Some("holdAnswer");
    if last.fault == FaultKind::HoldAnswer {
        bed.logged("what is done before its answer is held", |log| log.iter().any(done)).await;
    }
    victim.kill().await.expect("it is killed");
    match (last.operation, &last.fault) {
        // OSS gives up on the application by itself.
        (Callback, _) => bed.logged("OSS has given up", |log| log.iter().any(is_finished_anew)).await,
        (_, FaultKind::Stall) => return bed.release_given_up(1).await,
        _ => {}
    }
    bed.release();
}

fn is_finished(entry: &LoggedRequest) -> bool {
    matches!(entry.operation, PutObject | CompleteMultipartUpload) && entry.status.is_some_and(|status| status < 300)
}

fn is_finished_anew(entry: &LoggedRequest) -> bool {
    entry.operation == CompleteMultipartUpload && is_finished(entry)
}

/// Has it sent again as the command does, and gives what that is told.
async fn command(bed: &TestBed, no: i64) -> UploadDetails {
    let (tell, mut words) = mpsc::channel(64);
    let ends = tokio::time::timeout(LIMIT, bed.engine().call_again(vec![no], None, tell)).await;
    ends.expect("it ends").expect("nothing is refused");
    let mut told = None;
    while let Some(word) = words.recv().await {
        if let Told::Upload(details) = word {
            assert!(told.replace(details).is_none(), "it is told once");
        }
    }
    *told.expect("it is told")
}

#[tokio::test]
async fn while_the_object_is_looked_at_nothing_was_begun() {
    killed(SOME, &[asked(HeadObject)], Nothing).await;
}

#[tokio::test]
async fn while_its_acl_is_read_nothing_was_begun() {
    killed(SOME, &[asked(GetObjectAcl)], Nothing).await;
}

#[tokio::test]
async fn while_its_tags_are_read_nothing_was_begun() {
    killed(SOME, &[asked(GetObjectTagging)], Nothing).await;
}

#[tokio::test]
async fn before_initiate_is_carried_out_the_object_is_as_it_was() {
    killed(SOME, &[asked(InitiateMultipartUpload)], ENDED).await;
}

#[tokio::test]
async fn an_upload_id_that_nobody_heard_of_is_aborted() {
    killed(SOME, &[done(InitiateMultipartUpload)], ENDED).await;
}

#[tokio::test]
async fn before_a_part_is_copied_the_object_is_as_it_was() {
    killed(SOME, &[asked(UploadPartCopy)], ENDED).await;
}

#[tokio::test]
async fn after_a_part_is_copied_the_object_is_as_it_was() {
    killed(SOME, &[done(UploadPartCopy)], ENDED).await;
}

#[tokio::test]
async fn while_the_object_is_looked_at_once_more_it_is_as_it_was() {
    killed(SOME, &[asked(HeadObject).skip(1)], ENDED).await;
}

#[tokio::test]
async fn before_complete_is_carried_out_the_object_is_as_it_was() {
    killed(SOME, &[asked(CompleteMultipartUpload)], NOT_DONE).await;
}

#[tokio::test]
async fn where_the_copy_would_have_the_same_etag_before_complete_is_carried_out_the_object_is_as_it_was() {
    killed(SENT_AGAIN, &[asked(CompleteMultipartUpload)], NOT_DONE).await;
}

#[tokio::test]
async fn where_the_copy_has_the_same_etag_after_complete_the_object_is_finished_and_nobody_is_called_again() {
    killed(SENT_AGAIN, &[done(CompleteMultipartUpload)], Called).await;
}

#[tokio::test]
async fn while_the_application_is_called_the_object_is_finished_and_nobody_is_called_again() {
    killed(SOME, &[Fault::on(Callback, FaultKind::CallbackTimeout)], Called).await;
}

#[tokio::test]
async fn after_complete_the_object_is_finished_and_nobody_is_called_again() {
    killed(SOME, &[done(CompleteMultipartUpload)], Called).await;
}

#[tokio::test]
async fn while_a_lost_complete_is_asked_about_nobody_is_called_again() {
    let lost = || Fault::on(CompleteMultipartUpload, FaultKind::LoseAnswer);
    killed(SOME, &[lost(), asked(ListParts)], Called).await;
    killed(SOME, &[lost(), asked(HeadObject).skip(2)], Called).await;
}

#[tokio::test]
async fn before_what_was_given_up_is_aborted_it_is_aborted_by_the_next() {
    killed(SOME, &[refused(CompleteMultipartUpload), asked(AbortMultipartUpload)], NoCall("overwritten")).await;
}

#[tokio::test]
async fn after_what_was_given_up_is_aborted_nothing_is_left_to_do() {
    killed(SOME, &[refused(CompleteMultipartUpload), done(AbortMultipartUpload)], NoCall("overwritten")).await;
}

#[tokio::test]
async fn an_empty_object_is_as_it_was_until_it_is_put_again() {
    killed(EMPTY, &[asked(HeadObject)], Nothing).await;
    killed(EMPTY, &[asked(HeadObject).skip(1)], ENDED).await;
    killed(EMPTY, &[asked(PutObject)], NOT_DONE).await;
}

#[tokio::test]
async fn an_empty_object_that_was_put_again_is_called_for_once() {
    killed(EMPTY, &[done(PutObject)], Called).await;
}
