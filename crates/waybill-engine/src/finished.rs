//! Who hears of uploads that end: every command that waits for some of them, here or in another process.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

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
