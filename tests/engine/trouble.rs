//! A destination in trouble: its uploads wait with the reason, others go on, and everything goes on by itself afterwards.
//! And what is kept of the tries that failed.

use waybill_engine::Code;
use waybill_engine::view::{Phase, UploadDetails};
use waybill_sandbox::Operation::{CompleteMultipartUpload, HeadObject, InitiateMultipartUpload, PutObject, UploadPart};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{MIB, TestBed, content, sandbox_in};

/// Three parts.
const LEN: usize = 2 * MIB + 9;

fn refused(code: &str) -> FaultKind {
    FaultKind::Status { status: 403, code: code.into(), retry_after_seconds: None }
}

fn waits(details: &UploadDetails) -> bool {
    details.row.phase == Phase::Queued && details.row.problem.is_some() && details.row.retry_at_ms.is_some()
}

#[tokio::test]
async fn an_unreachable_destination_makes_its_uploads_wait_while_another_goes_on() {
    let mut bed = TestBed::new().await;
    // Nobody listens at this port once the listener is dropped.
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let mut form = bed.form("test-secret");
    form.endpoint = format!("http://127.0.0.1:{port}");
    let away = bed.engine().save_destination(form).await.unwrap();
    let first = bed.upload_to(&bed.file("a.jpg", 10), &away.id).await;
    bed.until(first, "waiting for the destination", waits).await;
    let mut others = Vec::new();
    for n in 0..20 {
        others.push(bed.upload_to(&bed.file(&format!("{n}.jpg"), 10), &away.id).await);
    }
    let last = bed.until(others[19], "waiting without having been tried", waits).await;
    assert_eq!((last.row.problem.map(|problem| problem.code), last.row.attempts), (Some(Code::Network), 0));
    // A slot is always free for the one that works.
    bed.stored(&bed.file("here.jpg", 10)).await;
    let tried = bed.rows().await.into_iter().filter(|row| row.destination == "My bucket" && row.attempts > 0).count();
    assert!(tried <= 2, "{tried} uploads were tried against a dead address");
    bed.stop().await;
}

#[tokio::test]
async fn uploads_go_on_by_themselves_when_the_server_is_back() {
    let mut bed = TestBed::new().await;
    let home = sandbox_in(bed.dir.path().join("home"), |_| {}).await;
    let info = home.info().clone();
    let mut form = bed.form("test-secret");
    form.endpoint = info.endpoint.clone();
    form.callback = None;
    let mine = bed.engine().save_destination(form).await.unwrap();
    home.stop().await;
    let mut numbers = Vec::new();
    for n in 0..8 {
        numbers.push(bed.upload_to(&bed.file(&format!("{n}.jpg"), 1000), &mine.id).await);
    }
    bed.until(numbers[7], "waiting", waits).await;
    let port = info.endpoint.rsplit(':').next().unwrap().parse().unwrap();
    let home = waybill_sandbox::Sandbox::start(waybill_sandbox::SandboxConfig {
        port,
        data_dir: bed.dir.path().join("home"),
        access_key_id: "test-id".into(),
        access_key_secret: "test-secret".into(),
        region: "cn-test".into(),
        bucket: "bucket".into(),
    })
    .await
    .unwrap();
    for no in numbers {
        let details = bed.finished(no).await;
        assert_eq!((details.row.phase, details.row.problem), (Phase::Done, None));
    }
    assert_eq!(home.log().iter().filter(|entry| entry.operation == PutObject).count(), 8);
    home.stop().await;
    bed.stop().await;
}

#[tokio::test]
async fn a_bucket_that_is_gone_is_asked_for_by_one_upload_and_a_press_of_retry_asks_at_once() {
    let mut bed = TestBed::with(|config| config.parallel = 1).await;
    let gone = FaultKind::Status { status: 404, code: "NoSuchBucket".into(), retry_after_seconds: None };
    bed.fault(Fault::on(PutObject, gone).times(u32::MAX));
    let first = bed.upload(&bed.file("a.jpg", 10)).await;
    let second = bed.upload(&bed.file("b.jpg", 20)).await;
    let details = bed.until(second, "waiting", waits).await;
    assert_eq!(details.row.problem.map(|problem| problem.code), Some(Code::Bucket));
    bed.release();
    // By itself it would wait a quarter of a minute.
    bed.engine().retry(second).await.unwrap();
    bed.answered(second, &content(20)).await;
    bed.answered(first, &content(10)).await;
    bed.stop().await;
}

#[tokio::test]
async fn a_key_that_may_not_be_written_fails_alone() {
    let mut bed = TestBed::new().await;
    bed.fault(Fault::on(PutObject, refused("AccessDenied")).key("secret.jpg").times(u32::MAX));
    let denied = bed.upload(&bed.file("secret.jpg", 10)).await;
    let details = bed.finished(denied).await;
    assert_eq!((details.row.phase, details.row.problem.map(|p| p.code)), (Phase::Failed, Some(Code::AccessDenied)));
    bed.stored(&bed.file("a.jpg", 10)).await;
    assert_eq!(bed.requests(PutObject).len(), 2);
    bed.stop().await;
}

#[tokio::test]
async fn rights_missing_for_every_key_stop_the_queue_after_a_few_refusals() {
    let mut bed = TestBed::with(|config| config.parallel = 1).await;
    bed.fault(Fault::on(PutObject, refused("AccessDenied")).times(u32::MAX));
    let folder = bed.folder("shoot");
    for n in 0..30 {
        bed.file(&format!("shoot/{n}.jpg"), 10);
    }
    let batch = bed.add(&folder).await.batch;
    let last = bed.batch(batch).await[29].no;
    bed.until(last, "waiting for rights", waits).await;
    let asked = bed.requests(PutObject).len();
    assert!(asked <= 6, "{asked} requests though every one is refused");
    bed.release();
    bed.engine().retry(last).await.unwrap();
    bed.answered(last, &content(10)).await;
    let counts = bed.engine().counts().await.unwrap();
    assert!(counts.failed <= 5, "{counts:?}");
    bed.stop().await;
}

#[tokio::test]
async fn attempts_and_their_reasons_are_kept_and_shown() {
    let mut bed = TestBed::new().await;
    let busy = FaultKind::Status { status: 500, code: "InternalError".into(), retry_after_seconds: None };
    bed.fault(Fault::on(UploadPart, busy).part(2).times(3));
    let no = bed.upload(&bed.file("clip.mov", LEN)).await;
    let details = bed.answered(no, &content(LEN)).await;
    let [attempt] = details.attempts.as_slice() else { panic!("{:#?}", details.attempts) };
    assert_eq!((attempt.phase, attempt.problem.code), (Phase::Sending, Code::ServerBusy));
    assert!(attempt.problem.message.contains("UploadPart"), "{attempt:?}");
    assert!(attempt.problem.request_id.is_some());
    bed.stop().await;
}

#[tokio::test]
async fn a_whole_with_another_checksum_is_sent_once_more_and_never_deleted() {
    let mut bed = TestBed::new().await;
    bed.fault(Fault::on(CompleteMultipartUpload, FaultKind::CorruptCrc));
    let no = bed.upload(&bed.file("clip.mov", LEN)).await;
    let details = bed.finished(no).await;
    assert_eq!((details.row.phase, details.row.verified), (Phase::Done, true), "{details:#?}");
    assert_eq!(details.attempts.len(), 1);
    assert_eq!(details.attempts[0].problem.code, Code::Integrity);
    bed.expect_object("clip.mov", &content(LEN));
    assert_eq!(bed.tally(), [(InitiateMultipartUpload, 2), (UploadPart, 6), (CompleteMultipartUpload, 2)]);
    bed.stop().await;
}

#[tokio::test]
async fn a_whole_that_differs_twice_is_shown_and_stays_where_it_is() {
    for (name, len, operation) in [("clip.mov", LEN, CompleteMultipartUpload), ("a.jpg", 1000, PutObject)] {
        let mut bed = TestBed::new().await;
        bed.fault(Fault::on(operation, FaultKind::CorruptCrc).times(u32::MAX));
        let no = bed.upload(&bed.file(name, len)).await;
        let details = bed.finished(no).await;
        assert_eq!((details.row.phase, details.row.problem.map(|p| p.code)), (Phase::Failed, Some(Code::Integrity)));
        assert_eq!(bed.requests(operation).len(), 2);
        bed.expect_object(name, &content(len));
        assert_eq!(bed.requests(HeadObject).len(), 0);
        // Asked for once more, it is sent once more.
        bed.release();
        bed.engine().retry(no).await.unwrap();
        let again = bed.finished(no).await;
        assert_eq!((again.row.phase, again.row.verified), (Phase::Done, true), "{again:#?}");
        bed.stop().await;
    }
}
