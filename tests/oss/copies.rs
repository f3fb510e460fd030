//! Copies inside the server: whole, in stretches, onto itself; a callback is sent again without sending the file again.

use waybill_oss::{
    BucketName, CallbackOutcome, Client, CopySource, Error, MetadataDirective, ObjectHeaders, StorageClass,
};
use waybill_tests::content;

use crate::lab::{Lab, PART, VERSIONS, crc64, get, key, map, put, refused, slice};

/// All that must be escaped in the header that names the source.
const ODD: &str = "odd +%25?&=/../中\u{1}.txt";

fn source(name: &str) -> CopySource {
    CopySource {
        bucket: BucketName::parse("bucket").expect("a bucket"),
        key: key(name),
        version_id: None,
        if_match: None,
    }
}

fn described() -> ObjectHeaders {
    ObjectHeaders {
        content_type: Some("text/plain".into()),
        metadata: map(&[("by", "ann")]),
        tags: map(&[("t", "1")]),
        ..ObjectHeaders::default()
    }
}

async fn put_described(client: &Client, name: &str, bytes: &[u8]) {
    client.put_object(&key(name), &slice(bytes), &described(), None, None).await.expect("stored");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_keeps_or_replaces_what_describes_it_as_told() {
    let lab = Lab::new().await;
    let bytes = content(30_000);
    for version in VERSIONS {
        let client = lab.client(version);
        put_described(&client, ODD, &bytes).await;
        let head = async |name: &str| client.head_object(&key(name)).await.expect("an answer").expect("the object");

        let placed = ObjectHeaders { storage_class: Some(StorageClass::Archive), ..ObjectHeaders::default() };
        let copy =
            client.copy_object(&key("kept"), &source(ODD), MetadataDirective::Copy, &placed).await.expect("a copy");
        assert_eq!((copy.crc64, copy.etag), (Some(crc64(&bytes)), head(ODD).await.etag));
        let kept = head("kept").await;
        assert_eq!((kept.metadata, kept.content_type), (map(&[("by", "ann")]), Some("text/plain".into())));
        assert_eq!((kept.tag_count, kept.storage_class.as_deref()), (Some(1), Some("Archive")));
        assert!(lab.object("kept").as_ref() == Some(&bytes));

        let other = ObjectHeaders {
            content_type: Some("image/png".into()),
            tags: map(&[("a", "1"), ("b", "2")]),
            ..ObjectHeaders::default()
        };
        for name in ["replaced", ODD] {
            client.copy_object(&key(name), &source(ODD), MetadataDirective::Replace, &other).await.expect("a copy");
            let replaced = head(name).await;
            assert_eq!((replaced.metadata, replaced.content_type), (map(&[]), Some("image/png".into())));
            assert_eq!(replaced.tag_count, Some(2));
            assert!(get(&client, name).await == bytes);
        }
        let error = client.copy_object(&key("x"), &source(ODD), MetadataDirective::Copy, &other).await;
        assert!(matches!(error, Err(Error::Invalid(_))), "{error:?}");
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_not_made_of_another_object_or_over_one() {
    let lab = Lab::new().await;
    for version in VERSIONS {
        let client = lab.client(version);
        let etag = put(&client, "a", b"a").await.expect("stored").etag;
        put(&client, "b", b"b").await.expect("stored");
        let copy = async |source: &CopySource, headers: &ObjectHeaders| {
            let copied = client.copy_object(&key("b"), source, MetadataDirective::Copy, headers).await;
            copied.map_err(|error| error.service_code().unwrap_or_default().to_owned()).map(drop)
        };
        let plain = ObjectHeaders::default();
        let careful = ObjectHeaders { forbid_overwrite: true, ..ObjectHeaders::default() };
        let stale = CopySource { if_match: Some("0".repeat(32)), ..source("a") };
        let elsewhere = CopySource { bucket: BucketName::parse("other").expect("a bucket"), ..source("a") };
        assert_eq!(copy(&source("a"), &careful).await, Err("FileAlreadyExists".into()));
        assert_eq!(copy(&stale, &plain).await, Err("PreconditionFailed".into()));
        assert_eq!(copy(&source("missing"), &plain).await, Err("NoSuchKey".into()));
        assert_eq!(copy(&elsewhere, &plain).await, Err("NoSuchBucket".into()));
        assert_eq!(lab.object("b"), Some(b"b".to_vec()));
        copy(&CopySource { if_match: Some(etag), ..source("a") }, &plain).await.expect("the right one");
        assert_eq!(lab.object("b"), Some(b"a".to_vec()));
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stretches_of_objects_become_parts() {
    let lab = Lab::new().await;
    let bytes = content(3 * PART);
    for version in VERSIONS {
        let (client, name) = (lab.client(version), key("made of stretches"));
        put(&client, ODD, &bytes).await.expect("stored");
        let id = client.initiate_multipart(&name, &ObjectHeaders::default()).await.expect("an id");
        let mut parts = Vec::new();
        for (number, range) in [(1, PART..2 * PART), (2, 0..PART + 1), (3, 7..8)] {
            let asked = Some(range.start as u64..range.end as u64);
            let copied = client.upload_part_copy(&name, &id, number, &source(ODD), asked, Some(819_200)).await;
            let part = copied.expect("a part");
            assert_eq!((part.number, part.crc64), (number, Some(crc64(&bytes[range]))));
            parts.push((number, part.etag));
        }
        let whole = client.upload_part_copy(&name, &id, 9, &source(ODD), None, None).await.expect("a part");
        assert_eq!(whole.crc64, Some(crc64(&bytes)));
        client.complete_multipart(&name, &id, &parts, &ObjectHeaders::default(), None).await.expect("stored");
        let expected = [&bytes[PART..2 * PART], &bytes[..PART + 1], &bytes[7..8]].concat();
        assert!(lab.object("made of stretches") == Some(expected));
    }
    lab.sandbox.stop().await;
}

/// `oss-protocol.md` 5.7: the object is copied onto itself, so that Complete can make the callback once more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_is_sent_again_by_copying_the_object_onto_itself() {
    let lab = Lab::new().await;
    let bytes = content(2 * PART + 9);
    for version in VERSIONS {
        let (client, name) = (lab.client(version), key("again"));
        let stored =
            client.put_object(&name, &slice(&bytes), &described(), Some(&lab.callback("?answer=500")), None).await;
        assert!(matches!(stored.expect("stored").callback, CallbackOutcome::Failed { .. }));

        let head = client.head_object(&name).await.expect("an answer").expect("the object");
        let from = CopySource { if_match: Some(head.etag.clone()), ..source("again") };
        let id = client.initiate_multipart(&name, &head.description()).await.expect("an id");
        let mut parts = Vec::new();
        for (number, range) in [(1, 0..PART as u64), (2, PART as u64..head.size)] {
            let part = client.upload_part_copy(&name, &id, number, &from, Some(range), None).await.expect("a part");
            parts.push((number, part.etag));
        }
        let calls = lab.sandbox.callbacks().len();
        let finished =
            client.complete_multipart(&name, &id, &parts, &head.description(), Some(&lab.callback(""))).await;
        let finished = finished.expect("stored");
        assert!(matches!(finished.callback, CallbackOutcome::Answered { status: 200, .. }), "{finished:?}");
        assert_eq!((finished.crc64, lab.sandbox.callbacks().len()), (head.crc64, calls + 1));
        assert_eq!(lab.last_callback().body, "object=again");
        let now = client.head_object(&name).await.expect("an answer").expect("the object");
        assert_eq!(now.description(), head.description());
        assert!(now.etag.ends_with("-2") && lab.object("again").as_ref() == Some(&bytes), "{now:?}");

        // Somebody else has stored another object there meanwhile.
        put(&client, "again", b"other").await.expect("stored");
        let id = client.initiate_multipart(&name, &head.description()).await.expect("an id");
        let answer = refused(client.upload_part_copy(&name, &id, 1, &from, None, None).await);
        assert_eq!((answer.status, answer.code.as_str()), (412, "PreconditionFailed"));
    }
    lab.sandbox.stop().await;
}
