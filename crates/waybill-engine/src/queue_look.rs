//! Filling the line-up from the table. The table is asked ahead of need, and nobody waits for its answer: what is held goes on
//! starting.

use std::collections::HashSet;

use rusqlite::Connection;

use crate::clock::now_ms;
use crate::destination::Destinations;
use crate::error::Error;
use crate::line_up::{self, Room};
use crate::queue::{FromStore, Queue};
use crate::store::lanes::{self, Lane};
use crate::store::ready::{self, Wanted};
use crate::store::settings;
use crate::store::uploads::UploadRecord;

/// Uploads that are due, at most, of one look.
const DUE: usize = 200;

/// What is asked of the table, all of it in one read.
struct Look {
    wanted: Wanted,
    /// Destinations in trouble, one upload of which may try again, and behind which number.
    probes: Vec<(String, i64)>,
    /// Where there may be new lanes and destinations.
    again: Option<Destinations>,
    unsettled: bool,
    /// Whether something is due by now.
    due: bool,
    not_ready: HashSet<String>,
    rooms: Vec<Room>,
    now_ms: i64,
    /// Waiting uploads that an earlier run may have sent.
    earlier: HashSet<i64>,
}

/// What was found.
#[derive(Debug, Default)]
struct Found {
    /// Where that was asked: the lanes there are, and the destinations whose maker has not started yet.
    again: Option<(Vec<Lane>, HashSet<String>)>,
    /// They go before all others.
    first: Vec<UploadRecord>,
    /// When the next is to be tried again; only where the look asked for what is due.
    due_ms: Option<i64>,
    /// Of one lane each, and whether it holds more.
    waiting: Vec<(i64, Vec<UploadRecord>, bool)>,
}

/// A look and its answer.
#[derive(Debug)]
pub(crate) struct Looked {
    /// [`crate::queue::Next::changes`] when the table was asked.
    changes: u64,
    unsettled: bool,
    due: bool,
    found: Result<Found, Error>,
}

impl Queue {
    /// Asks the table where the line-up runs low, unless it is being asked, or it is not known yet what an earlier run may
    /// have sent.
    pub(crate) fn look(&mut self, now_ms: i64) {
        let Some(earlier) = self.handed_out.as_ref().filter(|_| !self.next.looking) else { return };
        let again = self.next.look_again;
        let takes_due = self.next.line_up.takes_due();
        let due = takes_due && self.next.due_ms.is_some_and(|at| at <= now_ms);
        let unsettled = takes_due && self.next.unsettled;
        let probes = self.troubles.due(now_ms, |no| self.active.contains_key(&no));
        let rooms = self.next.line_up.rooms(again, &self.passed_over());
        let hungry = rooms.iter().any(|room| room.records > 0);
        if !again && !due && !unsettled && probes.is_empty() && !hungry {
            return;
        }
        self.next.look_again = false;
        self.next.unsettled &= !unsettled;
        if due {
            self.next.due_ms = None;
        }
        let busy = self.active.keys().copied().chain(self.next.line_up.held()).collect();
        let look = Look {
            wanted: Wanted { batches: self.batches.clone(), busy, without: self.troubles.destinations() },
            probes,
            again: again.then(|| self.launcher.destinations.clone()),
            unsettled,
            due,
            not_ready: self.next.not_ready.clone(),
            rooms,
            now_ms,
            earlier: earlier.clone(),
        };
        self.next.looking = true;
        self.next.stale.clear();
        let (changes, from_store) = (self.next.changes, self.from_store.clone());
        self.store.submit(
            move |c| look.at(c),
            move |found| {
                // A queue that is gone needs to know nothing.
                let _ = from_store.send(FromStore::Looked(Looked { changes, unsettled, due, found }));
            },
        );
    }

    /// The table has answered. True if slots are to be dealt: not if nothing was learned, or a destination in trouble whose
    /// uploads are all paused would be asked about without end.
    ///
    /// # Errors
    /// That of the table, which is to be asked again.
    pub(crate) fn looked(&mut self, looked: Looked) -> Result<bool, Error> {
        self.next.looking = false;
        if looked.changes != self.next.changes {
            return Ok(true);
        }
        let Found { again, mut first, due_ms, mut waiting } = looked.found.inspect_err(|_| {
            self.next.look_again = true;
            self.next.unsettled |= looked.unsettled;
            if looked.due {
                self.next.due_at(0);
            }
        })?;
        // More than one look can hold stays due, and is looked for again when these have slots.
        let full = first.len() >= DUE;
        // One that a user wants otherwise by now is asked for again.
        let fresh = |record: &UploadRecord| !self.next.stale.contains(&record.no);
        first.retain(fresh);
        waiting.iter_mut().for_each(|(_, records, _)| records.retain(fresh));
        let found = !first.is_empty() || waiting.iter().any(|(_, records, _)| !records.is_empty());
        let learned = found || again.is_some() || due_ms.is_some();
        self.next.unsettled |= looked.unsettled && full;
        let due_ms = if looked.due && full { Some(now_ms()) } else { due_ms };
        due_ms.into_iter().for_each(|at| self.next.due_at(at));
        if let Some((lanes, not_ready)) = again {
            self.next.line_up.set_lanes(lanes);
            self.next.not_ready = not_ready;
        }
        self.next.line_up.add_due(first);
        for (lane, records, more) in waiting {
            // What was added since the table was asked may be of any lane.
            self.next.line_up.fill(lane, records, more || self.next.look_again);
        }
        let due = self.next.due_ms.is_some_and(|at| at <= now_ms());
        Ok(learned || due || self.next.look_again)
    }
}

impl Look {
    fn at(self, connection: &Connection) -> rusqlite::Result<Found> {
        let Look { mut wanted, mut not_ready, mut rooms, now_ms, .. } = self;
        let mut found = Found::default();
        if let Some(destinations) = self.again {
            not_ready = destinations.not_ready(connection)?;
            let lanes = lanes::all(connection)?;
            line_up::add_rooms(&mut rooms, &lanes);
            found.again = Some((lanes, not_ready.clone()));
        }
        for (destination, behind) in self.probes.iter().filter(|(destination, _)| !not_ready.contains(destination)) {
            found.first.extend(ready::next_to_try(connection, now_ms, &wanted, destination, *behind)?);
        }
        wanted.without.extend(not_ready);
        wanted.busy.extend(found.first.iter().map(|record| record.no));
        if self.unsettled {
            found.first.extend(ready::unsettled(connection, &wanted, DUE)?);
        }
        if self.due {
            found.first.extend(ready::due(connection, now_ms, &wanted, DUE)?);
            found.due_ms = ready::next_due(connection, now_ms)?;
        }
        for room in rooms.into_iter().filter(|room| room.records > 0) {
            let records = ready::of_lane(connection, room.lane, &wanted, room.records)?;
            let more = records.len() == room.records;
            found.waiting.push((room.lane, records, more));
        }
        let new = || found.first.iter().chain(found.waiting.iter().flat_map(|(_, records, _)| records));
        if new().any(UploadRecord::may_be_sent_twice) {
            let held = wanted.busy.iter().copied().chain(self.earlier).chain(new().map(|record| record.no));
            settings::set_handed_out(connection, &held.collect::<Vec<_>>())?;
        }
        Ok(found)
    }
}

#[cfg(test)]
#[path = "queue_look_tests.rs"]
mod tests;
