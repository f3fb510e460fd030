//! The engine's one way to start background work: named, ended by one token, waited for at stop.
//!
//! It runs on a thread of its own, apart from the window's: one is enough for more than any line carries, and wakes nobody
//! to hand over small files. What blocks goes to the pool beside it.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Threads that read files at once. A disk that hangs keeps some of them; the others go on.
const BLOCKING: usize = 64;
/// Idle ones end soon: each keeps some memory.
const KEEP_ALIVE: Duration = Duration::from_secs(2);
/// How long the end waits for a file that cannot be read.
const LAST_READS: Duration = Duration::from_secs(2);

/// Everything the engine has running.
#[derive(Clone, Debug)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    token: CancellationToken,
    runtime: Handle,
    /// Everything has ended, and the thread may.
    over: CancellationToken,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl Tasks {
    /// Starts the thread.
    ///
    /// # Errors
    /// What the system says when there is no thread to be had.
    pub(crate) fn start() -> std::io::Result<Tasks> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .thread_name("waybill-files")
            .max_blocking_threads(BLOCKING)
            .thread_keep_alive(KEEP_ALIVE)
            .build()?;
        let (handle, over) = (runtime.handle().clone(), CancellationToken::new());
        let until = over.clone();
        let thread = std::thread::Builder::new().name("waybill-engine".into()).spawn(move || {
            runtime.block_on(until.cancelled());
            runtime.shutdown_timeout(LAST_READS);
        })?;
        Ok(Tasks {
            tracker: TaskTracker::new(),
            token: CancellationToken::new(),
            runtime: handle,
            over,
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Runs `future` until it ends by itself; it must watch [`Tasks::token`].
    pub(crate) fn spawn(&self, name: &'static str, future: impl Future<Output = ()> + Send + 'static) {
        let span = tracing::debug_span!("task", name);
        self.tracker.spawn_on(future.instrument(span), &self.runtime);
    }

    /// Makes something that has to be woken, a socket for instance, where it will be used.
    pub(crate) fn make<T>(&self, make: impl FnOnce() -> T) -> T {
        let _inside = self.runtime.enter();
        make()
    }

    /// Cancelled when the engine stops.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Tells everything to end and returns when it has, and the thread with it.
    pub(crate) async fn stop(&self) {
        self.token.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        self.over.cancel();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the thread has been reported by its own hook.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}
