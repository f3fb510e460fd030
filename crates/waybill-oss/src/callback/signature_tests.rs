//! Callback signatures: made with a key of the vectors, and real ones of Alibaba's.

use serde_json::Value;

use super::*;

fn file() -> Value {
    serde_json::from_str(include_str!("../../tests/fixtures/callback-signature.json")).expect("json")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_vector_verifies_and_no_tampered_one_does() {
    let file = file();
    let key = PublicKey::from_pem(text(&file["public_key_pem"])).expect("key");
    let vectors = file["vectors"].as_array().expect("vectors");
    assert_eq!(vectors.len(), 8);
    let mut wrong = Vec::new();
    for vector in vectors {
        let (target, body) = (text(&vector["request_target"]), unhex(text(&vector["body_hex"])));
        let signed = string_to_sign(target, &body);
        let mut must = |what: &str, holds: bool| {
            if !holds {
                wrong.push(format!("{target}: {what}"));
            }
        };
        must("string to sign", hex(&signed) == text(&vector["string_to_sign_hex"]));
        must("md5", hex(&Md5::digest(&signed)) == text(&vector["md5_hex"]));
        let authorization = vector["authorization"].as_str();
        must("valid", verify(&key, target, authorization, &body).is_ok() == vector["valid"].as_bool().expect("valid"));
        let tampered = verify(&key, target, vector["tampered_authorization"].as_str(), &body);
        must("tampered signature", tampered == Err(Refusal::WrongSignature));
        let other_body = [body.as_slice(), b" "].concat();
        must("tampered body", verify(&key, target, authorization, &other_body) == Err(Refusal::WrongSignature));
        let other_target = format!("{target}x");
        must("tampered target", verify(&key, &other_target, authorization, &body) == Err(Refusal::WrongSignature));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn callbacks_that_alibaba_signed_verify_with_its_512_bit_key() {
    let file = file();
    let published = &file["published_by_alibaba"];
    let key = PublicKey::from_pem(text(&published["public_key_pem"])).expect("key");
    let captured = file["captured"].as_array().expect("captured");
    assert_eq!(captured.len(), 2);
    for callback in std::iter::once(published).chain(captured) {
        let (target, body) = (text(&callback["request_target"]), text(&callback["body"]).as_bytes());
        assert_eq!(verify(&key, target, callback["authorization"].as_str(), body), Ok(()), "{target}");
        let other = verify(&key, target, callback["authorization"].as_str(), b"x");
        assert_eq!(other, Err(Refusal::WrongSignature), "{target}");
    }
    let header = published["public_key_url_base64"].as_str();
    assert_eq!(key_url(header, &[]).expect("url"), text(&published["public_key_url"]));
}

#[test]
fn a_key_from_elsewhere_is_refused_unless_its_place_was_named() {
    let base64 = |url: &str| STANDARD.encode(url);
    for url in [
        "http://gosspublic.alicdn.com.evil.example/key.pem",
        "https://evil.example/http://gosspublic.alicdn.com/key.pem",
        "ftp://gosspublic.alicdn.com/key.pem",
        "http://127.0.0.1:9000/key.pem",
        "",
    ] {
        assert_eq!(key_url(Some(&base64(url)), &[]), Err(Refusal::ForeignKey(url.to_owned())));
    }
    let sandbox = base64("http://127.0.0.1:9000/key.pem");
    assert!(key_url(Some(&sandbox), &["http://127.0.0.1:9000/"]).is_ok());
    let other_port = base64("http://127.0.0.1:90001/key.pem");
    assert!(key_url(Some(&other_port), &["http://127.0.0.1:9000"]).is_err(), "a prefix without its slash is no prefix");
    assert!(key_url(Some(&base64("https://gosspublic.alicdn.com/k.pem")), &[]).is_ok());
    assert_eq!(key_url(Some("%%%"), &[]), Err(Refusal::KeyUrlUnreadable));
    assert_eq!(key_url(None, &[]), Err(Refusal::Missing("x-oss-pub-key-url")));
}

#[test]
fn what_is_no_key_or_no_signature_is_refused_with_its_reason() {
    for pem in ["", "hello", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"] {
        assert!(matches!(PublicKey::from_pem(pem), Err(Refusal::KeyUnreadable(_))), "{pem}");
    }
    let key = PublicKey::from_pem(text(&file()["public_key_pem"])).expect("key");
    assert_eq!(verify(&key, "/", None, b""), Err(Refusal::Missing("authorization")));
    assert_eq!(verify(&key, "/", Some("OSS ak:x"), b""), Err(Refusal::SignatureUnreadable));
    assert_eq!(verify(&key, "/", Some(""), b""), Err(Refusal::WrongSignature));
}

#[test]
fn only_the_path_is_decoded_and_half_an_escape_is_left() {
    assert_eq!(string_to_sign("/a%2Fb%2?c=%2F", b"body"), b"/a/b%2?c=%2F\nbody");
    assert_eq!(string_to_sign("/%E4%B8%AD%zz%", b""), "/中%zz%\n".as_bytes());
}
