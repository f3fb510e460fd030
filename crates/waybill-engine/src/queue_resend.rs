//! The only owner of callbacks that are sent again: a few at a time, each move saved before it is acted upon.
//!
//! They stand beside the queue, not in it: their uploads are stored, and take no slot. What has only been asked for is kept
//! in memory, since a callback is sent again by hand: after a crash nobody asks for it any more. What was begun is given up
//! at the next start, except a finishing request that may have been carried out, which is found out about.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use waybill_oss::{BucketName, ObjectHeaders, ObjectKey};

use crate::callback_profile;
use crate::changes::ChangeBus;
use crate::clock::now_ms;
use crate::destination::Destinations;
use crate::error::{Code, Error};
use crate::finished::Finished;
use crate::resend::drive::{self, Way};
use crate::resend::line::{Asked, Line};
use crate::resend::plan;
use crate::resend::state::{Original, ResendEffect, ResendEvent, ResendState, step};
use crate::store::initiates::{self, Initiate};
use crate::store::uploads::{self, UploadRecord};
use crate::store::{Store, resends};
use crate::task::Tasks;
use crate::throttle::Throttle;
use crate::upload::state::ObjectFacts;
use crate::view::Problem;

/// At a time: somebody's server hears of each.
const AT_ONCE: usize = 4;
/// Whatever was stored before and after this differs in its Last-Modified.
const TOLD_APART: Duration = Duration::from_secs(1);

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
    /// How often OSS is asked what became of a finishing request, for a command that has to end; None: until it says.
    pub(crate) patience: Option<u32>,
    pub(crate) line: Arc<Line>,
    /// Hears of each that has ended, whatever came of it, and why nobody knows what, if so.
    pub(crate) ended: Finished<(i64, Option<Problem>)>,
}

impl Resends {
    /// Calls again whoever is asked for, until the engine stops.
    pub(crate) async fn run(self) {
        let stop = self.tasks.token().clone();
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            // The slot first: whoever has left the line is under way, and is not dropped any more.
            let slot = tokio::select! {
                () = stop.cancelled() => return,
                slot = Arc::clone(&slots).acquire_owned() => slot,
            };
            let Ok(slot) = slot else { return };
            let Some((no, asked)) = self.line.pop() else {
                drop(slot);
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.line.joined() => continue,
                }
            };
            let (this, until) = (self.clone(), stop.clone());
            self.tasks.spawn("resend", async move {
                tokio::select! {
                    () = until.cancelled() => {}
                    () = this.carry(no, asked, slot) => {}
                }
            });
        }
    }

    /// Those that only waited have left the line and stay as they are.
    pub(crate) fn sent_away(&self, numbers: &[i64]) {
        for no in numbers {
            self.ended.tell(&(*no, Some(sent_away())));
        }
        self.changes.reload();
    }

    /// Ends what an earlier run began, of these uploads or of all, and answers with the numbers that are being ended. Whatever
    /// this run has begun is in the line, and is left alone.
    ///
    /// # Errors
    /// `Store`; nothing has been begun then.
    pub(crate) async fn take_up(&self, only: Option<&HashSet<i64>>) -> Result<HashSet<i64>, Error> {
        let mut left = self.store.read(resends::numbers).await?;
        left.retain(|no| only.is_none_or(|only| only.contains(no)) && self.line.join(*no));
        for no in left.iter().copied() {
            let (this, stop) = (self.clone(), self.tasks.token().clone());
            self.tasks.spawn("resend", async move {
                let why_left = tokio::select! {
                    () = stop.cancelled() => None,
                    why_left = this.end_earlier(no) => why_left,
                };
                this.ended(no, why_left);
            });
        }
        Ok(left)
    }

    /// As [`Resends::take_up`] of all, now or as soon as that can be read.
    pub(crate) async fn take_up_all(&self) {
        let Err(error) = self.take_up(None).await else { return };
        tracing::warn!(%error, "what is left of callbacks that were sent again is ended later");
        let (this, stop) = (self.clone(), self.tasks.token().clone());
        self.tasks.spawn("resends of an earlier run", async move {
            let again = this.surely("what is left of callbacks that were sent again", || this.take_up(None));
            tokio::select! {
                () = stop.cancelled() => {}
                _ = again => {}
            }
        });
    }

    /// Answers with why nobody knows what became of it, if so.
    async fn end_earlier(&self, no: i64) -> Option<Problem> {
        let read = || self.store.read(move |c| Ok(resends::load(c, no)?.zip(uploads::load(c, no)?)));
        let left = self.surely("a callback that was being sent again", read).await;
        let (state, record) = left?;
        let (state, effects) = step(state, ResendEvent::Abandoned).ok()?;
        if effects.contains(&ResendEffect::Settle) {
            return self.settle(&record, state, None).await;
        }
        let problem = Problem {
            code: Code::Refused,
            message: "Waybill was ended before OSS was asked to call; the object is as it was".into(),
            request_id: None,
            ec: None,
        };
        self.over(&record, &effects, problem).await;
        None
    }

    /// The way to an upload's object.
    pub(crate) async fn way(&self, record: &UploadRecord) -> Result<Way, Error> {
        let bucket = BucketName::parse(&record.bucket)?;
        let client = Box::pin(self.destinations.client(&record.destination_id, &bucket)).await?;
        let lane = self.throttle.lane(&record.destination_id, client.endpoint());
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

    async fn carry(&self, no: i64, asked: Asked, slot: OwnedSemaphorePermit) {
        self.changes.row(no);
        let mut why_left = None;
        match self.load(no).await {
            // It may have ended well, or been settled, since all bad ones were asked for.
            Ok(Some(record)) if asked == Asked::IfBad && !record.callback_bad => {}
            Ok(Some(record)) => match self.call_again(&record, slot).await {
                Ok(left) => why_left = left,
                Err(error) => {
                    let saved = self.not_begun(&record, error.problem()).await;
                    tracing::warn!(no, %error, ?saved, "a callback was not sent again");
                }
            },
            Ok(None) => {}
            Err(error) => tracing::warn!(no, %error, "could not read an upload whose callback is to be sent again"),
        }
        self.ended(no, why_left);
    }

    fn ended(&self, no: i64, why_left: Option<Problem>) {
        self.line.leave(no);
        self.changes.row(no);
        self.ended.tell(&(no, why_left));
    }

    /// An error means that nothing has been begun; whatever was begun is ended here. Answers with why nobody knows what came
    /// of it, if so.
    async fn call_again(&self, record: &UploadRecord, slot: OwnedSemaphorePermit) -> Result<Option<Problem>, Error> {
        let ours = plan::stored(&record.state, record.callback.is_some())?;
        self.nobody_else(record).await?;
        let way = self.way(record).await?;
        let (_, original, headers) = way.look(ours).await?;
        let mut state = ResendState::Starting { original: original.clone() };
        let server_ms = self.start(record, &way, &state).await?;
        let begun = self.begin(record, &way, &headers, &mut state, &original, server_ms).await;
        let parts = match begun {
            Ok(parts) => parts,
            Err(error) => {
                self.give_up(record, state, error).await;
                return Ok(None);
            }
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
                self.called(record, state, object, stored.callback).await;
            }
            Err(error) if drive::is_lost(&error) => {
                tracing::info!(no = record.no, %error, "the answer to a callback that was sent again was lost");
                // Others need not wait until OSS has said what became of it.
                drop(slot);
                return Ok(self.settle(record, state, Some(error)).await);
            }
            Err(error) => self.give_up(record, state, Error::Oss(error)).await,
        }
        Ok(None)
    }

    /// Saves that it is begun, and that Initiate is about to be sent, at this time of the server's.
    ///
    /// # Errors
    /// `Refused` while it is not known what became of an earlier one: its UploadId must not be forgotten.
    async fn start(&self, record: &UploadRecord, way: &Way, state: &ResendState) -> Result<i64, Error> {
        let server_ms = now_ms().saturating_add(way.client.clock().skew().as_millis() as i64);
        let UploadRecord { no, destination_id, bucket, key, .. } = record.clone();
        let empty = matches!(state, ResendState::Starting { original } if original.size_bytes == 0);
        let (initiate, first) = (Initiate { no, server_ms, destination_id, bucket, key }, state.clone());
        let begun = move |c: &rusqlite::Connection| {
            let begun = resends::begin(c, no, &first)?;
            if begun && !empty {
                initiates::remember(c, &initiate)?;
            }
            Ok(begun)
        };
        if self.store.write(begun).await? { Ok(server_ms) } else { Err(plan::not_ended()) }
    }

    /// Everything up to the finishing request, which may be sent when this returns: that it is, is saved.
    async fn begin(
        &self,
        record: &UploadRecord,
        way: &Way,
        headers: &ObjectHeaders,
        state: &mut ResendState,
        original: &Original,
        server_ms: i64,
    ) -> Result<drive::Parts, Error> {
        let no = record.no;
        if original.size_bytes == 0 {
            // Its ETag will be the one it had, so only its time will tell whether it was put again, and OSS tells that in seconds.
            tokio::time::sleep(TOLD_APART).await;
            way.look_again(original).await?;
            self.save(no, state, ResendEvent::Finishing { etag: None }, None).await?;
            return Ok(drive::Parts::new());
        }
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
}

/// Why nobody was called for one that only waited.
fn sent_away() -> Problem {
    Problem {
        code: Code::Refused,
        message: "it was stopped before OSS was asked to call; the object is as it was".into(),
        request_id: None,
        ec: None,
    }
}
