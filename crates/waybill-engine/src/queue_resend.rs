//! The only owner of callbacks that are sent again: a few at a time, each move saved before it is acted upon.
//!
//! They stand beside the queue, not in it: their uploads are stored, and take no slot. What has only been asked for is kept
//! in memory, since a callback is sent again by hand: after a crash nobody asks for it any more. What was begun is given up
//! at the next start, except a finishing request that may have been carried out, which is found out about.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OnceCell, Semaphore};
use waybill_oss::{BucketName, CallbackOutcome, ObjectHeaders, ObjectKey};

use crate::callback_profile;
use crate::changes::ChangeBus;
use crate::clock::now_ms;
use crate::destination::Destinations;
use crate::error::{Code, Error};
use crate::finished::Finished;
use crate::resend::drive::{self, Fate, Way};
use crate::resend::plan;
use crate::resend::state::{Original, ResendEffect, ResendEvent, ResendState, step};
use crate::store::aborts::{self, Abort};
use crate::store::initiates::{self, Initiate};
use crate::store::uploads::{self, UploadRecord};
use crate::store::{Store, calls, log, resends};
use crate::task::Tasks;
use crate::throttle::Throttle;
use crate::upload::retry::spread;
use crate::upload::state::{Event, ObjectFacts};
use crate::view::Problem;

/// At a time: somebody's server hears of each.
const AT_ONCE: usize = 4;
/// Wait before OSS is asked again what became of a finishing request; it doubles up to [`CAP`].
const AGAIN: Duration = Duration::from_secs(1);
const CAP: Duration = Duration::from_secs(60);

/// What they work with. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Resends {
    pub(crate) store: Store,
    pub(crate) destinations: Destinations,
    pub(crate) throttle: Throttle,
    pub(crate) changes: Arc<ChangeBus>,
    pub(crate) tasks: Tasks,
    /// Says that there is an UploadId to abort.
    pub(crate) abort: Arc<Notify>,
    pub(crate) finishing: Duration,
    pub(crate) line: Arc<Line>,
    /// Hears of each that has ended, whatever came of it.
    pub(crate) ended: Finished,
    /// What an earlier run began is ended once.
    pub(crate) taken_up: Arc<OnceCell<()>>,
}

/// Who is to be called again, in order of asking.
#[derive(Debug, Default)]
pub(crate) struct Line {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    next: VecDeque<i64>,
    /// Those and the ones under way.
    all: HashSet<i64>,
}

impl Line {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts these behind the others; those that are there already stay where they are.
    pub(crate) fn ask(&self, numbers: impl IntoIterator<Item = i64>) {
        let mut waiting = self.lock();
        for no in numbers {
            if waiting.all.insert(no) {
                waiting.next.push_back(no);
            }
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// Those that wait or are under way.
    pub(crate) fn all(&self) -> HashSet<i64> {
        self.lock().all.clone()
    }

    /// How many wait or are under way.
    pub(crate) fn len(&self) -> usize {
        self.lock().all.len()
    }

    fn pop(&self) -> Option<i64> {
        self.lock().next.pop_front()
    }
}

impl Resends {
    /// Calls again whoever is asked for, until the engine stops.
    pub(crate) async fn run(self) {
        let stop = self.tasks.token().clone();
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            while let Some(no) = self.line.pop() {
                let slot = tokio::select! {
                    () = stop.cancelled() => return,
                    slot = Arc::clone(&slots).acquire_owned() => slot,
                };
                let (this, until) = (self.clone(), stop.clone());
                self.tasks.spawn("resend", async move {
                    tokio::select! {
                        () = until.cancelled() => {}
                        () = this.carry(no) => {}
                    }
                    drop(slot);
                });
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.line.wake.notified() => {}
            }
        }
    }

    /// Ends what an earlier run began; the second time nothing is left to be done.
    pub(crate) async fn take_up(&self) -> Result<(), Error> {
        self.taken_up.get_or_try_init(|| self.end_earlier()).await.copied()
    }

    async fn end_earlier(&self) -> Result<(), Error> {
        for (no, state) in self.store.read(resends::all).await? {
            let Some(record) = self.load(no).await? else { continue };
            let Ok((state, effects)) = step(state, ResendEvent::Abandoned) else { continue };
            if !effects.contains(&ResendEffect::Settle) {
                let problem = Problem {
                    code: Code::Refused,
                    message: "Waybill was ended before OSS was asked to call; the object is as it was".into(),
                    request_id: None,
                    ec: None,
                };
                self.over(&record, &effects, problem).await?;
                continue;
            }
            self.line.lock().all.insert(no);
            let (this, stop) = (self.clone(), self.tasks.token().clone());
            self.tasks.spawn("resend", async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = this.settle(&record, state, None) => {}
                }
                this.ended(no);
            });
        }
        Ok(())
    }

    /// The way to an upload's object.
    pub(crate) async fn way(&self, record: &UploadRecord) -> Result<Way, Error> {
        let bucket = BucketName::parse(&record.bucket)?;
        let client = Box::pin(self.destinations.client(&record.destination_id, &bucket)).await?;
        let lane = self.throttle.lane(&record.destination_id, &client.endpoint().to_string());
        let profile = record.callback.as_ref();
        let callback = callback_profile::checked_spec(profile, record.into())?;
        Ok(Way {
            client: client.with_pace(Arc::new(lane.clone())),
            lane,
            bucket,
            key: ObjectKey::parse(&record.key)?,
            callback: callback.ok_or_else(|| Error::Refused("this upload asked for no callback".into()))?,
            finishing: self.finishing,
        })
    }

    pub(crate) async fn load(&self, no: i64) -> Result<Option<UploadRecord>, Error> {
        self.store.read(move |c| uploads::load(c, no)).await
    }

    /// # Errors
    /// `Refused`, in words, while another upload is to store its object at the same key.
    pub(crate) async fn nobody_else(&self, record: &UploadRecord) -> Result<(), Error> {
        let (no, bucket, key) = (record.no, record.bucket.clone(), record.key.clone());
        let other = self.store.read(move |c| uploads::unfinished_at(c, no, &bucket, &key)).await?;
        other.map_or(Ok(()), |other| Err(plan::busy(other)))
    }

    async fn carry(&self, no: i64) {
        self.changes.row(no);
        match self.load(no).await {
            Ok(Some(record)) => {
                if let Err(error) = self.call_again(&record).await {
                    // Before anything was begun, or nothing can be saved.
                    let saved = self.over(&record, &[], error.problem()).await;
                    tracing::warn!(no, %error, ?saved, "a callback was not sent again");
                }
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(no, %error, "could not read an upload whose callback is to be sent again"),
        }
        self.ended(no);
    }

    fn ended(&self, no: i64) {
        self.line.lock().all.remove(&no);
        self.changes.row(no);
        self.ended.tell(no);
    }

    /// An error means that nothing has been begun; whatever was begun is ended here.
    async fn call_again(&self, record: &UploadRecord) -> Result<(), Error> {
        let ours = plan::stored(&record.state, record.callback.is_some())?;
        self.nobody_else(record).await?;
        let way = self.way(record).await?;
        let (_, original, headers) = way.look(ours).await?;
        let mut state = ResendState::Starting { original: original.clone() };
        let begun = self.begin(record, &way, &headers, &mut state, &original).await;
        let parts = match begun {
            Ok(parts) => parts,
            Err(error) => return self.give_up(record, state, error).await,
        };
        match way.finish(state.upload_id(), &parts, &headers).await {
            Ok(stored) => {
                let crc64 = match stored.crc64 {
                    Some(crc64) => Some(crc64),
                    None => way.crc64().await,
                };
                let object = ObjectFacts {
                    size_bytes: original.size_bytes,
                    etag: stored.etag,
                    crc64,
                    verified: false,
                    request_id: stored.request_id,
                    version_id: stored.version_id,
                    finishing_ms: i64::try_from(stored.elapsed.as_millis()).unwrap_or(i64::MAX),
                    already_there: None,
                };
                self.called(record, state, object, stored.callback).await
            }
            Err(error) if drive::is_lost(&error) => {
                tracing::info!(no = record.no, %error, "the answer to a callback that was sent again was lost");
                self.settle(record, state, Some(error)).await;
                Ok(())
            }
            Err(error) => self.give_up(record, state, Error::Oss(error)).await,
        }
    }

    /// Everything up to the finishing request, which may be sent when this returns: that it is, is saved.
    async fn begin(
        &self,
        record: &UploadRecord,
        way: &Way,
        headers: &ObjectHeaders,
        state: &mut ResendState,
        original: &Original,
    ) -> Result<drive::Parts, Error> {
        let no = record.no;
        if original.size_bytes == 0 {
            way.look_again(original).await?;
            self.save(no, state, ResendEvent::Finishing { etag: None }, None).await?;
            return Ok(drive::Parts::new());
        }
        let server_ms = now_ms().saturating_add(way.client.clock().skew().as_millis() as i64);
        let UploadRecord { destination_id, bucket, key, .. } = record.clone();
        let (initiate, first) = (Initiate { no, server_ms, destination_id, bucket, key }, state.clone());
        let begun = move |c: &rusqlite::Connection| {
            initiates::remember(c, &initiate)?;
            resends::save(c, no, &first)
        };
        self.store.write(begun).await?;
        let (initiated, lost) = way.initiate(headers).await;
        // Whatever OSS may hold beside the answer is looked for by the sweep, as long as it is remembered.
        let answered = (!lost).then_some(server_ms);
        let upload_id = match initiated {
            Ok(upload_id) => upload_id,
            Err(error) => {
                if let Some(server_ms) = answered {
                    self.store.write(move |c| initiates::forget(c, no, server_ms)).await?;
                }
                return Err(Error::Oss(error));
            }
        };
        self.save(no, state, ResendEvent::Initiated(upload_id.clone()), answered).await?;
        let parts = way.copy(&upload_id, original).await?;
        way.look_again(original).await?;
        self.save(no, state, ResendEvent::Finishing { etag: drive::etag_of(&parts) }, None).await?;
        Ok(parts)
    }

    /// Moves on and saves that before it returns; `initiated` is the Initiate that has its answer.
    async fn save(
        &self,
        no: i64,
        state: &mut ResendState,
        event: ResendEvent,
        initiated: Option<i64>,
    ) -> Result<(), Error> {
        let (next, _) = step(state.clone(), event).map_err(|_| Error::Refused("this does not fit".into()))?;
        let saved = next.clone();
        self.store
            .write(move |c| {
                if let Some(server_ms) = initiated {
                    initiates::forget(c, no, server_ms)?;
                }
                resends::save(c, no, &saved)
            })
            .await?;
        *state = next;
        Ok(())
    }

    /// Asks until OSS has said what became of the finishing request.
    async fn settle(&self, record: &UploadRecord, state: ResendState, lost: Option<waybill_oss::Error>) {
        let ResendState::Completing { original, upload_id, etag } = &state else { return };
        let mut failures = 0;
        let fate = loop {
            let asked = match self.way(record).await {
                Ok(way) => way.settle(original, upload_id.as_deref(), etag.as_deref(), lost.as_ref()).await,
                Err(Error::Oss(error)) => Err(error),
                Err(error) => {
                    tracing::info!(no = record.no, %error, "will ask later what became of a callback");
                    tokio::time::sleep(spread(AGAIN, CAP, failures, rand::random())).await;
                    failures += 1;
                    continue;
                }
            };
            match asked {
                Ok(fate) => break fate,
                Err(error) => {
                    tracing::info!(no = record.no, %error, "will ask later what became of a callback");
                    self.destinations.forget_client(&record.destination_id);
                }
            }
            tokio::time::sleep(spread(AGAIN, CAP, failures, rand::random())).await;
            failures += 1;
        };
        let ended = match fate {
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
        };
        if let Err(error) = ended {
            tracing::warn!(no = record.no, %error, "could not save what became of a callback");
        }
    }

    /// OSS has stored the object anew and has called.
    async fn called(
        &self,
        record: &UploadRecord,
        state: ResendState,
        mut object: ObjectFacts,
        callback: CallbackOutcome,
    ) -> Result<(), Error> {
        let ResendState::Completing { original, .. } = &state else { return Ok(()) };
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
        let (Ok((upload, _)), Ok(_)) = (moved, step(state, ResendEvent::Called)) else { return Ok(()) };
        let no = record.no;
        self.store
            .write(move |c| {
                let now = now_ms();
                calls::replace(c, no, &upload, problem.as_ref(), now)?;
                resends::forget(c, no)?;
                log::add(c, no, now, "calledAgain", word.as_deref().unwrap_or_default())
            })
            .await
    }

    /// It is not done, and the object is as it was. What was begun is ended, and the error is told with the upload.
    async fn give_up(&self, record: &UploadRecord, state: ResendState, error: Error) -> Result<(), Error> {
        tracing::info!(no = record.no, %error, "a callback was not sent again");
        let effects = step(state, ResendEvent::GivenUp).map(|(_, effects)| effects).unwrap_or_default();
        self.over(record, &effects, problem_of(&error)).await
    }

    /// Forgets it, tells why, and has its UploadId aborted.
    async fn over(&self, record: &UploadRecord, effects: &[ResendEffect], problem: Problem) -> Result<(), Error> {
        let no = record.no;
        let abort = effects.iter().find_map(|effect| match effect {
            ResendEffect::Abort(upload_id) => Some(Abort {
                upload_id: upload_id.clone(),
                destination_id: record.destination_id.clone(),
                bucket: record.bucket.clone(),
                key: record.key.clone(),
            }),
            ResendEffect::Settle => None,
        });
        let aborts = abort.is_some();
        self.store
            .write(move |c| {
                let now = now_ms();
                calls::not_made(c, no, &problem, now)?;
                resends::forget(c, no)?;
                log::add(c, no, now, "notCalledAgain", &problem.message)?;
                abort.iter().try_for_each(|abort| aborts::remember(c, abort))
            })
            .await?;
        if aborts {
            self.abort.notify_one();
        }
        self.changes.row(no);
        Ok(())
    }
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
