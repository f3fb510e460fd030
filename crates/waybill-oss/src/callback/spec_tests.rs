//! What is written for a callback, and what is refused before it is sent.

use proptest::prelude::*;

use super::super::lint::LintFacts;
use super::super::preview::ObjectFacts;
use super::*;

fn spec() -> CallbackSpec {
    CallbackSpec {
        urls: vec!["https://app.example.com/cb".to_owned()],
        body: "object=${object}".to_owned(),
        ..CallbackSpec::default()
    }
}

fn decoded(base64: &str) -> Value {
    serde_json::from_slice(&STANDARD.decode(base64).expect("base64")).expect("json")
}

fn refused(spec: &CallbackSpec) -> String {
    spec.encode().expect_err("must be refused").to_string()
}

#[test]
fn headers_say_what_the_sdks_say() {
    let vectors: Value = serde_json::from_str(include_str!("../../tests/fixtures/callback-encode.json")).expect("json");
    let vectors = vectors["vectors"].as_array().expect("vectors");
    assert_eq!(vectors.len(), 10);
    for vector in vectors {
        let input = &vector["input"];
        let text = |name: &str| input[name].as_str().map(str::to_owned);
        let spec = CallbackSpec {
            urls: text("url").expect("url").split(';').map(str::to_owned).collect(),
            host: text("host"),
            body: text("body").expect("body"),
            body_type: if text("contentType").as_deref() == Some("application/json") {
                BodyType::Json
            } else {
                BodyType::Form
            },
            sni: input["callbackSNI"].as_bool().unwrap_or(false),
            variables: input["customValue"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.clone(), value.as_str().map_or(value.to_string(), str::to_owned)))
                .collect(),
            ..CallbackSpec::default()
        };
        let headers = spec.encode().expect("headers");
        // ali-oss encodes an address that is encoded already once more.
        let sdk = if vector["id"] == "encoded-url" { "python" } else { "ali_oss" };
        let read = |name: &str| {
            vector[sdk][name].as_str().map_or(Value::Null, |text| serde_json::from_str(text).expect("json"))
        };
        let mut expected = read("callback_json");
        // The form type is OSS's default; we always name it.
        let fields = expected.as_object_mut().expect("object");
        fields.entry("callbackBodyType").or_insert("application/x-www-form-urlencoded".into());
        assert_eq!(decoded(&headers.callback), expected, "{}", vector["id"]);
        let variables = headers.callback_var.as_deref().map_or(Value::Null, decoded);
        assert_eq!(variables, read("callback_var_json"), "{}", vector["id"]);
    }
}

#[test]
fn an_address_is_encoded_once() {
    assert_eq!(rules::encoded_once("http://a/%E4%B8%AD.php?k=中 文"), "http://a/%E4%B8%AD.php?k=%E4%B8%AD%20%E6%96%87");
    assert_eq!(rules::encoded_once("http://a/100%"), "http://a/100%25");
}

#[test]
fn the_query_is_put_behind_every_address_percent_encoded_and_in_order() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let query = [pair("z", "1"), pair("名", "a/b c&d=e?#"), pair("", "nameless"), pair("a", "")];
    const PAIRS: &str = "z=1&%E5%90%8D=a%2Fb%20c%26d%3De%3F%23&a=";
    for (url, before, behind) in [
        ("http://a/cb", "http://a/cb?", ""),
        ("a", "a?", ""),
        ("http://a/cb?", "http://a/cb?", ""),
        ("http://a/cb?x=é", "http://a/cb?x=%C3%A9&", ""),
        ("http://a/cb?x=1&", "http://a/cb?x=1&", ""),
        ("http://a/cb?x=1#top?é", "http://a/cb?x=1&", "#top?%C3%A9"),
        ("http://a/cb#?", "http://a/cb?", "#?"),
    ] {
        assert_eq!(rules::with_query(url, &query), format!("{before}{PAIRS}{behind}"), "{url}");
        assert_eq!(rules::with_query(url, &[]), rules::encoded_once(url), "{url}");
    }
    let urls = vec!["http://a".to_owned(), " http://b?x ".to_owned()];
    let object =
        decoded(&CallbackSpec { urls, query: query[..1].to_vec(), ..spec() }.encode().expect("encoded").callback);
    assert_eq!(object["callbackUrl"], "http://a?z=1;http://b?x&z=1");
    let stored = CallbackSpec { policy: Some("p".to_owned()), query: query.to_vec(), ..CallbackSpec::default() };
    assert!(refused(&stored).contains("take out"));
}

#[test]
fn an_address_in_the_query_of_an_address_is_no_scheme() {
    let spec = CallbackSpec { urls: vec!["a.example/cb?to=ftp://b".to_owned()], ..spec() };
    assert_eq!(decoded(&spec.encode().expect("encoded").callback)["callbackUrl"], "a.example/cb?to=ftp://b");
}

#[test]
fn addresses_that_oss_refuses_are_refused_in_words() {
    for urls in [
        vec![],
        vec![" "],
        vec!["ftp://a"],
        vec!["https://"],
        vec!["http:///x"],
        vec!["http://a;http://b"],
        vec!["http://a"; 6],
    ] {
        let urls = urls.into_iter().map(str::to_owned).collect();
        assert!(refused(&CallbackSpec { urls, ..spec() }).starts_with("Callback: "));
    }
    let bare = CallbackSpec { urls: vec!["app.example.com/cb".to_owned()], ..spec() };
    assert!(bare.encode().is_ok(), "OSS takes an address without a scheme");
}

#[test]
fn bodies_that_oss_refuses_are_refused() {
    for body in ["", "  ", "price=$5", "a=${object}&b=$"] {
        refused(&CallbackSpec { body: body.to_owned(), ..spec() });
    }
}

#[test]
fn variables_get_their_prefix_and_must_be_lower_case() {
    let with = |names: &[&str]| CallbackSpec {
        variables: names.iter().map(|name| ((*name).to_owned(), "v".to_owned())).collect(),
        ..spec()
    };
    let headers = with(&["order_id", "x:user"]).encode().expect("headers");
    let json = decoded(&headers.callback_var.expect("variables"));
    assert_eq!(json, serde_json::json!({"x:order_id": "v", "x:user": "v"}));
    for names in [&["User"][..], &["x:"], &["a b"], &["a", "x:a"]] {
        refused(&with(names));
    }
}

#[test]
fn more_than_five_kilobytes_is_refused_before_sending() {
    let body = "x".repeat(5000);
    assert!(refused(&CallbackSpec { body, ..spec() }).contains("5120"));
    let variables = BTreeMap::from([("v".to_owned(), "x".repeat(5000))]);
    refused(&CallbackSpec { variables, ..spec() });
}

#[test]
fn hosts_and_ports_that_oss_refuses_are_refused_in_words() {
    for (url, words) in [
        ("http://app.example.com:0/cb", "port"),
        ("http://app.example.com:65536/cb", "port"),
        ("http://app.example.com:http", "port"),
        ("http://app.example.com:", "port"),
        ("http://[2001:db8::1]/cb", "IPv6"),
        ("2001:db8::1", "IPv6"),
        ("http://bücher.example/cb", "xn--"),
        ("http://a b/cb", "letters"),
        ("http://${bucket}.example.com", "letters"),
        ("http://:80/", "host"),
        ("123.456", "neither a name"),
        ("http://0x7f.1/cb", "neither a name"),
        ("http://1.2.3.4./", "neither a name"),
        ("http://xn--a/", "not an address"),
    ] {
        let said = refused(&CallbackSpec { urls: vec![url.to_owned()], ..spec() });
        assert!(said.contains(words), "{url}: {said}");
    }
    for url in ["app.example.com:8080/a:b?c=d:e", "HTTPS://A-b_c.example.com:65535", "10.0.0.1"] {
        assert!(CallbackSpec { urls: vec![url.to_owned()], ..spec() }.encode().is_ok(), "{url}");
    }
}

#[test]
fn a_host_header_is_a_host_and_nothing_else() {
    for host in ["a b", "http://a", "a/b", "a\r\nX: y", "é", "a,b", "[::1]"] {
        assert!(refused(&CallbackSpec { host: Some(host.to_owned()), ..spec() }).contains("not a host"), "{host}");
    }
    assert!(CallbackSpec { host: Some(" a.example.com:80 ".to_owned()), ..spec() }.encode().is_ok());
}

#[test]
fn additional_headers_are_sent_in_lower_case_and_checked() {
    let with = |pairs: &[(&str, &str)]| CallbackSpec {
        additional_headers: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..spec()
    };
    let object = decoded(&with(&[("X-App", "1"), ("key2", "v")]).encode().expect("encoded").callback);
    assert_eq!(object["additionalHeaders"], serde_json::json!({"x-app": "1", "key2": "v"}));
    for (name, value) in [("x-oss-a", "1"), ("X-OSS-B", "1"), ("", "1"), ("a_b", "1"), ("&*", "1"), ("a", "1\r\n")] {
        refused(&with(&[(name, value)]));
    }
    refused(&with(&[("a", "1"), ("A", "2")]));
    let many: Vec<String> = (0..11).map(|n| format!("h{n}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "v")).collect();
    assert!(refused(&with(&many)).contains("ten") && with(&many[1..]).encode().is_ok());
}

#[test]
fn a_callback_stored_with_the_bucket_is_named_and_nothing_else() {
    let stored = CallbackSpec { policy: Some("test_2".to_owned()), ..CallbackSpec::default() };
    assert_eq!(decoded(&stored.encode().expect("encoded").callback), serde_json::json!({"callbackPolicy": "test_2"}));
    assert!(refused(&CallbackSpec { policy: Some("test_2".to_owned()), ..spec() }).contains("take out"));
    for besides in [
        CallbackSpec { sni: true, ..stored.clone() },
        CallbackSpec { host: Some("app.example.com".to_owned()), ..stored.clone() },
        CallbackSpec { body_type: BodyType::Json, ..stored.clone() },
        CallbackSpec { urls: vec!["app.example.com".to_owned()], ..stored.clone() },
    ] {
        assert!(refused(&besides).contains("take out"), "{besides:?}");
    }
    let blank = || Some(" ".to_owned());
    let blanks = CallbackSpec { urls: vec![" ".to_owned()], body: "\n".to_owned(), host: blank(), ..stored.clone() };
    assert_eq!(blanks.encode().expect("nothing besides"), stored.encode().expect("stored"));
}

#[test]
fn each_carrier_says_the_same_in_its_own_place() {
    let spec = CallbackSpec { variables: BTreeMap::from([("order".to_owned(), "4 2".to_owned())]), ..spec() };
    let encoded = spec.encode().expect("encoded");
    let of = |carrier| spec.carried(carrier).expect("carried");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let variables = encoded.callback_var.as_deref().expect("variables");
    assert_eq!(
        of(CallbackCarrier::Header),
        [pair("x-oss-callback", &encoded.callback), pair("x-oss-callback-var", variables)]
    );
    assert_eq!(of(CallbackCarrier::Query), [pair("callback", &encoded.callback), pair("callback-var", variables)]);
    assert_eq!(of(CallbackCarrier::Form), [pair("callback", &encoded.callback), pair("x:order", "4 2")]);
}

#[test]
fn a_spec_kept_by_an_earlier_version_is_read() {
    let old =
        "{\"urls\":[\"http://a\"],\"host\":null,\"body\":\"b\",\"bodyType\":\"form\",\"sni\":false,\"variables\":{}}";
    let spec: CallbackSpec = serde_json::from_str(old).expect("old");
    assert!(spec.additional_headers.is_empty() && spec.policy.is_none());
}

proptest! {
    #[test]
    fn what_is_encoded_is_what_was_said(
        paths in proptest::collection::vec("[ -:<-~é文]{0,20}", 1..=5),
        body in "[^$\\pC]{1,40}",
        names in proptest::collection::btree_map("[a-z][a-z0-9_]{0,8}", "\\PC{0,20}", 0..4),
        sni in any::<bool>(),
        json in any::<bool>(),
    ) {
        prop_assume!(!body.trim().is_empty());
        let spec = CallbackSpec {
            urls: paths.iter().map(|path| format!("http://app.example.com/{path}")).collect(),
            body: format!("{body}${{object}}"),
            body_type: if json { BodyType::Json } else { BodyType::Form },
            sni,
            variables: names.clone(),
            ..CallbackSpec::default()
        };
        let encoded = spec.encode().expect("encoded");
        let object = decoded(&encoded.callback);
        prop_assert_eq!(object["callbackBody"].as_str(), Some(&*spec.body));
        prop_assert_eq!(object["callbackSNI"].as_bool().unwrap_or(false), sni);
        prop_assert_eq!(object["callbackBodyType"].as_str(), Some(spec.body_type.content_type()));
        let joined = object["callbackUrl"].as_str().expect("url");
        prop_assert!(joined.bytes().all(|byte| byte.is_ascii_graphic()));
        prop_assert_eq!(joined.split(';').count(), paths.len());
        for url in joined.split(';') {
            prop_assert_eq!(rules::encoded_once(url), url, "encoding again must change nothing");
        }
        let variables: BTreeMap<String, String> = match &encoded.callback_var {
            Some(text) => serde_json::from_value(decoded(text)).expect("texts"),
            None => BTreeMap::new(),
        };
        let expected: BTreeMap<String, String> =
            names.into_iter().map(|(name, value)| (format!("x:{name}"), value)).collect();
        prop_assert_eq!(variables, expected);
    }

    #[test]
    fn no_spec_makes_the_encoder_panic(url in "\\PC{0,30}", host in "\\PC{0,10}", body in "[${}x:a]{0,12}", name in "\\PC{0,8}") {
        let spec = CallbackSpec {
            urls: vec![url],
            host: Some(host),
            body,
            variables: BTreeMap::from([(name.clone(), name.clone())]),
            additional_headers: BTreeMap::from([(name.clone(), name)]),
            ..CallbackSpec::default()
        };
        let _ = (spec.encode(), spec.lint(&LintFacts::default()), spec.preview(&ObjectFacts::default()));
    }
}
