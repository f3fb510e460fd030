//! Garbage in the header, the query and the form: never a panic, never let in.

use std::collections::BTreeMap;

use axum::http::HeaderValue;
use proptest::prelude::*;

use super::{form, vector_tests::Seen, *};
use crate::host;

/// Pieces of real signatures, mixed with anything.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("OSS ".to_owned()),
        Just("OSS4-HMAC-SHA256 ".to_owned()),
        Just("Credential=ak/20250314/cn-hangzhou/oss/aliyun_v4_request".to_owned()),
        Just("AdditionalHeaders=".to_owned()),
        Just("Signature=".to_owned()),
        Just(",".to_owned()),
        Just("ak:".to_owned()),
        "[ -~]{0,30}",
        "\\PC{0,10}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..8).prop_map(|pieces| pieces.concat())
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "OSSAccessKeyId",
        "Expires",
        "Signature",
        "security-token",
        "x-oss-signature-version",
        "x-oss-credential",
        "x-oss-date",
        "x-oss-expires",
        "x-oss-signature",
        "x-oss-additional-headers",
        "x-oss-security-token",
        "policy",
        "ossaccesskeyid",
        "signature",
        "key",
    ])
    .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        text(),
        Just("ak".to_owned()),
        Just("OSS4-HMAC-SHA256".to_owned()),
        Just("20250314T092653Z".to_owned()),
        Just("ak/20250314/cn-hangzhou/oss/aliyun_v4_request".to_owned()),
        Just("1741945313".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
    ]
}

proptest! {
    #[test]
    fn garbage_in_authorization_is_never_let_in(given in text(), date in value()) {
        let mut seen = Seen::header("put-simple", "oss-v2/v4");
        if let Ok(given) = HeaderValue::from_bytes(given.as_bytes()) {
            seen.headers.insert("authorization", given);
            prop_assert!(seen.check().is_err());
        }
        if let Ok(date) = HeaderValue::from_bytes(date.as_bytes()) {
            seen.headers.insert("x-oss-date", date);
            prop_assert!(seen.check().is_err());
        }
    }

    #[test]
    fn garbage_in_the_query_is_never_let_in(query in prop::collection::vec((name(), value()), 0..10)) {
        let mut seen = Seen::header("put-simple", "oss-v2/v4").without("authorization");
        seen.target.query = query;
        prop_assert!(seen.check().is_err());
    }

    #[test]
    fn garbage_in_a_form_is_never_let_in(fields in prop::collection::btree_map(name(), value(), 0..10), size in any::<u64>()) {
        let seen = Seen::header("put-simple", "oss-v2/v4");
        let verifier = Verifier { config: &seen.config, tokens: &seen.tokens, now: seen.now };
        let fields: BTreeMap<String, String> = fields;
        prop_assert!(form::check(&verifier, &fields, Some(size)).is_err());
    }

    #[test]
    fn any_policy_under_a_right_signature_is_read_without_a_panic(policy in "\\PC{0,60}", base64 in any::<bool>()) {
        use base64::{Engine as _, prelude::BASE64_STANDARD};
        let policy = if base64 { BASE64_STANDARD.encode(&policy) } else { policy };
        let seen = Seen::header("put-simple", "oss-v2/v4");
        let verifier = Verifier { config: &seen.config, tokens: &seen.tokens, now: seen.now };
        let signature = v1::sign(&seen.config.access_key_secret, policy.as_bytes());
        let fields = [("ossaccesskeyid", "ak"), ("policy", policy.as_str()), ("signature", signature.as_str())];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        prop_assert!(form::check(&verifier, &fields, None).is_err());
    }

    #[test]
    fn any_host_and_path_are_read_without_a_panic(host in "\\PC{0,40}", raw in "/\\PC{0,40}") {
        let hosted = host::bucket_of(&host, &raw, &[], "mine");
        let _ = Target::parse(&raw, hosted);
    }
}
