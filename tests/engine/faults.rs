//! Requests that go wrong on their way: each is sent again by itself, alone, and the object is whole.

use std::time::Duration;

use waybill_sandbox::Operation::{CompleteMultipartUpload, InitiateMultipartUpload, PutObject, UploadPart};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{MIB, TestBed, content, each_once};

/// Three parts and a little.
const LEN: usize = 3 * MIB + 5;

/// Uploads four parts, of which the second meets this trouble once, and expects that it alone was sent twice.
async fn second_part_meets(bed: &mut TestBed, trouble: FaultKind) {
    bed.fault(Fault::on(UploadPart, trouble).part(2));
    let no = bed.upload(&bed.file("clip.mov", LEN)).await;
    bed.answered(no, &content(LEN)).await;
    assert_eq!(bed.parts_tried(), [(1, 1), (2, 2), (3, 1), (4, 1)]);
    assert_eq!(bed.tally(), [(InitiateMultipartUpload, 1), (UploadPart, 5), (CompleteMultipartUpload, 1)]);
    bed.stop().await;
}

/// Milliseconds between the two tries of the second part.
fn waited_for_second_try(bed: &TestBed) -> i64 {
    let mut tries = bed.requests(UploadPart);
    tries.retain(|part| part.part_number == Some(2));
    tries.sort_by_key(|part| part.at_ms);
    tries[1].at_ms - tries[0].at_ms
}

#[tokio::test]
async fn a_part_whose_connection_closes_is_sent_again_alone() {
    let mut bed = TestBed::new().await;
    second_part_meets(&mut bed, FaultKind::CloseAfterBytes { bytes: 300_000 }).await;
    assert_eq!(bed.requests(UploadPart).iter().filter(|part| part.status.is_none()).count(), 1);
}

#[tokio::test]
async fn a_part_that_stalls_is_given_up_and_sent_again_alone() {
    let mut bed = TestBed::with(|config| config.stall = Duration::from_secs(2)).await;
    second_part_meets(&mut bed, FaultKind::Stall).await;
    let waited = waited_for_second_try(&bed);
    assert!((2000..20_000).contains(&waited), "given up after {waited} ms");
}

#[tokio::test]
async fn a_part_answered_with_500_is_sent_again_alone() {
    let mut bed = TestBed::new().await;
    let trouble = FaultKind::Status { status: 500, code: "InternalError".into(), retry_after_seconds: None };
    second_part_meets(&mut bed, trouble).await;
}

#[tokio::test]
async fn a_part_answered_with_503_waits_as_long_as_it_was_told() {
    let mut bed = TestBed::new().await;
    let trouble = FaultKind::Status { status: 503, code: "ServiceUnavailable".into(), retry_after_seconds: Some(1) };
    second_part_meets(&mut bed, trouble).await;
    let waited = waited_for_second_try(&bed);
    assert!(waited >= 1000, "sent again after {waited} ms");
}

#[tokio::test]
async fn a_part_with_another_crc64_than_ours_is_not_trusted_and_sent_again() {
    let mut bed = TestBed::new().await;
    second_part_meets(&mut bed, FaultKind::CorruptCrc).await;
}

#[tokio::test]
async fn a_part_whose_answer_is_lost_is_sent_again() {
    let mut bed = TestBed::new().await;
    second_part_meets(&mut bed, FaultKind::LoseAnswer).await;
    assert_eq!(bed.parts_stored(), [(1, 1), (2, 2), (3, 1), (4, 1)]);
}

#[tokio::test]
async fn a_lost_initiate_answer_is_asked_for_again_and_the_parts_go_to_one_upload_id() {
    let mut bed = TestBed::new().await;
    bed.fault(Fault::on(InitiateMultipartUpload, FaultKind::LoseAnswer));
    let details = bed.stored(&bed.file("clip.mov", LEN)).await;
    assert!(details.row.verified);
    bed.expect_object("clip.mov", &content(LEN));
    assert_eq!(bed.tally(), [(InitiateMultipartUpload, 2), (UploadPart, 4), (CompleteMultipartUpload, 1)]);
    let heard = &bed.upload_ids()[1];
    assert!(bed.requests(UploadPart).iter().all(|part| part.upload_id.as_ref() == Some(heard)));
    assert_eq!(bed.sandbox.callbacks().len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn a_put_cut_in_the_middle_is_sent_again() {
    let mut bed = TestBed::with(|config| config.part_size_bytes = 16 * MIB as u64).await;
    bed.fault(Fault::on(PutObject, FaultKind::CloseAfterBytes { bytes: 100_000 }));
    let no = bed.upload(&bed.file("clip.mov", 12 * MIB)).await;
    bed.answered(no, &content(12 * MIB)).await;
    // Its last byte was never sent, so there was nothing to settle.
    assert_eq!(bed.tally(), [(PutObject, 2)]);
    bed.stop().await;
}

#[tokio::test]
async fn a_put_whose_stored_crc64_is_another_is_sent_again() {
    let mut bed = TestBed::new().await;
    bed.fault(Fault::on(PutObject, FaultKind::CorruptCrc));
    let details = bed.stored(&bed.file("a.jpg", 1000)).await;
    assert!(details.row.verified);
    assert!(details.log.iter().any(|line| line.what == "retry" && line.detail.contains("CRC-64")), "{details:#?}");
    assert_eq!(bed.tally(), [(PutObject, 2)]);
    bed.expect_object("a.jpg", &content(1000));
    bed.stop().await;
}

#[tokio::test]
async fn everything_at_once_goes_wrong_once_and_every_file_arrives_whole() {
    let mut bed = TestBed::new().await;
    let troubles = [
        FaultKind::CloseAfterBytes { bytes: 10 },
        FaultKind::LoseAnswer,
        FaultKind::CorruptCrc,
        FaultKind::Status { status: 500, code: "InternalError".into(), retry_after_seconds: None },
    ];
    for trouble in troubles {
        bed.fault(Fault::on(UploadPart, trouble.clone()).skip(1).times(2));
        bed.fault(Fault::on(InitiateMultipartUpload, trouble));
    }
    let folder = bed.folder("shoot");
    for n in 0..6usize {
        bed.file(&format!("shoot/{n}.mov"), LEN + n);
    }
    let added = bed.add(&folder).await;
    for row in bed.batch(added.batch).await {
        let details = bed.finished(row.no).await;
        let len = usize::try_from(row.size_bytes).unwrap();
        assert!(details.row.verified, "{details:#?}");
        bed.expect_object(&row.key, &content(len));
        assert_eq!(bed.callbacks_for(&row.key), 1);
    }
    assert_eq!(bed.requests(CompleteMultipartUpload).len(), 6);
    assert!(bed.parts_stored().iter().all(|(number, times)| (1..=4).contains(number) && *times >= 6));
    assert_ne!(bed.parts_tried(), each_once(4));
    bed.stop().await;
}
