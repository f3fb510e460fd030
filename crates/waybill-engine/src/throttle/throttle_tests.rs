//! Limits before drivers that only wait: who is let through when, and what a change does.

use tokio::time::timeout;
use waybill_oss::{End, Exchange, Leave, Pace};

use super::*;
use crate::view::{DestinationLimits, LimitRules};

const NONE: Limit = Limit { bytes_per_second: None, requests_per_second: None };

fn usual(limit: Limit) -> LimitRules {
    LimitRules { usual: limit, timetable: Vec::new() }
}

fn bytes(rate: i64) -> Limit {
    Limit { bytes_per_second: Some(rate), ..NONE }
}

fn free(parallel: usize) -> Throttle {
    Throttle::new(parallel, NONE, Limits::default())
}

fn host(name: &str) -> Endpoint {
    Endpoint::parse(&format!("https://{name}.example.com")).unwrap()
}

/// Asks for bytes until all of them are let go.
async fn send(lane: &Lane, mut left: usize) {
    while left > 0 {
        left -= match lane.bytes(left.min(64 << 10)) {
            Leave::Now(granted) => granted,
            Leave::Later(turn) => turn.await,
        };
    }
}

/// True if a permit is to be had without waiting.
async fn is_let_in(lane: &Lane, held: &mut Vec<Permit>) -> bool {
    match timeout(Duration::from_millis(1), lane.permit()).await {
        Ok(permit) => held.push(permit),
        Err(_) => return false,
    }
    true
}

#[tokio::test(start_paused = true)]
async fn a_limit_for_all_is_shared_and_one_of_a_destination_holds_up_nobody_else() {
    let limits = Limits {
        everywhere: usual(bytes(1_000_000)),
        destinations: vec![DestinationLimits { destination_id: "slow".into(), rules: usual(bytes(100_000)) }],
        requests_at_once: None,
    };
    let throttle = Throttle::new(16, NONE, limits);
    let (slow, fast) = (throttle.lane("slow", &host("host")), throttle.lane("fast", &host("host")));
    let start = Instant::now();
    let (slow, fast) = tokio::join!(
        async {
            send(&slow, 500_000).await;
            start.elapsed()
        },
        async {
            send(&fast, 4_500_000).await;
            start.elapsed()
        }
    );
    for (name, took) in [("slow", slow), ("fast", fast)] {
        assert!((4.5..=5.2).contains(&took.as_secs_f64()), "{name}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_limit_counts_for_whoever_waits_already() {
    let throttle = Throttle::new(16, NONE, Limits { everywhere: usual(bytes(1024)), ..Limits::default() });
    let lane = throttle.lane("d", &host("host"));
    let start = Instant::now();
    let change = async {
        sleep(Duration::from_secs(2)).await;
        throttle.set(Limits::default());
    };
    tokio::join!(send(&lane, 100 << 20), change);
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_the_process_was_given_goes_before_what_is_set() {
    let set = Limits { everywhere: usual(bytes(1024)), ..Limits::default() };
    let given = Limit { bytes_per_second: Some(1 << 20), requests_per_second: None };
    let lane = Throttle::new(16, given, set).lane("d", &host("host"));
    let start = Instant::now();
    send(&lane, 10 << 20).await;
    assert!((9.8..=10.0).contains(&start.elapsed().as_secs_f64()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn requests_have_their_turn_once_repeats_included() {
    let limits = Limit { requests_per_second: Some(10), ..NONE };
    let throttle = Throttle::new(16, NONE, Limits { everywhere: usual(limits), ..Limits::default() });
    let lane = throttle.lane("d", &host("host"));
    let start = Instant::now();
    for _ in 0..11 {
        let _permit = lane.permit().await;
        assert!(matches!(lane.request(), Leave::Now(())), "the permit's own request was paid for");
    }
    assert_eq!(start.elapsed().as_millis(), 950);
    let Leave::Later(repeat) = lane.request() else { panic!("a repeat waits like every request") };
    repeat.await;
    assert_eq!(start.elapsed().as_millis(), 1050);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_parallel_are_in_flight_over_all_hosts_and_a_set_maximum_counts_at_once() {
    let throttle = free(3);
    let lanes = [throttle.lane("a", &host("one")), throttle.lane("b", &host("two"))];
    let mut held = Vec::new();
    for n in 0..4 {
        assert_eq!(is_let_in(&lanes[n % 2], &mut held).await, n < 3, "request {n}");
    }
    throttle.set(Limits { requests_at_once: Some(1), ..Limits::default() });
    held.truncate(1);
    assert!(!is_let_in(&lanes[0], &mut held).await);
    throttle.set(Limits { requests_at_once: Some(100), ..Limits::default() });
    assert!(is_let_in(&lanes[1], &mut held).await);
    held.clear();
    for n in 0..4 {
        assert_eq!(is_let_in(&lanes[n % 2], &mut held).await, n < 3, "the process was started with 3");
    }
}

#[tokio::test(start_paused = true)]
async fn huge_requests_are_bounded_by_memory_and_small_ones_are_not() {
    let throttle = free(512);
    let lane = throttle.lane("d", &host("host"));
    lane.host.permits.resize(512);
    let mut held = Vec::new();
    while let Ok(permit) = timeout(Duration::from_millis(1), lane.permit_for(512 << 10)).await {
        held.push(permit);
    }
    assert_eq!(held.len() as u64, MEMORY_BYTES / (512 << 10));
    held.clear();
    for _ in 0..400 {
        assert!(is_let_in(&lane, &mut held).await);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_in_flight_grow_while_they_are_answered_and_the_queue_is_told() {
    let (throttle, stop) = (free(128), CancellationToken::new());
    let lane = throttle.lane("d", &host("host"));
    let work = async {
        let mut drivers = tokio::task::JoinSet::new();
        for _ in 0..300 {
            let lane = lane.clone();
            drivers.spawn(async move {
                for _ in 0..100 {
                    let _permit = lane.permit().await;
                    sleep(Duration::from_millis(30)).await;
                    let (bytes, elapsed) = (16_384, Duration::from_millis(30));
                    lane.ended(&Exchange { bytes, elapsed, end: End::Answered });
                }
            });
        }
        let start = Instant::now();
        while lane.host.permits.size() < 64 {
            throttle.grown().await;
        }
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        assert!(throttle.slots() >= 96, "{}", throttle.slots());
        drivers.shutdown().await;
        sleep(LOOK_EVERY * 2).await;
        assert!(throttle.is_idle());
        assert_eq!(throttle.slots(), controller::START * 3 / 2 + 2);
        stop.cancel();
    };
    tokio::join!(work, throttle.clone().run(stop.clone()));
}

#[tokio::test(start_paused = true)]
async fn a_low_limit_feeds_few_requests_and_asks_for_small_parts() {
    let throttle = Throttle::new(128, bytes(100 << 10), Limits::default());
    let lane = throttle.lane("d", &host("host"));
    let mut held = Vec::new();
    for n in 0..5 {
        assert_eq!(is_let_in(&lane, &mut held).await, n < controller::LEAST);
    }
    assert_eq!(lane.seen().bytes_per_second, (100 << 10) / 4);
}
