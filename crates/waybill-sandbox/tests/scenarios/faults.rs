//! Every fault does what it says, once, and nothing else.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use waybill_sandbox::{Fault, FaultKind, LoggedRequest, Operation};

use crate::bed::{Bed, LONG};

async fn upload(bed: &Bed) -> (String, String) {
    let upload = bed.initiate("k").await;
    let etag = bed.part("k", &upload, 1, vec![1; 10]).await;
    (upload, etag)
}

#[tokio::test]
async fn close_after_bytes_ends_the_connection_and_stores_no_part() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    bed.sandbox.faults().add(Fault::on(Operation::UploadPart, FaultKind::CloseAfterBytes { bytes: 100_000 }).part(2));
    bed.part("k", &upload, 1, vec![1; 500_000]).await;
    let result = bed.ask_part("k", &upload, 2, vec![2; 5_000_000]).try_send().await;
    assert!(result.is_err(), "an answer came");
    let log = bed.sandbox.wait_for_log(|log| log.len() == 3, LONG).await.expect("logged");
    assert_eq!((log[2].status, log[2].fault.as_deref()), (None, Some("closeAfterBytes")));
    assert_eq!(log[2].bytes_received, 100_000);
    assert!(!bed.ask_list("k", &upload).send().await.text().contains("<PartNumber>2<"));
    assert_eq!(bed.files("tmp"), 0);
    bed.part("k", &upload, 2, vec![2; 5_000_000]).await;
}

#[tokio::test]
async fn close_after_more_bytes_than_there_are_closes_at_the_end_undone() {
    let bed = Bed::start().await;
    bed.sandbox.faults().add(Fault::on(Operation::PutObject, FaultKind::CloseAfterBytes { bytes: 1_000_000 }));
    assert!(bed.ask(Method::PUT, "k").body("short").try_send().await.is_err());
    assert_eq!(bed.get("k").await, None);
}

#[tokio::test]
async fn a_stalled_request_ends_undone_when_the_client_goes() {
    let bed = Bed::start().await;
    bed.sandbox.faults().add(Fault::on(Operation::PutObject, FaultKind::Stall));
    tokio::select! {
        got = bed.ask(Method::PUT, "k").body("x").try_send() => panic!("an answer came: {:?}", got.map(|got| got.status)),
        taken = bed.sandbox.faults().wait_until_taken(1, LONG) => assert!(taken),
    }
    let log = bed.sandbox.wait_for_log(|log| !log.is_empty(), LONG).await.expect("logged");
    assert_eq!((log[0].status, log[0].fault.as_deref()), (None, Some("stall")));
    assert_eq!(bed.get("k").await, None);
}

#[tokio::test]
async fn a_stalled_request_goes_on_when_the_faults_are_cleared() {
    let bed = Bed::start().await;
    bed.sandbox.faults().add(Fault::on(Operation::PutObject, FaultKind::Stall));
    let (got, ()) = tokio::join!(bed.put("k", "x"), async {
        assert!(bed.sandbox.faults().wait_until_taken(1, LONG).await);
        bed.sandbox.faults().clear();
    });
    assert_eq!(got.status, 200);
    assert_eq!(bed.get("k").await.as_deref(), Some(&b"x"[..]));
}

#[tokio::test]
async fn a_stalled_request_does_not_keep_the_sandbox_from_stopping() {
    let bed = Bed::start().await;
    bed.sandbox.faults().add(Fault::on(Operation::GetObject, FaultKind::Stall));
    let ask = bed.ask(Method::GET, "k");
    let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", bed.port())).await.expect("connects");
    tokio::io::AsyncWriteExt::write_all(&mut socket, ask.head(0).as_bytes()).await.expect("writes");
    assert!(bed.sandbox.faults().wait_until_taken(1, LONG).await);
    tokio::time::timeout(LONG, bed.restart()).await.expect("stops");
}

#[tokio::test]
async fn status_answers_with_the_error_and_does_nothing() {
    let bed = Bed::start().await;
    let kind = FaultKind::Status { status: 503, code: "ServiceUnavailable".into(), retry_after_seconds: Some(3) };
    bed.sandbox.faults().add(Fault::on(Operation::PutObject, kind).times(2));
    for _ in 0..2 {
        let got = bed.put("k", vec![0; 1_000_000]).await;
        got.refused(503, "ServiceUnavailable");
        assert_eq!(got.header("retry-after"), "3");
    }
    assert_eq!(bed.get("k").await, None);
    assert_eq!(bed.put("k", "x").await.status, 200);
    let log = bed.sandbox.log();
    assert_eq!(
        (log[0].status, log[0].code.as_deref(), log[0].bytes_received),
        (Some(503), Some("ServiceUnavailable"), 1_000_000)
    );
}

#[tokio::test]
async fn lost_complete_answer_still_stores_the_object() {
    let bed = Bed::start().await;
    let (upload, etag) = upload(&bed).await;
    bed.sandbox.faults().add(Fault::on(Operation::CompleteMultipartUpload, FaultKind::LoseAnswer));
    let callback = json!({"callbackUrl": bed.sandbox.info().callback_url, "callbackBody": "o=${object}"});
    let result = bed.ask_complete("k", &upload, &[(1, &etag)]).callback(callback).try_send().await;
    assert!(result.is_err(), "an answer came");
    bed.ask_list("k", &upload).send().await.refused(404, "NoSuchUpload");
    assert_eq!(bed.get("k").await, Some(vec![1; 10]));
    assert_eq!(bed.sandbox.callbacks().len(), 1);
    let log = bed.sandbox.log();
    assert_eq!((log[2].status, log[2].fault.as_deref()), (Some(200), Some("loseAnswer")));
}

#[tokio::test]
async fn not_a_byte_of_a_lost_answer_is_sent() {
    let bed = Bed::start().await;
    bed.sandbox.faults().add(Fault::on(Operation::PutObject, FaultKind::LoseAnswer).times(20));
    for _ in 0..20 {
        assert_eq!(bed.ask(Method::PUT, "k").body("x").send_raw().await, "");
    }
}

#[tokio::test]
async fn a_held_answer_comes_when_it_is_let_go_and_the_work_is_done_before() {
    let bed = Bed::start().await;
    bed.sandbox.faults().add(Fault::on(Operation::PutObject, FaultKind::HoldAnswer));
    let mut put = std::pin::pin!(bed.put("k", "x"));
    let done = async {
        let held = |log: &[LoggedRequest]| log.iter().any(|entry| entry.fault.as_deref() == Some("holdAnswer"));
        bed.sandbox.wait_for_log(held, LONG).await.expect("it is done");
        assert_eq!(bed.get("k").await, Some(b"x".to_vec()));
    };
    tokio::select! {
        answer = &mut put => panic!("it was not held: {}", answer.status),
        () = done => bed.sandbox.faults().clear(),
    }
    assert_eq!(put.await.status, 200);
}

#[tokio::test]
async fn delay_answers_later() {
    let bed = Bed::start().await;
    bed.sandbox.faults().add(Fault::on(Operation::HeadObject, FaultKind::Delay { ms: 200 }));
    let began = Instant::now();
    assert_eq!(bed.ask(Method::HEAD, "k").send().await.status, 404);
    assert!(began.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn corrupt_crc_lies_in_the_answer_alone() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    bed.sandbox.faults().add(Fault::on(Operation::UploadPart, FaultKind::CorruptCrc));
    let got = bed.ask_part("k", &upload, 1, b"123456789".to_vec()).send().await;
    assert_eq!(got.status, 200);
    assert_ne!(got.header("x-oss-hash-crc64ecma"), "11051210869376104954");
    assert_eq!(bed.ask_list("k", &upload).send().await.element("HashCrc64ecma"), "11051210869376104954");
}

#[tokio::test]
async fn throttle_takes_the_body_slowly_and_whole() {
    let bed = Bed::start().await;
    bed.sandbox.faults().add(Fault::on(Operation::PutObject, FaultKind::Throttle { bytes_per_second: 1_000_000 }));
    let began = Instant::now();
    assert_eq!(bed.put("k", vec![3; 300_000]).await.status, 200);
    assert!(began.elapsed() >= Duration::from_millis(290), "{:?}", began.elapsed());
    assert_eq!(bed.get("k").await.map(|body| body.len()), Some(300_000));
}

#[tokio::test]
async fn a_badly_signed_request_does_not_use_a_fault_up() {
    let bed = Bed::start().await;
    bed.sandbox.faults().add(Fault::on(Operation::GetObject, FaultKind::LoseAnswer));
    let mut ask = bed.ask(Method::GET, "k");
    ask.secret = "wrong".into();
    ask.send().await.refused(403, "SignatureDoesNotMatch");
    assert!(bed.ask(Method::GET, "k").try_send().await.is_err());
}

#[tokio::test]
async fn faults_and_logs_are_reached_over_http_but_not_by_web_pages() {
    let bed = Bed::start().await;
    let http = reqwest::Client::builder().no_proxy().build().expect("client");
    let url = |path: &str| format!("{}/_sandbox/{path}", bed.sandbox.info().endpoint);
    let send = async |request: reqwest::RequestBuilder| {
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        (status, serde_json::from_str::<Value>(&response.text().await.expect("text")).unwrap_or_default())
    };
    let fault = r#"{"operation":"PutObject","key":"k","partNumber":null,"times":1,"skip":0,"fault":{"kind":"status","status":500,"code":"InternalError","retryAfterSeconds":null}}"#;
    assert_eq!(send(http.post(url("faults")).body(fault).header("origin", "http://evil.example")).await.0, 403);
    assert_eq!(send(http.post(url("faults")).body(fault)).await.0, 204);
    assert_eq!(send(http.get(url("faults"))).await.1[0]["fault"]["kind"], "status");
    bed.put("k", "x").await.refused(500, "InternalError");
    assert_eq!(send(http.post(url("faults")).body(fault)).await.0, 204);
    assert_eq!(send(http.delete(url("faults"))).await.0, 204);
    let callback = json!({"callbackUrl": bed.sandbox.info().callback_url, "callbackBody": "o=${object}"});
    assert_eq!(bed.ask(Method::PUT, "k").callback(callback).body("x").send().await.status, 200);
    let (_, log) = send(http.get(url("log"))).await;
    assert_eq!(
        (log.as_array().map(Vec::len), &log[0]["fault"], &log[1]["status"]),
        (Some(2), &json!("status"), &json!(200))
    );
    assert_eq!(send(http.get(url("callbacks"))).await.1[0]["body"], "o=k");
    let wrong = r#"{"operation":"PutObject","fault":{"kind":"callbackTimeout"}}"#;
    assert_eq!(send(http.post(url("faults")).body(wrong)).await.0, 400);
    assert_eq!(send(http.post(url("faults")).body("{}")).await.0, 400);
}

#[tokio::test]
async fn a_cut_answer_announces_more_than_comes_after_the_work_is_done() {
    let bed = Bed::start().await;
    let (upload, etag) = upload(&bed).await;
    bed.sandbox.faults().add(Fault::on(Operation::ListParts, FaultKind::CutAnswer));
    assert!(bed.ask_list("k", &upload).try_send().await.is_err(), "a whole answer came");
    bed.sandbox.faults().add(Fault::on(Operation::UploadPart, FaultKind::CutAnswer));
    assert!(bed.ask_part("k", &upload, 2, b"x".to_vec()).try_send().await.is_err());
    let listed = bed.ask_list("k", &upload).send().await;
    assert_eq!(listed.elements("PartNumber"), ["1", "2"]);
    assert!(listed.text().contains(etag.trim_matches('"')));
}

#[tokio::test]
async fn wrong_etags_and_checksums_are_only_said_and_not_stored() {
    let bed = Bed::start().await;
    let (upload, etag) = upload(&bed).await;
    let right = bed.ask_list("k", &upload).send().await;
    for (kind, element) in [(FaultKind::WrongEtag, "ETag"), (FaultKind::CorruptCrc, "HashCrc64ecma")] {
        bed.sandbox.faults().add(Fault::on(Operation::ListParts, kind));
        let wrong = bed.ask_list("k", &upload).send().await;
        assert_ne!(wrong.elements(element), right.elements(element));
        assert_eq!(wrong.elements("Size"), right.elements("Size"));
    }
    bed.sandbox.faults().add(Fault::on(Operation::UploadPart, FaultKind::WrongEtag));
    let said = bed.ask_part("k", &upload, 1, vec![1; 10]).send().await;
    assert_eq!(said.status, 200);
    assert_ne!(said.header("etag"), etag);
    assert_eq!(bed.ask_list("k", &upload).send().await.elements("ETag"), right.elements("ETag"));
}

#[tokio::test]
async fn a_clock_that_jumps_refuses_what_was_signed_before_and_says_what_time_it_is() {
    let bed = Bed::start().await;
    bed.sandbox.faults().add(Fault::on(Operation::PutObject, FaultKind::ClockAhead { seconds: 7200 }));
    let got = bed.ask(Method::PUT, "k").body("x").send().await;
    assert_eq!((got.status, got.element("Code").as_str()), (403, "RequestTimeTooSkewed"));
    let ahead = jiff::fmt::rfc2822::parse(&got.header("date")).expect("a date").timestamp();
    assert!((ahead.duration_since(jiff::Timestamp::now()).as_secs() - 7200).abs() < 600);
    let again = bed.ask(Method::GET, "k").send().await;
    assert_eq!((again.status, bed.files("objects")), (403, 0), "the clock stays where it is, and nothing was stored");
}

#[tokio::test]
async fn a_shut_door_lets_the_answer_out_and_refuses_until_the_faults_are_cleared() {
    let bed = Bed::start().await;
    bed.put("before", "x").await;
    bed.sandbox
        .faults()
        .add(Fault::on(Operation::PutObject, FaultKind::RefuseConnections { ms: 600_000, answered: true }));
    assert_eq!(bed.put("k", "x").await.status, 200);
    for _ in 0..3 {
        let refused = tokio::net::TcpStream::connect(("127.0.0.1", bed.port())).await.expect_err("nobody listens");
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    }
    bed.sandbox.faults().clear();
    let connects = async {
        // Opened by a task of the sandbox's.
        while tokio::net::TcpStream::connect(("127.0.0.1", bed.port())).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, connects).await.expect("the door opens");
    assert_eq!(bed.get("k").await.as_deref(), Some(&b"x"[..]));
}
