//! Generates the window's context, and one permission for each of our own commands.

/// Every command of `src/commands.rs`; `capabilities/main.json` allows each by name (`allow-list-uploads`, …).
const COMMANDS: &[&str] = &[
    "app_info",
    "list_uploads",
    "upload_details",
    "counts",
    "add_paths",
    "pause_upload",
    "resume_upload",
    "retry_upload",
    "cancel_upload",
    "wish_many",
    "pause_all",
    "resume_all",
    "retry_failed",
    "clear_finished",
    "list_destinations",
    "save_destination",
    "delete_destination",
    "set_current_destination",
    "test_connection",
    "list_watched_folders",
    "save_watched_folder",
    "delete_watched_folder",
    "pause_watched_folder",
    "limits",
    "save_limits",
    "list_callback_profiles",
    "save_callback_profile",
    "delete_callback_profile",
    "study_callback",
    "import_callback",
    "export_callback",
    "probe_server",
    "test_callback",
    "plan_resend",
    "resend_callbacks",
    "stop_resending",
    "settle_callbacks",
    "callback_times",
    "lab",
    "start_lab",
    "stop_lab",
    "set_lab_answer",
    "clear_lab",
    "check_signature",
    "set_language",
    "save_text",
];

fn main() {
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)) {
        panic!("cannot prepare the window: {error:#}");
    }
}
