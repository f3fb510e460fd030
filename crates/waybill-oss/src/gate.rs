//! A gate before the last bytes of a body: what must be so before OSS can have the whole object.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{FutureExt as _, Shared};

type Ask = Box<dyn FnOnce(u64) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send>;

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
        ask(crc64).shared()
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

/// The gate's answer, on its way. It is shared: a body that was refused while it waited may still be there when the next
/// one gets to the gate.
pub(crate) type Asked = Shared<Pin<Box<dyn Future<Output = bool> + Send>>>;

/// Where a call keeps its gate, which is asked once however often the call is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct GateSlot(Arc<Mutex<Slot>>);

#[derive(Debug, Default)]
enum Slot {
    #[default]
    Free,
    Kept(Gate),
    /// It was asked for a body with this CRC-64.
    Asked(u64, Asked),
}

impl GateSlot {
    pub(crate) fn holding(gate: Gate) -> Self {
        GateSlot(Arc::new(Mutex::new(Slot::Kept(gate))))
    }

    /// What the gate says of a body with this CRC-64; none where there is no gate. The first body asks, and what it is
    /// told counts for the same bytes only.
    pub(crate) fn ask(&self, crc64: u64) -> Option<Asked> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = match std::mem::take(&mut *slot) {
            Slot::Free => return None,
            Slot::Kept(gate) => Slot::Asked(crc64, gate.ask(crc64)),
            asked => asked,
        };
        let Slot::Asked(opened_for, answer) = &asked else { return None };
        let same = *opened_for == crc64;
        let answer = if same { answer.clone() } else { std::future::ready(false).boxed().shared() };
        *slot = asked;
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_gate_is_asked_once_and_its_answer_counts_for_the_same_bytes_only() {
        let (told, answer) = tokio::sync::oneshot::channel();
        let slot = GateSlot::holding(Gate::new(|_| async { answer.await.unwrap_or(false) }));
        let (first, again, other) = (slot.ask(7), slot.ask(7), slot.ask(8));
        let (first, again) = (first.expect("a gate"), again.expect("a gate"));
        assert!(first.clone().now_or_never().is_none(), "nothing was told yet");
        drop(first);
        told.send(true).expect("somebody waits");
        assert!(again.await && !other.expect("a gate").await);
        assert!(GateSlot::default().ask(7).is_none());
    }
}
