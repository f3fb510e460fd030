//! Presigned URLs in the hands of a bare HTTP client: good for what they were made for, and for nothing else.

use reqwest::StatusCode;
use waybill_oss::{CallbackCarrier, CallbackSpec, ObjectHeaders, PresignedRequest, ResponseHeaders};
use waybill_tests::content;

use crate::lab::{HOUR, Lab, VERSIONS, element, get, key, map, put, right};
use crate::objects::{everything, expect_everything};

const ODD: &str = "odd +%25?&=#/../中\u{1}.txt";

/// PUT as somebody does who knows nothing but the URL and the headers to send.
async fn send(lab: &Lab, presigned: &PresignedRequest, body: &[u8]) -> reqwest::Response {
    let mut request = lab.anybody.put(&presigned.url).body(body.to_vec());
    for (name, value) in &presigned.headers {
        request = request.header(name, value.as_bytes());
    }
    request.send().await.expect("an answer")
}

async fn code(answer: reqwest::Response) -> (u16, String) {
    let status = answer.status().as_u16();
    (status, element(&answer.text().await.expect("XML"), "Code").to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_stores_and_reads_without_keys_with_lasting_and_with_temporary_ones() {
    let lab = Lab::new().await;
    let bytes = content(10_000);
    for (version, keys) in VERSIONS.into_iter().flat_map(|version| [(version, right()), (version, lab.temporary())]) {
        let client = lab.client_of(version, keys);
        for name in ["plain", ODD] {
            let url = client.presign_put(&key(name), &ObjectHeaders::default(), None, HOUR).await.expect("a URL");
            let answer = send(&lab, &url, &bytes).await;
            assert_eq!(answer.status(), StatusCode::OK, "{version:?} {name} {}", answer.text().await.expect("XML"));
            assert!(get(&client, name).await == bytes);

            let response = ResponseHeaders {
                content_type: Some("text/x; charset=utf-8".into()),
                content_disposition: Some("attachment; filename=\"a+b %.txt\"".into()),
                cache_control: Some("no-cache".into()),
                version_id: None,
            };
            let url = client.presign_get(&key(name), &response, HOUR).await.expect("a URL").url;
            let answer = lab.anybody.get(&url).send().await.expect("an answer");
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.headers()["content-type"], "text/x; charset=utf-8");
            assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"a+b %.txt\"");
            assert_eq!(answer.headers()["cache-control"], "no-cache");
            assert!(answer.bytes().await.expect("a body") == bytes);

            let deleting = lab.anybody.delete(&url).send().await.expect("an answer");
            assert_eq!(code(deleting).await, (403, "SignatureDoesNotMatch".into()), "a URL to read deletes nothing");
        }
        client.delete_object(&key("plain"), None).await.expect("deleted");
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_that_are_signed_must_come_as_they_are() {
    let lab = Lab::new().await;
    for version in VERSIONS {
        let client = lab.client(version);
        let url = client.presign_put(&key("all"), &everything(), None, HOUR).await.expect("a URL");
        assert_eq!(send(&lab, &url, b"1").await.status(), StatusCode::OK);
        expect_everything(&lab, &client, "all").await;
        client.delete_object(&key("all"), None).await.expect("deleted");

        let mut less = url.clone();
        less.headers.retain(|(name, _)| name != "x-oss-storage-class");
        let mut other = url.clone();
        other.headers.iter_mut().filter(|(name, _)| name == "content-type").for_each(|header| header.1 = "a/b".into());
        for changed in [less, other] {
            let answer = send(&lab, &changed, b"1").await;
            assert_eq!(code(answer).await, (403, "SignatureDoesNotMatch".into()));
        }
        assert_eq!(lab.object("all"), None);
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callback_rides_in_the_url_or_in_signed_headers() {
    let lab = Lab::new().await;
    let spec = CallbackSpec {
        body: "object=${object}&by=${x:by}".into(),
        variables: map(&[("by", "a+b/c")]),
        ..lab.callback("?from=url")
    };
    for (version, keys) in VERSIONS.into_iter().flat_map(|version| [(version, right()), (version, lab.temporary())]) {
        let client = lab.client_of(version, keys);
        for carrier in [CallbackCarrier::Query, CallbackCarrier::Header] {
            let plain = ObjectHeaders::default();
            let url = client.presign_put(&key("a b"), &plain, Some((&spec, carrier)), HOUR).await.expect("a URL");
            assert_eq!(url.headers.len(), if carrier == CallbackCarrier::Header { 2 } else { 0 });
            let calls = lab.sandbox.callbacks().len();
            let answer = send(&lab, &url, b"1").await;
            let (status, body) = (answer.status(), answer.text().await.expect("a body"));
            assert!(status == StatusCode::OK && body.contains("\"Status\":\"OK\""), "{version:?} {carrier:?} {body}");
            let call = lab.last_callback();
            assert_eq!((call.body.as_str(), lab.sandbox.callbacks().len()), ("object=a%20b&by=a%2Bb%2Fc", calls + 1));

            if carrier == CallbackCarrier::Header {
                let bare = PresignedRequest { headers: Vec::new(), ..url };
                let answer = send(&lab, &bare, b"1").await;
                assert_eq!(code(answer).await, (403, "SignatureDoesNotMatch".into()));
                assert_eq!(lab.sandbox.callbacks().len(), calls + 1);
            }
        }
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_that_has_expired_or_lost_its_token_is_refused() {
    // For this sandbox, what is signed now for an hour ended an hour ago.
    let lab = Lab::with(|tuning| tuning.clock_offset = 7200).await;
    for version in VERSIONS {
        let client = lab.client(version);
        let url = client.presign_put(&key("a"), &ObjectHeaders::default(), None, HOUR).await.expect("a URL");
        assert_eq!(code(send(&lab, &url, b"1").await).await, (403, "AccessDenied".into()));
        assert_eq!(lab.object("a"), None);

        put(&client, "a", b"1").await.expect("stored, since the first answer says what time it is");
        let keys = lab.temporary();
        let url = lab.client_of(version, keys).with_clock(client.clock().clone());
        let url = url.presign_get(&key("a"), &ResponseHeaders::default(), 3 * HOUR).await.expect("a URL").url;
        assert_eq!(lab.anybody.get(&url).send().await.expect("an answer").status(), StatusCode::OK);
        lab.sandbox.expire_tokens();
        let answer = lab.anybody.get(&url).send().await.expect("an answer");
        assert_eq!(code(answer).await, (403, "SecurityTokenExpired".into()));
        client.delete_object(&key("a"), None).await.expect("deleted");
    }
    lab.sandbox.stop().await;
}
