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
use waybill_oss::Advice;

use crate::changes::ChangeBus;
use crate::clock::now_ms;
use crate::error::Error;
use crate::launch::Launcher;
use crate::progress::Progress;
use crate::queue_line::Message;
use crate::store::aborts::{self, Abort};
use crate::store::parts;
use crate::store::uploads::{self, UploadRecord};
use crate::store::{Store, log};
use crate::task::Tasks;
use crate::throttle::Throttle;
use crate::upload::driver::{Errand, Report};
use crate::upload::plan::StoredPart;
use crate::upload::retry::again_after;
use crate::upload::state::{Effect, Event, Forget, UploadState, step};
use crate::view::Phase;

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
    record: UploadRecord,
    run: u64,
    stop: CancellationToken,
    /// A part was stored in this run: trouble now is not the same trouble as before.
    progressed: bool,
}

impl Queue {
    /// Works until the engine stops.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Message>) {
        let stop = self.tasks.token().clone();
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
            Message::Report { no, run, report, answer } => {
                self.report(no, run, report, answer);
                false
            }
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
        let note = note_of(&event);
        let (state, effects) = step(record.state.clone(), event).map_err(|refused| refusal(refused.phase))?;
        let phase = state.phase();
        let abort = effects.iter().find_map(|effect| abort_of(effect, &record));
        self.save(no, state.clone(), note, abort.clone(), None).await?;
        if let Some(active) = self.active.get_mut(&no) {
            active.record.state = state;
            if effects.contains(&Effect::StopDriver) {
                active.stop.cancel();
            }
        } else if abort.is_some() {
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

    /// A driver's word. The answer follows once it is saved; later words of the same driver are saved after it.
    fn report(&mut self, no: i64, run: u64, report: Report, answer: Option<oneshot::Sender<Result<(), Error>>>) {
        let Some(active) = self.active.get_mut(&no).filter(|active| active.run == run) else {
            return reply(answer, Err(refusal(Phase::Cancelled)));
        };
        let (event, rows) = match report {
            Report::Part(part) => {
                active.progressed = true;
                active.record.parts_done += 1;
                self.store.submit(move |c| parts::save(c, no, &part), move |result| reply(answer, result));
                return self.changes.row(no);
            }
            Report::StartedAnew { abort } => (Event::StartedAnew { abort }, Some(Vec::new())),
            Report::Planned(session, kept) => (Event::Planned(session), Some(kept)),
            Report::Finishing { crc64 } => (Event::Finishing { crc64 }, None),
            Report::Stored(object, callback) => (Event::Stored(object, callback), None),
            Report::Trouble(error, forget) => {
                let attempts = if active.progressed { 1 } else { active.record.state.attempts() };
                let again_at_ms = again_at(&error, error.advice(), attempts, self.patience);
                (Event::Trouble { problem: error.problem(), attempts, again_at_ms, forget }, None)
            }
            Report::Unsettled(error) => {
                // Even a refusal is asked about again: the object may be stored, and a right to look may come back.
                let advice = match error.advice() {
                    Advice::Never => Advice::Now,
                    advice => advice,
                };
                let (problem, attempts) = (error.problem(), active.record.state.attempts());
                match again_at(&error, advice, attempts, self.patience) {
                    Some(again_at_ms) => (Event::Unsettled { problem, again_at_ms }, None),
                    None => (Event::Trouble { problem, attempts, again_at_ms: None, forget: Forget::Nothing }, None),
                }
            }
        };
        let note = note_of(&event);
        let (state, effects) = match step(active.record.state.clone(), event) {
            Ok(moved) => moved,
            Err(refused) => return reply(answer, Err(refusal(refused.phase))),
        };
        active.record.state = state.clone();
        let phase = state.phase();
        let abort = effects.iter().find_map(|effect| abort_of(effect, &active.record));
        let (changes, finished) = (Arc::clone(&self.changes), self.finished.clone());
        let wake = abort.is_some().then(|| Arc::clone(&self.abort));
        self.store.submit(
            move |c| save(c, no, &state, note, abort.as_ref(), rows.as_deref()),
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
                for (record, errand) in claimed {
                    self.start(record, errand);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "could not look for uploads to start");
                return Some(AFTER_STORE_TROUBLE);
            }
        }
        // Through the writing connection, like everything the queue reads: a long search must not hold it up.
        let next = self.store.write(move |c| uploads::next_due(c, now)).await.ok().flatten()?;
        Some(Duration::from_millis(u64::try_from(next - now_ms()).unwrap_or(0)))
    }

    async fn claim(&self, now: i64) -> Result<Vec<(UploadRecord, Errand)>, Error> {
        let free = self.throttle.slots().saturating_sub(self.active.len());
        if free == 0 {
            return Ok(Vec::new());
        }
        let not_ready = self.launcher.destinations.not_ready().await?;
        let busy: Vec<i64> = self.active.keys().copied().collect();
        let batches = self.batches.clone();
        self.store
            .write(move |c| {
                let rows = uploads::claimable(c, now, batches.as_deref(), &not_ready, free + busy.len())?;
                let mut claimed = Vec::new();
                for mut record in rows.into_iter().filter(|record| !busy.contains(&record.no)).take(free) {
                    let Ok((state, effects)) = step(record.state.clone(), Event::SlotGranted) else {
                        continue;
                    };
                    uploads::save(c, record.no, &state, now)?;
                    record.started_ms = record.started_ms.or(Some(now));
                    record.state = state;
                    let known = parts::of(c, record.no)?;
                    claimed.push((record, effects, known));
                }
                Ok(claimed)
            })
            .await
            .map(|claimed| {
                let errands = claimed.into_iter().filter_map(|(record, effects, known)| {
                    let errand = errand_of(&record.state, &effects, known)?;
                    Some((record, errand))
                });
                errands.collect()
            })
    }

    fn start(&mut self, record: UploadRecord, errand: Errand) {
        let no = record.no;
        self.runs += 1;
        let run = self.runs;
        let stop = self.tasks.token().child_token();
        let gauge = self.progress.begin(no);
        let active = Active { record: record.clone(), run, stop: stop.clone(), progressed: false };
        self.active.insert(no, active);
        let (launcher, throttle, line) = (self.launcher.clone(), self.throttle.clone(), self.line.clone());
        self.tasks.spawn("upload", async move {
            launcher.launch(record, errand, run, throttle, gauge, line.clone(), stop).await;
            // A queue that is gone has no slot to free.
            let _ = line.send(Message::Ended { no, run }).await;
        });
        self.changes.row(no);
    }

    async fn save(
        &self,
        no: i64,
        state: UploadState,
        note: Option<(&'static str, String)>,
        abort: Option<Abort>,
        rows: Option<Vec<StoredPart>>,
    ) -> Result<(), Error> {
        self.store.write(move |c| save(c, no, &state, note, abort.as_ref(), rows.as_deref())).await
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
            save(connection, no, &state, Some(("takenUp", String::new())), None, None)
        }
        _ => Ok(()),
    }
}

/// One move, in one write: state, log line, remembered abort, and the parts that are now true.
fn save(
    connection: &rusqlite::Connection,
    no: i64,
    state: &UploadState,
    note: Option<(&'static str, String)>,
    abort: Option<&Abort>,
    rows: Option<&[StoredPart]>,
) -> rusqlite::Result<()> {
    let now = now_ms();
    uploads::save(connection, no, state, now)?;
    if let Some((what, detail)) = note {
        log::add(connection, no, now, what, &detail)?;
    }
    if let Some(abort) = abort {
        aborts::remember(connection, abort)?;
    }
    if let Some(rows) = rows {
        parts::replace(connection, no, rows)?;
    }
    Ok(())
}

fn errand_of(state: &UploadState, effects: &[Effect], known: Vec<StoredPart>) -> Option<Errand> {
    match (effects.first()?, state) {
        (Effect::Settle, UploadState::Completing { session, crc64, .. }) => {
            Some(Errand::Settle { session: session.clone(), crc64: *crc64, known })
        }
        (Effect::Drive, state) => Some(Errand::Send { session: state.session().cloned(), known }),
        _ => None,
    }
}

fn abort_of(effect: &Effect, record: &UploadRecord) -> Option<Abort> {
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
        Event::SlotGranted | Event::Abandoned => return None,
        Event::StartedAnew { .. } => ("startedAnew", String::new()),
        Event::Planned(session) => match &session.upload_id {
            Some(upload_id) => ("sending", format!("{} parts, UploadId {upload_id}", session.plan.parts())),
            None => ("sending", "one PutObject".into()),
        },
        Event::Finishing { crc64 } => ("finishing", format!("CRC-64 {crc64}")),
        Event::Stored(object, callback) => ("stored", format!("{}, callback {}", object.etag, callback_word(callback))),
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

fn callback_word(callback: &waybill_oss::CallbackOutcome) -> String {
    use waybill_oss::CallbackOutcome as O;
    match callback {
        O::NotRequested => "not requested".into(),
        O::Answered { status, .. } => format!("answered with {status}"),
        O::Failed { ec, message, .. } => format!("failed: {message} {}", ec.as_deref().unwrap_or_default()),
        O::Unknown => "unknown".into(),
    }
}

fn is_final(phase: Phase) -> bool {
    matches!(phase, Phase::Done | Phase::Failed | Phase::Cancelled)
}

fn reply(answer: Option<oneshot::Sender<Result<(), Error>>>, result: Result<(), Error>) {
    if let Some(answer) = answer {
        // A driver that was stopped no longer waits.
        let _ = answer.send(result);
    }
}

fn refusal(phase: Phase) -> Error {
    Error::Refused(match phase {
        Phase::Completing => "OSS is finishing this upload; it cannot be stopped now".into(),
        Phase::Done => "this upload is already stored".into(),
        Phase::Cancelled => "this upload was cancelled".into(),
        _ => "this does not fit what the upload is doing".into(),
    })
}

fn again_at(error: &Error, advice: Advice, attempts: u32, patience: Option<u32>) -> Option<i64> {
    again_after(error.code(), advice, attempts, patience, rand::random()).map(|wait| now_ms() + wait.as_millis() as i64)
}
