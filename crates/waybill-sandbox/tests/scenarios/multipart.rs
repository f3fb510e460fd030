//! Multipart uploads: the rules of parts, lists and completion.

use reqwest::Method;

use crate::bed::{Bed, Got};

const PART: usize = 100 * 1024;

#[tokio::test]
async fn a_completed_upload_is_one_object_with_the_etag_and_crc_of_the_vector() {
    let bed = Bed::start().await;
    let ask = bed.ask(Method::POST, "dir/k").query("uploads", "").header("content-type", "video/mp4");
    let upload = ask.send().await.element("UploadId");
    let c = bed.part("dir/k", &upload, 9, vec![b'c'; 1]).await;
    let a = bed.part("dir/k", &upload, 1, vec![b'a'; PART]).await;
    let b = bed.part("dir/k", &upload, 5, vec![b'b'; PART]).await;
    let got = bed.ask_complete("dir/k", &upload, &[(1, &a), (5, &b), (9, c.trim_matches('"'))]).send().await;
    assert_eq!(got.status, 200, "{}", got.text());
    let etag = "\"B88CE47A89760AA8FCF394D8A39D1D71-3\"";
    assert_eq!(got.element("ETag"), etag.replace('"', "&quot;"));
    assert!(got.text().contains("<CompleteMultipartUploadResult>"), "a namespace in {}", got.text());
    assert_eq!(got.element("Location"), format!("{}/test-bucket/dir/k", bed.sandbox.info().endpoint));
    assert_eq!(
        (got.header("etag").as_str(), got.header("x-oss-hash-crc64ecma").as_str()),
        (etag, "10255218864465804494")
    );
    let head = bed.ask(Method::HEAD, "dir/k").send().await;
    assert_eq!(
        (head.header("x-oss-object-type").as_str(), head.header("content-type").as_str()),
        ("Multipart", "video/mp4")
    );
    assert_eq!(
        (head.header("etag").as_str(), head.header("x-oss-hash-crc64ecma").as_str()),
        (etag, "10255218864465804494")
    );
    let body = bed.get("dir/k").await.expect("is there");
    assert_eq!(body, [vec![b'a'; PART], vec![b'b'; PART], vec![b'c']].concat());
    assert_eq!((bed.files("uploads"), bed.files("tmp")), (0, 0));
}

#[tokio::test]
async fn completing_twice_is_no_such_upload_and_the_object_stays() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    let etag = bed.part("k", &upload, 1, vec![1; 10]).await;
    assert_eq!(bed.ask_complete("k", &upload, &[(1, &etag)]).send().await.status, 200);
    let no_such = |got: Got, ec: &str| {
        got.refused(404, "NoSuchUpload");
        assert_eq!(got.element("EC"), ec);
    };
    no_such(bed.ask_complete("k", &upload, &[(1, &etag)]).send().await, "0042-00000203");
    no_such(bed.ask_list("k", &upload).send().await, "0042-00000203");
    no_such(bed.ask_part("k", &upload, 1, vec![1]).send().await, "0042-00000104");
    no_such(bed.ask(Method::DELETE, "k").query("uploadId", &upload).send().await, "0042-00000002");
    assert_eq!(bed.get("k").await, Some(vec![1; 10]));
}

#[tokio::test]
async fn part_below_100_kb_in_the_middle_is_entity_too_small() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    let one = bed.part("k", &upload, 1, vec![1; PART - 1]).await;
    let two = bed.part("k", &upload, 2, vec![2; 1]).await;
    bed.ask_complete("k", &upload, &[(1, &one), (2, &two)]).send().await.refused(400, "EntityTooSmall");
    let one = bed.part("k", &upload, 1, vec![1; PART]).await;
    assert_eq!(bed.ask_complete("k", &upload, &[(1, &one), (2, &two)]).send().await.status, 200);
}

#[tokio::test]
async fn a_wrong_list_leaves_the_upload_open() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    let one = bed.part("k", &upload, 1, vec![1; PART]).await;
    let two = bed.part("k", &upload, 2, vec![2; PART]).await;
    bed.ask_complete("k", &upload, &[(2, &two), (1, &one)]).send().await.refused(400, "InvalidPartOrder");
    bed.ask_complete("k", &upload, &[(1, &two)]).send().await.refused(400, "InvalidPart");
    bed.ask_complete("k", &upload, &[(1, &one), (3, &two)]).send().await.refused(400, "InvalidPart");
    bed.ask_complete("k", &upload, &[]).send().await.refused(400, "MalformedXML");
    bed.ask_complete("k", &upload, &[]).body("<Compl").send().await.refused(400, "MalformedXML");
    assert_eq!(bed.get("k").await, None);
    assert_eq!(bed.ask_complete("k", &upload, &[(1, &one), (2, &two)]).send().await.status, 200);
}

#[tokio::test]
async fn an_upload_id_of_another_key_and_a_part_number_out_of_range_are_refused() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    bed.ask_part("other", &upload, 1, vec![1]).send().await.refused(404, "NoSuchUpload");
    bed.ask_part("k", &upload, 0, vec![1]).send().await.refused(400, "InvalidArgument");
    bed.ask_part("k", &upload, 10_001, vec![1]).send().await.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn parts_are_listed_by_pages_with_their_crc() {
    let bed = Bed::start().await;
    let key = "大文件/a b.mp4";
    let upload = bed.initiate(key).await;
    for number in [3, 1, 2] {
        bed.part(key, &upload, number, b"123456789".to_vec()).await;
    }
    bed.part(key, &upload, 2, b"replaced".to_vec()).await;
    let first = bed.ask_list(key, &upload).query("max-parts", "2").query("encoding-type", "url").send().await;
    assert_eq!((first.status, first.text().matches("<Part>").count()), (200, 2), "{}", first.text());
    assert_eq!(first.element("Key"), "%E5%A4%A7%E6%96%87%E4%BB%B6%2Fa%20b.mp4");
    assert_eq!((first.element("IsTruncated").as_str(), first.element("NextPartNumberMarker").as_str()), ("true", "2"));
    assert_eq!(first.element("HashCrc64ecma"), "11051210869376104954");
    assert!(first.text().contains("<Size>8</Size>") && !first.text().contains("xmlns"), "{}", first.text());
    let rest = bed.ask_list(key, &upload).query("part-number-marker", "2").send().await;
    assert_eq!((rest.element("IsTruncated").as_str(), rest.element("PartNumber").as_str()), ("false", "3"));
    assert_eq!(rest.element("Key"), key);
    bed.ask_list(key, &upload).query("max-parts", "0").send().await.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn an_aborted_upload_leaves_no_part() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    bed.part("k", &upload, 1, vec![1; 10]).await;
    assert_eq!(bed.ask(Method::DELETE, "k").query("uploadId", &upload).send().await.status, 204);
    bed.ask_list("k", &upload).send().await.refused(404, "NoSuchUpload");
    assert_eq!(bed.files("uploads"), 0);
}

#[tokio::test]
async fn complete_all_takes_every_part_and_refuses_a_list_besides() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    bed.part("k", &upload, 2, vec![2; 1]).await;
    let one = bed.part("k", &upload, 1, vec![1; PART]).await;
    let both = bed.ask_complete("k", &upload, &[(1, &one)]).header("x-oss-complete-all", "yes").send().await;
    both.refused(400, "InvalidArgument");
    assert_eq!(both.element("EC"), "0042-00000216");
    let ask = bed.ask_complete("k", &upload, &[]).body("").header("x-oss-complete-all", "yes");
    assert_eq!(ask.send().await.status, 200);
    assert_eq!(bed.get("k").await.map(|body| body.len()), Some(PART + 1));
}
