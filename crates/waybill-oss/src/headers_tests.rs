//! What headers are sent for an object, and which are refused before a byte is.

use super::*;

fn full() -> ObjectHeaders {
    ObjectHeaders {
        content_type: Some(" text/plain ".to_owned()),
        cache_control: Some("no-cache".to_owned()),
        content_disposition: Some("attachment; filename=\"文.txt\"".to_owned()),
        content_encoding: Some("gzip".to_owned()),
        expires: Some("Thu, 01 Dec 1994 16:00:00 GMT".to_owned()),
        metadata: BTreeMap::from([
            ("Author".to_owned(), "文件".to_owned()),
            ("x-oss-meta-b".to_owned(), String::new()),
        ]),
        acl: Some(Acl::PublicRead),
        storage_class: Some(StorageClass::InfrequentAccess),
        encryption: Some(Encryption::Kms { key_id: Some("9468da86".to_owned()) }),
        tags: BTreeMap::from([("k 2".to_owned(), "v+2".to_owned()), ("k1".to_owned(), "v1".to_owned())]),
        forbid_overwrite: true,
        traffic_limit: Some(819_200),
    }
}

fn names(pairs: &[Pair]) -> Vec<&str> {
    pairs.iter().map(|(name, _)| name.as_str()).collect()
}

fn refused(headers: &ObjectHeaders) -> String {
    match headers.check() {
        Err(Error::Invalid(words)) => words,
        other => panic!("{other:?}"),
    }
}

#[test]
fn put_says_everything_and_every_other_call_what_it_may() {
    let put = full().for_put().expect("put");
    let expected = [
        ("content-type", "text/plain"),
        ("cache-control", "no-cache"),
        ("content-disposition", "attachment; filename=\"文.txt\""),
        ("content-encoding", "gzip"),
        ("expires", "Thu, 01 Dec 1994 16:00:00 GMT"),
        ("x-oss-meta-author", "文件"),
        ("x-oss-meta-b", ""),
        ("x-oss-object-acl", "public-read"),
        ("x-oss-storage-class", "IA"),
        ("x-oss-server-side-encryption", "KMS"),
        ("x-oss-server-side-encryption-key-id", "9468da86"),
        ("x-oss-tagging", "k%202=v%2B2&k1=v1"),
        ("x-oss-forbid-overwrite", "true"),
        ("x-oss-traffic-limit", "819200"),
    ];
    assert_eq!(put, expected.map(|(name, value)| pair(name, value)));
    assert_eq!(full().for_initiate().expect("initiate"), put[..13]);
    assert_eq!(names(&full().for_complete()), ["x-oss-object-acl", "x-oss-forbid-overwrite"]);
    assert_eq!(names(&full().for_copy().expect("copy")), names(&put[7..]));
    let untagged = ObjectHeaders { tags: BTreeMap::new(), ..full() };
    assert!(full().for_form().is_err() && untagged.for_form().is_ok());
}

#[test]
fn nothing_said_sends_nothing() {
    assert!(ObjectHeaders::default().for_put().expect("put").is_empty());
    let blank = ObjectHeaders { expires: Some("  ".to_owned()), ..ObjectHeaders::of_type(Some("")) };
    assert!(blank.for_put().expect("put").is_empty());
}

#[test]
fn metadata_names_that_oss_refuses_are_refused_in_words() {
    for name in ["", "a_b", "a b", "é", "x-oss-meta-", "a:"] {
        let metadata = BTreeMap::from([(name.to_owned(), "v".to_owned())]);
        assert!(refused(&ObjectHeaders { metadata, ..full() }).contains("hyphens"), "{name}");
    }
    let twice = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("A".to_owned(), "2".to_owned())]);
    assert!(refused(&ObjectHeaders { metadata: twice, ..full() }).contains("twice"));
}

#[test]
fn metadata_stay_below_eight_kilobytes_with_their_names() {
    let of = |bytes: usize| ObjectHeaders {
        metadata: BTreeMap::from([("a".to_owned(), "x".repeat(bytes - "x-oss-meta-a".len()))]),
        ..full()
    };
    assert!(of(8191).check().is_ok());
    assert!(refused(&of(8192)).contains("8 KB"));
}

#[test]
fn a_line_break_cannot_smuggle_a_header_in() {
    for value in ["a\r\nx-oss-object-acl: public-read-write", "a\nb", "a\u{0}", "a\u{7f}", "a\u{85}b"] {
        let value = value.to_owned();
        for headers in [
            ObjectHeaders { cache_control: Some(value.clone()), ..full() },
            ObjectHeaders { metadata: BTreeMap::from([("a".to_owned(), value.clone())]), ..full() },
            ObjectHeaders { encryption: Some(Encryption::Kms { key_id: Some(value.clone()) }), ..full() },
        ] {
            assert!(refused(&headers).contains("line break"), "{value:?}");
        }
    }
}

#[test]
fn tags_that_oss_refuses_are_refused() {
    let of = |tags: &[(&str, &str)]| ObjectHeaders {
        tags: tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..full()
    };
    let many: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    assert!(of(&many.iter().map(|name| (name.as_str(), "")).collect::<Vec<_>>()).check().is_err());
    assert!(of(&many[1..].iter().map(|name| (name.as_str(), "")).collect::<Vec<_>>()).check().is_ok());
    for (name, value) in [("", "v"), (&*"k".repeat(129), "v"), ("k", &*"v".repeat(257)), ("k&", "v"), ("k", "文")] {
        assert!(of(&[(name, value)]).check().is_err(), "{name}");
    }
}

#[test]
fn traffic_limits_have_two_ends() {
    for (limit, fits) in [(819_199, false), (819_200, true), (838_860_800, true), (838_860_801, false), (0, false)] {
        assert_eq!(ObjectHeaders { traffic_limit: Some(limit), ..full() }.check().is_ok(), fits, "{limit}");
    }
}

#[test]
fn the_type_is_guessed_by_the_ending_only() {
    assert_eq!(content_type_for("a/b.c/photo.JPG"), Some("image/jpeg"));
    for name in ["README", "a.unknown-ending", ""] {
        assert_eq!(content_type_for(name), None, "{name}");
    }
}

#[test]
fn kept_headers_are_read_back_and_gaps_are_defaults() {
    let json = serde_json::to_value(full()).expect("json");
    assert_eq!((&json["acl"], &json["storageClass"]), (&"public-read".into(), &"IA".into()));
    assert_eq!(serde_json::from_value::<ObjectHeaders>(json).expect("back"), full());
    assert_eq!(serde_json::from_str::<ObjectHeaders>("{}").expect("empty"), ObjectHeaders::default());
}
