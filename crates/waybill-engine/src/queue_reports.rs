//! What drivers say, and what becomes of their uploads.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::Connection;
use tokio::sync::oneshot;
use waybill_oss::ObjectKey;

use crate::clock::now_ms;
use crate::error::Error;
use crate::finished::LastWord;
use crate::queue::Queue;
use crate::queue_save::{Along, abort_of, is_final, refusal, reply, save};
use crate::store::initiates::{self, Initiate};
use crate::store::parts;
use crate::store::uploads::{self, UploadRecord};
use crate::trouble::Heard;
use crate::upload::driver::Report;
use crate::upload::plan::StoredPart;
use crate::upload::state::{Event, UploadState, step};
use crate::view::Phase;

type Answer = Option<oneshot::Sender<Result<(), Error>>>;

/// What a report does to its upload.
struct Told {
    /// In order; saved together.
    events: Vec<Event>,
    /// The parts that are now true.
    rows: Option<Vec<StoredPart>>,
    heard: Option<Heard>,
}

impl Told {
    fn of(event: Event) -> Told {
        Told { events: vec![event], rows: None, heard: None }
    }
}

impl Queue {
    /// A driver's word. The answer follows once it is saved, or at once where that may wait; later words of the same driver
    /// are saved after it. True if other uploads may start now.
    pub(crate) fn report(&mut self, no: i64, run: u64, report: Report, answer: Answer) -> bool {
        let Some(active) = self.active.get_mut(&no).filter(|active| active.run == run) else {
            reply(answer, Err(refusal(Phase::Cancelled)));
            return false;
        };
        let destination = active.record.destination_id.clone();
        let frees_its_slot = matches!(&report, Report::Stored(..) | Report::AlreadyThere(_));
        let told = match report {
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
                self.initiating(no, server_ms, answer);
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
            Report::StartedAnew { abort } => Told { rows: Some(Vec::new()), ..Told::of(Event::StartedAnew { abort }) },
            Report::Planned(session, kept) => {
                // A single PutObject has not asked anything yet.
                let heard = session.upload_id.is_some().then(|| self.works(&destination));
                Told { rows: Some(kept), heard, ..Told::of(Event::Planned(session)) }
            }
            Report::Finishing { crc64 } => Told::of(Event::Finishing { crc64 }),
            Report::Whole(session, crc64) => {
                Told { events: vec![Event::Planned(session), Event::Finishing { crc64 }], rows: None, heard: None }
            }
            Report::Stored(object, callback) => {
                Told { heard: Some(self.works(&destination)), ..Told::of(Event::Stored(object, callback)) }
            }
            Report::NotCarriedOut => Told { heard: Some(self.works(&destination)), ..Told::of(Event::NotCarriedOut) },
            Report::AlreadyThere(object) => {
                Told { heard: Some(self.works(&destination)), ..Told::of(Event::AlreadyThere(object)) }
            }
            Report::Trouble(error, forget) => {
                self.launcher.destinations.forget_client(&destination);
                let (event, heard) = self.trouble(no, error, forget);
                Told { heard, ..Told::of(event) }
            }
            Report::Unsettled(error) => {
                self.launcher.destinations.forget_client(&destination);
                let (event, heard) = self.unsettled(no, error);
                Told { heard, ..Told::of(event) }
            }
        };
        let look = told.heard.is_some_and(|heard| heard.changed);
        self.make_move(no, told, answer);
        look || frees_its_slot
    }

    /// Moves an upload on and saves where it stands, if that is worth it.
    fn make_move(&mut self, no: i64, told: Told, answer: Answer) {
        let Some(active) = self.active.get_mut(&no) else { return };
        let mut state = active.record.state.clone();
        let mut along = Along { rows: told.rows, ..Along::default() };
        let (mut planned, whole) = (false, told.events.len() > 1);
        for event in told.events {
            planned |= matches!(event, Event::Planned(_));
            if let Event::Trouble { again_at_ms: Some(at), .. } | Event::Unsettled { again_at_ms: at, .. } = &event {
                self.next.due_at(*at);
            }
            along.add(&event, state.phase());
            match step(state, event) {
                Ok((next, effects)) => {
                    along.abort = along.abort.or(effects.iter().find_map(|effect| abort_of(effect, &active.record)));
                    state = next;
                }
                Err(refused) => return reply(answer, Err(refusal(refused.phase))),
            }
        }
        if whole {
            // What becomes of a small file in a moment says all of it.
            along.note = None;
        }
        active.record.state = state.clone();
        let phase = state.phase();
        // A single PutObject: nothing is at OSS yet that anybody would have to know of, or what is there is the same again.
        let in_memory = match &state {
            UploadState::Sending { session, .. } => session.upload_id.is_none(),
            UploadState::Completing { .. } => whole && active.record.may_be_sent_twice(),
            _ => false,
        };
        if in_memory && active.row == Phase::Queued && active.record.parts_done == 0 {
            self.progress.stands(no, Some(state));
            self.changes.row(no);
            return reply(answer, Ok(()));
        }
        if planned {
            along.initiated = active.initiating.take();
        }
        if phase == Phase::Done && !active.ending {
            active.ending = true;
            self.ending += 1;
        }
        if phase == Phase::Done && active.row == Phase::Queued && active.record.may_be_sent_twice() {
            (active.row, active.gathered) = (phase, true);
            let at_ms = now_ms();
            active.record.finished_ms = Some(at_ms);
            let started_ms = active.record.started_ms;
            self.gather(no, state, started_ms, at_ms);
            return reply(answer, Ok(()));
        }
        let (saved_before, unsaved) = (std::mem::replace(&mut active.row, phase), Arc::clone(&active.unsaved));
        let started_ms = active.record.started_ms;
        let (changes, finished) = (Arc::clone(&self.changes), self.finished.clone());
        let progress = (saved_before == Phase::Queued).then(|| Arc::clone(&self.progress));
        let wake = along.abort.is_some().then(|| Arc::clone(&self.abort));
        let write = move |c: &Connection| save(c, no, &state, started_ms, &along);
        let then = move |result: Result<(), Error>| {
            if result.is_ok() {
                if let Some(progress) = progress {
                    progress.stands(no, None);
                }
                changes.row(no);
                if is_final(phase) {
                    finished.tell(&LastWord::of(no));
                }
                if let Some(wake) = wake {
                    wake.notify_one();
                }
            } else {
                unsaved.store(true, Ordering::Release);
            }
            reply(answer, result);
        };
        self.store.submit(write, then);
    }

    /// An Initiate is about to be sent: until it is answered, nobody else may call what the server holds an orphan.
    fn initiating(&mut self, no: i64, server_ms: i64, answer: Answer) {
        let Some(active) = self.active.get_mut(&no) else { return };
        active.initiating = Some(server_ms);
        active.row = active.record.state.phase();
        let (unsaved, progress) = (Arc::clone(&active.unsaved), Arc::clone(&self.progress));
        let UploadRecord { destination_id, bucket, key, state, started_ms, .. } = active.record.clone();
        let initiate = Initiate { no, server_ms, destination_id, bucket, key };
        self.store.submit(
            move |c| {
                initiates::remember(c, &initiate)?;
                save(c, no, &state, started_ms, &Along::default())
            },
            move |result| {
                match &result {
                    Ok(()) => progress.stands(no, None),
                    Err(_) => unsaved.store(true, Ordering::Release),
                }
                reply(answer, result);
            },
        );
    }

    /// The wanted key is in use: this one is taken instead, before anything is sent to it.
    fn rename(&mut self, no: i64, key: ObjectKey, answer: Answer) {
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
}
