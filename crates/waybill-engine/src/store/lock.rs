//! One process per data folder: an OS lock that dies with its holder, so no stale lock survives a crash.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::refusal::folder_error;
use crate::error::{Code, Error};

/// A process that was killed a moment ago may still hold the lock until its last thread is gone.
const PATIENCE: Duration = Duration::from_secs(1);

/// Held for as long as it lives. The lock is on `waybill.lock`; the holder's pid stands in `waybill.pid` beside it, since
/// Windows lets nobody read a locked file. A pid that is still there when nobody holds the lock is that of a holder which
/// did not end well.
#[derive(Debug)]
pub(crate) struct DataFolderLock {
    _file: File,
    pid: File,
    after_crash: bool,
}

impl DataFolderLock {
    /// Takes the lock and writes our pid.
    ///
    /// # Errors
    /// `DataFolderInUse` with the holder's pid, or `Store`.
    pub(crate) fn take(data_dir: &Path) -> Result<DataFolderLock, Error> {
        let store_error = |error: std::io::Error| folder_error("use", data_dir, &error);
        let open = |name: &str| {
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(data_dir.join(name))
        };
        let file = open("waybill.lock").map_err(store_error)?;
        let mut pid = open("waybill.pid").map_err(store_error)?;
        match lock_within(&file, PATIENCE) {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(store_error(error)),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Store {
                    code: Code::DataFolderInUse,
                    message: format!(
                        "the data folder \"{}\" is in use by another Waybill (process {})",
                        data_dir.display(),
                        read(&mut pid)
                    ),
                });
            }
        }
        let after_crash = !read(&mut pid).is_empty();
        pid.set_len(0).and_then(|()| pid.rewind()).map_err(store_error)?;
        write!(pid, "{}", std::process::id()).map_err(store_error)?;
        Ok(DataFolderLock { _file: file, pid, after_crash })
    }

    /// The holder before us did not say goodbye.
    pub(super) fn after_crash(&self) -> bool {
        self.after_crash
    }

    /// Writes below the pid where we can be reached.
    pub(super) fn announce(&self, address: &str) -> std::io::Result<()> {
        write!(&self.pid, "\n{address}")
    }

    /// Says goodbye: the database was closed and is whole.
    pub(super) fn ended_well(&self) {
        // A pid that stays only means that the next start looks closer.
        let _ = self.pid.set_len(0);
    }
}

/// The pid in the file; nothing if it cannot be read, since whoever asks can do without.
fn read(pid: &mut File) -> String {
    let mut text = String::new();
    let _ = pid.read_to_string(&mut text);
    text.lines().next().unwrap_or_default().trim().to_owned()
}

fn lock_within(file: &File, patience: Duration) -> Result<(), TryLockError> {
    let until = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(Duration::from_millis(20)),
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_holder_is_told_who_is_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataFolderLock::take(dir.path()).unwrap();
        let error = DataFolderLock::take(dir.path()).unwrap_err();
        assert_eq!(error.code(), Code::DataFolderInUse);
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        drop(first);
        DataFolderLock::take(dir.path()).unwrap();
    }

    #[test]
    fn a_holder_that_did_not_say_goodbye_is_noticed_by_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataFolderLock::take(dir.path()).unwrap();
        assert!(!first.after_crash());
        drop(first);
        let second = DataFolderLock::take(dir.path()).unwrap();
        assert!(second.after_crash());
        second.ended_well();
        drop(second);
        assert!(!DataFolderLock::take(dir.path()).unwrap().after_crash());
    }
}
