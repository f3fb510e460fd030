//! Multipart uploads at the server that nobody knows of: ours are aborted, a stranger's never.

use std::time::Duration;

use waybill_engine::view::Phase;
use waybill_oss::{ObjectHeaders, ObjectKey};
use waybill_sandbox::Operation::{AbortMultipartUpload, InitiateMultipartUpload, ListMultipartUploads};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{MIB, TestBed, content};

/// Three parts.
const LEN: usize = 2 * MIB + 9;

async fn bed() -> TestBed {
    TestBed::with(|config| config.orphan_age = Duration::ZERO).await
}

#[tokio::test]
async fn an_upload_begun_while_the_program_died_is_aborted_at_the_next_start() {
    let mut bed = bed().await;
    // Begun at the server, its answer under way when the engine stops.
    bed.fault(Fault::on(InitiateMultipartUpload, FaultKind::Delay { ms: 500 }));
    let no = bed.upload(&bed.file("clip.mov", LEN)).await;
    bed.met(1).await;
    bed.stop().await;
    bed.logged("the Initiate carried out", |log| log.iter().any(|entry| entry.upload_id.is_some())).await;
    let orphan = bed.open_uploads();
    assert_eq!(orphan.len(), 1);
    bed.start_bare().await;
    bed.connect().await;
    bed.answered(no, &content(LEN)).await;
    bed.stop().await;
    bed.start().await;
    bed.until_no_open_uploads().await;
    assert_eq!(bed.requests(AbortMultipartUpload)[0].upload_id.as_ref(), Some(&orphan[0]));
    bed.stop().await;
}

#[tokio::test]
async fn an_upload_cancelled_while_it_was_being_begun_leaves_nothing_at_the_server() {
    let mut bed = bed().await;
    bed.fault(Fault::on(InitiateMultipartUpload, FaultKind::Delay { ms: 300 }));
    let no = bed.upload(&bed.file("clip.mov", LEN)).await;
    bed.met(1).await;
    bed.engine().cancel(no).await.unwrap();
    bed.logged("the Initiate carried out", |log| log.iter().any(|entry| entry.upload_id.is_some())).await;
    assert_eq!(bed.open_uploads().len(), 1);
    bed.stop().await;
    bed.start().await;
    bed.until_no_open_uploads().await;
    assert_eq!(bed.details(no).await.row.phase, Phase::Cancelled);
    bed.stop().await;
}

#[tokio::test]
async fn an_upload_whose_first_initiate_answer_was_lost_leaves_nothing_at_the_server() {
    let mut bed = bed().await;
    bed.fault(Fault::on(InitiateMultipartUpload, FaultKind::LoseAnswer));
    bed.stored(&bed.file("clip.mov", LEN)).await;
    assert_eq!(bed.open_uploads().len(), 1);
    bed.stop().await;
    bed.start().await;
    bed.until_no_open_uploads().await;
    bed.stop().await;
}

#[tokio::test]
async fn a_destination_that_can_be_used_again_cuts_no_look_short() {
    let mut bed = bed().await;
    bed.fault(Fault::on(InitiateMultipartUpload, FaultKind::LoseAnswer));
    bed.stored(&bed.file("clip.mov", LEN)).await;
    bed.stop().await;
    bed.hold(ListMultipartUploads);
    bed.start().await;
    bed.met(2).await;
    bed.connect().await;
    bed.release();
    bed.until_no_open_uploads().await;
    bed.stop().await;
    assert_eq!(bed.requests(ListMultipartUploads).len(), 1);
}

#[tokio::test]
async fn a_strangers_upload_to_the_same_key_at_the_same_time_is_left_alone_once_it_has_a_part() {
    let mut bed = bed().await;
    let key = ObjectKey::parse("clip.mov").unwrap();
    let client = bed.client();
    let theirs = client.initiate_multipart(&key, &ObjectHeaders::default()).await.unwrap();
    let piece = bed.file("piece", 100 << 10);
    let file = std::fs::File::open(&piece).unwrap().into();
    let slice = waybill_oss::FileSlice { file, offset: 0, len: 100 << 10 };
    client.upload_part(&key, &theirs, 1, &slice, None, None).await.unwrap();
    let other = ObjectKey::parse("clip.mov.other").unwrap();
    let elsewhere = client.initiate_multipart(&other, &ObjectHeaders::default()).await.unwrap();
    bed.fault(Fault::on(InitiateMultipartUpload, FaultKind::LoseAnswer));
    bed.stored(&bed.file("clip.mov", LEN)).await;
    let ours = bed.upload_ids()[2].clone();
    bed.stop().await;
    bed.start().await;
    let aborted = |log: &[waybill_sandbox::LoggedRequest]| {
        log.iter().any(|entry| entry.operation == AbortMultipartUpload && entry.upload_id.as_ref() == Some(&ours))
    };
    bed.logged("the abort of ours", aborted).await;
    bed.stop().await;
    // Whatever else was to be aborted is either done or still remembered.
    assert!(bed.waiting_aborts().iter().all(|id| *id == ours), "{:?}", bed.waiting_aborts());
    let mut left = bed.open_uploads();
    left.sort();
    let mut expected = vec![theirs, elsewhere];
    expected.sort();
    assert_eq!(left, expected);
    assert_eq!(bed.requests(AbortMultipartUpload).len(), 1);
}

#[tokio::test]
async fn where_every_initiate_was_answered_the_server_is_never_asked_for_a_list() {
    let mut bed = bed().await;
    bed.stored(&bed.file("clip.mov", LEN)).await;
    bed.stop().await;
    bed.start().await;
    bed.stored(&bed.file("again.mov", LEN)).await;
    bed.stop().await;
    assert_eq!(bed.requests(ListMultipartUploads).len(), 0);
}

#[tokio::test]
async fn a_right_to_list_that_is_missing_is_no_trouble() {
    let mut bed = bed().await;
    bed.fault(Fault::on(InitiateMultipartUpload, FaultKind::LoseAnswer));
    bed.stored(&bed.file("clip.mov", LEN)).await;
    bed.stop().await;
    let denied = FaultKind::Status { status: 403, code: "AccessDenied".into(), retry_after_seconds: None };
    // However often it looks: the destination has just become usable, which may have it look twice.
    bed.fault(Fault::on(ListMultipartUploads, denied).times(u32::MAX));
    bed.start().await;
    bed.met(2).await;
    bed.stored(&bed.file("again.mov", LEN)).await;
    assert_eq!(bed.requests(AbortMultipartUpload).len(), 0);
    bed.stop().await;
}
