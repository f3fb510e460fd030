//! The callback: what the application gets, what the client gets, and that the object is stored either way.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use waybill_sandbox::{Fault, FaultKind, Operation, Tuning};

use crate::bed::{Bed, Got, LONG};

fn short() -> Tuning {
    Tuning { callback_limit: Duration::from_millis(300), ..Tuning::default() }
}

fn to(url: &str) -> Value {
    json!({"callbackUrl": url, "callbackBody": "object=${object}&size=${size}"})
}

async fn put_with(bed: &Bed, callback: Value) -> Got {
    bed.ask(Method::PUT, "dir/a b.txt")
        .header("content-type", "text/plain")
        .callback(callback)
        .body("123456789")
        .send()
        .await
}

/// 203 with the object stored and its headers there.
async fn failed(bed: &Bed, got: Got, ec: &str, message: &str) {
    got.refused(203, "CallbackFailed");
    assert_eq!(got.element("EC"), ec);
    assert!(got.element("Message").contains(message), "{}", got.text());
    assert_eq!(got.header("etag"), "\"25F9E794323B453885F5181F1B624D0B\"");
    assert_eq!(got.header("x-oss-hash-crc64ecma"), "11051210869376104954");
    assert_eq!(bed.get("dir/a b.txt").await.as_deref(), Some(&b"123456789"[..]), "the object is not stored");
}

#[tokio::test]
async fn a_form_callback_is_answered_with_what_the_application_said() {
    let bed = Bed::start().await;
    let url = format!("{}?from=put", bed.sandbox.info().callback_url);
    let body = "b=${bucket}&o=${object}&e=${etag}&s=${size}&m=${mimeType}&h=${imageInfo.height}&c=${crc64}&md5=${contentMd5}\
                &ip=${clientIp}&r=${reqId}&op=${operation}&vpc=${vpcId}&v=${x:v}";
    let variables = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, json!({"x:v": "值 2"}).to_string());
    let ask = bed
        .ask(Method::PUT, "dir/a b.txt")
        .header("content-type", "text/plain")
        .header("x-oss-callback-var", &variables);
    let got = ask.callback(json!({"callbackUrl": url, "callbackBody": body})).body("123456789").send().await;
    assert_eq!((got.status, got.header("content-type").as_str()), (200, "application/json"), "{}", got.text());
    assert_eq!(got.header("etag"), "\"25F9E794323B453885F5181F1B624D0B\"");
    let request_id = got.header("x-oss-request-id");
    let answer: Value = serde_json::from_slice(&got.body).expect("JSON");
    assert_eq!(
        answer,
        json!({"Status": "OK", "no": 1, "received": {
            "b": "test-bucket", "o": "dir/a b.txt", "e": "25F9E794323B453885F5181F1B624D0B", "s": "9", "m": "text/plain",
            "h": "", "c": "11051210869376104954", "md5": "JfnnlDI7RTiF9RgfG2JNCw==", "ip": "127.0.0.1",
            "r": request_id, "op": "PutObject", "vpc": "", "v": "值 2"}})
    );
    let received = &bed.sandbox.callbacks()[0];
    assert_eq!((received.method.as_str(), received.path_and_query.as_str()), ("POST", "/callback?from=put"));
    assert!(received.body.contains("o=dir%2Fa%20b.txt&"), "{}", received.body);
    for (name, value) in [
        ("content-type", "application/x-www-form-urlencoded"),
        ("user-agent", "aliyun-oss-callback"),
        ("connection", "close"),
        ("x-oss-bucket", "test-bucket"),
        ("x-oss-owner", "1000000000000001"),
        ("x-oss-requester", "1000000000000001"),
        ("x-oss-request-id", &request_id),
        ("x-oss-signature-version", "1.0"),
        ("x-oss-tag", "CALLBACK"),
        ("x-oss-additional-headers", ""),
        ("content-length", &received.body.len().to_string()),
    ] {
        assert_eq!(received.headers.get(name).map(String::as_str), Some(value), "{name}");
    }
    for name in ["authorization", "content-md5", "x-oss-pub-key-url"] {
        assert!(received.headers.contains_key(name), "{name}");
    }
    let date = DateTime::strptime("%a, %d %b %Y %H:%M:%S GMT", &received.headers["date"]).expect("a date");
    let off = date.to_zoned(TimeZone::UTC).expect("UTC").timestamp().duration_since(Timestamp::now());
    assert!(off.abs() < SignedDuration::from_secs(60), "{off}");
}

#[tokio::test]
async fn a_json_callback_of_complete_carries_json_values() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    let etag = bed.part("k", &upload, 1, b"123456789".to_vec()).await;
    let callback = json!({"callbackUrl": bed.sandbox.info().callback_url, "callbackBodyType": "application/json",
        "callbackHost": "app.example.com",
        "callbackBody": "{\"size\":${size},\"object\":${object},\"op\":${operation},\"w\":${imageInfo.width},\"md5\":${contentMd5}}"});
    let got = bed.ask_complete("k", &upload, &[(1, &etag)]).callback(callback).send().await;
    assert_eq!(got.status, 200, "{}", got.text());
    let received = &bed.sandbox.callbacks()[0];
    assert_eq!(received.body, r#"{"size":9,"object":"k","op":"CompleteMultipartUpload","w":null,"md5":null}"#);
    assert_eq!(
        (received.headers["content-type"].as_str(), received.headers["host"].as_str()),
        ("application/json", "app.example.com")
    );
    assert!(got.header("etag").ends_with("-1\""));
}

#[tokio::test]
async fn callback_500_is_203_and_the_object_is_stored() {
    let bed = Bed::start().await;
    bed.sandbox
        .faults()
        .add(Fault::on(Operation::Callback, FaultKind::CallbackStatus { status: 500, body: "no".into() }));
    let got = put_with(&bed, to(&bed.sandbox.info().callback_url)).await;
    failed(&bed, got, "0007-00000203", "Error status : 500.").await;
    assert_eq!(bed.sandbox.callbacks()[0].fault.as_deref(), Some("callbackStatus"));
}

#[tokio::test]
async fn the_host_id_of_a_failed_callback_is_the_host_that_was_asked() {
    let bed = Bed::start().await;
    let mut ask = bed.ask(Method::PUT, "k").body("x");
    ask.host = Some("test-bucket.localhost:1".into());
    let got = ask.callback(to(&format!("{}?answer=500", bed.sandbox.info().callback_url))).send().await;
    got.refused(203, "CallbackFailed");
    assert_eq!(got.element("HostId"), "test-bucket.localhost:1");
}

#[tokio::test]
async fn a_callback_url_without_scheme_may_hold_one_in_its_query() {
    let bed = Bed::start().await;
    let url = format!("127.0.0.1:{}/callback?next=http://a/", bed.port());
    let got = put_with(&bed, to(&url)).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(bed.sandbox.callbacks()[0].path_and_query, "/callback?next=http://a/");
}

#[tokio::test]
async fn callback_201_and_a_redirect_are_failures_too() {
    let bed = Bed::start().await;
    for status in [201, 301] {
        bed.sandbox
            .faults()
            .add(Fault::on(Operation::Callback, FaultKind::CallbackStatus { status, body: "{}".into() }));
        let got = put_with(&bed, to(&bed.sandbox.info().callback_url)).await;
        failed(&bed, got, "0007-00000203", &format!("Error status : {status}.")).await;
    }
}

#[tokio::test]
async fn callback_that_is_not_json_is_203_and_the_object_is_stored() {
    let bed = Bed::start().await;
    bed.sandbox.faults().add(Fault::on(Operation::Callback, FaultKind::CallbackNotJson));
    let got = put_with(&bed, to(&bed.sandbox.info().callback_url)).await;
    failed(&bed, got, "0007-00000205", "Response body is not valid json format").await;
}

#[tokio::test]
async fn callback_over_the_limit_is_203_and_the_object_is_stored() {
    let bed = Bed::tuned(short()).await;
    bed.sandbox.faults().add(Fault::on(Operation::Callback, FaultKind::CallbackTimeout));
    let got = put_with(&bed, to(&bed.sandbox.info().callback_url)).await;
    failed(&bed, got, "0007-00000202", "reply timeout, cost:").await;
    assert_eq!(bed.sandbox.callbacks().len(), 1, "the application was asked");
}

#[tokio::test]
async fn callback_to_a_closed_port_is_203_and_the_object_is_stored() {
    let bed = Bed::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let url = format!("http://{}/", listener.local_addr().expect("bound"));
    drop(listener);
    let got = put_with(&bed, to(&url)).await;
    failed(&bed, got, "0007-00000203", "-1.OSS can not connect").await;
}

#[tokio::test]
async fn the_next_url_is_tried_when_one_fails() {
    let bed = Bed::start().await;
    let url = &bed.sandbox.info().callback_url;
    bed.sandbox
        .faults()
        .add(Fault::on(Operation::Callback, FaultKind::CallbackStatus { status: 502, body: String::new() }));
    let got = put_with(&bed, to(&format!("{url}?1;{url}?2;{url}?3"))).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let paths: Vec<_> = bed.sandbox.callbacks().into_iter().map(|callback| callback.path_and_query).collect();
    assert_eq!(paths, ["/callback?1", "/callback?2"]);
}

#[tokio::test]
async fn a_bad_callback_parameter_is_400_and_nothing_is_stored() {
    let bed = Bed::start().await;
    let ask = bed.ask(Method::PUT, "k").header("x-oss-callback", "not Base64!").body("x");
    let got = ask.send().await;
    got.refused(400, "InvalidArgument");
    assert_eq!((got.element("EC").as_str(), got.element("ArgumentName").as_str()), ("0007-00000002", "callback"));
    let got = bed.ask(Method::PUT, "k").callback(to("http://a/")).query("callback", "e30=").body("x").send().await;
    assert_eq!(got.element("EC"), "0007-00000027");
    let upload = bed.initiate("k").await;
    let etag = bed.part("k", &upload, 1, vec![1]).await;
    let got = bed.ask_complete("k", &upload, &[(1, &etag)]).callback(json!({"callbackUrl": "http://a/"})).send().await;
    assert_eq!(got.element("EC"), "0007-00000011");
    assert_eq!(bed.get("k").await, None);
    assert_eq!(bed.ask_list("k", &upload).send().await.status, 200, "the upload is still open");
}

#[tokio::test]
async fn a_failed_upload_makes_no_callback() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    let ask = bed.ask_complete("k", &upload, &[(1, "ABC")]).callback(to(&bed.sandbox.info().callback_url));
    ask.send().await.refused(400, "InvalidPart");
    assert!(bed.sandbox.callbacks().is_empty());
}

#[tokio::test]
async fn a_client_that_hangs_up_during_complete_gets_its_object_and_its_callback() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    let etag = bed.part("k", &upload, 1, vec![5; 10]).await;
    bed.sandbox.faults().add(Fault::on(Operation::CompleteMultipartUpload, FaultKind::Delay { ms: 300 }));
    let ask = bed.ask_complete("k", &upload, &[(1, &etag)]).callback(to(&bed.sandbox.info().callback_url));
    tokio::select! {
        got = ask.try_send() => panic!("an answer came: {:?}", got.map(|got| got.status)),
        taken = bed.sandbox.faults().wait_until_taken(1, LONG) => assert!(taken),
    }
    bed.sandbox.wait_for_callbacks(1, LONG).await.expect("the callback is made");
    assert_eq!(bed.get("k").await, Some(vec![5; 10]));
}
