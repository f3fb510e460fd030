//! Tests of endpoints: what is taken, what is refused in which words, and that URLs are sent as they were signed.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn bucket() -> BucketName {
    BucketName::parse("examplebucket").expect("bucket")
}

/// One endpoint of each addressing.
fn kinds() -> [Endpoint; 4] {
    [
        Endpoint::parse("oss-cn-hangzhou.aliyuncs.com").expect("public"),
        Endpoint::cname("files.example.com").expect("own domain"),
        Endpoint::parse("http://127.0.0.1:9000").expect("address"),
        Endpoint::parse("http://[::1]:9000").expect("address"),
    ]
}

fn url_at(endpoint: &Endpoint, key: &str) -> String {
    endpoint.object_url(&bucket(), Some(&ObjectKey::parse(key).expect("key")), &[])
}

fn url(endpoint: &str, key: &str) -> String {
    url_at(&Endpoint::parse(endpoint).expect("endpoint"), key)
}

fn refused(text: &str) -> String {
    match Endpoint::parse(text) {
        Err(Error::Invalid(words)) => words,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn every_key_reaches_the_wire_as_the_sdks_escape_it() {
    let file: Value = serde_json::from_str(include_str!("../../tests/fixtures/key-encoding.json")).expect("json");
    let vectors = file["vectors"].as_array().expect("vectors");
    assert_eq!(vectors.len(), 26);
    for vector in vectors {
        let key = vector["key"].as_str().expect("key");
        if key.starts_with(['/', '\\']) {
            assert!(ObjectKey::parse(key).is_err(), "{key}");
            continue;
        }
        let ours = url("https://oss-cn-hangzhou.aliyuncs.com", key);
        let folds = key.contains("../") || key.contains("./");
        let theirs = if folds { &vector["url_slash_encoded"] } else { &vector["url_slash_kept"] };
        assert_eq!(ours, theirs.as_str().expect("url"));
        assert_eq!(Url::parse(&ours).expect("url").as_str(), ours, "the URL library must not touch it");
        let signed = vector["v4_canonical_uri"].as_str().expect("canonical");
        assert_eq!(escape::path(&format!("/examplebucket/{key}")), signed);
    }
}

#[test]
fn dot_segments_survive_the_url_library() {
    for key in ["a/../b", "a/./b", "../x", "x/..", "a/.", "./x/../y", "%2e%2e/x", "a/%2E"] {
        for endpoint in kinds() {
            let url = url_at(&endpoint, key);
            assert_eq!(Url::parse(&url).expect("url").as_str(), url);
        }
    }
}

proptest! {
    #[test]
    fn any_key_is_sent_as_it_is_signed(key in "[./a%+ é\\u{0}\\\\?#]{1,12}|\\PC{1,40}|(?s).{1,40}") {
        if let Ok(key) = ObjectKey::parse(&key) {
            for endpoint in kinds() {
                let url = endpoint.object_url(&bucket(), Some(&key), &[]);
                let parsed = Url::parse(&url).expect("url");
                prop_assert_eq!(parsed.as_str(), &url);
                prop_assert!(parsed.query().is_none() && parsed.fragment().is_none());
                let path = match endpoint.addressing() {
                    Addressing::PathStyle => parsed.path().strip_prefix("/examplebucket/"),
                    _ => parsed.path().strip_prefix('/'),
                };
                let received = escape::decoded(path.expect("a path"));
                prop_assert_eq!(received.as_deref(), Some(key.as_str()), "what the server decodes");
            }
        }
    }

    #[test]
    fn any_query_is_sent_as_it_is_signed(name in "(?s).{1,12}", value in "(?s).{0,20}") {
        for endpoint in kinds() {
            let url = endpoint.object_url(&bucket(), None, &[(name.clone(), value.clone())]);
            let parsed = Url::parse(&url).expect("url");
            prop_assert_eq!(parsed.as_str(), &url);
            let (sent_name, sent_value) = parsed.query().expect("a query").split_once('=').unwrap_or((parsed.query().expect("a query"), ""));
            prop_assert_eq!(escape::decoded(sent_name), Some(name.clone()));
            prop_assert_eq!(escape::decoded(sent_value), Some(value.clone()));
        }
    }

    #[test]
    fn an_endpoint_is_printed_as_it_can_be_typed(text in "(https?://)?([a-z0-9-]{1,8}|[a-z0-9.-]{1,20}|\\[::1\\]|127\\.0\\.0\\.1)(:[0-9]{1,4})?|\\PC{1,30}") {
        if let Ok(endpoint) = Endpoint::parse_with(&text, PlainHttp::Allowed) {
            let again = Endpoint::parse_with(&endpoint.to_string(), PlainHttp::Allowed);
            prop_assert_eq!(again.expect("its own print"), endpoint);
        }
        if let Ok(endpoint) = Endpoint::cname_with(&text, PlainHttp::Allowed) {
            let again = Endpoint::cname_with(&endpoint.to_string(), PlainHttp::Allowed);
            prop_assert_eq!(again.expect("its own print"), endpoint);
        }
    }
}

#[test]
fn a_host_of_one_word_is_not_printed_as_a_region() {
    let host = Endpoint::parse("https://cn-hangzhou").expect("a host");
    assert_eq!(host.to_string(), "https://cn-hangzhou");
    assert_ne!(host, Endpoint::parse("cn-hangzhou").expect("a region"));
    assert_eq!(Endpoint::parse("localhost").expect("a host").to_string(), "localhost");
}

#[test]
fn the_bucket_stands_where_the_addressing_says() {
    assert_eq!(url("oss-cn-hangzhou", "a"), "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/a");
    assert_eq!(url("oss.example.com:8443", "a"), "https://examplebucket.oss.example.com:8443/a");
    assert_eq!(url("http://127.0.0.1:9000", "a b"), "http://127.0.0.1:9000/examplebucket/a%20b");
    assert_eq!(url("http://[::1]:9000/", "a"), "http://[::1]:9000/examplebucket/a");
    assert_eq!(url("localhost:9000", "a"), "https://localhost:9000/examplebucket/a");
    let own = Endpoint::cname("files.example.com").expect("own domain");
    assert_eq!(own.addressing(), Addressing::Cname);
    assert_eq!(url_at(&own, "a b"), "https://files.example.com/a%20b");
    let query = [("uploads".to_owned(), String::new())];
    let bare = Endpoint::parse("oss-cn-hangzhou.aliyuncs.com").expect("endpoint").object_url(&bucket(), None, &query);
    assert_eq!(bare, "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/?uploads");
    assert_eq!(own.object_url(&bucket(), None, &query), "https://files.example.com/?uploads");
}

#[test]
fn listing_buckets_names_none_and_is_refused_on_an_own_domain() {
    let query = [("prefix".to_owned(), "a b".to_owned())];
    let [public, own, address, _] = kinds();
    assert_eq!(public.bare_url(&query).expect("url"), "https://oss-cn-hangzhou.aliyuncs.com/?prefix=a%20b");
    assert_eq!(address.bare_url(&[]).expect("url"), "http://127.0.0.1:9000/");
    let words = own.bare_url(&[]).expect_err("an own domain").to_string();
    assert!(words.contains("files.example.com") && words.contains("oss-cn-hangzhou.aliyuncs.com"), "{words}");
}

#[test]
fn plain_http_to_another_computer_is_refused_unless_it_is_allowed() {
    for text in ["http://oss-cn-hangzhou.aliyuncs.com", "http://10.0.0.1", "http://localhost.example.com"] {
        assert!(refused(text).contains("use https"), "{text}");
        let allowed = Endpoint::parse_with(text, PlainHttp::Allowed).expect(text);
        assert_eq!(allowed.to_string(), text);
    }
    assert!(Endpoint::parse("http://localhost:80").is_ok() && Endpoint::parse("http://[::1]:80").is_ok());
    assert!(Endpoint::cname("http://files.example.com").is_err());
    let own = Endpoint::cname_with("http://files.example.com", PlainHttp::Allowed).expect("allowed");
    assert_eq!(own.to_string(), "http://files.example.com");
}

#[test]
fn what_is_not_an_endpoint_is_refused() {
    for text in [
        "",
        "https://",
        "ftp://oss-cn-hangzhou.aliyuncs.com",
        "https://oss-cn-hangzhou.aliyuncs.com/bucket",
        "https://oss-cn-hangzhou.aliyuncs.com?x",
        "https://oss.example.com/bucket",
        "s3.oss-cn-hangzhou.aliyuncs.com",
    ] {
        refused(text);
    }
    for text in ["127.0.0.1", "localhost:9000", "oss-cn-hangzhou.aliyuncs.com", "b.oss-cn-hangzhou.aliyuncs.com"] {
        assert!(Endpoint::cname(text).is_err(), "{text} is no domain of one's own");
    }
}

#[test]
fn a_pasted_bucket_is_answered_with_where_each_part_belongs() {
    for (text, bucket, endpoint) in [
        ("photos.oss-cn-hangzhou.aliyuncs.com", "photos", "oss-cn-hangzhou.aliyuncs.com"),
        ("https://photos.oss-cn-beijing-internal.aliyuncs.com/a.jpg", "photos", "oss-cn-beijing-internal.aliyuncs.com"),
        ("http://127.0.0.1:9000/photos/a.jpg", "photos", "http://127.0.0.1:9000"),
    ] {
        let words = refused(text);
        assert!(words.contains(&format!("write {bucket} into the bucket's own field and {endpoint} here")), "{words}");
    }
    assert!(refused("oss://photos/a.jpg").contains("write photos into the bucket's own field"));
}

#[test]
fn neither_password_nor_signature_is_repeated_in_a_refusal() {
    for text in [
        "https://user:hunter2@oss-cn-hangzhou.aliyuncs.com",
        "https://hunter2@oss-cn-hangzhou.aliyuncs.com",
        "ftp://user:p@hunter2@host",
        "user:hunter2@host/path",
        "https://photos.oss-cn-hangzhou.aliyuncs.com/a?x-oss-signature=hunter2",
        "https://oss.example.com/a?Signature=hunter2",
        "https://oss.example.com/a#hunter2",
    ] {
        assert!(!refused(text).contains("hunter2"), "{}", refused(text));
    }
}
