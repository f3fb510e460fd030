//! What users want of uploads, one by one or many at once.

use std::collections::HashMap;

use tokio::sync::oneshot;

use crate::error::Error;
use crate::queue::Queue;
use crate::queue_save::{Along, abort_of, refusal, save};
use crate::store::uploads::{self, UploadRecord};
use crate::store::{lists, ready};
use crate::upload::state::{Effect, Event, UploadState, step};
use crate::view::{Cursor, Phase, UploadSelection, Wish};

/// Uploads of one page of a sweep: what one write takes in a few milliseconds.
const PAGE: i64 = 500;

/// A wish for many uploads, on its way through the table in constant memory.
#[derive(Debug)]
pub(crate) struct Sweep {
    selection: UploadSelection,
    wish: Wish,
    answer: oneshot::Sender<Result<(), Error>>,
    after: Option<Cursor>,
    /// For a change of order.
    priority: Option<i64>,
}

impl Sweep {
    pub(crate) fn new(selection: UploadSelection, wish: Wish, answer: oneshot::Sender<Result<(), Error>>) -> Sweep {
        Sweep { selection, wish, answer, after: None, priority: None }
    }
}

/// The event of a wish, and the phases in which it may fit; none for a change of order.
fn event_of(wish: Wish) -> (Option<Event>, &'static [Phase]) {
    use Phase as P;
    match wish {
        Wish::Pause => (Some(Event::Pause), &[P::Queued, P::Starting, P::Sending]),
        Wish::Resume => (Some(Event::Resume), &[P::Paused]),
        Wish::Retry => (Some(Event::Retry), &[P::Failed]),
        Wish::Cancel => (Some(Event::Cancel), &[P::Queued, P::Starting, P::Sending, P::Paused, P::Failed]),
        Wish::First | Wish::Last | Wish::InOrder => (None, &[P::Queued, P::Paused, P::Failed]),
    }
}

impl Queue {
    /// One wish for one upload.
    pub(crate) async fn wish(&mut self, no: i64, event: Event) -> Result<(), Error> {
        let record = match self.active.get(&no) {
            Some(active) => active.record.clone(),
            None => self
                .store
                .write(move |c| uploads::load(c, no))
                .await?
                .ok_or_else(|| Error::Refused(format!("there is no upload {no}")))?,
        };
        let retries = event == Event::Retry;
        let moved = moved(&record, event).map_err(refusal)?;
        let phase = moved.state.phase();
        let (aborts, stops, state) = (moved.along.abort.is_some(), moved.stops, moved.state.clone());
        self.store.write(move |c| moved.save(c, no)).await?;
        if retries {
            // Whoever asks does not want to wait until the destination is tried by itself.
            self.troubles.try_now(&record.destination_id, Some(no));
        }
        if let Some(active) = self.active.get_mut(&no) {
            active.row = phase;
            active.record.state = state;
            if stops {
                active.stop.cancel();
            }
            self.progress.stands(no, None);
        } else if aborts {
            self.abort.notify_one();
        }
        self.next.row_changed(no);
        self.announce(no, phase);
        Ok(())
    }

    /// Carries the oldest sweep on by a page. What it does not fit is left alone; the first failing save ends it.
    pub(crate) async fn sweep(&mut self) {
        let Some(mut sweep) = self.sweeps.pop_front() else { return };
        match self.sweep_page(&mut sweep).await {
            Ok(true) => return self.sweeps.push_front(sweep),
            // Whoever asked may have gone; what was wished is done all the same.
            Ok(false) => drop(sweep.answer.send(Ok(()))),
            Err(error) => drop(sweep.answer.send(Err(error))),
        }
        self.next.rows_changed();
        self.changes.reload();
    }

    /// True while there is another page.
    async fn sweep_page(&mut self, sweep: &mut Sweep) -> Result<bool, Error> {
        let (event, phases) = event_of(sweep.wish);
        let (selection, after) = (sweep.selection.clone(), sweep.after);
        let starting: Vec<i64> = self.progress.unsaved().into_keys().collect();
        let asked = move |c: &rusqlite::Connection| lists::selected(c, &selection, phases, &starting, after, PAGE);
        let page = self.store.read(asked).await?;
        let Some(last) = page.last() else { return Ok(false) };
        sweep.after = Some(*last);
        let page: Vec<i64> = page.into_iter().map(|upload| upload.no).collect();
        let Some(event) = event else {
            let priority = match sweep.priority {
                Some(priority) => priority,
                None => self.priority_for(sweep.wish).await?,
            };
            sweep.priority = Some(priority);
            self.store.write_large(move |c| uploads::place(c, &page, priority)).await?;
            return Ok(true);
        };
        let (busy, idle): (Vec<i64>, Vec<i64>) = page.into_iter().partition(|no| self.active.contains_key(no));
        for no in busy {
            match self.wish(no, event.clone()).await {
                Ok(()) | Err(Error::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let retries = event == Event::Retry;
        let done = self.store.write_large(move |c| wish_idle(c, &idle, &event)).await?;
        for (no, Idle { phase, destination_id, aborts }) in done {
            if retries {
                self.troubles.try_now(&destination_id, Some(no));
            }
            if aborts {
                self.abort.notify_one();
            }
            self.announce(no, phase);
        }
        Ok(true)
    }

    async fn priority_for(&self, wish: Wish) -> Result<i64, Error> {
        let (low, high) = self.store.write(ready::priorities).await?;
        Ok(match wish {
            Wish::First => high.max(0) + 1,
            Wish::Last => low.min(0) - 1,
            _ => 0,
        })
    }
}

/// What became of an upload without a driver.
struct Idle {
    phase: Phase,
    destination_id: String,
    aborts: bool,
}

fn wish_idle(
    connection: &rusqlite::Connection,
    numbers: &[i64],
    event: &Event,
) -> rusqlite::Result<HashMap<i64, Idle>> {
    let mut done = HashMap::with_capacity(numbers.len());
    for no in numbers {
        let Some(record) = uploads::load(connection, *no)? else { continue };
        let Ok(moved) = moved(&record, event.clone()) else { continue };
        moved.save(connection, *no)?;
        let (phase, aborts) = (moved.state.phase(), moved.along.abort.is_some());
        done.insert(*no, Idle { phase, destination_id: record.destination_id, aborts });
    }
    Ok(done)
}

/// A wish that fits, before it is saved.
struct Moved {
    state: UploadState,
    along: Along,
    started_ms: Option<i64>,
    /// Its driver, if it has one, is to end.
    stops: bool,
}

impl Moved {
    fn save(&self, connection: &rusqlite::Connection, no: i64) -> rusqlite::Result<()> {
        save(connection, no, &self.state, self.started_ms, &self.along)
    }
}

/// What a wish makes of an upload, or the phase in which it does not fit.
fn moved(record: &UploadRecord, event: Event) -> Result<Moved, Phase> {
    let mut along = Along::of(&event, record.state.phase());
    let (state, effects) = step(record.state.clone(), event).map_err(|refused| refused.phase)?;
    along.abort = effects.iter().find_map(|effect| abort_of(effect, record));
    Ok(Moved { state, along, started_ms: record.started_ms, stops: effects.contains(&Effect::StopDriver) })
}
