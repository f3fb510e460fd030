//! The window: wiring between the engine and the webview.
//!
//! Layout: `options` (command line) · `shell` (what one running window owns: start, stop, close) · `sandbox` (the built-in
//! destination) · `commands` (one-liners over the engine) · `saving` (text into a file of the user's choice) · `pump`
//! (engine → UI) · `notice` (end of a batch) · `tray` · `language` (of what is said outside the window).

mod commands;
mod language;
mod notice;
mod options;
mod pump;
mod sandbox;
mod saving;
mod shell;
mod tray;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use tauri::{RunEvent, Wry};
use tauri_plugin_log::{Target, TargetKind, log::LevelFilter};
use tauri_plugin_window_state::StateFlags;

use crate::options::Options;

/// Runs the window until it is closed or quit; the answer is the program's exit code.
pub fn run() -> ExitCode {
    let options = match Options::read(std::env::args_os().skip(1)) {
        Ok(options) => options,
        Err(message) => return say_and_fail(&message),
    };
    if let Err(message) = options::display() {
        return say_and_fail(&message);
    }
    match build(&options) {
        Ok(app) => {
            let code = app.run_return(on_run_event);
            ExitCode::from(u8::try_from(code).unwrap_or(1))
        }
        Err(error) => say_and_fail(&format!("Waybill cannot open its window: {error}")),
    }
}

fn build(options: &Options) -> tauri::Result<tauri::App> {
    let mut builder = tauri::Builder::default();
    // A moved data folder is another Waybill (tests start several); the engine's lock keeps one folder to one process.
    if !options.moved {
        // First of the plugins: a second start must end before anything else begins.
        builder = builder.plugin(tauri_plugin_single_instance::init(|app, _, _| shell::show_window(app)));
    }
    let data_dir = options.data_dir.clone();
    builder
        .plugin(log_plugin(&options.data_dir))
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_opener::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(window_state_plugin(&options.data_dir))
        .invoke_handler(tauri::generate_handler![
            commands::app_info,
            commands::list_uploads,
            commands::upload_details,
            commands::counts,
            commands::add_paths,
            commands::pause_upload,
            commands::resume_upload,
            commands::retry_upload,
            commands::cancel_upload,
            commands::wish_many,
            commands::pause_all,
            commands::resume_all,
            commands::retry_failed,
            commands::clear_finished,
            commands::list_destinations,
            commands::save_destination,
            commands::delete_destination,
            commands::set_current_destination,
            commands::test_connection,
            commands::list_watched_folders,
            commands::save_watched_folder,
            commands::delete_watched_folder,
            commands::pause_watched_folder,
            commands::limits,
            commands::save_limits,
            commands::list_callback_profiles,
            commands::save_callback_profile,
            commands::delete_callback_profile,
            commands::study_callback,
            commands::import_callback,
            commands::export_callback,
            commands::probe_server,
            commands::test_callback,
            commands::plan_resend,
            commands::resend_callbacks,
            commands::stop_resending,
            commands::settle_callbacks,
            commands::callback_times,
            commands::lab,
            commands::start_lab,
            commands::stop_lab,
            commands::set_lab_answer,
            commands::clear_lab,
            commands::check_signature,
            commands::set_language,
            commands::save_text,
        ])
        .setup(move |app| shell::start(app.handle(), &data_dir).map_err(Into::into))
        .on_window_event(shell::on_window_event)
        .build(tauri::generate_context!())
}

fn on_run_event(app: &tauri::AppHandle, event: RunEvent) {
    match event {
        RunEvent::Exit => shell::stop(app),
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => shell::show_window(app),
        _ => {}
    }
}

/// The log goes to `logs/waybill.log` in the data folder, and to stderr for whoever started us from a terminal.
fn log_plugin(data_dir: &Path) -> tauri::plugin::TauriPlugin<Wry> {
    let folder = data_dir.join("logs");
    let mut targets = vec![Target::new(TargetKind::Stderr)];
    // When the folder cannot be made, the engine's own start says so in words; the log alone must not end the program.
    if std::fs::create_dir_all(&folder).is_ok() {
        targets.push(Target::new(TargetKind::Folder { path: folder, file_name: Some("waybill".into()) }));
    }
    // Only our own rooms at `info`: at that level the libraries below us (zbus, for one) write down what goes over their
    // wires, and the keychain's secrets go over the bus.
    let mut log = tauri_plugin_log::Builder::new().level(LevelFilter::Warn).targets(targets);
    for room in ["waybill_app_lib", "waybill_engine", "waybill_oss", "waybill_sandbox"] {
        log = log.level_for(room, LevelFilter::Info);
    }
    log.build()
}

/// Size and place of the window, kept in the data folder; a window hidden to the tray is shown at the next start.
fn window_state_plugin(data_dir: &Path) -> tauri::plugin::TauriPlugin<Wry> {
    tauri_plugin_window_state::Builder::default()
        .with_state_flags(StateFlags::all() - StateFlags::VISIBLE)
        .with_filename(data_dir.join("window.json").to_string_lossy())
        .build()
}

fn say_and_fail(message: &str) -> ExitCode {
    // Nothing is left to be done when even stderr is gone.
    let _ = writeln!(std::io::stderr(), "{message}");
    ExitCode::FAILURE
}
