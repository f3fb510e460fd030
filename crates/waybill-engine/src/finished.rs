//! Who hears of uploads that end: every command that waits for some of them, here or in another process.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::store::uploads::UploadRecord;

/// Records that go along at a time, over all who listen: whoever falls behind reads.
const MOST_AT_HAND: usize = 1_000;

/// That an upload has ended, and that this is saved.
#[derive(Clone, Debug)]
pub(crate) struct LastWord {
    pub(crate) no: i64,
    /// As it was saved, so that whoever hears of it need not read it.
    pub(crate) record: Option<Arc<UploadRecord>>,
    _counted: Option<Arc<()>>,
}

/// Counts words with a record that nobody has heard yet.
#[derive(Debug, Default)]
pub(crate) struct AtHand(Arc<()>);

impl LastWord {
    /// Of one whose row says the rest.
    pub(crate) fn of(no: i64) -> LastWord {
        LastWord { no, record: None, _counted: None }
    }

    /// Of one whose record goes along, unless too many wait to be heard.
    pub(crate) fn with(record: UploadRecord, at_hand: &AtHand) -> LastWord {
        if Arc::strong_count(&at_hand.0) > MOST_AT_HAND {
            return LastWord::of(record.no);
        }
        LastWord { no: record.no, record: Some(Arc::new(record)), _counted: Some(Arc::clone(&at_hand.0)) }
    }
}

/// Passes on which uploads have ended: their numbers, and what else is to be known of it. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Finished<T>(Arc<Mutex<Vec<UnboundedSender<T>>>>);

impl<T> Default for Finished<T> {
    fn default() -> Self {
        Finished(Arc::default())
    }
}

impl<T: Clone> Finished<T> {
    /// Hears of all that end from now on.
    pub(crate) fn listen(&self) -> UnboundedReceiver<T> {
        let (send, words) = unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(send);
        words
    }

    /// This upload has ended.
    pub(crate) fn tell(&self, ended: &T) {
        // Whoever no longer listens is left out from now on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|send| send.send(ended.clone()).is_ok());
    }
}
