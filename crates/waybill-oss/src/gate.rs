//! A gate before the last bytes of a body: what must be so before OSS can have the whole object.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

type Ask = Box<dyn FnOnce(u64) -> Answer + Send>;
type Answer = Pin<Box<dyn Future<Output = bool> + Send>>;

/// Asked once, when everything but the last bytes of a PutObject has gone out: with the CRC-64 of the whole body, and
/// before OSS can have stored anything. True lets the last bytes go; false ends the request, and nothing is stored.
///
/// The lock is never contended: a body must be `Sync`, what it waits for need not be.
pub struct Gate(Mutex<Ask>);

impl Gate {
    /// A gate that `ask` decides.
    pub fn new<F>(ask: impl FnOnce(u64) -> F + Send + 'static) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        Gate(Mutex::new(Box::new(move |crc64| Box::pin(ask(crc64)))))
    }

    /// Asks, and resolves to whether the last bytes may go.
    pub(crate) fn ask(self, crc64: u64) -> Asked {
        let ask = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        Asked(Mutex::new(ask(crc64)))
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

/// Where a call keeps its gate: whoever gets to the last chunk first takes it, so it is asked once however often the
/// call is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct GateSlot(Arc<Mutex<Option<Gate>>>);

impl GateSlot {
    pub(crate) fn holding(gate: Gate) -> Self {
        GateSlot(Arc::new(Mutex::new(Some(gate))))
    }

    /// The gate, if it is there still.
    pub(crate) fn take(&self) -> Option<Gate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether there is no gate, or it has been asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

/// The gate's answer, on its way.
pub(crate) struct Asked(Mutex<Answer>);

impl Future for Asked {
    type Output = bool;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let answer = self.get_mut().0.get_mut().unwrap_or_else(PoisonError::into_inner);
        answer.as_mut().poll(cx)
    }
}
