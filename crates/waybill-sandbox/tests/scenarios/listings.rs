//! Listings of objects, and deleting many at once.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use md5::{Digest, Md5};
use reqwest::Method;

use crate::bed::{Ask, Bed};

async fn filled(keys: &[&str]) -> Bed {
    let bed = Bed::start().await;
    for key in keys {
        assert_eq!(bed.put(key, *key).await.status, 200, "{key}");
    }
    bed
}

const KEYS: [&str; 5] = ["fun/movie/001.avi", "fun/movie/007.avi", "fun/test.jpg", "oss.jpg", "目录/a b+c"];

#[tokio::test]
async fn a_listing_folds_by_delimiter_and_tells_of_each_object() {
    let bed = filled(&KEYS).await;
    let got = bed.ask_bucket(Method::GET).query("prefix", "fun/").query("delimiter", "/").send().await;
    assert_eq!((got.status, got.elements("Key")), (200, vec!["fun/test.jpg".to_owned()]), "{}", got.text());
    assert_eq!(got.elements("Prefix"), ["fun/", "fun/movie/"]);
    for (name, value) in [("Name", "test-bucket"), ("Type", "Normal"), ("Size", "12"), ("StorageClass", "Standard")] {
        assert_eq!(got.element(name), value);
    }
    assert!(got.text().contains("<Owner><ID>") && got.element("LastModified").ends_with(".000Z"), "{}", got.text());
    let head = bed.ask(Method::HEAD, "fun/test.jpg").send().await;
    assert_eq!(got.element("ETag").replace("&quot;", "\""), head.header("etag"));
}

#[tokio::test]
async fn pages_by_marker_give_every_key_once() {
    let bed = filled(&KEYS).await;
    let (mut seen, mut marker) = (Vec::new(), String::new());
    loop {
        let ask = bed.ask_bucket(Method::GET).query("max-keys", "2").query("marker", &marker);
        let page = ask.query("encoding-type", "url").send().await;
        seen.extend(page.elements("Key"));
        if page.element("IsTruncated") == "false" {
            assert!(page.elements("NextMarker").is_empty(), "{}", page.text());
            break;
        }
        marker = page.element("NextMarker").replace("%2F", "/");
    }
    assert_eq!(seen.len(), KEYS.len());
    assert_eq!((seen[0].as_str(), seen[4].as_str()), ("fun%2Fmovie%2F001.avi", "%E7%9B%AE%E5%BD%95%2Fa%20b%2Bc"));
}

#[tokio::test]
async fn pages_by_token_go_on_after_folded_prefixes_and_count_them() {
    let bed = filled(&KEYS).await;
    let v2 = |token: &str| {
        let ask = bed.ask_bucket(Method::GET).query("list-type", "2").query("delimiter", "/").query("max-keys", "1");
        if token.is_empty() { ask } else { ask.query("continuation-token", token) }
    };
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = v2(&token).send().await;
        assert_eq!((page.status, page.element("KeyCount").as_str()), (200, "1"), "{}", page.text());
        assert!(!page.text().contains("<Owner>"), "the owner was not asked for");
        seen.extend(page.elements("Key"));
        seen.extend(page.elements("Prefix").into_iter().filter(|prefix| !prefix.is_empty()));
        if page.element("IsTruncated") == "false" {
            break;
        }
        token = page.element("NextContinuationToken");
    }
    assert_eq!(seen, ["fun/", "oss.jpg", "目录/"]);
    v2("nonsense").send().await.refused(400, "InvalidArgument");
    let ask = bed.ask_bucket(Method::GET).query("list-type", "2").query("start-after", "fun/test.jpg");
    let after = ask.query("fetch-owner", "true").send().await;
    assert_eq!(after.elements("Key"), ["oss.jpg", "目录/a b+c"]);
    assert!(after.element("StartAfter") == "fun/test.jpg" && after.text().contains("<Owner>"), "{}", after.text());
}

#[tokio::test]
async fn limits_out_of_bounds_and_another_encoding_are_refused() {
    let bed = Bed::start().await;
    for (name, value) in [("max-keys", "0"), ("max-keys", "1001"), ("max-keys", "many"), ("encoding-type", "base64")] {
        bed.ask_bucket(Method::GET).query(name, value).send().await.refused(400, "InvalidArgument");
    }
}

#[tokio::test]
async fn a_listing_after_a_restart_is_the_same_and_a_file_taken_by_hand_is_not_in_it() {
    let bed = filled(&KEYS).await;
    let before = bed.ask_bucket(Method::GET).send().await.text();
    let bed = bed.restart().await;
    assert_eq!(bed.ask_bucket(Method::GET).send().await.text(), before);
    std::fs::remove_file(bed.dir.path().join("objects/test-bucket/oss.jpg")).expect("removes");
    let keys = bed.ask_bucket(Method::GET).send().await.elements("Key");
    assert!(keys.len() == 4 && !keys.contains(&"oss.jpg".to_owned()), "{keys:?}");
}

fn ask_delete<'a>(bed: &'a Bed, body: &str) -> Ask<'a> {
    let ask = bed.ask_bucket(Method::POST).query("delete", "").body(body);
    ask.header("content-md5", &BASE64_STANDARD.encode(Md5::digest(body)))
}

#[tokio::test]
async fn many_objects_are_deleted_at_once_and_named_unless_quiet() {
    let bed = filled(&["a", "b&c", "d", "e", "f1", "f2", "f3"]).await;
    let three =
        "<Delete><Object><Key>f1</Key></Object><Object><Key>f2</Key></Object><Object><Key>f3</Key></Object></Delete>";
    assert_eq!(ask_delete(&bed, three).send().await.elements("Key"), ["f1", "f2", "f3"]);
    assert_eq!(bed.ask_bucket(Method::GET).send().await.elements("Key"), ["a", "b&amp;c", "d", "e"]);
    let body = "<Delete><Object><Key>a</Key></Object><Object><Key>b&amp;c</Key></Object><Object><Key>no/ne</Key></Object></Delete>";
    let got = ask_delete(&bed, body).query("encoding-type", "url").send().await;
    assert_eq!((got.status, got.elements("Key")), (200, vec!["a".into(), "b%26c".into(), "no%2Fne".into()]));
    assert!(got.text().contains("<EncodingType>url</EncodingType><Deleted>"), "{}", got.text());
    let quiet = ask_delete(&bed, "<Delete><Quiet>true</Quiet><Object><Key>d</Key></Object></Delete>").send().await;
    assert_eq!((quiet.status, quiet.body.len()), (200, 0));
    assert_eq!(bed.ask_bucket(Method::GET).send().await.elements("Key"), ["e"]);
}

#[tokio::test]
async fn a_delete_list_with_a_wrong_digest_or_root_deletes_nothing() {
    let bed = filled(&["a"]).await;
    let body = "<Delete><Object><Key>a</Key></Object></Delete>";
    let ask = ask_delete(&bed, body).header("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==");
    ask.send().await.refused(400, "InvalidDigest");
    bed.ask_bucket(Method::POST).query("delete", "").body(body).send().await.refused(400, "MissingArgument");
    let odd = ask_delete(&bed, "<Remove><Object><Key>a</Key></Object></Remove>").send().await;
    odd.refused(400, "MalformedXML");
    assert_eq!((odd.element("EC").as_str(), bed.get("a").await.is_some()), ("0016-00000608", true));
}
