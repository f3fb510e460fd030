//! What the window has not heard yet. Whoever changes something says so here; the pump takes it all at once.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// More changed rows than this and the window asks for its page again.
const MOST_ROWS: usize = 200;

/// Collected since the last [`ChangeBus::take`].
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) rows: BTreeSet<i64>,
    pub(crate) reload: bool,
    pub(crate) destinations: bool,
    pub(crate) folders: bool,
    pub(crate) lab: bool,
    pub(crate) scanning: u32,
}

/// Shared by all rooms of the engine.
#[derive(Debug, Default)]
pub(crate) struct ChangeBus {
    pending: Mutex<Pending>,
    wake: Notify,
}

impl ChangeBus {
    /// An upload changed.
    pub(crate) fn row(&self, no: i64) {
        self.change(|pending| {
            if pending.rows.len() < MOST_ROWS {
                pending.rows.insert(no);
            } else {
                pending.reload = true;
            }
        });
    }

    /// Rows came or went.
    pub(crate) fn reload(&self) {
        self.change(|pending| pending.reload = true);
    }

    /// Destinations changed.
    pub(crate) fn destinations(&self) {
        self.change(|pending| pending.destinations = true);
    }

    /// Watched folders changed.
    pub(crate) fn folders(&self) {
        self.change(|pending| pending.folders = true);
    }

    /// The lab got a request, or changed.
    pub(crate) fn lab(&self) {
        self.change(|pending| pending.lab = true);
    }

    /// Whether anything can be saved changed.
    pub(crate) fn store(&self) {
        self.change(|_| {});
    }

    /// A scan begins (+1) or has ended (-1).
    pub(crate) fn scanning(&self, by: i32) {
        self.change(|pending| pending.scanning = pending.scanning.saturating_add_signed(by));
    }

    /// Returns when something has changed since the last time.
    pub(crate) async fn changed(&self) {
        self.wake.notified().await;
    }

    /// Everything since the last time; running scans stay counted.
    pub(crate) fn take(&self) -> Pending {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let scanning = pending.scanning;
        std::mem::replace(&mut *pending, Pending { scanning, ..Pending::default() })
    }

    fn change(&self, with: impl FnOnce(&mut Pending)) {
        with(&mut self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        self.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn changes_before_anyone_listens_are_not_lost_and_floods_become_a_reload() {
        let bus = ChangeBus::default();
        bus.scanning(1);
        (0..500).for_each(|no| bus.row(no));
        bus.changed().await;
        let first = bus.take();
        assert_eq!((first.rows.len(), first.reload, first.scanning), (MOST_ROWS, true, 1));
        assert_eq!(bus.take(), Pending { scanning: 1, ..Pending::default() });
    }
}
