//! The preview is what a receiver gets: values, samples, target, headers.

use proptest::prelude::*;

use super::*;

fn spec(body: &str) -> CallbackSpec {
    CallbackSpec {
        urls: vec!["http://app.example.com:8080/cb".to_owned()],
        body: body.to_owned(),
        ..CallbackSpec::default()
    }
}

fn known(text: &str) -> Fact<String> {
    Fact::Known(text.to_owned())
}

/// A film that was sent with PutObject.
fn film() -> ObjectFacts {
    ObjectFacts {
        bucket: known("examplebucket"),
        object: known("a/b c+\"中\".mp4"),
        size: Fact::Known(108_904),
        mime_type: known("video/mp4"),
        image: Fact::Missing,
        vpc_id: Fact::Missing,
        crc64: Fact::Known(u64::MAX),
        ..ObjectFacts::default()
    }
}

fn headers<'a>(preview: &'a CallPreview, name: &str) -> Vec<&'a str> {
    preview.headers.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str()).collect()
}

#[test]
fn a_form_gets_percent_encoded_values_slash_included_and_nothing_for_the_missing() {
    let body = "f=${object}&s=${size}&m=${mimeType}&h=${imageInfo.height}&c=${crc64}&x=${x:none}&v=${vpcId}&n=a+b";
    let preview = spec(body).preview(&film()).expect("preview");
    assert_eq!(
        preview.body,
        "f=a%2Fb%20c%2B%22%E4%B8%AD%22.mp4&s=108904&m=video%2Fmp4&h=&c=18446744073709551615&x=&v=&n=a+b"
    );
    assert!(preview.samples.is_empty());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(preview.decoded[..3], [pair("f", "a/b c+\"中\".mp4"), pair("s", "108904"), pair("m", "video/mp4")]);
    assert_eq!(preview.decoded[7], pair("n", "a b"));
    assert_eq!(headers(&preview, "Content-Type"), ["application/x-www-form-urlencoded"]);
    assert_eq!(headers(&preview, "Content-Length"), [preview.body.len().to_string()]);
}

#[test]
fn json_gets_quoted_texts_bare_numbers_and_null_for_the_missing() {
    let body = r#"{"o":${object},"s":${size},"v":${x:v},"w":${imageInfo.width},"f":${imageInfo.format},"q":${nobody}}"#;
    let mut spec = CallbackSpec { body_type: BodyType::Json, ..spec(body) };
    spec.variables.insert("v".to_owned(), "a\"b\\c\n".to_owned());
    let preview = spec.preview(&film()).expect("preview");
    assert_eq!(preview.body, r#"{"o":"a/b c+\"中\".mp4","s":108904,"v":"a\"b\\c\n","w":null,"f":null,"q":null}"#);
    assert!(preview.decoded.is_empty());
    let image =
        ObjectFacts { image: Fact::Known(ImageFacts { width: 3, height: 2, format: "png".to_owned() }), ..film() };
    let body = spec.preview(&image).expect("preview").body;
    assert!(body.contains(r#""w":3,"f":"png""#), "{body}");
}

#[test]
fn what_only_oss_knows_is_a_marked_sample() {
    for (body_type, etag) in
        [(BodyType::Form, "5B3C1A2E053D763E1B002CC607C5A0FE"), (BodyType::Json, "\"5B3C1A2E053D763E1B002CC607C5A0FE\"")]
    {
        let spec = CallbackSpec { body_type, ..spec("${object} ${etag}中${x:v} ${reqId}") };
        let preview = spec.preview(&film()).expect("preview");
        let marked: Vec<_> =
            preview.samples.iter().map(|sample| (sample.name.as_str(), &preview.body[sample.at.clone()])).collect();
        assert_eq!(marked.len(), 2, "{marked:?}");
        assert_eq!(marked[0], ("etag", etag));
        assert_eq!(marked[1].0, "reqId");
    }
}

#[test]
fn every_variable_of_oss_has_a_sample_and_no_other_has() {
    for name in template::KNOWN {
        let preview = spec(&format!("v=${{{name}}}")).preview(&ObjectFacts::default()).expect("preview");
        assert_eq!(preview.samples.len(), 1, "{name}");
        assert!(!preview.decoded[0].1.is_empty(), "{name}");
    }
    let preview = spec("v=${Object}${x:v}").preview(&ObjectFacts::default()).expect("preview");
    assert_eq!((preview.body.as_str(), preview.samples.len()), ("v=", 0));
}

#[test]
fn the_request_goes_to_the_first_address_with_the_query_behind_it() {
    let mut spec = spec("b");
    for (url, line, host, whole) in [
        ("http://app.example.com:8080/cb", "/cb?k=%2F", "app.example.com:8080", "http://app.example.com:8080/cb?k=%2F"),
        ("APP.example.com", "/?k=%2F", "app.example.com", "http://app.example.com/?k=%2F"),
        (
            " https://a.example:443/中 x?q=é#top",
            "/%E4%B8%AD%20x?q=%C3%A9&k=%2F",
            "a.example",
            "https://a.example/%E4%B8%AD%20x?q=%C3%A9&k=%2F",
        ),
        (
            "a.example/?to=http://b.example",
            "/?to=http://b.example&k=%2F",
            "a.example",
            "http://a.example/?to=http://b.example&k=%2F",
        ),
    ] {
        spec.urls = vec![" ".to_owned(), url.to_owned(), "http://second.example".to_owned()];
        spec.query = vec![("k".to_owned(), "/".to_owned())];
        let preview = spec.preview(&film()).expect("preview");
        assert_eq!(preview.request_line, format!("POST {line} HTTP/1.1"), "{url}");
        assert_eq!((headers(&preview, "Host")[0], preview.url.as_str()), (host, whole), "{url}");
    }
}

#[test]
fn headers_that_oss_writes_itself_are_not_shown_twice() {
    let mut spec = spec("b");
    for name in rules::HEADERS_OF_OSS.into_iter().chain(["X-App", "Host"]) {
        spec.additional_headers.insert(name.to_owned(), "mine".to_owned());
    }
    let names = |preview: &CallPreview| preview.headers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let preview = spec.preview(&film()).expect("preview");
    assert_eq!(names(&preview), ["Host", "Content-Type", "Content-Length", "x-app"]);
    assert_eq!(headers(&preview, "Host"), ["mine"]);
    spec.host = Some(" own.example:81 ".to_owned());
    let preview = spec.preview(&film()).expect("preview");
    assert_eq!(names(&preview).len(), 4);
    assert_eq!(headers(&preview, "Host"), ["own.example:81"]);
}

#[test]
fn both_carried_headers_are_shown_decoded_and_as_they_are_sent() {
    let mut spec = spec("b=${x:v}");
    assert_eq!(spec.preview(&film()).expect("preview").callback_var, None);
    spec.variables.insert("v".to_owned(), "中".to_owned());
    let preview = spec.preview(&film()).expect("preview");
    let encoded = spec.encode().expect("encoded");
    assert_eq!(preview.callback.base64, encoded.callback);
    assert!(preview.callback.json.contains("\"callbackBody\":\"b=${x:v}\""), "{}", preview.callback.json);
    let variables = preview.callback_var.expect("variables");
    assert_eq!((Some(variables.base64), variables.json.as_str()), (encoded.callback_var, "{\"x:v\":\"中\"}"));
}

#[test]
fn what_is_refused_has_no_preview_and_says_why() {
    let said = |spec: CallbackSpec| spec.preview(&film()).expect_err("no preview").to_string();
    assert!(said(spec("")).contains("empty"));
    assert!(said(CallbackSpec { urls: Vec::new(), ..spec("b") }).contains("missing"));
    let stored = CallbackSpec { policy: Some("p".to_owned()), ..CallbackSpec::default() };
    assert!(said(stored).contains("not known"));
}

proptest! {
    #[test]
    fn a_server_reads_out_of_a_form_what_was_put_in(key in "\\PC{1,20}", value in "\\PC{0,20}") {
        let mut spec = spec("k=${object}&v=${x:v}");
        spec.variables.insert("v".to_owned(), value.clone());
        let facts = ObjectFacts { object: Fact::Known(key.clone()), ..film() };
        let preview = spec.preview(&facts).expect("preview");
        prop_assert_eq!(preview.decoded, [("k".to_owned(), key.clone()), ("v".to_owned(), value.clone())]);
        let spec = CallbackSpec { body_type: BodyType::Json, body: "[${object},${x:v}]".to_owned(), ..spec };
        let preview = spec.preview(&facts).expect("preview");
        prop_assert_eq!(serde_json::from_str::<(String, String)>(&preview.body).expect("json"), (key, value));
    }
}
