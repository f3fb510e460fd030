//! Objects from web forms.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::{Span, Timestamp};
use md5::{Digest, Md5};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use waybill_sandbox::{Fault, FaultKind, Operation, Tuning};

use crate::bed::{BUCKET, Bed, Got, ID, LONG, REGION, SECRET, hex, hmac};

const BOUNDARY: &str = "9431149156168";

/// A form on its way to be sent: signed fields, own fields, the file, perhaps more.
struct Form {
    fields: Vec<(String, String)>,
    file: Option<(&'static str, Vec<u8>)>,
    after: &'static str,
}

impl Form {
    /// Signed with V4 and a policy that has these conditions besides the bucket.
    fn signed(conditions: &[Value]) -> Self {
        let at = Timestamp::now();
        let (day, date) = (at.strftime("%Y%m%d").to_string(), at.strftime("%Y%m%dT%H%M%SZ").to_string());
        let credential = format!("{ID}/{day}/{REGION}/oss/aliyun_v4_request");
        let mut all = vec![
            json!({"bucket": BUCKET}),
            json!({"x-oss-signature-version": "OSS4-HMAC-SHA256"}),
            json!({"x-oss-credential": credential}),
            json!({"x-oss-date": date}),
        ];
        all.extend_from_slice(conditions);
        let until = at.checked_add(Span::new().hours(1)).expect("in range").strftime("%Y-%m-%dT%H:%M:%S.000Z");
        let policy = json!({"expiration": until.to_string(), "conditions": all}).to_string();
        let policy = BASE64_STANDARD.encode(policy);
        let key = [day.as_str(), REGION, "oss", "aliyun_v4_request"]
            .iter()
            .fold(format!("aliyun_v4{SECRET}").into_bytes(), |key, part| hmac(&key, part));
        let signature = hex(&hmac(&key, &policy));
        let form = Self { fields: Vec::new(), file: Some(("a.txt", b"123456789".to_vec())), after: "" };
        form.field("policy", &policy)
            .field("x-oss-signature-version", "OSS4-HMAC-SHA256")
            .field("x-oss-credential", &credential)
            .field("x-oss-date", &date)
            .field("x-oss-signature", &signature)
    }

    fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    fn file(mut self, name: &'static str, body: impl Into<Vec<u8>>) -> Self {
        self.file = Some((name, body.into()));
        self
    }

    fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        if let Some((name, bytes)) = &self.file {
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: text/x-own\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("{}--{BOUNDARY}--\r\n", self.after).as_bytes());
        body
    }

    async fn send(&self, bed: &Bed) -> Got {
        self.send_with(bed, &[]).await
    }

    async fn send_with(&self, bed: &Bed, headers: &[(&str, &str)]) -> Got {
        let http =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().expect("client");
        let mut request = http.post(format!("{}/{BUCKET}", bed.sandbox.info().endpoint));
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(self.body()).send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Got { status, headers, body: response.bytes().await.expect("a body").to_vec() }
    }
}

#[tokio::test]
async fn a_form_makes_an_object_with_its_metadata_and_answers_204() {
    let bed = Bed::start().await;
    let form = Form::signed(&[json!(["starts-with", "$key", "dir/"])])
        .field("key", "dir/${filename}")
        .field("X-Oss-Meta-A", "1")
        .field("Cache-Control", "no-cache")
        .field("x-oss-object-acl", "private")
        .file("C:\\fake\\中 b.txt", "123456789");
    let got = form.send(&bed).await;
    assert_eq!((got.status, got.body.len()), (204, 0), "{}", got.text());
    assert_eq!(got.header("etag"), "\"25F9E794323B453885F5181F1B624D0B\"");
    assert_eq!(got.header("x-oss-hash-crc64ecma"), "11051210869376104954");
    let head = bed.ask(Method::HEAD, "dir/中 b.txt").send().await;
    for (name, value) in [("x-oss-meta-a", "1"), ("cache-control", "no-cache"), ("content-type", "text/x-own")] {
        assert_eq!(head.header(name), value);
    }
    assert_eq!(bed.get("dir/中 b.txt").await.as_deref(), Some(&b"123456789"[..]));
    let log = bed.sandbox.log();
    assert_eq!((log[0].operation, log[0].key.as_deref()), (Operation::PostObject, Some("dir/中 b.txt")));
}

#[tokio::test]
async fn a_form_says_what_it_wants_to_be_answered() {
    let bed = Bed::start().await;
    let form = |status: &str| Form::signed(&[]).field("key", "k&1").field("success_action_status", status);
    let created = form("201").send(&bed).await;
    assert_eq!(
        (created.status, created.element("Key").as_str(), created.element("Bucket").as_str()),
        (201, "k&amp;1", BUCKET)
    );
    assert!(created.text().contains("<PostResponse>") && created.element("Location").ends_with("/test-bucket/k%261"));
    assert_eq!(created.element("ETag").replace("&quot;", "\""), created.header("etag"));
    assert_eq!(form("200").send(&bed).await.status, 200);
    assert_eq!(form("418").send(&bed).await.status, 204);
    let redirect = form("201").field("success_action_redirect", "http://example.com/done?a=1").send(&bed).await;
    assert_eq!(redirect.status, 303);
    let to = redirect.header("location");
    assert!(to.starts_with("http://example.com/done?a=1&bucket=test-bucket&key=k%261&etag=%22"), "{to}");
}

#[tokio::test]
async fn the_content_type_of_a_form_is_told_in_three_places_the_narrowest_first() {
    let bed = Bed::start().await;
    Form::signed(&[]).field("key", "field").field("Content-Type", "text/field").send(&bed).await;
    let form = Form::signed(&[]).field("key", "oss").field("Content-Type", "text/field");
    form.field("x-oss-content-type", "text/oss").send(&bed).await;
    for (key, kind) in [("field", "text/field"), ("oss", "text/oss")] {
        assert_eq!(bed.ask(Method::HEAD, key).send().await.header("content-type"), kind);
    }
}

#[tokio::test]
async fn a_policy_that_does_not_fit_stores_nothing() {
    let bed = Bed::start().await;
    let elsewhere = Form::signed(&[json!(["eq", "$key", "other"])]).field("key", "k").send(&bed).await;
    elsewhere.refused(403, "AccessDenied");
    let too_long = Form::signed(&[json!(["content-length-range", 1, 8])]).field("key", "k").send(&bed).await;
    assert_eq!(too_long.status, 400, "{}", too_long.text());
    let mut unsigned = Form::signed(&[]).field("key", "k");
    unsigned.fields.retain(|(name, _)| name != "x-oss-signature");
    assert!(unsigned.send(&bed).await.status >= 400);
    let mut anonymous = unsigned;
    anonymous.fields.retain(|(name, _)| name == "key");
    anonymous.send(&bed).await.refused(403, "AccessDenied");
    assert_eq!((bed.get("k").await, bed.files("tmp")), (None, 0));
}

#[tokio::test]
async fn a_form_without_key_or_file_or_with_too_long_a_field_is_refused() {
    let bed = Bed::start().await;
    Form::signed(&[]).send(&bed).await.refused(400, "InvalidArgument");
    let mut without = Form::signed(&[]).field("key", "k");
    without.file = None;
    without.send(&bed).await.refused(400, "IncorrectNumberOfFilesInPOSTRequest");
    let long_name = Form::signed(&[]).field("key", "k").field(&"n".repeat(8 * 1024 + 1), "v");
    long_name.send(&bed).await.refused(400, "FieldItemTooLong");
    let long_value = Form::signed(&[]).field("key", "k").field("name", &"v".repeat(2 * 1024 * 1024 + 1));
    long_value.send(&bed).await.refused(400, "FieldItemTooLong");
    Form::signed(&[]).field("key", "/k").send(&bed).await.refused(400, "InvalidObjectName");
    let plain = Form::signed(&[]).field("key", "k").send_with(&bed, &[("content-type", "text/plain")]).await;
    assert_eq!(plain.status, 400, "{}", plain.text());
    assert_eq!(bed.get("k").await, None);
}

#[tokio::test]
async fn forbidden_overwrite_and_a_wrong_digest_of_the_body_hold_for_forms_too() {
    let bed = Bed::start().await;
    bed.put("k", "first").await;
    let form = Form::signed(&[]).field("key", "k").field("x-oss-forbid-overwrite", "true");
    form.send(&bed).await.refused(409, "FileAlreadyExists");
    let form = Form::signed(&[]).field("key", "k");
    form.send_with(&bed, &[("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")]).await.refused(400, "InvalidDigest");
    assert_eq!(bed.get("k").await.as_deref(), Some(&b"first"[..]));
    let right = BASE64_STANDARD.encode(Md5::digest(form.body()));
    assert_eq!(form.send_with(&bed, &[("content-md5", &right)]).await.status, 204);
}

#[tokio::test]
async fn fields_after_the_file_do_not_count_and_a_big_file_with_the_boundary_in_it_comes_whole() {
    let bed = Bed::start().await;
    let mut file = vec![b'x'; 3 * 1024 * 1024];
    file.extend_from_slice(format!("\r\n--{}", &BOUNDARY[1..]).as_bytes());
    let mut form = Form::signed(&[]).field("key", "k").file("f", file.clone());
    form.after = "--9431149156168\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nother\r\n";
    assert_eq!(form.send(&bed).await.status, 204);
    assert!(bed.get("k").await == Some(file), "another body is stored");
    assert_eq!(bed.get("other").await, None);
}

/// The head of a form on a bare socket; `framing` says how long it is.
fn head(framing: &str) -> String {
    format!(
        "POST /{BUCKET} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\
         content-type: multipart/form-data; boundary={BOUNDARY}\r\n{framing}\r\n\r\n"
    )
}

#[tokio::test]
async fn a_form_that_is_cut_is_not_answered_and_stores_nothing() {
    let bed = Bed::start().await;
    let body = Form::signed(&[]).field("key", "k").body();
    let mut socket = TcpStream::connect(("127.0.0.1", bed.port())).await.expect("connects");
    socket.write_all(head(&format!("content-length: {}", body.len())).as_bytes()).await.expect("writes");
    // Only the last line break is missing: the form itself is whole, the request is not.
    socket.write_all(&body[..body.len() - 2]).await.expect("writes");
    let answer = tokio::time::timeout(Duration::from_millis(300), socket.read_u8()).await;
    assert!(answer.is_err(), "answered before the body has ended");
    drop(socket);
    let log = bed.sandbox.wait_for_log(|log| !log.is_empty(), LONG).await.expect("the request ends");
    assert_eq!((log[0].status, log[0].bytes_received as usize), (None, body.len() - 2));
    assert_eq!((bed.get("k").await, bed.files("tmp")), (None, 0));
}

/// What a form is answered behind whose last boundary much comes, each byte in a piece of its own.
async fn answer_to_a_long_end(bed: &Bed) -> String {
    let (form, end) = (Form::signed(&[]).field("key", "k").body(), [b'e'; 200]);
    let digest = BASE64_STANDARD.encode(Md5::digest([form.as_slice(), &end].concat()));
    let mut whole = head(&format!("transfer-encoding: chunked\r\ncontent-md5: {digest}")).into_bytes();
    for piece in std::iter::once(form.as_slice()).chain(end.chunks(1)).chain([&b""[..]]) {
        whole.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        whole.extend_from_slice(piece);
        whole.extend_from_slice(b"\r\n");
    }
    let mut socket = TcpStream::connect(("127.0.0.1", bed.port())).await.expect("connects");
    socket.write_all(&whole).await.expect("writes");
    let mut answer = String::new();
    // The end may come as a reset.
    let _ended = socket.read_to_string(&mut answer).await;
    answer
}

#[tokio::test]
async fn the_digest_of_a_form_counts_what_comes_behind_its_last_boundary() {
    let bed = Bed::start().await;
    let answer = answer_to_a_long_end(&bed).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

#[tokio::test]
async fn a_fault_before_the_work_holds_for_forms_too() {
    let bed = Bed::start().await;
    let fault = FaultKind::CloseAfterBytes { bytes: 1_000_000 };
    bed.sandbox.faults().add(Fault::on(Operation::PostObject, fault));
    assert_eq!(answer_to_a_long_end(&bed).await, "");
    assert_eq!((bed.get("k").await, bed.files("tmp")), (None, 0));
}

#[tokio::test]
async fn a_callback_of_a_form_has_its_variables_in_fields_of_their_own() {
    let bed = Bed::start().await;
    let callback = json!({
        "callbackUrl": bed.sandbox.info().callback_url,
        "callbackBody": "key=${object}&v=${x:v}&op=${operation}",
    });
    let form = Form::signed(&[]).field("key", "a/b").field("x:v", "1 2");
    let got = form.field("callback", &BASE64_STANDARD.encode(callback.to_string())).send(&bed).await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(got.header("etag"), "\"25F9E794323B453885F5181F1B624D0B\"");
    let received = bed.sandbox.wait_for_callbacks(1, LONG).await.expect("is called back");
    let text = format!("{:?}", received[0]);
    assert!(text.contains("key=a%2Fb&v=1%202&op=PostObject"), "{text}");
}

#[tokio::test]
async fn a_variable_with_capitals_is_refused_in_a_form_and_nothing_is_stored() {
    let bed = Bed::start().await;
    let callback = json!({"callbackUrl": bed.sandbox.info().callback_url, "callbackBody": "v=${x:V}"});
    let form = Form::signed(&[]).field("key", "k").field("x:V", "1");
    let got = form.field("callback", &BASE64_STANDARD.encode(callback.to_string())).send(&bed).await;
    got.refused(400, "InvalidArgument");
    assert_eq!(got.element("EC"), "0007-00000105");
    assert_eq!((bed.get("k").await, bed.sandbox.callbacks().len()), (None, 0));
}

#[tokio::test]
async fn a_policy_that_does_not_fit_is_refused_before_the_file_is_taken() {
    let tuning = Tuning { body_patience: Duration::from_millis(200), ..Tuning::default() };
    let bed = Bed::tuned(tuning).await;
    let body = Form::signed(&[json!(["eq", "$key", "other"])]).field("key", "k").body();
    let mut socket = TcpStream::connect(("127.0.0.1", bed.port())).await.expect("connects");
    // The file has begun and goes no further: were it waited for, that would be told.
    socket.write_all(head("content-length: 1000000").as_bytes()).await.expect("writes");
    socket.write_all(&body[..body.len() - BOUNDARY.len() - 12]).await.expect("writes");
    let mut answer = String::new();
    tokio::time::timeout(LONG, socket.read_to_string(&mut answer)).await.expect("an answer").expect("reads");
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("<EC>0006-00000227</EC>"), "{answer}");
}

#[tokio::test]
async fn a_form_can_give_its_object_no_tags() {
    let bed = Bed::start().await;
    let got = Form::signed(&[]).field("key", "k").field("x-oss-tagging", "a=1").send(&bed).await;
    assert_eq!(got.status, 204, "{}", got.text());
    assert!(!bed.ask(Method::HEAD, "k").send().await.headers.contains_key("x-oss-tagging-count"));
}
