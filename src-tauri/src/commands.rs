//! What the window may ask: one line each over the engine's method of the same name.

use std::path::PathBuf;

use tauri::State;
use waybill_engine::view::{
    Added, AppInfo, ConnectionReport, Counts, DestinationForm, DestinationView, IpcError, UploadDetails, UploadPage,
    UploadQuery, WatchedFolderForm, WatchedFolderView,
};

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
) -> Answer<Added> {
    shell.engine.add_paths(paths, destination_id).await.map_err(ipc)
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
