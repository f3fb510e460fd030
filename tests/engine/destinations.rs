//! Destinations with wrong keys, without keys, in use, or not there yet; and where their secret is not.

use waybill_engine::Code;
use waybill_engine::view::{CallbackBadge, DestinationForm, Phase, UploadDetails};
use waybill_sandbox::Operation::{GetBucketInfo, InitiateMultipartUpload, PutObject};
use waybill_tests::{MIB, TestBed, content};

/// Waits until an upload waits with a reason.
async fn waits(bed: &TestBed, no: i64) -> UploadDetails {
    bed.until(no, "waiting with a reason", |details| {
        details.row.phase == Phase::Queued && details.row.problem.is_some()
    })
    .await
}

#[tokio::test]
async fn a_wrong_secret_is_asked_about_once_and_every_upload_waits_with_the_request_id() {
    for (name, len, operation) in [("a.jpg", 10, PutObject), ("clip.mov", 2 * MIB, InitiateMultipartUpload)] {
        let mut bed = TestBed::new().await;
        let mine = bed.destination("not-the-secret").await;
        let no = bed.upload_to(&bed.file(name, len), &mine.id).await;
        let details = waits(&bed, no).await;
        assert_eq!(details.row.callback, CallbackBadge::Waiting);
        let problem = details.row.problem.expect("a reason");
        assert_eq!(problem.code, Code::Credentials);
        assert!(!problem.message.contains("not-the-secret"), "{problem:?}");
        assert!(details.row.retry_at_ms.is_some(), "it says when it is tried again");
        let asked = bed.requests(operation);
        assert_eq!((asked[0].status, asked[0].code.as_deref()), (Some(403), Some("SignatureDoesNotMatch")));
        assert_eq!(problem.request_id.as_deref(), Some(asked[0].request_id.as_str()));
        // The second is not even tried, and says why.
        let other = bed.upload_to(&bed.file("other.jpg", 10), &mine.id).await;
        assert_eq!(waits(&bed, other).await.row.problem.as_ref(), Some(&problem));
        assert_eq!(bed.sandbox.log().len(), 1);
        assert_eq!(bed.object(name), None);
        bed.stop().await;
    }
}

#[tokio::test]
async fn a_corrected_secret_lets_waiting_uploads_through_by_itself() {
    let mut bed = TestBed::new().await;
    let mine = bed.destination("not-the-secret").await;
    let no = bed.upload_to(&bed.file("a.jpg", 10), &mine.id).await;
    waits(&bed, no).await;
    let other = bed.upload_to(&bed.file("b.jpg", 20), &mine.id).await;
    let form = DestinationForm {
        id: Some(mine.id.clone()),
        name: mine.name,
        endpoint: mine.endpoint,
        region: mine.region,
        bucket: mine.bucket,
        key_template: mine.key_template,
        access_key_id: mine.access_key_id,
        access_key_secret: Some("test-secret".into()),
        security_token: None,
        callback: mine.callback,
        callback_profile_id: None,
        connection: mine.connection,
        proxy_password: None,
        overwrite: mine.overwrite,
    };
    let report = bed.engine().test_connection(form.clone()).await.unwrap();
    assert!(report.ok, "{report:?}");
    bed.engine().save_destination(form).await.unwrap();
    bed.answered(no, &content(10)).await;
    bed.answered(other, &content(20)).await;
    assert_eq!(bed.requests(GetBucketInfo).len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn a_missing_secret_leaves_the_upload_waiting_without_a_request() {
    let mut bed = TestBed::new().await;
    let mine = bed.destination("test-secret").await;
    bed.config.secrets.delete(&mine.id).unwrap();
    let no = bed.upload_to(&bed.file("a.jpg", 10), &mine.id).await;
    let details = waits(&bed, no).await;
    assert_eq!(details.row.problem.map(|problem| problem.code), Some(Code::NoSecret));
    assert_eq!(bed.sandbox.log().len(), 0);
    bed.stop().await;
}

#[tokio::test]
async fn a_destination_is_not_deleted_while_uploads_need_it() {
    let mut bed = TestBed::new().await;
    let mine = bed.destination("test-secret").await;
    bed.hold_part(2);
    let no = bed.upload_to(&bed.file("clip.mov", 2 * MIB), &mine.id).await;
    bed.met(1).await;
    assert_eq!(bed.engine().delete_destination(&mine.id).await.unwrap_err().code(), Code::Refused);
    bed.engine().pause(no).await.unwrap();
    assert_eq!(bed.engine().delete_destination(&mine.id).await.unwrap_err().code(), Code::Refused);
    bed.release_given_up(1).await;
    bed.engine().resume(no).await.unwrap();
    bed.answered(no, &content(2 * MIB)).await;
    bed.engine().delete_destination(&mine.id).await.unwrap();
    assert!(bed.engine().destinations().await.unwrap().iter().all(|row| row.id != mine.id));
    assert!(bed.config.secrets.get(&mine.id, "test-id").unwrap().is_none(), "its secret is gone too");
    assert_eq!(bed.details(no).await.row.phase, Phase::Done, "its history stays");
    bed.stop().await;
}

#[tokio::test]
async fn uploads_wait_for_a_sandbox_that_is_not_up_yet_instead_of_failing() {
    let mut bed = TestBed::new().await;
    let no = bed.half_way(&bed.file("clip.mov", 6 * MIB)).await;
    bed.stop().await;
    bed.release_given_up(2).await;
    bed.start_bare().await;
    let mine = bed.destination("test-secret").await;
    let other = bed.upload_to(&bed.file("other.jpg", 10), &mine.id).await;
    assert_eq!(bed.finished(other).await.row.phase, Phase::Done);
    assert_eq!(bed.details(no).await.row.phase, Phase::Queued);
    bed.connect().await;
    bed.answered(no, &content(6 * MIB)).await;
    bed.stop().await;
}

#[tokio::test]
async fn a_typed_secret_is_in_no_file_of_the_data_folder() {
    const SECRET: &str = "Xq7-typed-by-hand-0Vw";
    let mut bed = TestBed::new().await;
    let mine = bed.destination(SECRET).await;
    let no = bed.upload_to(&bed.file("a.jpg", 10), &mine.id).await;
    waits(&bed, no).await;
    let look = |when: &str| {
        let mut seen = 0;
        for entry in std::fs::read_dir(&bed.config.data_dir).unwrap() {
            let path = entry.unwrap().path();
            // The socket to other processes holds nothing, and cannot be read as a file.
            let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { continue };
            let found = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
            assert!(!found, "{when}: the secret is in {}", path.display());
            seen += bytes.len();
        }
        assert!(seen > 0);
    };
    look("while the engine runs");
    let shown = format!("{:?}", bed.engine().destinations().await.unwrap());
    assert!(!shown.contains(SECRET));
    bed.stop().await;
    assert!(mine.has_secret);
}
