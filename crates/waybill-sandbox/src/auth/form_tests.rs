//! Forms: the SDKs' signatures over a policy, and what a policy lets through.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::SignedDuration;
use serde_json::Value;

use super::{form, v1, *};

const POLICIES: &str = include_str!("../../tests/fixtures/post-policy.json");

struct Sent {
    config: SandboxConfig,
    tokens: Tokens,
    now: Timestamp,
    fields: BTreeMap<String, String>,
}

impl Sent {
    fn check(&self, file_size: Option<u64>) -> Result<(), OssError> {
        let Self { config, tokens, now, fields } = self;
        form::check(&Verifier { config, tokens, now: *now }, fields, file_size)
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.fields.remove(name);
        self
    }

    fn after(mut self, seconds: i64) -> Self {
        self.now += SignedDuration::from_secs(seconds);
        self
    }

    #[track_caller]
    fn refused(&self, code: &str) -> OssError {
        let error = self.check(None).expect_err("must be refused");
        assert_eq!(error.code, code, "{}", error.message);
        error
    }

    /// A V1 form over a policy with these conditions, good for an hour.
    fn v1(conditions: &str) -> Self {
        Self::over(&format!(r#"{{"expiration":"2025-03-14T10:26:53.000Z","conditions":{conditions}}}"#))
    }

    fn over(policy: &str) -> Self {
        let policy = BASE64_STANDARD.encode(policy);
        let config = config("ak", "sk", "cn-hangzhou");
        let signature = v1::sign("sk", policy.as_bytes());
        let now = "2025-03-14T09:26:53Z".parse().expect("time");
        Self { config, tokens: Tokens::default(), now, fields: BTreeMap::new() }
            .set("ossaccesskeyid", "ak")
            .set("policy", &policy)
            .set("signature", &signature)
    }
}

fn config(id: &str, secret: &str, region: &str) -> SandboxConfig {
    SandboxConfig {
        port: 0,
        data_dir: Default::default(),
        access_key_id: id.into(),
        access_key_secret: secret.into(),
        region: region.into(),
        bucket: "examplebucket".into(),
    }
}

/// Each vector as a form of version 1 and one of version 4, with fields that fulfil its policy.
fn vectors() -> Vec<(String, Sent, Sent)> {
    let file: Value = serde_json::from_str(POLICIES).expect("fixture is JSON");
    let read = |vector: &Value| {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let input = &vector["input"];
        let (id, secret) = (text(&input["access_key_id"]), text(&input["access_key_secret"]));
        let sent = || {
            let now: Timestamp = text(&input["time"]).parse().expect("time");
            let policy = text(&vector["policy_base64"]);
            let key = match vector["id"].as_str() {
                Some("length-range") => "user/a b+c.txt",
                Some("unicode") => "目录/a",
                _ => "user/eric/a",
            };
            let callback = input["policy"]["conditions"].as_array().into_iter().flatten();
            let callback = callback.filter_map(|condition| condition["callback"].as_str()).next();
            let mut sent = Sent {
                config: config(&id, &secret, &text(&input["region"])),
                tokens: Tokens::default(),
                now,
                fields: BTreeMap::new(),
            }
            .set("policy", &policy)
            .set("key", key)
            .set("content-type", "image/png");
            if let Some(callback) = callback {
                sent = sent.set("callback", callback);
            }
            if id.starts_with("STS.") {
                sent.config = config("of-nobody", "none", &text(&input["region"]));
                sent.tokens = Tokens::with(IssuedToken {
                    access_key_id: id.clone(),
                    access_key_secret: secret.clone(),
                    security_token: "CAIS/+token=with/slash+plus==".into(),
                    expires: now + SignedDuration::from_hours(1),
                });
                sent = sent.set("x-oss-security-token", "CAIS/+token=with/slash+plus==");
            }
            sent
        };
        let v4 = &vector["v4"];
        let four = sent()
            .set("x-oss-signature-version", &text(&v4["x_oss_signature_version"]))
            .set("x-oss-credential", &text(&v4["x_oss_credential"]))
            .set("x-oss-date", &text(&v4["x_oss_date"]))
            .set("x-oss-signature", &text(&v4["x_oss_signature"]));
        let one = sent().set("ossaccesskeyid", &id).set("signature", &text(&vector["v1"]["signature"]));
        (text(&vector["id"]), one, four)
    };
    file["vectors"].as_array().expect("has vectors").iter().map(read).collect()
}

#[test]
fn what_the_sdks_signed_for_forms_is_accepted() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 5);
    for (id, one, four) in vectors {
        // A policy that binds the V4 fields cannot be fulfilled by a V1 form, nor one that leaves them free by a V4 form;
        // `token` binds one of the three. That the answer is about the policy says that the signature was right.
        let (good, other) = if id == "callback" || id == "token" { (four, one) } else { (one, four) };
        if id == "token" {
            assert_eq!(good.refused("AccessDenied").ec, Some("0006-00000228"));
        } else {
            assert!(good.check(None).is_ok(), "{id}: {:?}", good.check(None));
        }
        let about_policy = ["0006-00000227", "0006-00000228"].map(Some);
        assert!(about_policy.contains(&other.refused("AccessDenied").ec), "{id}");
    }
}

#[test]
fn a_v4_form_of_another_region_or_day_is_an_invalid_argument() {
    for (id, _, mut four) in vectors() {
        let region = std::mem::replace(&mut four.config.region, "cn-nowhere".into());
        assert_eq!(four.refused("InvalidArgument").ec, Some("0002-00000226"), "{id}");
        four.config.region = region;
        let yesterday = (four.now - SignedDuration::from_hours(24)).strftime("%Y%m%dT%H%M%SZ").to_string();
        let other_day = four.set("x-oss-date", &yesterday);
        assert_eq!(other_day.refused("InvalidArgument").ec, Some("0002-00000709"), "{id}");
    }
}

#[test]
fn a_form_signature_with_one_character_changed_is_a_mismatch() {
    for at in [0, 13] {
        for (id, one, four) in vectors() {
            for (sent, field) in [(one, "signature"), (four, "x-oss-signature")] {
                let mut forged = sent.fields[field].clone().into_bytes();
                forged[at] = if forged[at] == b'7' { b'8' } else { b'7' };
                let error = sent.set(field, &String::from_utf8(forged).expect("text")).refused("SignatureDoesNotMatch");
                assert_eq!((error.status, error.ec), (403, Some("0002-00000705")), "{id}");
            }
        }
    }
}

#[test]
fn a_v4_form_whose_policy_leaves_a_v4_field_free_is_told_of_an_extra_field() {
    let four = vectors().into_iter().find(|(id, ..)| id == "v1-minimal").expect("there").2;
    let error = four.refused("AccessDenied");
    assert_eq!(error.message, "Invalid according to Policy: Extra input fields: x-oss-credential");
}

#[test]
fn a_form_without_signature_is_denied_and_with_half_of_one_is_told_what_lacks() {
    let unsigned = Sent::v1("[]").without("policy").without("signature").without("ossaccesskeyid");
    assert_eq!(unsigned.refused("AccessDenied").ec, Some("0003-00000001"));
    for field in ["policy", "signature", "ossaccesskeyid"] {
        let error = Sent::v1("[]").without(field).refused("InvalidArgument");
        assert_eq!(error.extra("ArgumentName"), Some(field));
    }
}

#[test]
fn an_expired_policy_is_refused_and_one_that_ends_during_the_upload_too() {
    let sent = Sent::v1("[]").after(3600);
    assert!(sent.check(None).is_ok());
    let late = sent.after(1);
    assert_eq!(late.refused("AccessDenied").message, "Invalid according to Policy: Policy expired.");
    assert_eq!(late.check(Some(1)).expect_err("late").ec, Some("0006-00000213"));
}

#[test]
fn a_v4_form_is_good_for_seven_days_of_its_date() {
    let four = vectors().into_iter().find(|(id, ..)| id == "callback").expect("there").2;
    let late = four.after(7 * 24 * 3600 + 1);
    assert_eq!(late.refused("AccessDenied").message, "Request has expired.");
    let early = late.after(-(7 * 24 * 3600 + 1) - 901);
    assert_eq!(early.refused("AccessDenied").message, "Request is not valid yet.");
}

#[test]
fn each_condition_lets_its_values_through_and_names_itself_when_it_fails() {
    for (conditions, good, bad, shown) in [
        (r#"[["eq","$key","a b"]]"#, Some("a b"), Some("a"), r#"["eq", "$key", "a b"]"#),
        (r#"[{"key":"a"}]"#, Some("a"), None, r#"["eq", "$key", "a"]"#),
        (r#"[["eq","key","a"]]"#, Some("a"), Some("A"), r#"["eq", "$key", "a"]"#),
        (r#"[["starts-with","$Key","user/"]]"#, Some("user/x"), Some("use"), r#"["starts-with", "$key", "user/"]"#),
        (r#"[["starts-with","$key",""]]"#, Some("any"), None, r#"["starts-with", "$key", ""]"#),
        (r#"[["in","$key",["a","b"]]]"#, Some("b"), Some("c"), r#"["in", "$key", ["a", "b"]]"#),
        (r#"[["not-in","$key",["a"]]]"#, Some("b"), Some("a"), r#"["not-in", "$key", ["a"]]"#),
        (r#"[["eq","$key","\$5"]]"#, Some("$5"), Some("\\$5"), r#"["eq", "$key", "$5"]"#),
        (r#"[["eq","$key","\\$5"]]"#, Some("$5"), Some("5"), r#"["eq", "$key", "$5"]"#),
    ] {
        let with = |key: Option<&str>| {
            let sent = Sent::v1(conditions);
            if let Some(key) = key { sent.set("key", key) } else { sent }
        };
        assert!(with(good).check(None).is_ok(), "{conditions}: {:?}", with(good).check(None));
        let error = with(bad).refused("AccessDenied");
        assert_eq!(error.message, format!("Invalid according to Policy: Policy Condition failed: {shown}"));
        assert_eq!(error.ec, Some("0006-00000227"));
    }
}

#[test]
fn the_bucket_condition_is_about_the_bucket_that_is_asked_for() {
    assert!(Sent::v1(r#"[{"bucket":"examplebucket"}]"#).check(None).is_ok());
    let lying = Sent::v1(r#"[{"bucket":"another"}]"#).set("bucket", "another");
    assert_eq!(lying.refused("AccessDenied").ec, Some("0006-00000227"));
}

#[test]
fn the_length_range_counts_once_the_size_is_known() {
    let sent = Sent::v1(r#"[["content-length-range",2,4]]"#);
    let size = |size| sent.check(size).map_err(|error| (error.code.to_string(), error.ec));
    assert_eq!((size(None), size(Some(2)), size(Some(4))), (Ok(()), Ok(()), Ok(())));
    assert_eq!(size(Some(1)), Err(("EntityTooSmall".into(), Some("0006-00000004"))));
    assert_eq!(size(Some(5)), Err(("EntityTooLarge".into(), Some("0006-00000003"))));
}

#[test]
fn a_policy_that_cannot_be_understood_is_an_invalid_policy_document() {
    let good = r#""expiration":"2025-03-14T10:26:53.000Z""#;
    for (policy, ec) in [
        ("not json".to_owned(), "0006-00000201"),
        ("{}".to_owned(), "0006-00000209"),
        (r#"{"conditions":[]}"#.to_owned(), "0006-00000208"),
        (format!("{{{good}}}"), "0006-00000207"),
        (r#"{"expiration":123,"conditions":[]}"#.to_owned(), "0006-00000210"),
        (r#"{"expiration":"","conditions":[]}"#.to_owned(), "0006-00000211"),
        (format!(r#"{{{good},"conditions":123}}"#), "0006-00000214"),
        (format!(r#"{{{good},"conditions":[["$key"]]}}"#), "0006-00000216"),
        (format!(r#"{{{good},"conditions":[["starts-with","$key","a","b"]]}}"#), "0006-00000218"),
        (format!(r#"{{{good},"conditions":[["content-length-range",20,10]]}}"#), "0006-00000219"),
        (format!(r#"{{{good},"conditions":[["content-length-range",1,"9"]]}}"#), "0006-00000221"),
        (format!(r#"{{{good},"conditions":[123]}}"#), "0006-00000222"),
        (format!(r#"{{{good},"conditions":[["not-in","$key","a"]]}}"#), "0006-00000224"),
    ] {
        let error = Sent::over(&policy).refused("InvalidPolicyDocument");
        assert_eq!((error.status, error.ec), (400, Some(ec)), "{policy}");
    }
}
