//! What the window may ask: one line each over the engine's method of the same name, or over `saving` and `language`.

use std::path::PathBuf;

use tauri::{AppHandle, State, WebviewWindow};
use waybill_engine::view::{
    Added, AppInfo, CallbackProfileDraft, CallbackProfileForm, CallbackProfileView, CallbackStudy, CallbackStudyForm,
    CallbackTimes, CallbackTrial, ConnectionReport, Counts, DestinationForm, DestinationView, ImportedCallback,
    IpcError, LabAnswer, LabView, Limits, ResendPlan, ResendSelection, SignatureCheckForm, SignatureVerdict,
    SnippetLanguage, UploadDetails, UploadPage, UploadQuery, UploadSelection, WatchedFolderForm, WatchedFolderView,
    Wish,
};

use crate::language::Language;
use crate::saving;
use crate::shell::Shell;

type Answer<T> = Result<T, IpcError>;

fn ipc(error: waybill_engine::Error) -> IpcError {
    IpcError::from(&error)
}

#[tauri::command]
pub(crate) async fn app_info(shell: State<'_, Shell>) -> Answer<AppInfo> {
    Ok(shell.app_info().await)
}

#[tauri::command]
pub(crate) async fn list_uploads(shell: State<'_, Shell>, query: UploadQuery) -> Answer<UploadPage> {
    shell.engine.list_uploads(query).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn upload_details(shell: State<'_, Shell>, no: i64) -> Answer<UploadDetails> {
    shell.engine.upload_details(no).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn counts(shell: State<'_, Shell>) -> Answer<Counts> {
    shell.engine.counts().await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn add_paths(
    shell: State<'_, Shell>,
    paths: Vec<PathBuf>,
    destination_id: Option<String>,
    callback_profile_id: Option<String>,
) -> Answer<Added> {
    shell.engine.add_paths_asking(paths, destination_id, callback_profile_id).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn pause_upload(shell: State<'_, Shell>, no: i64) -> Answer<()> {
    shell.engine.pause(no).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn resume_upload(shell: State<'_, Shell>, no: i64) -> Answer<()> {
    shell.engine.resume(no).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn retry_upload(shell: State<'_, Shell>, no: i64) -> Answer<()> {
    shell.engine.retry(no).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn cancel_upload(shell: State<'_, Shell>, no: i64) -> Answer<()> {
    shell.engine.cancel(no).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn wish_many(shell: State<'_, Shell>, selection: UploadSelection, wish: Wish) -> Answer<()> {
    shell.engine.wish_many(selection, wish).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn pause_all(shell: State<'_, Shell>) -> Answer<()> {
    shell.engine.pause_all().await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn resume_all(shell: State<'_, Shell>) -> Answer<()> {
    shell.engine.resume_all().await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn retry_failed(shell: State<'_, Shell>) -> Answer<()> {
    shell.engine.retry_failed().await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn clear_finished(shell: State<'_, Shell>) -> Answer<()> {
    shell.engine.clear_finished().await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn list_destinations(shell: State<'_, Shell>) -> Answer<Vec<DestinationView>> {
    shell.engine.destinations().await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn save_destination(shell: State<'_, Shell>, form: DestinationForm) -> Answer<DestinationView> {
    shell.engine.save_destination(form).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn delete_destination(shell: State<'_, Shell>, id: String) -> Answer<()> {
    shell.engine.delete_destination(&id).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn set_current_destination(shell: State<'_, Shell>, id: String) -> Answer<()> {
    shell.engine.set_current_destination(&id).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn test_connection(shell: State<'_, Shell>, form: DestinationForm) -> Answer<ConnectionReport> {
    shell.engine.test_connection(form).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn list_watched_folders(shell: State<'_, Shell>) -> Answer<Vec<WatchedFolderView>> {
    shell.engine.watched_folders().await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn save_watched_folder(shell: State<'_, Shell>, form: WatchedFolderForm) -> Answer<WatchedFolderView> {
    shell.engine.save_watched_folder(form).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn delete_watched_folder(shell: State<'_, Shell>, id: String) -> Answer<()> {
    shell.engine.delete_watched_folder(&id).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn pause_watched_folder(shell: State<'_, Shell>, id: String, paused: bool) -> Answer<()> {
    shell.engine.pause_watched_folder(&id, paused).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn limits(shell: State<'_, Shell>) -> Answer<Limits> {
    shell.engine.limits().await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn save_limits(shell: State<'_, Shell>, limits: Limits) -> Answer<Limits> {
    shell.engine.save_limits(limits).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn list_callback_profiles(shell: State<'_, Shell>) -> Answer<Vec<CallbackProfileView>> {
    shell.engine.callback_profiles().await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn save_callback_profile(
    shell: State<'_, Shell>,
    draft: CallbackProfileDraft,
) -> Answer<CallbackProfileView> {
    shell.engine.save_callback_profile(draft).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn delete_callback_profile(shell: State<'_, Shell>, id: String) -> Answer<()> {
    shell.engine.delete_callback_profile(&id).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn study_callback(shell: State<'_, Shell>, form: CallbackStudyForm) -> Answer<CallbackStudy> {
    shell.engine.study_callback(form).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn import_callback(shell: State<'_, Shell>, text: String) -> Answer<ImportedCallback> {
    shell.engine.import_callback(&text).map_err(ipc)
}

#[tauri::command]
pub(crate) async fn export_callback(
    shell: State<'_, Shell>,
    form: CallbackProfileForm,
    language: SnippetLanguage,
) -> Answer<String> {
    shell.engine.export_callback(&form, language).map_err(ipc)
}

#[tauri::command]
pub(crate) async fn probe_server(shell: State<'_, Shell>, form: CallbackStudyForm) -> Answer<CallbackTrial> {
    shell.engine.probe_server(form).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn test_callback(
    shell: State<'_, Shell>,
    form: CallbackProfileForm,
    destination_id: Option<String>,
) -> Answer<CallbackTrial> {
    shell.engine.test_callback(form, destination_id).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn plan_resend(shell: State<'_, Shell>, no: i64) -> Answer<ResendPlan> {
    shell.engine.plan_resend(no).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn resend_callbacks(shell: State<'_, Shell>, selection: ResendSelection) -> Answer<i64> {
    shell.engine.resend_callbacks(selection).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn stop_resending(shell: State<'_, Shell>) -> Answer<i64> {
    Ok(shell.engine.stop_resending())
}

#[tauri::command]
pub(crate) async fn settle_callbacks(shell: State<'_, Shell>, nos: Vec<i64>) -> Answer<()> {
    shell.engine.settle_callbacks(nos).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn callback_times(shell: State<'_, Shell>, profile_id: Option<String>) -> Answer<CallbackTimes> {
    shell.engine.callback_times(profile_id).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn lab(shell: State<'_, Shell>) -> Answer<LabView> {
    Ok(shell.engine.lab())
}

#[tauri::command]
pub(crate) async fn start_lab(shell: State<'_, Shell>, port: i64) -> Answer<LabView> {
    shell.engine.start_lab(port).await.map_err(ipc)
}

#[tauri::command]
pub(crate) async fn stop_lab(shell: State<'_, Shell>) -> Answer<()> {
    shell.engine.stop_lab();
    Ok(())
}

#[tauri::command]
pub(crate) async fn set_lab_answer(shell: State<'_, Shell>, answer: LabAnswer) -> Answer<LabView> {
    shell.engine.set_lab_answer(answer).map_err(ipc)
}

#[tauri::command]
pub(crate) async fn clear_lab(shell: State<'_, Shell>) -> Answer<()> {
    shell.engine.clear_lab();
    Ok(())
}

#[tauri::command]
pub(crate) async fn check_signature(shell: State<'_, Shell>, form: SignatureCheckForm) -> Answer<SignatureVerdict> {
    shell.engine.check_signature(form).await.map_err(ipc)
}

/// The window says which language it speaks, by its tag.
#[tauri::command]
pub(crate) async fn set_language(app: AppHandle, shell: State<'_, Shell>, language: String) -> Answer<()> {
    shell.set_language(&app, Language::of_window(language));
    Ok(())
}

/// The path, if the user chose one.
#[tauri::command]
pub(crate) async fn save_text(window: WebviewWindow, name: String, text: String) -> Answer<Option<PathBuf>> {
    saving::save_text(&window, &name, text).await.map_err(ipc)
}

#[cfg(test)]
mod tests {
    /// Names of the functions above.
    fn own() -> Vec<&'static str> {
        let source = include_str!("commands.rs").split("#[cfg(test)]").next().unwrap_or_default();
        source.split("pub(crate) async fn ").skip(1).filter_map(|rest| rest.split('(').next()).collect()
    }

    #[test]
    fn each_command_is_registered_declared_and_allowed_by_its_own_name() {
        let (lib, build) = (include_str!("lib.rs"), include_str!("../build.rs"));
        let capability = include_str!("../capabilities/main.json");
        assert!(own().len() > 20, "the commands must be found in their source: {:?}", own());
        for name in own() {
            assert!(lib.contains(&format!("commands::{name},")), "{name} is not registered in lib.rs");
            assert!(build.contains(&format!("\"{name}\",")), "{name} is not declared in build.rs");
            let permission = format!("\"allow-{}\"", name.replace('_', "-"));
            assert!(capability.contains(&permission), "{permission} is missing in capabilities/main.json");
        }
        let allowed = capability.matches("\"allow-").count();
        assert_eq!(allowed, own().len(), "nothing but these commands is allowed");
        assert!(!capability.contains(":default"), "permissions are given one by one, never as a default set");
    }

    #[test]
    fn each_plugin_call_of_the_page_has_its_permission() {
        let page = include_str!("../../ui/src/backend/tauri.ts");
        let capability = include_str!("../capabilities/main.json");
        let known = [("open", "dialog:allow-open"), ("revealItemInDir", "opener:allow-reveal-item-in-dir")];
        let imports = page.lines().filter(|line| line.contains("@tauri-apps/plugin-"));
        let names: Vec<&str> = imports
            .filter_map(|line| line.split(['{', '}']).nth(1))
            .flat_map(|names| names.split(','))
            .map(str::trim)
            .collect();
        assert_eq!(names.len(), known.len(), "every call needs a permission named here: {names:?}");
        for (name, permission) in known {
            assert!(names.contains(&name), "{name} is no longer called; take {permission} away");
            assert!(capability.contains(permission), "{name} needs {permission}");
        }
    }
}
