//! The engine ends while a callback is being sent again, at each of its steps, and the next start makes an end of it.

use waybill_engine::view::CallbackBadge;
use waybill_sandbox::Operation::{
    CompleteMultipartUpload, HeadObject, InitiateMultipartUpload, ListParts, UploadPartCopy,
};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{LIMIT, TestBed, content};

use crate::resend::{NAME, ask, failed};

/// Where the program ends while a callback is being sent again.
#[derive(Clone, Copy, Debug)]
enum At {
    Looking,
    Initiating,
    Copying,
    BeforeComplete,
    AfterComplete,
}

/// Ends the engine there, and starts it again.
async fn ended(at: At) {
    let mut bed = TestBed::with(|config| config.orphan_age = std::time::Duration::ZERO).await;
    let no = failed(&bed, 1000).await.row.no;
    let met = bed.sandbox.faults().taken();
    let held = match at {
        At::Looking => HeadObject,
        At::Initiating => InitiateMultipartUpload,
        At::Copying => UploadPartCopy,
        At::BeforeComplete => CompleteMultipartUpload,
        At::AfterComplete => {
            bed.fault(Fault::on(CompleteMultipartUpload, FaultKind::LoseAnswer));
            ListParts
        }
    };
    bed.hold(held);
    ask(&bed, no).await;
    bed.met(met + if matches!(at, At::AfterComplete) { 2 } else { 1 }).await;
    bed.stop().await;
    bed.release_given_up(1).await;
    bed.start().await;
    match at {
        // Nothing had been begun, and nobody asks for it any more.
        At::Looking => {
            let after = bed.calls(no, 1).await;
            assert!(matches!(after.row.callback, CallbackBadge::Failed { .. }), "{at:?}: {after:#?}");
        }
        At::Initiating | At::Copying | At::BeforeComplete => {
            let after = bed.calls(no, 2).await;
            let told = after.callback.calls[1].problem.clone().expect("a reason");
            assert!(told.message.contains("as it was"), "{at:?}: {told:?}");
            assert!(matches!(after.row.callback, CallbackBadge::Failed { .. }), "{at:?}: {after:#?}");
            assert_eq!(bed.callbacks_for(NAME), 1, "{at:?}");
        }
        At::AfterComplete => {
            let after = bed.calls(no, 2).await;
            assert_eq!(after.row.callback, CallbackBadge::Unknown, "{at:?}: {after:#?}");
            assert_eq!(bed.callbacks_for(NAME), 2, "{at:?}");
        }
    }
    bed.until_no_open_uploads().await;
    bed.expect_object(NAME, &content(1000));
    let completes = bed.requests(CompleteMultipartUpload).len();
    assert_eq!(completes, usize::from(matches!(at, At::BeforeComplete | At::AfterComplete)), "{at:?}");
    // Whatever became of it, it can be asked for again.
    let before = bed.details(no).await.callback.calls.len();
    ask(&bed, no).await;
    let again = bed.calls(no, before + 1).await;
    assert!(matches!(again.row.callback, CallbackBadge::Answered { .. }), "{at:?}: {again:#?}");
    bed.stop().await;
}

#[tokio::test]
async fn ended_at_any_step_the_object_is_as_it_was_or_finished() {
    for at in [At::Looking, At::Initiating, At::Copying, At::BeforeComplete, At::AfterComplete] {
        tokio::time::timeout(LIMIT, ended(at)).await.unwrap_or_else(|_| panic!("{at:?} took too long"));
    }
}
