//! Destinations in trouble: which outcomes of uploads say so, and when one of its uploads may try again. The decision is
//! pure; the board only holds it, for the queue that writes it and the lists that show it.
//!
//! A destination that cannot be reached, or that does not take its keys, would refuse every upload alike: so they wait,
//! one at a time tries again, and nothing else is slowed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use waybill_oss::{Advice, TransportKind};

use crate::error::{Code, Error};
use crate::upload::retry::{Class, class_of, spread};
use crate::view::Problem;

/// Different uploads in a row that meet the same doubtful trouble, until it counts as the destination's.
const HINTS: usize = 3;

/// What one outcome says of the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// OSS took a request: the way there, the keys and the bucket are good.
    Works,
    /// Nothing either way.
    Nothing,
    /// Perhaps only this file's: one line that broke, one key that may not be written.
    Hint,
    /// Every other upload would meet it too.
    Proof,
}

/// What an upload's end says of its destination.
pub(crate) fn sign_of(error: &Error) -> Sign {
    use waybill_oss::Error as Oss;
    match (error.code(), error) {
        (Code::Network, Error::Oss(Oss::Transport { kind: TransportKind::Connect, .. } | Oss::Credentials { .. })) => {
            Sign::Proof
        }
        (Code::Network | Code::ServerBusy | Code::AccessDenied, _) => Sign::Hint,
        (
            Code::Certificate
            | Code::ProxyLogin
            | Code::Credentials
            | Code::NoSecret
            | Code::Keychain
            | Code::Bucket
            | Code::Clock,
            _,
        ) => Sign::Proof,
        (_, Error::Oss(Oss::Service(_) | Oss::Integrity { .. })) => Sign::Works,
        _ => Sign::Nothing,
    }
}

/// How a destination fares.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Health {
    /// Uploads that met the same doubtful trouble, with nothing good in between.
    hints: Vec<i64>,
    hinted: Option<Code>,
    trouble: Option<Trouble>,
}

/// Why a destination's uploads wait.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trouble {
    /// As it is shown beside each of them.
    pub(crate) problem: Problem,
    /// When the next may try (UTC ms).
    pub(crate) probe_at_ms: i64,
    failures: u32,
    /// The upload that tries, or tried last.
    last: i64,
    /// The one behind this is next, so that one bad file does not stand in the way of the others.
    behind: i64,
}

/// The next health after upload `no` ended well or in trouble; `wait` says how long to wait before probe n, given n.
pub(crate) fn after(
    health: Health,
    no: i64,
    sign: Sign,
    problem: Option<&Problem>,
    now_ms: i64,
    wait: impl Fn(u32) -> Duration,
) -> Health {
    let Some(problem) = problem.filter(|_| sign != Sign::Works) else { return Health::default() };
    match (sign, health.trouble) {
        (Sign::Works, _) => Health::default(),
        (Sign::Nothing, Some(trouble)) if trouble.last == no => {
            // It said nothing of the destination: the next may try at once.
            Health { trouble: Some(Trouble { probe_at_ms: now_ms, ..trouble }), ..health }
        }
        (Sign::Nothing, trouble) => Health { trouble, ..health },
        // Refused a right: so the way there and the keys are good again.
        (Sign::Hint, Some(trouble)) if problem.code == Code::AccessDenied && trouble.problem.code != problem.code => {
            Health { hints: vec![no], hinted: Some(problem.code), trouble: None }
        }
        (_, Some(trouble)) if trouble.last != no => {
            // Begun before the trouble was known; only the one that tries counts.
            Health { trouble: Some(Trouble { problem: problem.clone(), ..trouble }), ..health }
        }
        (_, Some(trouble)) => {
            let failures = trouble.failures + 1;
            let probe_at_ms = later(now_ms, wait(failures));
            Health {
                trouble: Some(Trouble { problem: problem.clone(), probe_at_ms, failures, last: no, behind: no }),
                ..health
            }
        }
        (Sign::Hint, None) => {
            let same = health.hinted == Some(problem.code);
            let mut hints = if same { health.hints } else { Vec::new() };
            if !hints.contains(&no) {
                hints.push(no);
            }
            let begins = hints.len() >= HINTS;
            let trouble = begins.then(|| begun(no, problem, now_ms, &wait));
            Health { hints, hinted: Some(problem.code), trouble }
        }
        (Sign::Proof, None) => Health { trouble: Some(begun(no, problem, now_ms, &wait)), ..health },
    }
}

fn begun(no: i64, problem: &Problem, now_ms: i64, wait: impl Fn(u32) -> Duration) -> Trouble {
    Trouble { problem: problem.clone(), probe_at_ms: later(now_ms, wait(1)), failures: 1, last: no, behind: no }
}

fn later(now_ms: i64, wait: Duration) -> i64 {
    now_ms.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
}

/// How long a destination is left alone after so many tries: what passes by itself is asked about soon, what somebody has
/// to mend seldom. `jitter` is in 0..1.
pub(crate) fn probe_wait(code: Code, advice: Advice, failures: u32, jitter: f64) -> Duration {
    let (base, cap) = match class_of(code) {
        Class::Passing => (Duration::from_secs(1), Duration::from_secs(60)),
        Class::NeedsYou | Class::Fatal => (Duration::from_secs(15), Duration::from_secs(600)),
    };
    let wait = spread(base, cap, failures, jitter);
    match advice {
        // A server that is there and asks for a pause gets it.
        Advice::Later(at_least) if code == Code::ServerBusy => wait.max(at_least),
        _ => wait,
    }
}

/// How all destinations fare; those that are well are not listed.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    by_destination: Mutex<HashMap<String, Health>>,
}

/// What a new outcome changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The destination's uploads wait now.
    pub(crate) in_trouble: bool,
    /// They did not before, or no longer do.
    pub(crate) changed: bool,
}

impl Troubles {
    /// A request of this upload was answered as wished.
    pub(crate) fn works(&self, destination: &str) -> Heard {
        let health = self.map().remove(destination);
        Heard { in_trouble: false, changed: health.is_some_and(|health| health.trouble.is_some()) }
    }

    /// An upload ended in trouble. True in `in_trouble` only if this is the destination's trouble.
    pub(crate) fn failed(&self, destination: &str, no: i64, error: &Error, now_ms: i64) -> Heard {
        let (sign, problem, advice) = (sign_of(error), error.problem(), error.advice());
        let jitter = rand::random();
        let mut map = self.map();
        let before = map.remove(destination).unwrap_or_default();
        let was = before.trouble.is_some();
        let wait = |failures| probe_wait(problem.code, advice, failures, jitter);
        let health = after(before, no, sign, Some(&problem), now_ms, wait);
        let is = health.trouble.is_some();
        if health != Health::default() {
            map.insert(destination.to_owned(), health);
        }
        Heard { in_trouble: is && matches!(sign, Sign::Hint | Sign::Proof), changed: was != is }
    }

    /// Why this destination's uploads wait, if they do.
    pub(crate) fn of(&self, destination: &str) -> Option<Trouble> {
        self.map().get(destination)?.trouble.clone()
    }

    /// Destinations in trouble.
    pub(crate) fn destinations(&self) -> Vec<String> {
        let map = self.map();
        map.iter().filter(|(_, health)| health.trouble.is_some()).map(|(id, _)| id.clone()).collect()
    }

    /// Destinations that one upload may try now, and the upload behind which the next is looked for. `busy`: it is still trying.
    pub(crate) fn due(&self, now_ms: i64, busy: impl Fn(i64) -> bool) -> Vec<(String, i64)> {
        let map = self.map();
        let troubles = map.iter().filter_map(|(id, health)| Some((id, health.trouble.as_ref()?)));
        let due = troubles.filter(|(_, trouble)| trouble.probe_at_ms <= now_ms && !busy(trouble.last));
        due.map(|(id, trouble)| (id.clone(), trouble.behind)).collect()
    }

    /// This upload tries.
    pub(crate) fn tries(&self, destination: &str, no: i64) {
        if let Some(trouble) = self.map().get_mut(destination).and_then(|health| health.trouble.as_mut()) {
            (trouble.last, trouble.behind) = (no, no);
        }
    }

    /// When the next destination may be tried, after `now_ms`.
    pub(crate) fn next_due(&self, now_ms: i64) -> Option<i64> {
        let map = self.map();
        let times = map.values().filter_map(|health| Some(health.trouble.as_ref()?.probe_at_ms));
        times.filter(|at| *at > now_ms).min()
    }

    /// Somebody mended something, or does not want to wait: one upload may try at once, this one if it is given.
    pub(crate) fn try_now(&self, destination: &str, no: Option<i64>) {
        if let Some(trouble) = self.map().get_mut(destination).and_then(|health| health.trouble.as_mut()) {
            trouble.probe_at_ms = 0;
            trouble.failures = 0;
            trouble.behind = no.map_or(trouble.behind, |no| no - 1);
        }
    }

    /// The destination is gone.
    pub(crate) fn forget(&self, destination: &str) {
        self.map().remove(destination);
    }

    fn map(&self) -> MutexGuard<'_, HashMap<String, Health>> {
        self.by_destination.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "trouble_tests.rs"]
mod tests;
