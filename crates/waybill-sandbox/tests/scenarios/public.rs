//! What anybody may read, and the one version that an object has.

use reqwest::Method;

use crate::bed::{BUCKET, Bed};

async fn anonymous(bed: &Bed, method: Method, target: &str) -> (u16, String) {
    let http = reqwest::Client::builder().no_proxy().build().expect("client");
    let url = format!("{}/{BUCKET}/{target}", bed.sandbox.info().endpoint);
    let answer = http.request(method, url).header("content-length", "0").send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

#[tokio::test]
async fn an_object_that_is_public_is_read_by_anybody_and_written_by_nobody() {
    let bed = Bed::start().await;
    for (key, acl) in
        [("open", "public-read"), ("wide", "public-read-write"), ("closed", "private"), ("own", "default")]
    {
        bed.ask(Method::PUT, key).header("x-oss-object-acl", acl).body("x").send().await;
    }
    for key in ["open", "wide"] {
        assert_eq!(anonymous(&bed, Method::GET, key).await, (200, "x".to_owned()), "{key}");
        for (method, target) in [(Method::HEAD, ""), (Method::HEAD, "?objectMeta"), (Method::GET, "?versionId=null")] {
            assert_eq!(anonymous(&bed, method, &format!("{key}{target}")).await.0, 200, "{key}{target}");
        }
        for (method, target) in [
            (Method::GET, "?acl"),
            (Method::GET, "?tagging"),
            (Method::GET, "?response-content-type=text/html"),
            (Method::GET, "?Signature=x"),
            (Method::PUT, ""),
            (Method::DELETE, ""),
        ] {
            assert_eq!(anonymous(&bed, method, &format!("{key}{target}")).await.0, 403, "{key}{target}");
        }
    }
    for key in ["closed", "own", "none"] {
        let (status, text) = anonymous(&bed, Method::GET, key).await;
        assert!(status == 403 && text.contains("<Code>AccessDenied</Code>"), "{key}: {text}");
    }
    bed.ask(Method::PUT, "open").query("acl", "").header("x-oss-object-acl", "private").send().await;
    assert_eq!(anonymous(&bed, Method::GET, "open").await.0, 403);
    let mut wrong = bed.ask(Method::GET, "wide");
    wrong.secret = "wrong".into();
    wrong.send().await.refused(403, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn the_only_version_is_null_and_versioning_was_never_switched_on() {
    let bed = Bed::start().await;
    bed.put("k", "x").await;
    let ask = |method: Method, version: &str| bed.ask(method, "k").query("versionId", version);
    assert_eq!(ask(Method::GET, "null").send().await.text(), "x");
    assert_eq!(ask(Method::HEAD, "null").send().await.status, 200);
    assert_eq!(bed.ask(Method::HEAD, "k").query("objectMeta", "").query("versionId", "null").send().await.status, 200);
    for method in [Method::GET, Method::DELETE] {
        let got = ask(method, "CAEQ").send().await;
        got.refused(400, "InvalidArgument");
        assert_eq!((got.element("ArgumentName"), got.element("ArgumentValue")), ("versionId".into(), "CAEQ".into()));
    }
    assert_eq!(ask(Method::DELETE, "null").send().await.status, 204);
    assert_eq!(bed.get("k").await, None);
    let got = bed.ask_bucket(Method::GET).query("versioning", "").send().await;
    assert_eq!(got.status, 200);
    assert!(got.text().contains("<VersioningConfiguration") && !got.text().contains("Status"), "{}", got.text());
}
