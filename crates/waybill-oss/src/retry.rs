//! The one retry loop: bounded by attempts and by time, and never for a request that may have run and must not run twice.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::{Advice, Error};

/// How often and how long a call is repeated within itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first one included.
    pub attempts: u32,
    /// The wait before the second attempt is drawn from zero to this; each further one doubles it.
    pub base: Duration,
    /// The longest such wait.
    pub cap: Duration,
    /// No further attempt begins later than this after the first one.
    pub elapsed: Duration,
}

impl Default for RetryPolicy {
    /// Three attempts, 200 ms doubling up to 20 s, as the Go and Python SDKs v2 do [go2 `oss/retry/`], within a minute.
    fn default() -> Self {
        RetryPolicy {
            attempts: 3,
            base: Duration::from_millis(200),
            cap: Duration::from_secs(20),
            elapsed: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// One attempt, no repeats.
    pub fn none() -> Self {
        RetryPolicy { attempts: 1, ..RetryPolicy::default() }
    }

    /// The wait before the next attempt, or none if there is to be no next attempt. `random` is from 0 to 1.
    fn next_wait(
        &self,
        made: u32,
        elapsed: Duration,
        repeatable: bool,
        error: &Error,
        random: f64,
    ) -> Option<Duration> {
        if made >= self.attempts || error.advice() == Advice::Never {
            return None;
        }
        if !repeatable && !error.surely_not_carried_out() {
            return None;
        }
        let ceiling = self.base.saturating_mul(2_u32.saturating_pow(made.saturating_sub(1))).min(self.cap);
        let wait = ceiling.mul_f64(random).max(error.retry_after().unwrap_or_default());
        (elapsed.saturating_add(wait) <= self.elapsed).then_some(wait)
    }
}

/// The attempts at one call so far.
pub(crate) struct Tries {
    policy: RetryPolicy,
    operation: &'static str,
    repeatable: bool,
    started: Instant,
    made: u32,
}

impl Tries {
    pub(crate) fn new(policy: RetryPolicy, operation: &'static str, repeatable: bool) -> Self {
        Tries { policy, operation, repeatable, started: Instant::now(), made: 0 }
    }

    /// Waits until the next attempt is due, or gives the error back: that was the last one.
    pub(crate) async fn wait_after(&mut self, error: Error) -> Result<(), Error> {
        self.made += 1;
        let elapsed = self.started.elapsed();
        let Some(wait) = self.policy.next_wait(self.made, elapsed, self.repeatable, &error, rand::random()) else {
            return Err(error);
        };
        let (operation, made, wait_ms) = (self.operation, self.made, wait.as_millis() as u64);
        tracing::info!(operation, made, wait_ms, %error, "trying again");
        sleep(wait).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ServiceError, TransportKind};

    fn answered(status: u16, retry_after: Option<u64>) -> Error {
        Error::Service(Box::new(ServiceError {
            operation: "PutObject",
            status,
            code: String::new(),
            message: String::new(),
            ec: None,
            request_id: None,
            host_id: None,
            retry_after: retry_after.map(Duration::from_secs),
            string_to_sign: None,
            endpoint: None,
        }))
    }

    fn broken(kind: TransportKind) -> Error {
        Error::Transport { operation: "PutObject", kind, message: String::new() }
    }

    /// Runs against errors from a list, then success; says how many attempts there were and how long it took.
    async fn play(policy: RetryPolicy, repeatable: bool, errors: Vec<Error>) -> (Result<(), Error>, u32, Duration) {
        let (mut errors, mut made) = (errors.into_iter(), 0);
        let started = Instant::now();
        let mut tries = Tries::new(policy, "PutObject", repeatable);
        let result = loop {
            made += 1;
            let Some(error) = errors.next() else { break Ok(()) };
            if let Err(last) = tries.wait_after(error).await {
                break Err(last);
            }
        };
        (result, made, started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_503_with_retry_after_waits_that_long() {
        let (result, made, took) = play(RetryPolicy::default(), true, vec![answered(503, Some(7))]).await;
        assert!(result.is_ok());
        assert_eq!((made, took.as_secs()), (2, 7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_after_beyond_the_time_allowed_is_left_to_the_caller() {
        let (result, made, took) = play(RetryPolicy::default(), true, vec![answered(503, Some(120))]).await;
        assert_eq!(result.expect_err("error").advice(), Advice::Later(Duration::from_secs(120)));
        assert_eq!((made, took.as_secs()), (1, 0));
    }

    #[test]
    fn a_wait_longer_than_time_itself_is_left_to_the_caller() {
        let (policy, forever) = (RetryPolicy::default(), answered(503, Some(u64::MAX)));
        assert_eq!(policy.next_wait(1, Duration::from_secs(1), true, &forever, 0.0), None);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_bounded() {
        let errors = || (0..5).map(|_| answered(500, None)).collect::<Vec<_>>();
        assert_eq!(play(RetryPolicy::default(), true, errors()).await.1, 3);
        assert_eq!(play(RetryPolicy::none(), true, errors()).await.1, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_must_not_run_twice_is_repeated_only_when_it_did_not_run() {
        for lost in [answered(500, None), broken(TransportKind::Interrupted), broken(TransportKind::Timeout)] {
            assert_eq!(play(RetryPolicy::default(), false, vec![lost]).await.1, 1);
        }
        for unseen in [broken(TransportKind::Connect), answered(429, None)] {
            assert_eq!(play(RetryPolicy::default(), false, vec![unseen]).await.1, 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_help_is_not_repeated() {
        assert_eq!(play(RetryPolicy::default(), true, vec![answered(403, None)]).await.1, 1);
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let policy = RetryPolicy { attempts: 100, elapsed: Duration::MAX, ..RetryPolicy::default() };
        let wait = |made, random| policy.next_wait(made, Duration::ZERO, true, &answered(500, None), random);
        assert_eq!(wait(1, 1.0), Some(Duration::from_millis(200)));
        assert_eq!(wait(3, 1.0), Some(Duration::from_millis(800)));
        assert_eq!(wait(3, 0.5), Some(Duration::from_millis(400)));
        assert_eq!(wait(60, 1.0), Some(Duration::from_secs(20)));
        assert_eq!(policy.next_wait(100, Duration::ZERO, true, &answered(500, None), 0.0), None);
    }
}
