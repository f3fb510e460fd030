//! Signatures of Alibaba's own, and everything that comes near one.

use serde_json::Value;

use super::*;

/// Published and captured callbacks, and made ones.
fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../waybill-oss/tests/fixtures/callback-signature.json")).expect("json")
}

fn form(url: &str, headers: &[(&str, &str)], body: &str) -> SignatureCheckForm {
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    SignatureCheckForm { url: url.into(), headers: headers.join("\n"), body: body.into() }
}

#[test]
fn path_and_query_are_taken_as_they_stand() {
    for (url, target) in [
        ("https://app.example.com:8080/a%2Fb?x=1", "/a%2Fb?x=1"),
        ("/cb", "/cb"),
        ("cb?x", "/cb?x"),
        ("http://h?x=1", "/?x=1"),
        ("http://h", "/"),
    ] {
        assert_eq!(target_of(url), target, "{url}");
    }
    let headers = headers_of("POST /cb HTTP/1.1\nHost: h:80\n\n authorization : a=b \nno header");
    let pairs: Vec<_> = headers.iter().map(|header| (header.name.as_str(), header.value.as_str())).collect();
    assert_eq!(pairs, [("Host", "h:80"), ("authorization", "a=b")]);
}

#[tokio::test]
async fn callbacks_of_alibabas_own_verify_and_changed_ones_do_not() {
    let signatures = Signatures::default();
    let vectors = vectors();
    let published = &vectors["published_by_alibaba"];
    let captured = vectors["captured"].as_array().expect("captured callbacks");
    assert_eq!(captured.len(), 2);
    for vector in std::iter::once(published).chain(captured) {
        let text = |name: &str| vector[name].as_str().unwrap_or_else(|| panic!("{name} in {vector}"));
        let key_url = published["public_key_url_base64"].as_str().expect("the key's place");
        let headers = [("authorization", text("authorization")), ("x-oss-pub-key-url", key_url)];
        let url = format!("http://app.example.com{}", text("request_target"));
        for (body, expected) in [
            (text("body").to_owned(), SignatureKind::Oss),
            (format!("{}\r\n", text("body")), SignatureKind::Oss),
            (format!("{}x", text("body")), SignatureKind::Wrong),
        ] {
            let verdict = signatures.check(&form(&url, &headers, &body), &[]).await;
            assert_eq!(verdict.kind, expected, "{verdict:?}");
        }
    }
}

#[tokio::test]
async fn what_proves_nothing_is_told_apart() {
    let signatures = Signatures::default();
    // aHR0cDovL2V2aWwuZXhhbXBsZS5jb20v = http://evil.example.com/
    let foreign = "aHR0cDovL2V2aWwuZXhhbXBsZS5jb20v";
    let cases: [(&[(&str, &str)], SignatureKind); 4] = [
        (&[("x-oss-pub-key-url", foreign)], SignatureKind::Missing),
        (&[("Authorization", "QUJD")], SignatureKind::NoKey),
        (&[("Authorization", "QUJD"), ("X-Oss-Pub-Key-Url", "%%%")], SignatureKind::NoKey),
        (&[("Authorization", "QUJD"), ("X-Oss-Pub-Key-Url", foreign)], SignatureKind::ForeignKey),
    ];
    for (headers, expected) in cases {
        let verdict = signatures.check(&form("/cb?x", headers, "body"), &[]).await;
        assert_eq!((verdict.kind, verdict.signed.as_str()), (expected, "/cb?x\nbody"), "{headers:?}");
    }
}

#[tokio::test]
async fn a_key_of_somebodys_own_never_makes_a_request_one_of_oss() {
    let (vectors, signatures) = (vectors(), Signatures::default());
    let published = &vectors["published_by_alibaba"];
    let text = |of: &Value, name: &str| of[name].as_str().unwrap_or_else(|| panic!("{name} in {of}")).to_owned();
    for (signed, pem, expected) in [
        (&vectors["vectors"][0], text(&vectors, "public_key_pem"), SignatureKind::Sandbox),
        (published, text(published, "public_key_pem"), SignatureKind::Oss),
    ] {
        let header = |name: &str, value: String| Variable { name: name.into(), value };
        let headers = [
            header("authorization", text(signed, "authorization")),
            header("x-oss-pub-key-url", text(published, "public_key_url_base64")),
        ];
        let (target, key) = (text(signed, "request_target"), PublicKey::from_pem(&pem).expect("a key"));
        let asked = Asked { target: &target, headers: &headers, also: &[], key: Some(&key) };
        let verdict = signatures.judge(&asked, text(published, "body").as_bytes()).await;
        assert_eq!(verdict.kind, expected, "{verdict:?}");
    }
}
