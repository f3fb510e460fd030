//! Looks of a queue that nothing runs, so that each question and each answer has its moment.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use waybill_oss::{Clock, TransportKind};

use super::*;
use crate::MemorySecrets;
use crate::changes::ChangeBus;
use crate::launch::Launcher;
use crate::queue::Next;
use crate::store::Store;
use crate::store::batches::{self, NewBatch};
use crate::store::uploads::{self, NewFile, NewUploads};
use crate::task::Tasks;
use crate::throttle::Throttle;
use crate::upload::plan::SourceStamp;
use crate::upload::state::UploadState;
use crate::view::{Limit, Limits};

const TO: &str = "d";

struct Bed {
    queue: Queue,
    outcomes: UnboundedReceiver<Outcome>,
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
            let file = |n| NewFile {
                path: format!("/{n}"),
                key: format!("{n}"),
                content_type: None,
                stamp: SourceStamp { size_bytes: 1, modified_ns: 1, file_id: 1 },
            };
            let new = NewUploads {
                batch: batches::insert(c, &batch)?,
                destination_id: TO.into(),
                bucket: "b".into(),
                callback: None,
                profile_id: None,
                overwrite: Default::default(),
                created_ms: 1,
                files: (0..files).map(file).collect(),
            };
            uploads::insert(c, &new)
        };
        store.write(new).await.unwrap();
        let changes = Arc::<ChangeBus>::default();
        let secrets = Arc::new(MemorySecrets::default());
        let (clock, stall) = (Clock::default(), Duration::from_secs(1));
        let destinations = Destinations::new(store.clone(), secrets, clock, stall, Arc::clone(&changes));
        let (tell, outcomes) = mpsc::unbounded_channel();
        let queue = Queue {
            launcher: Launcher { destinations, part_size_bytes: None, finishing: stall },
            throttle: Throttle::new(16, Limit::default(), Limits::default()),
            progress: Arc::default(),
            changes,
            tasks: Tasks::start().unwrap(),
            line: mpsc::channel(1).0,
            tell,
            abort: Arc::default(),
            troubles: Arc::default(),
            finished: Default::default(),
            patience: None,
            batches: None,
            active: HashMap::new(),
            ending: 0,
            gathered: Default::default(),
            runs: 0,
            next: Next::unknown(),
            sweeps: VecDeque::new(),
            handed_out: None,
            outcomes: HashMap::new(),
            store,
        };
        Bed { queue, outcomes, _dir: dir }
    }

    /// Asks if there is something to ask, and whether the answer was news; None if nothing was asked.
    async fn look(&mut self) -> Option<bool> {
        self.queue.look();
        if !self.queue.next.looking {
            return None;
        }
        let Outcome::Looked(looked) = self.outcomes.recv().await.unwrap() else { panic!("a look is answered") };
        Some(self.queue.looked(looked).unwrap())
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
    bed.look().await;
    let kind = TransportKind::Connect;
    let error = Error::Oss(waybill_oss::Error::Transport { operation: "PutObject", kind, message: String::new() });
    bed.queue.troubles.failed(TO, 1, &error, 0);
    bed.queue.troubles.try_now(TO, None);
    // No news: nothing is dealt, and nobody asks until something happens.
    assert_eq!(bed.look().await, Some(false));
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
    bed.queue.look();
    bed.queue.next.line_up.expect_more();
    bed.queue.next.destination_usable();
    let Outcome::Looked(looked) = bed.outcomes.recv().await.unwrap() else { panic!("a look is answered") };
    bed.queue.looked(looked).unwrap();
    // The first said that there is no more.
    assert!(bed.queue.next.line_up.rooms(true).iter().any(|room| room.records > 0));
    assert_eq!((bed.look().await, bed.look().await, bed.held()), (Some(false), None, 1));
}
