//! Multipart uploads by hand: parts in any order, lists over several pages, what the server refuses.

use tokio::task::JoinSet;
use waybill_oss::{Error, ListedPart, ObjectHeaders, combine, multipart_etag};
use waybill_sandbox::{Fault, FaultKind, Operation};
use waybill_tests::content;

use crate::lab::{Lab, PART, VERSIONS, crc64, key, map, refused, slice};
use crate::objects::{everything, expect_everything};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_in_any_order_become_the_object_that_was_described_at_the_start() {
    let lab = Lab::new().await;
    let (name, whole) = (key("parts.bin"), content(2 * PART + 5));
    for version in VERSIONS {
        let (client, file) = (lab.client(version), slice(&whole));
        let id = client.initiate_multipart(&name, &everything()).await.expect("an id");
        let mut receipts = Vec::new();
        for (number, from, len) in [(7, 2 * PART, 5), (1, 0, PART), (3, PART, PART)] {
            let body = waybill_oss::FileSlice { offset: from as u64, len: len as u64, ..file.clone() };
            let receipt = client.upload_part(&name, &id, number, &body, None, None).await.expect("a part");
            assert_eq!((receipt.crc64, receipt.size), (crc64(&whole[from..from + len]), len as u64));
            receipts.push(receipt);
        }
        let mut expected: Vec<ListedPart> = receipts
            .iter()
            .map(|part| ListedPart {
                number: part.number,
                etag: part.etag.clone(),
                size: part.size,
                crc64: Some(part.crc64),
            })
            .collect();
        expected.sort_by_key(|part| part.number);
        assert_eq!(client.list_parts(&name, &id).await.expect("the parts"), expected);

        let parts: Vec<(u32, String)> = receipts.into_iter().map(|part| (part.number, part.etag)).collect();
        let stored = client.complete_multipart(&name, &id, &parts, &everything(), None).await.expect("stored");
        assert_eq!(stored.etag, multipart_etag(expected.iter().map(|part| part.etag.as_str())));
        let sums = expected.iter().map(|part| (part.crc64.expect("a CRC-64"), part.size));
        let combined = sums.reduce(|(one, len), (two, more)| (combine(one, two, more), len + more)).expect("parts").0;
        assert_eq!((stored.crc64, combined), (Some(combined), crc64(&whole)));
        assert!(lab.object("parts.bin").as_ref() == Some(&whole));
        expect_everything(&lab, &client, "parts.bin").await;

        assert_eq!(refused(client.list_parts(&name, &id).await).code, "NoSuchUpload");
        client.abort_multipart(&name, &id).await.expect("what is gone may be aborted");
        assert!(lab.object("parts.bin").is_some(), "and the object stays");
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_and_uploads_are_listed_over_all_pages() {
    let lab = Lab::new().await;
    let (client, name, body) = (lab.client(VERSIONS[0]), key("a+b/ %?\u{1}中"), slice(b"x"));
    let plain = ObjectHeaders::default();
    let id = client.initiate_multipart(&name, &plain).await.expect("an id");
    let numbers: Vec<u32> = (1..=1000).chain([9_999, 10_000]).collect();
    let mut sent = JoinSet::new();
    for batch in numbers.chunks(126).map(<[u32]>::to_vec) {
        let (client, name, body, id) = (client.clone(), name.clone(), body.clone(), id.clone());
        sent.spawn(async move {
            let mut begun = Vec::new();
            for number in batch {
                client.upload_part(&name, &id, number, &body, None, None).await.expect("a part");
                begun.push(client.initiate_multipart(&name, &ObjectHeaders::default()).await.expect("an id"));
            }
            begun
        });
    }
    let mut ids = sent.join_all().await.concat();
    ids.push(id.clone());
    ids.sort();
    let other = client.initiate_multipart(&key("b"), &plain).await.expect("an id");
    for version in VERSIONS {
        let client = lab.client(version);
        let asked = lab.asked();
        let listed = client.list_parts(&name, &id).await.expect("the parts");
        assert_eq!(listed.iter().map(|part| part.number).collect::<Vec<_>>(), numbers);
        assert_eq!(lab.answers_since(asked), [(Operation::ListParts, 200); 2]);

        let asked = lab.asked();
        let open = client.list_uploads("").await.expect("the uploads");
        assert_eq!(lab.answers_since(asked), [(Operation::ListMultipartUploads, 200); 2]);
        let found: Vec<(&str, &str)> = open.iter().map(|open| (open.key.as_str(), open.upload_id.as_str())).collect();
        let mut expected: Vec<(&str, &str)> = ids.iter().map(|id| (name.as_str(), id.as_str())).collect();
        expected.push(("b", &other));
        assert!(found == expected, "{} of {} uploads", found.len(), expected.len());
        let page = client.list_uploads("b").await.expect("the uploads");
        assert_eq!(page.iter().map(|open| &open.upload_id).collect::<Vec<_>>(), [&other]);
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_an_upload_is_said_and_nothing_is_stored() {
    let lab = Lab::new().await;
    let (name, plain) = (key("a"), ObjectHeaders::default());
    for version in VERSIONS {
        let client = lab.client(version);
        let id = client.initiate_multipart(&name, &plain).await.expect("an id");
        let mut parts = Vec::new();
        for number in [1, 2] {
            let body = slice(&content(PART - 1));
            parts.push((number, client.upload_part(&name, &id, number, &body, None, None).await.expect("a part").etag));
        }
        let complete = async |parts: &[(u32, String)]| {
            refused(client.complete_multipart(&name, &id, parts, &plain, None).await).code
        };
        assert_eq!(complete(&parts).await, "EntityTooSmall");
        assert_eq!(complete(&[(1, parts[0].1.replace(|_| true, "0"))]).await, "InvalidPart");
        assert_eq!(complete(&[(3, parts[0].1.clone())]).await, "InvalidPart");
        lab.sandbox.faults().add(Fault::on(Operation::UploadPart, FaultKind::CorruptCrc));
        let error = client.upload_part(&name, &id, 3, &slice(b"3"), None, None).await.expect_err("another CRC-64");
        assert!(matches!(error, Error::Integrity { .. }), "{error:?}");

        client.abort_multipart(&name, &id).await.expect("aborted");
        assert_eq!(complete(&parts).await, "NoSuchUpload");
        assert_eq!(refused(client.upload_part(&name, &id, 4, &slice(b"4"), None, None).await).code, "NoSuchUpload");
        assert_eq!(client.list_uploads("").await.expect("the uploads"), []);
        assert_eq!(lab.object("a"), None);
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_acl_said_at_the_end_counts() {
    let lab = Lab::new().await;
    for version in VERSIONS {
        let (client, name) = (lab.client(version), key("a"));
        let id = client.initiate_multipart(&name, &ObjectHeaders::default()).await.expect("an id");
        let part = client.upload_part(&name, &id, 1, &slice(b"1"), None, None).await.expect("a part");
        let public = ObjectHeaders { acl: Some(waybill_oss::Acl::PublicReadWrite), ..ObjectHeaders::default() };
        client.complete_multipart(&name, &id, &[(1, part.etag)], &public, None).await.expect("stored");
        let query = map(&[("acl", "")]).into_iter().collect();
        let url =
            client.presign(&reqwest::Method::GET, Some(&name), query, &[], crate::lab::HOUR).await.expect("a URL");
        let xml = lab.anybody.get(url).send().await.expect("an answer").text().await.expect("XML");
        assert_eq!(crate::lab::element(&xml, "Grant"), "public-read-write");
    }
    lab.sandbox.stop().await;
}
