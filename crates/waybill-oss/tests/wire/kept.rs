//! What an object has besides its bytes: asked for, and read whole or not at all.

use waybill_oss::{Acl, Encryption, Error, RetryPolicy, StorageClass};

use crate::server::{Server, answer, key, refusal};

const XML: (&str, &str) = ("Content-Type", "application/xml");

#[tokio::test]
async fn an_acl_is_asked_for_and_one_that_nobody_knows_is_not_guessed_at() {
    let policy = |grant: &str| {
        let body = format!(
            "<?xml version=\"1.0\" ?><AccessControlPolicy><Owner><ID>1</ID><DisplayName>d</DisplayName></Owner>\
             <AccessControlList><Grant>{grant}</Grant></AccessControlList></AccessControlPolicy>"
        );
        answer(200, &[XML], &body)
    };
    let server = Server::start(vec![policy("private"), policy("default"), policy("friends")]).await;
    let client = server.client();
    assert_eq!(client.get_object_acl(&key("k")).await.expect("an ACL"), Acl::Private);
    assert_eq!(client.get_object_acl(&key("k")).await.expect("an ACL"), Acl::Default);
    let odd = client.with_retry(RetryPolicy::none()).get_object_acl(&key("k")).await;
    assert!(matches!(odd, Err(Error::Unreadable { .. })), "{odd:?}");
    assert_eq!((server.seen()[0].method.as_str(), server.seen()[0].target.as_str()), ("GET", "/examplebucket/k?acl"));
}

#[tokio::test]
async fn tags_are_read_whole_and_a_refusal_is_no_empty_set() {
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b c</Key><Value></Value></Tag>\
                </TagSet></Tagging>";
    let none = "<Tagging><TagSet></TagSet></Tagging>";
    let replies =
        vec![answer(200, &[XML], tags), answer(200, &[XML], none), refusal(403, "AccessDenied", "0003-00000001")];
    let server = Server::start(replies).await;
    let client = server.client();
    let read = client.get_object_tags(&key("k")).await.expect("tags");
    assert_eq!(read, [("a".to_owned(), "1".to_owned()), ("b c".to_owned(), String::new())].into());
    assert!(client.get_object_tags(&key("k")).await.expect("no tags").is_empty());
    let refused = client.get_object_tags(&key("k")).await.expect_err("refused");
    assert_eq!(refused.service_code(), Some("AccessDenied"));
    assert_eq!(server.seen()[0].target, "/examplebucket/k?tagging");
}

#[tokio::test]
async fn what_an_object_is_kept_as_is_said_again_and_what_is_new_to_us_is_refused() {
    let head = |pairs: &[(&str, &str)]| {
        let always =
            [("ETag", "\"5B3C\""), ("Content-Length", "0"), ("Content-Type", "video/mp4"), ("x-oss-meta-a", "1")];
        answer(200, &[&always[..], pairs].concat(), "")
    };
    let server = Server::start(vec![
        head(&[
            ("x-oss-storage-class", "ColdArchive"),
            ("x-oss-server-side-encryption", "KMS"),
            ("x-oss-server-side-encryption-key-id", "9468da86"),
        ]),
        head(&[("x-oss-storage-class", "Standard"), ("x-oss-server-side-encryption", "SM4")]),
        head(&[("x-oss-storage-class", "Frozen")]),
        head(&[("x-oss-server-side-encryption", "ROT13")]),
    ])
    .await;
    let client = server.client();
    let mut kept = Vec::new();
    for _ in 0..4 {
        kept.push(client.head_object(&key("k")).await.expect("answered").expect("there").kept());
    }
    let first = kept[0].as_ref().expect("known");
    assert_eq!(first.storage_class, Some(StorageClass::ColdArchive));
    assert_eq!(first.encryption, Some(Encryption::Kms { key_id: Some("9468da86".into()) }));
    assert_eq!((first.content_type.as_deref(), first.metadata["a"].as_str()), (Some("video/mp4"), "1"));
    assert_eq!(kept[1].as_ref().expect("known").encryption, Some(Encryption::Sm4));
    assert!(matches!(kept[2], Err(Error::Invalid(_))) && matches!(kept[3], Err(Error::Invalid(_))));
}
