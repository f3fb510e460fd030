//! The system's file events, boiled down to one hint: look at this folder again.

use std::path::Path;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};
use tokio::sync::mpsc;

use crate::error::Error;

/// Events closer together than this are one hint.
const TOGETHER: Duration = Duration::from_millis(300);

/// Watches for as long as it lives.
#[derive(Debug)]
pub(crate) struct Watcher {
    _debouncer: Debouncer<RecommendedWatcher, RecommendedCache>,
}

/// Starts watching `folder` and everything below it. The channel holds one hint: a scan looks at everything, so more
/// would tell nothing more, and events that the system drops cost only the wait for the next regular scan.
///
/// # Errors
/// `Watch`, with what the system said (for instance its limit on watches).
pub(crate) fn watch(folder: &Path) -> Result<(Watcher, mpsc::Receiver<()>), Error> {
    let (hint, hints) = mpsc::channel(1);
    let failed = |error: notify::Error| Error::Watch(format!("could not watch \"{}\": {error}", folder.display()));
    let mut debouncer = new_debouncer(TOGETHER, None, move |events: DebounceEventResult| {
        if !events.is_ok_and(|events| events.iter().all(|event| is_only_reading(&event.kind))) {
            // Full: a hint is already waiting. Closed: the scanner has ended.
            let _ = hint.try_send(());
        }
    })
    .map_err(failed)?;
    debouncer.watch(folder, RecursiveMode::Recursive).map_err(failed)?;
    Ok((Watcher { _debouncer: debouncer }, hints))
}

/// Reading changes nothing; and our own looks read, so that each would be a hint for the next.
fn is_only_reading(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if *access != AccessKind::Close(AccessMode::Write))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_a_file_is_no_hint_but_closing_a_written_one_is() {
        assert!(is_only_reading(&EventKind::Access(AccessKind::Open(AccessMode::Any))));
        assert!(!is_only_reading(&EventKind::Access(AccessKind::Close(AccessMode::Write))));
        assert!(!is_only_reading(&EventKind::Create(notify::event::CreateKind::File)));
    }
}
