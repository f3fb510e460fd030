//! Callbacks: the application gets what was asked for and can prove who sent it; what it answers comes back whole.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use waybill_oss::callback_signature::{PublicKey, Refusal, key_url, verify};
use waybill_oss::{
    BodyType, CallbackOutcome, CallbackSpec, Client, Error, Method, ObjectHeaders, SignRequest, SignatureVersion,
    Stored, explain,
};
use waybill_sandbox::{Operation, ReceivedCallback, Verdict};

use crate::lab::{HOUR, Lab, VERSIONS, crc64, key, map, refused, slice};
use crate::wire::listen;

const NAME: &str = "目录/a b+c%&=\".txt";
const SAID: &str = "ann & bob=100% \"quoted\" \\ /\n中";
const CONTENT: &[u8] = b"content";
/// How long the sandbox waits for an application that does not answer; one that does is far faster.
const PATIENCE: Duration = Duration::from_secs(1);

/// PutObject to `a` with this callback.
async fn put(client: &Client, callback: &CallbackSpec) -> Result<Stored, Error> {
    client.put_object(&key("a"), &slice(CONTENT), &ObjectHeaders::default(), Some(callback), None).await
}

/// PutObject and a multipart upload of one part, both with this callback.
async fn both(client: &Client, callback: &CallbackSpec) -> [Result<Stored, Error>; 2] {
    let (name, headers) = (key(NAME), ObjectHeaders::of_type(Some("text/plain")));
    let put = client.put_object(&name, &slice(CONTENT), &headers, Some(callback), None).await;
    let id = client.initiate_multipart(&name, &headers).await.expect("an id");
    let part = client.upload_part(&name, &id, 1, &slice(CONTENT), None, None).await.expect("a part");
    let completed = client.complete_multipart(&name, &id, &[(1, part.etag)], &headers, Some(callback)).await;
    [put, completed]
}

/// As an application server does: the key from the address in the callback, the signature over what arrived.
async fn prove(lab: &Lab, call: &ReceivedCallback) {
    let header = |name: &str| call.headers.get(name).map(String::as_str);
    let url = header("x-oss-pub-key-url");
    assert!(matches!(key_url(url, &[]), Err(Refusal::ForeignKey(_))), "a sandbox is not Alibaba");
    let sandbox = format!("{}/", lab.sandbox.info().endpoint);
    let url = key_url(url, &[&sandbox]).expect("the sandbox's address");
    let pem = lab.anybody.get(url).send().await.expect("an answer").text().await.expect("PEM");
    let key = PublicKey::from_pem(&pem).expect("a key");
    let check = |target: &str, body: &str| verify(&key, target, header("authorization"), body.as_bytes());
    check(&call.path_and_query, &call.body).expect("the sandbox's signature");
    assert_eq!(check(&call.path_and_query, &format!("{} ", call.body)), Err(Refusal::WrongSignature));
    assert_eq!(check(&format!("{}&x", call.path_and_query), &call.body), Err(Refusal::WrongSignature));
    assert_eq!(call.verdict, Verdict::SignedBySandbox);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_json_callback_brings_every_value_and_proves_who_sent_it() {
    let lab = Lab::new().await;
    let spec = CallbackSpec {
        urls: vec![lab.receiver("?a=b%20c&d=/+~")],
        host: Some("app.example.com:8080".into()),
        body:
            r#"{"bucket":${bucket},"object":${object},"size":${size},"type":${mimeType},"crc":${crc64},"etag":${etag},
            "op":${operation},"req":${reqId},"ip":${clientIp},"width":${imageInfo.width},"md5":${contentMd5},
            "said":${x:said},"none":${x:unset}}"#
                .into(),
        body_type: BodyType::Json,
        additional_headers: map(&[("X-Shop", "42"), ("authority", "a b")]),
        variables: map(&[("x:said", SAID)]),
        ..CallbackSpec::default()
    };
    for version in VERSIONS {
        let client = lab.client(version);
        let calls = lab.sandbox.callbacks().len();
        let stored = both(&client, &spec).await.map(|stored| stored.expect("stored"));
        let received = lab.sandbox.callbacks().split_off(calls);
        assert_eq!(received.len(), 2);
        for ((stored, call), operation) in stored.iter().zip(&received).zip(["PutObject", "CompleteMultipartUpload"]) {
            let put = operation == "PutObject";
            let expected = serde_json::json!({
                "bucket": "bucket", "object": NAME, "size": CONTENT.len(), "type": "text/plain",
                "crc": crc64(CONTENT).to_string(), "etag": stored.etag, "op": operation,
                "req": stored.request_id, "ip": "127.0.0.1", "width": null,
                "md5": put.then_some("mgNkuembtIDdJeHwKEyFVQ=="), "said": SAID, "none": null,
            });
            assert_eq!(serde_json::from_str::<serde_json::Value>(&call.body).expect("JSON"), expected);
            assert_eq!((call.method.as_str(), call.path_and_query.as_str()), ("POST", "/callback?a=b%20c&d=/+~"));
            for (name, value) in [
                ("host", "app.example.com:8080"),
                ("content-type", "application/json"),
                ("x-shop", "42"),
                ("authority", "a b"),
                ("user-agent", "aliyun-oss-callback"),
                ("x-oss-request-id", &stored.request_id),
            ] {
                assert_eq!(call.headers.get(name).map(String::as_str), Some(value), "{name}");
            }
            prove(&lab, call).await;
            let CallbackOutcome::Answered { status, content_type, body, headers, cut } = &stored.callback else {
                panic!("{:?}", stored.callback)
            };
            assert_eq!((*status, content_type.as_deref(), *cut), (200, Some("application/json"), false));
            let answer: serde_json::Value = serde_json::from_str(body).expect("JSON");
            assert_eq!(answer, serde_json::json!({"Status": "OK", "received": expected, "no": call.no}));
            assert_eq!(headers["content-length"], body.len().to_string());
            assert_eq!(headers["etag"], format!("\"{}\"", stored.etag));
            assert_eq!(stored.crc64, Some(crc64(CONTENT)));
        }
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_callback_is_encoded_value_by_value() {
    let lab = Lab::new().await;
    let spec = CallbackSpec {
        body: "object=${object}&size=${size}&said=${x:said}&none=${x:unset}&plain=a b".into(),
        variables: map(&[("said", SAID)]),
        ..lab.callback("")
    };
    for version in VERSIONS {
        let stored = both(&lab.client(version), &spec).await;
        assert!(
            stored.into_iter().all(|stored| matches!(
                stored.expect("stored").callback,
                CallbackOutcome::Answered { status: 200, .. }
            ))
        );
        let call = lab.last_callback();
        let expected = "object=%E7%9B%AE%E5%BD%95%2Fa%20b%2Bc%25%26%3D%22.txt&size=7&said=ann%20%26%20bob%3D100%25%20\
                        %22quoted%22%20%5C%20%2F%0A%E4%B8%AD&none=&plain=a b";
        assert_eq!(call.body, expected);
        assert_eq!(call.headers["content-type"], "application/x-www-form-urlencoded");
        prove(&lab, &call).await;
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_fails_leaves_the_object_stored_and_says_why() {
    let lab = Lab::new().await;
    for version in VERSIONS {
        let client = lab.client(version);
        for (answer, ec, words) in [
            ("?answer=500", "0007-00000203", "500"),
            ("?answer=201", "0007-00000203", "201"),
            ("?answer=redirect", "0007-00000203", "302"),
            ("?answer=hangup", "0007-00000203", "-1"),
            ("?answer=text", "0007-00000205", "json"),
            ("?answer=bom", "0007-00000205", "json"),
            ("?answer=chunked", "0007-00000203", "content-length"),
            ("?answer=huge", "0007-00000203", "too long"),
        ] {
            let stored = put(&client, &lab.callback(answer)).await.expect("stored");
            let CallbackOutcome::Failed { ec: told, message, body } = &stored.callback else { panic!("{stored:?}") };
            assert_eq!(told.as_deref(), Some(ec), "{answer}");
            assert!(message.contains(words) && body.contains("<Code>CallbackFailed</Code>"), "{answer} {body}");
            assert_eq!(stored.crc64, Some(crc64(CONTENT)));
            assert_eq!(lab.object("a"), Some(CONTENT.to_vec()));
            client.delete_object(&key("a"), None).await.expect("deleted");
        }
        let failing = both(&client, &lab.callback("?answer=500")).await.map(|stored| stored.expect("stored").callback);
        assert!(failing.iter().all(|callback| matches!(callback, CallbackOutcome::Failed { .. })), "{failing:?}");
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_that_the_server_does_not_take_stores_nothing() {
    let lab = Lab::with(|tuning| tuning.real_address_rules = true).await;
    for version in VERSIONS {
        let client = lab.client(version);
        for answer in both(&client, &lab.callback("")).await.map(refused) {
            assert_eq!((answer.status, answer.code.as_str()), (400, "InvalidArgument"), "{answer:?}");
            assert_eq!(answer.ec.as_deref(), Some("0007-00000008"));
        }
        assert_eq!(client.head_object(&key(NAME)).await.expect("an answer"), None);
        assert_eq!(lab.sandbox.callbacks().len(), 0);
        // What is known to be refused is not even sent.
        let asked = lab.asked();
        let bare = CallbackSpec { body: " ".into(), ..lab.callback("") };
        let refused = put(&client, &bare).await;
        assert!(matches!(refused, Err(Error::Invalid(_))) && lab.asked() == asked, "{refused:?}");
        for open in client.list_uploads("").await.expect("the uploads") {
            client.abort_multipart(&key(&open.key), &open.upload_id).await.expect("aborted");
        }
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_takes_too_long_is_told_apart() {
    let lab = Lab::with(|tuning| tuning.callback_limit = PATIENCE).await;
    for version in VERSIONS {
        let stored = put(&lab.client(version), &lab.callback("?answer=slow&ms=60000")).await.expect("stored");
        let CallbackOutcome::Failed { ec, message, .. } = &stored.callback else { panic!("{stored:?}") };
        assert_eq!(ec.as_deref(), Some("0007-00000202"));
        assert!(message.contains("timeout") && stored.elapsed >= PATIENCE, "{stored:?}");
    }
    lab.sandbox.stop().await;
}

/// An address at which nobody answers.
async fn nobody() -> SocketAddr {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("its address")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_five_addresses_the_first_that_answers_well_counts() {
    let lab = Lab::with(|tuning| tuning.callback_limit = PATIENCE).await;
    let silent =
        listen(|stream| async move { tokio::io::copy(&mut { stream }, &mut tokio::io::sink()).await.map(|_| ()) })
            .await;
    let bad = [
        format!("http://{}/", nobody().await),
        lab.receiver("?answer=500"),
        format!("http://{silent}/"),
        lab.receiver("?answer=text"),
    ];
    for version in VERSIONS {
        let client = lab.client(version);
        for (last, is_good) in [("?no=5", true), ("?answer=404", false)] {
            let urls = bad.iter().cloned().chain([lab.receiver(last)]).collect();
            let spec = CallbackSpec { urls, ..lab.callback("") };
            let calls = lab.sandbox.callbacks().len();
            let callback = put(&client, &spec).await.expect("stored").callback;
            let seen: Vec<String> =
                lab.sandbox.callbacks().split_off(calls).into_iter().map(|call| call.path_and_query).collect();
            let last = format!("/callback{last}");
            assert_eq!(seen, ["/callback?answer=500", "/callback?answer=text", &last]);
            match callback {
                CallbackOutcome::Answered { .. } => assert!(is_good),
                CallbackOutcome::Failed { message, .. } => assert!(!is_good && message.contains("404"), "{message}"),
                other => panic!("{other:?}"),
            }
        }
        let first = CallbackSpec { urls: vec![lab.receiver("?no=1"), lab.receiver("?no=2")], ..lab.callback("") };
        assert!(both(&client, &first).await.iter().all(Result::is_ok));
        assert_eq!(lab.last_callback().path_and_query, "/callback?no=1");
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_answer_comes_back_whole() {
    const BYTES: usize = 2 * 1024 * 1024;
    let lab = Lab::with(|tuning| tuning.callback_answer_limit = 3 * 1024 * 1024).await;
    for version in VERSIONS {
        let spec = lab.callback(&format!("?answer=huge&bytes={BYTES}"));
        for stored in both(&lab.client(version), &spec).await {
            let CallbackOutcome::Answered { body, headers, cut, .. } = stored.expect("stored").callback else {
                panic!("no answer")
            };
            let answer: serde_json::Value = serde_json::from_str(&body).expect("the whole of it");
            assert_eq!(answer["padding"].as_str().map(str::len), Some(BYTES));
            assert_eq!((cut, headers["content-length"].parse()), (false, Ok(body.len())));
        }
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_carriers_in_one_request_are_refused_here_and_there() {
    let lab = Lab::new().await;
    let client = lab.client(SignatureVersion::V4);
    let encoded = lab.callback("").encode().expect("a callback");
    let (query, headers) = (
        vec![("callback".to_owned(), encoded.callback.clone())],
        vec![("x-oss-callback".to_owned(), encoded.callback.clone())],
    );
    let ours = client.presign(&Method::PUT, Some(&key("a")), query.clone(), &headers, HOUR).await;
    assert!(matches!(ours, Err(Error::Invalid(_))), "{ours:?}");
    // Somebody else's client sends them, signed rightly.
    let theirs =
        SignRequest { query, headers, expires: Some(HOUR), ..lab.request(SignatureVersion::V4, "PUT", Some("a")) };
    let url = explain(&theirs).expect("an explanation").url;
    let answer = lab.anybody.put(url).header("x-oss-callback", &encoded.callback).body("1").send().await;
    let answer = answer.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.headers()["x-oss-ec"].as_bytes()), (400, &b"0007-00000027"[..]));
    assert_eq!((lab.object("a"), lab.answers_since(0)), (None, vec![(Operation::PutObject, 400)]));
    let decoded = BASE64_STANDARD.decode(encoded.callback).expect("Base64");
    assert!(serde_json::from_slice::<serde_json::Value>(&decoded).expect("JSON")["callbackUrl"].is_string());
    lab.sandbox.stop().await;
}
