//! Watched folders of a TestBed.

use std::path::{Path, PathBuf};

use waybill_engine::view::{
    Filter, Phase, Scope, UploadDetails, UploadQuery, UploadRow, WatchedFolderForm, WatchedFolderView,
};

use crate::{DESTINATION, TestBed};

impl TestBed {
    /// An empty folder below `files/`.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.dir.path().join("files").join(name);
        std::fs::create_dir_all(&path).expect("a folder");
        path
    }

    /// Watches a folder; `existing` says whether what is in it already goes up too.
    pub async fn watch(&self, folder: &Path, existing: bool) -> WatchedFolderView {
        let form = WatchedFolderForm {
            id: None,
            path: folder.to_str().expect("a path in Unicode").into(),
            destination_id: DESTINATION.into(),
            prefix: String::new(),
            callback_profile_id: None,
            include_existing: existing,
        };
        self.engine().save_watched_folder(form).await.expect("the folder is watched")
    }

    /// Waits until `wanted` is true of a watched folder.
    pub async fn until_folder(
        &self,
        id: &str,
        what: &str,
        wanted: impl Fn(&WatchedFolderView) -> bool,
    ) -> WatchedFolderView {
        let look = async || {
            let folders = self.engine().watched_folders().await.expect("the folders");
            folders.into_iter().find(|folder| folder.id == id).filter(&wanted)
        };
        self.look_for(what, look).await
    }

    /// Everything ever queued (up to 500), newest batch first.
    pub async fn rows(&self) -> Vec<UploadRow> {
        self.list(Scope::Transfers).await
    }

    /// One of the two lists (up to 500 rows).
    pub async fn list(&self, scope: Scope) -> Vec<UploadRow> {
        let query = UploadQuery { scope, filter: Filter::All, search: String::new(), after: None, limit: 500 };
        self.engine().list_uploads(query).await.expect("the list").rows
    }

    /// Names of everything queued so far, sorted.
    pub async fn queued_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.rows().await.into_iter().map(|row| row.name).collect();
        names.sort();
        names
    }

    /// Waits until the file at `path` has been queued `times` times and each of these uploads is stored; the newest.
    pub async fn arrived(&self, path: &Path, times: usize) -> UploadDetails {
        let path = path.to_str().expect("a path in Unicode");
        let look = async || {
            let rows = self.rows().await;
            let mut mine = rows.iter().filter(|row| row.path == path);
            let stored = mine.clone().filter(|row| row.phase == Phase::Done).count();
            mine.next().filter(|_| stored >= times).map(|row| row.no)
        };
        let no = self.look_for(&format!("{path} stored {times} times"), look).await;
        self.details(no).await
    }

    /// Writes a file into a watched folder and waits until it is stored: whatever was in the folder long enough before
    /// has then been looked at, and either goes up or does not.
    pub async fn marker(&self, folder: &Path, name: &str) {
        let path = folder.join(name);
        std::fs::write(&path, name).expect("the marker is written");
        self.arrived(&path, 1).await;
    }
}
