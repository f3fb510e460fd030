//! Reading an object: ranges, conditions, headers wanted otherwise.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Method;

use crate::bed::{Bed, Got};

async fn bed_with(key: &str, body: &str) -> (Bed, Got) {
    let bed = Bed::start().await;
    bed.put(key, body).await;
    let head = bed.ask(Method::HEAD, key).send().await;
    (bed, head)
}

#[tokio::test]
async fn a_range_within_the_object_is_206_with_its_place_and_the_crc_of_the_whole() {
    let (bed, head) = bed_with("k", "0123456789").await;
    assert_eq!(head.header("accept-ranges"), "bytes");
    for (range, body, place) in [
        ("bytes=2-4", "234", "2-4"),
        ("bytes=7-", "789", "7-9"),
        ("bytes=-1", "9", "9-9"),
        ("bytes=0-9", "0123456789", "0-9"),
    ] {
        let got = bed.ask(Method::GET, "k").header("range", range).send().await;
        assert_eq!((got.status, got.text().as_str()), (206, body), "{range}");
        assert_eq!(got.header("content-range"), format!("bytes {place}/10"));
        assert_eq!(got.header("x-oss-hash-crc64ecma"), head.header("x-oss-hash-crc64ecma"));
        assert!(!got.headers.contains_key("content-md5"), "the digest of the whole stands at a part");
    }
}

#[tokio::test]
async fn a_range_outside_is_the_whole_object_unless_the_standard_is_asked_for() {
    let (bed, _) = bed_with("k", "0123456789").await;
    for range in ["bytes=5-10", "bytes=10-", "bytes=-11", "byte=0-1"] {
        let got = bed.ask(Method::GET, "k").header("range", range).send().await;
        assert_eq!((got.status, got.text().as_str()), (200, "0123456789"), "{range}");
        assert!(!got.headers.contains_key("content-range"));
    }
    let standard =
        |range: &str| bed.ask(Method::GET, "k").header("range", range).header("x-oss-range-behavior", "standard");
    let cut = standard("bytes=5-10").send().await;
    assert_eq!((cut.status, cut.text().as_str(), cut.header("content-range").as_str()), (206, "56789", "bytes 5-9/10"));
    standard("bytes=10-").send().await.refused(416, "InvalidRange");
}

#[tokio::test]
async fn conditions_answer_304_or_412_for_get_and_head() {
    let (bed, head) = bed_with("k", "x").await;
    let (etag, modified) = (head.header("etag"), head.header("last-modified"));
    let early = "Fri, 24 Feb 2012 08:43:07 GMT";
    for (name, value, status) in [
        ("if-match", etag.as_str(), 200),
        ("if-match", "\"0\"", 412),
        ("if-none-match", etag.as_str(), 304),
        ("if-none-match", "\"0\"", 200),
        ("if-modified-since", modified.as_str(), 304),
        ("if-modified-since", early, 200),
        ("if-unmodified-since", modified.as_str(), 200),
        ("if-unmodified-since", early, 412),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let got = bed.ask(method.clone(), "k").header(name, value).send().await;
            assert_eq!(got.status, status, "{method} {name}: {value}");
            if status == 304 {
                assert_eq!((got.header("etag"), got.body.len()), (etag.clone(), 0));
            }
        }
    }
    bed.ask(Method::GET, "k").header("if-match", "0").send().await.refused(412, "PreconditionFailed");
}

#[tokio::test]
async fn headers_of_an_answer_can_be_asked_for_otherwise() {
    let bed = Bed::start().await;
    bed.ask(Method::PUT, "k").header("content-type", "text/plain").body("x").send().await;
    let ask = bed.ask(Method::GET, "k").query("response-content-type", "image/png");
    let got = ask.query("response-content-disposition", "attachment; filename=a.png").send().await;
    assert_eq!(
        (got.header("content-type").as_str(), got.header("content-disposition").as_str()),
        ("image/png", "attachment; filename=a.png")
    );
    assert_eq!(bed.ask(Method::HEAD, "k").send().await.header("content-type"), "text/plain");
}

#[tokio::test]
async fn the_meta_of_an_object_is_etag_size_and_time() {
    let (bed, head) = bed_with("k", "0123456789").await;
    let got = bed.ask(Method::HEAD, "k").query("objectMeta", "").send().await;
    assert_eq!(got.status, 200);
    for name in ["etag", "content-length", "last-modified", "x-oss-hash-crc64ecma"] {
        assert_eq!(got.header(name), head.header(name));
    }
    assert!(!got.headers.contains_key("x-oss-object-type"));
    let none = bed.ask(Method::HEAD, "none").query("objectMeta", "").send().await;
    assert_eq!(none.status, 404);
    assert!(BASE64_STANDARD.decode(none.header("x-oss-err")).is_ok());
}
