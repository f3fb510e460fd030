//! A callback profile tried with an object of one byte: its answer is shown, and nothing of the object stays.

use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use waybill_engine::Code;
use waybill_engine::view::{CallbackProfileForm, CallbackTrial, DestinationForm};
use waybill_sandbox::Operation::{Callback, DeleteObject, HeadObject, PutObject};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{DESTINATION, TestBed, callback_to};

/// To the sandbox's receiver.
fn form(bed: &TestBed) -> CallbackProfileForm {
    callback_to(&bed.sandbox.info().callback_url)
}

fn denied() -> FaultKind {
    FaultKind::Status { status: 403, code: "AccessDenied".into(), retry_after_seconds: None }
}

/// A destination whose keys begin with `raw/`, at this endpoint.
async fn destination(bed: &TestBed, endpoint: Option<String>) -> Option<String> {
    let form = bed.form("test-secret");
    let endpoint = endpoint.unwrap_or_else(|| form.endpoint.clone());
    let form = DestinationForm { key_template: "raw/{yyyy}/{path}".into(), endpoint, ..form };
    Some(bed.engine().save_destination(form).await.expect("saved").id)
}

async fn tried(bed: &TestBed, destination: Option<String>) -> CallbackTrial {
    bed.engine().test_callback(form(bed), destination).await.expect("tried")
}

#[tokio::test]
async fn a_probe_object_that_oss_refuses_is_told_as_such_and_is_not_there() {
    // The sandbox's own receiver is on this computer, where OSS does not call.
    let mut bed = TestBed::facing(|tuning| tuning.real_address_rules = true).await;
    let refused = tried(&bed, None).await;
    assert_eq!((refused.status, refused.ec.as_deref()), (0, Some("0007-00000008")));
    assert_eq!(refused.problem.map(|problem| problem.code), Some(Code::CallbackRejected));
    assert_eq!((bed.requests(DeleteObject).len(), refused.left_behind), (0, None));
    bed.stop().await;
}

#[tokio::test]
async fn a_profile_is_tried_with_an_object_of_one_byte_that_is_gone_afterwards() {
    let mut bed = TestBed::new().await;
    for (status, body) in [(200, r#"{"hello":1}"#), (500, "{}")] {
        bed.fault(Fault::on(Callback, FaultKind::CallbackStatus { status, body: body.into() }));
    }
    let destination = destination(&bed, None).await;
    let well = tried(&bed, destination.clone()).await;
    assert_eq!((well.status, well.body.as_str(), well.signed_by_oss), (200, r#"{"hello":1}"#, true));
    let bad = tried(&bed, destination).await;
    assert_eq!((bad.status, bad.ec.as_deref(), &bad.problem), (203, Some("0007-00000203"), &None));
    let (puts, deletes) = (bed.requests(PutObject), bed.requests(DeleteObject));
    assert_eq!((puts.len(), puts[0].bytes_received, deletes.len()), (2, 1, 2));
    assert_eq!((&puts[0].key, &puts[1].key), (&deletes[0].key, &deletes[1].key));
    assert_ne!(puts[0].key, puts[1].key);
    let below = |key: &Option<String>| key.as_ref().is_some_and(|key| key.starts_with("raw/waybill-callback-test-"));
    assert!(puts.iter().all(|put| below(&put.key)), "{puts:#?}");
    bed.stop().await;
}

#[tokio::test]
async fn a_test_object_that_cannot_be_deleted_is_named_beside_the_answer() {
    let mut bed = TestBed::new().await;
    let destination = destination(&bed, None).await;
    bed.fault(Fault::on(DeleteObject, denied()));
    let trial = tried(&bed, destination.clone()).await;
    let left = trial.left_behind.expect("the object");
    assert_eq!((trial.status, trial.problem, left.problem.code), (200, None, Code::AccessDenied));
    assert!(bed.object(&left.key).is_some(), "{left:?}");
    // As well when the answer to the upload was lost.
    bed.fault(Fault::on(PutObject, FaultKind::LoseAnswer));
    bed.fault(Fault::on(DeleteObject, denied()));
    let lost = tried(&bed, destination).await;
    let left = lost.left_behind.expect("the object");
    assert_eq!((lost.status, lost.problem.map(|problem| problem.code)), (0, Some(Code::Network)));
    assert!(bed.object(&left.key).is_some(), "{left:?}");
    bed.stop().await;
}

#[tokio::test]
async fn a_test_object_that_must_not_be_looked_at_is_deleted_or_named_all_the_same() {
    let mut bed = TestBed::new().await;
    let destination = destination(&bed, None).await;
    bed.fault(Fault::on(PutObject, FaultKind::LoseAnswer).times(2));
    bed.fault(Fault::on(HeadObject, denied()).times(2));
    let deleted = tried(&bed, destination.clone()).await;
    assert_eq!((deleted.status, deleted.left_behind), (0, None));
    let key = bed.requests(PutObject)[0].key.clone().expect("a key");
    assert_eq!((bed.requests(DeleteObject).len(), bed.object(&key)), (1, None));
    bed.fault(Fault::on(DeleteObject, denied()));
    let left = tried(&bed, destination).await.left_behind.expect("the object");
    assert!(left.problem.message.contains("DeleteObject") && bed.object(&left.key).is_some(), "{left:?}");
    bed.stop().await;
}

#[tokio::test]
async fn in_a_bucket_that_keeps_versions_the_one_that_was_stored_is_deleted_by_name() {
    let mut bed = TestBed::new().await;
    for loses in [false, true] {
        let (endpoint, asked) = keeping_versions(loses, false).await;
        let destination = destination(&bed, Some(endpoint)).await;
        let trial = tried(&bed, destination).await;
        assert_eq!((trial.status, trial.left_behind), (if loses { 0 } else { 200 }, None));
        let asked = asked.lock().expect("what was asked").clone();
        let (first, last) = (asked.first().expect("a PutObject"), asked.last().expect("a DeleteObject"));
        assert!(first.starts_with("PUT /bucket/raw/waybill-callback-test-"), "{asked:?}");
        assert!(last.starts_with("DELETE ") && last.contains("?versionId=V7"), "{asked:?}");
        assert_eq!(asked.len(), if loses { 3 } else { 2 }, "{asked:?}");
    }
    bed.stop().await;
}

#[tokio::test]
async fn a_version_whose_name_nobody_tells_is_left_behind_hidden() {
    let mut bed = TestBed::new().await;
    let (endpoint, asked) = keeping_versions(true, true).await;
    let destination = destination(&bed, Some(endpoint)).await;
    let left = tried(&bed, destination).await.left_behind.expect("the version");
    assert!(left.version_id.is_none() && left.problem.message.contains("HeadObject"), "{left:?}");
    let asked = asked.lock().expect("what was asked").clone();
    let last = asked.last().expect("a DeleteObject");
    assert!(last.starts_with("DELETE ") && !last.contains("versionId"), "{asked:?}");
    bed.stop().await;
}

#[tokio::test]
async fn a_profile_is_tried_at_the_destination_that_is_asked_for_and_a_lost_answer_leaves_no_object_there() {
    let mut bed = TestBed::new().await;
    let closed = "http://127.0.0.1:1".to_owned();
    let elsewhere =
        bed.engine().save_destination(DestinationForm { endpoint: closed, ..bed.form("test-secret") }).await;
    let elsewhere = elsewhere.expect("a destination").id;
    let nobody = bed.engine().test_callback(form(&bed), Some(elsewhere)).await.expect("tried");
    assert_eq!((nobody.status, nobody.problem.map(|problem| problem.code)), (0, Some(Code::Network)));
    assert!(bed.sandbox.log().is_empty());
    bed.fault(Fault::on(PutObject, FaultKind::LoseAnswer).times(u32::MAX));
    let lost = bed.engine().test_callback(form(&bed), Some(DESTINATION.into())).await.expect("tried");
    assert_eq!((lost.status, lost.problem.map(|problem| problem.code)), (0, Some(Code::Network)));
    let key = bed.requests(PutObject)[0].key.clone().expect("a key");
    assert_eq!((bed.requests(DeleteObject).len(), bed.object(&key)), (1, None));
    assert!(bed.sandbox.callbacks().iter().all(|callback| callback.body.contains("\"uploadNo\":\"0\"")));
    let unfit = CallbackProfileForm { body: String::new(), ..form(&bed) };
    let refused = bed.engine().test_callback(unfit, None).await.expect_err("nothing is tried");
    assert_eq!((refused.code(), bed.requests(DeleteObject).len()), (Code::Invalid, 1), "{refused}");
    assert!(bed.rows().await.is_empty(), "it is no upload");
    bed.stop().await;
}

/// A server that stores everything as version V7, and loses its answers to PutObject or lets nobody look if it is told to;
/// with what it was asked.
async fn keeping_versions(loses: bool, blind: bool) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", listener.local_addr().expect("its address"));
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, loses, blind, Arc::clone(&noted)));
        }
    });
    (endpoint, asked)
}

async fn answer(stream: TcpStream, loses: bool, blind: bool, noted: Arc<Mutex<Vec<String>>>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    stream.read_line(&mut first).await?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    stream.read_exact(&mut vec![0; length]).await?;
    let put = first.starts_with("PUT ");
    let status = if blind && first.starts_with("HEAD ") { "403 Forbidden" } else { "200 OK" };
    let hides = first.starts_with("DELETE ") && !first.contains("versionId");
    let marker = if hides { "x-oss-delete-marker: true\r\n" } else { "" };
    noted.lock().expect("what was asked").push(first);
    if loses && put {
        return Ok(());
    }
    let mut crc64 = waybill_oss::Crc64::new();
    crc64.update(b"1");
    let body = if put { "{}" } else { "" };
    let answer = format!(
        "HTTP/1.1 {status}\r\n{marker}x-oss-request-id: R\r\nx-oss-version-id: V7\r\nETag: \"E\"\r\nx-oss-hash-crc64ecma: {}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        crc64.finish(),
        body.len()
    );
    stream.get_mut().write_all(answer.as_bytes()).await
}
