//! From the engine to the window: each batch of changes as one `changes` event, at most five a second.

use std::sync::atomic::Ordering;

use tauri::async_runtime::spawn;
use tauri::{AppHandle, Emitter as _, Manager as _};
use tauri_plugin_notification::NotificationExt as _;
use waybill_engine::Engine;

use crate::notice::Round;
use crate::shell::{MAIN, Shell};

/// Passes batches on until the engine stops. The engine sets the pace.
pub(crate) fn start(app: AppHandle, engine: Engine) {
    spawn(async move {
        let (mut round, shell) = (Round::default(), app.state::<Shell>());
        while let Some(changes) = engine.next_changes().await {
            let busy = changes.counts.uploading + changes.counts.waiting > 0;
            shell.busy.store(busy, Ordering::Relaxed);
            if let Some(sentence) = round.step(&changes.counts, shell.language()) {
                notify(&app, &sentence);
            }
            if let Err(error) = app.emit_to(MAIN, "changes", &changes) {
                tracing::warn!(%error, "cannot tell the window what changed");
            }
        }
    });
}

/// Says that a batch has ended, unless the user is looking at it.
fn notify(app: &AppHandle, sentence: &str) {
    let looking = app.get_webview_window(MAIN).is_some_and(|window| window.is_focused().unwrap_or(false));
    if looking {
        return;
    }
    if let Err(error) = app.notification().builder().title("Waybill").body(sentence).show() {
        tracing::info!(%error, "the system shows no notifications");
    }
}
