//! The UI: Node, its packages, and the built pages that the window carries.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::steps::{answers, must, root};

/// The oldest Node that Vite runs on.
const OLDEST: (u32, u32) = (20, 19);

/// Folder of the UI.
pub(crate) fn folder() -> PathBuf {
    root().join("ui")
}

/// `npm` with arguments, in the UI's folder.
pub(crate) fn npm(arguments: &[&str]) -> Command {
    // On Windows npm is a script, which the system starts by its whole name only.
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.args(arguments).current_dir(folder());
    command
}

/// `npm ci`, without its advertisements.
pub(crate) fn npm_ci() -> Command {
    npm(&["ci", "--no-audit", "--no-fund"])
}

/// Whether Node is there and new enough; the error says what to do.
pub(crate) fn check_node() -> Result<(), String> {
    let (major, minor) = OLDEST;
    let wanted = format!("Waybill's window is built with Node {major}.{minor} or newer (https://nodejs.org)");
    let Some(answer) = answers("node", &["--version"]) else {
        return Err(format!("{wanted}; there is no `node` on the PATH."));
    };
    match version(&answer) {
        Some(found) if found >= OLDEST => Ok(()),
        _ => Err(format!("{wanted}; `node --version` says {}.", answer.trim())),
    }
}

fn version(answer: &str) -> Option<(u32, u32)> {
    let mut numbers = answer.trim().trim_start_matches('v').split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Installs packages and builds the pages, each only when something they are made from is newer.
pub(crate) fn build() -> Result<(), String> {
    check_node()?;
    if !installed() {
        must(&mut npm_ci(), "npm ci")?;
        remember_installed()?;
    }
    if is_stale(&folder()) {
        must(&mut npm(&["run", "build"]), "npm run build")?;
    }
    Ok(())
}

/// Whether `node_modules` was installed from the lock file as it is now.
fn installed() -> bool {
    let lock = std::fs::read(folder().join("package-lock.json"));
    let stamp = std::fs::read(stamp());
    matches!((lock, stamp), (Ok(lock), Ok(stamp)) if lock == stamp)
}

/// Keeps a copy of the lock file beside what was installed from it.
pub(crate) fn remember_installed() -> Result<(), String> {
    std::fs::copy(folder().join("package-lock.json"), stamp())
        .map(drop)
        .map_err(|error| format!("cannot write {}: {error}", stamp().display()))
}

fn stamp() -> PathBuf {
    folder().join("node_modules/.xtask-installed.json")
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
    fn a_node_that_is_too_old_is_told_from_one_that_is_not() {
        assert!(version("v20.18.3\n") < Some(OLDEST));
        assert!(version("v18.20.8") < Some(OLDEST));
        assert!(version("v20.19.0") >= Some(OLDEST));
        assert!(version("v22.1.0\n") >= Some(OLDEST), "the minor counts only within its major");
        assert_eq!(version("nonsense"), None);
    }

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
