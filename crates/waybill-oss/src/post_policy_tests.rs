//! Post policies against the SDKs' forms.

use serde_json::{Value, json};

use super::*;

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
}

fn condition(value: &Value) -> Condition {
    if let Some(object) = value.as_object() {
        let (field, value) = object.iter().next().expect("one field");
        return match field.as_str() {
            "bucket" => Condition::Bucket(text(value).to_owned()),
            _ => Condition::Is(field.clone(), text(value).to_owned()),
        };
    }
    let field = || text(&value[1]).strip_prefix('$').expect("a field").to_owned();
    let values = || serde_json::from_value(value[2].clone()).expect("list");
    match text(&value[0]) {
        "eq" => Condition::Eq(field(), text(&value[2]).to_owned()),
        "starts-with" => Condition::StartsWith(field(), text(&value[2]).to_owned()),
        "content-length-range" => {
            Condition::ContentLengthRange(value[1].as_u64().expect("least"), value[2].as_u64().expect("most"))
        }
        "in" => Condition::In(field(), values()),
        "not-in" => Condition::NotIn(field(), values()),
        other => panic!("{other}"),
    }
}

fn policy(conditions: Vec<Condition>) -> PostPolicy {
    PostPolicy { expiration: "2025-03-14T10:26:53Z".parse().expect("time"), conditions }
}

fn at() -> Timestamp {
    "2025-03-14T09:26:53Z".parse().expect("time")
}

fn v4(policy: &PostPolicy, credential: &Credential) -> Result<Vec<(String, String)>, Error> {
    policy.form_fields(SignatureVersion::V4, credential, "oss-cn-hangzhou", at())
}

#[test]
fn every_policy_of_the_sdks_is_written_and_signed_as_they_do() {
    let file: Value = serde_json::from_str(include_str!("../tests/fixtures/post-policy.json")).expect("json");
    let vectors = file["vectors"].as_array().expect("vectors");
    assert_eq!(vectors.len(), 5);
    let mut wrong = Vec::new();
    for vector in vectors {
        let input = &vector["input"];
        let conditions = input["policy"]["conditions"].as_array().expect("conditions").iter().map(condition).collect();
        let expiration = text(&input["policy"]["expiration"]).parse().expect("time");
        let policy = PostPolicy { expiration, conditions };
        let base64 = text(&vector["policy_base64"]);
        let credential = Credential::new(text(&input["access_key_id"]), text(&input["access_key_secret"]), None);
        let time = text(&input["time"]).parse().expect("time");
        let mut same = |what: &str, ours: &str, theirs: &Value| {
            if ours != text(theirs) {
                wrong.push(format!("{} {what}: {ours} instead of {theirs}", vector["id"]));
            }
        };
        same("json", &policy.json(), &vector["policy_json"]);
        let region = text(&input["region"]);
        let v1 = policy.form_fields(SignatureVersion::V1, &credential, "", time).expect("fields");
        same("v1 policy", field(&v1, "policy"), &vector["policy_base64"]);
        same("v1 signature", field(&v1, "Signature"), &vector["v1"]["signature"]);
        let v4 = sign_policy(base64, SignatureVersion::V4, &credential, region, time).expect("fields");
        for name in ["x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-signature"] {
            same(name, field(&v4, name), &vector["v4"][name.replace('-', "_")]);
        }
        for (fields, names) in [(&v1, &vector["v1"]["form_fields"]), (&v4, &vector["v4"]["form_fields"])] {
            let ours: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(json!(ours), *names);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn version_4_adds_the_conditions_of_its_own_fields_once() {
    let credential = Credential::new("STS.ak", "sk", Some("t0ken".to_owned()));
    let fields = v4(&policy(vec![Condition::Bucket("examplebucket".to_owned())]), &credential).expect("fields");
    let decoded: Value =
        serde_json::from_slice(&STANDARD.decode(field(&fields, "policy")).expect("base64")).expect("json");
    let expected = json!([
        {"bucket": "examplebucket"},
        {"x-oss-signature-version": "OSS4-HMAC-SHA256"},
        {"x-oss-credential": "STS.ak/20250314/cn-hangzhou/oss/aliyun_v4_request"},
        {"x-oss-date": "20250314T092653Z"},
        {"x-oss-security-token": "t0ken"},
    ]);
    assert_eq!(decoded["conditions"], expected);
    assert_eq!(field(&fields, "x-oss-security-token"), "t0ken");
    let given = policy(expected.as_array().expect("list").iter().map(condition).collect());
    assert_eq!(v4(&given, &credential).expect("fields"), fields, "nothing is added a second time");
    let v1 = given.form_fields(SignatureVersion::V1, &credential, "", at()).expect("fields");
    assert_eq!(field(&v1, "x-oss-security-token"), "t0ken");
}

#[test]
fn a_dollar_in_a_value_is_escaped_and_one_before_a_field_is_not() {
    let conditions = vec![
        Condition::Eq("key".to_owned(), "price $5 \"x\"".to_owned()),
        Condition::NotIn("cache-control".to_owned(), vec!["$a".to_owned(), "b".to_owned()]),
    ];
    let json = policy(conditions).json();
    assert!(json.contains(r#"["eq","$key","price \$5 \"x\""],["not-in","$cache-control",["\$a","b"]]"#), "{json}");
}

#[test]
fn policies_that_oss_would_refuse_are_refused_in_words() {
    let credential = Credential::new("ak", "sk", None);
    let over = PostPolicy { expiration: at(), conditions: vec![] };
    let far = PostPolicy { expiration: "2025-03-21T09:26:54Z".parse().expect("time"), conditions: vec![] };
    let range = policy(vec![Condition::ContentLengthRange(2, 1)]);
    let none = policy(vec![Condition::In("key".to_owned(), vec![])]);
    for refused in [&over, &far, &range, &none] {
        let words = v4(refused, &credential).expect_err("refused").to_string();
        assert!(words.starts_with("Post policy: "), "{words}");
    }
    assert!(far.form_fields(SignatureVersion::V1, &credential, "", at()).is_ok(), "seven days are a rule of version 4");
    let week = PostPolicy { expiration: "2025-03-21T09:26:53Z".parse().expect("time"), conditions: vec![] };
    assert!(v4(&week, &credential).is_ok());
}
