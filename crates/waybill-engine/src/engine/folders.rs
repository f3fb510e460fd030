//! What a user can do with watched folders.

use super::Engine;
use crate::error::Error;
use crate::view::{WatchedFolderForm, WatchedFolderView};

impl Engine {
    /// All watched folders.
    ///
    /// # Errors
    /// `Store`.
    pub async fn watched_folders(&self) -> Result<Vec<WatchedFolderView>, Error> {
        self.folders.all().await
    }

    /// Adds or changes a watched folder.
    ///
    /// # Errors
    /// `Invalid`, `Watch`, `Store`.
    pub async fn save_watched_folder(&self, form: WatchedFolderForm) -> Result<WatchedFolderView, Error> {
        self.folders.save(form).await
    }

    /// Stops watching a folder; its uploads stay.
    ///
    /// # Errors
    /// `Store`.
    pub async fn delete_watched_folder(&self, id: &str) -> Result<(), Error> {
        self.folders.delete(id).await
    }

    /// Stops or goes on watching.
    ///
    /// # Errors
    /// `Invalid`, `Store`.
    pub async fn pause_watched_folder(&self, id: &str, paused: bool) -> Result<(), Error> {
        self.folders.pause(id, paused).await
    }
}
