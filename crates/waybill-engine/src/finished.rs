//! Who hears of uploads that end: every command that waits for some of them, here or in another process.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Passes on the numbers of uploads that became final. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Finished(Arc<Mutex<Vec<UnboundedSender<i64>>>>);

impl Finished {
    /// Hears of all that end from now on.
    pub(crate) fn listen(&self) -> UnboundedReceiver<i64> {
        let (send, numbers) = unbounded_channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(send);
        numbers
    }

    /// This upload has ended.
    pub(crate) fn tell(&self, no: i64) {
        // Whoever no longer listens is left out from now on.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|send| send.send(no).is_ok());
    }
}
