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

use crate::changes::ChangeBus;
use crate::clock::now_ms;
use crate::error::{Code, Error};
use crate::launch::Launcher;
use crate::progress::Progress;
use crate::store::aborts::{self, Abort};
use crate::store::parts;
use crate::store::uploads::{self, UploadRecord};
use crate::store::{Store, log};
use crate::task::Tasks;
use crate::throttle::Throttle;
use crate::upload::driver::{Errand, Report};
use crate::upload::plan::StoredPart;
use crate::upload::retry::again_after;
use crate::upload::state::{Effect, Event, UploadState, step};
use crate::view::Phase;

/// Wait before the store is asked again after it failed.
const AFTER_STORE_TROUBLE: Duration = Duration::from_secs(5);

/// What reaches the queue.
#[derive(Debug)]
pub(crate) enum Message {
    /// A user's wish for one upload.
    Wish { no: i64, event: Event, answer: oneshot::Sender<Result<(), Error>> },
    /// A driver's word; `run` tells it from an earlier driver of the same upload.
    Report { no: i64, run: u64, report: Report, answer: Option<oneshot::Sender<Result<(), Error>>> },
    /// A driver has ended, whatever the reason.
    Ended { no: i64, run: u64 },
    /// There may be something to start; `batch` joins those that may be started.
    Look { batch: Option<i64> },
}

/// Which uploads this process works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Everything in the data folder: the window.
    Everything,
    /// Only the batches that this process is asked for: the command line.
    OnlyAsked,
}

/// The way to the queue for users' wishes. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct QueueLine {
    send: mpsc::Sender<Message>,
}

impl QueueLine {
    pub(crate) fn new(send: mpsc::Sender<Message>) -> QueueLine {
        QueueLine { send }
    }

    /// Asks for a move and waits until it is saved.
    pub(crate) async fn wish(&self, no: i64, event: Event) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        let message = Message::Wish { no, event, answer };
        if self.send.send(message).await.is_err() {
            return Err(stopped());
        }
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// Says that something may be ready to start.
    pub(crate) async fn look(&self, batch: Option<i64>) {
        // A queue that is gone starts nothing.
        let _ = self.send.send(Message::Look { batch }).await;
    }
}

impl QueueLine {
    /// As [`QueueLine::look`], for threads of the blocking pool.
    pub(crate) fn look_blocking(&self, batch: Option<i64>) {
        // A queue that is gone starts nothing.
        let _ = self.send.blocking_send(Message::Look { batch });
    }
}

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
    pub(crate) finished: mpsc::UnboundedSender<i64>,
    /// Tries before network trouble becomes a failure; None for no end.
    pub(crate) patience: Option<u32>,
    /// None: everything.
    pub(crate) batches: Option<Vec<i64>>,
    pub(crate) active: HashMap<i64, Active>,
    pub(crate) runs: u64,
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
        self.take_up_after_start().await;
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
                let wait = again_after(error.code(), error.advice(), attempts, self.patience, jitter());
                let again_at_ms = wait.map(|wait| now_ms() + wait.as_millis() as i64);
                (Event::Trouble { problem: error.problem(), again_at_ms, forget }, None)
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
                    if is_final(phase) {
                        // Nobody may be listening.
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
        let state = active.record.state;
        if matches!(state.phase(), Phase::Starting | Phase::Sending)
            && let Ok((state, _)) = step(state.clone(), Event::Abandoned)
            && let Err(error) = self.save(no, state, None, None, None).await
        {
            tracing::warn!(no, %error, "could not queue an abandoned upload; it is taken up at the next start");
        }
        if matches!(state, UploadState::Cancelled) {
            // Parts that were in flight are stored or gone by now, so the abort finds them all.
            self.abort.notify_one();
        }
        self.changes.row(no);
        true
    }

    /// Gives slots to what may start, and says how long until the next retry is due.
    async fn start_what_may_start(&mut self) -> Option<Duration> {
        // One moment for both questions: what is due is either claimed now or waited for.
        let now = now_ms();
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
        let next = self.store.read(move |c| uploads::next_due(c, now)).await.ok().flatten()?;
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

    /// Starting and Sending of an earlier process are queued again; Completing is settled when it gets a slot.
    async fn take_up_after_start(&self) {
        let result = self
            .store
            .write(|c| {
                let mut after = 0;
                loop {
                    let page = uploads::numbers(c, &[Phase::Starting, Phase::Sending], None, after, 500)?;
                    let Some(last) = page.last() else { return Ok(()) };
                    after = *last;
                    for no in page {
                        let Some(record) = uploads::load(c, no)? else { continue };
                        if let Ok((state, _)) = step(record.state, Event::Abandoned) {
                            save(c, no, &state, Some(("takenUp", String::new())), None, None)?;
                        }
                    }
                }
            })
            .await;
        if let Err(error) = result {
            tracing::error!(%error, "could not take up the uploads of the last run");
        }
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
            // Nobody may be listening.
            let _ = self.finished.send(no);
        }
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

fn stopped() -> Error {
    Error::Store { code: Code::Store, message: "Waybill is stopping".into() }
}

/// In 0..1, from the clock's low digits: enough to keep uploads that failed together from coming back together.
fn jitter() -> f64 {
    let nanos =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    f64::from(nanos % 1_000) / 1_000.0
}
