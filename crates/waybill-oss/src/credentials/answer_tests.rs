//! Every shape keys come in, and what is said about those that are none.

use proptest::prelude::*;

use super::*;
use crate::error::{Advice, Error};

fn read(body: &str) -> Result<Credential, Error> {
    Ok(keys("the application server", body.as_bytes())?)
}

fn refused(body: &str) -> Error {
    read(body).expect_err("no keys")
}

const FIELDS: &str =
    r#""AccessKeyId":"STS.id","AccessKeySecret":"s3cr3t","SecurityToken":"t0k3n","Expiration":"2025-01-01T00:00:00Z""#;

#[test]
fn every_shape_gives_the_same_keys() {
    for body in [
        format!("{{{FIELDS}}}"),
        format!("{{\"StatusCode\":200,{FIELDS}}}"),
        format!("{{\"StatusCode\":\"200\",{FIELDS}}}"),
        format!("{{\"Code\":\"Success\",\"LastUpdated\":\"2024-12-31T18:00:00Z\",{FIELDS}}}"),
        format!("{{\"AssumedRoleUser\":{{\"Arn\":\"acs:ram::1:role/r\"}},\"RequestId\":\"65A1\",\"Credentials\":{{{FIELDS}}}}}"),
        format!("\u{feff}{{\r\n {FIELDS} \r\n}}\n"),
        r#"{"accessKeyId":" STS.id ","accessKeySecret":"s3cr3t\n","securityToken":"t0k3n","expiration":"2025-01-01T08:00:00+08:00"}"#.to_owned(),
        r#"{"mode":"StsToken","access_key_id":"STS.id","access_key_secret":"s3cr3t","sts_token":"t0k3n","expiration":"2025-01-01T00:00:00Z"}"#.to_owned(),
    ] {
        let credential = read(&body).unwrap_or_else(|error| panic!("{body}: {error}"));
        assert_eq!(credential.access_key_id(), "STS.id", "{body}");
        assert_eq!(credential.access_key_secret(), "s3cr3t", "{body}");
        assert_eq!(credential.security_token(), Some("t0k3n"), "{body}");
        assert_eq!(credential.expires_at(), Some("2025-01-01T00:00:00Z".parse().expect("time")), "{body}");
    }
}

#[test]
fn lasting_keys_have_neither_token_nor_end() {
    for body in [
        r#"{"AccessKeyId":"ak","AccessKeySecret":"sk"}"#,
        r#"{"AccessKeyId":"ak","AccessKeySecret":"sk","SecurityToken":null,"Expiration":""}"#,
    ] {
        let credential = read(body).expect("keys");
        assert_eq!((credential.security_token(), credential.expires_at()), (None, None), "{body}");
    }
}

#[test]
fn the_mobile_demos_failure_is_told_with_its_code_and_words() {
    let error = refused(r#"{"StatusCode":500,"ErrorCode":"NoPermission","ErrorMessage":"You are not\nauthorized."}"#);
    assert_eq!(
        error.to_string(),
        "no keys from the application server: it answered 500 NoPermission: You are not authorized."
    );
    assert_ne!(error.advice(), Advice::Never);
    assert_eq!(refused(r#"{"StatusCode":"403","ErrorCode":"NoPermission"}"#).advice(), Advice::Never);
}

#[test]
fn a_code_other_than_success_is_a_refusal_even_with_keys() {
    let error = refused(&format!("{{\"Code\":\"InvalidRole\",{FIELDS}}}")).to_string();
    assert!(error.ends_with("it refused: InvalidRole"), "{error}");
}

#[test]
fn what_is_missing_is_named() {
    for (body, words) in [
        ("", "not a JSON object"),
        ("<html>s3cr3t</html>", "not a JSON object"),
        (r#""s3cr3t""#, "not a JSON object"),
        ("{}", "no AccessKeyId"),
        (r#"{"AccessKeyId":"ak","AccessKeySecret":"  "}"#, "no AccessKeySecret"),
        (r#"{"AccessKeyId":"ak","AccessKeySecret":["s3cr3t"]}"#, "AccessKeySecret is not text"),
        (r#"{"AccessKeyId":"ak","AccessKeySecret":"s3cr3t","Expiration":"tomorrow"}"#, "Expiration is not a time"),
        (r#"{"accessid":"ak","policy":"cG9saWN5","signature":"s3cr3t","host":"h"}"#, "a signed upload form, not keys"),
    ] {
        let error = refused(body).to_string();
        assert!(error.contains(words) && !error.contains("s3cr3t"), "{body}: {error}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body: Vec<u8>) {
        let _ = keys("the application server", &body);
    }

    #[test]
    fn a_secret_is_in_no_error(secret in "[a-zA-Z0-9+/=]{20,40}", cut in 0_usize..200) {
        let body = format!(r#"{{"AccessKeyId":"ak","AccessKeySecret":"{secret}","SecurityToken":"{secret}","Expiration":"{secret}"}}"#);
        for body in [&body[..], &body[..cut.min(body.len())]] {
            let error = refused(body);
            let text = format!("{error} {error:?}");
            prop_assert!(!text.contains(&secret), "{}", text);
        }
    }
}
