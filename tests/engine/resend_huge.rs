//! A callback for more than one part holds: the object is copied in two, and not a byte of it passes through here.

use waybill_engine::view::{CallbackBadge, ResendSelection};
use waybill_sandbox::Operation::{Callback, CompleteMultipartUpload, UploadPartCopy};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{TestBed, content};

/// One byte more than OSS copies into one part.
const HUGE: u64 = (5 << 30) + 1;

/// CRC-64 of so many zeros, put together from the sums of halves.
fn crc64_of_zeros(len: u64) -> u64 {
    if len <= 1 {
        let mut crc64 = waybill_oss::Crc64::new();
        crc64.update(&[0][..len as usize]);
        return crc64.finish();
    }
    let (half, rest) = (crc64_of_zeros(len / 2), crc64_of_zeros(len % 2));
    waybill_oss::combine(waybill_oss::combine(half, half, len / 2), rest, len % 2)
}

#[tokio::test]
#[ignore = "summing 5 GB up takes the sandbox half a minute: cargo xtask soak"]
async fn an_object_of_5_gb_and_a_byte_is_copied_in_two_parts() {
    let mut bed = TestBed::new().await;
    bed.fault(Fault::on(Callback, FaultKind::CallbackStatus { status: 500, body: "{}".into() }));
    let no = bed.stored(&bed.file("clip.mov", 1)).await.row.no;
    bed.stop().await;
    // The upload and its object grow to what nobody wants to send in a test: zeros that take no space.
    assert_eq!(content(1), [0]);
    bed.grow("clip.mov", no, HUGE, crc64_of_zeros(HUGE)).await;
    bed.start().await;
    let plan = bed.engine().plan_resend(no).await.expect("a plan");
    assert_eq!((plan.size_bytes as u64, plan.parts, plan.problem), (HUGE, 2, None));
    bed.engine().resend_callbacks(ResendSelection::These { nos: vec![no] }).await.expect("it is asked for");
    let again = |details: &waybill_engine::view::UploadDetails| details.callback.calls.len() == 2;
    let after = bed.until(no, "called again", again).await;
    let after = bed.until(after.row.no, "at rest", |details| details.row.callback != CallbackBadge::CallingAgain).await;
    assert!(matches!(after.row.callback, CallbackBadge::Answered { .. }) && after.row.verified, "{after:#?}");
    let object = after.object.expect("an object");
    assert_eq!(object.crc64, Some(crc64_of_zeros(HUGE).to_string()));
    assert!(object.etag.ends_with("-2"), "{}", object.etag);
    let log = bed.sandbox.log();
    let bytes: u64 =
        log.iter().filter(|entry| entry.operation != CompleteMultipartUpload).map(|entry| entry.bytes_received).sum();
    assert_eq!((bed.requests(UploadPartCopy).len(), bytes), (2, 0), "{log:#?}");
    bed.until_no_open_uploads().await;
    bed.stop().await;
}
