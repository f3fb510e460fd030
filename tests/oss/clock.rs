//! A computer whose clock is hours off: the server's answer corrects it, and it costs one request.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use waybill_oss::{Gate, ObjectHeaders, PostForm, PostPolicy, ResponseHeaders};
use waybill_sandbox::Operation;
use waybill_tests::content;

use crate::lab::{HOUR, Lab, VERSIONS, get, key, put, refused, slice};

const OFFSETS: [i64; 2] = [8, -8];

async fn off_by(hours: i64) -> Lab {
    Lab::with(|tuning| tuning.clock_offset = hours * 3600).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_hours_cost_one_request_and_are_known_from_then_on() {
    for hours in OFFSETS {
        let lab = off_by(hours).await;
        for version in VERSIONS {
            let client = lab.client(version);
            assert!(client.clock().skew().is_zero());
            let asked = lab.asked();
            let stored = client.put_object(&key("a"), &slice(b"1"), &ObjectHeaders::default(), None, None).await;
            stored.expect("stored");
            assert_eq!(lab.answers_since(asked), [(Operation::PutObject, 403), (Operation::PutObject, 200)]);
            assert_eq!(lab.sandbox.log()[asked].code.as_deref(), Some("RequestTimeTooSkewed"));
            let off = client.clock().skew().as_secs() - hours * 3600;
            assert!(off.abs() < 60, "{off}");

            let asked = lab.asked();
            assert_eq!(get(&client, "a").await, b"1");
            let url = client.presign_get(&key("a"), &ResponseHeaders::default(), HOUR).await.expect("a URL").url;
            let answer = lab.anybody.get(url).send().await.expect("an answer");
            assert_eq!(answer.text().await.expect("a body"), "1");
            assert_eq!(lab.answers_since(asked), [(Operation::GetObject, 200); 2]);
        }
        lab.sandbox.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_shared_is_corrected_once_for_all() {
    let lab = off_by(8).await;
    let first = lab.client(VERSIONS[0]);
    let others = VERSIONS.map(|version| lab.client(version).with_clock(first.clock().clone()));
    first.head_object(&key("a")).await.expect("a HEAD can say so too");
    let asked = lab.asked();
    for other in others {
        put(&other, "a", b"1").await.expect("stored");
    }
    assert_eq!(lab.answers_since(asked), [(Operation::PutObject, 200); 2]);
    lab.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_is_signed_by_the_servers_time_once_it_is_known() {
    for hours in OFFSETS {
        let lab = off_by(hours).await;
        for version in VERSIONS {
            let client = lab.client(version);
            let policy = |at: Timestamp| PostPolicy { expiration: at + HOUR, conditions: Vec::new() };
            let signed = async |at: Timestamp| PostForm {
                policy: client.post_fields(&policy(at)).await.expect("a policy"),
                ..PostForm::default()
            };
            // A policy of version 1 has no beginning, so one from the future is good.
            if hours > 0 || version == VERSIONS[0] {
                let early = client.post_object(&key("form"), &slice(b"1"), &signed(Timestamp::now()).await, None).await;
                assert_eq!(refused(early).code, "AccessDenied");
            }
            assert_eq!(lab.object("form"), None);
            client.head_object(&key("form")).await.expect("an answer, by which the clock is known");
            let now = Timestamp::now() + client.clock().skew();
            client.post_object(&key("form"), &slice(b"1"), &signed(now).await, None).await.expect("stored");
            client.delete_object(&key("form"), None).await.expect("deleted");
        }
        lab.sandbox.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gated_put_gets_over_a_wrong_clock_and_asks_its_gate_once() {
    let lab = off_by(8).await;
    for version in VERSIONS {
        for len in [0, 1, 600_000, 2_000_000] {
            let client = lab.client(version);
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
