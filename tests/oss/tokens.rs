//! Temporary keys that end in the middle of an upload: one refused request, one fetch, and the upload goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::AsyncWriteExt;
use waybill_oss::{CredentialSource, Credentials, Error, FileSlice, Gate, ObjectHeaders};
use waybill_sandbox::{LoggedRequest, Operation};
use waybill_tests::content;

use crate::lab::{HOUR, Lab, PART, VERSIONS, key, put, refused, slice};
use crate::wire::{Head, Tap, listen};

/// Where keys are to be had; what passes the tap is counted.
fn sources(tap: &Tap) -> [CredentialSource; 2] {
    let url = tap.url("/_sandbox/tokens");
    let headers = vec![("Authorization".to_owned(), "Bearer ann".to_owned())];
    [CredentialSource::Uri(url.clone()), CredentialSource::AppServer { url, headers }]
}

fn keys(source: &CredentialSource) -> Credentials {
    Credentials::from_source(source.clone()).expect("a source")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_dies_between_two_parts_costs_one_refused_request() {
    let lab = Lab::new().await;
    let tap = Tap::start(&lab.sandbox.info().endpoint).await;
    let (name, bytes, plain) = (key("a"), content(PART + 7), ObjectHeaders::default());
    for (version, source) in VERSIONS.into_iter().flat_map(|version| sources(&tap).map(|source| (version, source))) {
        let client = lab.client_of(version, keys(&source));
        let (asked, fetched) = (lab.asked(), tap.passed.all().len());
        let file = slice(&bytes);
        let id = client.initiate_multipart(&name, &plain).await.expect("an id");
        let mut parts = Vec::new();
        for (number, offset, len) in [(1, 0, PART as u64), (2, PART as u64, 7)] {
            let body = FileSlice { offset, len, ..file.clone() };
            let part = client.upload_part(&name, &id, number, &body, None, None).await.expect("a part");
            parts.push((number, part.etag));
            lab.sandbox.expire_tokens();
        }
        client.complete_multipart(&name, &id, &parts, &plain, None).await.expect("stored");
        assert!(lab.object("a").as_ref() == Some(&bytes));
        use Operation::{CompleteMultipartUpload, InitiateMultipartUpload, UploadPart};
        let answers = [
            (InitiateMultipartUpload, 200),
            (UploadPart, 200),
            (UploadPart, 403),
            (UploadPart, 200),
            (CompleteMultipartUpload, 403),
            (CompleteMultipartUpload, 200),
        ];
        assert_eq!(lab.answers_since(asked), answers, "{version:?} {source:?}");
        assert_eq!(lab.sandbox.log()[asked + 2].code.as_deref(), Some("SecurityTokenExpired"));
        let fetches = tap.passed.all().split_off(fetched);
        assert_eq!(fetches.len(), 3, "one at the start, one for each token that died");
        let is_app_server = matches!(source, CredentialSource::AppServer { .. });
        assert!(fetches.iter().all(|head| head.starts_with("GET /_sandbox/tokens HTTP/1.1")));
        assert!(fetches.iter().all(|head| head.contains("authorization: Bearer ann") == is_app_server));
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_parts_at_once_cause_one_fetch() {
    const PARTS: u32 = 16;
    let lab = Lab::new().await;
    let tap = Tap::start(&lab.sandbox.info().endpoint).await;
    let (name, body) = (key("a"), slice(&content(PART)));
    for (version, source) in VERSIONS.into_iter().zip(sources(&tap)) {
        let client = lab.client_of(version, keys(&source));
        let id = lab.client(version).initiate_multipart(&name, &ObjectHeaders::default()).await.expect("an id");
        for token in ["none yet", "a dead one"] {
            let (asked, fetched) = (lab.asked(), tap.passed.all().len());
            let sent: Vec<_> = (1..=PARTS)
                .map(|number| {
                    let (client, name, id, body) = (client.clone(), name.clone(), id.clone(), body.clone());
                    tokio::spawn(async move { client.upload_part(&name, &id, number, &body, None, None).await })
                })
                .collect();
            for part in sent {
                part.await.expect("a task").expect("a part");
            }
            assert_eq!(tap.passed.all().len() - fetched, 1, "{version:?}, token: {token}");
            let log = lab.sandbox.log().split_off(asked);
            let refused = |entry: &&LoggedRequest| entry.code.as_deref() == Some("SecurityTokenExpired");
            let (refusals, sent) = (log.iter().filter(refused).count(), log.len());
            assert_eq!(sent - refusals, PARTS as usize);
            assert!(refusals <= PARTS as usize && (refusals > 0) == (token == "a dead one"), "{refusals}");
            lab.sandbox.expire_tokens();
        }
        assert_eq!(lab.client(version).list_parts(&name, &id).await.expect("the parts").len(), PARTS as usize);
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_cannot_be_renewed_end_the_call_with_the_reason() {
    let lab = Lab::new().await;
    for version in VERSIONS {
        let issued = lab.sandbox.issue_token(HOUR);
        let answer = serde_json::json!({
            "StatusCode": 200,
            "AccessKeyId": issued.access_key_id,
            "AccessKeySecret": issued.access_key_secret,
            "SecurityToken": issued.security_token,
            "Expiration": issued.expires.to_string(),
        })
        .to_string();
        let stubborn = listen(move |mut stream| {
            let answer = answer.clone();
            async move {
                Head::read(&mut stream).await?;
                let length = answer.len();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
                stream.write_all((head + &answer).as_bytes()).await
            }
        })
        .await;
        let same_again = CredentialSource::Uri(format!("http://{stubborn}/"));
        let fixed = CredentialSource::Fixed(lab.temporary());
        let closed = Tap::start(&lab.sandbox.info().endpoint).await;
        let cut = lab.client_of(version, keys(&CredentialSource::Uri(closed.url("/_sandbox/nothing"))));
        let clients = [same_again, fixed].map(|source| lab.client_of(version, keys(&source)));
        for client in &clients {
            put(client, "a", b"1").await.expect("the keys are good");
        }
        lab.sandbox.expire_tokens();
        for client in &clients {
            let asked = lab.asked();
            let answer = refused(put(client, "a", b"2").await);
            assert_eq!((answer.code.as_str(), answer.ec.as_deref()), ("SecurityTokenExpired", Some("0002-00000007")));
            assert_eq!(lab.answers_since(asked), [(Operation::PutObject, 403)]);
        }
        let error = put(&cut, "a", b"2").await.expect_err("no keys");
        let Error::Credentials { origin, message, passing } = &error else { panic!("{error:?}") };
        assert_eq!((*origin, *passing), ("the credentials URI", false));
        assert!(message.contains("404"), "{message}");
        assert_eq!(lab.object("a"), Some(b"1".to_vec()));
    }
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gated_put_outlives_its_token_and_asks_its_gate_once() {
    let lab = Lab::new().await;
    let tap = Tap::start(&lab.sandbox.info().endpoint).await;
    for (version, source) in VERSIONS.into_iter().zip(sources(&tap)) {
        let client = lab.client_of(version, keys(&source));
        for len in [1, 600_000, 2_000_000] {
            put(&client, "before", b"1").await.expect("the keys are good");
            lab.sandbox.expire_tokens();
            let (asked, bytes) = (Arc::new(AtomicU32::new(0)), content(len));
            let counted = Arc::clone(&asked);
            let gate = Gate::new(move |_| async move { counted.fetch_add(1, Ordering::SeqCst) == 0 });
            let plain = ObjectHeaders::default();
            let stored = client.put_object_gated(&key("a"), &slice(&bytes), &plain, None, gate, None).await;
            stored.unwrap_or_else(|error| panic!("{len} bytes: {error}"));
            assert!(lab.object("a") == Some(bytes) && asked.load(Ordering::SeqCst) == 1);
        }
    }
    lab.sandbox.stop().await;
}
