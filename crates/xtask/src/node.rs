//! Node and npm: whether they are there, and the packages of a folder, installed once for each lock file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::{answers, must};

/// The oldest Node that Vite runs on.
const OLDEST: (u32, u32) = (20, 19);

/// `npm` with arguments, in a folder.
pub(crate) fn npm(folder: &Path, arguments: &[&str]) -> Command {
    // On Windows npm is a script, which the system starts by its whole name only.
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.args(arguments).current_dir(folder);
    command
}

/// `npm ci`, without its advertisements.
pub(crate) fn npm_ci(folder: &Path) -> Command {
    npm(folder, &["ci", "--no-audit", "--no-fund"])
}

/// Whether Node is there and new enough; the error says what to do.
pub(crate) fn check() -> Result<(), String> {
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

/// Installs a folder's packages, unless they were installed from the lock file as it is now.
pub(crate) fn install(folder: &Path) -> Result<(), String> {
    if is_installed(folder) {
        return Ok(());
    }
    must(&mut npm_ci(folder), "npm ci")?;
    remember_installed(folder)
}

fn is_installed(folder: &Path) -> bool {
    let (lock, stamp) = (fs::read(folder.join("package-lock.json")), fs::read(stamp(folder)));
    matches!((lock, stamp), (Ok(lock), Ok(stamp)) if lock == stamp)
}

/// Keeps a copy of the lock file beside what was installed from it.
pub(crate) fn remember_installed(folder: &Path) -> Result<(), String> {
    let stamp = stamp(folder);
    fs::copy(folder.join("package-lock.json"), &stamp)
        .map(drop)
        .map_err(|error| format!("cannot write {}: {error}", stamp.display()))
}

fn stamp(folder: &Path) -> PathBuf {
    folder.join("node_modules/.xtask-installed.json")
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
    fn packages_of_another_lock_file_are_installed_again() -> std::io::Result<()> {
        let folder = std::env::temp_dir().join(format!("xtask-npm-{}", std::process::id()));
        fs::create_dir_all(folder.join("node_modules"))?;
        fs::write(folder.join("package-lock.json"), "1")?;
        assert!(!is_installed(&folder), "nothing is installed yet");
        assert_eq!(remember_installed(&folder), Ok(()));
        assert!(is_installed(&folder));
        fs::write(folder.join("package-lock.json"), "2")?;
        assert!(!is_installed(&folder));
        fs::remove_dir_all(&folder)
    }
}
