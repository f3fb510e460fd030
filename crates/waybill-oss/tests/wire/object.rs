//! PutObject and HeadObject.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use waybill_oss::{
    Acl, BodyType, BucketName, CallbackOutcome, CallbackSpec, Client, Credential, Encryption, Endpoint, Error, Gate,
    HttpOptions, ObjectHeaders, PostForm, ResponseHeaders, RetryPolicy, SignatureVersion, StorageClass, http_client,
};

use crate::server::{Reply, SECRET, Server, Sum, answer, crc64, key, plain, refusal, slice, text};

pub(crate) fn callback() -> CallbackSpec {
    CallbackSpec {
        urls: vec!["https://app.example.com/cb".to_owned()],
        body: "{\"object\":${object},\"order\":${x:order}}".to_owned(),
        body_type: BodyType::Json,
        sni: true,
        variables: BTreeMap::from([("order".to_owned(), "42".to_owned())]),
        ..CallbackSpec::default()
    }
}

fn stored(bytes: &[u8]) -> Reply {
    answer(200, &[("ETag", "\"5EB63B\""), ("x-oss-hash-crc64ecma", &crc64(bytes)), ("x-oss-version-id", "v1")], "")
}

#[tokio::test]
async fn put_stores_the_file_and_says_what_oss_said() {
    let bytes: Vec<u8> = (0..1_500_000_u32).map(|n| (n % 253) as u8).collect();
    let server = Server::start(vec![stored(&bytes)]).await;
    let sum = Sum::default();
    let done = server
        .client()
        .put_object(
            &key("dir/a b.txt"),
            &slice(&bytes),
            &ObjectHeaders::of_type(Some("text/plain")),
            None,
            Some(&sum.progress()),
        )
        .await
        .expect("stored");
    assert_eq!(
        (done.etag.as_str(), done.request_id.as_str(), done.version_id.as_deref()),
        ("5EB63B", "65A1B2", Some("v1"))
    );
    assert_eq!((done.callback, done.crc64), (CallbackOutcome::NotRequested, done.local_crc64));
    assert_eq!(sum.now(), 1_500_000);
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("PUT", "/examplebucket/dir/a%20b.txt"));
    assert_eq!((seen.header("content-length"), seen.header("content-type")), ("1500000", "text/plain"));
    assert!(seen.body == bytes, "the bytes differ");
    for absent in ["transfer-encoding", "expect", "content-md5", "x-oss-callback"] {
        assert_eq!(seen.header(absent), "", "{absent}");
    }
}

#[tokio::test]
async fn an_empty_file_is_sent_with_its_length() {
    let server = Server::start(vec![stored(b"")]).await;
    let done = server.client().put_object(&key("empty"), &slice(b""), &plain(), None, None).await.expect("stored");
    assert_eq!((done.crc64, done.local_crc64), (Some(0), Some(0)));
    let seen = &server.seen()[0];
    assert_eq!((seen.header("content-length"), seen.header("transfer-encoding")), ("0", ""));
}

#[tokio::test]
async fn put_with_200_returns_the_application_servers_own_answer() {
    let headers =
        [("ETag", "\"E\""), ("x-oss-hash-crc64ecma", &*crc64(b"hello")), ("Content-Type", "application/json")];
    let server = Server::start(vec![answer(200, &headers, "{\"id\": 7}")]).await;
    let done = server
        .client()
        .put_object(&key("k"), &slice(b"hello"), &plain(), Some(&callback()), None)
        .await
        .expect("stored");
    let CallbackOutcome::Answered { status: 200, content_type, body, headers, cut: false } = done.callback else {
        panic!("{:?}", done.callback)
    };
    assert_eq!((content_type.as_deref(), body.as_str()), (Some("application/json"), "{\"id\": 7}"));
    assert_eq!((headers["etag"].as_str(), headers["x-oss-request-id"].as_str()), ("\"E\"", "65A1B2"));
    let encoded = callback().encode().expect("headers");
    let seen = &server.seen()[0];
    assert_eq!(seen.header("x-oss-callback"), encoded.callback);
    assert_eq!(Some(seen.header("x-oss-callback-var").to_owned()), encoded.callback_var);
}

#[tokio::test]
async fn lost_put_answer_with_a_callback_is_not_repeated() {
    let server = Server::start(vec![Reply::Lost]).await;
    let sum = Sum::default();
    let progress = sum.progress();
    let error = server
        .client()
        .put_object(&key("k"), &slice(b"hello"), &plain(), Some(&callback()), Some(&progress))
        .await
        .expect_err("lost");
    assert!(error.answer_lost(), "{error}");
    assert_eq!((server.seen().len(), sum.ever(), sum.now()), (1, 5, 0));
}

#[tokio::test]
async fn lost_put_answer_without_a_callback_is_repeated() {
    let server = Server::start(vec![Reply::Lost, stored(b"hello")]).await;
    let sum = Sum::default();
    let progress = sum.progress();
    server.client().put_object(&key("k"), &slice(b"hello"), &plain(), None, Some(&progress)).await.expect("stored");
    assert_eq!((server.seen().len(), sum.ever(), sum.now()), (2, 10, 5));
}

#[tokio::test]
async fn put_with_wrong_crc_is_an_integrity_error() {
    let server = Server::start(vec![stored(b"hellO")]).await;
    let client = server.client().with_retry(RetryPolicy::none());
    let error = client.put_object(&key("k"), &slice(b"hello"), &plain(), None, None).await.expect_err("wrong");
    assert!(matches!(error, Error::Integrity { local, server, .. } if local != server), "{error}");
}

#[tokio::test]
async fn an_answer_without_a_checksum_is_no_stored_object() {
    for spec in [None, Some(callback())] {
        let server =
            Server::start(vec![answer(200, &[("ETag", "\"E\"")], "{}"), answer(200, &[("ETag", "\"E\"")], "{}")]).await;
        let client = server.client().with_retry(RetryPolicy::none());
        let put = client.put_object(&key("k"), &slice(b"hello"), &plain(), spec.as_ref(), None).await;
        let form = PostForm { callback: spec, ..PostForm::default() };
        let post = client.post_object(&key("k"), &slice(b"hello"), &form, None).await;
        for error in [put.expect_err("unchecked"), post.expect_err("unchecked")] {
            assert!(matches!(error, Error::Unreadable { .. }) && error.answer_lost(), "{error}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_comes_before_the_whole_file_is_no_stored_object() {
    // More than the sockets' own buffers hold.
    let bytes = vec![5; 24 << 20];
    let early = text(200, &[("ETag", "\"E\""), ("x-oss-hash-crc64ecma", &crc64(&bytes))], "");
    let server = Server::start(vec![Reply::Early(early)]).await;
    let client = server.client().with_retry(RetryPolicy::none());
    let error = client.put_object(&key("k"), &slice(&bytes), &plain(), None, None).await.expect_err("early");
    assert!(matches!(&error, Error::Unreadable { message, .. } if message.contains("before")), "{error}");
}

#[tokio::test]
async fn a_file_cut_short_while_it_is_sent_is_a_source_error() {
    let server = Server::start(vec![stored(b"")]).await;
    let mut body = slice(&[1; 100_000]);
    body.len = 200_000;
    let sum = Sum::default();
    let progress = sum.progress();
    let error = server.client().put_object(&key("k"), &body, &plain(), None, Some(&progress)).await.expect_err("short");
    assert!(matches!(&error, Error::Source(io) if io.kind() == std::io::ErrorKind::UnexpectedEof), "{error:?}");
    assert_eq!(sum.now(), 0);
}

#[tokio::test]
async fn a_page_from_somebody_else_is_not_a_stored_object() {
    for spec in [None, Some(callback())] {
        let portal = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nETag: \"x\"\r\n\r\n<html></html>";
        let server = Server::start(vec![Reply::Answer(portal.to_owned())]).await;
        let client = server.client().with_retry(RetryPolicy::none());
        let error =
            client.put_object(&key("k"), &slice(b"hello"), &plain(), spec.as_ref(), None).await.expect_err("portal");
        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    }
}

#[tokio::test]
async fn head_says_what_the_object_is() {
    let headers = [
        ("Content-Length", "344606"),
        ("ETag", "\"FBA9DEDE\""),
        ("x-oss-hash-crc64ecma", "9"),
        ("Last-Modified", "Fri, 24 Feb 2012 06:07:48 GMT"),
        ("Content-Type", "image/jpg"),
    ];
    let server = Server::start(vec![answer(200, &headers, "")]).await;
    let head = server.client().head_object(&key("k")).await.expect("head").expect("object");
    assert_eq!((head.size, head.etag.as_str(), head.crc64), (344_606, "FBA9DEDE", Some(9)));
    assert_eq!(head.last_modified.as_deref(), Some("Fri, 24 Feb 2012 06:07:48 GMT"));
    assert_eq!(server.seen()[0].method, "HEAD");
}

#[tokio::test]
async fn head_404_is_none() {
    let server = Server::start(vec![answer(404, &[], ""), answer(404, &[("x-oss-ec", "0026-00000001")], "")]).await;
    assert_eq!(server.client().head_object(&key("k")).await.expect("head"), None);
    assert_eq!(server.client().head_object(&key("k")).await.expect("head"), None);
}

#[tokio::test]
async fn head_404_of_a_stranger_says_nothing_about_the_object() {
    let portal = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned();
    let server = Server::start(vec![Reply::Answer(portal)]).await;
    let error = server.client().head_object(&key("k")).await.expect_err("portal");
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
}

#[tokio::test]
async fn head_404_of_a_missing_bucket_is_an_error() {
    use base64::Engine as _;
    let xml = "<Error><Code>NoSuchBucket</Code><Message>m</Message><EC>0015-00000101</EC></Error>";
    let header = base64::engine::general_purpose::STANDARD.encode(xml);
    let server = Server::start(vec![answer(404, &[("x-oss-err", &header)], "")]).await;
    let error = server.client().head_object(&key("k")).await.expect_err("bucket");
    assert_eq!((error.service_code(), error.ec()), (Some("NoSuchBucket"), Some("0015-00000101")));
}

#[tokio::test]
async fn keys_with_dot_segments_reach_the_server_as_signed() {
    let keys = ["a/../b/./c", "../x", "x/..", "a//b", "%2e%2e/x", "é 文/+?#.txt"];
    let server = Server::start(keys.iter().map(|_| stored(b"x")).collect()).await;
    for name in keys {
        server.client().put_object(&key(name), &slice(b"x"), &plain(), None, None).await.expect(name);
    }
    let targets: Vec<String> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(
        targets,
        [
            "/examplebucket/a%2F..%2Fb%2F.%2Fc",
            "/examplebucket/..%2Fx",
            "/examplebucket/x%2F..",
            "/examplebucket/a//b",
            "/examplebucket/%252e%252e/x",
            "/examplebucket/%C3%A9%20%E6%96%87/%2B%3F%23.txt",
        ]
    );
}

#[tokio::test]
async fn a_bad_callback_parameter_is_refused_and_nothing_is_stored() {
    let server = Server::start(vec![refusal(400, "InvalidArgument", "0007-00000008")]).await;
    let error = server
        .client()
        .put_object(&key("k"), &slice(b"x"), &plain(), Some(&callback()), None)
        .await
        .expect_err("refused");
    assert_eq!((error.ec(), error.answer_lost()), (Some("0007-00000008"), false));
    assert!(error.refuses_callback());
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn the_gate_is_asked_once_with_the_checksum_before_the_last_bytes() {
    let bytes = vec![3; 1_200_000];
    let server = Server::start(vec![stored(&bytes)]).await;
    let sum = Sum::default();
    let (sent, asked) = (sum.clone(), Arc::new(Mutex::new(Vec::new())));
    let notes = Arc::clone(&asked);
    let gate = Gate::new(move |crc64| async move {
        notes.lock().expect("notes").push((crc64.to_string(), sent.now()));
        true
    });
    let (client, progress) = (server.client(), sum.progress());
    let done = client.put_object_gated(&key("k"), &slice(&bytes), &plain(), None, gate, Some(&progress)).await;
    assert_eq!(done.expect("stored").crc64.map(|crc| crc.to_string()), Some(crc64(&bytes)));
    let asked = asked.lock().expect("notes").clone();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].0, crc64(&bytes));
    assert!(asked[0].1 < 1_200_000, "{} bytes were gone already", asked[0].1);
    assert_eq!(sum.now(), 1_200_000);
}

#[tokio::test]
async fn a_shut_gate_keeps_the_last_bytes_back() {
    for bytes in [&b"hello"[..], b""] {
        let server = Server::start(vec![Reply::Lost]).await;
        let (client, gate) = (server.client(), Gate::new(|_| async { false }));
        let result = client.put_object_gated(&key("k"), &slice(bytes), &plain(), None, gate, None).await;
        let error = result.expect_err("shut");
        assert!(matches!(error, Error::Source(_)) && !error.answer_lost(), "{error:?}");
        assert!(server.seen().iter().all(|seen| seen.body.is_empty() && !bytes.is_empty()));
    }
}

#[tokio::test]
async fn a_gated_put_is_not_repeated() {
    for (bytes, reply) in
        [(&b"hello"[..], Reply::Lost), (b"hello", refusal(503, "Busy", "")), (b"hello", Reply::HangUp)]
    {
        let server = Server::start(vec![reply]).await;
        let (client, gate) = (server.client(), Gate::new(|_| async { true }));
        let result = client.put_object_gated(&key("k"), &slice(bytes), &plain(), None, gate, None).await;
        assert!(result.expect_err("lost").answer_lost());
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_gated_empty_put_is_not_repeated_either() {
    let server = Server::start(vec![Reply::Lost]).await;
    let (client, gate) = (server.client(), Gate::new(|_| async { true }));
    let result = client.put_object_gated(&key("k"), &slice(b""), &plain(), None, gate, None).await;
    assert!(result.expect_err("lost").answer_lost());
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn all_that_is_said_about_an_object_reaches_oss_as_it_was_signed() {
    let server = Server::start(vec![stored(b"x")]).await;
    let headers = ObjectHeaders {
        cache_control: Some("no-cache".to_owned()),
        content_disposition: Some("attachment; filename=\"文 件.txt\"".to_owned()),
        metadata: BTreeMap::from([("Author".to_owned(), " 文件 ".to_owned()), ("b".to_owned(), String::new())]),
        acl: Some(Acl::PublicRead),
        storage_class: Some(StorageClass::InfrequentAccess),
        encryption: Some(Encryption::Kms { key_id: Some("9468da86".to_owned()) }),
        tags: BTreeMap::from([("k 2".to_owned(), "v+2".to_owned())]),
        traffic_limit: Some(819_200),
        ..ObjectHeaders::of_type(Some("text/plain"))
    };
    server.client().put_object(&key("k"), &slice(b"x"), &headers, None, None).await.expect("stored");
    let seen = &server.seen()[0];
    for (name, value) in [
        ("content-type", "text/plain"),
        ("cache-control", "no-cache"),
        ("content-disposition", "attachment; filename=\"文 件.txt\""),
        ("x-oss-meta-author", "文件"),
        ("x-oss-meta-b", ""),
        ("x-oss-object-acl", "public-read"),
        ("x-oss-storage-class", "IA"),
        ("x-oss-server-side-encryption", "KMS"),
        ("x-oss-server-side-encryption-key-id", "9468da86"),
        ("x-oss-tagging", "k%202=v%2B2"),
        ("x-oss-traffic-limit", "819200"),
    ] {
        assert_eq!(seen.header(name), value, "{name}");
    }
    assert!(seen.headers.contains_key("x-oss-meta-b") && !seen.headers.contains_key("x-oss-forbid-overwrite"));
}

#[tokio::test]
async fn headers_that_are_to_be_signed_are_listed_and_signed_as_they_arrive() {
    let server = Server::start(vec![stored(b"x"), answer(204, &[], "")]).await;
    let wanted = ["Host", "content-length", "User-Agent", "cache-control", "range"].map(str::to_owned).to_vec();
    let client = server.client().with_additional_headers(wanted).expect("names");
    let headers = ObjectHeaders { cache_control: Some("no-cache".to_owned()), ..plain() };
    client.put_object(&key("k"), &slice(b"x"), &headers, None, None).await.expect("stored");
    client.delete_object(&key("k"), None).await.expect("deleted");
    let seen = server.seen();
    let listed = ["cache-control;content-length;host;user-agent", "host;user-agent"];
    for (request, listed) in seen.iter().zip(listed) {
        let authorization = request.header("authorization");
        assert!(authorization.contains(&format!(",AdditionalHeaders={listed},Signature=")), "{authorization}");
        assert_eq!(format!("http://{}", request.header("host")), server.address);
        assert!(request.header("user-agent").starts_with("waybill/"), "{request:?}");
    }
    let late = server.client().with_additional_headers(vec!["Transfer-Encoding".to_owned()]);
    assert!(matches!(late, Err(Error::Invalid(words)) if words.contains("transfer-encoding")));
}

#[tokio::test]
async fn version_1_signs_what_arrives_and_lists_nothing() {
    let server = Server::start(vec![stored(b"x"), answer(200, &[("ETag", "\"E\"")], "")]).await;
    let client = server.client_with(Some("wire-token-0815")).with_signature(SignatureVersion::V1);
    let client = client.with_additional_headers(vec!["host".to_owned()]).expect("a name");
    let headers = ObjectHeaders { acl: Some(Acl::Private), ..ObjectHeaders::of_type(Some("text/plain")) };
    client.put_object(&key("k"), &slice(b"x"), &headers, None, None).await.expect("stored");
    client
        .with_retry(RetryPolicy::none())
        .upload_part(&key("k"), "U", 1, &slice(b"x"), None, None)
        .await
        .expect_err("x");
    for request in server.seen() {
        assert!(request.header("authorization").starts_with("OSS ak:"), "{request:?}");
    }
}

#[tokio::test]
async fn a_region_is_taken_with_its_prefix_and_refused_if_it_is_none() {
    let server = Server::start(vec![stored(b"x"), stored(b"x")]).await;
    let client = |region: &str| {
        let endpoint = Endpoint::parse(&server.address).expect("endpoint");
        let bucket = BucketName::parse("examplebucket").expect("bucket");
        let http = http_client(&HttpOptions::default()).expect("http");
        Client::new(http, endpoint, region.to_owned(), bucket, Credential::new("ak", SECRET, None))
    };
    let name = key("k");
    client(" oss-cn-hangzhou").put_object(&name, &slice(b"x"), &plain(), None, None).await.expect("stored");
    assert!(server.seen()[0].header("authorization").contains("/cn-hangzhou/oss/"));
    for region in ["", "Hangzhou!", "cn hangzhou"] {
        let error = client(region).put_object(&name, &slice(b"x"), &plain(), None, None).await.expect_err(region);
        assert!(matches!(&error, Error::Invalid(words) if words.contains("cn-hangzhou")), "{error}");
        let url =
            client(region).presign_get(&name, &ResponseHeaders::default(), std::time::Duration::from_secs(9)).await;
        assert!(matches!(url, Err(Error::Invalid(_))), "{region}");
    }
    assert_eq!(server.seen().len(), 1);
    let client = client("").with_signature(SignatureVersion::V1);
    client.put_object(&name, &slice(b"x"), &plain(), None, None).await.expect("version 1 names no region");
}

#[tokio::test]
async fn a_put_that_must_not_overwrite_is_not_repeated_when_its_answer_is_lost() {
    let server = Server::start(vec![Reply::Lost, refusal(409, "FileAlreadyExists", "0026-00000012")]).await;
    let headers = ObjectHeaders { forbid_overwrite: true, ..plain() };
    let error = server.client().put_object(&key("k"), &slice(b"x"), &headers, None, None).await.expect_err("lost");
    assert!(error.answer_lost(), "it may be stored: {error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn bad_headers_are_refused_before_sending() {
    let server = Server::start(vec![]).await;
    let headers = ObjectHeaders { traffic_limit: Some(1), ..plain() };
    let error = server.client().put_object(&key("k"), &slice(b"x"), &headers, None, None).await.expect_err("refused");
    assert!(matches!(&error, Error::Invalid(words) if words.contains("819200")), "{error}");
    assert!(server.seen().is_empty());
}
