//! Refusals that are nobody's fault: keys that ran out and a clock that is wrong, mended once, and never at a risk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::{SignedDuration, Timestamp};
use waybill_oss::{
    Client, Condition, CredentialSource, Credentials, Error, Gate, PostForm, PostPolicy, ResponseHeaders,
};

use crate::object::callback;
use crate::server::{Reply, SECRET, Server, answer, crc64, key, plain, refusal, slice, text};

const EIGHT_HOURS: SignedDuration = SignedDuration::from_hours(8);

fn stored(bytes: &[u8]) -> Reply {
    answer(200, &[("ETag", "\"E\""), ("x-oss-hash-crc64ecma", &crc64(bytes))], "")
}

/// The date of a server whose clock is that far ahead of ours.
fn date(ahead: SignedDuration) -> String {
    (Timestamp::now() + ahead).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn error(code: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>m</Message></Error>")
}

fn skewed(status: u16) -> Reply {
    answer(status, &[("Date", &date(EIGHT_HOURS))], &error("RequestTimeTooSkewed"))
}

/// A source that gives the same AccessKey with another token each time.
async fn source() -> (Server, Credentials) {
    let keys = |number: u32| {
        let json =
            format!("{{\"AccessKeyId\":\"ak\",\"AccessKeySecret\":\"{SECRET}\",\"SecurityToken\":\"t{number}\"}}");
        answer(200, &[], &json)
    };
    let server = Server::start((1..=9).map(keys).collect()).await;
    let credentials = Credentials::from_source(CredentialSource::Uri(server.address.clone())).expect("source");
    (server, credentials)
}

fn tokens(server: &Server) -> Vec<String> {
    server.seen().iter().map(|seen| seen.header("x-oss-security-token").to_owned()).collect()
}

async fn complete(client: &Client) -> Result<(), Error> {
    let parts = [(1, "E1".to_owned())];
    client.complete_multipart(&key("k"), "U", &parts, &plain(), Some(&callback())).await.map(drop)
}

#[tokio::test]
async fn keys_that_ran_out_are_renewed_and_the_part_is_sent_again() {
    let (keys, credentials) = source().await;
    let server = Server::start(vec![refusal(403, "SecurityTokenExpired", ""), stored(b"x")]).await;
    server.client_of(credentials).upload_part(&key("k"), "U", 1, &slice(b"x"), None, None).await.expect("sent again");
    assert_eq!(tokens(&server), ["t1", "t2"]);
    assert_eq!(keys.unsigned().len(), 2);
}

#[tokio::test]
async fn keys_that_always_run_out_are_renewed_once_and_then_refused() {
    let (keys, credentials) = source().await;
    let server = Server::start((0..6).map(|_| refusal(403, "SecurityTokenExpired", "")).collect()).await;
    let error = server.client_of(credentials).list_parts(&key("k"), "U").await.expect_err("refused");
    assert_eq!(error.service_code(), Some("SecurityTokenExpired"));
    assert_eq!((tokens(&server).len(), keys.unsigned().len()), (2, 2));
}

#[tokio::test]
async fn a_source_of_keys_that_is_down_for_a_moment_is_asked_again() {
    let good = format!("{{\"AccessKeyId\":\"ak\",\"AccessKeySecret\":\"{SECRET}\"}}");
    let keys = Server::start(vec![answer(503, &[], ""), answer(200, &[], &good)]).await;
    let source = CredentialSource::Uri(keys.address.clone());
    let server = Server::start(vec![answer(200, &[("ETag", "\"E\"")], "{}")]).await;
    complete(&server.client_of(Credentials::from_source(source).expect("source"))).await.expect("completed");
    assert_eq!((keys.unsigned().len(), server.seen().len()), (2, 1));
}

#[tokio::test]
async fn a_source_of_keys_that_says_no_is_not_asked_again() {
    let keys = Server::start((0..4).map(|_| answer(403, &[], "")).collect()).await;
    let source = CredentialSource::Uri(keys.address.clone());
    let server = Server::start(vec![]).await;
    complete(&server.client_of(Credentials::from_source(source).expect("source"))).await.expect_err("no keys");
    assert_eq!((keys.unsigned().len(), server.seen().len()), (1, 0));
}

#[tokio::test]
async fn new_keys_that_cannot_be_fetched_for_a_moment_are_asked_for_again() {
    let json = |n: u32| {
        let json = format!("{{\"AccessKeyId\":\"ak\",\"AccessKeySecret\":\"{SECRET}\",\"SecurityToken\":\"t{n}\"}}");
        answer(200, &[], &json)
    };
    let keys = Server::start(vec![json(1), answer(503, &[], ""), json(2)]).await;
    let source = CredentialSource::Uri(keys.address.clone());
    let refused = || refusal(403, "SecurityTokenExpired", "");
    let server = Server::start(vec![refused(), refused(), answer(204, &[], "")]).await;
    let client = server.client_of(Credentials::from_source(source).expect("source"));
    client.delete_object(&key("k"), None).await.expect("deleted");
    assert_eq!(tokens(&server), ["t1", "t1", "t2"]);
}

#[tokio::test]
async fn a_wrong_clock_costs_one_refusal_and_is_right_from_then_on() {
    let server = Server::start(vec![skewed(403), stored(b"x"), stored(b"x")]).await;
    let client = server.client();
    for _ in 0..2 {
        client.put_object(&key("k"), &slice(b"x"), &plain(), None, None).await.expect("stored");
    }
    assert!((client.clock().skew() - EIGHT_HOURS).abs() < SignedDuration::from_secs(30));
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    let stamp = |ahead: SignedDuration| (Timestamp::now() + ahead).strftime("%Y%m%dT%H").to_string();
    for request in &seen[1..] {
        let close = [stamp(EIGHT_HOURS), stamp(EIGHT_HOURS - SignedDuration::from_mins(1))];
        assert!(close.iter().any(|close| request.header("x-oss-date").starts_with(close)), "{request:?}");
    }
}

#[tokio::test]
async fn a_clock_that_is_always_refused_is_mended_once() {
    let server = Server::start((0..6).map(|_| skewed(403)).collect()).await;
    let error = server.client().list_parts(&key("k"), "U").await.expect_err("refused");
    assert_eq!((error.service_code(), server.seen().len()), (Some("RequestTimeTooSkewed"), 2));
}

#[tokio::test]
async fn the_time_of_a_stranger_or_of_a_cache_is_not_believed() {
    let (date, body) = (date(EIGHT_HOURS), error("RequestTimeTooSkewed"));
    let stranger = format!("HTTP/1.1 403 No\r\nDate: {date}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let cache = text(403, &[("Date", &date), ("Age", "28800")], &body);
    for reply in [stranger, cache] {
        let server = Server::start(vec![Reply::Answer(reply.clone()), Reply::Answer(reply)]).await;
        let client = server.client();
        client.list_parts(&key("k"), "U").await.expect_err("refused");
        assert_eq!((client.clock().skew(), server.seen().len()), (SignedDuration::ZERO, 1));
    }
}

#[tokio::test]
async fn a_leap_in_an_answer_that_is_no_refusal_is_believed_the_second_time() {
    let late = || answer(204, &[("Date", &date(EIGHT_HOURS))], "");
    let server = Server::start(vec![late(), late()]).await;
    let client = server.client();
    client.delete_object(&key("k"), None).await.expect("deleted");
    assert_eq!(client.clock().skew(), SignedDuration::ZERO);
    client.delete_object(&key("k"), None).await.expect("deleted");
    assert!((client.clock().skew() - EIGHT_HOURS).abs() < SignedDuration::from_secs(30));
}

#[tokio::test]
async fn what_must_not_run_twice_is_signed_anew_only_if_it_was_refused_outright() {
    for (status, code, requests) in [
        (403, "SecurityTokenExpired", 2),
        (403, "RequestTimeTooSkewed", 2),
        (500, "SecurityTokenExpired", 1),
        (500, "RequestTimeTooSkewed", 1),
    ] {
        let (_keys, credentials) = source().await;
        let reply = || answer(status, &[("Date", &date(EIGHT_HOURS))], &error(code));
        let server = Server::start(vec![reply(), reply(), reply()]).await;
        complete(&server.client_of(credentials)).await.expect_err(code);
        assert_eq!(server.seen().len(), requests, "{status} {code}");
    }
    // Without a callback a 200 may carry an error in its body.
    let (_keys, credentials) = source().await;
    let reply = || answer(200, &[], &error("SecurityTokenExpired"));
    let server = Server::start(vec![reply(), reply()]).await;
    let (client, parts) = (server.client_of(credentials), [(1, "E1".to_owned())]);
    let result = client.complete_multipart(&key("k"), "U", &parts, &plain(), None).await;
    assert_eq!(result.expect_err("error").service_code(), Some("SecurityTokenExpired"));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_gated_put_is_signed_anew_while_its_gate_was_not_asked() {
    // More than the sockets' own buffers hold, so that the refusal comes before the last bytes are due.
    let bytes = vec![5; 24 << 20];
    let early = text(403, &[("Date", &date(EIGHT_HOURS))], &error("RequestTimeTooSkewed"));
    let server = Server::start(vec![Reply::Early(early), stored(&bytes)]).await;
    let client = server.client();
    let gate = Gate::new(|_| async { true });
    client.put_object_gated(&key("k"), &slice(&bytes), &plain(), None, gate, None).await.expect("stored");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_gated_put_whose_gate_was_asked_is_signed_anew_only_if_it_was_refused_outright() {
    for (status, code, requests) in [
        (403, "SecurityTokenExpired", 2),
        (403, "RequestTimeTooSkewed", 2),
        (500, "SecurityTokenExpired", 1),
        (500, "RequestTimeTooSkewed", 1),
        (503, "Busy", 1),
    ] {
        let (_keys, credentials) = source().await;
        let refused = answer(status, &[("Date", &date(EIGHT_HOURS))], &error(code));
        let server = Server::start(vec![refused, stored(b"x")]).await;
        let asked = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&asked);
        let gate = Gate::new(move |_| async move { counted.fetch_add(1, Ordering::SeqCst) == 0 });
        let client = server.client_of(credentials);
        let result = client.put_object_gated(&key("k"), &slice(b"x"), &plain(), None, gate, None).await;
        assert_eq!((result.is_ok(), server.seen().len()), (requests == 2, requests), "{status} {code}");
        assert_eq!(asked.load(Ordering::SeqCst), 1, "{status} {code}");
    }
}

#[tokio::test]
async fn a_form_is_not_ours_to_sign_anew() {
    for code in ["SecurityTokenExpired", "InvalidAccessKeyId", "RequestTimeTooSkewed"] {
        let (keys, credentials) = source().await;
        let reply = || answer(403, &[("Date", &date(EIGHT_HOURS))], &error(code));
        let server = Server::start(vec![reply(), reply()]).await;
        let form = PostForm { policy: vec![("policy".to_owned(), "eyJ9".to_owned())], ..PostForm::default() };
        let result = server.client_of(credentials).post_object(&key("k"), &slice(b"x"), &form, None).await;
        assert_eq!(result.expect_err("refused").service_code(), Some(code));
        assert_eq!((server.unsigned().len(), keys.unsigned().len()), (1, 0), "{code}");
    }
}

#[tokio::test]
async fn forms_and_urls_are_signed_with_the_servers_time_and_the_keys_in_hand() {
    let (_keys, credentials) = source().await;
    let server = Server::start(vec![skewed(403), answer(204, &[], "")]).await;
    let client = server.client_of(credentials);
    client.delete_object(&key("k"), None).await.expect("mended");
    let seen = server.seen();
    let (hour, token) = (&seen[1].header("x-oss-date")[..11], "t1");

    let url = client.presign_get(&key("k"), &ResponseHeaders::default(), std::time::Duration::from_secs(60)).await;
    let url = url.expect("url").url;
    assert!(url.contains(&format!("x-oss-date={hour}")), "{hour} {url}");

    let expiration = Timestamp::now() + EIGHT_HOURS + SignedDuration::from_mins(30);
    let policy = PostPolicy { expiration, conditions: vec![Condition::Bucket("examplebucket".to_owned())] };
    let fields = client.post_fields(&policy).await.expect("fields");
    let field = |name: &str| fields.iter().find(|field| field.0 == name).map_or("", |field| field.1.as_str());
    assert!(field("x-oss-date").starts_with(hour), "{}", field("x-oss-date"));
    assert!(field("x-oss-credential").starts_with("ak/") && field("x-oss-credential").contains("/cn-hangzhou/"));
    assert_eq!((field("x-oss-security-token"), field("x-oss-signature").len()), (token, 64));
    let shown = format!("{:?}", PostForm { policy: fields.clone(), ..PostForm::default() });
    for secret in ["policy", "x-oss-signature", "x-oss-security-token"] {
        assert!(shown.contains(&format!("\"{secret}\"")), "{shown}");
        assert!(!shown.contains(&format!("\"{}\"", field(secret))), "{secret} in {shown}");
    }
}
