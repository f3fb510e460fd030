//! PostObject: the form as it goes out, and its answers.

use waybill_oss::{CallbackOutcome, Error, HandedPolicy, ObjectHeaders, PostForm, RetryPolicy};

use crate::object::callback;
use crate::server::{Reply, Seen, Server, Sum, answer, crc64, key, plain, refusal, slice};

fn stored(status: u16, body: &str) -> Reply {
    answer(status, &[("ETag", "\"E\""), ("x-oss-hash-crc64ecma", &crc64(b"hello"))], body)
}

fn signed() -> Vec<(String, String)> {
    [("policy", "eyJ9"), ("OSSAccessKeyId", "ak"), ("Signature", "c2ln")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

fn form() -> PostForm {
    PostForm { policy: signed(), file_name: "a.txt".to_owned(), ..PostForm::default() }
}

/// A form whose callback came with the policy.
fn handed() -> PostForm {
    let mut form = form();
    form.policy.push(("callback".to_owned(), "e30=".to_owned()));
    form
}

/// The fields in their order, and the file's bytes.
fn fields(seen: &Seen) -> (Vec<(String, String)>, Vec<u8>) {
    let boundary = seen.header("content-type").strip_prefix("multipart/form-data; boundary=").expect("boundary");
    let text = String::from_utf8(seen.body.clone()).expect("text");
    let text = text.strip_suffix(&format!("\r\n--{boundary}--\r\n")).expect("the end of the form");
    let mut all = Vec::new();
    let mut file = None;
    for part in format!("\r\n{text}").split(&format!("\r\n--{boundary}\r\n")).skip(1) {
        let (head, body) = part.split_once("\r\n\r\n").expect("a head");
        let name = head.split("name=\"").nth(1).expect("name").split('"').next().expect("name");
        assert!(file.is_none(), "the file is not the last");
        if name == "file" {
            file = Some((head.to_owned(), body.as_bytes().to_vec()));
        } else {
            all.push((name.to_owned(), body.to_owned()));
        }
    }
    let (head, bytes) = file.expect("a file");
    all.push(("file".to_owned(), head));
    (all, bytes)
}

#[tokio::test]
async fn a_form_carries_its_policy_and_the_file_last_and_no_signature() {
    let server = Server::start(vec![stored(204, "")]).await;
    let sum = Sum::default();
    let headers = ObjectHeaders {
        metadata: [("a".to_owned(), "文".to_owned())].into(),
        ..ObjectHeaders::of_type(Some("text/plain"))
    };
    let form = PostForm { headers, file_name: "a\"文.txt".to_owned(), success_status: Some(204), ..form() };
    let progress = sum.progress();
    let done =
        server.client().post_object(&key("dir/文"), &slice(b"hello"), &form, Some(&progress)).await.expect("stored");
    assert_eq!((done.etag.as_str(), done.crc64, done.callback), ("E", done.local_crc64, CallbackOutcome::NotRequested));
    assert_eq!(sum.now(), 5);
    let seen = server.unsigned();
    assert_eq!((seen[0].method.as_str(), seen[0].target.as_str()), ("POST", "/examplebucket/"));
    assert_eq!(seen[0].header("content-length"), seen[0].body.len().to_string());
    for absent in ["authorization", "x-oss-date", "x-oss-content-sha256", "transfer-encoding"] {
        assert_eq!(seen[0].header(absent), "", "{absent}");
    }
    let (fields, bytes) = fields(&seen[0]);
    let expected = [
        ("key", "dir/文"),
        ("Content-Type", "text/plain"),
        ("x-oss-meta-a", "文"),
        ("success_action_status", "204"),
        ("policy", "eyJ9"),
        ("OSSAccessKeyId", "ak"),
        ("Signature", "c2ln"),
        ("file", "Content-Disposition: form-data; name=\"file\"; filename=\"a%22文.txt\"\r\nContent-Type: text/plain"),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(bytes, b"hello");
}

#[tokio::test]
async fn a_callback_stands_in_the_form_with_its_variables_one_by_one() {
    let server = Server::start(vec![stored(200, "{\"id\": 7}")]).await;
    let form = PostForm { callback: Some(callback()), ..form() };
    let done = server.client().post_object(&key("k"), &slice(b"hello"), &form, None).await.expect("stored");
    let CallbackOutcome::Answered { body, .. } = done.callback else { panic!("{:?}", done.callback) };
    assert_eq!(body, "{\"id\": 7}");
    let seen = server.unsigned();
    let (fields, _) = fields(&seen[0]);
    let field = |name: &str| fields.iter().find(|field| field.0 == name).map(|field| field.1.clone());
    assert_eq!(field("callback"), Some(callback().encode().expect("encoded").callback));
    assert_eq!((field("x:order").as_deref(), field("callback-var")), (Some("42"), None));
    assert_eq!((seen[0].header("x-oss-callback"), seen[0].target.contains("callback")), ("", false));
}

#[tokio::test]
async fn the_answer_to_a_callback_that_came_with_the_policy_is_kept() {
    let server = Server::start(vec![stored(200, "{}")]).await;
    let done = server.client().post_object(&key("k"), &slice(b"hello"), &handed(), None).await.expect("stored");
    assert!(matches!(done.callback, CallbackOutcome::Answered { .. }), "{:?}", done.callback);
}

#[tokio::test]
async fn a_203_is_a_stored_object_with_a_failed_callback() {
    let body = "<Error><Code>CallbackFailed</Code><Message>Error status : 502.</Message><EC>0007-00000203</EC></Error>";
    let server = Server::start(vec![stored(203, body)]).await;
    let done = server.client().post_object(&key("k"), &slice(b"hello"), &handed(), None).await.expect("stored");
    assert!(matches!(done.callback, CallbackOutcome::Failed { ec: Some(_), .. }), "{:?}", done.callback);
}

#[tokio::test]
async fn a_201_says_the_etag_in_its_body_too() {
    let body = "<PostResponse><Bucket>b</Bucket><Location>l</Location><Key>k</Key><ETag>\"F\"</ETag></PostResponse>";
    let server = Server::start(vec![answer(201, &[("x-oss-hash-crc64ecma", &crc64(b"hello"))], body)]).await;
    let form = PostForm { success_status: Some(201), ..form() };
    let done = server.client().post_object(&key("k"), &slice(b"hello"), &form, None).await.expect("stored");
    assert_eq!((done.etag.as_str(), done.callback), ("F", CallbackOutcome::NotRequested));
}

#[tokio::test]
async fn a_lost_form_is_repeated_only_where_that_is_safe() {
    let forbidden = ObjectHeaders { forbid_overwrite: true, ..plain() };
    for (form, requests) in [
        (form(), 2),
        (PostForm { callback: Some(callback()), ..form() }, 1),
        (handed(), 1),
        (PostForm { headers: forbidden, ..form() }, 1),
    ] {
        let server = Server::start(vec![Reply::Lost, stored(204, "")]).await;
        let result = server.client().post_object(&key("k"), &slice(b"hello"), &form, None).await;
        assert_eq!((result.is_ok(), server.unsigned().len()), (requests == 2, requests));
    }
}

#[tokio::test]
async fn a_form_that_cannot_be_right_is_refused_before_sending() {
    let server = Server::start(vec![]).await;
    let twice = PostForm { callback: Some(callback()), ..handed() };
    let tagged = ObjectHeaders { tags: [("k".to_owned(), "v".to_owned())].into(), ..plain() };
    for (name, form) in [
        ("a/${filename}", form()),
        ("k", twice),
        ("k", PostForm { headers: tagged, ..form() }),
        ("k", PostForm { success_status: Some(303), ..form() }),
    ] {
        let error = server.client().post_object(&key(name), &slice(b"hello"), &form, None).await.expect_err("refused");
        assert!(matches!(error, Error::Invalid(_)), "{error}");
    }
    assert!(server.unsigned().is_empty());
}

#[tokio::test]
async fn a_policy_that_has_ended_is_refused_in_oss_words() {
    let server = Server::start(vec![refusal(403, "AccessDenied", "0006-00000204")]).await;
    let client = server.client().with_retry(RetryPolicy::none());
    let error = client.post_object(&key("k"), &slice(b"hello"), &form(), None).await.expect_err("ended");
    assert_eq!((error.service_code(), error.ec()), (Some("AccessDenied"), Some("0006-00000204")));
}

#[test]
fn a_policy_is_taken_as_application_servers_hand_it_over() {
    let fields = |json: &str| serde_json::from_str::<HandedPolicy>(json).expect("policy").fields();
    let names = |json: &str| fields(json).expect("fields").into_iter().map(|field| field.0).collect::<Vec<_>>();
    let v1 = "{\"accessid\":\"ak\",\"policy\":\"eyJ9\",\"signature\":\"c2ln\",\"dir\":\"user-dir/\",\
        \"host\":\"https://b.oss-cn-hangzhou.aliyuncs.com\",\"expire\":\"1446727949\",\"callback\":\"e30=\"}";
    assert_eq!(names(v1), ["policy", "OSSAccessKeyId", "Signature", "callback"]);
    let v4 = "{\"policy\":\"eyJ9\",\"x_oss_signature_version\":\"OSS4-HMAC-SHA256\",\"x_oss_credential\":\"ak/d/r\",\
        \"x_oss_date\":\"20250314T092653Z\",\"signature\":\"ab\",\"security_token\":\"t\",\"expire\":1446727949}";
    let expected = [
        "policy",
        "x-oss-signature-version",
        "x-oss-credential",
        "x-oss-date",
        "x-oss-signature",
        "x-oss-security-token",
    ];
    assert_eq!(names(v4), expected);
    for json in [v1, v4] {
        assert_eq!(serde_json::from_str::<HandedPolicy>(json).expect("policy").expire, Some(1_446_727_949));
    }
    let error = fields("{\"accessid\":\"ak\",\"policy\":\"eyJ9\"}").expect_err("unsigned");
    assert!(error.to_string().contains("Signature"), "{error}");
    let shown = format!("{:?}", serde_json::from_str::<HandedPolicy>(v4).expect("policy"));
    assert!(!shown.contains("eyJ9") && !shown.contains("ab"), "{shown}");
}
