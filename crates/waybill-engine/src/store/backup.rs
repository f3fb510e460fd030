//! A copy of the database before its shape is changed: checked, on disk for good, and only the newest few are kept.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::{Connection, OpenFlags};

use super::refusal::Refusal;
use crate::error::{Code, Error};

/// Backups that stay.
const KEPT: usize = 3;
const NAME: &str = "waybill.db.before-v";

/// Copies the database at `path`, which has this version, to `waybill.db.before-v<version>` beside it.
///
/// # Errors
/// `DiskFull`, `ReadOnly` or `Store`; the database is as it was.
pub(super) fn make(connection: &Connection, path: &Path, version: i64) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    let target = folder.join(format!("{NAME}{version}"));
    let part = folder.join(format!("{NAME}{version}.part"));
    let made = copy(connection, &part, version).and_then(|()| settle(&part, &target, folder));
    if let Err(refusal) = made {
        // What is half of a copy is of no use to anybody.
        let _ = fs::remove_file(&part);
        return Err(Error::Store {
            code: refusal.code,
            message: format!(
                "could not back waybill.db up before changing it for this version: {}. Nothing was changed; make room \
                 in \"{}\" for a copy and start again.",
                refusal.reason,
                folder.display()
            ),
        });
    }
    for old in all(folder).into_iter().skip(KEPT) {
        // One more than wanted harms nobody.
        let _ = fs::remove_file(old);
    }
    Ok(())
}

/// The newest backup in this folder.
pub(super) fn newest(folder: &Path) -> Option<PathBuf> {
    all(folder).into_iter().next()
}

fn copy(connection: &Connection, part: &Path, version: i64) -> Result<(), Refusal> {
    // Left behind by a start that was cut short.
    let _ = fs::remove_file(part);
    let doing = |error: rusqlite::Error| Refusal::from(&error);
    connection.execute("VACUUM INTO ?1", [part.to_string_lossy()]).map_err(doing)?;
    let copied = Connection::open_with_flags(part, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(doing)?;
    let whole: String = copied.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(doing)?;
    let same: i64 = copied.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(doing)?;
    if whole == "ok" && same == version {
        return Ok(());
    }
    Err(Refusal { code: Code::Store, reason: format!("the copy is not whole ({whole})"), of_the_disk: true })
}

fn settle(part: &Path, target: &Path, folder: &Path) -> Result<(), Refusal> {
    let settled = || {
        // Writable, since Windows flushes nothing else.
        fs::OpenOptions::new().write(true).open(part)?.sync_all()?;
        fs::rename(part, target)?;
        sync_folder(folder)
    };
    settled().map_err(|error: io::Error| Refusal { code: Code::Store, reason: error.to_string(), of_the_disk: true })
}

/// A name is on disk for good only when its folder is.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Newest first.
fn all(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(SystemTime, PathBuf)> = entries
        .filter(|entry| {
            let name = entry.file_name();
            let version = name.to_str().and_then(|name| name.strip_prefix(NAME));
            version.is_some_and(|version| version.parse::<i64>().is_ok())
        })
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}
