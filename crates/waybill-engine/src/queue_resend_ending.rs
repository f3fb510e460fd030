//! How a callback that was sent again ends: found out about where need be, saved whatever the disk says, and told.

use std::time::Duration;

use waybill_oss::{Advice, CallbackOutcome};

use crate::clock::now_ms;
use crate::error::{Code, Error};
use crate::queue_resend::Resends;
use crate::resend::drive::Fate;
use crate::resend::plan;
use crate::resend::state::{ResendEffect, ResendEvent, ResendState, step};
use crate::store::aborts::{self, Abort};
use crate::store::uploads::UploadRecord;
use crate::store::{calls, log, resends};
use crate::upload::retry::spread;
use crate::upload::state::{Event, ObjectFacts};
use crate::view::Problem;

/// Wait before OSS is asked again what became of a finishing request; it doubles up to [`CAP`].
const AGAIN: Duration = Duration::from_secs(1);
const CAP: Duration = Duration::from_secs(60);

impl Resends {
    /// Asks until OSS has said what became of the finishing request. Where it cannot be asked, the reason is given, and the
    /// callback stays as it is until the next command or start.
    pub(crate) async fn settle(
        &self,
        record: &UploadRecord,
        state: ResendState,
        lost: Option<waybill_oss::Error>,
    ) -> Option<Problem> {
        let ResendState::Completing { original, upload_id, etag } = &state else { return None };
        let mut failures = 0;
        let fate = loop {
            let asked = match self.way(record).await {
                Ok(way) => {
                    let asked = way.settle(original, upload_id.as_deref(), etag.as_deref(), lost.as_ref()).await;
                    asked.map_err(Error::Oss)
                }
                Err(error) => Err(error),
            };
            let error = match asked {
                Ok(fate) => break fate,
                Err(error) => error,
            };
            tracing::info!(no = record.no, %error, "will ask later what became of a callback");
            self.destinations.forget_client(&record.destination_id);
            failures += 1;
            let Some(wait) = self.before_the_next(&error, failures) else { return Some(not_known(&error)) };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.line.dismissed(record.no) => {
                    self.unknown(record, state).await;
                    return None;
                }
            }
        };
        match fate {
            Fate::Called(object) => self.called(record, state, object, CallbackOutcome::Unknown).await,
            Fate::AsItWas => {
                let message = "OSS did not finish it, and nobody was called; the object is as it was";
                let why = lost.map_or_else(|| not_done(message), Error::Oss);
                self.give_up(record, state, why).await
            }
            Fate::Other => {
                let message =
                    "the line broke while OSS was finishing, and somebody else has stored another object since";
                self.give_up(record, state, not_done(message)).await
            }
        }
        None
    }

    /// How long to wait before OSS is asked once more; None: a command does not wait for what cannot help or takes too long.
    /// A window goes on: somebody may mend the keys, or settle the callback.
    fn before_the_next(&self, error: &Error, failures: u32) -> Option<Duration> {
        let wait = spread(AGAIN, CAP, failures, rand::random());
        match (error.advice(), self.patience) {
            (_, Some(most)) if failures >= most => None,
            (Advice::Never, Some(_)) => None,
            (Advice::Later(at_least), _) => Some(wait.max(at_least)),
            // Not at once after a minute: a destination that the program makes itself is not there yet when it starts.
            (Advice::Now | Advice::Never, _) => Some(wait),
        }
    }

    /// Somebody has seen to it, and nobody can say whether OSS has called. Its UploadId is aborted if it is there still.
    async fn unknown(&self, record: &UploadRecord, state: ResendState) {
        let Ok(ours) = plan::stored(&record.state, true) else { return };
        let event = Event::CalledAgain(ours.clone(), CallbackOutcome::Unknown);
        let moved = crate::upload::state::step(record.state.clone(), event);
        let (Ok((upload, _)), Ok((_, effects))) = (moved, step(state, ResendEvent::GivenUp)) else { return };
        let (no, abort) = (record.no, abort_of(record, &effects));
        let saved = || {
            let (upload, abort) = (upload.clone(), abort.clone());
            self.store.write(move |c| {
                let now = now_ms();
                calls::replace(c, no, &upload, None, now)?;
                calls::settle(c, no)?;
                resends::forget(c, no)?;
                log::add(c, no, now, "calledAgain", "nobody could find out whether OSS has called")?;
                abort.iter().try_for_each(|abort| aborts::remember(c, abort))
            })
        };
        self.surely("that nobody asks about a callback any more", saved).await;
        self.abort.notify_one();
    }

    /// OSS has stored the object anew and has called.
    pub(crate) async fn called(
        &self,
        record: &UploadRecord,
        state: ResendState,
        mut object: ObjectFacts,
        callback: CallbackOutcome,
    ) {
        let ResendState::Completing { original, .. } = &state else { return };
        let was_verified = plan::stored(&record.state, true).is_ok_and(|ours| ours.verified);
        object.verified = was_verified && object.crc64.is_some() && object.crc64 == original.crc64;
        let spoilt = matches!((object.crc64, original.crc64), (Some(after), Some(before)) if after != before);
        let problem = spoilt.then(|| Problem {
            code: Code::Integrity,
            message: format!(
                "the object's CRC-64 was {} before and is {} now: OSS has not copied what it had. Upload the file again",
                original.crc64.unwrap_or_default(),
                object.crc64.unwrap_or_default()
            ),
            request_id: Some(object.request_id.clone()),
            ec: None,
        });
        let word = problem.as_ref().map(|problem| problem.message.clone());
        let moved = crate::upload::state::step(record.state.clone(), Event::CalledAgain(object, callback));
        let (Ok((upload, _)), Ok(_)) = (moved, step(state, ResendEvent::Called)) else { return };
        let no = record.no;
        let saved = || {
            let (upload, problem, word) = (upload.clone(), problem.clone(), word.clone());
            let save = move |c: &rusqlite::Connection| {
                let now = now_ms();
                calls::replace(c, no, &upload, problem.as_ref(), now)?;
                resends::forget(c, no)?;
                log::add(c, no, now, "calledAgain", word.as_deref().unwrap_or_default())
            };
            self.store.write(save)
        };
        self.surely("what came of a callback", saved).await;
    }

    /// It is not done, and the object is as it was. What was begun is ended, and the error is told with the upload.
    pub(crate) async fn give_up(&self, record: &UploadRecord, state: ResendState, error: Error) {
        tracing::info!(no = record.no, %error, "a callback was not sent again");
        let effects = step(state, ResendEvent::GivenUp).map(|(_, effects)| effects).unwrap_or_default();
        self.over(record, &effects, problem_of(&error)).await;
    }

    /// Nothing was begun; tells why. Whatever an earlier one began stays remembered.
    pub(crate) async fn not_begun(&self, record: &UploadRecord, problem: Problem) -> Result<(), Error> {
        let no = record.no;
        self.store.write(move |c| not_made(c, no, &problem)).await
    }

    /// Forgets it, tells why, and has its UploadId aborted.
    pub(crate) async fn over(&self, record: &UploadRecord, effects: &[ResendEffect], problem: Problem) {
        let no = record.no;
        let abort = abort_of(record, effects);
        let saved = || {
            let (abort, problem) = (abort.clone(), problem.clone());
            let save = move |c: &rusqlite::Connection| {
                not_made(c, no, &problem)?;
                resends::forget(c, no)?;
                abort.iter().try_for_each(|abort| aborts::remember(c, abort))
            };
            self.store.write(save)
        };
        self.surely("that a callback was not sent again", saved).await;
        if abort.is_some() {
            self.abort.notify_one();
        }
        self.changes.row(no);
    }

    /// Repeats what reads or saves until it works: what OSS has done must not be forgotten for a full disk.
    pub(crate) async fn surely<T, F>(&self, what: &str, work: impl Fn() -> F) -> T
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut trouble = self.store.trouble();
        let mut failures = 0;
        loop {
            let error = match work().await {
                Ok(done) => return done,
                Err(error) => error,
            };
            failures += 1;
            tracing::warn!(%error, "{what} could not be saved or read, which is tried again");
            tokio::time::sleep(spread(AGAIN, CAP, failures, rand::random())).await;
            // None: the store is closed, and the engine is about to stop.
            let _ = trouble.wait_for(Option::is_none).await;
        }
    }
}

/// Why a command ends without knowing.
fn not_known(error: &Error) -> Problem {
    let mut problem = problem_of(error);
    problem.message = format!(
        "it is not known yet whether OSS has called: it cannot be asked ({}). Whoever sends it again, or the next start, \
         asks once more",
        problem.message
    );
    problem
}

fn abort_of(record: &UploadRecord, effects: &[ResendEffect]) -> Option<Abort> {
    effects.iter().find_map(|effect| match effect {
        ResendEffect::Abort(upload_id) => Some(Abort {
            upload_id: upload_id.clone(),
            destination_id: record.destination_id.clone(),
            bucket: record.bucket.clone(),
            key: record.key.clone(),
        }),
        ResendEffect::Settle => None,
    })
}

fn not_made(c: &rusqlite::Connection, no: i64, problem: &Problem) -> rusqlite::Result<()> {
    let now = now_ms();
    calls::not_made(c, no, problem, now)?;
    log::add(c, no, now, "notCalledAgain", &problem.message)
}

fn not_done(message: &str) -> Error {
    Error::Source { code: Code::NotStored, message: message.to_owned() }
}

/// What OSS said, with what that means here.
fn problem_of(error: &Error) -> Problem {
    let mut problem = error.problem();
    let code = match error {
        Error::Oss(error) => error.service_code().unwrap_or_default(),
        _ => "",
    };
    let means = match code {
        "PreconditionFailed" => "the object was changed meanwhile, so nothing was copied",
        "FileAlreadyExists" => "the bucket lets no object be overwritten, so the object cannot be stored anew",
        "FileImmutable" => "a retention policy protects the object, so it cannot be stored anew",
        "InvalidObjectState" => "the object is archived; it must be restored before it can be copied",
        _ => return problem,
    };
    problem.message = format!("{means} ({})", problem.message);
    problem
}
