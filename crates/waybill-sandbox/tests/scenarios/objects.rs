//! Single objects: put, look, get, delete.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::bed::{Bed, LONG};

#[tokio::test]
async fn an_object_comes_back_with_etag_crc_and_metadata() {
    let bed = Bed::start().await;
    let ask = bed.ask(Method::PUT, "目录/a b+c.txt").header("content-type", "text/plain");
    let got = ask.header("x-oss-meta-name", "n").body("123456789").send().await;
    assert_eq!(got.status, 200);
    assert_eq!(got.header("etag"), "\"25F9E794323B453885F5181F1B624D0B\"");
    assert_eq!(got.header("x-oss-hash-crc64ecma"), "11051210869376104954");
    let head = bed.ask(Method::HEAD, "目录/a b+c.txt").send().await;
    for (name, value) in [
        ("content-length", "9"),
        ("content-type", "text/plain"),
        ("etag", "\"25F9E794323B453885F5181F1B624D0B\""),
        ("x-oss-hash-crc64ecma", "11051210869376104954"),
        ("x-oss-object-type", "Normal"),
        ("x-oss-meta-name", "n"),
    ] {
        assert_eq!(head.header(name), value);
    }
    assert!(head.header("last-modified").ends_with(" GMT"));
    assert_eq!(bed.get("目录/a b+c.txt").await.as_deref(), Some(&b"123456789"[..]));
    let on_disk = bed.dir.path().join("objects/test-bucket/目录/a b+c.txt");
    assert_eq!(std::fs::read(on_disk).expect("reads"), b"123456789");
}

#[tokio::test]
async fn a_missing_object_has_its_error_in_a_header_for_head_and_in_the_body_for_get() {
    let bed = Bed::start().await;
    bed.ask(Method::GET, "none").send().await.refused(404, "NoSuchKey");
    let head = bed.ask(Method::HEAD, "none").send().await;
    assert_eq!((head.status, head.body.len()), (404, 0));
    let error = BASE64_STANDARD.decode(head.header("x-oss-err")).expect("Base64");
    assert!(String::from_utf8(error).expect("text").contains("<Code>NoSuchKey</Code>"));
}

#[tokio::test]
async fn a_deleted_object_is_gone_and_deleting_again_is_fine() {
    let bed = Bed::start().await;
    bed.put("dir/k", "x").await;
    for _ in 0..2 {
        assert_eq!(bed.ask(Method::DELETE, "dir/k").send().await.status, 204);
    }
    assert_eq!(bed.get("dir/k").await, None);
    assert_eq!((bed.files("objects"), bed.files("meta")), (0, 0));
}

#[tokio::test]
async fn keys_that_a_url_library_would_fold_stay_apart() {
    let bed = Bed::start().await;
    let keys = ["a/../b", "b", "a/./b", "..", "../../escape", "x//y", "x/y", "q?a=1&b#c", "100%/a%20b%2F.txt"];
    for key in keys {
        let answer = bed.ask(Method::PUT, key).body(key).send_raw().await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{key}: {answer}");
    }
    for key in keys {
        let answer = bed.ask(Method::GET, key).send_raw().await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(&format!("\r\n\r\n{key}")), "{key}: {answer}");
    }
    assert!(!bed.dir.path().join("escape").exists() && !bed.dir.path().join("objects/escape").exists());
}

#[tokio::test]
async fn cut_body_stores_nothing() {
    let bed = Bed::start().await;
    bed.put("k", "old").await;
    for key in ["k", "new"] {
        let mut socket = TcpStream::connect(("127.0.0.1", bed.port())).await.expect("connects");
        socket.write_all(bed.ask(Method::PUT, key).head(1000).as_bytes()).await.expect("writes");
        socket.write_all(&[7; 999]).await.expect("writes");
        drop(socket);
    }
    let log = bed.sandbox.wait_for_log(|log| log.len() == 3, LONG).await.expect("both are logged");
    for entry in &log[1..] {
        assert_eq!((entry.status, entry.fault.as_deref()), (None, None));
    }
    assert_eq!(bed.get("k").await.as_deref(), Some(&b"old"[..]));
    assert_eq!(bed.get("new").await, None);
    assert_eq!((bed.files("tmp"), bed.files("objects")), (0, 1));
}

#[tokio::test]
async fn a_wrong_content_md5_is_invalid_digest_and_stores_nothing() {
    let bed = Bed::start().await;
    let ask = bed.ask(Method::PUT, "k").header("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==");
    ask.body("not empty").send().await.refused(400, "InvalidDigest");
    assert_eq!(bed.get("k").await, None);
    let ask = bed.ask(Method::PUT, "k").header("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==");
    assert_eq!(ask.send().await.status, 200);
}

#[tokio::test]
async fn a_put_without_content_length_is_missing_content_length() {
    let bed = Bed::start().await;
    let mut socket = TcpStream::connect(("127.0.0.1", bed.port())).await.expect("connects");
    let head = bed.ask(Method::PUT, "k").head(0).replace("content-length: 0\r\n", "");
    socket.write_all(head.as_bytes()).await.expect("writes");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("reads");
    assert!(answer.starts_with("HTTP/1.1 411") && answer.contains("<Code>MissingContentLength</Code>"), "{answer}");
    assert_eq!(bed.get("k").await, None);
    assert_eq!(bed.put("k", "").await.status, 200, "an empty object is fine");
    assert_eq!(bed.get("k").await, Some(Vec::new()));
}

#[tokio::test]
async fn forbidden_overwrite_is_file_already_exists() {
    let bed = Bed::start().await;
    bed.put("k", "first").await;
    let ask = bed.ask(Method::PUT, "k").header("x-oss-forbid-overwrite", "true").body("second");
    ask.send().await.refused(409, "FileAlreadyExists");
    assert_eq!(bed.get("k").await.as_deref(), Some(&b"first"[..]));
}

#[tokio::test]
async fn a_content_md5_that_is_none_is_refused_before_anything_is_stored() {
    let bed = Bed::start().await;
    for md5 in ["nonsense", "d41d8cd98f00b204e9800998ecf8427e"] {
        let ask = bed.ask(Method::PUT, "k").header("content-md5", md5);
        ask.body("x").send().await.refused(400, "InvalidDigest");
    }
    assert_eq!(bed.get("k").await, None);
}

#[tokio::test]
async fn what_is_said_of_an_object_comes_back_with_it() {
    let bed = Bed::start().await;
    let said = [
        ("cache-control", "no-cache"),
        ("content-disposition", "attachment"),
        ("content-encoding", "identity"),
        ("expires", "Fri, 01 Jan 2100 00:00:00 GMT"),
        ("x-oss-meta-author", "waybill"),
        ("x-oss-server-side-encryption", "AES256"),
        ("x-oss-storage-class", "IA"),
    ];
    let ask = said.iter().fold(bed.ask(Method::PUT, "k"), |ask, (name, value)| ask.header(name, value));
    let put = ask.header("x-oss-tagging", "a=1&b=2").header("x-oss-object-acl", "public-read").body("x").send().await;
    assert_eq!((put.status, put.header("x-oss-server-side-encryption").as_str()), (200, "AES256"));
    let bed = bed.restart().await;
    for method in [Method::HEAD, Method::GET] {
        let got = bed.ask(method, "k").send().await;
        for (name, value) in said {
            assert_eq!(got.header(name), value);
        }
        assert_eq!(got.header("x-oss-tagging-count"), "2");
    }
    assert_eq!(bed.ask(Method::GET, "k").query("acl", "").send().await.element("Grant"), "public-read");
}

#[tokio::test]
async fn what_oss_would_refuse_to_store_is_refused() {
    let bed = Bed::start().await;
    let long = "v".repeat(8 * 1024);
    for (name, value, code) in [
        ("x-oss-object-acl", "everyone", "InvalidArgument"),
        ("x-oss-storage-class", "Fast", "InvalidArgument"),
        ("x-oss-server-side-encryption", "ROT13", "InvalidEncryptionAlgorithmError"),
        ("x-oss-meta-a", long.as_str(), "InvalidArgument"),
        ("x-oss-tagging", "a=1&a=2", "InvalidArgument"),
        ("x-oss-traffic-limit", "1", "InvalidArgument"),
        ("x-oss-forbid-overwrite", "perhaps", "InvalidArgument"),
    ] {
        bed.ask(Method::PUT, "k").header(name, value).body("x").send().await.refused(400, code);
        if name != "x-oss-traffic-limit" {
            bed.ask(Method::POST, "k").query("uploads", "").header(name, value).send().await.refused(400, code);
        }
    }
    assert_eq!(bed.get("k").await, None);
    let slow = bed.ask(Method::PUT, "k").query("x-oss-traffic-limit", "819200").body("x").send().await;
    assert_eq!(slow.status, 200);
}

#[tokio::test]
async fn what_the_sandbox_does_not_speak_is_refused_and_does_nothing() {
    let bed = Bed::start().await;
    let append = bed.ask(Method::POST, "k").query("append", "").query("position", "0").body("x");
    append.send().await.refused(501, "NotImplemented");
    bed.ask(Method::PUT, "k").query("symlink", "").body("x").send().await.refused(501, "NotImplemented");
    bed.ask_bucket(Method::GET).query("lifecycle", "").send().await.refused(501, "NotImplemented");
    bed.ask(Method::PUT, "/k").body("x").send().await.refused(400, "InvalidObjectName");
    assert_eq!(bed.files("objects"), 0);
}

#[tokio::test]
async fn stop_ends_open_connections_and_frees_port_and_folder() {
    let bed = Bed::start().await;
    let mut socket = TcpStream::connect(("127.0.0.1", bed.port())).await.expect("connects");
    socket.write_all(bed.ask(Method::PUT, "k").head(1000).as_bytes()).await.expect("writes");
    socket.write_all(b"half").await.expect("writes");
    let bed = tokio::time::timeout(LONG, bed.restart()).await.expect("stops although a request is open");
    assert_eq!(bed.put("k", "x").await.status, 200);
}
