//! The life of one upload as data: which states there are, and the one pure function that moves between them.
//!
//! No clock, no disk, no network. Only the queue calls [`step`]; drivers, watchers and windows ask.

use serde::{Deserialize, Serialize};
use waybill_oss::CallbackOutcome;

use super::plan::{Plan, SourceStamp};
use crate::view::{AlreadyThere, Phase, Problem};

/// What is known of an upload under way: enough to take it up again after a crash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// OSS's multipart UploadId; none for a single PutObject.
    pub(crate) upload_id: Option<String>,
    /// How the file is cut.
    pub(crate) plan: Plan,
    /// The file as it was when the plan was made.
    pub(crate) stamp: SourceStamp,
}

/// What OSS said of the stored object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ObjectFacts {
    /// Bytes.
    pub(crate) size_bytes: u64,
    /// Without quotes.
    pub(crate) etag: String,
    /// CRC-64/XZ that the server reported, if it did.
    pub(crate) crc64: Option<u64>,
    /// CRC-64/XZ that we computed equals the server's.
    pub(crate) verified: bool,
    /// Of the finishing request (or of the HeadObject that settled it).
    pub(crate) request_id: String,
    /// In versioned buckets.
    pub(crate) version_id: Option<String>,
    /// Milliseconds from the finishing request to its answer; the callback is within it.
    pub(crate) finishing_ms: i64,
    /// It was there before, and nothing was sent.
    #[serde(default)]
    pub(crate) already_there: Option<AlreadyThere>,
}

// Legal moves; anything else is refused as a value.
//
//   Queued      → Starting (slot) · Queued (retry: at once) · Paused · Cancelled
//   Starting    → Sending (planned) · Starting (earlier parts are of no use) · Queued | Failed (trouble) · Paused · Cancelled
//                 Done (there already, and to be left alone)
//   Sending     → Completing (everything sent and checked) · Queued | Failed (trouble) · Paused · Cancelled
//   Completing  → Done · Completing (nobody can say yet; retry: ask at once) · Queued | Failed (OSS definitely did not finish;
//                 Queued as if never tried when the program ended meanwhile);
//                 not Paused, not Cancelled
//   Paused      → Queued (resume) · Cancelled
//   Failed      → Queued (retry) · Cancelled
//   Done        → Done (its callback was sent again)
//   Done, Cancelled: final
//   at start    Starting, Sending → Queued; Completing stays and is settled when it gets a slot
/// Where an upload stands, with the data that state needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum UploadState {
    /// Waits for a slot, a retry time or a quiet source file.
    Queued {
        /// Not before this time (UTC ms).
        not_before_ms: Option<i64>,
        /// Attempts so far.
        attempts: u32,
        /// An earlier session worth resuming.
        session: Option<Session>,
        /// Why it waits, if it was tried before.
        problem: Option<Problem>,
    },
    /// Stat, plan, Initiate or ListParts.
    Starting {
        /// Attempts so far.
        attempts: u32,
        /// An earlier session worth resuming.
        session: Option<Session>,
    },
    /// Bytes on their way.
    Sending {
        /// Attempts so far.
        attempts: u32,
        /// The session, saved before the first part was sent.
        session: Session,
    },
    /// Complete (or the last byte of the PutObject) is sent; the answer decides.
    Completing {
        /// Attempts so far.
        attempts: u32,
        /// The session.
        session: Session,
        /// CRC-64/XZ of the whole file as sent.
        crc64: u64,
        /// When to ask OSS again what became of it (UTC ms).
        not_before_ms: Option<i64>,
        /// Why that could not be found out so far.
        problem: Option<Problem>,
    },
    /// The user said stop.
    Paused {
        /// Attempts so far.
        attempts: u32,
        /// What is stored stays stored.
        session: Option<Session>,
    },
    /// Stored and final.
    Done {
        /// The object.
        object: ObjectFacts,
        /// What came of the callback.
        callback: CallbackOutcome,
    },
    /// Gave up; the user may retry.
    Failed {
        /// Why.
        problem: Problem,
        /// Attempts so far.
        attempts: u32,
        /// Good parts are kept.
        session: Option<Session>,
    },
    /// The user said never mind. Final.
    Cancelled,
}

/// What happened, or what somebody wants.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// The queue gives it a slot.
    SlotGranted,
    /// The driver found that the earlier session cannot be continued (source changed, UploadId gone).
    StartedAnew {
        /// The UploadId still exists at OSS and should be aborted.
        abort: bool,
    },
    /// The driver has a plan and, for multipart, an UploadId.
    Planned(Session),
    /// Everything is sent and checked; the finishing request follows once this is saved.
    Finishing {
        /// CRC-64/XZ of the whole file as sent.
        crc64: u64,
    },
    /// The stored object was stored anew from itself, so that the callback was made again.
    CalledAgain(ObjectFacts, CallbackOutcome),
    /// OSS has the object.
    Stored(ObjectFacts, CallbackOutcome),
    /// The object at the key is to stay, and nothing is sent.
    AlreadyThere(ObjectFacts),
    /// What became of the finishing request cannot be found out now: no answer, or no right to ask.
    Unsettled {
        /// Why.
        problem: Problem,
        /// When to ask again (UTC ms).
        again_at_ms: i64,
    },
    /// It did not work; `again_at_ms` says when to try again, none means give up.
    Trouble {
        /// Why.
        problem: Problem,
        /// Attempts that count: 1 when this one made progress, since then the trouble is not the old one.
        attempts: u32,
        /// When to try again (UTC ms).
        again_at_ms: Option<i64>,
        /// The session is of no more use (its source changed, or OSS no longer knows it).
        forget: Forget,
    },
    /// The driver ended, or the program started again, without a word on this upload.
    Abandoned,
    /// The PutObject that an earlier run left unanswered has stored nothing.
    NotCarriedOut,
    /// User: stop.
    Pause,
    /// User: go on.
    Resume,
    /// User: try again.
    Retry,
    /// User: never mind.
    Cancel,
}

/// What becomes of the session after trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forget {
    /// Keep it: its parts are good.
    Nothing,
    /// Drop it and abort the UploadId at OSS.
    AndAbort,
    /// Drop it: OSS no longer has it.
    Gone,
}

/// What the queue must do once the new state is saved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Start a driver that plans or resumes.
    Drive,
    /// Start a driver that finds out what became of a finishing request.
    Settle,
    /// Stop the driver; its requests are dropped.
    StopDriver,
    /// Remember the UploadId until AbortMultipartUpload has succeeded.
    Abort(String),
}

/// The move is not legal in this state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Where the upload stands.
    pub(crate) phase: Phase,
}

impl UploadState {
    /// A new upload.
    pub(crate) fn new() -> Self {
        UploadState::Queued { not_before_ms: None, attempts: 0, session: None, problem: None }
    }

    /// When it is to be tried or asked about again (UTC ms), if it waits for a time.
    pub(crate) fn not_before_ms(&self) -> Option<i64> {
        match self {
            UploadState::Queued { not_before_ms, .. } | UploadState::Completing { not_before_ms, .. } => *not_before_ms,
            _ => None,
        }
    }

    /// The state without its data.
    pub(crate) fn phase(&self) -> Phase {
        match self {
            UploadState::Queued { .. } => Phase::Queued,
            UploadState::Starting { .. } => Phase::Starting,
            UploadState::Sending { .. } => Phase::Sending,
            UploadState::Completing { .. } => Phase::Completing,
            UploadState::Paused { .. } => Phase::Paused,
            UploadState::Done { .. } => Phase::Done,
            UploadState::Failed { .. } => Phase::Failed,
            UploadState::Cancelled => Phase::Cancelled,
        }
    }

    /// The session, in states that carry one.
    pub(crate) fn session(&self) -> Option<&Session> {
        match self {
            UploadState::Queued { session, .. }
            | UploadState::Starting { session, .. }
            | UploadState::Paused { session, .. }
            | UploadState::Failed { session, .. } => session.as_ref(),
            UploadState::Sending { session, .. } | UploadState::Completing { session, .. } => Some(session),
            UploadState::Done { .. } | UploadState::Cancelled => None,
        }
    }

    /// Bytes of the file as it was stored; none while it is not, and where nothing had to be sent.
    pub(crate) fn object_bytes(&self) -> Option<u64> {
        match self {
            UploadState::Done { object, .. } if object.already_there.is_none() => Some(object.size_bytes),
            _ => None,
        }
    }

    /// Attempts so far.
    pub(crate) fn attempts(&self) -> u32 {
        match self {
            UploadState::Queued { attempts, .. }
            | UploadState::Starting { attempts, .. }
            | UploadState::Sending { attempts, .. }
            | UploadState::Completing { attempts, .. }
            | UploadState::Paused { attempts, .. }
            | UploadState::Failed { attempts, .. } => *attempts,
            UploadState::Done { .. } | UploadState::Cancelled => 0,
        }
    }
}

impl Default for UploadState {
    fn default() -> Self {
        UploadState::new()
    }
}

/// Answers an event with the next state and what to do once it is saved, or refuses.
pub(crate) fn step(state: UploadState, event: Event) -> Result<(UploadState, Vec<Effect>), Refused> {
    use Event as E;
    use UploadState as S;
    let refused = Refused { phase: state.phase() };
    let moved = match (state, event) {
        (S::Queued { attempts, session, .. }, E::SlotGranted) => {
            (S::Starting { attempts: attempts + 1, session }, vec![Effect::Drive])
        }
        // Not a move: the finishing request was sent by an earlier run, whose answer is to be found out.
        (S::Completing { attempts, session, crc64, .. }, E::SlotGranted) => {
            let state = S::Completing { attempts, session, crc64, not_before_ms: None, problem: None };
            (state, vec![Effect::Settle])
        }
        (S::Completing { attempts, session, crc64, .. }, E::Unsettled { problem, again_at_ms }) => {
            let (not_before_ms, problem) = (Some(again_at_ms), Some(problem));
            (S::Completing { attempts: attempts + 1, session, crc64, not_before_ms, problem }, vec![])
        }

        (S::Starting { attempts, session }, E::StartedAnew { abort }) => {
            let effects = if abort { abort_of(session.as_ref()) } else { vec![] };
            (S::Starting { attempts, session: None }, effects)
        }
        (S::Starting { attempts, .. }, E::Planned(session)) => (S::Sending { attempts, session }, vec![]),
        (S::Starting { session, .. }, E::AlreadyThere(object)) => {
            (S::Done { object, callback: CallbackOutcome::NotRequested }, abort_of(session.as_ref()))
        }
        (S::Sending { attempts, session }, E::Finishing { crc64 }) => {
            (S::Completing { attempts, session, crc64, not_before_ms: None, problem: None }, vec![])
        }
        (S::Completing { .. }, E::Stored(object, callback)) | (S::Done { .. }, E::CalledAgain(object, callback)) => {
            (S::Done { object, callback }, vec![])
        }

        (S::Starting { session, .. }, E::Trouble { problem, attempts, again_at_ms, forget }) => {
            after_trouble(attempts, session, problem, again_at_ms, forget)
        }
        (
            S::Sending { session, .. } | S::Completing { session, .. },
            E::Trouble { problem, attempts, again_at_ms, forget },
        ) => after_trouble(attempts, Some(session), problem, again_at_ms, forget),

        // A try that nobody ended is none: a computer that is switched off again and again must not use them up.
        (S::Starting { attempts, session }, E::Abandoned) => (queued(attempts.saturating_sub(1), session), vec![]),
        (S::Completing { attempts, session, .. }, E::NotCarriedOut) => {
            (queued(attempts.saturating_sub(1), Some(session)), vec![])
        }
        (S::Sending { attempts, session }, E::Abandoned) => (queued(attempts.saturating_sub(1), Some(session)), vec![]),
        (state @ S::Completing { .. }, E::Abandoned) => (state, vec![]),

        (S::Queued { attempts, session, .. }, E::Pause) => (S::Paused { attempts, session }, vec![]),
        (S::Starting { attempts, session }, E::Pause) => {
            (S::Paused { attempts: attempts.saturating_sub(1), session }, vec![Effect::StopDriver])
        }
        (S::Sending { attempts, session }, E::Pause) => {
            (S::Paused { attempts: attempts.saturating_sub(1), session: Some(session) }, vec![Effect::StopDriver])
        }

        (S::Paused { attempts, session }, E::Resume) => (queued(attempts, session), vec![]),
        (S::Failed { session, .. } | S::Queued { session, .. }, E::Retry) => (queued(0, session), vec![]),
        // With a driver it is being found out already.
        (S::Completing { session, crc64, not_before_ms: Some(_), .. }, E::Retry) => {
            (S::Completing { attempts: 0, session, crc64, not_before_ms: None, problem: None }, vec![])
        }

        (S::Queued { session, .. } | S::Paused { session, .. } | S::Failed { session, .. }, E::Cancel) => {
            (S::Cancelled, abort_of(session.as_ref()))
        }
        (S::Starting { session, .. }, E::Cancel) => (S::Cancelled, stop_and_abort(session.as_ref())),
        (S::Sending { session, .. }, E::Cancel) => (S::Cancelled, stop_and_abort(Some(&session))),

        _ => return Err(refused),
    };
    Ok(moved)
}

fn queued(attempts: u32, session: Option<Session>) -> UploadState {
    UploadState::Queued { not_before_ms: None, attempts, session, problem: None }
}

fn after_trouble(
    attempts: u32,
    session: Option<Session>,
    problem: Problem,
    again_at_ms: Option<i64>,
    forget: Forget,
) -> (UploadState, Vec<Effect>) {
    let (session, effects) = match forget {
        Forget::Nothing => (session, vec![]),
        Forget::AndAbort => (None, abort_of(session.as_ref())),
        Forget::Gone => (None, vec![]),
    };
    let state = match again_at_ms {
        Some(at) => UploadState::Queued { not_before_ms: Some(at), attempts, session, problem: Some(problem) },
        None => UploadState::Failed { problem, attempts, session },
    };
    (state, effects)
}

fn abort_of(session: Option<&Session>) -> Vec<Effect> {
    session.and_then(|session| session.upload_id.clone()).map(Effect::Abort).into_iter().collect()
}

fn stop_and_abort(session: Option<&Session>) -> Vec<Effect> {
    let mut effects = vec![Effect::StopDriver];
    effects.extend(abort_of(session));
    effects
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
