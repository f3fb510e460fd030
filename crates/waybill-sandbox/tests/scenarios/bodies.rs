//! Bodies that are too long or not wanted, and when their requests are answered.

use std::{fs::OpenOptions, time::Duration};

use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use waybill_sandbox::Tuning;

use crate::bed::{Bed, LONG};

const FIVE_GB: u64 = 5 * 1024 * 1024 * 1024;

/// A sandbox that is quickly done with those who do not go on.
async fn impatient() -> Bed {
    Bed::tuned(Tuning { body_patience: Duration::from_millis(200), ..Tuning::default() }).await
}

async fn answer_to(bed: &Bed, head: &str, body: &[u8]) -> String {
    let mut socket = TcpStream::connect(("127.0.0.1", bed.port())).await.expect("connects");
    socket.write_all(head.as_bytes()).await.expect("writes");
    socket.write_all(body).await.expect("the body is taken");
    let mut answer = String::new();
    let read = tokio::time::timeout(LONG, socket.read_to_string(&mut answer)).await;
    read.expect("an answer").expect("reads");
    answer
}

#[tokio::test]
async fn a_body_announced_with_more_than_five_gigabytes_is_refused_by_its_head() {
    let bed = impatient().await;
    let upload = bed.initiate("k").await;
    for ask in [bed.ask(Method::PUT, "k"), bed.ask_part("k", &upload, 1, Vec::new())] {
        let head = ask.head(0).replace("content-length: 0", &format!("content-length: {}", FIVE_GB + 1));
        let answer = answer_to(&bed, &head, b"").await;
        assert!(answer.contains("<Code>EntityTooLarge</Code>"), "{answer}");
        assert!(answer.contains(&format!("<MaxSizeAllowed>{FIVE_GB}</MaxSizeAllowed>")), "{answer}");
        // As many are fine, and then they do not come.
        let head = ask.head(0).replace("content-length: 0", &format!("content-length: {FIVE_GB}"));
        assert!(answer_to(&bed, &head, b"").await.contains("<Code>RequestTimeout</Code>"));
    }
}

#[tokio::test]
async fn an_object_of_more_than_five_gigabytes_is_not_copied_at_once() {
    let bed = Bed::start().await;
    bed.put("big", "x").await;
    let (dir, port) =
        (bed.dir, bed.sandbox.info().endpoint.rsplit(':').next().expect("a port").parse().expect("a number"));
    bed.sandbox.stop().await;
    // The bytes are a hole in the file, which takes no room.
    let file = OpenOptions::new().write(true).open(dir.path().join("objects/test-bucket/big")).expect("opens");
    file.set_len(FIVE_GB + 1).expect("grows");
    let meta =
        std::fs::read_dir(dir.path().join("meta/test-bucket")).expect("lists").flatten().next().expect("one").path();
    let text = std::fs::read_to_string(&meta).expect("reads");
    std::fs::write(&meta, text.replace("\"size\": 1,", &format!("\"size\": {},", FIVE_GB + 1))).expect("writes");
    let bed = Bed::over(dir, port, Tuning::default()).await;
    let copy = bed.ask(Method::PUT, "copy").header("x-oss-copy-source", "/test-bucket/big");
    copy.send().await.refused(400, "EntityTooLarge");
    let upload = bed.initiate("copy").await;
    let part = |range: &str| {
        let ask = bed.ask_part("copy", &upload, 1, Vec::new()).header("x-oss-copy-source", "/test-bucket/big");
        ask.header("x-oss-copy-source-range", range)
    };
    part("bytes=bad").send().await.refused(400, "EntityTooLarge");
    assert_eq!(part("bytes=0-9").send().await.status, 200);
}

#[tokio::test]
async fn a_large_body_that_is_refused_is_taken_so_that_the_answer_can_be_read() {
    let bed = Bed::start().await;
    let body = vec![1; 24 * 1024 * 1024];
    let mut ask = bed.ask(Method::PUT, "k");
    ask.secret = "wrong".into();
    // A client that reads nothing before it has sent all.
    let answer = answer_to(&bed, &ask.head(body.len()), &body).await;
    assert!(answer.contains("<Code>SignatureDoesNotMatch</Code>"), "{answer}");
    assert_eq!(bed.sandbox.log()[0].bytes_received, body.len() as u64);
}

#[tokio::test]
async fn transfer_encoding_can_be_signed_as_an_additional_header() {
    let bed = Bed::start().await;
    let ask = bed.ask(Method::PUT, "k").header("transfer-encoding", "chunked").additional(&["transfer-encoding"]);
    let head = ask.head(0).replace("content-length: 0\r\n", "");
    let answer = answer_to(&bed, &head, b"1\r\nx\r\n0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(bed.get("k").await.as_deref(), Some(&b"x"[..]));
    let absent = bed.ask(Method::PUT, "k").additional(&["transfer-encoding"]).body("x").send().await;
    assert_eq!((absent.status, absent.element("EC").as_str()), (400, "0002-00000211"));
}
