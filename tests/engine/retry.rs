//! Trouble that lasts: the upload waits, comes back by itself when it is due, and keeps what is stored.

use waybill_engine::Code;
use waybill_engine::view::Phase;
use waybill_sandbox::Operation::{CompleteMultipartUpload, InitiateMultipartUpload, ListParts, PutObject, UploadPart};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{MIB, TestBed, content, each_once};

fn busy(status: u16, retry_after_seconds: Option<u64>) -> FaultKind {
    FaultKind::Status { status, code: "ServiceUnavailable".into(), retry_after_seconds }
}

#[tokio::test]
async fn a_part_that_fails_for_long_is_put_off_and_the_upload_goes_on_with_the_same_upload_id() {
    let mut bed = TestBed::with(|config| config.parallel = 1).await;
    // The client gives up after three tries, the queue comes back later.
    bed.fault(Fault::on(UploadPart, busy(500, None)).part(3).times(4));
    let no = bed.upload(&bed.file("clip.mov", 4 * MIB)).await;
    let details = bed.answered(no, &content(4 * MIB)).await;
    assert!(details.log.iter().any(|line| line.what == "retry" && line.detail.contains("500")), "{:#?}", details.log);
    assert_eq!(bed.parts_stored(), each_once(4));
    assert_eq!(bed.parts_tried(), [(1, 1), (2, 1), (3, 5), (4, 1)]);
    assert_eq!(
        bed.tally(),
        [(InitiateMultipartUpload, 1), (UploadPart, 8), (ListParts, 1), (CompleteMultipartUpload, 1)]
    );
    bed.stop().await;
}

#[tokio::test]
async fn a_put_to_a_busy_server_waits_and_says_that_the_server_is_busy() {
    let mut bed = TestBed::new().await;
    bed.fault(Fault::on(PutObject, busy(503, Some(1))));
    let no = bed.upload(&bed.file("a.jpg", 1000)).await;
    let is_waiting = |details: &waybill_engine::view::UploadDetails| {
        details.row.phase == Phase::Queued && details.row.retry_at_ms.is_some()
    };
    let waiting = bed.until(no, "waiting", is_waiting).await;
    assert_eq!(waiting.row.problem.map(|problem| problem.code), Some(Code::ServerBusy));
    bed.answered(no, &content(1000)).await;
    assert_eq!(bed.requests(PutObject).len(), 2);
    bed.stop().await;
}

#[tokio::test]
async fn a_command_gives_a_busy_server_up_after_as_many_tries_as_it_was_told() {
    let mut bed = TestBed::with(|config| config.patience = Some(1)).await;
    bed.fault(Fault::on(InitiateMultipartUpload, busy(500, None)).times(u32::MAX));
    let no = bed.upload(&bed.file("clip.mov", 2 * MIB)).await;
    let details = bed.finished(no).await;
    assert_eq!(details.row.phase, Phase::Failed);
    assert_eq!(details.row.problem.map(|problem| problem.code), Some(Code::ServerBusy));
    assert_eq!(bed.tally(), [(InitiateMultipartUpload, 3)]);
    bed.stop().await;
}

#[tokio::test]
async fn a_retry_comes_when_it_is_due_although_another_upload_keeps_reporting_parts() {
    let mut bed = TestBed::with(|config| config.part_size_bytes = 100 << 10).await;
    bed.fault(Fault::on(UploadPart, FaultKind::Delay { ms: 150 }).key("long.mov").times(u32::MAX));
    bed.fault(Fault::on(InitiateMultipartUpload, busy(500, None)).key("short.mov").times(3));
    let long = bed.upload(&bed.file("long.mov", 30 * MIB)).await;
    bed.until(long, "sending", |details| details.row.parts_done > 0).await;
    let short = bed.upload(&bed.file("short.mov", 200 << 10)).await;
    bed.finished(short).await;
    let long = bed.details(long).await.row;
    assert_eq!(long.phase, Phase::Sending, "the retry waited until the other upload had ended");
    bed.engine().cancel(long.no).await.unwrap();
    bed.until_no_open_uploads().await;
    assert_eq!(bed.object("short.mov"), Some(content(200 << 10)));
    bed.stop().await;
}
