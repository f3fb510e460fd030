//! Closing the window in the middle of a large file: the next start goes on from what the server has.

use std::fs::File;
use std::sync::Arc;

use waybill_engine::view::Phase;
use waybill_oss::{FileSlice, ObjectKey};
use waybill_sandbox::Operation::{
    AbortMultipartUpload, CompleteMultipartUpload, InitiateMultipartUpload, ListParts, UploadPart,
};
use waybill_tests::{MIB, TestBed, content, each_once};

/// Six parts.
const LEN: usize = 5 * MIB + 77;

/// Stops the engine when four parts of six are stored and two are on their way.
async fn stopped_half_way(bed: &mut TestBed) -> i64 {
    let no = bed.half_way(&bed.file("clip.mov", LEN)).await;
    bed.stop().await;
    bed.release_given_up(2).await;
    no
}

#[tokio::test]
async fn after_a_restart_the_upload_goes_on_with_the_same_upload_id_and_sends_no_stored_part_again() {
    let mut bed = TestBed::new().await;
    let no = stopped_half_way(&mut bed).await;
    bed.start().await;
    let details = bed.answered(no, &content(LEN)).await;
    assert_eq!((details.row.parts_done, details.parts.len()), (6, 6));
    assert!(details.log.iter().any(|line| line.what == "takenUp"), "{:#?}", details.log);
    assert_eq!(bed.parts_stored(), each_once(6));
    assert_eq!(bed.parts_tried(), [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (6, 2)]);
    assert_eq!(
        bed.tally(),
        [(InitiateMultipartUpload, 1), (UploadPart, 8), (ListParts, 1), (CompleteMultipartUpload, 1)]
    );
    bed.stop().await;
}

#[tokio::test]
async fn a_stored_part_whose_record_was_lost_is_recognised_and_not_sent_again() {
    let mut bed = TestBed::new().await;
    let no = stopped_half_way(&mut bed).await;
    bed.forget_parts(no, &[2, 4]);
    bed.start().await;
    let details = bed.answered(no, &content(LEN)).await;
    assert_eq!((details.row.parts_done, details.parts.len()), (6, 6));
    assert_eq!(bed.parts_stored(), each_once(6));
    bed.stop().await;
}

#[tokio::test]
async fn a_part_at_the_server_that_is_not_the_files_is_sent_again() {
    let mut bed = TestBed::new().await;
    let no = stopped_half_way(&mut bed).await;
    let upload_id = &bed.upload_ids()[0];
    let other = Arc::new(File::open(bed.file("other.mov", 3 * MIB)).unwrap());
    let key = ObjectKey::parse("clip.mov").unwrap();
    for number in [2, 5] {
        // Right in size, wrong in content: part 2 over a record of ours, part 5 without one.
        let slice = FileSlice { file: Arc::clone(&other), offset: MIB as u64 / 2, len: MIB as u64 };
        bed.client().upload_part(&key, upload_id, number, &slice, None, None).await.unwrap();
    }
    bed.start().await;
    bed.answered(no, &content(LEN)).await;
    assert_eq!(bed.parts_stored(), [(1, 1), (2, 3), (3, 1), (4, 1), (5, 2), (6, 1)]);
    bed.stop().await;
}

#[tokio::test]
async fn an_upload_id_aborted_behind_our_back_starts_the_upload_anew() {
    let mut bed = TestBed::new().await;
    let no = stopped_half_way(&mut bed).await;
    let key = ObjectKey::parse("clip.mov").unwrap();
    bed.client().abort_multipart(&key, &bed.upload_ids()[0]).await.unwrap();
    bed.start().await;
    let details = bed.answered(no, &content(LEN)).await;
    assert!(details.log.iter().any(|line| line.what == "startedAnew"), "{:#?}", details.log);
    let ids = bed.upload_ids();
    assert_eq!(ids.len(), 2);
    let mut anew = bed.requests(UploadPart);
    anew.retain(|part| part.upload_id.as_ref() == Some(&ids[1]) && part.status == Some(200));
    assert_eq!(anew.len(), 6);
    // Ours, not the engine's: there was nothing left to abort.
    assert_eq!(bed.requests(AbortMultipartUpload).len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn an_upload_id_aborted_while_parts_are_on_their_way_fails_and_retry_starts_anew() {
    let mut bed = TestBed::new().await;
    let no = bed.half_way(&bed.file("clip.mov", LEN)).await;
    let key = ObjectKey::parse("clip.mov").unwrap();
    bed.client().abort_multipart(&key, &bed.upload_ids()[0]).await.unwrap();
    bed.release();
    let failed = bed.finished(no).await;
    assert_eq!(failed.row.phase, Phase::Failed);
    let problem = failed.row.problem.expect("a reason");
    assert!(problem.message.contains("NoSuchUpload") && problem.request_id.is_some(), "{problem:?}");
    assert_eq!(bed.requests(CompleteMultipartUpload).len(), 0);
    bed.engine().retry(no).await.unwrap();
    bed.answered(no, &content(LEN)).await;
    assert_eq!(bed.upload_ids().len(), 2);
    bed.stop().await;
}

#[tokio::test]
async fn a_file_changed_between_two_runs_starts_anew_and_the_old_upload_id_is_aborted() {
    let mut bed = TestBed::new().await;
    let no = stopped_half_way(&mut bed).await;
    let changed: Vec<u8> = content(LEN).into_iter().rev().collect();
    std::fs::write(bed.dir.path().join("files/clip.mov"), &changed).unwrap();
    bed.start().await;
    bed.answered(no, &changed).await;
    let ids = bed.upload_ids();
    assert_eq!(ids.len(), 2);
    let aborted = bed.requests(AbortMultipartUpload);
    assert_eq!(aborted.len(), 1);
    assert_eq!(aborted[0].upload_id.as_ref(), Some(&ids[0]));
    assert_eq!(bed.requests(CompleteMultipartUpload).len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn several_uploads_half_way_all_go_on_after_a_restart() {
    let mut bed = TestBed::with(|config| config.parallel = 8).await;
    let mut numbers = Vec::new();
    for n in 0..3 {
        numbers.push(bed.half_way(&bed.file(&format!("{n}.mov"), LEN + n)).await);
    }
    bed.stop().await;
    bed.release_given_up(6).await;
    bed.start().await;
    for (n, no) in numbers.into_iter().enumerate() {
        let details = bed.finished(no).await;
        assert!(details.row.verified, "{details:#?}");
        bed.expect_object(&format!("{n}.mov"), &content(LEN + n));
    }
    assert_eq!(bed.parts_stored(), (1..=6).map(|number| (number, 3)).collect::<Vec<_>>());
    assert_eq!(bed.upload_ids().len(), 3);
    bed.stop().await;
}
