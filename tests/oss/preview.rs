//! What is shown beforehand is what the sandbox then POSTs, apart from the samples.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use waybill_oss::callback_preview::{CallPreview, Fact, ImageFacts, ObjectFacts};
use waybill_oss::{BodyType, CallbackSpec, ObjectHeaders, SignatureVersion};
use waybill_sandbox::ReceivedCallback;

use crate::lab::{Lab, key, slice};

const CASES: usize = 200;

/// One file, and the callback that is asked for.
#[derive(Clone, Debug)]
struct Case {
    key: String,
    content: Vec<u8>,
    mime_type: &'static str,
    image: Option<(u32, u32)>,
    spec: CallbackSpec,
}

fn body() -> impl Strategy<Value = String> {
    const PLACES: [&str; 18] = [
        "${bucket}",
        "${object}",
        "${etag}",
        "${size}",
        "${mimeType}",
        "${imageInfo.height}",
        "${imageInfo.width}",
        "${imageInfo.format}",
        "${crc64}",
        "${contentMd5}",
        "${vpcId}",
        "${clientIp}",
        "${reqId}",
        "${operation}",
        "${x:v}",
        "${x:unset}",
        "${Object}",
        "${x:w}",
    ];
    let piece = prop_oneof![3 => select(&PLACES[..]).prop_map(str::to_owned), 2 => "[ -#%-~é中\\n]{0,8}"];
    proptest::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

fn text() -> impl Strategy<Value = String> {
    "[ -~é中🎬\\n\\t\"\\\\/+%&=]{0,12}"
}

prop_compose! {
    fn case(receiver: String)(
        name in "[a-zA-Z0-9 +%&=\"'é中🎬_-]{1,16}",
        mime_type in select(&["text/plain", "image/png", "application/octet-stream", "video/mp4; codecs=\"a,b\""][..]),
        content in proptest::collection::vec(any::<u8>(), 0..40),
        image in proptest::option::of((1..5000_u32, 1..5000_u32)),
        path in select(&["", "/../callback", "?x=1", "?", "?k=é中 '\"<>|", "?a=%2F&b=/+~", "#top", "?q#中"][..]),
        query in proptest::collection::vec(("[a-z é/&]{0,4}", "[ -~é中]{0,6}"), 0..3),
        host in proptest::option::of(select(&["app.example.com", "app.example.com:8080", " 10.1.2.3 "][..])),
        body in body(),
        json in any::<bool>(),
        value in text(),
        other in text(),
        headers in proptest::collection::btree_map("[A-Z][a-z0-9-]{0,6}", "[!-~]{0,8}", 0..3),
        reserved in proptest::option::of(select(&["Content-Type", "date", "User-Agent", "host"][..])),
    ) -> Case {
        let mut additional_headers = headers;
        additional_headers.extend(reserved.map(|name| (name.to_owned(), "mine".to_owned())));
        let content = image.map_or(content, |(width, height)| png(width, height));
        let spec = CallbackSpec {
            urls: vec![format!("{receiver}{path}"), "http://second.example".to_owned()],
            query,
            host: host.map(str::to_owned),
            body,
            body_type: if json { BodyType::Json } else { BodyType::Form },
            additional_headers,
            variables: [("v".to_owned(), value), ("x:w".to_owned(), other)].into(),
            ..CallbackSpec::default()
        };
        Case { key: format!("k/{name}"), content, mime_type, image, spec }
    }
}

/// As much of an image as its size is read off.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 6, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// The wire has what the preview has, in the same order, with something else only where a sample stands.
fn same_but_for_samples(preview: &CallPreview, wire: &str) -> bool {
    let (mut rest, mut behind) = (wire, 0);
    for (no, sample) in preview.samples.iter().enumerate() {
        let text = &preview.body[behind..sample.at.start];
        let found = if no == 0 { rest.starts_with(text).then_some(0) } else { rest.find(text) };
        let Some(at) = found else { return false };
        rest = &rest[at + text.len()..];
        behind = sample.at.end;
    }
    let last = &preview.body[behind..];
    if preview.samples.is_empty() { rest == last } else { rest.ends_with(last) }
}

fn compare(case: &Case, preview: &CallPreview, wire: &ReceivedCallback) {
    assert_eq!(preview.request_line, format!("POST {} HTTP/1.1", wire.path_and_query), "{case:?}");
    for (name, value) in &preview.headers {
        let exact = preview.samples.is_empty() || name != "Content-Length";
        // The sandbox's HTTP library leaves the length of an empty body out.
        let unsaid = if name == "Content-Length" { Some("0") } else { None };
        let sent = wire.headers.get(&name.to_ascii_lowercase()).map(String::as_str).or(unsaid);
        assert!(!exact || sent == Some(value), "{name}: {value}, but {sent:?}: {case:?}");
    }
    assert!(same_but_for_samples(preview, &wire.body), "{}\n{}\n{case:?}", preview.body, wire.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_preview_is_what_is_sent_apart_from_marked_samples() {
    let lab = Lab::new().await;
    let client = lab.client(SignatureVersion::V4);
    let (cases, mut runner) = (case(lab.receiver("")), TestRunner::default());
    let mut with_samples = 0;
    for _ in 0..CASES {
        let case = cases.new_tree(&mut runner).expect("a case").current();
        if case.spec.encode().is_err() {
            continue;
        }
        let known = |text: &str| Fact::Known(text.to_owned());
        // All that a preview can know; the rest only OSS knows.
        let mut facts = ObjectFacts {
            bucket: known("bucket"),
            object: known(&case.key),
            size: Fact::Known(case.content.len() as u64),
            mime_type: known(case.mime_type),
            image: case.image.map_or(Fact::Missing, |(width, height)| {
                Fact::Known(ImageFacts { width: width.into(), height: height.into(), format: "png".to_owned() })
            }),
            vpc_id: Fact::Missing,
            operation: known("PutObject"),
            ..ObjectFacts::default()
        };
        let before = case.spec.preview(&facts).expect("a preview");
        with_samples += usize::from(!before.samples.is_empty());
        let headers = ObjectHeaders::of_type(Some(case.mime_type));
        let (name, file) = (key(&case.key), slice(&case.content));
        let stored = client.put_object(&name, &file, &headers, Some(&case.spec), None).await;
        let stored = stored.unwrap_or_else(|error| panic!("{error}: {case:?}"));
        let wire = lab.last_callback();
        compare(&case, &before, &wire);
        // With what only OSS knows, it is the same to the byte.
        facts.etag = known(&stored.etag);
        facts.req_id = known(&stored.request_id);
        facts.client_ip = known("127.0.0.1");
        facts.crc64 = stored.crc64.map_or(Fact::Missing, Fact::Known);
        if !case.spec.body.contains("${contentMd5}") {
            let after = case.spec.preview(&facts).expect("a preview");
            assert!(after.samples.is_empty(), "{case:?}");
            compare(&case, &after, &wire);
        }
    }
    assert!(with_samples > CASES / 10, "{with_samples}");
    lab.sandbox.stop().await;
}
