//! Copies inside OSS, deletion, and the facts of an object.

use waybill_oss::{Acl, BucketName, CopySource, Error, MetadataDirective, ObjectHeaders, RetryPolicy, StorageClass};

use crate::server::{Reply, Server, answer, key, plain, refusal};

const XML: (&str, &str) = ("Content-Type", "application/xml");

fn source() -> CopySource {
    CopySource {
        bucket: BucketName::parse("other").expect("bucket"),
        key: key("src dir/文+1"),
        version_id: Some("v/1".to_owned()),
        if_match: Some("5B3C".to_owned()),
    }
}

fn copied_part() -> Reply {
    answer(
        200,
        &[XML],
        "<CopyPartResult><LastModified>2014-07-17T06:27:54.000Z</LastModified><ETag>\"E3\"</ETag></CopyPartResult>",
    )
}

#[tokio::test]
async fn a_part_is_copied_from_a_stretch_of_another_object() {
    let server = Server::start(vec![copied_part(), copied_part()]).await;
    let client = server.client();
    let part = client.upload_part_copy(&key("k"), "U", 3, &source(), Some(0..104_857_600), Some(819_200)).await;
    let part = part.expect("copied");
    assert_eq!((part.number, part.etag.as_str(), part.request_id.as_str()), (3, "E3", "65A1B2"));
    let whole = CopySource { version_id: None, if_match: None, ..source() };
    client.upload_part_copy(&key("k"), "U", 1, &whole, None, None).await.expect("copied");
    let seen = server.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("PUT", "/examplebucket/k?partNumber=3&uploadId=U"));
    assert_eq!(seen[0].header("x-oss-copy-source"), "/other/src%20dir/%E6%96%87%2B1?versionId=v%2F1");
    assert_eq!(seen[0].header("x-oss-copy-source-range"), "bytes=0-104857599");
    assert_eq!(seen[0].header("x-oss-copy-source-if-match"), "\"5B3C\"");
    assert_eq!((seen[0].header("x-oss-traffic-limit"), seen[0].header("content-length")), ("819200", "0"));
    assert_eq!(seen[1].header("x-oss-copy-source"), "/other/src%20dir/%E6%96%87%2B1");
    for absent in ["x-oss-copy-source-range", "x-oss-copy-source-if-match", "x-oss-traffic-limit"] {
        assert_eq!(seen[1].header(absent), "", "{absent}");
    }
}

#[tokio::test]
async fn a_copy_that_cannot_be_right_is_refused_before_sending() {
    let server = Server::start(vec![]).await;
    let client = server.client();
    for (number, range) in [(0, None), (10_001, None), (1, Some(5..5))] {
        let copied = client.upload_part_copy(&key("k"), "U", number, &source(), range, None).await;
        assert!(matches!(copied, Err(Error::Invalid(_))), "{copied:?}");
    }
    let typed = ObjectHeaders::of_type(Some("text/plain"));
    let kept = client.copy_object(&key("k"), &source(), MetadataDirective::Copy, &typed).await;
    assert!(matches!(kept, Err(Error::Invalid(_))));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_source_that_has_changed_is_not_copied() {
    let server = Server::start(vec![refusal(412, "PreconditionFailed", "0016-00000606")]).await;
    let error = server.client().upload_part_copy(&key("k"), "U", 1, &source(), None, None).await.expect_err("changed");
    assert_eq!((error.service_code(), server.seen().len()), (Some("PreconditionFailed"), 1));
}

#[tokio::test]
async fn an_object_is_copied_with_another_description() {
    let body =
        "<CopyObjectResult><ETag>\"C4\"</ETag><LastModified>2019-04-09T03:45:32.000Z</LastModified></CopyObjectResult>";
    let replies = || answer(200, &[XML, ("x-oss-hash-crc64ecma", "7"), ("x-oss-version-id", "v2")], body);
    let server = Server::start(vec![replies(), replies()]).await;
    let headers = ObjectHeaders {
        metadata: [("a".to_owned(), "文".to_owned())].into(),
        acl: Some(Acl::Private),
        storage_class: Some(StorageClass::Archive),
        tags: [("k".to_owned(), "v".to_owned())].into(),
        forbid_overwrite: true,
        ..ObjectHeaders::of_type(Some("text/plain"))
    };
    let copy =
        server.client().copy_object(&key("k"), &source(), MetadataDirective::Replace, &headers).await.expect("copied");
    assert_eq!((copy.etag.as_str(), copy.crc64, copy.version_id.as_deref()), ("C4", Some(7), Some("v2")));
    server.client().copy_object(&key("k"), &source(), MetadataDirective::Copy, &plain()).await.expect("copied");
    let seen = server.seen();
    for (name, value) in [
        ("x-oss-metadata-directive", "REPLACE"),
        ("content-type", "text/plain"),
        ("x-oss-meta-a", "文"),
        ("x-oss-object-acl", "private"),
        ("x-oss-storage-class", "Archive"),
        ("x-oss-tagging", "k=v"),
        ("x-oss-tagging-directive", "Replace"),
        ("x-oss-forbid-overwrite", "true"),
    ] {
        assert_eq!(seen[0].header(name), value, "{name}");
    }
    assert_eq!((seen[1].header("x-oss-metadata-directive"), seen[1].header("x-oss-tagging-directive")), ("COPY", ""));
}

#[tokio::test]
async fn a_lost_copy_is_repeated_unless_it_must_not_overwrite() {
    let body = "<CopyObjectResult><ETag>\"C4\"</ETag></CopyObjectResult>";
    for (forbid_overwrite, requests) in [(false, 2), (true, 1)] {
        let server = Server::start(vec![Reply::Lost, answer(200, &[XML], body)]).await;
        let headers = ObjectHeaders { forbid_overwrite, ..plain() };
        let result = server.client().copy_object(&key("k"), &source(), MetadataDirective::Copy, &headers).await;
        assert_eq!((result.is_ok(), server.seen().len()), (!forbid_overwrite, requests));
    }
}

#[tokio::test]
async fn an_error_inside_a_200_is_not_a_copy() {
    let body = "<Error><Code>InternalError</Code><Message>m</Message></Error>";
    let server = Server::start(vec![answer(200, &[XML], body)]).await;
    let client = server.client().with_retry(RetryPolicy::none());
    let error = client.upload_part_copy(&key("k"), "U", 1, &source(), None, None).await.expect_err("error");
    assert_eq!(error.service_code(), Some("InternalError"));
}

#[tokio::test]
async fn deleting_names_the_version_takes_an_absent_object_and_tells_of_one_that_is_only_hidden() {
    let marker = |version| [("x-oss-delete-marker", "true"), ("x-oss-version-id", version)];
    let headers = [marker("v/1").to_vec(), Vec::new(), marker("null").to_vec(), marker("v/2").to_vec()];
    let server = Server::start(headers.iter().map(|headers| answer(204, headers, "")).collect()).await;
    for (version, hidden) in [(Some("v/1"), false), (None, false), (None, false), (None, true)] {
        let deleted = server.client().delete_object(&key("a b"), version).await.expect("deleted");
        assert_eq!(deleted, hidden, "{version:?}");
    }
    let seen = server.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("DELETE", "/examplebucket/a%20b?versionId=v%2F1"));
    assert_eq!(seen[1].target, "/examplebucket/a%20b");
}

#[tokio::test]
async fn head_reads_all_that_describes_an_object() {
    let headers = [
        ("Content-Length", "5"),
        ("ETag", "\"E\""),
        ("Content-Type", "text/plain"),
        ("Content-Encoding", "gzip"),
        ("Cache-Control", "no-cache"),
        ("x-oss-meta-author", "文件"),
        ("x-oss-object-type", "Multipart"),
        ("x-oss-storage-class", "Archive"),
        ("x-oss-server-side-encryption", "AES256"),
        ("x-oss-version-id", "v1"),
        ("x-oss-tagging-count", "2"),
        ("x-oss-restore", "ongoing-request=\"true\""),
    ];
    let server = Server::start(vec![answer(200, &headers, "")]).await;
    let head = server.client().head_version(&key("k"), Some("v1")).await.expect("head").expect("object");
    assert_eq!(server.seen()[0].target, "/examplebucket/k?versionId=v1");
    assert_eq!((head.object_type.as_deref(), head.storage_class.as_deref()), (Some("Multipart"), Some("Archive")));
    assert_eq!((head.encryption.as_deref(), head.version_id.as_deref()), (Some("AES256"), Some("v1")));
    assert_eq!((head.tag_count, head.restore.as_ref().map(|restore| restore.ongoing)), (Some(2), Some(true)));
    let again = head.description();
    assert_eq!((again.content_encoding.as_deref(), again.metadata["author"].as_str()), (Some("gzip"), "文件"));
}
