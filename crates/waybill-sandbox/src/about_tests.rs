//! What may be said about an object, and what is refused.

use super::*;

fn given(pairs: &[(&str, &str)]) -> Given {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[track_caller]
fn refused(pairs: &[(&str, &str)], code: &str) {
    assert_eq!(read(&given(pairs)).expect_err("must be refused").code, code, "{pairs:?}");
}

#[test]
fn what_comes_back_is_kept_and_the_rest_is_not() {
    let about = read(&given(&[
        ("cache-control", "no-cache"),
        ("content-type", "text/plain"),
        ("x-oss-meta-a-1", "v"),
        ("x-oss-server-side-encryption", "KMS"),
        ("x-oss-server-side-encryption-key-id", "K"),
        ("x-oss-storage-class", "IA"),
        ("x-oss-object-acl", "public-read"),
        ("x-oss-tagging", "a=1&b%20c=%2B&d"),
        ("authorization", "secret"),
    ]))
    .expect("reads");
    let kept: Vec<&str> = about.headers.keys().map(String::as_str).collect();
    assert_eq!(
        kept,
        [
            "cache-control",
            "x-oss-meta-a-1",
            "x-oss-server-side-encryption",
            "x-oss-server-side-encryption-key-id",
            "x-oss-storage-class"
        ]
    );
    assert_eq!((about.content_type.as_str(), about.acl.as_deref()), ("text/plain", Some("public-read")));
    let tags: Vec<_> = about.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(tags, [("a", "1"), ("b c", "+"), ("d", "")]);
    let bare = read(&Given::new()).expect("reads");
    assert_eq!((bare.content_type.as_str(), bare.storage_class()), ("application/octet-stream", "Standard"));
}

#[test]
fn metadata_over_8_kb_or_with_an_odd_name_is_refused() {
    let (fits, long) = ("v".repeat(8 * 1024 - 1), "v".repeat(8 * 1024));
    assert!(read(&given(&[("x-oss-meta-a", &fits)])).is_ok());
    refused(&[("x-oss-meta-a", &long)], "InvalidArgument");
    refused(&[("x-oss-meta-", "v")], "InvalidArgument");
    refused(&[("x-oss-meta-a_b", "v")], "InvalidArgument");
}

#[test]
fn values_that_oss_does_not_know_are_refused() {
    refused(&[("x-oss-object-acl", "everyone")], "InvalidArgument");
    refused(&[("x-oss-storage-class", "standard")], "InvalidArgument");
    refused(&[("x-oss-server-side-encryption", "ROT13")], "InvalidEncryptionAlgorithmError");
    refused(&[("x-oss-server-side-encryption-key-id", "K")], "InvalidArgument");
    assert_eq!(forbids_overwrite(&given(&[("x-oss-forbid-overwrite", "abc")])).unwrap_err().code, "InvalidArgument");
}

#[test]
fn tags_that_repeat_are_too_long_too_many_or_odd_are_refused() {
    let long = format!("{}=1", "k".repeat(129));
    let value = format!("k={}", "v".repeat(257));
    for tags in ["a=1&a=2", "=1", "a=%", "a=%FF", "a=<", &long, &value] {
        refused(&[("x-oss-tagging", tags)], "InvalidArgument");
    }
    let eleven: Vec<String> = (0..11).map(|n| format!("k{n}=v")).collect();
    refused(&[("x-oss-tagging", &eleven.join("&"))], "BadRequest");
}
