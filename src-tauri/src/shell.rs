//! What one running window owns: the engine, the sandbox and the pump; how they start and how they end.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tauri::async_runtime::block_on;
use tauri::{AppHandle, Manager as _, WebviewWindowBuilder, Window, WindowEvent};
use tauri_plugin_dialog::{DialogExt as _, MessageDialogKind};
use waybill_engine::view::AppInfo;
use waybill_engine::{Engine, EngineConfig};
use waybill_sandbox::Sandbox;

use crate::language::Language;
use crate::{pump, sandbox, tray};

/// Label of the only window, as in `tauri.conf.json` and `capabilities/main.json`.
pub(crate) const MAIN: &str = "main";

/// How long quitting waits for the engine. What is not ended by then is taken up at the next start, as after a crash.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// The running program behind the window.
pub(crate) struct Shell {
    /// The product.
    pub(crate) engine: Engine,
    /// Something is uploading or waiting, so closing the window may mean the tray.
    pub(crate) busy: AtomicBool,
    /// Of what is said outside the window.
    language: Mutex<Language>,
    data_dir: PathBuf,
    sandbox_dir: Option<PathBuf>,
    /// Taken out once, when the program ends.
    sandbox: Mutex<Option<Sandbox>>,
}

impl Shell {
    /// Facts for Settings and the footer.
    pub(crate) async fn app_info(&self) -> AppInfo {
        AppInfo {
            version: env!("CARGO_PKG_VERSION").into(),
            data_dir: self.data_dir.to_string_lossy().into_owned(),
            keychain_problem: self.engine.keychain_problem().await,
            sandbox_dir: self.sandbox_dir.as_ref().map(|folder| folder.to_string_lossy().into_owned()),
        }
    }

    /// What notices and the tray are to speak.
    pub(crate) fn language(&self) -> Language {
        *lock(&self.language)
    }

    /// From now on they speak the window's language.
    pub(crate) fn set_language(&self, app: &AppHandle, language: Language) {
        let before = std::mem::replace(&mut *lock(&self.language), language);
        if before != language {
            tray::speak(app, language);
        }
    }
}

/// Starts the engine, the sandbox and the window. When the engine cannot start, a message says why and the program
/// ends with code 1 after it was read.
pub(crate) fn start(app: &AppHandle, data_dir: &Path) -> tauri::Result<()> {
    match block_on(Engine::start(EngineConfig::new(data_dir.to_path_buf()))) {
        Ok(engine) => open(app, engine, data_dir),
        Err(error) => {
            tracing::error!(%error, "the engine cannot start");
            let quit = app.clone();
            let (title, text) = Language::of_system().cannot_start(&error);
            app.dialog().message(text).title(title).kind(MessageDialogKind::Error).show(move |_| quit.exit(1));
            Ok(())
        }
    }
}

fn open(app: &AppHandle, engine: Engine, data_dir: &Path) -> tauri::Result<()> {
    let sandbox_dir = data_dir.join("sandbox");
    // Without its sandbox Waybill still serves every other destination.
    let sandbox = block_on(sandbox::start(&engine, &sandbox_dir))
        .inspect_err(|error| tracing::error!(error = error.as_str(), "the sandbox cannot start"))
        .ok();
    app.manage(Shell {
        engine: engine.clone(),
        busy: AtomicBool::new(false),
        language: Mutex::new(Language::of_system()),
        data_dir: data_dir.to_path_buf(),
        sandbox_dir: sandbox.is_some().then_some(sandbox_dir),
        sandbox: Mutex::new(sandbox),
    });
    pump::start(app.clone(), engine);
    let config = app.config().app.windows.iter().find(|window| window.label == MAIN).cloned().unwrap_or_default();
    WebviewWindowBuilder::from_config(app, &config)?.data_directory(data_dir.join("webview")).build()?;
    tray::start(app);
    Ok(())
}

/// Brings the window back from the tray, from behind, or from being minimised.
pub(crate) fn show_window(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(MAIN) {
        let shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
        if let Err(error) = shown {
            tracing::warn!(%error, "cannot bring the window to the front");
        }
    }
}

/// Closing the window goes on in the tray while uploads run, and quits otherwise: quitting is always safe.
pub(crate) fn on_window_event(window: &Window, event: &WindowEvent) {
    let WindowEvent::CloseRequested { api, .. } = event else {
        return;
    };
    let busy = window.try_state::<Shell>().is_some_and(|shell| shell.busy.load(Ordering::Relaxed));
    if busy && tray::exists(window.app_handle()) {
        match window.hide() {
            Ok(()) => api.prevent_close(),
            Err(error) => tracing::warn!(%error, "cannot hide the window, so it closes"),
        }
    }
}

/// Ends everything, at most [`STOP_LIMIT`] long. Called once, when the event loop has ended.
pub(crate) fn stop(app: &AppHandle) {
    let Some(shell) = app.try_state::<Shell>() else { return };
    let sandbox = lock(&shell.sandbox).take();
    let end = async {
        shell.engine.stop().await;
        if let Some(sandbox) = sandbox {
            sandbox.stop().await;
        }
    };
    let ended = block_on(async { tokio::time::timeout(STOP_LIMIT, end).await });
    if ended.is_err() {
        tracing::warn!("the engine did not end in time; the next start takes up what was open");
    }
}

/// A poisoned lock only means that another thread panicked; what it guards is still whole.
fn lock<T>(guarded: &Mutex<T>) -> MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}
