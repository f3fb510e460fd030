//! Who is let in.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;

use crate::bed::{Bed, SECRET};

#[tokio::test]
async fn wrong_secret_is_answered_with_signature_does_not_match() {
    let bed = Bed::start().await;
    let mut ask = bed.ask(Method::PUT, "k").body("x");
    ask.secret = "wrong".into();
    let got = ask.send().await;
    got.refused(403, "SignatureDoesNotMatch");
    assert!(got.element("StringToSign").starts_with("OSS4-HMAC-SHA256\n"));
    assert!(got.element("StringToSignBytes").starts_with("4F 53 53 34"));
    assert_eq!(got.element("SignatureProvided").len(), 64);
    assert!(!got.text().contains(SECRET));
    assert_eq!(bed.get("k").await, None);
}

#[tokio::test]
async fn unknown_access_key_id_is_answered_with_invalid_access_key_id() {
    let bed = Bed::start().await;
    let mut ask = bed.ask(Method::GET, "k");
    ask.id = "somebody".into();
    ask.send().await.refused(403, "InvalidAccessKeyId");
}

#[tokio::test]
async fn a_request_without_signature_is_access_denied() {
    let bed = Bed::start().await;
    let answer = reqwest::Client::builder().no_proxy().build().expect("client").get(&bed.sandbox.info().endpoint);
    let answer = answer.send().await.expect("an answer");
    assert_eq!(answer.status(), 403);
    assert!(answer.text().await.expect("text").contains("<Code>AccessDenied</Code>"));
}

#[tokio::test]
async fn a_clock_sixteen_minutes_off_is_request_time_too_skewed() {
    let bed = Bed::start().await;
    let mut ask = bed.ask(Method::GET, "k");
    ask.at = Timestamp::now() - SignedDuration::from_mins(16);
    let got = ask.send().await;
    got.refused(403, "RequestTimeTooSkewed");
    assert_eq!(got.element("EC"), "0002-00000504");
    assert!(got.element("ServerTime").ends_with("Z"));
}

#[tokio::test]
async fn another_region_and_another_bucket_are_refused() {
    let bed = Bed::start().await;
    let mut ask = bed.ask(Method::GET, "k");
    ask.region = "cn-beijing".into();
    ask.send().await.refused(400, "InvalidArgument");
    let mut ask = bed.ask(Method::PUT, "k").body("x");
    ask.bucket = "another-bucket".into();
    ask.send().await.refused(404, "NoSuchBucket");
    assert_eq!(bed.files("objects"), 0);
}

#[tokio::test]
async fn every_answer_names_its_request_and_server() {
    let bed = Bed::start().await;
    for got in [bed.put("k", "x").await, bed.ask(Method::GET, "none").send().await] {
        let id = got.header("x-oss-request-id");
        assert!(id.len() == 24 && id.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)), "{id}");
        got.header("x-oss-server-time").parse::<u64>().expect("milliseconds");
        assert_eq!(got.header("server"), "AliyunOSS");
        assert!(got.header("date").ends_with(" GMT"));
    }
}

#[tokio::test]
async fn get_bucket_info_names_the_region() {
    let bed = Bed::start().await;
    let got = bed.ask(Method::GET, "").query("bucketInfo", "").send().await;
    assert_eq!((got.status, got.element("Location").as_str()), (200, "oss-cn-hangzhou"), "{}", got.text());
    assert_eq!(got.element("Name"), "test-bucket");
}
