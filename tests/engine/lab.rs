//! The callback lab: what comes in is shown with whose signature it bears, and answered as told.

use std::time::Duration;

use waybill_engine::Code;
use waybill_engine::view::{
    BodyKind, CallbackBadge, CallbackProfileForm, CallbackStudyForm, DestinationForm, LabAnswer, LabView,
    SignatureCheckForm, SignatureKind,
};
use waybill_tests::{LIMIT, TestBed, callback_to};

/// Starts the lab on a free port and has uploads call it.
async fn lab(bed: &mut TestBed) -> String {
    let view = bed.engine().start_lab(0).await.expect("it listens");
    let url = view.url.expect("an address");
    bed.callback(Some(callback_to(&format!("{url}?from=waybill")))).await;
    url
}

async fn post(client: &reqwest::Client, url: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let mut request = client.post(url).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a body"))
}

/// The port of an address that the lab gave.
fn port_of(url: &str) -> u16 {
    url.split([':', '/']).nth(4).and_then(|port| port.parse().ok()).expect("a port")
}

/// Waits until nobody listens there any more.
async fn until_closed(bed: &TestBed, url: &str) {
    let port = port_of(url);
    bed.look_for("a closed port", async || std::net::TcpStream::connect(("127.0.0.1", port)).err()).await;
}

fn answer(status: i64, body: &str, delay_ms: i64) -> LabAnswer {
    LabAnswer { status, content_type: "application/json".into(), body: body.into(), delay_ms }
}

#[tokio::test]
async fn a_callback_of_the_sandbox_is_shown_verified_and_answered_as_told() {
    let mut bed = TestBed::new().await;
    let url = lab(&mut bed).await;
    bed.engine().set_lab_answer(answer(200, r#"{"seen":1}"#, 0)).expect("it can be answered");
    let details = bed.stored(&bed.file("a.jpg", 10)).await;
    assert_eq!(details.callback.answer.as_deref(), Some(r#"{"seen":1}"#));
    let LabView { requests, .. } = bed.engine().lab();
    let [request] = &requests[..] else { panic!("{requests:#?}") };
    assert_eq!((request.no, request.method.as_str(), request.target.as_str()), (1, "POST", "/callback?from=waybill"));
    assert_eq!((request.signature.kind, request.answered), (SignatureKind::Sandbox, 200), "{request:#?}");
    assert!(request.signature.signed.starts_with("/callback?from=waybill\n{\"object\""), "{request:#?}");
    assert!(request.signature.key_url.starts_with(&bed.sandbox.info().endpoint));
    // The same request, pasted: as it was, and with a word changed.
    let lines: Vec<String> =
        request.headers.iter().map(|header| format!("{}: {}", header.name, header.value)).collect();
    let mut form = SignatureCheckForm {
        url: format!("{url}?from=waybill"),
        headers: lines.join("\n"),
        body: request.body.clone(),
    };
    let verdict = bed.engine().check_signature(form.clone()).await.expect("a verdict");
    assert_eq!(verdict.kind, SignatureKind::Sandbox);
    form.body = form.body.replace("a.jpg", "b.jpg");
    assert_eq!(bed.engine().check_signature(form).await.expect("a verdict").kind, SignatureKind::Wrong);
    // And as a server that is broken.
    bed.engine().set_lab_answer(answer(503, "{}", 0)).expect("it can be answered");
    let failed = bed.stored(&bed.file("b.jpg", 10)).await;
    assert!(
        matches!(&failed.row.callback, CallbackBadge::Failed { message, .. } if message.contains("503")),
        "{failed:#?}"
    );
    bed.stop().await;
}

#[tokio::test]
async fn a_probe_sends_what_oss_would_send_and_bears_no_signature() {
    let mut bed = TestBed::new().await;
    let url = lab(&mut bed).await;
    let answer =
        LabAnswer { status: 418, content_type: "text/plain".into(), body: "short and stout".into(), delay_ms: 0 };
    bed.engine().set_lab_answer(answer).expect("it can be answered");
    let path = bed.file("a.jpg", 10);
    let form = CallbackStudyForm {
        form: callback_to(&format!("{url}?from=waybill")),
        path: Some(path.to_str().expect("text").to_owned()),
        destination_id: None,
        resolve: false,
    };
    let probed = bed.engine().probe_server(form.clone()).await.expect("probed");
    assert_eq!((probed.status, probed.body.as_str(), probed.signed_by_oss), (418, "short and stout", false));
    let study = bed.engine().study_callback(form.clone()).await.expect("studied");
    let preview = study.preview.expect("a preview");
    assert_eq!((preview.file.as_str(), study.findings.len()), ("a.jpg", 0), "{:#?}", study.findings);
    // The next upload of that file is called for with the same body, apart from what only OSS knows.
    bed.engine().set_lab_answer(self::answer(200, "{}", 0)).expect("it can be answered");
    bed.stored(&path).await;
    let LabView { requests, .. } = bed.engine().lab();
    assert_eq!((requests.len(), requests[1].signature.kind), (2, SignatureKind::Missing));
    assert_eq!(requests[1].body, preview.body);
    let read = |body: &str| serde_json::from_str::<serde_json::Value>(body).expect("JSON");
    let (mut probe, mut real) = (read(&requests[1].body), read(&requests[0].body));
    assert!(preview.samples.iter().all(|sample| sample.name == "crc64"), "{:?}", preview.samples);
    (probe["crc64"], real["crc64"]) = (0.into(), 0.into());
    assert_eq!(probe, real);
    let nobody = CallbackStudyForm { form: callback_to("http://127.0.0.1:1/cb"), ..form };
    let unanswered = bed.engine().probe_server(nobody).await.expect("probed");
    assert_eq!((unanswered.status, unanswered.problem.map(|problem| problem.code)), (0, Some(Code::Network)));
    bed.stop().await;
}

#[tokio::test]
async fn a_probe_tells_the_whole_answer_asks_no_oss_and_waits_no_longer_than_oss_would() {
    let mut bed = TestBed::new().await;
    let url = lab(&mut bed).await;
    bed.engine().set_lab_answer(answer(200, r#"{"seen":1}"#, 0)).expect("it can be answered");
    let path = bed.file("b.jpg", 4321);
    let study = |form, path: &std::path::Path| CallbackStudyForm {
        form,
        path: Some(path.to_str().expect("text").to_owned()),
        destination_id: None,
        resolve: false,
    };
    let probed = bed.engine().probe_server(study(callback_to(&url), &path)).await.expect("probed");
    assert_eq!((probed.status, probed.body.as_str(), probed.problem), (200, r#"{"seen":1}"#, None));
    let kind = probed.headers.iter().find(|header| header.name == "content-type").map(|header| header.value.as_str());
    assert_eq!(kind, Some("application/json"), "{:?}", probed.headers);
    let LabView { requests, .. } = bed.engine().lab();
    let named = |name: &str| requests[0].headers.iter().find(|header| header.name == name).map(|it| it.value.clone());
    assert_eq!(named("content-type").as_deref(), Some("application/json"), "{requests:#?}");
    assert!(requests[0].body.contains(r#""object":"b.jpg","size":4321"#), "{requests:#?}");
    bed.engine().set_lab_answer(answer(200, "{}", 9_000)).expect("it can be answered");
    let slow = bed.engine().probe_server(study(callback_to(&url), &path)).await.expect("probed");
    assert_eq!((slow.status, slow.problem.map(|problem| problem.code)), (0, Some(Code::Network)));
    assert!((5_000..9_000).contains(&slow.took_ms), "{}", slow.took_ms);
    let unfit = waybill_engine::view::CallbackProfileForm { body: String::new(), ..callback_to(&url) };
    let refused = bed.engine().probe_server(study(unfit, &path)).await.expect_err("OSS would send nothing");
    assert_eq!(refused.code(), Code::Invalid, "{refused}");
    std::fs::remove_file(&path).expect("the file is there");
    let gone = bed.engine().probe_server(study(callback_to(&url), &path)).await.expect_err("no file");
    assert_eq!(gone.code(), Code::SourceGone, "{gone}");
    assert!(bed.sandbox.log().is_empty() && bed.rows().await.is_empty());
    bed.stop().await;
}

#[tokio::test]
async fn what_anybody_sends_is_shown_as_unsigned_and_only_the_last_two_hundred_are_kept() {
    let mut bed = TestBed::new().await;
    let url = lab(&mut bed).await;
    let client = reqwest::Client::new();
    for n in 0..201 {
        assert_eq!(post(&client, &url, &[], &format!("n={n}")).await.0, 200);
    }
    let requests = bed.engine().lab().requests;
    assert_eq!((requests.len(), requests[0].no, requests[199].no), (200, 201, 2));
    assert_eq!((requests[0].body.as_str(), requests[0].signature.kind), ("n=200", SignatureKind::Missing));
    // aHR0cDovLzEyNy4wLjAuMToxL2s= = http://127.0.0.1:1/k, which is not the sandbox's.
    post(&client, &url, &[("authorization", "QUJD"), ("x-oss-pub-key-url", "aHR0cDovLzEyNy4wLjAuMToxL2s=")], "x").await;
    assert_eq!(bed.engine().lab().requests[0].signature.kind, SignatureKind::ForeignKey);
    bed.engine().clear_lab();
    assert!(bed.engine().lab().requests.is_empty());
    bed.stop().await;
}

#[tokio::test]
async fn a_slow_answer_is_cut_short_when_the_engine_stops() {
    let mut bed = TestBed::new().await;
    let url = lab(&mut bed).await;
    bed.engine().set_lab_answer(answer(200, "{}", 60_000)).expect("it can be answered");
    let asking = tokio::spawn(async move { reqwest::Client::new().post(&url).body("x").send().await.map(drop) });
    bed.look_for("the request", async || bed.engine().lab().requests.into_iter().next()).await;
    bed.stop().await;
    // Answered or cut off, but not left waiting.
    let _ = tokio::time::timeout(LIMIT.min(Duration::from_secs(20)), asking).await.expect("it ends");
}

#[tokio::test]
async fn what_cannot_be_listened_on_or_answered_is_refused_in_words() {
    let mut bed = TestBed::new().await;
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = i64::from(taken.local_addr().expect("an address").port());
    for port in [port, -1, 70_000] {
        let refused = bed.engine().start_lab(port).await.expect_err("refused");
        assert_eq!(refused.code(), Code::Invalid, "{refused}");
    }
    assert_eq!(bed.engine().lab().url, None);
    for odd in [answer(199, "", 0), answer(600, "", 0), answer(200, "", -1), answer(200, "", 60_001)] {
        assert_eq!(bed.engine().set_lab_answer(odd).expect_err("refused").code(), Code::Invalid);
    }
    let broken = LabAnswer { content_type: "text/plain\r\nx: y".into(), ..answer(200, "", 0) };
    assert_eq!(bed.engine().set_lab_answer(broken).expect_err("refused").code(), Code::Invalid);
    let url = lab(&mut bed).await;
    bed.engine().stop_lab();
    assert_eq!(bed.engine().lab().url, None);
    until_closed(&bed, &url).await;
    bed.stop().await;
}

#[tokio::test]
async fn a_long_body_is_shown_in_part_and_its_signature_is_checked_over_the_whole() {
    let mut bed = TestBed::new().await;
    let url = lab(&mut bed).await;
    // OSS fills in the key as often as the body names it.
    let callback = CallbackProfileForm {
        body: "${object}".repeat(100),
        body_type: BodyKind::Form,
        variables: Vec::new(),
        ..callback_to(&url)
    };
    let form = DestinationForm {
        key_template: format!("{}/{{path}}", "k".repeat(900)),
        callback: Some(callback),
        ..bed.form("test-secret")
    };
    let destination = bed.engine().save_destination(form).await.expect("saved");
    let no = bed.upload_to(&bed.file("a.jpg", 10), &destination.id).await;
    bed.finished(no).await;
    let LabView { requests, .. } = bed.engine().lab();
    let [request] = &requests[..] else { panic!("{} requests", requests.len()) };
    assert_eq!(request.signature.kind, SignatureKind::Sandbox);
    let whole = 100 * (900 + "/a.jpg".len() as i64);
    assert!(request.whole_bytes >= Some(whole), "{:?} of {whole}", request.whole_bytes);
    assert_eq!((request.body.len(), request.signature.signed.len()), (64 << 10, 64 << 10));
    bed.stop().await;
}

#[tokio::test]
async fn long_bodies_make_the_oldest_go_before_there_are_two_hundred() {
    let mut bed = TestBed::new().await;
    let url = lab(&mut bed).await;
    let (client, long) = (reqwest::Client::new(), "x".repeat(1 << 20));
    for _ in 0..40 {
        assert_eq!(post(&client, &url, &[], &long).await.0, 200);
    }
    let requests = bed.engine().lab().requests;
    let kept: usize = requests.iter().map(|request| request.body.len() + request.signature.signed.len()).sum();
    assert!(kept <= 4 << 20 && requests.len() > 20, "{} of them take {kept} bytes", requests.len());
    assert_eq!((requests[0].no, requests[0].whole_bytes), (40, Some(1 << 20)));
    bed.stop().await;
}

#[tokio::test]
async fn the_port_that_the_lab_has_or_had_can_be_listened_on_again() {
    let mut bed = TestBed::new().await;
    let url = lab(&mut bed).await;
    let port = i64::from(port_of(&url));
    // Its connection stays open, as a server's does that calls often; the others are new.
    let client = reqwest::Client::new();
    post(&client, &url, &[], "1").await;
    let again = bed.engine().start_lab(port).await.expect("it listens again");
    assert_eq!((again.url.as_deref(), again.requests.len()), (Some(url.as_str()), 1));
    post(&reqwest::Client::new(), &url, &[], "2").await;
    bed.engine().stop_lab();
    bed.engine().start_lab(port).await.expect("it listens once more");
    post(&reqwest::Client::new(), &url, &[], "3").await;
    assert_eq!(bed.engine().lab().requests.len(), 3);
    bed.stop().await;
}

#[tokio::test]
async fn of_several_starts_at_once_one_listens() {
    let mut bed = TestBed::new().await;
    let url = lab(&mut bed).await;
    let (engine, port) = (bed.engine().clone(), i64::from(port_of(&url)));
    let (first, second) = tokio::join!(engine.start_lab(port), engine.start_lab(port));
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    let (same, other) = tokio::join!(engine.start_lab(port), engine.start_lab(0));
    let listening = engine.lab().url.expect("one listens");
    for started in [same, other] {
        let url = started.expect("it listened").url.expect("an address");
        let open = std::net::TcpStream::connect(("127.0.0.1", port_of(&url)));
        assert_eq!(open.is_ok(), url == listening, "{url} {open:?}");
    }
    // From one to the other and back, without a pause.
    engine.start_lab(0).await.expect("it listens elsewhere");
    let listening = engine.start_lab(port).await.expect("it listens here again").url.expect("an address");
    assert_eq!(listening, url);
    post(&reqwest::Client::new(), &listening, &[], "x").await;
    bed.stop().await;
}

#[tokio::test]
async fn a_port_that_cannot_be_had_leaves_the_lab_where_it_listens() {
    let mut bed = TestBed::new().await;
    let url = lab(&mut bed).await;
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = i64::from(taken.local_addr().expect("an address").port());
    assert_eq!(bed.engine().start_lab(port).await.expect_err("refused").code(), Code::Invalid);
    assert_eq!(bed.engine().lab().url.as_ref(), Some(&url));
    assert_eq!(post(&reqwest::Client::new(), &url, &[], "x").await.0, 200);
    bed.stop().await;
}
