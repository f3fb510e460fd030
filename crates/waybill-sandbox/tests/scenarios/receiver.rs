//! The receiver: what it verifies, remembers and shows; the headers and the key that OSS sends along.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use md5::{Digest, Md5};
use reqwest::Method;
use serde_json::{Value, json};
use waybill_sandbox::Verdict;

use crate::bed::{Bed, Got};

async fn put(bed: &Bed, callback: Value) -> Got {
    bed.ask(Method::PUT, "k").callback(callback).body("123456789").send().await
}

async fn get(bed: &Bed, path: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().build().expect("client");
    client.get(format!("{}{path}", bed.sandbox.info().endpoint)).send().await.expect("an answer")
}

/// Sends a callback that was received once more, changed.
async fn send_again(bed: &Bed, change: impl FnOnce(&mut waybill_sandbox::ReceivedCallback)) -> Verdict {
    let mut callback = bed.sandbox.callbacks().pop().expect("received");
    change(&mut callback);
    let client = reqwest::Client::builder().no_proxy().build().expect("client");
    let mut request = client.post(format!("{}{}", bed.sandbox.info().endpoint, callback.path_and_query));
    for name in ["authorization", "x-oss-pub-key-url", "content-type"] {
        request = request.header(name, &callback.headers[name]);
    }
    request.body(callback.body).send().await.expect("an answer");
    bed.sandbox.callbacks().pop().expect("received").verdict
}

#[tokio::test]
async fn a_callback_is_signed_with_the_key_behind_its_key_url_and_a_changed_one_is_found_out() {
    let bed = Bed::start().await;
    let url = format!("{}?plus=a+b&pct=%E4%B8%AD&empty", bed.sandbox.info().callback_url);
    put(&bed, json!({"callbackUrl": url, "callbackBody": "object=${object}&s=${size}"})).await;
    let received = &bed.sandbox.callbacks()[0];
    assert_eq!(received.verdict, Verdict::SignedBySandbox);
    assert_eq!(received.signed_text(), "/callback?plus=a+b&pct=%E4%B8%AD&empty\nobject=k&s=9");
    let key_url = BASE64_STANDARD.decode(&received.headers["x-oss-pub-key-url"]).expect("Base64");
    let key_url = String::from_utf8(key_url).expect("text");
    assert_eq!(key_url, format!("{}/_sandbox/callback_pub_key_v1.pem", bed.sandbox.info().endpoint));
    let pem = get(&bed, "/_sandbox/callback_pub_key_v1.pem").await.text().await.expect("text");
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n") && pem.ends_with("-----END PUBLIC KEY-----\n"), "{pem}");

    assert_eq!(send_again(&bed, |_| {}).await, Verdict::SignedBySandbox);
    assert_eq!(send_again(&bed, |callback| callback.body.push('0')).await, Verdict::SignatureWrong);
    let other = |callback: &mut waybill_sandbox::ReceivedCallback| callback.path_and_query.push('x');
    assert_eq!(send_again(&bed, other).await, Verdict::SignatureWrong);
    let elsewhere = BASE64_STANDARD.encode("http://evil.example/callback_pub_key_v1.pem");
    let foreign = |callback: &mut waybill_sandbox::ReceivedCallback| {
        callback.headers.insert("x-oss-pub-key-url".into(), elsewhere);
    };
    assert_eq!(send_again(&bed, foreign).await, Verdict::KeyNotTrusted);
}

#[tokio::test]
async fn the_key_is_the_same_after_a_restart() {
    let bed = Bed::start().await;
    let before = get(&bed, "/_sandbox/callback_pub_key_v1.pem").await.text().await.expect("text");
    let bed = bed.restart().await;
    assert_eq!(get(&bed, "/_sandbox/callback_pub_key_v1.pem").await.text().await.expect("text"), before);
}

#[tokio::test]
async fn additional_headers_are_sent_and_named_and_cannot_replace_those_of_oss() {
    let bed = Bed::start().await;
    let more = json!({"x-app": "值", "user-agent": "mine", "authorization": "mine", "content-length": "1", "a": ""});
    let url = bed.sandbox.info().callback_url.clone();
    let got =
        put(&bed, json!({"callbackUrl": url, "callbackBody": "object=${object}", "additionalHeaders": more})).await;
    assert_eq!(got.status, 200, "{}", got.text());
    let received = &bed.sandbox.callbacks()[0];
    assert_eq!((received.headers["x-app"].as_str(), received.headers["a"].as_str()), ("值", ""));
    assert_eq!(received.headers["user-agent"], "aliyun-oss-callback");
    assert_eq!(received.headers["content-length"], "8");
    assert_eq!(received.verdict, Verdict::SignedBySandbox);
    assert_eq!(received.headers["x-oss-additional-headers"], "a;authorization;content-length;user-agent;x-app");
    assert_eq!(received.headers["content-md5"], BASE64_STANDARD.encode(Md5::digest("object=k")));
}

#[tokio::test]
async fn image_info_is_read_from_the_bytes_and_not_from_the_content_type() {
    let bed = Bed::start().await;
    let png =
        [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", &200_u32.to_be_bytes()[..], &278_u32.to_be_bytes(), &[8; 9]].concat();
    let body =
        r#"{"h":${imageInfo.height},"w":${imageInfo.width},"f":${imageInfo.format},"m":${mimeType},"i":${imageInfo}}"#;
    let url = bed.sandbox.info().callback_url.clone();
    let json = json!({"callbackUrl": url, "callbackBody": body, "callbackBodyType": "application/json"});
    let form = json!({"callbackUrl": url, "callbackBody": "${imageInfo.format}:${imageInfo.width}:${imageInfo.height}:${Size}"});
    bed.ask(Method::PUT, "a.txt")
        .header("content-type", "text/plain")
        .callback(json.clone())
        .body(png.clone())
        .send()
        .await;
    bed.ask(Method::PUT, "a.txt").callback(form.clone()).body(png.clone()).send().await;
    bed.ask(Method::PUT, "a.png").header("content-type", "image/png").callback(json).body("no image").send().await;
    bed.ask(Method::PUT, "empty").callback(form.clone()).send().await;
    for place in ["${imageInfo.width}", "${imageInfo.format}"] {
        let alone = json!({"callbackUrl": url, "callbackBody": place});
        bed.ask(Method::PUT, "a.txt").callback(alone).body(png.clone()).send().await;
    }
    let upload = bed.initiate("multi").await;
    let etag = bed.part("multi", &upload, 1, png).await;
    bed.ask_complete("multi", &upload, &[(1, &etag)]).callback(form).send().await;
    let bodies: Vec<String> = bed.sandbox.callbacks().into_iter().map(|callback| callback.body).collect();
    assert_eq!(
        bodies,
        [
            r#"{"h":278,"w":200,"f":"png","m":"text/plain","i":null}"#,
            "png:200:278:",
            r#"{"h":null,"w":null,"f":null,"m":"image/png","i":null}"#,
            ":::",
            "200",
            "png",
            "png:200:278:",
        ]
    );
}

#[tokio::test]
async fn people_see_the_last_callbacks_and_programs_get_them_as_json() {
    let bed = Bed::start().await;
    let page = get(&bed, "/callback").await;
    assert!(page.text().await.expect("text").contains("None yet"));
    let url = format!("{}?answer=500&x=%3Cb%3E", bed.sandbox.info().callback_url);
    put(&bed, json!({"callbackUrl": url, "callbackBody": "<script>alert(1)</script>"})).await;
    for path in ["/callback", "/_sandbox/"] {
        let page = get(&bed, path).await;
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        assert!(page.headers()["content-security-policy"].to_str().expect("text").contains("default-src 'none'"));
        let html = page.text().await.expect("text");
        assert!(html.contains("signed by this sandbox") && html.contains("&lt;script&gt;alert(1)"), "{html}");
        assert!(!html.contains("<script"), "{html}");
    }
    let entries: Value =
        serde_json::from_str(&get(&bed, "/_sandbox/callbacks").await.text().await.expect("text")).expect("JSON");
    assert_eq!(entries[0]["verdict"], "signedBySandbox");
    assert_eq!(entries[0]["signedText"], "/callback?answer=500&x=%3Cb%3E\n<script>alert(1)</script>");
    let put_there = reqwest::Client::new().put(&bed.sandbox.info().callback_url).send().await.expect("an answer");
    assert_eq!(put_there.status(), 403, "only POST and GET are the receiver's; the rest is a bucket's");
}

#[tokio::test]
async fn a_web_page_gets_no_keys_logs_or_callbacks_by_whatever_name_it_comes() {
    let bed = Bed::start().await;
    let http = reqwest::Client::builder().no_proxy().build().expect("client");
    let send = async |method: Method, path: &str, headers: &[(&str, &str)]| {
        let mut request = http.request(method, format!("{}{path}", bed.sandbox.info().endpoint));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("an answer").status().as_u16()
    };
    let rebound = format!("127.0.0.1.evil.example:{}", bed.port());
    let local = format!("localhost:{}", bed.port());
    let opened = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    for path in
        ["/_sandbox/tokens", "/_sandbox/log", "/_sandbox/callbacks", "/_sandbox/faults", "/_sandbox/", "/callback"]
    {
        for headers in [
            &[("host", rebound.as_str())][..],
            &[("host", "evil.localhost")],
            &[("origin", "http://evil.example")],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
        ] {
            assert_eq!(send(Method::GET, path, headers).await, 403, "{path} {headers:?}");
        }
        assert_eq!(send(Method::GET, path, &[("host", local.as_str())]).await, 200, "{path}");
        let shown = if matches!(path, "/_sandbox/" | "/callback") { 200 } else { 403 };
        assert_eq!(send(Method::GET, path, &opened).await, shown, "{path}");
    }
    assert_eq!(send(Method::DELETE, "/_sandbox/tokens", &[("sec-fetch-site", "same-origin")]).await, 403);
    assert_eq!(send(Method::POST, "/callback", &[("origin", "http://evil.example")]).await, 403);
    assert!(bed.sandbox.callbacks().is_empty());
    assert_eq!(send(Method::POST, "/callback", &[("host", "app.example.com")]).await, 200);
}
