//! Every signature of Alibaba's SDKs, reproduced: from what they signed, and from what they were asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::*;

/// One result of one SDK in one version.
struct Case<'v> {
    name: String,
    version: SignatureVersion,
    vector: &'v Value,
    result: &'v Value,
    /// Why the SDK's answer is not ours, if it is not.
    deviates: bool,
    expected: bool,
}

type Pairs = Vec<(String, String)>;

struct Files {
    headers: Value,
    urls: Value,
}

impl Files {
    fn read() -> Files {
        let read = |text: &str| serde_json::from_str(text).expect("json");
        Files {
            headers: read(include_str!("../../tests/fixtures/sign-header.json")),
            urls: read(include_str!("../../tests/fixtures/sign-url.json")),
        }
    }

    fn cases(&self) -> Vec<Case<'_>> {
        let vectors =
            [&self.headers, &self.urls].into_iter().flat_map(|file| file["vectors"].as_array().expect("list"));
        vectors.flat_map(cases_of).collect()
    }
}

fn cases_of(vector: &Value) -> impl Iterator<Item = Case<'_>> {
    let results = vector["results"].as_object().expect("results");
    results.iter().map(|(sdk, result)| {
        let (version, short) =
            if sdk.ends_with("/v1") { (SignatureVersion::V1, "v1") } else { (SignatureVersion::V4, "v4") };
        let id = text(&vector["id"]);
        let differs = vector[format!("differs_{short}")][sdk].as_str().unwrap_or_default();
        // The Python SDKs do not trim header values, which the file calls other headers in version 1.
        let untrimmed = id == "meta-space-value" && sdk != "ali-oss/v1" && sdk != "ali-oss/v4";
        Case {
            name: format!("{id} {sdk}"),
            version,
            vector,
            result,
            deviates: differs == "the SDK builds another string to sign" || untrimmed,
            expected: vector["expected"][short] == Value::String(sdk.clone()),
        }
    })
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn pairs(object: &Value) -> Pairs {
    object.as_object().expect("object").iter().map(|(name, value)| (name.clone(), text(value).to_owned())).collect()
}

fn parsed(query: &str) -> Pairs {
    reqwest::Url::parse(&format!("http://host/?{query}")).expect("url").query_pairs().into_owned().collect()
}

impl Case<'_> {
    fn input(&self, name: &str) -> &Value {
        &self.vector["input"][name]
    }

    fn credential(&self) -> Credential {
        let token = self.input("security_token").as_str().map(str::to_owned);
        Credential::new(text(self.input("access_key_id")), text(self.input("access_key_secret")), token)
    }

    fn at(&self) -> Timestamp {
        text(self.input("time")).parse().expect("time")
    }

    fn expires(&self) -> Option<Duration> {
        self.input("expires").as_u64().map(Duration::from_secs)
    }

    fn additional(&self) -> Vec<String> {
        serde_json::from_value(self.input("additional_headers").clone()).expect("list")
    }

    /// An empty key is no key.
    fn key(&self) -> Option<&str> {
        self.input("key").as_str().filter(|key| !key.is_empty())
    }

    /// What the SDK itself signed: query, headers, and the Expires of a presigned URL of version 1.
    fn as_signed(&self) -> (Pairs, Pairs, Option<String>) {
        if self.expires().is_none() {
            return (pairs(self.input("query")), pairs(&self.result["headers"]), None);
        }
        let mut query = parsed(text(&self.result["query_string"]));
        let expires = query.iter().find(|(name, _)| name == "Expires").map(|(_, value)| value.clone());
        query.retain(|(name, _)| {
            !matches!(name.as_str(), "OSSAccessKeyId" | "Expires" | "Signature" | "x-oss-signature")
        });
        (query, pairs(self.input("headers")), expires)
    }
}

fn ours(case: &Case<'_>, request: &Signable<'_>, expires: Option<&str>) -> Signed {
    changed(case, request, expires, str::to_owned)
}

/// Ours, if what the signer signs were changed on the way into its HMAC. What it says it signed, and everything before,
/// stays as it is, so only the signature can tell.
fn changed(case: &Case<'_>, request: &Signable<'_>, expires: Option<&str>, change: impl Fn(&str) -> String) -> Signed {
    let credential = case.credential();
    match case.version {
        SignatureVersion::V1 => v1::signed(|text| v1::signature(&credential, &change(text)), request, expires),
        SignatureVersion::V4 => {
            let scope = v4::Scope::new(case.at(), text(case.input("region")));
            let names = v4::additional_names(request, &case.additional());
            let key = DayKeys::default().key(&credential, &scope);
            v4::signed(|text| key.sign(&change(text)), &scope, request, &names)
        }
    }
}

/// How many signatures were compared, and which of them are not what the SDK made of its own headers and query.
fn compare(signer: impl Fn(&Case<'_>, &Signable<'_>, Option<&str>) -> Signed) -> (usize, Vec<String>) {
    let files = Files::read();
    let cases = files.cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let (query, headers, expires) = case.as_signed();
        let (method, bucket) = (text(case.input("method")), case.input("bucket").as_str());
        let request = Signable { method, bucket, key: case.key(), query: &query, headers: &headers };
        let signed = signer(case, &request, expires.as_deref());
        let mut same = signed.signature == text(&case.result["signature"]);
        same &= signed.string_to_sign == text(&case.result["string_to_sign"]);
        same &= signed.canonical_request.as_deref() == case.result["canonical_request"].as_str();
        if same == case.deviates {
            wrong.push(format!("{}: {:?}", case.name, signed.string_to_sign));
        }
        assert!(!(case.expected && case.deviates), "{}: the expected result is never the odd one", case.name);
    }
    (cases.len(), wrong)
}

#[test]
fn every_sdks_signature_is_reproduced_from_its_own_headers_and_query() {
    let (compared, wrong) = compare(ours);
    assert_eq!(compared, 444, "56 header and 18 URL vectors, three SDKs, two versions");
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn one_changed_byte_in_the_string_to_sign_makes_hundreds_fail() {
    for at in [|_: usize| 0, |length| length / 2, |length| length - 1] {
        let change = |text: &str| {
            let mut chars: Vec<char> = text.chars().collect();
            let at = at(chars.len());
            chars[at] = if chars[at] == '#' { '$' } else { '#' };
            chars.into_iter().collect()
        };
        let (compared, wrong) = compare(|case, request, expires| changed(case, request, expires, change));
        // The few that deviate are not ours with the change either.
        assert!(wrong.len() > 400, "only {} of {compared} noticed", wrong.len());
    }
}

#[test]
fn the_few_deviations_are_the_known_ones() {
    let files = Files::read();
    let names: Vec<String> = files.cases().into_iter().filter(|case| case.deviates).map(|case| case.name).collect();
    let known = [
        "query-order ali-oss/v4",
        "query-order oss-v2/v1",
        "meta-space-value oss-v2/v1",
        "meta-space-value oss-v2/v4",
        "meta-space-value oss2/v1",
        "meta-space-value oss2/v4",
        "list-parts ali-oss/v1",
        "traffic-limit oss-v2/v1",
        "process oss-v2/v1",
    ];
    assert_eq!(names, known);
}

/// Seals what the SDKs were asked for, as the client does, and compares with the result that is to be reproduced.
#[test]
fn sealing_the_bare_request_gives_the_expected_signature() {
    let (files, mut wrong, mut compared) = (Files::read(), Vec::new(), 0);
    for case in files.cases().iter().filter(|case| case.expected) {
        let (credential, additional, keys) = (case.credential(), case.additional(), DayKeys::default());
        let seal = Seal {
            version: case.version,
            credential: &credential,
            region: text(case.input("region")),
            at: case.at(),
            additional_headers: &additional,
            keys: &keys,
        };
        let (method, bucket) = (text(case.input("method")), case.input("bucket").as_str());
        let (mut query, mut headers) = (pairs(case.input("query")), pairs(case.input("headers")));
        let mut problems = Vec::new();
        match case.expires() {
            Some(expires) => {
                let signed = seal_query(&seal, expires, method, bucket, case.key(), &mut query, &headers);
                problems.extend((signed.expect("sealed").signature != case.result["signature"]).then_some("signature"));
                let theirs = parsed(text(&case.result["query_string"])).into_iter().collect::<BTreeMap<_, _>>();
                problems.extend((query.into_iter().collect::<BTreeMap<_, _>>() != theirs).then_some("query"));
            }
            None => {
                if text(&case.vector["expected"]["v1"]) == "ali-oss/v1" {
                    // It dates its requests by x-oss-date, which a caller of ours may do too.
                    headers = pairs(&case.result["headers"]);
                }
                let signed = seal_headers(&seal, method, bucket, case.key(), &query, &mut headers);
                problems.extend((signed.signature != case.result["signature"]).then_some("signature"));
                let (name, sealed) = headers.last().expect("a header");
                // oss2 writes the parts in another order, with blanks behind the commas.
                let parts = |header: &str| -> BTreeSet<String> {
                    header.split(',').map(|part| part.trim().to_owned()).collect()
                };
                let same = parts(sealed) == parts(text(&case.result["authorization"]));
                problems.extend((name != "authorization" || !same).then_some("authorization"));
            }
        }
        compared += 1;
        wrong.extend(problems.into_iter().map(|problem| format!("{}: {problem}", case.name)));
    }
    assert_eq!(compared, 148, "74 vectors, two versions");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_key_is_signed_as_the_sdks_escape_it() {
    let file: Value = serde_json::from_str(include_str!("../../tests/fixtures/key-encoding.json")).expect("json");
    let vectors = file["vectors"].as_array().expect("vectors");
    assert_eq!(vectors.len(), 26);
    let scope = v4::Scope::new(Timestamp::UNIX_EPOCH, "r");
    let mut wrong = Vec::new();
    for vector in vectors {
        let key = Some(text(&vector["key"]));
        let request = Signable { method: "PUT", bucket: Some("examplebucket"), key, query: &[], headers: &[] };
        let v1 = v1::signed(str::to_owned, &request, None).string_to_sign;
        if v1 != format!("PUT\n\n\n\n{}", text(&vector["v1_canonical_resource"])) {
            wrong.push(v1);
        }
        let signed = v4::signed(str::to_owned, &scope, &request, &[]);
        let canonical = signed.canonical_request.expect("version 4");
        if canonical.lines().nth(1) != vector["v4_canonical_uri"].as_str() {
            wrong.push(canonical);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_presigned_url_lives_one_second_to_seven_days() {
    let (credential, keys) = (Credential::new("ak", "sk", None), DayKeys::default());
    let seal = |version| Seal {
        version,
        credential: &credential,
        region: "cn-hangzhou",
        at: "2025-03-14T09:26:53Z".parse().expect("time"),
        additional_headers: &[],
        keys: &keys,
    };
    let presign = |version, seconds| {
        let mut query = Vec::new();
        seal_query(&seal(version), Duration::from_secs(seconds), "GET", Some("b"), Some("k"), &mut query, &[])
    };
    for seconds in [1, 604_800] {
        assert!(presign(SignatureVersion::V4, seconds).is_ok(), "{seconds}");
    }
    for seconds in [0, 604_801] {
        assert!(presign(SignatureVersion::V4, seconds).is_err(), "{seconds}");
    }
    let words = presign(SignatureVersion::V4, 604_801).expect_err("refused").to_string();
    assert!(words.contains("1 to 604800 seconds") && words.contains("604801"), "{words}");
    assert!(presign(SignatureVersion::V1, 604_801).is_ok());
    assert!(presign(SignatureVersion::V1, 0).is_err() && presign(SignatureVersion::V1, u64::MAX).is_err());
}

#[test]
fn sealing_twice_leaves_one_signature() {
    let (credential, keys) = (Credential::new("ak", "sk", Some("t".to_owned())), DayKeys::default());
    for version in [SignatureVersion::V1, SignatureVersion::V4] {
        let seal = Seal {
            version,
            credential: &credential,
            region: "cn-hangzhou",
            at: "2025-03-14T09:26:53Z".parse().expect("time"),
            additional_headers: &[],
            keys: &keys,
        };
        let (mut query, mut headers) = (Vec::new(), Vec::new());
        let mut first = (Vec::new(), Vec::new());
        for round in 0..2 {
            seal_query(&seal, Duration::from_secs(60), "GET", Some("b"), Some("k"), &mut query, &[]).expect("sealed");
            seal_headers(&seal, "GET", Some("b"), Some("k"), &[], &mut headers);
            query.sort();
            headers.sort();
            if round == 0 {
                first = (query.clone(), headers.clone());
            }
        }
        assert_eq!((query, headers), first, "{version:?}");
    }
}
