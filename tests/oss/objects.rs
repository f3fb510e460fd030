//! Whole objects: what is said about them comes back, stretches are the right ones, nothing is overwritten against one's will.

use waybill_oss::{Acl, Client, Encryption, Error, GetOptions, ObjectHeaders, ResponseHeaders, StorageClass};
use waybill_sandbox::{Fault, FaultKind, Operation};
use waybill_tests::content;

use crate::lab::{HOUR, Lab, VERSIONS, crc64, element, get, key, map, put, refused, right, slice, values};
use crate::wire::Tap;

/// Everything that can be said about an object.
pub(crate) fn everything() -> ObjectHeaders {
    ObjectHeaders {
        content_type: Some("text/plain; charset=utf-8".into()),
        cache_control: Some("max-age=3600".into()),
        content_disposition: Some("attachment; filename=\"a b.txt\"".into()),
        content_encoding: Some("gzip".into()),
        expires: Some("Wed, 21 Oct 2030 07:28:00 GMT".into()),
        metadata: map(&[("Author", "Ann  B"), ("x-oss-meta-place", "杭州"), ("empty", "")]),
        acl: Some(Acl::PublicRead),
        storage_class: Some(StorageClass::InfrequentAccess),
        encryption: Some(Encryption::Kms { key_id: Some("key-1".into()) }),
        tags: map(&[("a b", "c+d=e"), ("x/y", "1:2"), ("none", "")]),
        forbid_overwrite: false,
        traffic_limit: Some(8_192_000),
    }
}

/// Sees that an object is as [`everything`] says, also where only a bare HTTP client looks.
pub(crate) async fn expect_everything(lab: &Lab, client: &Client, name: &str) {
    let head = client.head_object(&key(name)).await.expect("an answer").expect("the object");
    let described = ObjectHeaders {
        metadata: map(&[("author", "Ann  B"), ("place", "杭州"), ("empty", "")]),
        acl: None,
        storage_class: None,
        encryption: None,
        tags: map(&[]),
        traffic_limit: None,
        ..everything()
    };
    assert_eq!(head.description(), described);
    assert_eq!((head.storage_class.as_deref(), head.encryption.as_deref()), (Some("IA"), Some("KMS")));
    assert_eq!(head.tag_count, Some(3));

    let url = client.presign_get(&key(name), &ResponseHeaders::default(), HOUR).await.expect("a URL").url;
    let answer = lab.anybody.get(url).send().await.expect("an answer");
    assert_eq!(answer.headers()["x-oss-server-side-encryption-key-id"], "key-1");
    let ask = async |what: &str| {
        let query = vec![(what.to_owned(), String::new())];
        let url = client.presign(&reqwest::Method::GET, Some(&key(name)), query, &[], HOUR).await.expect("a URL");
        lab.anybody.get(url).send().await.expect("an answer").text().await.expect("XML")
    };
    assert_eq!(element(&ask("acl").await, "Grant"), "public-read");
    let tags = ask("tagging").await;
    for (name, value) in everything().tags {
        let tag = tags.split("<Tag>").find(|tag| tag.contains(&format!("<Key>{name}</Key>"))).expect(&name);
        assert!(value.is_empty() || element(tag, "Value") == value, "{tags}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_said_about_an_object_is_stored_with_it() {
    let lab = Lab::new().await;
    for version in VERSIONS {
        let (client, bytes) = (lab.client(version), content(70_000));
        let stored =
            client.put_object(&key("all.txt"), &slice(&bytes), &everything(), None, None).await.expect("stored");
        assert_eq!(stored.crc64, Some(crc64(&bytes)));
        assert!(lab.object("all.txt") == Some(bytes));
        expect_everything(&lab, &client, "all.txt").await;
        client.delete_object(&key("all.txt"), None).await.expect("deleted");
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stretch_is_the_one_that_was_asked_for_and_one_outside_is_refused() {
    let lab = Lab::new().await;
    let bytes = content(50_000);
    for version in VERSIONS {
        let client = lab.client(version);
        put(&client, "object", &bytes).await.expect("stored");
        for range in [0..1, 0..50_000, 12_345..23_456, 49_999..50_000] {
            let options = GetOptions { range: Some(range.clone()), ..GetOptions::default() };
            let download = client.get_object(&key("object"), &options).await.expect("a download");
            assert_eq!((download.head.size, download.len), (50_000, range.end - range.start));
            let stretch = &bytes[range.start as usize..range.end as usize];
            assert_eq!(download.verify().await.expect("it comes whole"), crc64(stretch), "{range:?}");
        }
        let outside = GetOptions { range: Some(50_000..50_001), ..GetOptions::default() };
        let answer = refused(client.get_object(&key("object"), &outside).await);
        assert_eq!((answer.status, answer.code.as_str()), (416, "InvalidRange"));
        let reaching_over = GetOptions { range: Some(49_999..50_001), ..GetOptions::default() };
        client.get_object(&key("object"), &reaching_over).await.expect_err("half of what was asked for");
        let other = GetOptions { if_match: Some("0".repeat(32)), ..GetOptions::default() };
        assert_eq!(refused(client.get_object(&key("object"), &other).await).code, "PreconditionFailed");
        let none = client.get_object(&key("missing"), &GetOptions::default()).await;
        assert_eq!(refused(none).code, "NoSuchKey");
        assert_eq!(client.head_object(&key("missing")).await.expect("an answer"), None);
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_bytes_than_the_servers_are_noticed_on_both_ways() {
    let lab = Lab::new().await;
    let client = lab.client(VERSIONS[0]);
    let stored = put(&client, "object", b"content").await.expect("stored");
    let verify = async || client.get_object(&key("object"), &GetOptions::default()).await?.verify().await;
    assert_eq!(verify().await.expect("the same bytes"), stored.crc64.expect("a CRC-64"));
    for operation in [Operation::GetObject, Operation::PutObject] {
        lab.sandbox.faults().add(Fault::on(operation, FaultKind::CorruptCrc));
    }
    assert!(matches!(verify().await, Err(Error::Integrity { .. })));
    assert!(matches!(put(&client, "object", b"content").await, Err(Error::Integrity { .. })));
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_object_is_gone_and_may_be_deleted_again() {
    let lab = Lab::new().await;
    for version in VERSIONS {
        let client = lab.client(version);
        put(&client, "a", b"1").await.expect("stored");
        for _ in 0..2 {
            client.delete_object(&key("a"), None).await.expect("deleted");
        }
        assert_eq!(client.head_object(&key("a")).await.expect("an answer"), None);
        assert_eq!(lab.object("a"), None);
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_not_be_overwritten_stays() {
    let lab = Lab::new().await;
    let careful = ObjectHeaders { forbid_overwrite: true, ..ObjectHeaders::default() };
    for version in VERSIONS {
        let client = lab.client(version);
        let over = key("over");
        client.put_object(&over, &slice(b"first"), &careful, None, None).await.expect("nothing was there");
        let answer = refused(client.put_object(&over, &slice(b"second"), &careful, None, None).await);
        assert_eq!((answer.status, answer.code.as_str()), (409, "FileAlreadyExists"));
        assert_eq!(refused(client.initiate_multipart(&over, &careful).await).code, "FileAlreadyExists");

        let late = key("late");
        let id = client.initiate_multipart(&late, &careful).await.expect("nothing is there yet");
        let part = client.upload_part(&late, &id, 1, &slice(b"mine"), None, None).await.expect("a part");
        put(&client, "late", b"theirs").await.expect("stored");
        let parts = [(1, part.etag)];
        let answer = refused(client.complete_multipart(&late, &id, &parts, &careful, None).await);
        assert_eq!(answer.code, "FileAlreadyExists");
        assert_eq!((get(&client, "over").await, get(&client, "late").await), (b"first".to_vec(), b"theirs".to_vec()));

        let anyhow = ObjectHeaders::default();
        client.complete_multipart(&late, &id, &parts, &anyhow, None).await.expect("overwritten");
        assert_eq!(lab.object("late"), Some(b"mine".to_vec()));
        for gone in [over, late] {
            client.delete_object(&gone, None).await.expect("deleted");
        }
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_traffic_limit_goes_with_every_request_that_moves_bytes() {
    let lab = Lab::new().await;
    let tap = Tap::start(&lab.sandbox.info().endpoint).await;
    let headers = ObjectHeaders { traffic_limit: Some(819_200), ..ObjectHeaders::default() };
    for version in VERSIONS {
        let client = lab.client_at(&tap.url(""), version, right());
        client.put_object(&key("a"), &slice(b"1"), &headers, None, None).await.expect("stored");
        let id = client.initiate_multipart(&key("b"), &headers).await.expect("an id");
        client.upload_part(&key("b"), &id, 1, &slice(b"1"), Some(838_860_800), None).await.expect("a part");
        let options = GetOptions { traffic_limit: Some(900_000), ..GetOptions::default() };
        client.get_object(&key("a"), &options).await.expect("a download").verify().await.expect("it comes");
        assert_eq!(values(&tap.passed, "x-oss-traffic-limit"), ["819200", "838860800", "900000"]);
        let asked = lab.asked();
        let crawling = ObjectHeaders { traffic_limit: Some(819_199), ..ObjectHeaders::default() };
        let error = client.put_object(&key("a"), &slice(b"1"), &crawling, None, None).await.expect_err("too slow");
        assert!(matches!(error, Error::Invalid(_)) && lab.asked() == asked, "{error:?}");
        tap.passed.forget();
    }
    lab.sandbox.stop().await;
}
