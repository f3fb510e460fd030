//! Who hears of uploads that end: every command that waits for some of them, here or in another process.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::store::uploads::UploadRecord;

/// An upload that has ended, and that was saved.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) no: i64,
    /// As it was saved, where that is at hand, so that whoever hears of it need not read it.
    pub(crate) record: Option<Arc<UploadRecord>>,
}

impl Ended {
    /// One whose row says the rest.
    pub(crate) fn of(no: i64) -> Ended {
        Ended { no, record: None }
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
        let (send, numbers) = unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(send);
        numbers
    }

    /// This upload has ended.
    pub(crate) fn tell(&self, ended: &T) {
        // Whoever no longer listens is left out from now on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|send| send.send(ended.clone()).is_ok());
    }
}
