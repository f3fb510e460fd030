//! Alibaba's published sample, captured callbacks and callbacks signed with a throw-away key; each refused with one byte
//! changed.

use serde_json::Value;

use super::*;
use crate::callback::signed_text;

const ENDPOINT: &str = "http://127.0.0.1:1";

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../tests/fixtures/callback-signature.json")).expect("JSON")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}"))
}

fn unhex(value: &Value, name: &str) -> Vec<u8> {
    let pairs = text(value, name).as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
}

fn judged(key_url: &str, own_pem: &str, target: &str, body: &[u8], authorization: &str) -> Verdict {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", authorization.parse().expect("value"));
    headers.insert("x-oss-pub-key-url", BASE64_STANDARD.encode(key_url).parse().expect("value"));
    verify(&headers, &signed_text(target, body), ENDPOINT, own_pem)
}

/// Accepted as it is, refused with one byte of target, body or signature changed.
fn exactly(good: Verdict, key_url: &str, own_pem: &str, target: &str, body: &[u8], authorization: &str) {
    let check = |target: &str, body: &[u8], authorization: &str| judged(key_url, own_pem, target, body, authorization);
    assert_eq!(check(target, body, authorization), good, "{target}");
    for at in 0..body.len() {
        let mut other = body.to_vec();
        other[at] ^= 1;
        assert_eq!(check(target, &other, authorization), Verdict::SignatureWrong, "{target}: body byte {at}");
    }
    assert_eq!(check(target, &[body, b" "].concat(), authorization), Verdict::SignatureWrong);
    assert_eq!(check(&format!("{target}x"), body, authorization), Verdict::SignatureWrong);
    let mut signature = BASE64_STANDARD.decode(authorization).expect("Base64");
    for at in [0, signature.len() / 2, signature.len() - 1] {
        signature[at] ^= 1;
        assert_eq!(check(target, body, &BASE64_STANDARD.encode(&signature)), Verdict::SignatureWrong, "{target}");
        signature[at] ^= 1;
    }
}

#[test]
fn callbacks_with_the_sandbox_key_are_accepted_and_forgeries_are_not() {
    let vectors = vectors();
    let pem = text(&vectors, "public_key_pem");
    let cases = vectors["vectors"].as_array().expect("a list");
    assert!(cases.len() >= 8);
    for case in cases {
        let (target, body) = (text(case, "request_target"), unhex(case, "body_hex"));
        assert_eq!(signed_text(target, &body), unhex(case, "string_to_sign_hex"), "{target}");
        let own = format!("{ENDPOINT}{KEY_PATH}");
        exactly(Verdict::SignedBySandbox, &own, pem, target, &body, text(case, "authorization"));
        let tampered = judged(&own, pem, target, &body, text(case, "tampered_authorization"));
        assert_eq!(tampered, Verdict::SignatureWrong, "{target}");
    }
}

#[test]
fn the_sample_that_alibaba_published_and_captured_callbacks_are_accepted_and_forgeries_are_not() {
    let vectors = vectors();
    let published = &vectors["published_by_alibaba"];
    let url = text(published, "public_key_url");
    assert_eq!(ALIBABA_PEM.trim(), text(published, "public_key_pem"));
    let captured = vectors["captured"].as_array().expect("a list");
    assert_eq!(captured.len(), 2);
    for case in captured.iter().chain([published]) {
        let (target, body) = (text(case, "request_target"), text(case, "body").as_bytes());
        exactly(Verdict::SignedByOss, url, "no key", target, body, text(case, "authorization"));
    }
}

#[test]
fn a_key_from_anywhere_else_is_not_trusted() {
    let vectors = vectors();
    let (published, case) = (&vectors["published_by_alibaba"], &vectors["vectors"][0]);
    let pem = text(&vectors, "public_key_pem");
    for url in [
        "http://evil.example/callback_pub_key_v1.pem",
        "http://gosspublic.alicdn.com.evil.example/callback_pub_key_v1.pem",
        "http://gosspublic.alicdn.com/another.pem",
        "https://127.0.0.1:1/_sandbox/callback_pub_key_v1.pem",
        "http://127.0.0.1:12/_sandbox/callback_pub_key_v1.pem",
        "",
    ] {
        let verdict = judged(url, pem, text(published, "request_target"), b"", text(case, "authorization"));
        assert_eq!(verdict, Verdict::KeyNotTrusted, "{url}");
    }
    assert_eq!(verify(&HeaderMap::new(), b"", ENDPOINT, pem), Verdict::NotSigned);
    let own = format!("{ENDPOINT}{KEY_PATH}");
    assert_eq!(judged(&own, pem, "/", b"", "not Base64!"), Verdict::SignatureWrong);
    assert_eq!(judged(&own, pem, "/", b"", ""), Verdict::SignatureWrong);
}
