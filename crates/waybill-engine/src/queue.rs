//! The only owner of upload states: everyone else asks, and every move is saved before it is acted upon.
//!
//! Uploads under way are held in memory with their driver; the rest are rows. States are read through the writing
//! connection, which sees every save that was handed over before.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use waybill_oss::ObjectKey;

use crate::changes::ChangeBus;
use crate::clock::now_ms;
use crate::error::{Code, Error};
use crate::launch::Launcher;
use crate::progress::Progress;
use crate::queue_line::Message;
use crate::queue_save::{Along, abort_of, errand_of, is_final, refusal, reply, save};
use crate::store::initiates::{self, Initiate};
use crate::store::uploads::{self, UploadRecord};
use crate::store::{Store, attempts, parts};
use crate::task::Tasks;
use crate::throttle::Throttle;
use crate::trouble::Troubles;
use crate::upload::driver::{Errand, Report};
use crate::upload::state::{Effect, Event, UploadState, step};
use crate::view::{OverwritePolicy, Phase};

/// Wait before the store is asked again after it failed.
const AFTER_STORE_TROUBLE: Duration = Duration::from_secs(5);

/// The queue's parts; [`Queue::run`] owns them.
pub(crate) struct Queue {
    pub(crate) store: Store,
    pub(crate) launcher: Launcher,
    pub(crate) throttle: Throttle,
    pub(crate) progress: Arc<Progress>,
    pub(crate) changes: Arc<ChangeBus>,
    pub(crate) tasks: Tasks,
    pub(crate) line: mpsc::Sender<Message>,
    pub(crate) abort: Arc<Notify>,
    pub(crate) troubles: Arc<Troubles>,
    /// Hears the number of every upload that became final.
    pub(crate) finished: Option<mpsc::UnboundedSender<i64>>,
    /// Tries before network trouble becomes a failure; None for no end.
    pub(crate) patience: Option<u32>,
    /// None: everything.
    pub(crate) batches: Option<Vec<i64>>,
    pub(crate) active: HashMap<i64, Active>,
    pub(crate) runs: u64,
    /// Uploads may stand in Starting or Sending without a driver; true at the start.
    pub(crate) abandoned: bool,
}

/// An upload with a driver.
pub(crate) struct Active {
    pub(crate) record: UploadRecord,
    run: u64,
    stop: CancellationToken,
    /// A part was stored in this run: trouble now is not the same trouble as before.
    pub(crate) progressed: bool,
    /// Times that OSS stored something else than was sent.
    pub(crate) mismatches: u32,
    /// An Initiate whose answer is awaited, by the server's time when it was sent.
    pub(crate) initiating: Option<i64>,
}

impl Queue {
    /// Works until the engine stops.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Message>) {
        let (stop, throttle) = (self.tasks.token().clone(), self.throttle.clone());
        let mut look = true;
        // A moment, not a wait: words of drivers come all the time and must not put it off.
        let mut due: Option<Instant> = None;
        loop {
            if look {
                due = self.start_what_may_start().await.map(|wait| Instant::now() + wait);
            }
            let timer = async {
                match due {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = timer => look = true,
                () = throttle.grown() => look = true,
                message = inbox.recv() => {
                    let Some(message) = message else { return };
                    look = self.hear(message).await;
                }
            }
        }
    }

    /// True if something may now be ready to start.
    async fn hear(&mut self, message: Message) -> bool {
        match message {
            Message::Look { batch } => {
                if let (Some(batches), Some(batch)) = (&mut self.batches, batch)
                    && !batches.contains(&batch)
                {
                    batches.push(batch);
                }
                true
            }
            Message::Wish { no, event, answer } => {
                let result = self.wish(no, event).await;
                // Whoever asked may have gone; the move is saved all the same.
                let _ = answer.send(result);
                true
            }
            Message::WishAll { phases, event, answer } => {
                let result = self.wish_all(phases, event).await;
                // As above.
                let _ = answer.send(result);
                true
            }
            Message::Report { no, run, report, answer } => self.report(no, run, report, answer),
            Message::Ended { no, run } => self.ended(no, run).await,
        }
    }

    async fn wish(&mut self, no: i64, event: Event) -> Result<(), Error> {
        let record = match self.active.get(&no) {
            Some(active) => active.record.clone(),
            None => self
                .store
                .write(move |c| uploads::load(c, no))
                .await?
                .ok_or_else(|| Error::Refused(format!("there is no upload {no}")))?,
        };
        let mut along = Along::of(&event, record.state.phase());
        let retries = event == Event::Retry;
        let (state, effects) = step(record.state.clone(), event).map_err(|refused| refusal(refused.phase))?;
        let phase = state.phase();
        along.abort = effects.iter().find_map(|effect| abort_of(effect, &record));
        let aborts = along.abort.is_some();
        let saved = state.clone();
        self.store.write(move |c| save(c, no, &saved, &along)).await?;
        if retries {
            // Whoever asks does not want to wait until the destination is tried by itself.
            self.troubles.try_now(&record.destination_id, Some(no));
        }
        if let Some(active) = self.active.get_mut(&no) {
            active.record.state = state;
            if effects.contains(&Effect::StopDriver) {
                active.stop.cancel();
            }
        } else if aborts {
            self.abort.notify_one();
        }
        self.announce(no, phase);
        Ok(())
    }

    /// A page at a time, so that a million uploads need no memory; nothing is started in between.
    async fn wish_all(&mut self, phases: &'static [Phase], event: Event) -> Result<(), Error> {
        let mut after = 0;
        loop {
            let page = self.store.write(move |c| uploads::numbers(c, phases, after, 500)).await?;
            let Some(last) = page.last() else { break };
            after = *last;
            for no in page {
                match self.wish(no, event.clone()).await {
                    Ok(()) | Err(Error::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        self.changes.reload();
        Ok(())
    }

    /// A driver's word. The answer follows once it is saved; later words of the same driver are saved after it. True if
    /// other uploads may start now.
    fn report(
        &mut self,
        no: i64,
        run: u64,
        report: Report,
        answer: Option<oneshot::Sender<Result<(), Error>>>,
    ) -> bool {
        let Some(active) = self.active.get_mut(&no).filter(|active| active.run == run) else {
            reply(answer, Err(refusal(Phase::Cancelled)));
            return false;
        };
        let destination = active.record.destination_id.clone();
        let (event, rows, heard) = match report {
            Report::Part(part) => {
                active.progressed = true;
                active.record.parts_done += 1;
                self.store.submit(move |c| parts::save(c, no, &part), move |result| reply(answer, result));
                self.changes.row(no);
                return self.works(&destination).changed;
            }
            Report::Renamed(key) => {
                self.rename(no, key, answer);
                return false;
            }
            Report::Initiating { server_ms } => {
                active.initiating = Some(server_ms);
                let UploadRecord { destination_id, bucket, key, .. } = active.record.clone();
                let initiate = Initiate { no, server_ms, destination_id, bucket, key };
                self.store.submit(move |c| initiates::remember(c, &initiate), move |result| reply(answer, result));
                return false;
            }
            Report::InitiateLost => {
                active.initiating = None;
                reply(answer, Ok(()));
                return false;
            }
            Report::NotInitiated => {
                if let Some(server_ms) = active.initiating.take() {
                    self.store
                        .submit(move |c| initiates::forget(c, no, server_ms), move |result| reply(answer, result));
                }
                return false;
            }
            Report::StartedAnew { abort } => (Event::StartedAnew { abort }, Some(Vec::new()), None),
            Report::Planned(session, kept) => {
                // A single PutObject has not asked anything yet.
                let heard = session.upload_id.is_some().then(|| self.works(&destination));
                (Event::Planned(session), Some(kept), heard)
            }
            Report::Finishing { crc64 } => (Event::Finishing { crc64 }, None, None),
            Report::Stored(object, callback) => (Event::Stored(object, callback), None, Some(self.works(&destination))),
            Report::AlreadyThere(object) => (Event::AlreadyThere(object), None, Some(self.works(&destination))),
            Report::Trouble(error, forget) => {
                let (event, heard) = self.trouble(no, error, forget);
                (event, None, heard)
            }
            Report::Unsettled(error) => {
                let (event, heard) = self.unsettled(no, error);
                (event, None, heard)
            }
        };
        let look = heard.is_some_and(|heard| heard.changed);
        let Some(active) = self.active.get_mut(&no) else { return look };
        let mut along = Along { rows, ..Along::of(&event, active.record.state.phase()) };
        if matches!(event, Event::Planned(_)) {
            along.initiated = active.initiating.take();
        }
        let (state, effects) = match step(active.record.state.clone(), event) {
            Ok(moved) => moved,
            Err(refused) => {
                reply(answer, Err(refusal(refused.phase)));
                return look;
            }
        };
        active.record.state = state.clone();
        let phase = state.phase();
        along.abort = effects.iter().find_map(|effect| abort_of(effect, &active.record));
        let (changes, finished) = (Arc::clone(&self.changes), self.finished.clone());
        let wake = along.abort.is_some().then(|| Arc::clone(&self.abort));
        self.store.submit(
            move |c| save(c, no, &state, &along),
            move |result| {
                if result.is_ok() {
                    changes.row(no);
                    if let Some(finished) = finished.filter(|_| is_final(phase)) {
                        // Nobody may be listening any more.
                        let _ = finished.send(no);
                    }
                    if let Some(wake) = wake {
                        wake.notify_one();
                    }
                }
                reply(answer, result);
            },
        );
        look
    }

    /// The wanted key is in use: this one is taken instead, before anything is sent to it.
    fn rename(&mut self, no: i64, key: ObjectKey, answer: Option<oneshot::Sender<Result<(), Error>>>) {
        let Some(active) = self.active.get_mut(&no).filter(|active| active.record.state.phase() == Phase::Starting)
        else {
            return reply(answer, Err(refusal(Phase::Cancelled)));
        };
        active.record.key = key.as_str().to_owned();
        let changes = Arc::clone(&self.changes);
        self.store.submit(
            move |c| uploads::rename(c, no, key.as_str()),
            move |result| {
                changes.row(no);
                reply(answer, result);
            },
        );
    }

    /// The driver has ended: its slot is free, and an upload it left unfinished is queued again.
    async fn ended(&mut self, no: i64, run: u64) -> bool {
        if self.active.get(&no).is_none_or(|active| active.run != run) {
            return false;
        }
        let Some(active) = self.active.remove(&no) else {
            return false;
        };
        self.progress.end(no);
        // What the database says counts: a driver also ends when its last word could not be saved.
        if let Err(error) = self.store.write(move |c| queue_again(c, no)).await {
            tracing::warn!(no, %error, "could not queue an abandoned upload");
            self.abandoned = true;
        }
        if matches!(active.record.state, UploadState::Cancelled) {
            // Parts that were in flight are stored or gone by now, so the abort finds them all.
            self.abort.notify_one();
        }
        self.changes.row(no);
        true
    }

    /// Queues again every upload that an earlier process or a failing disk left in Starting or Sending without a driver.
    /// Completing is settled when it gets a slot.
    async fn take_up_abandoned(&self) -> Result<(), Error> {
        let busy: Vec<i64> = self.active.keys().copied().collect();
        self.store
            .write(move |c| {
                let mut after = 0;
                loop {
                    let page = uploads::numbers(c, &[Phase::Starting, Phase::Sending], after, 500)?;
                    let Some(last) = page.last() else { return Ok(()) };
                    after = *last;
                    for no in page.into_iter().filter(|no| !busy.contains(no)) {
                        queue_again(c, no)?;
                    }
                }
            })
            .await
    }

    /// Gives slots to what may start, and says how long until the next retry is due.
    async fn start_what_may_start(&mut self) -> Option<Duration> {
        // One moment for both questions: what is due is either claimed now or waited for.
        let now = now_ms();
        if self.abandoned {
            self.abandoned = self.take_up_abandoned().await.is_err();
        }
        match self.claim(now).await {
            Ok(claimed) => {
                for (record, errand, mismatches) in claimed {
                    self.start(record, errand, mismatches);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "could not look for uploads to start");
                return Some(AFTER_STORE_TROUBLE);
            }
        }
        // Through the writing connection, like everything the queue reads: a long search must not hold it up.
        let due = self.store.write(move |c| uploads::next_due(c, now)).await.ok().flatten();
        let next = due.into_iter().chain(self.troubles.next_due(now)).min()?;
        Some(Duration::from_millis(u64::try_from(next - now_ms()).unwrap_or(0)))
    }

    async fn claim(&self, now: i64) -> Result<Vec<(UploadRecord, Errand, u32)>, Error> {
        let free = self.throttle.slots().saturating_sub(self.active.len());
        if free == 0 {
            return Ok(Vec::new());
        }
        let not_ready = self.launcher.destinations.not_ready().await?;
        let mut probes = self.troubles.due(now, |no| self.active.contains_key(&no));
        probes.retain(|(destination, _)| !not_ready.contains(destination));
        let without = [not_ready, self.troubles.destinations()].concat();
        let busy: Vec<i64> = self.active.keys().copied().collect();
        let batches = self.batches.clone();
        self.store
            .write(move |c| {
                let mut rows = Vec::new();
                for (destination, behind) in &probes {
                    rows.extend(uploads::next_to_try(c, now, batches.as_deref(), destination, *behind, &busy)?);
                }
                rows.extend(uploads::claimable(c, now, batches.as_deref(), &without, free + busy.len())?);
                let mut claimed = Vec::new();
                for mut record in rows.into_iter().filter(|record| !busy.contains(&record.no)).take(free) {
                    let Ok((state, effects)) = step(record.state.clone(), Event::SlotGranted) else {
                        continue;
                    };
                    uploads::save(c, record.no, &state, now)?;
                    record.started_ms = record.started_ms.or(Some(now));
                    record.state = state;
                    let (known, mismatches) =
                        (parts::of(c, record.no)?, attempts::count(c, record.no, Code::Integrity)?);
                    claimed.push((record, effects, known, mismatches));
                }
                Ok(claimed)
            })
            .await
            .map(|claimed| {
                let errands = claimed.into_iter().filter_map(|(record, effects, known, mismatches)| {
                    let errand = errand_of(&record.state, &effects, known)?;
                    Some((record, errand, mismatches))
                });
                errands.collect()
            })
    }

    fn start(&mut self, mut record: UploadRecord, errand: Errand, mismatches: u32) {
        let no = record.no;
        self.troubles.tries(&record.destination_id, no);
        self.runs += 1;
        let run = self.runs;
        let stop = self.tasks.token().child_token();
        let gauge = self.progress.begin(no);
        let active =
            Active { record: record.clone(), run, stop: stop.clone(), progressed: false, mismatches, initiating: None };
        if mismatches > 0 {
            // What is at the key is what this upload stored wrongly.
            record.overwrite = OverwritePolicy::Overwrite;
        }
        self.active.insert(no, active);
        let (launcher, throttle, line) = (self.launcher.clone(), self.throttle.clone(), self.line.clone());
        self.tasks.spawn("upload", async move {
            launcher.launch(record, errand, run, throttle, gauge, line.clone(), stop).await;
            // A queue that is gone has no slot to free.
            let _ = line.send(Message::Ended { no, run }).await;
        });
        self.changes.row(no);
    }

    fn announce(&self, no: i64, phase: Phase) {
        self.changes.row(no);
        if is_final(phase) {
            // Nobody may be listening any more.
            let _ = self.finished.as_ref().map(|finished| finished.send(no));
        }
    }
}

/// Queues an upload again that has no driver though it stands in Starting or Sending; any other is left as it is.
fn queue_again(connection: &rusqlite::Connection, no: i64) -> rusqlite::Result<()> {
    let Some(record) = uploads::load(connection, no)? else { return Ok(()) };
    match (record.state.phase(), step(record.state, Event::Abandoned)) {
        (Phase::Starting | Phase::Sending, Ok((state, _))) => {
            let along = Along { note: Some(("takenUp", String::new())), ..Along::default() };
            save(connection, no, &state, &along)
        }
        _ => Ok(()),
    }
}
