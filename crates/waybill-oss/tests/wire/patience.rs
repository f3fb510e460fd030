//! How long an answer is waited for, on a paused clock: a while for most, longer where OSS has long work to do.

use std::time::Duration;

use tokio::time::Instant;
use waybill_oss::{Client, CopySource, Error, MetadataDirective, RetryPolicy, TransportKind};

use crate::object::callback;
use crate::server::{Reply, Server, crc64, key, plain, slice, text};

/// The call, answered by `answer` after so many seconds: whether it waited, or for how long before it gave up.
async fn answered_after(
    seconds: u64,
    answer: &str,
    call: impl AsyncFnOnce(Client) -> Result<(), Error>,
) -> Result<(), u64> {
    let server = Server::start(vec![Reply::Late(Duration::from_secs(seconds), answer.to_owned())]).await;
    let begun = Instant::now();
    match call(server.client().with_retry(RetryPolicy::none())).await {
        Ok(()) => Ok(()),
        Err(Error::Transport { kind: TransportKind::Timeout, .. }) => Err(begun.elapsed().as_secs()),
        Err(other) => panic!("{other}"),
    }
}

/// The call waits almost so long, and not longer.
async fn patience(seconds: u64, answer: &str, call: impl AsyncFn(Client) -> Result<(), Error>) {
    assert_eq!(answered_after(seconds - 5, answer, &call).await, Ok(()));
    assert_eq!(answered_after(seconds + 5, answer, &call).await, Err(seconds));
}

fn source() -> CopySource {
    CopySource {
        bucket: waybill_oss::BucketName::parse("examplebucket").expect("bucket"),
        key: key("from"),
        version_id: None,
        if_match: None,
    }
}

#[tokio::test(start_paused = true)]
async fn most_answers_are_waited_for_half_a_minute() {
    patience(30, &text(204, &[], ""), async |client| client.delete_object(&key("k"), None).await.map(drop)).await;
}

#[tokio::test(start_paused = true)]
async fn a_complete_is_waited_for_a_minute_with_and_without_a_callback() {
    let (called, callback) = (text(200, &[("ETag", "\"E\"")], "{}"), callback());
    let own = text(200, &[], "<CompleteMultipartUploadResult><ETag>E</ETag></CompleteMultipartUploadResult>");
    for (answer, spec) in [(called, Some(&callback)), (own, None)] {
        let complete = async |client: Client| {
            let parts = [(1, "E".to_owned())];
            client.complete_multipart(&key("k"), "U", &parts, &plain(), spec).await.map(drop)
        };
        patience(60, &answer, complete).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_waited_for_a_minute() {
    let part = text(200, &[], "<CopyPartResult><ETag>E</ETag></CopyPartResult>");
    let copy = async |client: Client| client.upload_part_copy(&key("k"), "U", 1, &source(), None, None).await.map(drop);
    patience(60, &part, copy).await;
    let object = text(200, &[], "<CopyObjectResult><ETag>E</ETag></CopyObjectResult>");
    let copy = async |client: Client| {
        client.copy_object(&key("k"), &source(), MetadataDirective::Copy, &plain()).await.map(drop)
    };
    patience(60, &object, copy).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_bytes_of_a_file_have_two_minutes_to_drain_from_the_buffers() {
    let stored = text(200, &[("ETag", "\"E\""), ("x-oss-hash-crc64ecma", &crc64(b"hello"))], "{}");
    let body = slice(b"hello");
    let part = async |client: Client| client.upload_part(&key("k"), "U", 1, &body, None, None).await.map(drop);
    patience(120, &stored, part).await;
    let spec = callback();
    let put = async |client: Client| client.put_object(&key("k"), &body, &plain(), Some(&spec), None).await.map(drop);
    patience(120, &stored, put).await;
}

#[tokio::test(start_paused = true)]
async fn a_callback_has_half_a_minute_more_than_a_short_patience() {
    let called = text(200, &[("ETag", "\"E\"")], "{}");
    let spec = callback();
    for (seconds, heard) in [(33, true), (37, false)] {
        let complete = async |client: Client| {
            let (client, parts) = (client.with_stall_timeout(Duration::from_secs(5)), [(1, "E".to_owned())]);
            client.complete_multipart(&key("k"), "U", &parts, &plain(), Some(&spec)).await.map(drop)
        };
        assert_eq!(answered_after(seconds, &called, complete).await.is_ok(), heard, "{seconds}");
    }
}
