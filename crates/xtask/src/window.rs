//! The UI: its packages, and the built pages that the window carries.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::node;
use crate::steps::{must, root};

/// Folder of the UI.
pub(crate) fn folder() -> PathBuf {
    root().join("ui")
}

/// Installs packages and builds the pages, each only when something they are made from is newer.
pub(crate) fn build() -> Result<(), String> {
    let folder = folder();
    node::check()?;
    node::install(&folder)?;
    if is_stale(&folder) {
        must(&mut node::npm(&folder, &["run", "build"]), "npm run build")?;
    }
    Ok(())
}

/// Whether a source of the pages is newer than the pages.
fn is_stale(ui: &Path) -> bool {
    let Ok(built) = std::fs::metadata(ui.join("dist/index.html")).and_then(|data| data.modified()) else {
        return true;
    };
    newest(ui).is_none_or(|source| source >= built)
}

/// The newest file below a folder, but for what is made or installed there.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut newest = None;
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name == "node_modules" || name == "dist" {
            continue;
        }
        let time = match entry.file_type() {
            Ok(kind) if kind.is_dir() => self::newest(&entry.path()),
            _ => entry.metadata().and_then(|data| data.modified()).ok(),
        };
        newest = newest.max(time);
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_older_than_their_sources_are_built_again() -> std::io::Result<()> {
        let ui = std::env::temp_dir().join(format!("xtask-stale-{}", std::process::id()));
        std::fs::create_dir_all(ui.join("src"))?;
        std::fs::create_dir_all(ui.join("dist"))?;
        let at = |seconds| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        let write = |name: &str, seconds| {
            let file = std::fs::File::create(ui.join(name))?;
            file.set_modified(at(seconds))
        };
        write("src/main.ts", 100)?;
        assert!(is_stale(&ui), "nothing is built yet");
        write("dist/index.html", 200)?;
        assert!(!is_stale(&ui));
        write("src/main.ts", 300)?;
        assert!(is_stale(&ui), "a source has changed since");
        std::fs::remove_dir_all(&ui)
    }
}
