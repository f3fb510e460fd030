//! An object is at the key already: replaced, compared, kept by the server, stepped aside for, or left as the newer one.

use std::path::Path;
use std::time::{Duration, SystemTime};

use waybill_engine::view::{AlreadyThere, CallbackBadge, OverwritePolicy, Phase, UploadDetails};
use waybill_engine::{Callback, Code, Enqueue};
use waybill_oss::ObjectHeaders;
use waybill_sandbox::Operation::{
    AbortMultipartUpload, CompleteMultipartUpload, HeadObject, InitiateMultipartUpload, PutObject, UploadPart,
};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{DESTINATION, MIB, TestBed, content};

/// Three parts.
const LEN: usize = 2 * MIB + 9;

/// Queues a file under a policy.
async fn queue(bed: &TestBed, path: &Path, policy: OverwritePolicy) -> i64 {
    let wanted = Enqueue {
        paths: vec![path.to_owned()],
        destination_id: Some(DESTINATION.into()),
        key_rule: None,
        callback: Callback::OfDestination,
        overwrite: Some(policy),
        fingerprint: None,
    };
    let added = bed.engine().enqueue(wanted).await.unwrap();
    bed.batch(added.batch).await[0].no
}

async fn upload(bed: &TestBed, path: &Path, policy: OverwritePolicy) -> UploadDetails {
    let no = queue(bed, path, policy).await;
    bed.finished(no).await
}

/// Puts an object there behind the engine's back.
async fn put(bed: &TestBed, key: &str, bytes: &[u8]) {
    let path = bed.dir.path().join("foreign");
    std::fs::write(&path, bytes).unwrap();
    let slice =
        waybill_oss::FileSlice { file: std::fs::File::open(&path).unwrap().into(), offset: 0, len: bytes.len() as u64 };
    let key = waybill_oss::ObjectKey::parse(key).unwrap();
    bed.client().put_object(&key, &slice, &ObjectHeaders::default(), None, None).await.unwrap();
}

fn is_left(details: &UploadDetails, how: AlreadyThere) {
    let row = &details.row;
    assert_eq!((row.phase, row.already_there), (Phase::Done, Some(how)), "{details:#?}");
    assert_eq!(row.callback, CallbackBadge::NotSent);
    assert_eq!(row.verified, how == AlreadyThere::Identical);
    assert!(details.log.iter().any(|line| line.what == "alreadyThere"), "{:#?}", details.log);
}

#[tokio::test]
async fn an_identical_object_is_left_and_nothing_is_sent_or_called_back() {
    let mut bed = TestBed::new().await;
    for (name, len) in [("a.jpg", 1000), ("clip.mov", LEN), ("empty", 0)] {
        put(&bed, name, &content(len)).await;
        let details = upload(&bed, &bed.file(name, len), OverwritePolicy::SkipIdentical).await;
        is_left(&details, AlreadyThere::Identical);
        assert_eq!(details.row.size_bytes, len as i64);
    }
    assert_eq!(bed.tally(), [(PutObject, 3), (HeadObject, 3)]);
    assert_eq!(bed.sandbox.callbacks().len(), 0);
    bed.stop().await;
}

#[tokio::test]
async fn an_object_with_other_bytes_of_the_same_length_is_not_taken_for_identical() {
    let mut bed = TestBed::new().await;
    let other: Vec<u8> = content(LEN).into_iter().rev().collect();
    put(&bed, "clip.mov", &other).await;
    let no = queue(&bed, &bed.file("clip.mov", LEN), OverwritePolicy::SkipIdentical).await;
    let details = bed.answered(no, &content(LEN)).await;
    assert_eq!(details.row.already_there, None);
    assert_eq!(bed.requests(HeadObject).len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn an_object_that_may_not_be_overwritten_stays_and_the_upload_says_so_before_a_part_is_sent() {
    let mut bed = TestBed::new().await;
    for (name, len) in [("a.jpg", 1000), ("clip.mov", LEN)] {
        put(&bed, name, b"theirs").await;
        let details = upload(&bed, &bed.file(name, len), OverwritePolicy::Forbid).await;
        assert_eq!(details.row.phase, Phase::Failed, "{details:#?}");
        assert_eq!(details.row.problem.map(|problem| problem.code), Some(Code::AlreadyThere));
        bed.expect_object(name, b"theirs");
    }
    assert_eq!(bed.tally(), [(PutObject, 3), (InitiateMultipartUpload, 1)]);
    let no = queue(&bed, &bed.file("new.jpg", 10), OverwritePolicy::Forbid).await;
    bed.answered(no, &content(10)).await;
    bed.stop().await;
}

#[tokio::test]
async fn an_object_that_appears_while_parts_are_on_their_way_is_not_overwritten_at_the_end() {
    let mut bed = TestBed::new().await;
    bed.hold_part(3);
    let no = queue(&bed, &bed.file("clip.mov", LEN), OverwritePolicy::Forbid).await;
    bed.met(1).await;
    put(&bed, "clip.mov", b"theirs").await;
    bed.release();
    let details = bed.finished(no).await;
    assert_eq!(details.row.problem.map(|problem| problem.code), Some(Code::AlreadyThere));
    assert_eq!(bed.requests(CompleteMultipartUpload).len(), 1);
    bed.expect_object("clip.mov", b"theirs");
    bed.engine().cancel(no).await.unwrap();
    bed.until_no_open_uploads().await;
    bed.stop().await;
}

#[tokio::test]
async fn a_file_whose_name_is_taken_goes_to_the_next_free_one() {
    let mut bed = TestBed::new().await;
    put(&bed, "a.jpg", b"theirs").await;
    put(&bed, "a (2).jpg", b"theirs too").await;
    let no = queue(&bed, &bed.file("a.jpg", 1000), OverwritePolicy::Rename).await;
    let details = bed.answered(no, &content(1000)).await;
    assert_eq!(details.row.key, "a (3).jpg");
    assert_eq!(details.object.unwrap().key, "a (3).jpg");
    bed.expect_object("a.jpg", b"theirs");
    bed.expect_object("a (2).jpg", b"theirs too");
    assert_eq!(bed.requests(HeadObject).len(), 3);
    bed.stop().await;
}

#[tokio::test]
async fn a_name_taken_while_parts_are_on_their_way_sends_the_file_to_the_next_one() {
    let mut bed = TestBed::new().await;
    bed.hold_part(3);
    let no = queue(&bed, &bed.file("clip.mov", LEN), OverwritePolicy::Rename).await;
    bed.met(1).await;
    put(&bed, "clip.mov", b"theirs").await;
    bed.release();
    let details = bed.answered(no, &content(LEN)).await;
    assert_eq!(details.row.key, "clip (2).mov");
    bed.expect_object("clip.mov", b"theirs");
    assert_eq!(
        bed.tally(),
        [
            (PutObject, 1),
            (InitiateMultipartUpload, 2),
            (UploadPart, 6),
            (CompleteMultipartUpload, 2),
            (AbortMultipartUpload, 1),
            (HeadObject, 3)
        ]
    );
    bed.stop().await;
}

#[tokio::test]
async fn two_files_that_want_one_name_at_the_same_time_both_arrive() {
    let mut bed = TestBed::new().await;
    // Both have heard that the name is free before either is sent.
    bed.fault(Fault::on(PutObject, FaultKind::Delay { ms: 300 }).times(2));
    let first = queue(&bed, &bed.file("one/a.jpg", 1000), OverwritePolicy::Rename).await;
    let second = queue(&bed, &bed.file("two/a.jpg", 2000), OverwritePolicy::Rename).await;
    let keys = [bed.answered(first, &content(1000)).await.row.key, bed.answered(second, &content(2000)).await.row.key];
    assert!(keys.contains(&"a.jpg".to_owned()) && keys.contains(&"a (2).jpg".to_owned()), "{keys:?}");
    bed.stop().await;
}

#[tokio::test]
async fn a_renamed_upload_is_taken_up_under_its_new_name_after_a_restart() {
    let mut bed = TestBed::new().await;
    put(&bed, "clip.mov", b"theirs").await;
    bed.hold_part(3);
    let no = queue(&bed, &bed.file("clip.mov", LEN), OverwritePolicy::Rename).await;
    bed.met(1).await;
    bed.stop().await;
    bed.release_given_up(1).await;
    bed.start().await;
    let details = bed.answered(no, &content(LEN)).await;
    assert_eq!(details.row.key, "clip (2).mov");
    bed.expect_object("clip.mov", b"theirs");
    assert_eq!(bed.requests(InitiateMultipartUpload).len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn only_a_file_changed_after_the_object_was_stored_replaces_it() {
    let mut bed = TestBed::new().await;
    let path = bed.file("a.jpg", 1000);
    put(&bed, "a.jpg", b"theirs").await;
    let an_hour = Duration::from_secs(3600);
    let touch = |time: SystemTime| {
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    };
    touch(SystemTime::now() - an_hour);
    let details = upload(&bed, &path, OverwritePolicy::Newer).await;
    is_left(&details, AlreadyThere::Newer);
    bed.expect_object("a.jpg", b"theirs");
    touch(SystemTime::now() + an_hour);
    let no = queue(&bed, &path, OverwritePolicy::Newer).await;
    bed.answered(no, &content(1000)).await;
    assert_eq!(bed.requests(HeadObject).len(), 2);
    bed.stop().await;
}

#[tokio::test]
async fn without_a_policy_nothing_is_asked_and_the_destinations_policy_counts() {
    let mut bed = TestBed::new().await;
    put(&bed, "a.jpg", b"theirs").await;
    bed.stored(&bed.file("a.jpg", 10)).await;
    assert_eq!(bed.requests(HeadObject).len(), 0);
    let mut form = bed.form("test-secret");
    form.overwrite = OverwritePolicy::Forbid;
    let mine = bed.engine().save_destination(form).await.unwrap();
    assert_eq!(mine.overwrite, OverwritePolicy::Forbid);
    let no = bed.upload_to(&bed.file("a.jpg", 20), &mine.id).await;
    let details = bed.finished(no).await;
    assert_eq!(details.row.problem.map(|problem| problem.code), Some(Code::AlreadyThere));
    bed.expect_object("a.jpg", &content(10));
    bed.stop().await;
}
