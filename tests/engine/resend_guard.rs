//! What a callback that is sent again must not do: replace what others stored, forget what was done, or never end.

use waybill_engine::view::CallbackBadge;
use waybill_sandbox::Operation::{CompleteMultipartUpload, HeadObject, PutObject};
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
