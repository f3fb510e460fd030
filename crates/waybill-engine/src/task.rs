//! The engine's one way to start background work: named, ended by one token, waited for at stop.

use std::future::Future;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Everything the engine has running.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    token: CancellationToken,
}

impl Tasks {
    /// Runs `future` until it ends by itself; it must watch [`Tasks::token`].
    pub(crate) fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        let span = tracing::debug_span!("task", name);
        self.tracker.spawn(future.instrument(span));
    }

    /// Cancelled when the engine stops.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Tells everything to end and returns when it has.
    pub(crate) async fn stop(&self) {
        self.token.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}
