//! Opening the database: looked over after a crash, and one that is damaged is set aside, never replaced without a word.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::refusal::{Refusal, folder_error};
use super::{backup, batch_index, migrations, prepare};
use crate::error::{Code, Error};

/// A database's log, what its readers share, and itself: last, so that while something is left to be moved, the next
/// start finds it damaged again.
const ALL: [&str; 3] = ["-wal", "-shm", ""];

/// Opens `waybill.db` in this folder and brings it to this program's shape. `after_crash`: whoever had it last did not
/// close it, so the whole of it is looked over; else its head is, which costs nothing.
///
/// # Errors
/// `Damaged`, and the database is set aside; `DiskFull`, `ReadOnly`, `Store`, and it is as it was.
pub(super) fn open(data_dir: &Path, after_crash: bool) -> Result<Connection, Error> {
    let path = data_dir.join("waybill.db");
    let log_left = size_of(&beside(&path, ALL[0])) > 0;
    match look_over(&path, after_crash || log_left) {
        Ok(()) if size_of(&path) == 0 && log_left => {
            // SQLite would throw the log away as that of another database.
            return Err(set_aside(&path, "the file is gone or empty, only its log is left"));
        }
        Ok(()) => {}
        Err(refusal) if refusal.code == Code::Damaged => return Err(set_aside(&path, &refusal.reason)),
        Err(refusal) => return Err(refusal.into_error("open")),
    }
    let mut connection = Connection::open(&path).map_err(|error| Refusal::from(&error).into_error("open"))?;
    prepare(&connection).map_err(|error| Refusal::from(&error).into_error("open"))?;
    migrations::migrate(&mut connection, &path)?;
    batch_index::drop_all(&connection).map_err(|error| Refusal::from(&error).into_error("tidy"))?;
    Ok(connection)
}

/// On a connection that cannot write, so that one which is damaged stays exactly as it was found.
fn look_over(path: &Path, thoroughly: bool) -> Result<(), Refusal> {
    if size_of(path) == 0 {
        return Ok(());
    }
    let looked = || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        if thoroughly {
            return connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        }
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok("ok".to_owned()))
    };
    match looked() {
        Ok(answer) if answer == "ok" => Ok(()),
        Ok(answer) => Err(Refusal { code: Code::Damaged, reason: answer, of_the_disk: true }),
        Err(error) => Err(Refusal::from(&error)),
    }
}

/// Moves a damaged database out of the way, all of it, and says what happened, what is safe, and what now.
fn set_aside(path: &Path, reason: &str) -> Error {
    let folder = path.parent().unwrap_or(path);
    let now = jiff::Zoned::now().strftime("%Y-%m-%dT%H-%M-%S").to_string();
    let mut target = folder.join(format!("waybill.db.damaged-{now}"));
    while ALL.iter().any(|ending| beside(&target, ending).exists()) {
        target = beside(&target, ".again");
    }
    for ending in ALL {
        match fs::rename(beside(path, ending), beside(&target, ending)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return folder_error("set a damaged waybill.db aside in", folder, &error);
            }
            _ => {}
        }
    }
    let backup = match backup::newest(folder) {
        Some(backup) => format!(
            "The newest backup is \"{}\": copied to \"waybill.db\" before the next start, it brings that record back, \
             and what has been stored since then would be sent once more.",
            backup.display()
        ),
        None => "There is no backup of it.".to_owned(),
    };
    Error::Store {
        code: Code::Damaged,
        message: format!(
            "waybill.db is damaged ({reason}) and was set aside as \"{}\"; nothing was deleted. Your files are safe: those \
             on disk were not touched, and what OSS has stored stays stored. Waybill's own record is in that file: \
             destinations, watched folders, the queue and the history. {backup} Started again as it is, Waybill begins \
             with an empty record.",
            target.display()
        ),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn size_of(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
