//! What a callback that is sent again must not do: replace what others stored, forget what was done, or never end.

use std::time::Duration;

use waybill_engine::view::{CallbackBadge, ResendSelection};
use waybill_engine::{BuiltIn, Code, Credential, Told, Work};
use waybill_sandbox::Operation::{
    AbortMultipartUpload, CompleteMultipartUpload, HeadObject, ListParts, PutObject, UploadPartCopy,
};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{TestBed, content};

use crate::resend::{NAME, answered, ask, broken, failed, plan, replace};

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
    let after = bed.calls(no, 2).await;
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
    let after = bed.calls(no, 2).await;
    assert!(matches!(after.row.callback, CallbackBadge::Answered { .. }) && !after.row.callback_bad, "{after:#?}");
    assert_eq!((bed.requests(CompleteMultipartUpload).len(), bed.callbacks_for(NAME)), (1, 2));
    bed.stop().await;
}

/// The engine has ended in the middle of one, and left it behind.
async fn stopped_while_copying() -> (TestBed, i64) {
    let mut bed = TestBed::new().await;
    let no = failed(&bed, 1000).await.row.no;
    let met = bed.sandbox.faults().taken();
    bed.hold(UploadPartCopy);
    ask(&bed, no).await;
    bed.met(met + 1).await;
    bed.stop().await;
    bed.release_given_up(1).await;
    (bed, no)
}

#[tokio::test]
async fn what_is_left_of_one_does_not_keep_the_engine_from_starting_and_is_ended_before_another_is_begun() {
    let (mut bed, no) = stopped_while_copying().await;
    bed.refuse_to_save("DELETE ON resends");
    bed.start().await;
    // It is in the line already, so nothing is begun beside it.
    let these = ResendSelection::These { nos: vec![no] };
    assert_eq!(bed.engine().resend_callbacks(these).await.expect("heard"), 0);
    assert_eq!((bed.upload_ids().len(), bed.details(no).await.row.callback), (1, CallbackBadge::CallingAgain));
    bed.save_again();
    let after = bed.calls(no, 2).await;
    let told = after.callback.calls[1].problem.clone().expect("a reason");
    assert!(told.message.contains("as it was"), "{told:?}");
    bed.until_no_open_uploads().await;
    ask(&bed, no).await;
    let again = bed.calls(no, 3).await;
    assert!(matches!(again.row.callback, CallbackBadge::Answered { .. }), "{again:#?}");
    bed.stop().await;
}

#[tokio::test]
async fn while_nobody_has_taken_up_what_is_left_of_one_another_is_refused_and_its_upload_id_kept() {
    let (mut bed, no) = stopped_while_copying().await;
    // As a command line that was asked for something else.
    bed.config.work = Work::OnlyAsked;
    bed.start().await;
    let refused = bed.engine().resend_callbacks(ResendSelection::These { nos: vec![no] }).await.expect_err("refused");
    assert!(refused.code() == Code::Refused && refused.to_string().contains("found out first"), "{refused}");
    let asked = bed.engine().resend_callbacks(ResendSelection::AllBad).await.expect("asked for");
    assert_eq!(asked, 1);
    let after = bed.calls(no, 2).await;
    let told = after.callback.calls[1].problem.clone().expect("a reason");
    assert!(told.message.contains("found out first"), "{told:?}");
    bed.stop().await;
    bed.config.work = Work::Everything;
    bed.start().await;
    bed.until_no_open_uploads().await;
    assert_eq!(bed.upload_ids().len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn after_a_new_start_oss_gets_its_time_to_finish_before_nobody_is_said_to_be_called() {
    let mut bed = TestBed::with(|config| config.finishing = Duration::from_secs(10)).await;
    let no = failed(&bed, 1000).await.row.no;
    let met = bed.sandbox.faults().taken();
    bed.fault(Fault::on(CompleteMultipartUpload, FaultKind::Delay { ms: 5000 }));
    ask(&bed, no).await;
    bed.met(met + 1).await;
    bed.stop().await;
    bed.start().await;
    let after = bed.calls(no, 2).await;
    assert_eq!((after.row.callback, bed.callbacks_for(NAME)), (CallbackBadge::Unknown, 2));
    bed.stop().await;
}

/// OSS does what it is asked by this many finishing requests, and then nobody may ask it what became of them.
fn never_told(bed: &TestBed, completes: u32) {
    bed.fault(Fault::on(CompleteMultipartUpload, FaultKind::LoseAnswer).times(completes));
    bed.fault(Fault::on(ListParts, answered(403, "AccessDenied")).times(u32::MAX));
}

#[tokio::test]
async fn what_cannot_be_found_out_about_keeps_nobody_waiting_and_ends_when_it_is_settled() {
    let mut bed = TestBed::new().await;
    broken(&bed, 5);
    let mut nos = Vec::new();
    for n in 0..5 {
        nos.push(bed.stored(&bed.file(&format!("{n}.jpg"), 100)).await.row.no);
    }
    let last = nos.pop().expect("five");
    let met = bed.sandbox.faults().taken();
    never_told(&bed, 4);
    for no in &nos {
        ask(&bed, *no).await;
    }
    bed.met(met + 8).await;
    ask(&bed, last).await;
    let after = bed.calls(last, 2).await;
    assert!(matches!(after.row.callback, CallbackBadge::Answered { .. }), "{after:#?}");
    bed.engine().settle_callbacks(vec![nos[0]]).await.expect("settled");
    let settled = bed.calls(nos[0], 2).await;
    assert_eq!((settled.row.callback, settled.row.callback_bad), (CallbackBadge::Unknown, false));
    assert!(settled.callback.calls[1].status == 0 && settled.callback.calls[1].problem.is_none());
    bed.logged("its abort", |log| log.iter().any(|entry| entry.operation == AbortMultipartUpload)).await;
    assert_eq!(bed.details(nos[1]).await.row.callback, CallbackBadge::CallingAgain, "others are asked about still");
    bed.stop().await;
}

#[tokio::test]
async fn a_command_ends_where_nobody_may_ask_and_the_next_one_finds_out() {
    let mut bed = TestBed::with(|config| config.patience = Some(3)).await;
    let no = failed(&bed, 1000).await.row.no;
    never_told(&bed, 1);
    let (send, mut told) = tokio::sync::mpsc::channel(8);
    let ends = bed.engine().call_again(vec![no], None, send);
    tokio::time::timeout(waybill_tests::LIMIT, ends).await.expect("it ends").expect("nothing is refused");
    let mut problem = None;
    while let Some(word) = told.recv().await {
        if let Told::Upload(details) = word {
            problem = details.callback.calls.last().and_then(|call| call.problem.clone());
        }
    }
    let problem = problem.expect("a reason");
    assert!(problem.message.contains("not known yet") && problem.message.contains("AccessDenied"), "{problem:?}");
    bed.release();
    let (send, _told) = tokio::sync::mpsc::channel(8);
    bed.engine().call_again(vec![no], None, send).await.expect("found out");
    let after = bed.calls(no, 2).await;
    assert_eq!((after.row.callback, bed.callbacks_for(NAME)), (CallbackBadge::Unknown, 2));
    bed.stop().await;
}

#[tokio::test]
async fn keys_are_lent_only_to_where_the_asked_callbacks_lead() {
    let mut bed = TestBed::new().await;
    let info = bed.sandbox.info().clone();
    let access = || Credential::new(&info.access_key_id, &info.access_key_secret, None).into();
    let left = |bucket: &str| BuiltIn {
        id: BuiltIn::command_line_id(&info.endpoint, bucket),
        name: format!("{bucket} (command line)"),
        endpoint: info.endpoint.clone(),
        region: info.region.clone(),
        bucket: bucket.into(),
        key_template: "{path}".into(),
        callback: Some(waybill_tests::callback_to(&info.callback_url)),
        connection: Default::default(),
        access_key_id: info.access_key_id.clone(),
        access: access(),
    };
    for bucket in [&*info.bucket, "another-bucket"] {
        bed.engine().ensure_built_in(left(bucket)).await.expect("a destination");
    }
    broken(&bed, 1);
    let asked = BuiltIn::command_line_id(&info.endpoint, &info.bucket);
    let no = bed.upload_to(&bed.file(NAME, 100), &asked).await;
    bed.finished(no).await;
    bed.stop().await;
    bed.config.work = Work::OnlyAsked;
    bed.start_bare().await;
    let (send, _told) = tokio::sync::mpsc::channel(8);
    bed.engine().call_again(vec![no], Some(access()), send).await.expect("called again");
    assert!(matches!(bed.details(no).await.row.callback, CallbackBadge::Answered { .. }));
    let open = bed.engine().destinations().await.expect("destinations");
    let open: Vec<_> = open.into_iter().filter(|view| view.built_in).map(|view| view.id).collect();
    assert_eq!(open, [asked]);
    bed.stop().await;
}
