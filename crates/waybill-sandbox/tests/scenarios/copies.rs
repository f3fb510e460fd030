//! Copies: whole objects, parts of them, and an object onto itself.

use reqwest::Method;

use crate::bed::{Ask, Bed};

const PART: usize = 100 * 1024;

fn ask_copy<'a>(bed: &'a Bed, key: &str, source: &str) -> Ask<'a> {
    bed.ask(Method::PUT, key).header("x-oss-copy-source", source)
}

#[tokio::test]
async fn a_copy_has_the_content_and_metadata_of_its_source() {
    let bed = Bed::start().await;
    let ask = bed.ask(Method::PUT, "目录/a b+c").header("x-oss-meta-a", "1").header("x-oss-tagging", "t=1");
    let put = ask.header("content-type", "text/plain").header("x-oss-server-side-encryption", "AES256");
    let put = put.body("123456789").send().await;
    let got = ask_copy(&bed, "copy", "/test-bucket/%E7%9B%AE%E5%BD%95%2Fa+b%2Bc").send().await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(
        (got.header("etag"), got.element("ETag").replace("&quot;", "\"")),
        (put.header("etag"), put.header("etag"))
    );
    assert_eq!(got.header("x-oss-hash-crc64ecma"), "11051210869376104954");
    assert!(got.element("LastModified").ends_with(".000Z"), "{}", got.text());
    let head = bed.ask(Method::HEAD, "copy").send().await;
    for (name, value) in [("x-oss-meta-a", "1"), ("content-type", "text/plain"), ("x-oss-tagging-count", "1")] {
        assert_eq!(head.header(name), value);
    }
    assert!(!head.headers.contains_key("x-oss-server-side-encryption"), "encryption is copied");
    assert_eq!(bed.get("copy").await.as_deref(), Some(&b"123456789"[..]));
}

#[tokio::test]
async fn metadata_and_tags_are_replaced_when_the_directives_say_so() {
    let bed = Bed::start().await;
    bed.ask(Method::PUT, "k").header("x-oss-meta-a", "1").header("x-oss-tagging", "t=1").body("x").send().await;
    let ask = ask_copy(&bed, "copy", "/test-bucket/k").header("x-oss-metadata-directive", "REPLACE");
    ask.header("x-oss-tagging-directive", "Replace").header("x-oss-meta-b", "2").send().await;
    let head = bed.ask(Method::HEAD, "copy").send().await;
    assert_eq!(head.header("x-oss-meta-b"), "2");
    assert!(!head.headers.contains_key("x-oss-meta-a") && !head.headers.contains_key("x-oss-tagging-count"));
    let odd = ask_copy(&bed, "copy", "/test-bucket/k").header("x-oss-metadata-directive", "MOVE");
    odd.send().await.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn a_copy_onto_itself_changes_the_metadata_and_survives_a_restart() {
    let bed = Bed::start().await;
    bed.ask(Method::PUT, "k").header("x-oss-meta-a", "1").body("content").send().await;
    assert_eq!(ask_copy(&bed, "k", "/test-bucket/k").header("x-oss-meta-b", "2").send().await.status, 200);
    let forbidden = ask_copy(&bed, "k", "/test-bucket/k").header("x-oss-forbid-overwrite", "true");
    forbidden.header("x-oss-meta-b", "3").send().await.refused(409, "FileAlreadyExists");
    let bed = bed.restart().await;
    let got = bed.ask(Method::GET, "k").send().await;
    assert_eq!((got.header("x-oss-meta-b").as_str(), got.text().as_str()), ("2", "content"));
    assert!(!got.headers.contains_key("x-oss-meta-a"));
}

#[tokio::test]
async fn a_source_that_is_not_there_or_does_not_meet_the_conditions_is_not_copied() {
    let bed = Bed::start().await;
    let etag = bed.put("k", "x").await.header("etag");
    ask_copy(&bed, "copy", "/test-bucket/none").send().await.refused(404, "NoSuchKey");
    ask_copy(&bed, "copy", "/other-bucket/k").send().await.refused(404, "NoSuchBucket");
    ask_copy(&bed, "copy", "k").send().await.refused(400, "InvalidArgument");
    let with = |name: &str, value: &str| ask_copy(&bed, "copy", "/test-bucket/k").header(name, value);
    with("x-oss-copy-source-if-match", "\"0\"").send().await.refused(412, "PreconditionFailed");
    assert_eq!(with("x-oss-copy-source-if-none-match", &etag).send().await.status, 304);
    assert_eq!(bed.get("copy").await, None);
    assert_eq!(with("x-oss-copy-source-if-match", &etag).send().await.status, 200);
    with("x-oss-forbid-overwrite", "true").send().await.refused(409, "FileAlreadyExists");
}

#[tokio::test]
async fn parts_are_copied_from_an_object_whole_by_range_and_whole_again_when_the_range_is_bad() {
    let bed = Bed::start().await;
    let content: Vec<u8> = (0..2 * PART).map(|n| (n % 251) as u8).collect();
    let put = bed.put("source", content.clone()).await;
    let upload = bed.initiate("k").await;
    let part = |number: u32, range: &str| {
        let ask = bed.ask(Method::PUT, "k").query("partNumber", &number.to_string()).query("uploadId", &upload);
        ask.header("x-oss-copy-source", "/test-bucket/source").header("x-oss-copy-source-range", range)
    };
    let one = part(1, "bytes=0-102399").send().await;
    let two = part(2, "bytes=999999-9999999").send().await;
    assert!(one.text().contains("<CopyPartResult>") && one.text().contains("<LastModified>"), "{}", one.text());
    assert_eq!(
        (two.header("etag"), two.header("x-oss-hash-crc64ecma")),
        (put.header("etag"), put.header("x-oss-hash-crc64ecma"))
    );
    let parts = [(1, one.header("etag")), (2, two.header("etag"))];
    let parts: Vec<(u32, &str)> = parts.iter().map(|(number, etag)| (*number, etag.as_str())).collect();
    assert_eq!(bed.ask_complete("k", &upload, &parts).send().await.status, 200);
    assert_eq!(bed.get("k").await, Some([&content[..PART], &content].concat()));
    part(0, "bytes=0-1").send().await.refused(400, "InvalidArgument");
    part(1, "bytes=0-1").send().await.refused(404, "NoSuchUpload");
}
