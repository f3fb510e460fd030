//! What must be refused, and in which words: forged requests, wrong clocks, dead tokens, broken lists.

use axum::http::Method;

use super::{vector_tests::Seen, *};

const V4: &str = "oss-v2/v4";
const V1: &str = "oss2/v1";

fn simple(sdk: &str) -> Seen {
    Seen::header("put-simple", sdk)
}

#[test]
fn a_changed_key_method_header_or_query_is_a_signature_mismatch_in_both_versions() {
    for sdk in [V1, V4] {
        let mut seen = simple(sdk);
        seen.target.key = Some("another".into());
        seen.refused(403, "SignatureDoesNotMatch");
        let mut seen = simple(sdk);
        seen.target.bucket = Some("another-bucket".into());
        seen.refused(403, "SignatureDoesNotMatch");
        let mut seen = simple(sdk);
        seen.method = Method::GET;
        seen.refused(403, "SignatureDoesNotMatch");
        simple(sdk).query("acl", "").refused(403, "SignatureDoesNotMatch");
        simple(sdk).set("x-oss-meta-extra", "1").refused(403, "SignatureDoesNotMatch");
        simple(sdk).set("content-type", "text/html").refused(403, "SignatureDoesNotMatch");
        simple(sdk).set("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==").refused(403, "SignatureDoesNotMatch");
    }
}

#[test]
fn a_query_parameter_that_is_no_sub_resource_is_signed_in_v4_alone() {
    assert!(simple(V1).query("max-keys", "1").check().is_ok());
    simple(V4).query("max-keys", "1").refused(403, "SignatureDoesNotMatch");
    simple(V1).query("x-oss-anything", "1").refused(403, "SignatureDoesNotMatch");
}

#[test]
fn a_wrong_secret_is_told_with_the_string_to_sign_and_never_with_the_secret() {
    for (sdk, start, bytes, ec) in [
        (V1, "PUT\n\ntext/plain\nFri, 14 Mar", "50 55 54 0A 0A ", "0002-00000040"),
        (V4, "OSS4-HMAC-SHA256\n20250314T092653Z\n", "4F 53 53 34 ", "0002-00000201"),
    ] {
        let mut seen = simple(sdk);
        seen.config.access_key_secret = "hush-hush".into();
        let error = seen.refused(403, "SignatureDoesNotMatch");
        assert!(error.extra("StringToSign").is_some_and(|text| text.starts_with(start)));
        assert!(error.extra("StringToSignBytes").is_some_and(|text| text.starts_with(bytes) && text.ends_with(' ')));
        assert_eq!((error.ec, error.extra("OSSAccessKeyId")), (Some(ec), Some("ak")));
        assert!(error.extra("SignatureProvided").is_some_and(|text| text.len() >= 28));
        assert!(!error.document("R", "h").contains("hush-hush"));
    }
}

#[test]
fn an_unknown_access_key_id_has_its_own_code() {
    for mut seen in [simple(V1), simple(V4), Seen::url("get", V1), Seen::url("get", V4)] {
        seen.config.access_key_id = "somebody-else".into();
        assert_eq!(seen.refused(403, "InvalidAccessKeyId").ec, Some("0002-00000902"));
    }
}

#[test]
fn an_unsigned_request_is_access_denied_and_two_signatures_are_an_invalid_argument() {
    let mut unsigned = simple(V4).without("authorization");
    assert_eq!(unsigned.refused(403, "AccessDenied").ec, Some("0003-00000001"));
    unsigned.target = Target::default();
    assert_eq!(unsigned.refused(403, "AccessDenied").ec, Some("0003-00001201"));
    for url in [Seen::url("get", V1), Seen::url("get", V4)] {
        assert_eq!(url.set("authorization", "OSS ak:c2ln").refused(400, "InvalidArgument").ec, Some("0002-00000039"));
    }
}

#[test]
fn an_authorization_header_of_no_known_form_is_an_invalid_argument() {
    for (given, ec) in [
        ("", "0002-00000061"),
        ("Bearer abc", "0002-00000061"),
        ("OSS ak", "0002-00000061"),
        ("OSS ak:", "0002-00000065"),
        ("OSS4-HMAC-SHA256 Credential=ak", "0002-00000202"),
        ("OSS4-HMAC-SHA256 Signature=00", "0002-00000202"),
        ("OSS4-HMAC-SHA256 Credential=a,Credential=b,Signature=00", "0002-00000202"),
        ("OSS4-HMAC-SHA256 Credential=ak/20250314/cn-hangzhou/oss/abc,Signature=00", "0002-00000213"),
        ("OSS4-HMAC-SHA256 Credential=ak/20250314/cn-hangzhou/oss,Signature=00", "0002-00000213"),
    ] {
        let error = simple(V4).set("authorization", given).refused(400, "InvalidArgument");
        assert_eq!(error.ec, Some(ec), "{given}");
    }
}

#[test]
fn a_clock_fifteen_minutes_off_is_let_through_and_a_second_more_is_not() {
    for sdk in [V1, V4, "ali-oss/v1"] {
        for sign in [1, -1] {
            assert!(simple(sdk).after(sign * 900).check().is_ok());
            let error = simple(sdk).after(sign * 901).refused(403, "RequestTimeTooSkewed");
            assert_eq!(error.ec, Some("0002-00000504"));
            assert_eq!(error.extra("RequestTime"), Some("2025-03-14T09:26:53.000Z"));
            assert_eq!(error.extra("MaxAllowedSkewMilliseconds"), Some("900000"));
            assert!(
                error.extra("ServerTime").is_some_and(|at| at.starts_with("2025-03-14T09:") && at.ends_with(".000Z"))
            );
        }
    }
}

#[test]
fn a_missing_or_broken_date_is_access_denied() {
    let dateless = simple(V1).without("date");
    assert_eq!(dateless.refused(403, "AccessDenied").ec, Some("0002-00000503"));
    assert_eq!(dateless.set("date", "yesterday").refused(403, "AccessDenied").ec, Some("0002-00000502"));
    let broken = simple(V4).set("x-oss-date", "2025-03-14");
    assert_eq!(broken.refused(403, "AccessDenied").ec, Some("0002-00000502"));
}

#[test]
fn a_scope_of_another_region_product_or_day_is_an_invalid_argument() {
    let given = |from: &str, to: &str| {
        let seen = simple(V4);
        let given = header_text(&seen.headers, "authorization").expect("signed").replace(from, to);
        seen.set("authorization", &given).refused(400, "InvalidArgument")
    };
    let error = given("cn-hangzhou", "oss-cn-hangzhou");
    assert_eq!(
        (error.ec, error.message.as_str()),
        (Some("0002-00000226"), "Invalid signing region in Authorization header.")
    );
    let error = given("/oss/", "/oss-cloudbox/");
    assert_eq!(
        (error.ec, error.message.as_str()),
        (Some("0002-00000227"), "Invalid signing product in Authorization header.")
    );
    assert_eq!(given("20250314", "20250313").ec, Some("0002-00000212"));
    let mut url = Seen::url("get", V4);
    url.config.region = "cn-beijing".into();
    assert_eq!(url.refused(400, "InvalidArgument").ec, Some("0002-00000226"));
}

#[test]
fn a_payload_hash_other_than_unsigned_is_refused() {
    let hashed = simple(V4).set("x-oss-content-sha256", "e3b0c442");
    assert_eq!(hashed.refused(400, "InvalidArgument").ec, Some("0002-00000214"));
    assert_eq!(simple(V4).without("x-oss-content-sha256").refused(400, "InvalidArgument").ec, Some("0002-00000214"));
}

#[test]
fn an_additional_list_that_is_unordered_empty_or_names_an_absent_header_is_refused() {
    for (list, ec) in [
        ("content-length;content-disposition", "0002-00000209"),
        ("Content-Length", "0002-00000209"),
        ("", "0002-00000209"),
        ("content-length;", "0002-00000210"),
        ("content-length;range", "0002-00000211"),
    ] {
        let seen = Seen::header("put-additional-headers", V4);
        let given = header_text(&seen.headers, "authorization").expect("signed");
        let given = given.replace("content-disposition;content-length", list);
        assert_eq!(seen.set("authorization", &given).refused(400, "InvalidArgument").ec, Some(ec), "{list}");
        let url = Seen::url("additional-headers", V4)
            .set("content-disposition", "inline")
            .query("x-oss-additional-headers", list);
        assert_eq!(url.refused(400, "InvalidArgument").ec, Some(ec), "{list}");
    }
    Seen::url("additional-headers", V4).set("content-length", "11").refused(403, "SignatureDoesNotMatch");
}

#[test]
fn a_presigned_url_works_to_its_last_second_and_then_has_expired() {
    for (sdk, long) in [(V1, 604_800), (V4, 604_800)] {
        assert!(Seen::url("seven-days", sdk).after(long).check().is_ok());
        let error = Seen::url("seven-days", sdk).after(long + 1).refused(403, "AccessDenied");
        assert_eq!((error.message.as_str(), error.ec), ("Request has expired.", Some("0002-00000069")));
        assert_eq!(error.extra("Expires"), Some("2025-03-21T09:26:53.000Z"));
        assert_eq!(error.extra("ServerTime"), Some("2025-03-21T09:26:54.000Z"));
    }
    assert!(Seen::url("get", V4).after(-900).check().is_ok());
    Seen::url("get", V4).after(-901).refused(403, "AccessDenied");
}

#[test]
fn a_presigned_url_with_a_part_missing_or_broken_is_told_which() {
    for (url, code, ec) in [
        (Seen::url("get", V1).without("Expires"), "AccessDenied", Some("0002-00000067")),
        (Seen::url("get", V1).query("Expires", ""), "AccessDenied", Some("0002-00000068")),
        (Seen::url("get", V1).query("Expires", "abc"), "AccessDenied", Some("0002-00000070")),
        (Seen::url("get", V1).without("Signature"), "AccessDenied", None),
        (Seen::url("get", V1).without("OSSAccessKeyId"), "AccessDenied", None),
        (Seen::url("get", V4).without("x-oss-expires"), "InvalidArgument", Some("0002-00000215")),
        (Seen::url("get", V4).without("x-oss-credential"), "InvalidArgument", Some("0002-00000217")),
        (Seen::url("get", V4).without("x-oss-signature"), "InvalidArgument", None),
        (Seen::url("get", V4).without("x-oss-date"), "InvalidArgument", None),
        (Seen::url("get", V4).query("x-oss-signature-version", "ABC"), "InvalidArgument", Some("0002-00000066")),
        (Seen::url("get", V4).query("x-oss-expires", "0"), "InvalidArgument", Some("0002-00000232")),
        (Seen::url("get", V4).query("x-oss-expires", "604801"), "InvalidArgument", Some("0002-00000232")),
        (Seen::url("get", V4).query("x-oss-expires", "-1"), "InvalidArgument", Some("0002-00000232")),
    ] {
        let error = url.check().expect_err("must be refused");
        assert_eq!((error.code.as_ref(), error.ec), (code, ec), "{}", error.message);
    }
}

#[test]
fn headers_that_a_presigned_url_has_signed_must_be_sent() {
    for sdk in [V1, V4] {
        assert!(Seen::url("put-callback-header", sdk).check().is_ok());
        Seen::url("put-callback-header", sdk).without("x-oss-callback").refused(403, "SignatureDoesNotMatch");
        Seen::url("get", sdk).set("x-oss-meta-a", "1").refused(403, "SignatureDoesNotMatch");
    }
}

#[test]
fn a_token_that_is_expired_unknown_or_of_another_pair_is_told_apart() {
    let sts = || {
        [("header", V1), ("header", V4), ("url", V1), ("url", V4)].map(|(place, sdk)| {
            if place == "header" { Seen::header("put-sts", sdk) } else { Seen::url("put-sts", sdk) }
        })
    };
    let token = "CAIS/+token=with/slash+plus==";
    for seen in sts() {
        seen.tokens.expire();
        let error = seen.refused(403, "SecurityTokenExpired");
        assert_eq!((error.ec, error.extra("SecurityToken")), (Some("0002-00000007"), Some(token)));
        assert_eq!(error.message, "The security token you provided has expired.");
    }
    for mut seen in sts() {
        let other = seen.tokens.issue(jiff::SignedDuration::from_hours(1), seen.now).security_token;
        let swap = |seen: &mut Seen, to: &str| {
            if let Some(value) = seen.headers.get_mut("x-oss-security-token") {
                *value = to.parse().expect("value");
            }
            for (name, value) in &mut seen.target.query {
                if name.ends_with("security-token") {
                    *value = to.to_owned();
                }
            }
        };
        swap(&mut seen, "made-up");
        assert_eq!(seen.refused(403, "InvalidSecurityToken").ec, Some("0002-00000006"));
        swap(&mut seen, &other);
        assert_eq!(seen.refused(403, "AccessKeyIdAndSecurityTokenNotMatch").ec, Some("0002-00000004"));
    }
}

#[test]
fn a_temporary_id_without_its_token_and_a_static_id_with_one_are_unknown() {
    for sdk in [V1, V4] {
        let bare = Seen::header("put-sts", sdk).without("x-oss-security-token");
        assert_eq!(bare.refused(403, "InvalidAccessKeyId").ec, Some("0002-00000003"));
        let dressed = simple(sdk).set("x-oss-security-token", "any");
        assert_eq!(dressed.refused(403, "InvalidAccessKeyId").ec, Some("0002-00000002"));
    }
}

#[test]
fn the_unsigned_token_header_of_the_newer_python_sdk_is_not_read() {
    let error = Seen::header("put-sts", "oss-v2/v1").refused(403, "InvalidAccessKeyId");
    assert_eq!(error.ec, Some("0002-00000003"));
    assert!(error.message.contains("The Security Token may be lost"), "{}", error.message);
    let v4 = Seen::header("put-sts", V4).without("x-oss-security-token");
    v4.set("security-token", "CAIS/+token=with/slash+plus==").refused(403, "InvalidAccessKeyId");
}

#[test]
fn an_issued_token_hides_its_secrets_in_debug_and_lives_as_long_as_told() {
    let tokens = Tokens::default();
    let now: Timestamp = "2025-03-14T09:26:53Z".parse().expect("time");
    let issued = tokens.issue(jiff::SignedDuration::from_secs(60), now);
    let shown = format!("{issued:?}{tokens:?}");
    assert!(!shown.contains(&issued.access_key_secret) && !shown.contains(&issued.security_token), "{shown}");
    let secret = |seconds| {
        let at = now + jiff::SignedDuration::from_secs(seconds);
        tokens.secret(&issued.access_key_id, &issued.security_token, at).map_err(|error| error.code.to_string())
    };
    assert_eq!(secret(59), Ok(issued.access_key_secret.clone()));
    assert_eq!(secret(60), Err("SecurityTokenExpired".to_owned()));
}
