//! One process per data folder: an OS lock that dies with its holder, so no stale lock survives a crash.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Code, Error};

/// A process that was killed a moment ago may still hold the lock until its last thread is gone.
const PATIENCE: Duration = Duration::from_secs(1);

/// Held for as long as it lives. The lock is on `waybill.lock`; the holder's pid stands in `waybill.pid` beside it, since
/// Windows lets nobody read a locked file.
#[derive(Debug)]
pub(crate) struct DataFolderLock {
    _file: File,
}

impl DataFolderLock {
    /// Takes the lock and writes our pid.
    ///
    /// # Errors
    /// `DataFolderInUse` with the holder's pid, or `Store`.
    pub(crate) fn take(data_dir: &Path) -> Result<DataFolderLock, Error> {
        let store_error = |error: std::io::Error| Error::Store {
            code: Code::Store,
            message: format!("could not use the data folder \"{}\": {error}", data_dir.display()),
        };
        let open = |name: &str| {
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(data_dir.join(name))
        };
        let file = open("waybill.lock").map_err(store_error)?;
        let mut pid = open("waybill.pid").map_err(store_error)?;
        match lock_within(&file, PATIENCE) {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(store_error(error)),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Without a pid the message is still true.
                let _ = pid.read_to_string(&mut holder);
                return Err(Error::Store {
                    code: Code::DataFolderInUse,
                    message: format!(
                        "the data folder \"{}\" is in use by another Waybill (process {})",
                        data_dir.display(),
                        holder.trim()
                    ),
                });
            }
        }
        pid.set_len(0).and_then(|()| pid.rewind()).map_err(store_error)?;
        write!(pid, "{}", std::process::id()).map_err(store_error)?;
        Ok(DataFolderLock { _file: file })
    }
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
}
