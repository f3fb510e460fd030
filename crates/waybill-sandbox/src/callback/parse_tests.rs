//! Every way a callback can be ordered wrongly, and the EC it gets.

use serde_json::json;

use super::*;

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
    refused(of(json!({"callbackBody": "a"})), "0007-00000004");
}

#[test]
fn an_empty_body_and_a_bare_dollar_are_refused() {
    refused(of(json!({"callbackUrl": URL})), "0007-00000011");
    refused(with("callbackBody", json!("")), "0007-00000011");
    refused(with("callbackBody", json!("cost=$5")), "0007-00000105");
    refused(with("callbackBody", json!("a=${object")), "0007-00000105");
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
    let order = with("additionalHeaders", json!({"X-App": "1"})).expect("fine");
    assert_eq!(order.additional_headers.len(), 1);
    refused(with("additionalHeaders", json!({"x-oss-tag": "1"})), "0007-00000026");
}

#[test]
fn another_body_type_is_refused() {
    assert_eq!(with("callbackBodyType", json!("application/json")).expect("fine").body_type, BodyType::Json);
    assert_eq!(with("callbackBodyType", json!("text/plain")).unwrap_err().status, 400);
    assert_eq!(with("callbackSNI", json!("true")).unwrap_err().status, 400);
}
