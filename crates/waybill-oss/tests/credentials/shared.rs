//! Many who need keys, one who fetches them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use waybill_oss::{Advice, Credential, CredentialSource, Credentials, Error};

use super::server::{Reply, Server, Time, at, keys, surroundings};

const HOUR: i64 = 3600;

/// Starts so many callers at once, and returns when each of them waits.
async fn callers<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    many: usize,
    call: impl Fn() -> F,
) -> Vec<tokio::task::JoinHandle<T>> {
    let waiting = Arc::new(AtomicUsize::new(0));
    let tasks = (0..many).map(|_| {
        let (waiting, call) = (Arc::clone(&waiting), call());
        tokio::spawn(async move {
            // Nothing is awaited between this and the call's own first wait, so whoever is counted waits.
            waiting.fetch_add(1, Ordering::SeqCst);
            call.await
        })
    });
    let tasks: Vec<_> = tasks.collect();
    while waiting.load(Ordering::SeqCst) < many {
        tokio::task::yield_now().await;
    }
    tasks
}

fn current(
    credentials: &Credentials,
) -> impl Fn() -> std::pin::Pin<Box<dyn Future<Output = Result<Credential, Error>> + Send>> {
    let credentials = credentials.clone();
    move || {
        let credentials = credentials.clone();
        Box::pin(async move { credentials.current().await })
    }
}

async fn id(credentials: &Credentials) -> String {
    credentials.current().await.expect("keys").access_key_id().to_owned()
}

#[tokio::test]
async fn fifty_uploads_that_start_at_once_cause_one_fetch() {
    let server = Server::start(|number, _| Reply::Held(200, keys(number, HOUR))).await;
    let credentials = server.credentials(&Time::default());
    let tasks = callers(50, current(&credentials)).await;
    server.asked(1).await;
    server.let_go();
    for task in tasks {
        let credential = task.await.expect("task").expect("keys");
        assert_eq!((credential.access_key_id(), credential.security_token()), ("id1", Some("t0k3n1")));
        assert_eq!(credential.expires_at(), Some(at(HOUR)));
    }
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_failed_fetch_is_told_to_all_who_wait_and_the_next_one_asks_anew() {
    let server = Server::start(|number, _| match number {
        1 => Reply::Held(503, "s3cr3t".to_owned()),
        _ => Reply::Now(200, keys(number, HOUR)),
    })
    .await;
    let credentials = server.credentials(&Time::default());
    let tasks = callers(50, current(&credentials)).await;
    server.asked(1).await;
    server.let_go();
    for task in tasks {
        let error = task.await.expect("task").expect_err("no keys");
        assert_eq!(error.to_string(), "no keys from the credentials URI: it answered 503");
        assert!(matches!(error.advice(), Advice::Later(_)));
    }
    assert_eq!(server.count(), 1);
    assert_eq!(id(&credentials).await, "id2");
}

#[tokio::test]
async fn when_the_one_who_fetches_is_paused_the_next_in_line_takes_over() {
    let server = Server::start(|number, _| match number {
        1 => Reply::Never,
        _ => Reply::Now(200, keys(number, HOUR)),
    })
    .await;
    let credentials = server.credentials(&Time::default());
    let first = callers(1, current(&credentials)).await.remove(0);
    server.asked(1).await;
    let others = callers(10, current(&credentials)).await;
    first.abort();
    for task in others {
        assert_eq!(task.await.expect("task").expect("keys").access_key_id(), "id2");
    }
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn keys_are_refreshed_before_their_end_and_nobody_waits_for_it_but_one() {
    let server = Server::start(|number, _| match number {
        1 => Reply::Now(200, keys(1, HOUR)),
        _ => Reply::Held(200, keys(number, 3 * HOUR)),
    })
    .await;
    let time = Time::default();
    let credentials = server.credentials(&time);
    assert_eq!(id(&credentials).await, "id1");
    time.set(HOUR * 4 / 5 - 1);
    assert_eq!(id(&credentials).await, "id1");
    assert_eq!(server.count(), 1);

    time.set(HOUR * 4 / 5);
    let refreshing = callers(1, current(&credentials)).await.remove(0);
    server.asked(2).await;
    assert_eq!(id(&credentials).await, "id1");
    server.let_go();
    assert_eq!(refreshing.await.expect("task").expect("keys").access_key_id(), "id2");
    assert_eq!(id(&credentials).await, "id2");
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_refresh_that_fails_early_is_no_error_until_the_keys_have_ended() {
    let server = Server::start(|number, _| match number {
        1 => Reply::Now(200, keys(1, HOUR)),
        2..=4 => Reply::Now(500, String::new()),
        _ => Reply::Now(200, keys(number, 3 * HOUR)),
    })
    .await;
    let time = Time::default();
    let credentials = server.credentials(&time);
    assert_eq!(id(&credentials).await, "id1");
    // Asked again after a minute, not by everybody who comes.
    for (seconds, asked) in [(0, 2), (1, 2), (59, 2), (60, 3), (61, 3)] {
        time.set(HOUR * 4 / 5 + seconds);
        assert_eq!((id(&credentials).await.as_str(), server.count()), ("id1", asked), "{seconds}");
    }
    time.set(HOUR);
    credentials.current().await.expect_err("the keys have ended");
    assert_eq!(server.count(), 4);
    assert_eq!((id(&credentials).await.as_str(), server.count()), ("id5", 5));
}

#[tokio::test]
async fn a_token_for_a_minute_is_not_fetched_in_a_loop() {
    let server = Server::start(|number, _| Reply::Now(200, keys(number, 60))).await;
    let time = Time::default();
    let credentials = server.credentials(&time);
    for seconds in 0..48 {
        time.set(seconds);
        assert_eq!(id(&credentials).await, "id1");
    }
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn keys_that_this_clock_thinks_ended_long_ago_are_used_until_oss_refuses_them() {
    let server = Server::start(|number, _| Reply::Now(200, keys(number, HOUR))).await;
    let time = Time::default();
    time.set(8 * HOUR);
    let credentials = server.credentials(&time);
    for _ in 0..3 {
        assert_eq!(id(&credentials).await, "id1");
    }
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn fifty_refusals_of_the_same_keys_cause_one_fetch() {
    let server = Server::start(|number, _| match number {
        1 => Reply::Now(200, keys(1, HOUR)),
        _ => Reply::Held(200, keys(number, HOUR)),
    })
    .await;
    let credentials = server.credentials(&Time::default());
    let refused = credentials.current().await.expect("keys");
    let renew = || {
        let (credentials, refused) = (credentials.clone(), refused.clone());
        async move { credentials.renew(&refused).await }
    };
    let tasks = callers(50, renew).await;
    server.asked(2).await;
    server.let_go();
    for task in tasks {
        assert!(task.await.expect("task").expect("renewed"));
    }
    assert!(credentials.renew(&refused).await.expect("renewed by others"));
    assert_eq!((id(&credentials).await.as_str(), server.count()), ("id2", 2));
}

#[tokio::test]
async fn the_same_keys_again_are_no_renewal() {
    let server = Server::start(|number, _| match number {
        1 => Reply::Now(200, keys(1, HOUR)),
        2 => Reply::Held(200, keys(1, 2 * HOUR)),
        3 => Reply::Now(500, String::new()),
        _ => Reply::Now(200, keys(number, HOUR)),
    })
    .await;
    let credentials = server.credentials(&Time::default());
    let refused = credentials.current().await.expect("keys");
    let renew = || {
        let (credentials, refused) = (credentials.clone(), refused.clone());
        async move { credentials.renew(&refused).await }
    };
    let tasks = callers(10, renew).await;
    server.asked(2).await;
    server.let_go();
    for task in tasks {
        assert!(!task.await.expect("task").expect("no others"));
    }
    assert_eq!(server.count(), 2);
    renew().await.expect_err("the source fails");
    assert!(renew().await.expect("others"));
    assert_eq!(id(&credentials).await, "id4");
}

#[tokio::test]
async fn fixed_keys_and_those_of_the_environment_cannot_be_renewed() {
    let fixed = Credential::new("id", "s3cr3t", None);
    for credentials in [
        Credentials::from(fixed.clone()),
        Credentials::from_source(CredentialSource::Fixed(fixed.clone())).expect("source"),
        Credentials::from_source_in(
            CredentialSource::Environment,
            surroundings(&Time::default()).with_variables(|name| match name {
                "OSS_ACCESS_KEY_ID" => Some("id".to_owned()),
                "OSS_ACCESS_KEY_SECRET" => Some("s3cr3t".to_owned()),
                _ => None,
            }),
        )
        .expect("source"),
    ] {
        let credential = credentials.current().await.expect("keys");
        assert_eq!(credential.access_key_id(), "id");
        assert!(!credentials.renew(&credential).await.expect("no others"));
        let text = format!("{credentials:?}");
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}
