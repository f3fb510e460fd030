//! The only owner of upload states: everyone else asks, and every move that matters after a crash is saved before it is
//! acted upon.
//!
//! Uploads under way are held in memory with their driver; the rest are rows. States are read through the writing
//! connection, which sees every save that was handed over before. `queue_look` asks for those that may start, `queue_slots`
//! says who does, `queue_reports` what drivers say, `queue_gathered` what is saved together, `queue_wishes` what users want.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::changes::ChangeBus;
use crate::finished::{AtHand, Finished, LastWord};
use crate::launch::Launcher;
use crate::line_up::LineUp;
use crate::progress::Progress;
use crate::queue_gathered::{Gathered, Saved};
use crate::queue_line::Message;
use crate::queue_look::Looked;
use crate::queue_save::is_final;
use crate::queue_slots::AFTER_STORE_TROUBLE;
use crate::queue_wishes::Sweep;
use crate::store::Store;
use crate::store::settings;
use crate::store::uploads::UploadRecord;
use crate::task::Tasks;
use crate::throttle::Throttle;
use crate::trouble::Troubles;
use crate::upload::state::UploadState;
use crate::view::Phase;

/// The queue's parts; [`Queue::run`] owns them.
pub(crate) struct Queue {
    pub(crate) store: Store,
    pub(crate) launcher: Launcher,
    pub(crate) throttle: Throttle,
    pub(crate) progress: Arc<Progress>,
    pub(crate) changes: Arc<ChangeBus>,
    pub(crate) tasks: Tasks,
    pub(crate) line: mpsc::Sender<Message>,
    /// Where the store answers what the queue did not wait for.
    pub(crate) from_store: UnboundedSender<FromStore>,
    pub(crate) abort: Arc<Notify>,
    pub(crate) troubles: Arc<Troubles>,
    pub(crate) finished: Finished<LastWord>,
    pub(crate) at_hand: AtHand,
    /// Tries before network trouble becomes a failure; None for no end.
    pub(crate) patience: Option<u32>,
    /// None: everything.
    pub(crate) batches: Option<Vec<i64>>,
    /// Boxed: a map is copied when it grows.
    pub(crate) active: HashMap<i64, Box<Active>>,
    /// How many of them are stored and only wait for that to be saved.
    pub(crate) ending: usize,
    pub(crate) gathered: Gathered,
    pub(crate) runs: u64,
    pub(crate) next: Next,
    /// Wishes for many uploads that are still being carried out, a page at a time.
    pub(crate) sweeps: VecDeque<Sweep>,
    /// Waiting uploads whose files an earlier run may have sent; None until that has been read.
    pub(crate) handed_out: Option<HashSet<i64>>,
    /// What OSS has said of uploads that a failing disk left in Completing.
    pub(crate) outcomes: HashMap<i64, Arc<UploadState>>,
}

/// What came of a write or a read that the queue did not wait for.
#[derive(Debug)]
pub(crate) enum FromStore {
    Saved(Saved),
    Looked(Looked),
}

/// What is known of the uploads that may start.
#[derive(Debug, Default)]
pub(crate) struct Next {
    pub(crate) line_up: LineUp,
    /// Destinations whose maker has not started yet.
    pub(crate) not_ready: HashSet<String>,
    /// When the next upload is to be tried again, as far as is known (UTC ms).
    pub(crate) due_ms: Option<i64>,
    /// Something may have been added to the table.
    pub(crate) look_again: bool,
    /// The table is being asked.
    pub(crate) looking: bool,
    /// How often rows changed of which it is not known which.
    pub(crate) changes: u64,
    /// Rows that changed since the table was asked.
    pub(crate) stale: HashSet<i64>,
    /// Uploads may stand in Completing without a driver and without a time.
    pub(crate) unsettled: bool,
    /// Uploads may stand in Starting or Sending without a driver.
    pub(crate) abandoned: bool,
}

impl Next {
    /// Before anything is known: everything may be so.
    pub(crate) fn unknown() -> Next {
        Next { look_again: true, due_ms: Some(0), unsettled: true, abandoned: true, ..Next::default() }
    }

    /// An upload is to be tried at this time.
    pub(crate) fn due_at(&mut self, at_ms: i64) {
        self.due_ms = Some(self.due_ms.map_or(at_ms, |due| due.min(at_ms)));
    }

    /// What was passed over may have a chance now.
    pub(crate) fn destination_usable(&mut self) {
        self.look_again = true;
        self.unsettled = true;
        self.due_ms = Some(0);
    }

    /// Something was added to the table, or may be started now.
    pub(crate) fn expect_more(&mut self) {
        self.line_up.expect_more();
        self.destination_usable();
    }

    /// This row changed: it may be held in memory, or go before those that are.
    pub(crate) fn row_changed(&mut self, no: i64) {
        if self.looking {
            self.stale.insert(no);
        }
        self.line_up.clear();
        self.destination_usable();
    }

    /// Rows changed that may be held in memory, or go before those that are.
    pub(crate) fn rows_changed(&mut self) {
        self.line_up.clear();
        self.changes += 1;
        self.destination_usable();
    }
}

/// An upload with a driver.
pub(crate) struct Active {
    pub(crate) record: UploadRecord,
    pub(crate) run: u64,
    pub(crate) stop: CancellationToken,
    /// A part was stored in this run: trouble now is not the same trouble as before.
    pub(crate) progressed: bool,
    /// Times that OSS stored something else than was sent.
    pub(crate) mismatches: u32,
    /// An Initiate whose answer is awaited, by the server's time when it was sent.
    pub(crate) initiating: Option<i64>,
    /// What the row says once all that was said of it is saved.
    pub(crate) row: Phase,
    /// It is stored, and waits for that to be saved.
    pub(crate) ending: bool,
    /// Others are saved with it, and its driver does not wait for that.
    pub(crate) gathered: bool,
    /// They were, and whoever waits for its end hears of that when it leaves.
    pub(crate) told_when_it_leaves: bool,
    /// Its driver has ended.
    pub(crate) over: bool,
    /// A save did not work: the row is to be asked, not believed to be as above.
    pub(crate) unsaved: Arc<AtomicBool>,
}

impl Queue {
    /// Works until the engine stops.
    pub(crate) async fn run(mut self, inbox: mpsc::Receiver<Message>, from_store: UnboundedReceiver<FromStore>) {
        self.work(inbox, from_store).await;
        self.save_gathered();
        // Those that only waited for their turn need not be asked for.
        let Some(handed_out) = self.handed_out else { return };
        let held = self.active.keys().chain(self.outcomes.keys()).copied();
        let numbers: Vec<i64> = held.chain(handed_out).collect();
        self.store.submit(move |c| settings::set_handed_out(c, &numbers), drop);
    }

    async fn work(&mut self, mut inbox: mpsc::Receiver<Message>, mut from_store: UnboundedReceiver<FromStore>) {
        let (stop, throttle) = (self.tasks.token().clone(), self.throttle.clone());
        let mut look = true;
        // A moment, not a wait: words of drivers come all the time and must not put it off.
        let mut due: Option<Instant> = None;
        loop {
            let sweeping = !self.sweeps.is_empty();
            // Nothing starts while many are being paused.
            if look && !sweeping {
                due = self.start_what_may_start().await.map(|wait| Instant::now() + wait);
                look = false;
            }
            let (timer, gathered) = (at(due), at(self.gathered.due()));
            tokio::select! {
                () = stop.cancelled() => return,
                () = timer, if !sweeping => look = true,
                () = throttle.grown() => look = true,
                () = gathered => self.save_gathered(),
                Some(answer) = from_store.recv() => match answer {
                    FromStore::Saved(saved) => {
                        self.saved(saved).await;
                        look = true;
                    }
                    FromStore::Looked(looked) => match self.looked(looked) {
                        Ok(deal) => look |= deal,
                        Err(error) => {
                            tracing::warn!(%error, "could not look for uploads to start");
                            due = Some(Instant::now() + AFTER_STORE_TROUBLE);
                        }
                    },
                },
                () = std::future::ready(()), if sweeping => {
                    self.sweep().await;
                    look = true;
                }
                message = inbox.recv() => {
                    let Some(message) = message else { return };
                    look |= self.hear(message).await;
                    // Whatever else has come meanwhile, so that slots are dealt once for all of it.
                    while let Ok(message) = inbox.try_recv() {
                        look |= self.hear(message).await;
                    }
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
                self.next.expect_more();
                true
            }
            Message::Wish { no, event, answer } => {
                let result = self.wish(no, event).await;
                // Whoever asked may have gone; the move is saved all the same.
                let _ = answer.send(result);
                true
            }
            Message::WishMany { selection, wish, answer } => {
                self.sweeps.push_back(Sweep::new(selection, wish, answer));
                true
            }
            Message::Report { no, run, report, answer } => self.report(no, run, report, answer),
            Message::Ended { no, run } => self.ended(no, run).await,
        }
    }

    pub(crate) fn announce(&self, no: i64, phase: Phase) {
        self.changes.row(no);
        if is_final(phase) {
            self.finished.tell(&LastWord::of(no));
        }
    }
}

/// Returns at this moment, or never.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
