//! What a callback that is sent again must not do: replace what others stored, forget what was done, or never end.

use waybill_engine::Code;
use waybill_engine::view::{CallbackBadge, ResendSelection};
use waybill_sandbox::Operation::{CompleteMultipartUpload, HeadObject, PutObject, UploadPartCopy};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{TestBed, content};

use crate::resend::{ask, calls, failed, plan, replace};

const NAME: &str = "clip.mov";

/// Somebody replaces the object after it was copied, while it is looked at once more.
async fn replaced_before_the_end(len: usize) {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, len).await.row.no;
    let met = bed.sandbox.faults().taken();
    bed.fault(Fault::on(HeadObject, FaultKind::Stall).skip(1));
    ask(&bed, no).await;
    bed.met(met + 1).await;
    replace(&bed).await;
    bed.release();
    let after = calls(&bed, no, 2).await;
    bed.expect_object(NAME, &content(7));
    let told = after.callback.calls[1].problem.clone().expect("a reason");
    assert!(told.message.contains("changed meanwhile"), "{told:?}");
    assert!(matches!(after.row.callback, CallbackBadge::Failed { .. }), "{after:#?}");
    bed.until_no_open_uploads().await;
    assert_eq!((bed.requests(CompleteMultipartUpload).len(), bed.callbacks_for(NAME)), (0, 1));
    bed.stop().await;
}

#[tokio::test]
async fn an_object_replaced_after_the_copy_stays_what_somebody_made_it() {
    replaced_before_the_end(1000).await;
}

#[tokio::test]
async fn an_empty_object_replaced_after_the_look_stays_what_somebody_made_it() {
    replaced_before_the_end(0).await;
}

#[tokio::test]
async fn nothing_is_copied_while_another_upload_is_to_be_stored_at_the_key() {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    let met = bed.sandbox.faults().taken();
    bed.hold(PutObject);
    let newer = bed.upload(&bed.file(NAME, 2000)).await;
    bed.met(met + 1).await;
    crate::resend::refused(&bed, no, &format!("upload {newer} is to store another object")).await;
    bed.release();
    bed.finished(newer).await;
    bed.expect_object(NAME, &content(2000));
    assert!(plan(&bed, no).await.problem.expect("a reason").message.contains("changed since"));
    bed.stop().await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_saved_is_kept_until_it_can_be_and_never_called_not_made() {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    // Calls that were made are refused; one that was not made (4) could be saved.
    bed.refuse_to_save("INSERT ON callback_calls WHEN NEW.outcome <> 4");
    ask(&bed, no).await;
    bed.logged("the second call", |log| log.iter().any(|entry| entry.operation == CompleteMultipartUpload)).await;
    plan(&bed, no).await;
    bed.save_again();
    let after = calls(&bed, no, 2).await;
    assert!(matches!(after.row.callback, CallbackBadge::Answered { .. }) && !after.row.callback_bad, "{after:#?}");
    assert_eq!((bed.requests(CompleteMultipartUpload).len(), bed.callbacks_for(NAME)), (1, 2));
    bed.stop().await;
}

#[tokio::test]
async fn what_is_left_of_one_does_not_keep_the_engine_from_starting_and_is_ended_before_another_is_begun() {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    let met = bed.sandbox.faults().taken();
    bed.hold(UploadPartCopy);
    ask(&bed, no).await;
    bed.met(met + 1).await;
    bed.stop().await;
    bed.release_given_up(1).await;
    bed.refuse_to_save("DELETE ON resends");
    bed.start().await;
    // It is in the line already, so nothing is begun beside it.
    ask(&bed, no).await;
    assert_eq!((bed.upload_ids().len(), bed.details(no).await.row.callback), (1, CallbackBadge::CallingAgain));
    bed.save_again();
    let after = calls(&bed, no, 2).await;
    let told = after.callback.calls[1].problem.clone().expect("a reason");
    assert!(told.message.contains("as it was"), "{told:?}");
    bed.until_no_open_uploads().await;
    ask(&bed, no).await;
    let again = calls(&bed, no, 3).await;
    assert!(matches!(again.row.callback, CallbackBadge::Answered { .. }), "{again:#?}");
    bed.stop().await;
}

#[tokio::test]
async fn while_nobody_has_taken_up_what_is_left_of_one_another_is_refused_and_its_upload_id_kept() {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    let met = bed.sandbox.faults().taken();
    bed.hold(UploadPartCopy);
    ask(&bed, no).await;
    bed.met(met + 1).await;
    bed.stop().await;
    bed.release_given_up(1).await;
    // As a command line that was asked for something else.
    bed.config.work = waybill_engine::Work::OnlyAsked;
    bed.start().await;
    let refused = bed.engine().resend_callbacks(ResendSelection::These { nos: vec![no] }).await.expect_err("refused");
    assert!(refused.code() == Code::Refused && refused.to_string().contains("found out first"), "{refused}");
    let asked = bed.engine().resend_callbacks(ResendSelection::AllBad).await.expect("asked for");
    assert_eq!(asked, 1);
    let after = calls(&bed, no, 2).await;
    let told = after.callback.calls[1].problem.clone().expect("a reason");
    assert!(told.message.contains("found out first"), "{told:?}");
    bed.stop().await;
    bed.config.work = waybill_engine::Work::Everything;
    bed.start().await;
    bed.until_no_open_uploads().await;
    assert_eq!(bed.upload_ids().len(), 1);
    bed.stop().await;
}
