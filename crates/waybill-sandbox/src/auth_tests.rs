//! The verifier against signatures of the real SDKs, and against everything that must be refused.

use axum::http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!("../tests/fixtures/sign-header-v4.json");

fn vectors() -> Vec<Value> {
    let file: Value = serde_json::from_str(VECTORS).expect("fixture is JSON");
    file["vectors"].as_array().expect("has vectors").clone()
}

fn vector(id: &str) -> Value {
    vectors().into_iter().find(|vector| vector["id"] == id).expect("vector of that id")
}

/// A request as the sandbox sees it.
struct Seen {
    config: SandboxConfig,
    method: Method,
    target: Target,
    headers: HeaderMap,
    now: Timestamp,
}

impl Seen {
    fn of(vector: &Value) -> Self {
        let text = |name: &str| vector[name].as_str().unwrap_or_default().to_owned();
        let some = |text: String| (!text.is_empty()).then_some(text);
        let query = vector["query"].as_object().expect("query").iter();
        let mut headers: HeaderMap = vector["headers"]
            .as_object()
            .expect("headers")
            .iter()
            .map(|(name, value)| {
                let value = value.as_str().expect("text").as_bytes();
                (HeaderName::try_from(name).expect("name"), HeaderValue::from_bytes(value).expect("value"))
            })
            .collect();
        headers.insert("authorization", text("authorization").parse().expect("value"));
        Self {
            config: SandboxConfig {
                port: 0,
                data_dir: Default::default(),
                access_key_id: text("access_key_id"),
                access_key_secret: text("access_key_secret"),
                region: text("region"),
                bucket: text("bucket"),
            },
            method: text("method").parse().expect("method"),
            target: Target {
                bucket: some(text("bucket")),
                key: some(text("key")),
                query: query.map(|(n, v)| (n.clone(), v.as_str().unwrap_or_default().to_owned())).collect(),
            },
            headers,
            now: text("time").parse().expect("time"),
        }
    }

    fn simple() -> Self {
        Self::of(&vector("put-simple"))
    }

    fn set(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().expect("value"));
        self
    }

    fn verify(&self) -> Result<(), OssError> {
        verify(&self.config, &self.method, &self.target, &self.headers, self.now)
    }

    #[track_caller]
    fn refused(&self, status: u16, code: &str) -> OssError {
        let error = self.verify().expect_err("must be refused");
        assert_eq!((error.status, error.code.as_ref()), (status, code), "{}", error.message);
        error
    }
}

#[test]
fn every_sdk_vector_gives_its_string_to_sign_and_is_accepted() {
    let vectors = vectors();
    assert!(vectors.len() > 50, "only {} vectors", vectors.len());
    for vector in vectors {
        let id = &vector["id"];
        let seen = Seen::of(&vector);
        let given = header_text(&seen.headers, "authorization").expect("signed");
        let claim = Claim::parse(&given).expect("parses");
        let canonical =
            canonical_request(&seen.method, &seen.target, &seen.headers, claim.additional.unwrap_or_default());
        if let Some(expected) = vector["canonical_request"].as_str() {
            assert_eq!(String::from_utf8_lossy(&canonical), expected, "{id}");
        }
        let date = header_text(&seen.headers, "x-oss-date").expect("dated");
        assert_eq!(string_to_sign(&date, &claim.scope(), &canonical), vector["string_to_sign"], "{id}");
        assert!(seen.verify().is_ok(), "{id}: {:?}", seen.verify());
    }
}

#[test]
fn a_changed_key_query_header_or_method_is_a_signature_mismatch() {
    let mut seen = Seen::simple();
    seen.target.key = Some("another".into());
    seen.refused(403, "SignatureDoesNotMatch");
    let mut seen = Seen::simple();
    seen.target.query.push(("acl".into(), String::new()));
    seen.refused(403, "SignatureDoesNotMatch");
    Seen::simple().set("x-oss-meta-extra", "1").refused(403, "SignatureDoesNotMatch");
    Seen::simple().set("content-type", "text/html").refused(403, "SignatureDoesNotMatch");
    let mut seen = Seen::simple();
    seen.method = Method::GET;
    seen.refused(403, "SignatureDoesNotMatch");
}

#[test]
fn a_wrong_secret_is_told_with_the_string_to_sign() {
    let mut seen = Seen::simple();
    seen.config.access_key_secret = "another".into();
    let document = seen.refused(403, "SignatureDoesNotMatch").document("R", "h");
    for part in [
        "<StringToSign>OSS4-HMAC-SHA256\n20250314T092653Z\n",
        "<StringToSignBytes>4F 53 53 34",
        "<SignatureProvided>57732b2f",
    ] {
        assert!(document.contains(part), "{part} is not in {document}");
    }
    assert!(!document.contains("another"), "the secret is in {document}");
}

#[test]
fn an_unknown_access_key_id_has_its_own_code() {
    let mut seen = Seen::simple();
    seen.config.access_key_id = "somebody-else".into();
    seen.refused(403, "InvalidAccessKeyId");
}

#[test]
fn a_missing_or_foreign_authorization_is_access_denied() {
    let mut seen = Seen::simple();
    seen.headers.remove("authorization");
    seen.refused(403, "AccessDenied");
    Seen::simple().set("authorization", "OSS ak:c2ln").refused(403, "AccessDenied");
    Seen::simple().set("authorization", "OSS4-HMAC-SHA256 Credential=ak").refused(400, "InvalidArgument");
}

#[test]
fn a_clock_fifteen_minutes_off_is_let_through_and_a_second_more_is_not() {
    for sign in [1, -1] {
        let mut seen = Seen::simple();
        let signed_at = seen.now;
        seen.now = signed_at + jiff::SignedDuration::from_secs(sign * 900);
        assert!(seen.verify().is_ok());
        seen.now = signed_at + jiff::SignedDuration::from_secs(sign * 901);
        let error = seen.refused(403, "RequestTimeTooSkewed");
        assert_eq!(error.ec, Some("0002-00000504"));
        assert!(error.document("R", "h").contains("<ServerTime>2025-03-14T"));
    }
}

#[test]
fn a_scope_of_another_region_or_day_is_an_invalid_argument() {
    let mut seen = Seen::simple();
    seen.config.region = "cn-beijing".into();
    assert_eq!(seen.refused(400, "InvalidArgument").ec, Some("0002-00000226"));
    Seen::simple().set("x-oss-date", "20250315T092653Z").refused(403, "RequestTimeTooSkewed");
    let late = Seen { now: "2025-03-15T00:00:00Z".parse().expect("time"), ..Seen::simple() };
    late.set("x-oss-date", "20250315T000000Z").refused(400, "InvalidArgument");
}

#[test]
fn an_additional_list_that_is_unordered_empty_or_names_an_absent_header_is_refused() {
    let listed = |list: &str| {
        let vector = vector("put-additional-headers");
        let given = vector["authorization"].as_str().expect("text");
        let given = given.replace("content-disposition;content-length", list);
        Seen::of(&vector).set("authorization", &given).refused(400, "InvalidArgument").ec
    };
    for list in ["content-length;content-disposition", "", "content-length;", "Content-Length"] {
        assert_eq!(listed(list), Some("0002-00000209"), "{list}");
    }
    assert_eq!(listed("content-length;range"), Some("0002-00000210"));
}
