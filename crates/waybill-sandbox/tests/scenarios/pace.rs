//! How fast bodies go: traffic limits, and clients that come no further.

use std::time::{Duration, Instant};

use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use waybill_sandbox::Tuning;

use crate::bed::{Ask, Bed, Got, LONG};

/// Bytes for half a second at the lowest limit.
const HALF: usize = 51_200;

async fn limited(ask: Ask<'_>) -> (Got, Duration) {
    let began = Instant::now();
    let got = ask.header("x-oss-traffic-limit", "819200").send().await;
    assert_eq!(got.status, 200, "{}", got.text());
    (got, began.elapsed())
}

#[tokio::test]
async fn a_traffic_limit_slows_uploads_down_and_the_answer_says_by_how_much() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    for ask in [bed.ask(Method::PUT, "k").body(vec![1; HALF]), bed.ask_part("k", &upload, 1, vec![2; HALF])] {
        let (got, took) = limited(ask).await;
        assert!(took >= Duration::from_millis(490), "{took:?}");
        assert_eq!(got.header("x-oss-qos-delay-time"), "500");
    }
    assert!(!bed.put("k", vec![1; HALF]).await.headers.contains_key("x-oss-qos-delay-time"));
    assert_eq!(bed.get("k").await, Some(vec![1; HALF]));
}

#[tokio::test]
async fn a_traffic_limit_slows_a_download_down_to_the_length_of_its_range() {
    let bed = Bed::start().await;
    bed.put("k", vec![7; 3 * HALF]).await;
    let range = format!("bytes=0-{}", HALF - 1);
    let began = Instant::now();
    let ask = bed.ask(Method::GET, "k").query("x-oss-traffic-limit", "819200").header("range", &range);
    let got = ask.send().await;
    assert_eq!((got.status, got.body.len()), (206, HALF));
    assert!(began.elapsed() >= Duration::from_millis(490), "{:?}", began.elapsed());
    assert_eq!(got.header("x-oss-qos-delay-time"), "500");
}

#[tokio::test]
async fn a_body_that_comes_no_further_is_a_request_timeout_and_stores_nothing() {
    let bed = Bed::tuned(Tuning { body_patience: Duration::from_millis(200), ..Tuning::default() }).await;
    let mut socket = TcpStream::connect(("127.0.0.1", bed.port())).await.expect("connects");
    socket.write_all(bed.ask(Method::PUT, "k").head(10).as_bytes()).await.expect("writes");
    socket.write_all(b"12345").await.expect("writes");
    let mut answer = String::new();
    let read = tokio::time::timeout(LONG, socket.read_to_string(&mut answer)).await;
    read.expect("ends by itself").expect("reads");
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("<Code>RequestTimeout</Code>"), "{answer}");
    assert_eq!((bed.get("k").await, bed.files("tmp")), (None, 0));
}
