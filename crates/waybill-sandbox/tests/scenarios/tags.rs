//! Tags and ACL of an object that is there.

use reqwest::Method;

use crate::bed::Bed;

const TAGS: &str =
    "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b c</Key><Value/></Tag></TagSet></Tagging>";

#[tokio::test]
async fn tags_are_set_counted_shown_and_taken_away() {
    let bed = Bed::start().await;
    bed.ask(Method::PUT, "k").header("x-oss-tagging", "old=1").body("x").send().await;
    let before = bed.ask(Method::HEAD, "k").send().await;
    assert_eq!(bed.ask(Method::PUT, "k").query("tagging", "").body(TAGS).send().await.status, 200);
    let bed = bed.restart().await;
    let got = bed.ask(Method::GET, "k").query("tagging", "").send().await;
    assert_eq!(
        (got.elements("Key"), got.elements("Value")),
        (vec!["a".into(), "b c".into()], vec!["1".into(), String::new()])
    );
    let head = bed.ask(Method::HEAD, "k").send().await;
    assert_eq!(head.header("x-oss-tagging-count"), "2");
    assert_eq!(head.header("last-modified"), before.header("last-modified"), "tags are no change of the object");
    assert_eq!(bed.ask(Method::DELETE, "k").query("tagging", "").send().await.status, 204);
    assert!(
        bed.ask(Method::GET, "k")
            .query("tagging", "")
            .send()
            .await
            .text()
            .ends_with("<Tagging><TagSet></TagSet></Tagging>")
    );
    assert_eq!(bed.get("k").await.as_deref(), Some(&b"x"[..]));
}

#[tokio::test]
async fn tags_of_nothing_or_tags_that_are_none_are_refused() {
    let bed = Bed::start().await;
    bed.ask(Method::PUT, "k").query("tagging", "").body(TAGS).send().await.refused(404, "NoSuchKey");
    bed.put("k", "x").await;
    let put = |body: &str| bed.ask(Method::PUT, "k").query("tagging", "").body(body);
    put("<Tags/>").send().await.refused(400, "MalformedXML");
    put(&TAGS.replace("b c", "a")).send().await.refused(400, "InvalidTag");
    put(TAGS).header("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==").send().await.refused(400, "InvalidDigest");
    assert!(!bed.ask(Method::HEAD, "k").send().await.headers.contains_key("x-oss-tagging-count"));
}

#[tokio::test]
async fn an_acl_is_set_and_shown() {
    let bed = Bed::start().await;
    bed.put("k", "x").await;
    let grant = async || bed.ask(Method::GET, "k").query("acl", "").send().await.element("Grant");
    assert_eq!(grant().await, "default");
    let put = |acl: &str| bed.ask(Method::PUT, "k").query("acl", "").header("x-oss-object-acl", acl);
    assert_eq!(put("public-read").send().await.status, 200);
    assert_eq!(grant().await, "public-read");
    put("everyone").send().await.refused(400, "InvalidArgument");
    bed.ask(Method::GET, "none").query("acl", "").send().await.refused(404, "NoSuchKey");
}
