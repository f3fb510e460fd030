//! Misbehaviour on command: what to do wrong, for which request, how often.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::operation::Operation;

/// One planned misbehaviour. It is taken by a request that is signed well and matches, oldest fault first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// Requests of this operation only.
    pub operation: Operation,
    /// Only for this object key (for [`Operation::Callback`]: a body field `object` or `key` with this value).
    #[serde(default)]
    pub key: Option<String>,
    /// Only for this part.
    #[serde(default)]
    pub part_number: Option<u32>,
    /// How many matching requests are hit; 1 unless told, `u32::MAX` for all.
    #[serde(default = "once")]
    pub times: u32,
    /// How many matching requests pass untouched before.
    #[serde(default)]
    pub skip: u32,
    /// What goes wrong.
    pub fault: FaultKind,
}

impl Fault {
    /// A fault for the next request of `operation`.
    pub fn on(operation: Operation, fault: FaultKind) -> Self {
        Self { operation, key: None, part_number: None, times: 1, skip: 0, fault }
    }

    /// Only for this key.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Only for this part number.
    pub fn part(mut self, number: u32) -> Self {
        self.part_number = Some(number);
        self
    }

    /// For this many requests.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// After this many requests have passed untouched.
    pub fn skip(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    fn matches(&self, operation: Operation, key: Option<&str>, part_number: Option<u32>) -> bool {
        self.operation == operation
            && self.key.as_deref().is_none_or(|wanted| key == Some(wanted))
            && self.part_number.is_none_or(|wanted| part_number == Some(wanted))
    }
}

/// What goes wrong. Kinds that begin with `Callback` are for [`Operation::Callback`] alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum FaultKind {
    /// Takes this many bytes of the body (or all of a shorter one), does nothing with them and closes the connection.
    CloseAfterBytes {
        /// Bytes of the body.
        bytes: u64,
    },
    /// Reads the body, then neither works nor answers until the client goes (nothing is done then) or the faults are
    /// cleared (then it goes on as usual).
    Stall,
    /// Reads the body and answers with an error, doing nothing.
    Status {
        /// HTTP status, as 500 or 503.
        status: u16,
        /// The error's `Code`, as `InternalError`.
        code: String,
        /// `Retry-After` header.
        #[serde(default)]
        retry_after_seconds: Option<u64>,
    },
    /// Does the whole work, a callback included, then closes the connection with no answer.
    LoseAnswer,
    /// Does the whole work, a callback included, then answers only when the faults are cleared, or never if the client goes.
    HoldAnswer,
    /// Reads the body, waits, then goes on as usual, even if the client has gone meanwhile.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// Does the whole work, a callback included, then closes the connection in the middle of the answer's body, or before
    /// an answer that has none.
    CutAnswer,
    /// Answers with a wrong `x-oss-hash-crc64ecma`, and wrong ones in a list of parts; what is stored is right.
    CorruptCrc,
    /// Answers with a wrong ETag, and wrong ones in a list of parts; what is stored is right.
    WrongEtag,
    /// The server's clock jumps ahead by this much and stays there: beyond 15 minutes the request is refused for its time.
    ClockAhead {
        /// Seconds.
        seconds: i64,
    },
    /// Does the whole work, then closes all connections and refuses new ones for this long or until the faults are cleared.
    RefuseConnections {
        /// Milliseconds.
        ms: u64,
        /// The answer goes out before.
        #[serde(default)]
        answered: bool,
    },
    /// Takes the body at this pace.
    Throttle {
        /// Bytes in a second.
        bytes_per_second: u64,
    },
    /// The receiver answers with this status and body.
    CallbackStatus {
        /// HTTP status.
        status: u16,
        /// The whole body.
        #[serde(default)]
        body: String,
    },
    /// The receiver does not answer; it waits until OSS gives up.
    CallbackTimeout,
    /// The receiver answers 200 with a text that is not JSON.
    CallbackNotJson,
    /// The receiver answers 200 with JSON of about this size.
    CallbackHuge {
        /// Bytes; 64 MB at most.
        bytes: u64,
    },
    /// The receiver answers 200 with JSON and no Content-Length.
    CallbackChunked,
    /// The receiver answers 302.
    CallbackRedirect {
        /// The `Location` header.
        location: String,
    },
    /// The receiver answers 200 with JSON behind a byte-order mark.
    CallbackBom,
    /// The receiver answers 200 with XML that says so.
    CallbackXml,
}

impl FaultKind {
    /// The name used in JSON and in the logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CloseAfterBytes { .. } => "closeAfterBytes",
            Self::Stall => "stall",
            Self::Status { .. } => "status",
            Self::LoseAnswer => "loseAnswer",
            Self::HoldAnswer => "holdAnswer",
            Self::Delay { .. } => "delay",
            Self::CutAnswer => "cutAnswer",
            Self::CorruptCrc => "corruptCrc",
            Self::WrongEtag => "wrongEtag",
            Self::ClockAhead { .. } => "clockAhead",
            Self::RefuseConnections { .. } => "refuseConnections",
            Self::Throttle { .. } => "throttle",
            Self::CallbackStatus { .. } => "callbackStatus",
            Self::CallbackTimeout => "callbackTimeout",
            Self::CallbackNotJson => "callbackNotJson",
            Self::CallbackHuge { .. } => "callbackHuge",
            Self::CallbackChunked => "callbackChunked",
            Self::CallbackRedirect { .. } => "callbackRedirect",
            Self::CallbackBom => "callbackBom",
            Self::CallbackXml => "callbackXml",
        }
    }

    /// Whether only the callback receiver can do this.
    pub(crate) fn is_of_receiver(&self) -> bool {
        self.name().starts_with("callback")
    }
}

/// A fault that a request has taken.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) kind: FaultKind,
    /// Cancelled when the faults are cleared.
    pub(crate) cleared: CancellationToken,
}

/// The planned faults of one sandbox.
#[derive(Debug)]
pub struct Faults {
    plan: Mutex<Plan>,
    taken: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Plan {
    faults: Vec<Fault>,
    /// Renewed at every clear, so that requests held by a fault that is used up are let go too.
    cleared: CancellationToken,
}

impl Faults {
    pub(crate) fn new() -> Self {
        Self { plan: Mutex::default(), taken: watch::Sender::new(0) }
    }

    /// Plans a fault behind those that are planned already.
    pub fn add(&self, fault: Fault) {
        self.plan().faults.push(fault);
    }

    /// Forgets every planned fault and lets held requests go on.
    pub fn clear(&self) {
        let mut plan = self.plan();
        plan.faults.clear();
        std::mem::take(&mut plan.cleared).cancel();
    }

    /// What is still planned, with the remaining `times` and `skip`.
    pub fn planned(&self) -> Vec<Fault> {
        self.plan().faults.clone()
    }

    /// How many requests have taken a fault since the start.
    pub fn taken(&self) -> u64 {
        *self.taken.borrow()
    }

    /// Waits until that many requests have taken a fault since the start; `false` when `limit` passed first.
    pub async fn wait_until_taken(&self, count: u64, limit: Duration) -> bool {
        let mut taken = self.taken.subscribe();
        let enough = tokio::time::timeout(limit, taken.wait_for(|so_far| *so_far >= count)).await;
        matches!(enough, Ok(Ok(_)))
    }

    pub(crate) fn take(&self, operation: Operation, key: Option<&str>, part_number: Option<u32>) -> Option<Taken> {
        let mut plan = self.plan();
        let mut hit = None;
        for (at, fault) in plan.faults.iter_mut().enumerate() {
            if !fault.matches(operation, key, part_number) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            hit = Some(at);
            break;
        }
        let at = hit?;
        let fault = &mut plan.faults[at];
        fault.times = if fault.times == u32::MAX { u32::MAX } else { fault.times.saturating_sub(1) };
        let kind = fault.fault.clone();
        if fault.times == 0 {
            plan.faults.remove(at);
        }
        let taken = Taken { kind, cleared: plan.cleared.clone() };
        drop(plan);
        self.taken.send_modify(|count| *count += 1);
        Some(taken)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn once() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_hits_after_skip_and_only_as_often_as_told() {
        let faults = Faults::new();
        faults.add(Fault::on(Operation::UploadPart, FaultKind::Stall).skip(1).times(2));
        let hits: Vec<bool> =
            (1..=5).map(|n| faults.take(Operation::UploadPart, Some("k"), Some(n)).is_some()).collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert_eq!(faults.taken(), 2);
    }

    #[test]
    fn another_operation_key_or_part_passes() {
        let faults = Faults::new();
        faults.add(Fault::on(Operation::UploadPart, FaultKind::LoseAnswer).key("k").part(2));
        assert!(faults.take(Operation::PutObject, Some("k"), None).is_none());
        assert!(faults.take(Operation::UploadPart, Some("other"), Some(2)).is_none());
        assert!(faults.take(Operation::UploadPart, Some("k"), Some(1)).is_none());
        assert!(faults.take(Operation::UploadPart, Some("k"), Some(2)).is_some());
    }

    #[test]
    fn clearing_lets_a_request_go_whose_fault_is_used_up() {
        let faults = Faults::new();
        faults.add(Fault::on(Operation::PutObject, FaultKind::Stall));
        let taken = faults.take(Operation::PutObject, None, None).expect("hit");
        assert!(faults.planned().is_empty() && !taken.cleared.is_cancelled());
        faults.clear();
        assert!(taken.cleared.is_cancelled());
    }

    #[test]
    fn the_json_form_has_defaults_and_refuses_what_it_does_not_know() {
        let fault: Fault = serde_json::from_str(
            r#"{"operation":"UploadPart","key":null,"fault":{"kind":"status","status":503,"code":"ServiceUnavailable","retryAfterSeconds":2}}"#,
        )
        .expect("reads");
        let kind = FaultKind::Status { status: 503, code: "ServiceUnavailable".into(), retry_after_seconds: Some(2) };
        assert_eq!(fault, Fault::on(Operation::UploadPart, kind));
        for text in [
            r#"{"operation":"UploadPrat","fault":{"kind":"stall"}}"#,
            r#"{"operation":"UploadPart","fault":{"kind":"stal"}}"#,
            r#"{"operation":"UploadPart","tmies":2,"fault":{"kind":"stall"}}"#,
        ] {
            assert!(serde_json::from_str::<Fault>(text).is_err(), "{text}");
        }
    }
}
