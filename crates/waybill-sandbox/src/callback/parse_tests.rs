//! Every way a callback can be ordered wrongly, and the EC it gets.

use reqwest::Url;
use serde_json::json;

use super::*;
use crate::callback::BodyType;

const URL: &str = "http://127.0.0.1:1/cb";

fn order(callback: &str, variables: Option<&str>) -> Result<Order, OssError> {
    let mut headers = HeaderMap::new();
    headers.insert("x-oss-callback", callback.parse().expect("value"));
    if let Some(variables) = variables {
        headers.insert("x-oss-callback-var", variables.parse().expect("value"));
    }
    parse(&headers, &Target::default()).map(|order| order.expect("ordered"))
}

fn of(fields: Value) -> Result<Order, OssError> {
    order(&BASE64_STANDARD.encode(fields.to_string()), None)
}

fn with(name: &str, value: Value) -> Result<Order, OssError> {
    let mut fields = json!({"callbackUrl": URL, "callbackBody": "a=${object}"});
    fields[name] = value;
    of(fields)
}

fn variables(fields: Value) -> Result<Order, OssError> {
    let callback = BASE64_STANDARD.encode(json!({"callbackUrl": URL, "callbackBody": "v=${x:v}"}).to_string());
    order(&callback, Some(&BASE64_STANDARD.encode(fields.to_string())))
}

/// ArgumentName and ArgumentValue.
fn extra(error: &OssError) -> (String, String) {
    let document = error.document("R", "h");
    let element = |name: &str| {
        let text = document.split(&format!("<{name}>")).nth(1).and_then(|rest| rest.split("</").next()).expect(name);
        quick_xml::escape::unescape(text).expect("text").into_owned()
    };
    (element("ArgumentName"), element("ArgumentValue"))
}

#[track_caller]
fn refused(result: Result<Order, OssError>, ec: &str) {
    let error = result.expect_err("must be refused");
    assert_eq!((error.status, error.code.as_ref(), error.ec), (400, "InvalidArgument", Some(ec)), "{}", error.message);
}

#[test]
fn no_callback_is_no_order() {
    assert_eq!(parse(&HeaderMap::new(), &Target::default()).expect("fine"), None);
}

#[test]
fn header_and_query_carry_the_same_order_and_both_at_once_are_refused() {
    let callback = BASE64_STANDARD.encode(json!({"callbackUrl": URL, "callbackBody": "a=1"}).to_string());
    let in_query = Target { query: vec![("callback".into(), callback.clone())], ..Target::default() };
    let from_query = parse(&HeaderMap::new(), &in_query).expect("fine").expect("ordered");
    assert_eq!(from_query, order(&callback, None).expect("fine"));
    let mut headers = HeaderMap::new();
    headers.insert("x-oss-callback", callback.parse().expect("value"));
    assert_eq!(parse(&headers, &in_query).unwrap_err().ec, Some("0007-00000027"));
    headers.insert("x-oss-callback-var", "e30=".parse().expect("value"));
    let in_query = Target { query: vec![("callback-var".into(), "e30=".into())], ..Target::default() };
    assert_eq!(parse(&headers, &in_query).unwrap_err().ec, Some("0007-00000127"));
}

#[test]
fn broken_base64_broken_json_and_too_long_values_have_their_own_cause() {
    refused(order("***", None), "0007-00000002");
    refused(order(&BASE64_STANDARD.encode("{"), None), "0007-00000003");
    refused(order(&BASE64_STANDARD.encode("[]"), None), "0007-00000003");
    refused(order(&"A".repeat(5121), None), "0007-00000001");
    let callback = BASE64_STANDARD.encode(json!({"callbackUrl": URL, "callbackBody": "a"}).to_string());
    refused(order(&callback, Some("***")), "0007-00000102");
    refused(order(&callback, Some(&BASE64_STANDARD.encode("nope"))), "0007-00000103");
    refused(order(&callback, Some(&"A".repeat(5121))), "0007-00000101");
}

#[test]
fn broken_arguments_are_named_with_their_value_in_the_words_of_oss() {
    let error = order("x123-*&", None).unwrap_err();
    assert_eq!(error.message, "The callback configuration is not base64 encoded.");
    assert_eq!(extra(&error), ("callback".into(), "x123-*&".into()));
    // The value is shown without its Base64, so that people see the quotes they forgot to escape.
    let text = r#"{"callbackBody":"{"bucket":${bucket}}"}"#;
    let error = order(&BASE64_STANDARD.encode(text), None).unwrap_err();
    assert_eq!(error.message, "The callback configuration is not json format.");
    assert_eq!(extra(&error), ("callback".into(), text.into()));
    let error = with("callbackBody", json!("size=${size}&my_var=$x:my_var}")).unwrap_err();
    assert_eq!(error.message, "Left brace must be adjacent to dollar sign.");
    assert_eq!(extra(&error), ("ReplaceKeyPrefix".into(), "size=${size}&my_var=$x:my_var}".into()));
    assert_eq!(with("callbackBody", json!("")).unwrap_err().message, "The callback body is empty.");
    assert_eq!(order(&"A".repeat(5121), None).unwrap_err().message, "The length of callback exceed max value.");
}

#[test]
fn five_kilobytes_are_not_too_long() {
    let fields = |length: usize| json!({"callbackUrl": URL, "callbackBody": "a".repeat(length)}).to_string();
    let room = 5120 / 4 * 3 - fields(0).len();
    let longest = BASE64_STANDARD.encode(fields(room));
    assert_eq!(longest.len(), 5120);
    assert!(order(&longest, None).is_ok());
    refused(order(&BASE64_STANDARD.encode(fields(room + 1)), None), "0007-00000001");
}

#[test]
fn base64_without_padding_in_url_alphabet_or_with_a_line_break_is_refused() {
    let good = BASE64_STANDARD.encode(json!({"callbackUrl": URL, "callbackBody": "a=??"}).to_string());
    assert!(order(&good, None).is_ok() && good.ends_with('=') && good.contains(['+', '/']), "{good}");
    refused(order(&good.replace('+', "-").replace('/', "_"), None), "0007-00000002");
    refused(order(good.trim_end_matches('='), None), "0007-00000002");
    let target = Target { query: vec![("callback".into(), format!("{good}\n"))], ..Target::default() };
    refused(parse(&HeaderMap::new(), &target).map(|order| order.expect("ordered")), "0007-00000002");
}

#[test]
fn up_to_five_urls_with_or_without_scheme_are_taken() {
    let order = with("callbackUrl", json!("http://a/1;b.example.com:81/2;https://c/3?x=1;d;e")).expect("fine");
    let urls: Vec<&str> = order.urls.iter().map(Url::as_str).collect();
    assert_eq!(urls, ["http://a/1", "http://b.example.com:81/2", "https://c/3?x=1", "http://d/", "http://e/"]);
    refused(with("callbackUrl", json!("a;b;c;d;e;f")), "0007-00000005");
}

#[test]
fn a_bad_url_is_refused() {
    for url in
        ["", "http://", "ftp://a/", "http://a:99999/", "http://[::1]/", "http://a/中文", "http://a/b c", "http://a/;"]
    {
        refused(with("callbackUrl", json!(url)), "0007-00000004");
    }
    for url in ["www.callback-example.com:test", "http://a:-1/", "[::1]:80/cb", "http:///path"] {
        refused(with("callbackUrl", json!(url)), "0007-00000004");
    }
    refused(of(json!({"callbackBody": "a"})), "0007-00000004");
    refused(with("callbackUrl", json!(["http://a/"])), "0007-00000004");
}

#[test]
fn an_empty_body_and_a_bare_dollar_are_refused() {
    refused(of(json!({"callbackUrl": URL})), "0007-00000011");
    refused(with("callbackBody", json!("")), "0007-00000011");
    refused(with("callbackBody", json!([1, 2, 3])), "0007-00000010");
    refused(with("callbackBody", json!("cost=$5")), "0007-00000105");
    refused(with("callbackBody", json!("a=${object")), "0007-00000105");
}

#[test]
fn a_host_that_a_url_library_would_turn_into_an_address_has_no_ip() {
    for url in ["123.456", "http://0x7f.1/cb", "http://2130706433/", "http://user@127.1:80/?a"] {
        let error = with("callbackUrl", json!(url)).unwrap_err();
        assert_eq!(
            (error.ec, error.message.as_str()),
            (Some("0007-00000007"), "Can not get ip by this host."),
            "{url}"
        );
        assert_eq!(extra(&error), ("callbackUrl".into(), url.into()));
    }
    for url in ["127.0.0.1:8088/test.php", "http://u:p@127.0.0.1:80/?a@b", "https://121.43.113.8", "1.2.3.4.example"] {
        assert!(with("callbackUrl", json!(url)).is_ok(), "{url}");
    }
}

#[test]
fn the_host_must_be_a_name_or_an_address() {
    assert_eq!(
        with("callbackHost", json!("app.example.com:81")).expect("fine").host.expect("there"),
        "app.example.com:81"
    );
    assert_eq!(with("callbackHost", json!("")).expect("fine").host, None);
    refused(with("callbackHost", json!([1, 2, 3])), "0007-00000009");
    refused(with("callbackHost", json!("a b")), "0007-00000009");
    refused(with("callbackHost", json!("a\r\nx: y")), "0007-00000009");
}

#[test]
fn a_variable_without_prefix_with_upper_case_or_with_a_number_is_refused() {
    assert_eq!(variables(json!({"x:v": "1"})).expect("fine").variables["x:v"], "1");
    refused(variables(json!({"v": "1"})), "0007-00000105");
    refused(variables(json!({"x:": "1"})), "0007-00000105");
    refused(variables(json!({"x:V": "1"})), "0007-00000105");
    refused(variables(json!({"x:v": 1})), "0007-00000103");
}

#[test]
fn additional_headers_are_taken_but_none_of_oss() {
    let order = with("additionalHeaders", json!({"X-App": "1", "key2": ""})).expect("fine");
    let taken: Vec<_> =
        order.additional_headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    assert_eq!(taken, [("x-app", &b"1"[..]), ("key2", b"")]);
    refused(with("additionalHeaders", json!({"x-oss-tag": "1"})), "0007-00000026");
    refused(with("additionalHeaders", json!({"X-OSS-Tag": "1"})), "0007-00000026");
}

#[test]
fn additional_headers_that_are_no_headers_are_refused() {
    refused(with("additionalHeaders", json!(123)), "0007-00000021");
    refused(with("additionalHeaders", json!({"a": 1})), "0007-00000021");
    let many =
        |count: usize| -> Value { (0..count).map(|n| (format!("key{n}"), json!("v"))).collect::<Map<_, _>>().into() };
    assert_eq!(with("additionalHeaders", many(10)).expect("fine").additional_headers.len(), 10);
    refused(with("additionalHeaders", many(11)), "0007-00000022");
    refused(with("additionalHeaders", json!({"": "v"})), "0007-00000023");
    refused(with("additionalHeaders", json!({"&*": "v"})), "0007-00000024");
    refused(with("additionalHeaders", json!({"a_b": "v"})), "0007-00000024");
    refused(with("additionalHeaders", json!({"key1": "\r\n"})), "0007-00000025");
}

#[test]
fn another_body_type_is_refused() {
    assert_eq!(with("callbackBodyType", json!("application/json")).expect("fine").body_type, BodyType::Json);
    refused(with("callbackBodyType", json!("image/jpg")), "0007-00000013");
    refused(with("callbackBodyType", json!(123)), "0007-00000012");
}

#[test]
fn sni_is_off_unless_it_is_true_and_a_text_is_no_boolean() {
    assert!(!with("x", json!("")).expect("fine").sni);
    assert!(!with("callbackSNI", json!(false)).expect("fine").sni);
    assert!(with("callbackSNI", json!(true)).expect("fine").sni);
    for wrong in [json!("true"), json!(123), json!(null)] {
        let error = with("callbackSNI", wrong).unwrap_err();
        assert_eq!((error.status, error.message.as_str()), (400, "The callback sni is invalid."));
    }
}

#[test]
fn a_stored_policy_is_not_there() {
    assert_eq!(of(json!({"callbackPolicy": "p"})).unwrap_err().status, 400);
}

fn form(fields: &[(&str, &str)]) -> Result<Option<Order>, OssError> {
    parse_form(fields.iter().copied())
}

#[test]
fn a_form_carries_the_callback_in_base64_and_its_variables_bare() {
    let callback = BASE64_STANDARD.encode(json!({"callbackUrl": URL, "callbackBody": "v=${x:v}"}).to_string());
    assert_eq!(form(&[("key", "k"), ("x:v", "1")]).expect("fine"), None);
    let order =
        form(&[("key", "k"), ("x:v", "值 1"), ("callback", &callback), ("x:w", "")]).expect("fine").expect("ordered");
    assert_eq!(order.urls, [Url::parse(URL).expect("URL")]);
    assert_eq!(order.variables, [("x:v".to_owned(), "值 1".to_owned()), ("x:w".to_owned(), String::new())].into());
    let encoded = BASE64_STANDARD.encode(json!({"x:v": "from callback-var", "x:other": "2"}).to_string());
    let order =
        form(&[("callback-var", &encoded), ("callback", &callback), ("x:v", "own")]).expect("fine").expect("ordered");
    assert_eq!((order.variables["x:v"].as_str(), order.variables["x:other"].as_str()), ("own", "2"));
}

#[test]
fn a_broken_form_is_refused_as_a_broken_header_is() {
    let wanted = |result: Result<Option<Order>, OssError>| result.map(|order| order.expect("ordered"));
    let callback = BASE64_STANDARD.encode(json!({"callbackUrl": URL, "callbackBody": "a"}).to_string());
    refused(wanted(form(&[("callback", "***")])), "0007-00000002");
    refused(wanted(form(&[("callback", &"A".repeat(5121))])), "0007-00000001");
    refused(wanted(form(&[("callback", &callback), ("callback-var", "***")])), "0007-00000102");
    refused(wanted(form(&[("callback", &callback), ("callback-var", &"A".repeat(5121))])), "0007-00000101");
    refused(wanted(form(&[("callback", &callback), ("x:V", "1")])), "0007-00000105");
    refused(wanted(form(&[("callback", "")])), "0007-00000003");
}
