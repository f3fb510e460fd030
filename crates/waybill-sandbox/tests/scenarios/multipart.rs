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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_completions_at_once_one_is_done_and_the_other_finds_no_upload() {
    let bed = Bed::start().await;
    for _ in 0..8 {
        let upload = bed.initiate("k").await;
        let etag = bed.part("k", &upload, 1, vec![1; 4 * 1024 * 1024]).await;
        let complete = || bed.ask_complete("k", &upload, &[(1, &etag)]).send();
        let (one, two) = tokio::join!(complete(), complete());
        let (done, other) = if one.status == 200 { (one, two) } else { (two, one) };
        assert_eq!(done.status, 200, "{}", done.text());
        other.refused(404, "NoSuchUpload");
    }
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
    let from_the_first = bed.ask_list(key, &upload).query("part-number-marker", "").send().await;
    assert_eq!(from_the_first.text().matches("<Part>").count(), 3, "{}", from_the_first.text());
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
    let other = bed.ask_complete("k", &upload, &[]).body("").header("x-oss-complete-all", "true").send().await;
    other.refused(400, "InvalidArgument");
    assert_eq!(other.element("ArgumentName"), "x-oss-complete-all");
    let ask = bed.ask_complete("k", &upload, &[]).body("").header("x-oss-complete-all", "yes");
    assert_eq!(ask.send().await.status, 200);
    assert_eq!(bed.get("k").await.map(|body| body.len()), Some(PART + 1));
}

#[tokio::test]
async fn a_wrong_digest_of_a_part_or_a_list_is_invalid_digest_and_changes_nothing() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    let wrong = "1B2M2Y8AsgTpgAmY7PhCfg==";
    bed.ask_part("k", &upload, 1, vec![1]).header("content-md5", wrong).send().await.refused(400, "InvalidDigest");
    let etag = bed.part("k", &upload, 1, vec![1]).await;
    let complete = |md5: &str| bed.ask_complete("k", &upload, &[(1, &etag)]).header("content-md5", md5);
    complete(wrong).send().await.refused(400, "InvalidDigest");
    complete("none").send().await.refused(400, "InvalidDigest");
    assert_eq!(bed.get("k").await, None);
    assert_eq!(bed.ask_complete("k", &upload, &[(1, &etag)]).send().await.status, 200);
}

#[tokio::test]
async fn a_taken_key_stops_initiate_and_complete_when_overwriting_is_forbidden() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    let etag = bed.part("k", &upload, 1, vec![1]).await;
    bed.put("k", "first").await;
    let initiate = bed.ask(Method::POST, "k").query("uploads", "").header("x-oss-forbid-overwrite", "true");
    initiate.send().await.refused(409, "FileAlreadyExists");
    let complete = bed.ask_complete("k", &upload, &[(1, &etag)]).header("x-oss-forbid-overwrite", "true");
    complete.send().await.refused(409, "FileAlreadyExists");
    assert_eq!(bed.get("k").await.as_deref(), Some(&b"first"[..]));
    assert_eq!(bed.ask_list("k", &upload).send().await.status, 200, "the upload stays open");
}

#[tokio::test]
async fn what_initiate_was_told_and_the_acl_of_complete_are_the_objects() {
    let bed = Bed::start().await;
    let initiate = bed.ask(Method::POST, "k").query("uploads", "").header("x-oss-meta-a", "1");
    let initiate = initiate.header("x-oss-tagging", "t=1").header("x-oss-server-side-encryption", "KMS").send().await;
    assert_eq!(initiate.header("x-oss-server-side-encryption"), "KMS");
    let upload = initiate.element("UploadId");
    let bed = bed.restart().await;
    let etag = bed.part("k", &upload, 1, vec![1]).await;
    let complete = bed.ask_complete("k", &upload, &[(1, &etag)]).header("x-oss-object-acl", "private");
    assert_eq!(complete.send().await.header("x-oss-server-side-encryption"), "KMS");
    let head = bed.ask(Method::HEAD, "k").send().await;
    assert_eq!((head.header("x-oss-meta-a").as_str(), head.header("x-oss-tagging-count").as_str()), ("1", "1"));
    assert_eq!(bed.ask(Method::GET, "k").query("acl", "").send().await.element("Grant"), "private");
}

#[tokio::test]
async fn open_uploads_are_listed_by_key_and_id_in_pages() {
    let bed = Bed::start().await;
    let mut ids = Vec::new();
    for key in ["a/1", "a/2", "b", "b", "c 中"] {
        ids.push((key, bed.initiate(key).await));
    }
    ids.sort();
    let (mut seen, mut key_marker, mut id_marker) = (Vec::new(), String::new(), String::new());
    loop {
        let ask = bed.ask_bucket(Method::GET).query("uploads", "").query("max-uploads", "2");
        let page = ask.query("key-marker", &key_marker).query("upload-id-marker", &id_marker).send().await;
        assert!(page.status == 200 && !page.text().contains("xmlns"), "{}", page.text());
        seen.extend(page.elements("Key").into_iter().zip(page.elements("UploadId")));
        (key_marker, id_marker) = (page.element("NextKeyMarker"), page.element("NextUploadIdMarker"));
        if page.element("IsTruncated") == "false" {
            break;
        }
    }
    assert_eq!(seen, ids.iter().map(|(key, id)| ((*key).to_owned(), id.clone())).collect::<Vec<_>>());
    let ask = bed.ask_bucket(Method::GET).query("uploads", "").query("delimiter", "/").query("encoding-type", "url");
    let folded = ask.send().await;
    assert_eq!((folded.elements("Prefix").concat().as_str(), folded.elements("Key").len()), ("a%2F", 3));
    assert_eq!(folded.elements("Key")[2], "c%20%E4%B8%AD");
    let only = bed.ask_bucket(Method::GET).query("uploads", "").query("prefix", "b").send().await;
    assert_eq!(only.elements("Key"), ["b", "b"]);
    let none = bed.ask_bucket(Method::GET).query("uploads", "").query("prefix", "z").send().await;
    assert_eq!((none.elements("UploadId").len(), none.element("NextKeyMarker").as_str()), (0, ""));
    bed.ask_bucket(Method::GET)
        .query("uploads", "")
        .query("max-uploads", "1001")
        .send()
        .await
        .refused(400, "InvalidArgument");
}
