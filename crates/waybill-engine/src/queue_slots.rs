//! Slots: who starts, and what becomes of uploads whose driver has ended.
//!
//! A start is not worth a write, nor is a single PutObject on its way: after a crash the upload waits again anyway. Both
//! stand in memory only, and lists are told by [`crate::progress::Progress::unsaved`].

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clock::now_ms;
use crate::error::{Code, Error};
use crate::finished::LastWord;
use crate::queue::{Active, Queue};
use crate::queue_line::Message;
use crate::queue_save::{Along, errand_of, is_final, save};
use crate::store::uploads::{self, UploadRecord};
use crate::store::{attempts, parts, settings};
use crate::upload::state::{Event, UploadState, step};
use crate::view::{OverwritePolicy, Phase};

/// Wait before the store is asked again after it failed.
pub(crate) const AFTER_STORE_TROUBLE: Duration = Duration::from_secs(5);
/// Stored uploads that may wait for being saved while others start: some hundredths of a second of the fastest line.
const SAVED_AT_ONCE: usize = 512;

impl Queue {
    /// Gives slots to what may start, and says how long until the next retry is due.
    pub(crate) async fn start_what_may_start(&mut self) -> Option<Duration> {
        // Nothing is begun that could not be saved. Whoever watches the store says when it can be; this is for safety.
        if self.store.problem().is_some() {
            self.next.look_again = true;
            return Some(AFTER_STORE_TROUBLE);
        }
        // One moment for all of it: what is due is either asked for now or waited for.
        let now = now_ms();
        if let Err(error) = self.deal_slots(now).await {
            tracing::warn!(%error, "could not look for uploads to start");
            self.next.look_again = true;
            return Some(AFTER_STORE_TROUBLE);
        }
        // What is due and has no slot waits for one, not for a time.
        let due = self.next.due_ms.filter(|at| *at > now);
        let next = due.into_iter().chain(self.troubles.next_due(now)).min()?;
        Some(Duration::from_millis(u64::try_from(next - now_ms()).unwrap_or(0)))
    }

    /// Whether one more may start. What is stored and only being saved needs no slot, unless saving falls behind.
    fn has_room(&self) -> bool {
        self.throttle.slots() > self.active.len() - self.ending.min(SAVED_AT_ONCE)
    }

    async fn deal_slots(&mut self, now_ms: i64) -> Result<(), Error> {
        if self.handed_out.is_none() {
            let numbers = self.store.write(settings::handed_out).await?;
            self.handed_out = Some(numbers.into_iter().collect());
        }
        if self.next.abandoned {
            self.take_up_abandoned().await?;
            self.next.abandoned = false;
        }
        if !self.has_room() {
            return Ok(());
        }
        let without = self.passed_over();
        while self.has_room() {
            let Some(record) = self.next.line_up.next(&without) else { break };
            self.start(record).await?;
        }
        // Behind them, so that one that tries a destination in trouble is known to be under way.
        self.look(now_ms);
        Ok(())
    }

    /// Destinations to which nothing is started, but for one that tries.
    pub(crate) fn passed_over(&self) -> HashSet<String> {
        self.troubles.destinations().into_iter().chain(self.next.not_ready.iter().cloned()).collect()
    }

    async fn start(&mut self, mut record: UploadRecord) -> Result<(), Error> {
        let no = record.no;
        let Ok((state, effects)) = step(record.state.clone(), Event::SlotGranted) else {
            self.next.line_up.ended(&record);
            return Ok(());
        };
        // One that never had a slot has nothing to be asked for.
        let (known, mismatches) = match record.started_ms {
            None => (Vec::new(), 0),
            Some(_) => {
                let asked =
                    self.store.write(move |c| Ok((parts::of(c, no)?, attempts::count(c, no, Code::Integrity)?)));
                asked.await.inspect_err(|_| self.next.line_up.ended(&record))?
            }
        };
        // Until it has ended: a first try may be cut off before OSS was asked.
        let perhaps_sent =
            record.may_be_sent_twice() && self.handed_out.as_ref().is_some_and(|numbers| numbers.contains(&no));
        let Some(errand) = errand_of(&state, &effects, known, perhaps_sent) else {
            self.next.line_up.ended(&record);
            return Ok(());
        };
        let row = record.state.phase();
        record.state = state;
        record.started_ms = record.started_ms.or_else(|| Some(now_ms()));
        self.troubles.tries(&record.destination_id, no);
        self.runs += 1;
        let run = self.runs;
        let stop = self.tasks.token().child_token();
        let gauge = self.progress.begin(no, (row == Phase::Queued).then(|| record.state.clone()));
        let active = Box::new(Active {
            record: record.clone(),
            run,
            stop: stop.clone(),
            progressed: false,
            mismatches,
            initiating: None,
            row,
            ending: false,
            gathered: false,
            told_when_it_leaves: false,
            over: false,
            unsaved: Arc::default(),
        });
        if mismatches > 0 {
            // What is at the key is what this upload stored wrongly.
            record.overwrite = OverwritePolicy::Overwrite;
        }
        self.active.insert(no, active);
        let (launcher, throttle, line) = (self.launcher.clone(), self.throttle.clone(), self.line.clone());
        // Boxed: it is large, and would be copied on its way into the runtime.
        let record = Box::new(record);
        let drive = Box::pin(async move {
            launcher.launch(record, errand, run, throttle, gauge, line.clone(), stop).await;
            // A queue that is gone has no slot to free.
            let _ = line.send(Message::Ended { no, run }).await;
        });
        self.tasks.spawn("upload", drive);
        self.changes.row(no);
        Ok(())
    }

    /// The driver has ended: its slot is free, and an upload it left unfinished is queued again. True if others may start.
    pub(crate) async fn ended(&mut self, no: i64, run: u64) -> bool {
        let Some(active) = self.active.get_mut(&no).filter(|active| active.run == run) else {
            return false;
        };
        active.over = true;
        let leaves = !active.gathered;
        if leaves {
            self.leaves(no).await;
        }
        leaves
    }

    /// It is under way no longer.
    pub(crate) async fn leaves(&mut self, no: i64) {
        let Some(active) = self.active.remove(&no) else { return };
        if let Some(numbers) = self.handed_out.as_mut().filter(|_| is_final(active.record.state.phase())) {
            numbers.remove(&no);
        }
        self.ending -= usize::from(active.ending);
        self.progress.end(no);
        self.next.line_up.ended(&active.record);
        let phase = active.record.state.phase();
        let timed = active.record.state.not_before_ms().is_some();
        // What the table says counts: a driver also ends when its last word could not be saved.
        let unsaved = active.unsaved.load(Ordering::Acquire);
        let stands_open = unsaved || matches!(active.row, Phase::Starting | Phase::Sending);
        if stands_open {
            let outcome = (phase == Phase::Done).then(|| Arc::new(active.record.state.clone()));
            let known = outcome.clone();
            match self.store.write(move |c| leave(c, no, known)).await {
                Ok(()) if outcome.is_some() => self.announce(no, Phase::Done),
                Ok(()) => {}
                Err(error) => {
                    tracing::warn!(no, %error, "could not queue an abandoned upload");
                    self.outcomes.extend(outcome.map(|outcome| (no, outcome)));
                    self.next.abandoned = true;
                }
            }
        }
        if timed && !stands_open {
            // It is due at its time, and takes nobody's place that is held.
            self.next.expect_more();
        } else if stands_open || !matches!(phase, Phase::Done | Phase::Failed | Phase::Cancelled | Phase::Paused) {
            self.next.rows_changed();
        }
        if active.told_when_it_leaves {
            // Not before: the lane that it was in is told by its old size.
            let size_bytes = active.record.state.object_bytes().map_or(active.record.size_bytes, |bytes| bytes as i64);
            let record = UploadRecord { size_bytes, ..active.record };
            self.finished.tell(&LastWord::with(record, &self.at_hand));
        }
        if phase == Phase::Cancelled {
            // Parts that were in flight are stored or gone by now, so the abort finds them all.
            self.abort.notify_one();
        }
        self.changes.row(no);
    }

    /// Queues again every upload that an earlier process or a failing disk left in Starting or Sending without a driver.
    /// Completing is settled when it gets a slot, unless OSS has answered already.
    async fn take_up_abandoned(&mut self) -> Result<(), Error> {
        for (no, outcome) in self.outcomes.clone() {
            self.store.write(move |c| leave(c, no, Some(outcome))).await?;
            self.outcomes.remove(&no);
            self.announce(no, Phase::Done);
        }
        let busy: HashSet<i64> = self.active.keys().copied().collect();
        self.store
            .write(move |c| {
                let mut after = 0;
                loop {
                    let page = uploads::numbers(c, &[Phase::Starting, Phase::Sending], after, 500)?;
                    let Some(last) = page.last() else { return Ok(()) };
                    after = *last;
                    for no in page.into_iter().filter(|no| !busy.contains(no)) {
                        leave(c, no, None)?;
                    }
                }
            })
            .await
    }
}

/// Puts an upload that has no driver where it can go on from: queued again, or stored, if OSS has said so. One that stands
/// elsewhere is left as it is.
fn leave(connection: &rusqlite::Connection, no: i64, outcome: Option<Arc<UploadState>>) -> rusqlite::Result<()> {
    let Some(record) = uploads::load(connection, no)? else { return Ok(()) };
    let save = |state: &UploadState, along| save(connection, no, state, record.started_ms, &along);
    match (record.state.phase(), outcome) {
        // Queued is what the row says of one that may be sent twice, until it is stored.
        (Phase::Queued | Phase::Completing, Some(outcome)) => save(&outcome, Along::default()),
        (Phase::Starting | Phase::Sending, _) => match step(record.state.clone(), Event::Abandoned) {
            Ok((state, _)) => save(&state, Along::taken_up()),
            Err(_) => Ok(()),
        },
        _ => Ok(()),
    }
}
