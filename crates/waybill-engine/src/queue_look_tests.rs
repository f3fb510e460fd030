//! Looks of a queue that nothing runs, so that each question and each answer has its moment.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio_util::sync::CancellationToken;
use waybill_oss::{Clock, TransportKind};

use super::*;
use crate::MemorySecrets;
use crate::changes::ChangeBus;
use crate::launch::Launcher;
use crate::queue::{Active, Next};
use crate::store::Store;
use crate::store::batches::{self, NewBatch};
use crate::store::uploads::{self, NewUploads};
use crate::task::Tasks;
use crate::throttle::Throttle;
use crate::upload::state::UploadState;
use crate::view::{Limit, Limits};

const TO: &str = "d";

struct Bed {
    queue: Queue,
    answers: UnboundedReceiver<FromStore>,
    _dir: TempDir,
}

impl Bed {
    /// A queue over this many uploads; none is known to it.
    async fn of(files: usize) -> Bed {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let new = move |c: &Connection| {
            let batch =
                NewBatch { destination_id: TO.into(), fingerprint: None, request_json: "{}".into(), created_ms: 1 };
            let batch = batches::insert(c, &batch)?;
            uploads::insert(c, &NewUploads::plain(batch, (0..files).map(|n| (format!("/{n}"), n.to_string()))))
        };
        store.write(new).await.unwrap();
        let changes = Arc::<ChangeBus>::default();
        let secrets = Arc::new(MemorySecrets::default());
        let (clock, stall) = (Clock::default(), Duration::from_secs(1));
        let destinations = Destinations::new(store.clone(), secrets, clock, stall, Arc::clone(&changes));
        let (from_store, answers) = mpsc::unbounded_channel();
        let queue = Queue {
            launcher: Launcher { destinations, part_size_bytes: None, finishing: stall },
            throttle: Throttle::new(16, Limit::default(), Limits::default()),
            progress: Arc::default(),
            changes,
            tasks: Tasks::start().unwrap(),
            line: mpsc::channel(1).0,
            from_store,
            abort: Arc::default(),
            troubles: Arc::default(),
            finished: Default::default(),
            at_hand: Default::default(),
            patience: None,
            batches: None,
            active: HashMap::new(),
            ending: 0,
            gathered: Default::default(),
            runs: 0,
            next: Next::unknown(),
            sweeps: VecDeque::new(),
            handed_out: Some(HashSet::new()),
            outcomes: HashMap::new(),
            store,
        };
        Bed { queue, answers, _dir: dir }
    }

    /// Asks if there is something to ask, and whether the answer was news; None if nothing was asked.
    async fn look(&mut self) -> Option<bool> {
        self.queue.look(now_ms());
        if !self.queue.next.looking {
            return None;
        }
        let FromStore::Looked(looked) = self.answers.recv().await.unwrap() else { panic!("a look is answered") };
        Some(self.queue.looked(looked).unwrap())
    }

    /// The first that is held starts, and its driver ends in this state.
    async fn first_ends(&mut self, state: UploadState) {
        let record = UploadRecord { state, ..self.queue.next.line_up.next(&HashSet::new()).unwrap() };
        let active = Active {
            run: 1,
            stop: CancellationToken::new(),
            progressed: false,
            mismatches: 0,
            initiating: None,
            row: record.state.phase(),
            ending: false,
            gathered: false,
            told_when_it_leaves: false,
            over: true,
            unsaved: Arc::default(),
            record,
        };
        let no = active.record.no;
        self.queue.active.insert(no, Box::new(active));
        self.queue.leaves(no).await;
    }

    fn held(&self) -> usize {
        self.queue.next.line_up.held().count()
    }
}

#[tokio::test]
async fn what_is_held_is_not_asked_for_again() {
    let mut bed = Bed::of(3).await;
    assert_eq!(bed.look().await, Some(true));
    assert_eq!((bed.held(), bed.look().await), (3, None));
}

#[tokio::test]
async fn a_destination_in_trouble_without_an_upload_to_try_it_is_not_asked_about_without_end() {
    let mut bed = Bed::of(0).await;
    while bed.look().await.is_some() {}
    let kind = TransportKind::Connect;
    let error = Error::Oss(waybill_oss::Error::Transport { operation: "PutObject", kind, message: String::new() });
    bed.queue.troubles.failed(TO, 1, &error, 0);
    bed.queue.troubles.try_now(TO, None);
    // No news: nothing is dealt, and nobody asks until something happens.
    assert_eq!(bed.look().await, Some(false));
}

#[tokio::test]
async fn what_is_to_be_tried_later_is_waited_for() {
    let mut bed = Bed::of(1).await;
    let at_ms = now_ms() + 3_600_000;
    let state = UploadState::Queued { not_before_ms: Some(at_ms), attempts: 1, session: None, problem: None };
    bed.queue.store.write(move |c| uploads::save(c, 1, &state, Some(1), 1)).await.unwrap();
    // Slots are dealt, since that is when the time is noted.
    assert_eq!(bed.look().await, Some(true));
    assert_eq!((bed.queue.next.due_ms, bed.held()), (Some(at_ms), 0));
    // Asked for in vain while it was told that something is due: so too.
    bed.queue.next.due_at(0);
    assert_eq!(bed.look().await, Some(true));
    assert_eq!((bed.queue.next.due_ms, bed.look().await), (Some(at_ms), None));
}

#[tokio::test]
async fn a_destination_in_trouble_is_tried_by_one_of_those_that_were_held() {
    let mut bed = Bed::of(3).await;
    while bed.look().await.is_some() {}
    assert_eq!(bed.held(), 3);
    let kind = TransportKind::Connect;
    let error = Error::Oss(waybill_oss::Error::Transport { operation: "PutObject", kind, message: String::new() });
    bed.queue.troubles.failed(TO, 1, &error, 0);
    bed.queue.next.rows_changed();
    bed.queue.troubles.try_now(TO, None);
    assert_eq!((bed.look().await, bed.held()), (Some(true), 1));
}

#[tokio::test]
async fn what_the_table_could_not_be_asked_is_asked_again() {
    let mut bed = Bed::of(1).await;
    bed.queue.look(now_ms());
    let FromStore::Looked(looked) = bed.answers.recv().await.unwrap() else { panic!("a look is answered") };
    bed.queue.looked(Looked { found: Err(crate::store::closed()), ..looked }).unwrap_err();
    let next = &bed.queue.next;
    assert_eq!((next.look_again, next.unsettled, next.due_ms), (true, true, Some(0)));
    assert_eq!((bed.look().await, bed.held()), (Some(true), 1));
}

#[tokio::test]
async fn a_crowd_that_is_due_stays_in_the_table_until_there_are_slots_for_it() {
    let mut bed = Bed::of(1000).await;
    let due = |c: &Connection| {
        let state = UploadState::Queued { not_before_ms: Some(1), attempts: 1, session: None, problem: None };
        (1..=1000).try_for_each(|no| uploads::save(c, no, &state, Some(1), 1))
    };
    bed.queue.store.write(due).await.unwrap();
    while bed.look().await.is_some() {}
    assert_eq!(bed.held(), DUE);
    let mut seen = 0;
    while let Some(UploadRecord { no, .. }) = bed.queue.next.line_up.next(&HashSet::new()) {
        seen += 1;
        let over = move |c: &Connection| uploads::save(c, no, &UploadState::Cancelled, Some(1), 1);
        bed.queue.store.write(over).await.unwrap();
        while bed.look().await.is_some() {}
    }
    assert_eq!(seen, 1000);
}

#[tokio::test]
async fn what_was_added_while_the_table_was_asked_is_asked_for() {
    let mut bed = Bed::of(1).await;
    bed.queue.look(now_ms());
    bed.queue.next.expect_more();
    let FromStore::Looked(looked) = bed.answers.recv().await.unwrap() else { panic!("a look is answered") };
    bed.queue.looked(looked).unwrap();
    // The first said that there is no more.
    assert!(bed.queue.next.line_up.rooms(true, &HashSet::new()).iter().any(|room| room.records > 0));
    assert_eq!((bed.look().await, bed.look().await, bed.held()), (Some(true), None, 1));
}

#[tokio::test]
async fn wishes_without_end_keep_no_upload_from_starting_but_those_they_are_for() {
    let mut bed = Bed::of(3).await;
    bed.queue.look(now_ms());
    let FromStore::Looked(looked) = bed.answers.recv().await.unwrap() else { panic!("a look is answered") };
    bed.queue.next.row_changed(2);
    assert!(bed.queue.looked(looked).unwrap());
    assert_eq!(bed.queue.next.line_up.held().collect::<Vec<_>>(), [1, 3]);
    // As the table says that it waits, it is for the next look.
    assert_eq!((bed.look().await, bed.queue.next.line_up.held().collect::<Vec<_>>()), (Some(true), vec![1, 2, 3]));
}

#[tokio::test]
async fn one_that_has_its_time_takes_nobodys_place_and_one_that_has_none_goes_by_its_age() {
    let mut bed = Bed::of(3).await;
    while bed.look().await.is_some() {}
    let later = UploadState::Queued { not_before_ms: Some(now_ms() + 1), attempts: 1, session: None, problem: None };
    bed.first_ends(later).await;
    assert_eq!(bed.held(), 2);
    bed.first_ends(UploadState::new()).await;
    assert_eq!(bed.held(), 0);
}
