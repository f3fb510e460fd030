//! Through proxies: each kind carries an upload, a wrong login is said, and this computer is reached without one.

use std::fs::File;
use std::process::Command;
use std::sync::Arc;

use waybill_oss::{Endpoint, Error, HttpOptions, PlainHttp, TransportKind};

use crate::bed::{Bed, ELSEWHERE, endpoint, here, through, upload};
use crate::proxies::Proxy;
use crate::wire::PrivateCa;

const LOGIN: &str = "ann:p@ss:w/rd%";
const LOGIN_IN_URL: &str = "ann:p%40ss%3Aw%2Frd%25";

/// Set for the copy of this program that plays a user with a proxy in the environment: the sandbox's address.
const CHILD: &str = "WAYBILL_TEST_CHILD_OF";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_http_proxy_forwards_plain_requests() {
    let bed = Bed::new().await;
    let proxy = Proxy::http(bed.origin.address, None).await;
    let options = through(&format!("http://{}", proxy.address));
    bed.upload("a b", &endpoint(format!("http://{ELSEWHERE}:9000")), &options).await.expect("an upload");
    let url = format!("http://{ELSEWHERE}:9000/bucket/a%20b");
    assert_eq!(proxy.passed.all(), [format!("PUT {url}"), format!("HEAD {url}")]);
    assert_eq!(bed.stored(), ["a b"]);
    bed.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_proxy_carries_tls_without_seeing_into_it() {
    let bed = Bed::new().await;
    let ca = PrivateCa::new();
    let front = ca.serve(&[ELSEWHERE, "files.example.com"], 2099, bed.origin.address).await;
    let http = Proxy::http(front, None).await;
    let behind_tls = Proxy::http(front, None).await;
    let secure = ca.serve(&["127.0.0.1"], 2099, behind_tls.address).await;
    let socks = Proxy::socks(front, None).await;
    for (proxy, url, passed) in [
        (&http, format!("http://{}", http.address), "CONNECT"),
        (&behind_tls, format!("https://{secure}"), "CONNECT"),
        (&socks, format!("socks5://{}", socks.address), "SOCKS"),
        (&socks, format!("socks5h://{}", socks.address), "SOCKS"),
    ] {
        let before = proxy.passed.all().len();
        let options = HttpOptions { extra_ca: ca.file(&bed), ..through(&url) };
        bed.upload(&url, &endpoint(ELSEWHERE), &options).await.expect(&url);
        let new = proxy.passed.all().split_off(before);
        assert!(
            !new.is_empty() && new.iter().all(|seen| *seen == format!("{passed} {ELSEWHERE}:443")),
            "{url}: {new:?}"
        );
    }
    let own = Endpoint::cname("files.example.com").expect("an own domain");
    let options = HttpOptions { extra_ca: ca.file(&bed), ..through(&format!("socks5h://{}", socks.address)) };
    bed.upload("named", &own, &options).await.expect("the proxy resolves the name");
    assert_eq!(socks.passed.all().last().map(String::as_str), Some("SOCKS files.example.com:443"));
    assert_eq!(bed.stored().len(), 5);
    bed.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxys_right_password_is_taken_and_a_wrong_one_is_said() {
    let bed = Bed::new().await;
    let ca = PrivateCa::new();
    let front = ca.serve(&[ELSEWHERE], 2099, bed.origin.address).await;
    let http = Proxy::http(front, Some(LOGIN)).await;
    let socks = Proxy::socks(front, Some(LOGIN)).await;
    for (scheme, proxy, words) in
        [("http", &http, "proxy authorization required"), ("socks5", &socks, "credentials not accepted")]
    {
        let with = |login: &str| HttpOptions {
            extra_ca: ca.file(&bed),
            ..through(&format!("{scheme}://{login}@{}", proxy.address))
        };
        let error = bed.upload("a", &endpoint(ELSEWHERE), &with("ann:hunter2")).await.expect_err("a wrong password");
        assert!(matches!(error, Error::Transport { kind: TransportKind::ProxyLogin, .. }), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(text.contains(words) && !text.contains("hunter2") && !text.contains("ann"), "{text}");
        assert_eq!(proxy.passed.all(), [""; 0]);
        bed.upload(scheme, &endpoint(ELSEWHERE), &with(LOGIN_IN_URL)).await.expect("the right password");
    }
    assert_eq!(bed.stored(), ["http", "socks5"]);

    let plain = Proxy::http(bed.origin.address, Some(LOGIN)).await;
    let target = endpoint(format!("http://{ELSEWHERE}"));
    let with = |login: &str| through(&format!("http://{login}@{}", plain.address));
    let error = bed.upload("a", &target, &with("ann:hunter2")).await.expect_err("a wrong password");
    assert!(matches!(&error, Error::Transport { kind: TransportKind::ProxyLogin, .. }), "{error:?}");
    bed.upload("plain", &target, &with(LOGIN_IN_URL)).await.expect("the right password");
    assert_eq!(bed.stored().last().map(String::as_str), Some("plain"));
    bed.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_is_not_there_is_no_connection() {
    let bed = Bed::new().await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("its address");
    for scheme in ["http", "socks5h"] {
        let options = through(&format!("{scheme}://{closed}"));
        let error = bed.upload("a", &endpoint(ELSEWHERE), &options).await.expect_err("no proxy");
        assert!(matches!(error, Error::Transport { kind: TransportKind::Connect, .. }), "{error:?}");
    }
    bed.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn this_computer_is_reached_without_the_proxy() {
    let bed = Bed::new().await;
    let proxy = Proxy::http(bed.origin.address, None).await;
    let options = through(&format!("http://{}", proxy.address));
    bed.upload("a", &here("http", bed.origin.address), &options).await.expect("an upload");
    let localhost = endpoint(format!("http://localhost:{}", bed.origin.address.port()));
    bed.upload("b", &localhost, &options).await.expect("an upload");
    assert_eq!(bed.stored(), ["a", "b"]);
    assert_eq!(proxy.passed.all(), [""; 0]);
    bed.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proxy_in_the_environment_is_used_but_not_for_this_computer() {
    if let Ok(address) = std::env::var(CHILD) {
        return play_the_user(&address).await;
    }
    let bed = Bed::new().await;
    let proxy = Proxy::http(bed.origin.address, Some(LOGIN)).await;
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args(["--exact", "proxy::the_proxy_in_the_environment_is_used_but_not_for_this_computer"]);
    for name in ["ALL_PROXY", "HTTPS_PROXY", "NO_PROXY"] {
        child.env_remove(name).env_remove(name.to_lowercase());
    }
    child.env_remove("http_proxy").env("HTTP_PROXY", format!("http://{LOGIN_IN_URL}@{}", proxy.address));
    child.env(CHILD, bed.origin.address.to_string()).env("WAYBILL_TEST_FILE", bed.dir.path().join("file"));
    let output = tokio::task::spawn_blocking(move || child.output()).await.expect("a thread").expect("the child runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    let url = format!("http://{ELSEWHERE}/bucket/through");
    assert_eq!(proxy.passed.all(), [format!("PUT {url}"), format!("HEAD {url}")]);
    assert_eq!(bed.stored(), ["through", "past"]);
    bed.sandbox.stop().await;
}

async fn play_the_user(sandbox: &str) {
    let path = std::env::var_os("WAYBILL_TEST_FILE").expect("a file");
    let file = Arc::new(File::open(path).expect("the file"));
    let far = Endpoint::parse_with(&format!("http://{ELSEWHERE}"), PlainHttp::Allowed).expect("an endpoint");
    let near = Endpoint::parse(&format!("http://{sandbox}")).expect("an endpoint");
    let default = HttpOptions::default();
    upload(Arc::clone(&file), "test-secret", "through", &far, &default).await.expect("through the proxy");
    upload(Arc::clone(&file), "test-secret", "past", &near, &default).await.expect("past the proxy");
}
