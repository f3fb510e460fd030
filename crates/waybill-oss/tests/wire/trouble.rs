//! The network and the server misbehave: stalls, breaks, busy answers; and what must never be said aloud.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use waybill_oss::{Advice, CallbackOutcome, Error, Gate, RetryPolicy, TransportKind};

use crate::server::{Reply, SECRET, Server, Sum, TOKEN, answer, crc64, key, plain, refusal, slice};

fn part_stored(bytes: &[u8]) -> Reply {
    answer(200, &[("ETag", "\"E\""), ("x-oss-hash-crc64ecma", &crc64(bytes))], "")
}

#[tokio::test]
async fn stalled_part_times_out_and_is_sent_again() {
    // More than the sockets' own buffers hold, so that the first attempt stops half-way.
    let bytes = vec![5; 24 << 20];
    let server = Server::start(vec![Reply::Stall, part_stored(&bytes)]).await;
    let client = server.client().with_stall_timeout(Duration::from_millis(700));
    let sum = Sum::default();
    let progress = sum.progress();
    let part = client.upload_part(&key("k"), "U", 1, &slice(&bytes), None, Some(&progress)).await.expect("sent again");
    assert_eq!(part.crc64.to_string(), crc64(&bytes));
    assert_eq!(sum.now(), 24 << 20);
    let first = sum.ever() - (24 << 20);
    assert!(first > 0 && first < 24 << 20, "the first attempt sent {first} bytes");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn an_answer_that_never_comes_times_out() {
    let server = Server::start(vec![Reply::Stall]).await;
    let client = server.client().with_retry(RetryPolicy::none()).with_stall_timeout(Duration::from_millis(100));
    let error = client.list_parts(&key("k"), "U").await.expect_err("stall");
    assert!(matches!(error, Error::Transport { kind: TransportKind::Timeout, .. }) && error.answer_lost(), "{error}");
}

#[tokio::test]
async fn progress_is_taken_back_when_an_attempt_fails() {
    let bytes = vec![5; 700_000];
    let server = Server::start(vec![refusal(403, "AccessDenied", "0003-00000001")]).await;
    let sum = Sum::default();
    let progress = sum.progress();
    let result = server.client().upload_part(&key("k"), "U", 1, &slice(&bytes), None, Some(&progress)).await;
    assert_eq!(result.expect_err("refused").service_code(), Some("AccessDenied"));
    assert_eq!((sum.ever(), sum.now()), (700_000, 0));
}

#[tokio::test]
async fn progress_is_taken_back_when_the_upload_is_dropped() {
    let bytes = vec![5; 24 << 20];
    let server = Server::start(vec![Reply::Stall]).await;
    let (client, sum) = (server.client(), Sum::default());
    let progress = sum.progress();
    let (name, body) = (key("k"), slice(&bytes));
    {
        let upload = client.upload_part(&name, "U", 1, &body, None, Some(&progress));
        let moving = async {
            while sum.now() == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            result = upload => panic!("{result:?}"),
            () = moving => {}
        }
    }
    assert!(sum.ever() > 0);
    assert_eq!(sum.now(), 0);
}

#[tokio::test]
async fn a_connection_that_breaks_half_way_is_interrupted() {
    let bytes = vec![5; 24 << 20];
    let server = Server::start(vec![Reply::HangUp]).await;
    let client = server.client().with_retry(RetryPolicy::none());
    let error = client.upload_part(&key("k"), "U", 1, &slice(&bytes), None, None).await.expect_err("broken");
    assert!(matches!(error, Error::Transport { kind: TransportKind::Interrupted, .. }), "{error}");
}

#[tokio::test]
async fn nobody_listening_is_no_connection_and_nothing_is_lost() {
    let server = Server::start(vec![]).await;
    let free = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let nobody = server.at(format!("http://{}", free.local_addr().expect("address")));
    drop(free);
    let client = nobody.client().with_retry(RetryPolicy::none());
    let error = client.get_bucket_info().await.expect_err("nobody");
    assert!(matches!(error, Error::Transport { kind: TransportKind::Connect, .. }), "{error}");
    assert!(!error.answer_lost());
}

#[tokio::test]
async fn a_busy_server_is_asked_again_after_the_time_it_names() {
    let busy = answer(503, &[("Retry-After", "1")], "<Error><Code>ServiceUnavailable</Code></Error>");
    let server = Server::start(vec![busy, part_stored(b"x")]).await;
    let start = Instant::now();
    server.client().upload_part(&key("k"), "U", 1, &slice(b"x"), None, None).await.expect("second time");
    assert!(start.elapsed() >= Duration::from_secs(1), "after {:?}", start.elapsed());
}

#[tokio::test]
async fn an_answer_without_an_error_document_still_has_its_status() {
    let server = Server::start(vec![answer(502, &[("x-oss-ec", "0000-1")], "<html>Bad Gateway</html>")]).await;
    let client = server.client().with_retry(RetryPolicy::none());
    let error = client.get_bucket_info().await.expect_err("gateway");
    let Error::Service(answer) = &error else { panic!("{error:?}") };
    assert_eq!((answer.status, answer.code.as_str(), answer.request_id.as_deref()), (502, "", Some("65A1B2")));
    assert_eq!(error.to_string(), "GetBucketInfo: OSS answered 502 (EC 0000-1)");
}

#[tokio::test]
async fn an_answer_without_an_end_is_not_read_to_its_end() {
    let head = "HTTP/1.1 200 OK\r\nx-oss-request-id: 65A1B2\r\nETag: \"E\"\r\nContent-Length: 999999999999\r\n\r\n";
    let server = Server::start(vec![Reply::Endless(head.to_owned()), Reply::Endless(head.to_owned())]).await;
    let client = server.client().with_retry(RetryPolicy::none());
    let error = client.get_bucket_info().await.expect_err("no bucket");
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    let (parts, spec) = ([(1, "E".to_owned())], crate::object::callback());
    let done = client.complete_multipart(&key("k"), "U", &parts, &plain(), Some(&spec)).await.expect("completed");
    assert!(matches!(done.callback, CallbackOutcome::Answered { cut: true, .. }));
}

#[tokio::test]
async fn an_error_of_the_network_names_no_address() {
    let server = Server::start(vec![Reply::Lost, Reply::HangUp, Reply::Stall]).await;
    let port = server.address.rsplit(':').next().expect("a port").to_owned();
    let client = server.client().with_retry(RetryPolicy::none()).with_stall_timeout(Duration::from_millis(100));
    let mut said = Vec::new();
    for _ in 0..3 {
        said.push(client.list_parts(&key("who-is-named"), "U").await.expect_err("trouble"));
    }
    let nobody = server.at("http://127.0.0.1:1".to_owned()).client().with_retry(RetryPolicy::none());
    said.push(nobody.list_parts(&key("who-is-named"), "U").await.expect_err("nobody"));
    for error in said {
        let text = format!("{error} {error:?}");
        assert!(matches!(error, Error::Transport { .. }), "{text}");
        for part in ["http", "who-is-named", "uploadId", &port] {
            assert!(!text.contains(part), "{part} in {text}");
        }
    }
}

#[tokio::test]
async fn a_proxy_that_wants_a_login_is_not_taken_for_oss() {
    let refused = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n".to_owned();
    let server = Server::start(vec![Reply::Answer(refused.clone()), Reply::Answer(refused)]).await;
    let error = server.client().list_parts(&key("k"), "U").await.expect_err("a login");
    assert!(matches!(error, Error::Transport { kind: TransportKind::ProxyLogin, .. }), "{error}");
    assert_eq!((error.advice(), error.answer_lost(), server.seen().len()), (Advice::Never, false, 1));
}

#[tokio::test]
async fn the_library_below_repeats_nothing_by_itself() {
    // A connection that was used before is what HTTP libraries like to try again on.
    for reply in [Reply::Lost, Reply::HangUp] {
        let server = Server::start(vec![answer(204, &[], ""), reply, answer(204, &[], "")]).await;
        let client = server.client().with_retry(RetryPolicy::none());
        client.delete_object(&key("k"), None).await.expect("deleted");
        client.delete_object(&key("k"), None).await.expect_err("lost");
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server = Server::start(vec![answer(307, &[("Location", "http://127.0.0.1:1/x")], "")]).await;
    let error = server.client().get_bucket_info().await.expect_err("redirect");
    assert!(matches!(&error, Error::Service(answer) if answer.status == 307), "{error}");
}

#[tokio::test]
async fn a_token_is_sent_signed_with_every_request() {
    let server = Server::start(vec![part_stored(b"x")]).await;
    server.client_with(Some(TOKEN)).upload_part(&key("k"), "U", 1, &slice(b"x"), None, None).await.expect("part");
    assert_eq!(server.seen()[0].header("x-oss-security-token"), TOKEN);
}

#[tokio::test]
async fn secret_is_not_in_debug_or_errors() {
    let server = Server::start(vec![refusal(403, "SignatureDoesNotMatch", "0002-00000040"), Reply::Lost]).await;
    let client = server.client_with(Some(TOKEN)).with_retry(RetryPolicy::none());
    let mut said = format!("{client:?} {client:#?}");
    for _ in 0..2 {
        let error = client.upload_part(&key("k"), "U", 1, &slice(b"x"), None, None).await.expect_err("error");
        said += &format!("{error} {error:?} {error:#?}");
    }
    // A token that cannot stand in a header is refused without being shown.
    let client = server.client_with(Some("wire-token-0815\u{7f}x"));
    let error = client.get_bucket_info().await.expect_err("unfit token");
    said += &format!("{error} {error:?}");
    assert!(said.contains("SignatureDoesNotMatch") && said.contains("x-oss-security-token"), "{said}");
    for secret in [SECRET, TOKEN, "Signature=", "OSS4-HMAC"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}

#[tokio::test]
async fn every_call_can_run_in_a_spawned_task() {
    fn sendable<T: Send + 'static>(future: T) {
        drop(future);
    }
    let server = Server::start(vec![]).await;
    let (client, body, progress) = (server.client(), slice(b"x"), Sum::default().progress());
    sendable(async move {
        let name = key("k");
        let _ = client.put_object(&name, &body, &plain(), None, Some(&progress)).await;
        let gate = Gate::new(|_| async { true });
        let _ = client.put_object_gated(&name, &body, &plain(), None, gate, None).await;
        let _ = client.initiate_multipart(&name, &plain()).await;
        let _ = client.upload_part(&name, "U", 1, &body, None, Some(&progress)).await;
        let _ = client.list_parts(&name, "U").await;
        let _ = client.complete_multipart(&name, "U", &[], &plain(), None).await;
        let _ = client.abort_multipart(&name, "U").await;
        let _ = client.head_object(&name).await;
        let _ = client.get_bucket_info().await;
    });
}
