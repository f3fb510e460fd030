//! Presigned URLs, used by somebody who has no keys.

use std::collections::BTreeMap;
use std::time::Duration;

use waybill_oss::{Acl, CallbackCarrier, Error, Method, ObjectHeaders, PresignedRequest, ResponseHeaders};

use crate::object::callback;
use crate::server::{Reply, Seen, Server, TOKEN, answer, key, plain};

const HOUR: Duration = Duration::from_secs(3600);

fn ok() -> Reply {
    answer(200, &[], "")
}

/// Does what somebody does with a URL they were given, and says what the server saw.
async fn used(server: &Server, method: Method, request: &PresignedRequest) -> Seen {
    let before = server.unsigned().len();
    let mut call = reqwest::Client::new().request(method, &request.url);
    for (name, value) in &request.headers {
        call = call.header(name, value.as_bytes());
    }
    call.send().await.expect("an answer");
    let seen = server.unsigned().remove(before);
    assert!(seen.presigned, "the signature in the URL is wrong: {seen:?}");
    seen
}

fn query(seen: &Seen) -> BTreeMap<String, String> {
    let (_, query) = seen.target.split_once('?').expect("query");
    query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect()
}

#[tokio::test]
async fn a_url_to_read_is_signed_with_what_the_answer_is_to_say() {
    let server = Server::start(vec![ok()]).await;
    let response = ResponseHeaders {
        content_type: Some("text/plain; charset=utf-8".to_owned()),
        content_disposition: Some("attachment".to_owned()),
        version_id: Some("v/1".to_owned()),
        ..ResponseHeaders::default()
    };
    let client = server.client_with(Some(TOKEN));
    let request = client.presign_get(&key("a b/../文+?"), &response, HOUR).await.expect("url");
    assert!(request.headers.is_empty());
    let seen = used(&server, Method::GET, &request).await;
    let query = query(&seen);
    assert_eq!((query["x-oss-expires"].as_str(), query["x-oss-security-token"].as_str()), ("3600", TOKEN));
    assert_eq!(query["response-content-type"], "text%2Fplain%3B%20charset%3Dutf-8");
    assert_eq!((query["response-content-disposition"].as_str(), query["versionId"].as_str()), ("attachment", "v%2F1"));
}

#[tokio::test]
async fn a_url_to_store_carries_its_callback_in_one_place() {
    let server = Server::start(vec![ok(), ok(), ok()]).await;
    let client = server.client();
    let headers = ObjectHeaders {
        metadata: BTreeMap::from([("a".to_owned(), "文".to_owned())]),
        acl: Some(Acl::Private),
        ..ObjectHeaders::of_type(Some("text/plain"))
    };
    let (spec, encoded) = (callback(), callback().encode().expect("encoded"));
    let put = |carrier| client.presign_put(&KEY, &headers, carrier, HOUR);
    static KEY: std::sync::LazyLock<waybill_oss::ObjectKey> = std::sync::LazyLock::new(|| key("k"));

    let in_url = put(Some((&spec, CallbackCarrier::Query))).await.expect("url");
    let seen = used(&server, Method::PUT, &in_url).await;
    assert_eq!(query(&seen)["callback"].replace("%3D", "=").replace("%2F", "/").replace("%2B", "+"), encoded.callback);
    assert!(query(&seen).contains_key("callback-var") && seen.header("x-oss-callback").is_empty());
    assert_eq!((seen.header("x-oss-meta-a"), seen.header("x-oss-object-acl")), ("文", "private"));

    let in_headers = put(Some((&spec, CallbackCarrier::Header))).await.expect("url");
    let seen = used(&server, Method::PUT, &in_headers).await;
    assert_eq!(seen.header("x-oss-callback"), encoded.callback);
    assert!(!query(&seen).contains_key("callback"));

    let none = put(None).await.expect("url");
    let seen = used(&server, Method::PUT, &none).await;
    assert!(!query(&seen).contains_key("callback") && seen.header("x-oss-callback").is_empty());

    let form = put(Some((&spec, CallbackCarrier::Form))).await;
    assert!(matches!(form, Err(Error::Invalid(_))), "{form:?}");
}

#[tokio::test]
async fn a_url_signs_the_host_it_leads_to_where_that_is_wanted() {
    let server = Server::start(vec![ok()]).await;
    let client =
        server.client().with_additional_headers(vec!["host".to_owned(), "user-agent".to_owned()]).expect("names");
    let request = client.presign_get(&key("k"), &ResponseHeaders::default(), HOUR).await.expect("url");
    let seen = used(&server, Method::GET, &request).await;
    assert_eq!(query(&seen)["x-oss-additional-headers"], "host");
}

#[tokio::test]
async fn a_url_with_a_callback_in_both_places_is_not_made() {
    let server = Server::start(vec![]).await;
    let pair = |name: &str| vec![(name.to_owned(), "e30=".to_owned())];
    for (in_url, in_header) in [("callback", "x-oss-callback"), ("callback-var", "X-Oss-Callback-Var")] {
        let client = server.client();
        let url = |query, headers: Vec<_>| async move {
            client.presign(&Method::PUT, Some(&key("k")), query, &headers, HOUR).await
        };
        let refused = url.clone()(pair(in_url), pair(in_header)).await.expect_err("both");
        assert!(matches!(refused, Error::Invalid(_)), "{refused}");
        url.clone()(pair(in_url), Vec::new()).await.expect("one");
        url(Vec::new(), pair(in_header)).await.expect("one");
    }
}

#[tokio::test]
async fn a_url_that_oss_would_refuse_is_not_made() {
    let server = Server::start(vec![]).await;
    let client = server.client();
    for expires in [Duration::ZERO, Duration::from_secs(604_801)] {
        let url = client.presign_get(&key("k"), &ResponseHeaders::default(), expires).await;
        assert!(matches!(url, Err(Error::Invalid(_))), "{expires:?}");
    }
    let slow = ObjectHeaders { traffic_limit: Some(1), ..plain() };
    assert!(matches!(client.presign_put(&key("k"), &slow, None, HOUR).await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn a_presigned_url_is_not_in_debug() {
    let server = Server::start(vec![]).await;
    let request = server.client_with(Some(TOKEN)).presign_get(&key("k"), &ResponseHeaders::default(), HOUR).await;
    let shown = format!("{:?}", request.expect("url"));
    assert!(!shown.contains(TOKEN) && !shown.contains("signature"), "{shown}");
}
