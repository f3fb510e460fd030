//! Who may send when: one permit per request in flight, over all uploads.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The pool of permits. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Throttle {
    permits: Arc<Semaphore>,
    parallel: usize,
}

/// The right to have one request in flight.
pub(crate) type Permit = OwnedSemaphorePermit;

impl Throttle {
    /// `parallel` requests at once (at least one).
    pub(crate) fn new(parallel: usize) -> Throttle {
        let parallel = parallel.max(1);
        Throttle { permits: Arc::new(Semaphore::new(parallel)), parallel }
    }

    /// Waits, in order of asking, for the right to send one request.
    pub(crate) async fn permit(&self) -> Permit {
        // The semaphore is never closed, so this cannot fail; waiting for ever would be the only other answer.
        match Arc::clone(&self.permits).acquire_owned().await {
            Ok(permit) => permit,
            Err(_) => std::future::pending().await,
        }
    }

    /// Requests at once.
    pub(crate) fn parallel(&self) -> usize {
        self.parallel
    }

    /// Uploads that may be under way at once: more than requests, so that one that waits for its callback does not keep
    /// the next from sending.
    pub(crate) fn slots(&self) -> usize {
        self.parallel + 2
    }
}
