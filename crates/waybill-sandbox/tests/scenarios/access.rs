//! How a bucket is addressed, whose clock counts, and temporary keys.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use sha1::Sha1;
use waybill_sandbox::Tuning;

use crate::bed::{Ask, Bed, ID, SECRET};

fn hosted<'a>(mut ask: Ask<'a>, host: &str) -> Ask<'a> {
    ask.host = Some(host.to_owned());
    ask
}

#[tokio::test]
async fn a_bucket_in_the_host_is_the_bucket_in_the_path() {
    let bed = Bed::tuned(Tuning { domains: vec!["files.example.com".into()], ..Tuning::default() }).await;
    for (at, host) in
        ["test-bucket.localhost", "test-bucket.127.0.0.1.nip.io:80", "files.example.com"].into_iter().enumerate()
    {
        let key = format!("a b/{at}");
        let got = hosted(bed.ask(Method::PUT, &key).body(host), host).send().await;
        assert_eq!(got.status, 200, "{host}: {}", got.text());
        assert_eq!(bed.get(&key).await.as_deref(), Some(host.as_bytes()));
    }
    hosted(bed.ask(Method::GET, "k"), "another.localhost").send().await.refused(403, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn keys_that_look_like_the_sandbox_s_own_paths_are_keys_under_a_bucket_host() {
    let bed = Bed::start().await;
    let got = hosted(bed.ask(Method::PUT, "_sandbox/log").body("x"), "test-bucket.localhost").send().await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(bed.get("_sandbox/log").await.as_deref(), Some(&b"x"[..]));
    let initiate = hosted(bed.ask(Method::POST, "callback").query("uploads", ""), "test-bucket.localhost");
    assert_eq!(initiate.send().await.element("Key"), "callback");
    assert!(bed.sandbox.callbacks().is_empty());
}

#[tokio::test]
async fn a_callback_with_a_host_of_its_own_reaches_the_receiver() {
    let bed = Bed::start().await;
    let callback = json!({
        "callbackUrl": bed.sandbox.info().callback_url,
        "callbackHost": "app.example.com",
        "callbackBody": "k=${object}",
    });
    let got = bed.ask(Method::PUT, "k").body("x").callback(callback).send().await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(bed.sandbox.callbacks().len(), 1);
}

#[tokio::test]
async fn a_bucket_name_against_the_rules_is_an_invalid_bucket_name() {
    let bed = Bed::start().await;
    let mut ask = bed.ask(Method::GET, "k");
    ask.bucket = "Bad_Name".into();
    let got = ask.send().await;
    got.refused(400, "InvalidBucketName");
    assert_eq!((got.element("EC").as_str(), got.header("x-oss-ec").as_str()), ("0015-00000001", "0015-00000001"));
}

#[tokio::test]
async fn a_bucket_of_another_region_is_answered_with_its_endpoint() {
    let elsewhere = BTreeMap::from([("far-away".to_owned(), "oss-cn-beijing.aliyuncs.com".to_owned())]);
    let bed = Bed::tuned(Tuning { other_region_buckets: elsewhere, ..Tuning::default() }).await;
    let mut ask = bed.ask(Method::PUT, "k").body("x");
    ask.bucket = "far-away".into();
    let got = ask.send().await;
    got.refused(403, "AccessDenied");
    assert_eq!(got.element("Bucket"), "far-away");
    assert_eq!(got.element("Endpoint"), "oss-cn-beijing.aliyuncs.com");
    assert_eq!(got.element("EC"), "0003-00001403");
    assert!(got.element("Message").contains("must be addressed using the specified endpoint"));
    assert_eq!(bed.put("k", "x").await.status, 200);
}

#[tokio::test]
async fn a_presigned_url_puts_what_it_was_signed_for_and_nothing_else() {
    let bed = Bed::start().await;
    let http = reqwest::Client::builder().no_proxy().build().expect("client");
    let put = async |expires: i64, key: &str| {
        let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).expect("any length");
        mac.update(format!("PUT\n\n\n{expires}\n/test-bucket/k").as_bytes());
        let signature = BASE64_STANDARD.encode(mac.finalize().into_bytes()).replace('+', "%2B");
        let endpoint = &bed.sandbox.info().endpoint;
        let url = format!("{endpoint}/test-bucket/{key}?OSSAccessKeyId={ID}&Expires={expires}&Signature={signature}");
        let answer = http.put(url).body("x").send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    let now = Timestamp::now().as_second();
    assert_eq!(put(now + 60, "k").await, (200, String::new()));
    assert_eq!(bed.get("k").await.as_deref(), Some(&b"x"[..]));
    let (status, text) = put(now + 60, "another").await;
    assert!(status == 403 && text.contains("<Code>SignatureDoesNotMatch</Code>"), "{text}");
    let (status, text) = put(now - 60, "k").await;
    assert!(status == 403 && text.contains("<Message>Request has expired.</Message>"), "{text}");
}

#[tokio::test]
async fn a_refused_head_has_its_document_in_a_header_and_no_body() {
    let bed = Bed::start().await;
    let mut ask = bed.ask(Method::HEAD, "k");
    ask.secret = "wrong".into();
    let got = ask.send().await;
    assert_eq!((got.status, got.body.len()), (403, 0));
    let document = BASE64_STANDARD.decode(got.header("x-oss-err")).expect("Base64");
    assert!(String::from_utf8_lossy(&document).contains("<Code>SignatureDoesNotMatch</Code>"));
    assert_eq!(got.header("x-oss-ec"), "0002-00000201");
}

#[tokio::test]
async fn the_host_id_of_an_error_is_the_host_that_was_asked() {
    let bed = Bed::start().await;
    let got = hosted(bed.ask(Method::GET, "none"), "test-bucket.localhost:1").send().await;
    got.refused(404, "NoSuchKey");
    assert_eq!(got.element("HostId"), "test-bucket.localhost:1");
}

#[tokio::test]
async fn a_sandbox_eight_hours_off_wants_its_own_time_and_tells_it() {
    for hours in [8, -8] {
        let bed = Bed::tuned(Tuning { clock_offset: hours * 3600, ..Tuning::default() }).await;
        let got = bed.put("k", "x").await;
        got.refused(403, "RequestTimeTooSkewed");
        let server: Timestamp = got.element("ServerTime").parse().expect("time");
        let date = DateTime::strptime("%a, %d %b %Y %H:%M:%S GMT", got.header("date")).expect("date");
        let date = date.to_zoned(TimeZone::UTC).expect("UTC").timestamp();
        for told in [server, date] {
            let off = told.duration_since(Timestamp::now() + SignedDuration::from_hours(hours));
            assert!(off.abs() < SignedDuration::from_secs(60), "{off}");
        }
        let mut ask = bed.ask(Method::PUT, "k").body("x");
        ask.at = date;
        assert_eq!(ask.send().await.status, 200);
    }
}

#[tokio::test]
async fn a_temporary_pair_works_with_its_token_until_it_expires() {
    let bed = Bed::start().await;
    let issued = bed.sandbox.issue_token(Duration::from_secs(3600));
    let ask = || {
        let mut ask = bed.ask(Method::PUT, "k").body("x");
        ask.id.clone_from(&issued.access_key_id);
        ask.secret.clone_from(&issued.access_key_secret);
        ask
    };
    assert_eq!(ask().header("x-oss-security-token", &issued.security_token).send().await.status, 200);
    ask().send().await.refused(403, "InvalidAccessKeyId");
    ask().header("x-oss-security-token", "made-up").send().await.refused(403, "InvalidSecurityToken");
    bed.sandbox.expire_tokens();
    let got = ask().header("x-oss-security-token", &issued.security_token).send().await;
    got.refused(403, "SecurityTokenExpired");
    assert_eq!(got.element("EC"), "0002-00000007");
    assert_eq!(bed.put("k", "x").await.status, 200, "the static pair is not touched");
}

#[tokio::test]
async fn another_process_gets_and_ends_temporary_pairs_over_http() {
    let bed = Bed::start().await;
    let http = reqwest::Client::builder().no_proxy().build().expect("client");
    let url = format!("{}/_sandbox/tokens", bed.sandbox.info().endpoint);
    let post = |body: &'static str| http.post(&url).body(body).send();
    assert_eq!(post(r#"{"seconds":"60"}"#).await.expect("an answer").status(), 400);
    let issued = post(r#"{"seconds":60}"#).await.expect("an answer").bytes().await.expect("a body");
    let issued: Value = serde_json::from_slice(&issued).expect("JSON");
    let text = |name: &str| issued[name].as_str().expect("text").to_owned();
    let left = text("Expiration").parse::<Timestamp>().expect("time").duration_since(Timestamp::now());
    assert!(left <= SignedDuration::from_secs(60) && left > SignedDuration::from_secs(30), "{left}");
    let ask = || {
        let mut ask = bed.ask(Method::GET, "none").header("x-oss-security-token", &text("SecurityToken"));
        ask.id = text("AccessKeyId");
        ask.secret = text("AccessKeySecret");
        ask
    };
    ask().send().await.refused(404, "NoSuchKey");
    assert_eq!(http.delete(&url).send().await.expect("an answer").status(), 204);
    ask().send().await.refused(403, "SecurityTokenExpired");
}
