//! What the queue does with a move besides making it: the one write that saves it, and the words it leaves behind.

use tokio::sync::oneshot;
use waybill_oss::Advice;

use crate::clock::now_ms;
use crate::error::Error;
use crate::rows::callback_word;
use crate::store::aborts::{self, Abort};
use crate::store::uploads::{self, UploadRecord};
use crate::store::{attempts, initiates, log, parts};
use crate::upload::driver::Errand;
use crate::upload::plan::StoredPart;
use crate::upload::retry::again_after;
use crate::upload::state::{Effect, Event, UploadState};
use crate::view::{AlreadyThere, Phase, Problem};

/// What is saved with a move, in the same write.
#[derive(Debug, Default)]
pub(crate) struct Along {
    /// A line for the log: the last word, where several moves are saved at once.
    pub(crate) note: Option<(&'static str, String)>,
    /// An UploadId to abort.
    pub(crate) abort: Option<Abort>,
    /// The parts that are now true.
    pub(crate) rows: Option<Vec<StoredPart>>,
    /// A try that did not work, and how far it had got.
    pub(crate) attempt: Option<(Phase, Problem)>,
    /// An Initiate whose answer is known now, by the server's time when it was sent.
    pub(crate) initiated: Option<i64>,
}

impl Along {
    /// What an event leaves behind, given the state it meets.
    pub(crate) fn of(event: &Event, before: Phase) -> Along {
        let mut along = Along::default();
        along.add(event, before);
        along
    }

    /// As [`Along::of`], for one more move of the same write.
    pub(crate) fn add(&mut self, event: &Event, before: Phase) {
        if let Event::Trouble { problem, .. } | Event::Unsettled { problem, .. } = event {
            self.attempt = Some((before, problem.clone()));
        }
        self.note = note_of(event).or(self.note.take());
    }

    /// What is left of a driver that ended without a word.
    pub(crate) fn taken_up() -> Along {
        Along { note: Some(("takenUp", String::new())), ..Along::default() }
    }
}

/// One move, in one write.
pub(crate) fn save(
    connection: &rusqlite::Connection,
    no: i64,
    state: &UploadState,
    started_ms: Option<i64>,
    along: &Along,
) -> rusqlite::Result<()> {
    let now = now_ms();
    uploads::save(connection, no, state, started_ms, now)?;
    if let Some((what, detail)) = &along.note {
        log::add(connection, no, now, what, detail)?;
    }
    if let Some(abort) = &along.abort {
        aborts::remember(connection, abort)?;
    }
    if let Some(rows) = &along.rows {
        parts::replace(connection, no, rows)?;
    }
    if let Some((phase, problem)) = &along.attempt {
        attempts::add(connection, no, now, *phase, problem)?;
    }
    if let Some(server_ms) = along.initiated {
        initiates::forget(connection, no, server_ms)?;
    }
    Ok(())
}

/// What a driver is sent out to do.
pub(crate) fn errand_of(
    state: &UploadState,
    effects: &[Effect],
    known: Vec<StoredPart>,
    perhaps_sent: bool,
) -> Option<Errand> {
    match (effects.first()?, state) {
        (Effect::Settle, UploadState::Completing { session, crc64, .. }) => {
            Some(Errand::Settle { session: session.clone(), crc64: *crc64, known })
        }
        (Effect::Drive, state) => Some(Errand::Send { session: state.session().cloned(), known, perhaps_sent }),
        _ => None,
    }
}

/// The abort that an effect asks for.
pub(crate) fn abort_of(effect: &Effect, record: &UploadRecord) -> Option<Abort> {
    let Effect::Abort(upload_id) = effect else { return None };
    Some(Abort {
        upload_id: upload_id.clone(),
        destination_id: record.destination_id.clone(),
        bucket: record.bucket.clone(),
        key: record.key.clone(),
    })
}

/// The line that an event leaves in the upload's log.
fn note_of(event: &Event) -> Option<(&'static str, String)> {
    Some(match event {
        // The row itself says when it was stored, and what came of it.
        Event::SlotGranted | Event::Abandoned | Event::Stored(..) => return None,
        Event::NotCarriedOut => ("takenUp", String::new()),
        Event::StartedAnew { .. } => ("startedAnew", String::new()),
        Event::AlreadyThere(object) => {
            let how = object.already_there.map_or("", |there| match there {
                AlreadyThere::Identical => "the same size and CRC-64",
                AlreadyThere::Newer => "not older than the file",
            });
            ("alreadyThere", format!("{}, {how}", object.etag))
        }
        Event::Planned(session) => match &session.upload_id {
            Some(upload_id) => ("sending", format!("{} parts, UploadId {upload_id}", session.plan.parts())),
            None => ("sending", "one PutObject".into()),
        },
        Event::Finishing { crc64 } => ("finishing", format!("CRC-64 {crc64}")),
        Event::CalledAgain(_, callback) => ("calledAgain", callback_word(callback)),
        Event::Trouble { problem, again_at_ms, .. } => {
            (if again_at_ms.is_some() { "retry" } else { "failed" }, problem.message.clone())
        }
        Event::Unsettled { problem, .. } => ("unsettled", problem.message.clone()),
        Event::Pause => ("paused", String::new()),
        Event::Resume => ("resumed", String::new()),
        Event::Retry => ("retried", String::new()),
        Event::Cancel => ("cancelled", String::new()),
    })
}

/// The upload has ended.
pub(crate) fn is_final(phase: Phase) -> bool {
    matches!(phase, Phase::Done | Phase::Failed | Phase::Cancelled)
}

/// Answers whoever waits.
pub(crate) fn reply(answer: Option<oneshot::Sender<Result<(), Error>>>, result: Result<(), Error>) {
    if let Some(answer) = answer {
        // A driver that was stopped no longer waits.
        let _ = answer.send(result);
    }
}

/// The words for a wish that does not fit.
pub(crate) fn refusal(phase: Phase) -> Error {
    Error::Refused(match phase {
        Phase::Completing => "OSS is finishing this upload; it cannot be stopped now".into(),
        Phase::Done => "this upload is already stored".into(),
        Phase::Cancelled => "this upload was cancelled".into(),
        _ => "this does not fit what the upload is doing".into(),
    })
}

/// When to try again by itself (UTC ms).
pub(crate) fn again_at(error: &Error, advice: Advice, attempts: u32, patience: Option<u32>) -> Option<i64> {
    again_after(error.code(), advice, attempts, patience, rand::random()).map(|wait| now_ms() + wait.as_millis() as i64)
}
