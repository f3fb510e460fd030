//! Explaining signatures: all vectors as JSON requests, and what is said about bad ones.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// oss2 writes the parts of the header in another order, with blanks behind the commas.
fn parts(authorization: &str) -> BTreeSet<String> {
    authorization.split(',').map(|part| part.trim().to_owned()).collect()
}

fn explained(request: &Value) -> Result<Explained, Error> {
    explain(&SignRequest::from_json(&request.to_string())?)
}

fn refused(request: Value) -> String {
    match explained(&request) {
        Ok(explained) => panic!("must be refused: {request} became {}", explained.url),
        Err(error) => error.to_string(),
    }
}

fn base() -> Value {
    json!({
        "version": "v4", "method": "PUT", "bucket": "examplebucket", "key": "exampleobject", "region": "cn-hangzhou",
        "access_key_id": "ak", "access_key_secret": "s3cr3t-s3cr3t", "time": "2025-03-14T09:26:53Z",
    })
}

fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut request = base();
    request[name] = value.into();
    request
}

fn url_of(request: Value) -> String {
    explained(&request).expect("explained").url
}

#[test]
fn every_vector_is_explained_as_the_expected_sdk_signs_it() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for file in
        [include_str!("../../tests/fixtures/sign-header.json"), include_str!("../../tests/fixtures/sign-url.json")]
    {
        let file: Value = serde_json::from_str(file).expect("json");
        for vector in file["vectors"].as_array().expect("vectors") {
            for version in ["v1", "v4"] {
                let expected = &vector["expected"];
                let result = &vector["results"][text(&expected[version])];
                let mut request = vector["input"].clone();
                request["version"] = version.into();
                if expected[version] == "ali-oss/v1" {
                    request["headers"] = result["headers"].clone();
                }
                let ours = explained(&request).expect("explained");
                let url = Url::parse(&ours.url).expect("url");
                let host = format!("//{}/", text(&expected["host"]));
                let key = text(&vector["input"]["key"]);
                let path = if key.contains("/../") { "/a%2F..%2Fb%2F.%2Fc" } else { text(&expected["path"]) };
                let mut differs = |what: &str, same: bool| {
                    compared += 1;
                    wrong.extend((!same).then(|| format!("{} {version}: {what}", vector["id"])));
                };
                differs("canonical request", json!(ours.canonical_request) == result["canonical_request"]);
                differs("string to sign", result["string_to_sign"] == ours.string_to_sign);
                differs("signature", result["signature"] == ours.signature);
                let theirs = result["authorization"].as_str().map(parts);
                differs("authorization", ours.authorization.as_deref().map(parts) == theirs);
                differs("path", url.path() == path);
                differs("host", ours.url.contains(&host));
            }
        }
    }
    assert_eq!(compared, 74 * 2 * 6);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_missing_or_wrong_field_is_named_and_no_secret_is_shown() {
    for name in ["method", "access_key_id", "access_key_secret"] {
        assert_eq!(refused(with(name, Value::Null)), format!("“{name}” is missing."));
        let words = refused(with(name, json!(["s3cr3t-s3cr3t"])));
        assert_eq!(words, format!("“{name}” must be text."));
    }
    for (name, value, part) in [
        ("version", json!("v2"), "v1 or v4"),
        ("method", json!("PUT /x"), "method such as PUT"),
        ("bucket", json!("No_Bucket"), "“bucket”: "),
        ("bucket", Value::Null, "“bucket” is missing"),
        ("query", json!("a=b"), "“query” must be an object"),
        ("headers", json!({"x": {}}), "“headers.x” must be text"),
        ("headers", json!({"x y": "1"}), "“headers” has the name “x y”"),
        ("headers", json!({"x": "s3cr3t-s3cr3t\n"}), "“headers.x” has a line break"),
        ("headers", json!({"x": "1", "X": "2"}), "twice"),
        ("headers", json!({"x-oss-date": "soon"}), "“headers.x-oss-date” is not a time"),
        ("headers", json!({"x-oss-date": "20250314T092654Z"}), "“time” is not the time in the header “x-oss-date”"),
        ("region", json!("Hangzhou!"), "“region”: "),
        ("endpoint", json!("https://a/b"), "“endpoint”: Endpoint “https://a/b”: nothing may follow"),
        (
            "endpoint",
            json!("otherbucket.oss-cn-hangzhou.aliyuncs.com"),
            "write otherbucket into the bucket's own field",
        ),
        ("endpoint", json!("examplebucket.oss-cn-hangzhou.aliyuncs.com/k"), "“endpoint”: "),
        ("key", json!("/k"), "“key”: "),
        ("key", json!(".."), "“key”: "),
        ("key", json!("x".repeat(1024)), "“key”: "),
        ("endpoint", json!("https://me:s3cr3t-s3cr3t@a"), "“endpoint”: "),
        ("addressing", json!("vhost"), "virtual, cname or path"),
        ("addressing", json!("cname"), "“addressing” is cname, but"),
        ("time", json!("yesterday"), "“time” must be a time"),
        ("time", json!("-000001-01-01T00:00:00Z"), "“time” must be a time"),
        ("expires", json!("3600"), "“expires” must be a whole number"),
        ("expires", json!(604_801), "“expires”: A presigned URL of signature version 4 is good for 1 to 604800"),
        ("expires", json!(0), "“expires”: "),
        ("additional_headers", json!([1]), "“additional_headers” must be a list"),
        ("additionalHeaders", json!([]), "“additionalHeaders” is not a field"),
    ] {
        let words = refused(with(name, value));
        assert!(words.contains(part) && !words.contains("s3cr3t"), "{name}: {words}");
    }
    for (text, part) in [("", "not JSON"), ("{\"access_key_secret\": \"s3cr3t", "not JSON"), ("[]", "one JSON object")]
    {
        let words = SignRequest::from_json(text).expect_err(text).to_string();
        assert!(words.contains(part) && !words.contains("s3cr3t"), "{words}");
    }
}

#[test]
fn the_secret_is_in_no_output_and_no_debug() {
    let mut request = with("security_token", "t0ken");
    request["headers"] = json!({"x-oss-security-token": "t0ken"});
    for version in ["v1", "v4"] {
        for expires in [Value::Null, json!(60)] {
            request["version"] = version.into();
            request["expires"] = expires;
            let read = SignRequest::from_json(&request.to_string()).expect("request");
            let explained = explain(&read).expect("explained");
            let json = serde_json::to_string(&explained).expect("json");
            assert!(!json.contains("s3cr3t") && json.contains("t0ken"), "{json}");
            let debug = format!("{read:?} {explained:?}");
            assert!(!debug.contains("s3cr3t") && !debug.contains("t0ken"), "{debug}");
        }
    }
}

#[test]
fn region_and_endpoint_stand_in_for_each_other() {
    let mut request = with("region", Value::Null);
    assert!(refused(request.clone()).contains("“endpoint” is missing, and so is “region”"));
    for (endpoint, region) in [
        ("oss-cn-shanghai.aliyuncs.com", "cn-shanghai"),
        ("https://oss-cn-shanghai-internal.aliyuncs.com/", "cn-shanghai"),
        ("cn-shanghai.oss.aliyuncs.com", "cn-shanghai"),
        ("examplebucket.oss-cn-shanghai.aliyuncs.com", "cn-shanghai"),
        ("HTTPS://ExampleBucket.OSS-cn-shanghai.aliyuncs.com:443/", "cn-shanghai"),
        ("https://oss-cn-shanghai.aliyuncs.com:443", "cn-shanghai"),
        ("OSS-cn-shanghai.aliyuncs.com", "cn-shanghai"),
        ("cn-shanghai", "cn-shanghai"),
        ("oss-cn-shanghai-internal", "cn-shanghai"),
    ] {
        request["endpoint"] = endpoint.into();
        let explained = explained(&request).expect("explained");
        assert!(explained.string_to_sign.contains(&format!("/{region}/oss/")), "{endpoint}");
        assert!(explained.url.starts_with("https://examplebucket."), "{}", explained.url);
        assert!(!explained.url.contains("examplebucket.examplebucket"), "{}", explained.url);
    }
    for endpoint in ["oss-accelerate.aliyuncs.com", "static.example.com", "http://127.0.0.1:9000"] {
        request["endpoint"] = endpoint.into();
        assert!(refused(request.clone()).contains("“region” is missing"), "{endpoint}");
    }
    assert_eq!(url_of(base()), "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/exampleobject");
    let host = |endpoint: &str| url_of(with("endpoint", endpoint));
    assert_eq!(host("static.example.com"), "https://static.example.com/exampleobject");
    let plain = "http://examplebucket.oss-cn-hangzhou.aliyuncs.com";
    assert_eq!(host(plain), format!("{plain}/exampleobject"));
    assert_eq!(host("http://127.0.0.1:9000/examplebucket"), "http://127.0.0.1:9000/examplebucket/exampleobject");
    assert_eq!(host("http://127.0.0.1:9000"), "http://127.0.0.1:9000/examplebucket/exampleobject");
    assert_eq!(host("http://[::1]:9000"), "http://[::1]:9000/examplebucket/exampleobject");
}

#[test]
fn the_time_may_come_from_the_headers() {
    let timed = |version: &str, headers: Value| {
        let mut request = with("headers", headers);
        request["version"] = version.into();
        request["time"] = Value::Null;
        explained(&request).expect("explained").string_to_sign
    };
    let date = "Fri, 14 Mar 2025 09:26:53 GMT";
    assert!(timed("v4", json!({"x-oss-date": "20250314T092653Z"})).contains("\n20250314T092653Z\n"));
    assert!(timed("v4", json!({"Date": date})).contains("\n20250314T092653Z\n"));
    assert!(timed("v1", json!({"Date": date})).contains(&format!("\n{date}\n/")));
    assert!(timed("v1", json!({"X-Oss-Date": date})).contains(&format!("\n{date}\nx-oss-date:{date}\n/")));
    let seconds = explained(&with("time", 1_741_944_413)).expect("explained");
    assert!(seconds.string_to_sign.contains("20250314T092653Z"));
}

#[test]
fn a_host_to_be_signed_is_the_one_of_the_url() {
    let explained = explained(&with("additional_headers", json!(["Host"]))).expect("explained");
    let canonical = explained.canonical_request.expect("version 4");
    assert!(canonical.contains("\nhost:examplebucket.oss-cn-hangzhou.aliyuncs.com\n"), "{canonical}");
    assert!(explained.authorization.expect("header").contains(",AdditionalHeaders=host,"));
}
