//! Under every kind of address the sandbox finds bucket and key, and takes the signature.

use waybill_oss::{Addressing, Endpoint, Error, HttpOptions, PlainHttp};

use crate::bed::{Bed, ELSEWHERE, endpoint, through};
use crate::proxies::Proxy;

/// Through a proxy, so that names need no name server.
async fn bed_and_proxy() -> (Bed, HttpOptions) {
    let bed = Bed::new().await;
    let proxy = Proxy::http(bed.origin.address, None).await;
    let options = through(&format!("http://{}", proxy.address));
    (bed, options)
}

/// One endpoint of each addressing, all of them plain so that requests can be looked at.
fn kinds() -> [(Addressing, Endpoint, &'static str, &'static str); 3] {
    let own = Endpoint::cname_with("http://files.example.com", PlainHttp::Allowed).expect("an own domain");
    [
        (Addressing::Cname, own, "files.example.com", "/"),
        (Addressing::VirtualHost, endpoint("http://oss-cn-test.aliyuncs.com"), "bucket.oss-cn-test.aliyuncs.com", "/"),
        (Addressing::PathStyle, endpoint(format!("http://{ELSEWHERE}")), ELSEWHERE, "/bucket/"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bucket_is_signed_wherever_it_stands_in_the_address() {
    let (bed, options) = bed_and_proxy().await;
    for (addressing, endpoint, host, root) in kinds() {
        assert_eq!(endpoint.addressing(), addressing);
        let before = bed.origin.passed.all().len();
        bed.upload("a/b c", &endpoint, &options).await.expect(host);
        let seen = bed.origin.passed.all().split_off(before);
        assert_eq!(seen, [format!("PUT {host} {root}a/b%20c"), format!("HEAD {host} {root}a/b%20c")]);
        let error = bed.upload_as("wrong-secret", "a", &endpoint, &options).await.expect_err("a wrong signature");
        assert!(matches!(&error, Error::Service(answer) if answer.code == "SignatureDoesNotMatch"), "{error:?}");
    }
    assert_eq!(bed.stored(), ["a/b c"; 3]);
    bed.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_key_arrives_as_it_was_signed_under_every_kind_of_address() {
    let (bed, options) = bed_and_proxy().await;
    let keys = [
        "a/../b",
        "../x",
        "x/..",
        "./x",
        "a/./b/.",
        "%2e%2e/x",
        "a+b",
        "a%20b",
        "%",
        "?x=y",
        "#?&=;:@$,",
        "!*'()",
        "[]{}|\\^`\"<>",
        "a//b/",
        "~-_.",
        " ",
        "tab\there",
        "line\nfeed\r",
        "\u{1}\u{7f}\u{85}",
        "中文/文件.txt",
        "é/e\u{301}",
        "😀\u{200d}🔥\u{feff}",
        "\u{a0}nbsp",
    ];
    for (addressing, endpoint, ..) in kinds() {
        let before = bed.stored().len();
        for key in keys {
            bed.upload(key, &endpoint, &options)
                .await
                .unwrap_or_else(|error| panic!("{addressing:?} {key:?}: {error}"));
        }
        assert_eq!(bed.stored().split_off(before), keys, "{addressing:?}");
    }
    bed.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_cannot_be_sent_is_refused_before_a_byte_is_sent() {
    let (bed, options) = bed_and_proxy().await;
    for (_, endpoint, ..) in kinds() {
        for key in ["", ".", "..", "/a", "\\a", &"x".repeat(1024)] {
            let error = bed.upload(key, &endpoint, &options).await.expect_err("no key");
            assert!(matches!(error, Error::Invalid(_)), "{error:?}");
        }
    }
    assert_eq!(bed.origin.passed.all(), [""; 0]);
    bed.sandbox.stop().await;
}
