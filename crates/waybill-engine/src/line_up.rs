//! Who gets the next slot: the first few of every lane, and the rule by which slots are dealt. Pure.
//!
//! Higher priority goes first. Of equals it is the turn of the destination with the fewest uploads under way, there of the
//! lane (small files, large ones) with the fewest, and in a lane of the oldest. So ten thousand small files do not hold up
//! a huge one nor it them, and no destination waits until another is done. What is to be tried again or found out goes
//! before what was never tried, since it is older.

use std::cmp::Reverse;
use std::collections::{HashSet, VecDeque};

use crate::store::lanes::{LARGE_BYTES, Lane};
use crate::store::uploads::UploadRecord;

/// Records held over all lanes, and of one lane at least and at most.
const HELD: usize = 1_000;
const FEW: usize = 32;
const MANY: usize = 400;
/// Of those that are due no more are asked for while so many are held.
const DUE_ENOUGH: usize = 32;

/// What may start next, as far as it is held in memory.
#[derive(Debug, Default)]
pub(crate) struct LineUp {
    lanes: Vec<Queue>,
    due: VecDeque<UploadRecord>,
}

/// What a lane takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) lane: i64,
    pub(crate) records: usize,
}

/// Gives lanes that are new room too.
pub(crate) fn add_rooms(rooms: &mut Vec<Room>, lanes: &[Lane]) {
    for lane in lanes {
        if !rooms.iter().any(|room| room.lane == lane.id) {
            rooms.push(Room { lane: lane.id, records: share(lanes.len()) });
        }
    }
}

/// What one of so many lanes holds at most.
fn share(lanes: usize) -> usize {
    (HELD / lanes.max(1)).clamp(FEW, MANY)
}

#[derive(Debug)]
struct Queue {
    lane: Lane,
    waiting: VecDeque<UploadRecord>,
    /// The table may hold more of this lane.
    more: bool,
    under_way: usize,
}

impl LineUp {
    /// These lanes there are now.
    pub(crate) fn set_lanes(&mut self, lanes: Vec<Lane>) {
        for lane in lanes {
            if !self.lanes.iter().any(|queue| queue.lane.id == lane.id) {
                self.lanes.push(Queue { lane, waiting: VecDeque::new(), more: true, under_way: 0 });
            }
        }
    }

    /// Forgets what is held; all of it is still in the table.
    pub(crate) fn clear(&mut self) {
        self.due.clear();
        for queue in &mut self.lanes {
            queue.waiting.clear();
        }
        self.expect_more();
    }

    /// Something was added to the table.
    pub(crate) fn expect_more(&mut self) {
        for queue in &mut self.lanes {
            queue.more = true;
        }
    }

    /// How many records of the table each lane takes: none if it goes to one of the destinations `without`. With `all` also
    /// those that hold enough for now.
    pub(crate) fn rooms(&self, all: bool, without: &HashSet<String>) -> Vec<Room> {
        let most = share(self.lanes.len());
        let low = if all { most } else { most / 2 };
        let room = |queue: &Queue| {
            let hungry = queue.more && queue.waiting.len() < low && !without.contains(&queue.lane.destination_id);
            Room { lane: queue.lane.id, records: if hungry { most - queue.waiting.len() } else { 0 } }
        };
        self.lanes.iter().map(room).collect()
    }

    /// Others of a lane; `more` says whether the table holds more of it.
    pub(crate) fn fill(&mut self, lane: i64, records: Vec<UploadRecord>, more: bool) {
        if let Some(queue) = self.lanes.iter_mut().find(|queue| queue.lane.id == lane) {
            queue.waiting.extend(records);
            // They may go before those that are held: what was forgotten while the table was asked is older.
            queue.waiting.make_contiguous().sort_by_key(|record| (Reverse(record.priority), record.no));
            queue.more = more;
        }
    }

    /// Whether few enough are held of what is due that more may be asked for.
    pub(crate) fn takes_due(&self) -> bool {
        self.due.len() < DUE_ENOUGH
    }

    /// Those that are to be tried again, asked about, or to try a destination in trouble.
    pub(crate) fn add_due(&mut self, records: Vec<UploadRecord>) {
        self.due.extend(records);
    }

    /// Numbers of all that is held.
    pub(crate) fn held(&self) -> impl Iterator<Item = i64> + '_ {
        let waiting = self.lanes.iter().flat_map(|queue| &queue.waiting);
        waiting.chain(&self.due).map(|record| record.no)
    }

    /// The one that gets the next slot, if any may; it counts as under way from now on. Nothing is taken that goes to one of
    /// the destinations `without`.
    pub(crate) fn next(&mut self, without: &HashSet<String>) -> Option<UploadRecord> {
        let record = match self.due.pop_front() {
            Some(record) => record,
            None => {
                let fits = |queue: &&Queue| !without.contains(&queue.lane.destination_id);
                let rank = |queue: &Queue| {
                    let first = queue.waiting.front()?;
                    let shared = Reverse(self.under_way_to(&queue.lane.destination_id));
                    Some((first.priority, shared, Reverse(queue.under_way), Reverse(first.no), queue.lane.id))
                };
                let (.., lane) = self.lanes.iter().filter(fits).filter_map(rank).max()?;
                self.lanes.iter_mut().find(|queue| queue.lane.id == lane)?.waiting.pop_front()?
            }
        };
        self.count(&record, 1);
        Some(record)
    }

    /// It is no longer under way.
    pub(crate) fn ended(&mut self, record: &UploadRecord) {
        self.count(record, -1);
    }

    fn count(&mut self, record: &UploadRecord, by: isize) {
        let of = |queue: &&mut Queue| {
            queue.lane.destination_id == record.destination_id && queue.lane.large == (record.size_bytes > LARGE_BYTES)
        };
        if let Some(queue) = self.lanes.iter_mut().find(of) {
            queue.under_way = queue.under_way.saturating_add_signed(by);
        }
    }

    fn under_way_to(&self, destination_id: &str) -> usize {
        let queues = self.lanes.iter().filter(|queue| queue.lane.destination_id == destination_id);
        queues.map(|queue| queue.under_way).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upload::state::UploadState;
    use crate::view::OverwritePolicy;

    fn lane(id: i64, destination: &str, large: bool) -> Lane {
        Lane { id, destination_id: destination.into(), large }
    }

    fn record(no: i64, destination: &str, large: bool, priority: i64) -> UploadRecord {
        UploadRecord {
            no,
            batch: 1,
            destination_id: destination.into(),
            path: format!("/{no}"),
            bucket: "b".into(),
            key: no.to_string(),
            content_type: None,
            callback: None,
            overwrite: OverwritePolicy::default(),
            wanted_key: None,
            size_bytes: if large { LARGE_BYTES + 1 } else { LARGE_BYTES },
            state: UploadState::new(),
            stored_bytes: 0,
            parts_done: 0,
            created_ms: 0,
            started_ms: None,
            finished_ms: None,
            priority,
            callback_bad: false,
        }
    }

    /// Two destinations; a hundred small files of the first are older than everything else.
    fn crowded() -> LineUp {
        let mut line_up = LineUp::default();
        line_up.set_lanes(vec![lane(1, "a", false), lane(2, "a", true), lane(3, "b", false)]);
        line_up.fill(1, (1..=100).map(|no| record(no, "a", false, 0)).collect(), true);
        line_up.fill(2, (101..=103).map(|no| record(no, "a", true, 0)).collect(), false);
        line_up.fill(3, (201..=203).map(|no| record(no, "b", false, 0)).collect(), false);
        line_up
    }

    fn taken(line_up: &mut LineUp, many: usize) -> Vec<i64> {
        (0..many).filter_map(|_| line_up.next(&HashSet::new())).map(|record| record.no).collect()
    }

    #[test]
    fn a_crowd_of_small_files_holds_up_neither_large_ones_nor_another_destination() {
        assert_eq!(taken(&mut crowded(), 8), [1, 201, 101, 202, 2, 203, 102, 3]);
    }

    #[test]
    fn who_has_ended_makes_room_for_the_same_lane() {
        let mut line_up = crowded();
        let first = line_up.next(&HashSet::new()).unwrap();
        line_up.next(&HashSet::new()).unwrap();
        line_up.ended(&first);
        assert_eq!(taken(&mut line_up, 1), [1 + 1]);
    }

    #[test]
    fn a_higher_priority_goes_before_fairness_and_age() {
        let mut line_up = crowded();
        line_up.fill(3, Vec::new(), false);
        line_up.lanes[2].waiting = [record(300, "b", false, 5), record(301, "b", false, 5)].into();
        assert_eq!(taken(&mut line_up, 3), [300, 301, 1]);
    }

    #[test]
    fn what_is_added_later_goes_where_its_age_and_priority_put_it() {
        let mut line_up = LineUp::default();
        line_up.set_lanes(vec![lane(1, "a", false)]);
        line_up.fill(1, vec![record(7, "a", false, 0), record(8, "a", false, 0)], true);
        line_up.fill(1, vec![record(9, "a", false, 1), record(3, "a", false, 0)], true);
        assert_eq!(taken(&mut line_up, 4), [9, 3, 7, 8]);
    }

    #[test]
    fn a_destination_that_cannot_be_used_is_passed_over_and_what_is_due_goes_first() {
        let mut line_up = crowded();
        line_up.add_due(vec![record(900, "b", false, 0)]);
        let without = HashSet::from(["a".to_owned()]);
        let numbers: Vec<_> = std::iter::from_fn(|| line_up.next(&without)).map(|record| record.no).collect();
        assert_eq!(numbers, [900, 201, 202, 203]);
    }

    #[test]
    fn only_lanes_that_run_low_are_filled_and_only_while_there_is_more() {
        let mut line_up = crowded();
        let most = HELD / 3;
        let rooms = |line_up: &LineUp, all| {
            line_up.rooms(all, &HashSet::new()).into_iter().map(|room| room.records).collect::<Vec<_>>()
        };
        assert_eq!(rooms(&line_up, true), [most - 100, 0, 0]);
        taken(&mut line_up, 200);
        line_up.fill(1, (1..=200).map(|no| record(no, "a", false, 0)).collect(), true);
        assert_eq!(rooms(&line_up, false), [0, 0, 0]);
        taken(&mut line_up, 60);
        assert_eq!(rooms(&line_up, false), [most - 140, 0, 0]);
        line_up.clear();
        assert_eq!((line_up.held().count(), rooms(&line_up, false)), (0, vec![most; 3]));
        let in_trouble = HashSet::from(["a".to_owned()]);
        let room = line_up.rooms(true, &in_trouble).into_iter().map(|room| room.records).collect::<Vec<_>>();
        assert_eq!(room, [0, 0, most]);
    }

    #[test]
    fn a_lane_that_was_not_known_has_room_for_its_share() {
        let mut rooms = crowded().rooms(true, &HashSet::new());
        let known = rooms.clone();
        let lanes: Vec<_> = (1..=10).map(|id| lane(id, "c", false)).collect();
        add_rooms(&mut rooms, &lanes);
        assert_eq!(rooms[..3], known);
        assert_eq!(
            rooms[3..].iter().map(|room| (room.lane, room.records)).collect::<Vec<_>>(),
            (4..=10).map(|id| (id, HELD / 10)).collect::<Vec<_>>()
        );
    }
}
