//! What OSS says to each way in which an application can answer, ordered through the callback address.

use std::{collections::HashSet, net::SocketAddr, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use waybill_sandbox::{Fault, FaultKind, Operation, Tuning};

use crate::bed::{Bed, Got};

const CONNECT: &str = "Error status : -1.OSS can not connect to your callbackUrl, please check it.";
const JSON: &str = "Response body is not valid json format.";

async fn put(bed: &Bed, url: &str) -> Got {
    let callback = json!({"callbackUrl": url, "callbackBody": "object=${object}"});
    bed.ask(Method::PUT, "k").callback(callback).body("123456789").send().await
}

async fn put_to(bed: &Bed, query: &str) -> Got {
    put(bed, &format!("{}?{query}", bed.sandbox.info().callback_url)).await
}

#[track_caller]
fn failed(got: &Got, ec: &str, message: &str) {
    got.refused(203, "CallbackFailed");
    assert_eq!((got.element("EC").as_str(), got.element("Message").as_str()), (ec, message));
    assert_eq!(got.header("x-oss-ec"), ec);
    assert_eq!(got.header("etag"), "\"25F9E794323B453885F5181F1B624D0B\"");
    assert_eq!(got.header("x-oss-hash-crc64ecma"), "11051210869376104954");
}

#[tokio::test]
async fn each_wrong_answer_has_its_message_and_the_object_is_stored() {
    let bed = Bed::start().await;
    for (query, ec, message) in [
        ("answer=500", "0007-00000203", "Error status : 500."),
        ("answer=404", "0007-00000203", "Error status : 404."),
        ("answer=201", "0007-00000203", "Error status : 201."),
        ("answer=204", "0007-00000203", "Error status : 204."),
        ("answer=redirect", "0007-00000203", "Error status : 302."),
        ("answer=text", "0007-00000205", JSON),
        ("answer=bom", "0007-00000205", JSON),
        ("answer=huge", "0007-00000203", "Error status : 400.User server return too long content-length value."),
        ("answer=chunked", "0007-00000203", "Error status : 400.User server return missing content-length value."),
        ("answer=hangup", "0007-00000203", CONNECT),
    ] {
        let got = put_to(&bed, query).await;
        failed(&got, ec, message);
        assert_eq!(bed.get("k").await.as_deref(), Some(&b"123456789"[..]), "{query}: the object is not stored");
    }
    assert_eq!(bed.sandbox.callbacks().len(), 10, "a redirect is not followed, nothing is sent twice");
}

#[tokio::test]
async fn json_and_xml_that_says_so_are_passed_on_with_their_type() {
    let bed = Bed::start().await;
    let got = put_to(&bed, "answer=xml").await;
    assert_eq!((got.status, got.text().as_str()), (200, "<CallbackResult>OK</CallbackResult>"));
    assert_eq!(got.header("content-type"), "application/xml");
    let got = put_to(&bed, "answer=huge&bytes=1000000").await;
    assert_eq!((got.status, got.header("content-type").as_str()), (200, "application/json"));
    assert!(got.body.len() > 1_000_000);
    let got = put_to(&bed, "answer=slow&ms=1").await;
    assert_eq!((got.status, got.header("content-length")), (200, got.body.len().to_string()));
}

#[tokio::test]
async fn the_limit_of_an_answer_is_counted_in_bytes_and_can_be_moved() {
    let small = r#"{"Status":"OK","padding":""}"#.len() as u64;
    let bed = Bed::tuned(Tuning { callback_answer_limit: small + 10, ..Tuning::default() }).await;
    assert_eq!(put_to(&bed, "answer=huge&bytes=10").await.status, 200);
    assert_eq!(put_to(&bed, "answer=huge&bytes=11").await.status, 203);
}

#[tokio::test]
async fn a_slow_answer_names_the_address_and_how_long_it_took() {
    let bed = Bed::tuned(Tuning { callback_limit: Duration::from_millis(200), ..Tuning::default() }).await;
    let got = put_to(&bed, "answer=slow").await;
    got.refused(203, "CallbackFailed");
    let (message, host) = (got.element("Message"), bed.sandbox.info().endpoint.replace("http://", ""));
    let rest = message.strip_prefix(&format!("Error status : -1 {host} reply timeout, cost:")).expect(&message);
    let (cost, rest) = rest.split_once("ms").expect("a time");
    assert!(cost.parse::<u64>().expect("milliseconds") >= 200, "{message}");
    assert_eq!(rest, ", timeout:200ms (err -4, errno115).");
    assert_eq!(got.element("EC"), "0007-00000202");
}

#[tokio::test]
async fn each_fault_of_the_receiver_is_the_answer_of_the_same_name() {
    let bed = Bed::start().await;
    for (kind, ec) in [
        (FaultKind::CallbackStatus { status: 503, body: String::new() }, "0007-00000203"),
        (FaultKind::CallbackNotJson, "0007-00000205"),
        (FaultKind::CallbackHuge { bytes: 1024 * 1024 }, "0007-00000203"),
        (FaultKind::CallbackChunked, "0007-00000203"),
        (FaultKind::CallbackRedirect { location: "/callback".into() }, "0007-00000203"),
        (FaultKind::CallbackBom, "0007-00000205"),
        (FaultKind::LoseAnswer, "0007-00000203"),
    ] {
        let name = kind.name();
        bed.sandbox.faults().add(Fault::on(Operation::Callback, kind));
        let got = put_to(&bed, "").await;
        assert_eq!((got.status, got.element("EC").as_str()), (203, ec), "{name}");
        assert_eq!(bed.sandbox.callbacks().last().expect("received").fault.as_deref(), Some(name));
    }
    bed.sandbox.faults().add(Fault::on(Operation::Callback, FaultKind::CallbackXml));
    assert_eq!(put_to(&bed, "").await.header("content-type"), "application/xml");
}

/// A server that answers every request with these bytes and closes.
async fn raw_server(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 16 * 1024];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn an_answer_that_ends_before_its_length_or_is_no_http_is_a_broken_connection() {
    let bed = Bed::start().await;
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{}",
        "SSH-2.0-OpenSSH_9.6\r\n",
    ] {
        let address = raw_server(answer).await;
        failed(&put(&bed, &format!("http://{address}/cb")).await, "0007-00000203", CONNECT);
    }
    let bare = raw_server("HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\":\"b\"}").await;
    let got = put(&bed, &bare.to_string()).await;
    assert_eq!((got.status, got.text().as_str()), (200, r#"{"a":"b"}"#), "HTTP/1.0 and no type are fine");
    let unsized_answer = raw_server("HTTP/1.0 200 OK\r\n\r\n{}").await;
    let message = "Error status : 400.User server return missing content-length value.";
    failed(&put(&bed, &unsized_answer.to_string()).await, "0007-00000203", message);
}

#[tokio::test]
async fn the_fifth_of_five_addresses_answers_when_four_are_broken() {
    let bed = Bed::tuned(Tuning { callback_limit: Duration::from_millis(300), ..Tuning::default() }).await;
    let url = &bed.sandbox.info().callback_url;
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        listener.local_addr().expect("bound")
    };
    let list = format!("{closed};{url}?answer=500&n=2;{url}?answer=slow&n=3;{url}?answer=text&n=4;{url}?n=5");
    let got = put(&bed, &list).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let received = bed.sandbox.callbacks();
    let queries: Vec<&str> = received.iter().map(|callback| &callback.path_and_query[..]).collect();
    let wanted =
        ["answer=500&n=2", "answer=slow&n=3", "answer=text&n=4", "n=5"].map(|query| format!("/callback?{query}"));
    assert_eq!(queries, wanted);
    let bodies: HashSet<&str> = received.iter().map(|callback| &callback.body[..]).collect();
    assert_eq!(bodies, HashSet::from(["object=k"]));
    // Each is signed for its own address.
    let signatures: HashSet<&str> = received.iter().map(|callback| &callback.headers["authorization"][..]).collect();
    assert_eq!(signatures.len(), 4);
}

#[tokio::test]
async fn when_all_fail_the_last_says_why() {
    let bed = Bed::start().await;
    let url = &bed.sandbox.info().callback_url;
    failed(&put(&bed, &format!("{url}?answer=text;{url}?answer=502")).await, "0007-00000203", "Error status : 502.");
    failed(&put(&bed, &format!("{url}?answer=502;{url}?answer=text")).await, "0007-00000205", JSON);
}

#[tokio::test]
async fn with_the_real_address_rules_a_private_address_is_400_and_nothing_is_stored() {
    let bed = Bed::tuned(Tuning { real_address_rules: true, ..Tuning::default() }).await;
    let own = bed.sandbox.info().callback_url.clone();
    let public_and_private = format!("http://8.8.8.8/cb;{own}");
    for url in [
        own.as_str(),
        "http://localhost:8088/test.php",
        "http://10.0.0.1/",
        "https://192.168.1.1/",
        &public_and_private,
    ] {
        let got = put(&bed, url).await;
        got.refused(400, "InvalidArgument");
        assert_eq!(got.element("EC"), "0007-00000008", "{url}");
        assert_eq!(got.element("Message"), "Private address is forbidden to callback.");
        assert_eq!(got.element("ArgumentName"), "callbackUrl");
        assert!(url.ends_with(&got.element("ArgumentValue")), "{}", got.text());
    }
    // Too long a label for any name server, so none is asked.
    let got = put(&bed, &format!("http://{}.example/", "a".repeat(64))).await;
    assert_eq!((got.status, got.element("EC").as_str()), (400, "0007-00000007"));
    assert_eq!(bed.get("k").await, None);
    let upload = bed.initiate("k").await;
    let etag = bed.part("k", &upload, 1, vec![1]).await;
    let callback: Value = json!({"callbackUrl": own, "callbackBody": "a"});
    let got = bed.ask_complete("k", &upload, &[(1, &etag)]).callback(callback).send().await;
    assert_eq!(got.element("EC"), "0007-00000008");
    assert_eq!(bed.ask_list("k", &upload).send().await.status, 200, "the upload is still open");
    assert_eq!(bed.put("k", "no callback").await.status, 200);
    assert!(bed.sandbox.callbacks().is_empty());
}
