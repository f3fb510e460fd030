//! GetObject: whole, in part, and what must not pass for it.

use waybill_oss::{Error, GetOptions, RetryPolicy, TransportKind};

use crate::server::{Reply, Server, answer, crc64, key, refusal, text};

fn whole(body: &str, crc: &str) -> Reply {
    let headers = [("ETag", "\"E\""), ("x-oss-hash-crc64ecma", crc), ("x-oss-meta-a", "b"), ("Content-Type", "a/b")];
    answer(200, &headers, body)
}

#[tokio::test]
async fn an_object_comes_whole_and_verified() {
    let server = Server::start(vec![Reply::Lost, whole("hello", &crc64(b"hello"))]).await;
    let client = server.client();
    let mut download = client.get_object(&key("a b"), &GetOptions::default()).await.expect("open");
    assert_eq!((download.len, download.head.size, download.head.metadata["a"].as_str()), (5, 5, "b"));
    let mut bytes = Vec::new();
    while let Some(chunk) = download.chunk().await.expect("chunk") {
        bytes.extend_from_slice(&chunk);
    }
    assert_eq!((bytes.as_slice(), download.crc64().to_string()), (&b"hello"[..], crc64(b"hello")));
    let seen = server.seen();
    assert_eq!((seen.len(), seen[1].method.as_str(), seen[1].target.as_str()), (2, "GET", "/examplebucket/a%20b"));
    assert_eq!(seen[1].header("range"), "");
}

#[tokio::test]
async fn an_object_that_is_not_what_oss_has_is_an_integrity_error() {
    let server = Server::start(vec![whole("hellO", &crc64(b"hello"))]).await;
    let download = server.client().get_object(&key("k"), &GetOptions::default()).await.expect("open");
    let error = download.verify().await.expect_err("other bytes");
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
}

#[tokio::test]
async fn an_object_that_ends_early_is_an_error() {
    let cut = text(200, &[("ETag", "\"E\"")], "hello world");
    let server = Server::start(vec![Reply::Cut(cut.clone(), cut.len() - 3)]).await;
    let download = server.client().get_object(&key("k"), &GetOptions::default()).await.expect("open");
    let error = download.verify().await.expect_err("short");
    assert!(matches!(error, Error::Transport { kind: TransportKind::Interrupted, .. }), "{error}");
}

#[tokio::test]
async fn a_range_comes_with_the_size_of_the_whole() {
    let headers = [("ETag", "\"E\""), ("Content-Range", "bytes 2-4/344606"), ("x-oss-hash-crc64ecma", "9")];
    let server = Server::start(vec![answer(206, &headers, "llo")]).await;
    let options = GetOptions {
        range: Some(2..5),
        if_match: Some("\"E\"".to_owned()),
        version_id: Some("v1".to_owned()),
        traffic_limit: Some(819_200),
    };
    let download = server.client().get_object(&key("k"), &options).await.expect("open");
    assert_eq!((download.len, download.head.size), (3, 344_606));
    assert_eq!(download.verify().await.expect("range").to_string(), crc64(b"llo"));
    let seen = &server.seen()[0];
    assert_eq!((seen.header("range"), seen.header("x-oss-range-behavior")), ("bytes=2-4", "standard"));
    assert_eq!((seen.header("if-match"), seen.header("x-oss-traffic-limit")), ("\"E\"", "819200"));
    assert_eq!(seen.target, "/examplebucket/k?versionId=v1");
}

#[tokio::test]
async fn other_bytes_than_were_asked_for_are_refused() {
    let part = |status, range| answer(status, &[("ETag", "\"E\""), ("Content-Range", range)], "llo");
    let asked = GetOptions { range: Some(2..5), ..GetOptions::default() };
    for (reply, options) in [
        (part(200, ""), &asked),
        (part(206, "bytes 0-2/9"), &asked),
        (part(206, "bytes 2-5/9"), &asked),
        (part(206, "bytes 2-4/*"), &asked),
        (part(206, "bytes 2-4/9"), &GetOptions::default()),
    ] {
        let server = Server::start(vec![reply]).await;
        let error = server.client().get_object(&key("k"), options).await.expect_err("refused");
        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    }
}

#[tokio::test]
async fn an_object_that_is_not_there_is_an_error_in_oss_words() {
    let server = Server::start(vec![refusal(404, "NoSuchKey", "0026-00000001")]).await;
    let client = server.client().with_retry(RetryPolicy::none());
    let error = client.get_object(&key("k"), &GetOptions::default()).await.expect_err("missing");
    assert_eq!((error.service_code(), error.ec()), (Some("NoSuchKey"), Some("0026-00000001")));
    let empty = GetOptions { range: Some(3..3), ..GetOptions::default() };
    assert!(matches!(client.get_object(&key("k"), &empty).await, Err(Error::Invalid(_))));
}
