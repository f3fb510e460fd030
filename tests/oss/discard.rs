//! The server that keeps nothing: a client cannot tell it from another, and it tells truly what came.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use waybill_oss::{
    BucketName, Client, Credential, Error, HttpOptions, ObjectHeaders, PlainHttp, RetryPolicy, combine, http_client,
};
use waybill_sandbox::{Discard, Discarding, SandboxConfig};
use waybill_tests::content;

use crate::bed::direct;
use crate::lab::{PART, crc64, key, refused, slice};

fn start(discarding: Discarding) -> Discard {
    let config = SandboxConfig {
        port: 0,
        data_dir: "nowhere".into(),
        access_key_id: "test-id".into(),
        access_key_secret: "test-secret".into(),
        region: "cn-test".into(),
        bucket: "bucket".into(),
    };
    Discard::start(config, discarding).expect("a server that keeps nothing")
}

fn client(server: &Discard, secret: &str, options: &HttpOptions) -> Client {
    let endpoint = waybill_oss::Endpoint::parse_with(&server.info().endpoint, PlainHttp::Allowed).expect("an endpoint");
    let bucket = BucketName::parse("bucket").expect("a bucket");
    let http = http_client(options).expect("an HTTP client");
    Client::new(http, endpoint, "cn-test".to_owned(), bucket, Credential::new("test-id", secret, None))
        .with_retry(RetryPolicy::none())
}

/// Asked in plain HTTP, whatever the server speaks otherwise.
async fn received(server: &Discard) -> serde_json::Value {
    let url = format!("{}/_sandbox/received", server.info().endpoint.replace("https:", "http:"));
    let client = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
    let text = client.get(url).send().await.expect("an answer").text().await.expect("a body");
    serde_json::from_str(&text).expect("JSON")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_and_parts_are_answered_as_oss_does_and_told_with_size_and_sum() {
    let server = start(Discarding::default());
    let (client, plain, whole) =
        (client(&server, "test-secret", &direct()), ObjectHeaders::default(), content(PART + 5));
    let stored = client.put_object(&key("a/ü b"), &slice(&whole), &plain, None, None).await.expect("stored");
    assert_eq!(stored.crc64, Some(crc64(&whole)));

    let name = key("parts");
    let id = client.initiate_multipart(&name, &plain).await.expect("an id");
    let (one, two) = (slice(&whole[..PART]), slice(&whole[PART..]));
    let mut parts = Vec::new();
    for (number, body) in [(2, &two), (1, &one)] {
        let receipt = client.upload_part(&name, &id, number, body, None, None).await.expect("a part");
        parts.insert(0, (number, receipt.etag));
    }
    let listed = client.list_parts(&name, &id).await.expect("the parts");
    assert_eq!(listed.iter().map(|part| (part.number, part.etag.clone())).collect::<Vec<_>>(), parts);
    let sums: Vec<_> = listed.iter().map(|part| (part.crc64.expect("a sum"), part.size)).collect();
    assert_eq!(combine(sums[0].0, sums[1].0, sums[1].1), crc64(&whole));
    let wrong = [(1, parts[1].1.clone())];
    assert_eq!(refused(client.complete_multipart(&name, &id, &wrong, &plain, None).await).code, "InvalidPart");
    let stored = client.complete_multipart(&name, &id, &parts, &plain, None).await.expect("stored");
    assert_eq!(stored.crc64, Some(crc64(&whole)));
    let head = client.head_object(&name).await.expect("an answer").expect("it is there");
    assert_eq!((head.size, head.crc64, head.etag), (whole.len() as u64, stored.crc64, stored.etag));
    assert_eq!(refused(client.list_parts(&name, &id).await).code, "NoSuchUpload");

    let told = received(&server).await;
    for key in ["a/ü b", "parts"] {
        let object = serde_json::json!({ "size": whole.len(), "crc64": crc64(&whole), "times": 1 });
        assert_eq!(told["objects"][key], object, "{told}");
    }
    let requests = serde_json::json!({
        "PutObject": 1, "InitiateMultipartUpload": 1, "UploadPart": 2, "ListParts": 2, "CompleteMultipartUpload": 2,
        "HeadObject": 1,
    });
    assert_eq!(told["requests"], requests);
    assert_eq!((&told["openUploads"], &told["cut"], &told["withContentMd5"]), (&0.into(), &0.into(), &0.into()));
    assert_eq!(told["refused"], serde_json::json!({ "InvalidPart": 1, "NoSuchUpload": 1 }));
    assert!(!std::path::Path::new("nowhere").exists(), "the data folder is not touched");
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_is_refused_and_nothing_counts_as_stored() {
    let server = start(Discarding::default());
    let stranger = client(&server, "guessed", &direct());
    let answer = stranger.put_object(&key("k"), &slice(b"x"), &ObjectHeaders::default(), None, None).await;
    assert_eq!(refused(answer).code, "SignatureDoesNotMatch");
    let told = received(&server).await;
    assert_eq!((&told["objects"], &told["refused"]["SignatureDoesNotMatch"]), (&serde_json::json!({}), &1.into()));
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_latency_holds_up_each_answer_and_no_other_request() {
    let latency = Duration::from_millis(300);
    let server = start(Discarding { latency, ..Discarding::default() });
    let client = client(&server, "test-secret", &direct());
    let (mut sent, began) = (JoinSet::new(), Instant::now());
    for number in 0..40 {
        let client = client.clone();
        sent.spawn(async move {
            client.put_object(&key(&number.to_string()), &slice(b"x"), &ObjectHeaders::default(), None, None).await
        });
    }
    assert!(sent.join_all().await.iter().all(Result::is_ok));
    let took = began.elapsed();
    assert!(took >= latency && took < 20 * latency, "forty at once took {took:?}");
    assert!(received(&server).await["busiest"].as_u64() > Some(1));
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_it_has_the_certificate_that_it_was_given_and_still_tells_in_plain_http() {
    let dir = tempfile::tempdir().expect("a temp folder");
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let (chain, private) = (dir.path().join("chain.pem"), dir.path().join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).expect("a file");
    std::fs::write(&private, made.signing_key.serialize_pem()).expect("a file");
    let server = start(Discarding { tls: Some((chain.clone(), private)), ..Discarding::default() });
    assert!(server.info().endpoint.starts_with("https://"));
    let (name, body, plain) = (key("k"), slice(b"over tls"), ObjectHeaders::default());
    let answer = client(&server, "test-secret", &direct()).put_object(&name, &body, &plain, None, None).await;
    assert!(matches!(answer, Err(Error::Transport { .. })), "{answer:?}");
    let trusting = HttpOptions { extra_ca: Some(chain), ..direct() };
    let stored = client(&server, "test-secret", &trusting).put_object(&name, &body, &plain, None, None).await;
    assert_eq!(stored.expect("stored").crc64, Some(crc64(b"over tls")));
    assert_eq!(received(&server).await["objects"]["k"]["times"], 1);
    server.stop();
}
