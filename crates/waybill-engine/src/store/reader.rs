//! The database read by a process that does not hold the data folder.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::migrations;
use super::refusal::Refusal;
use crate::error::Error;

/// Reads and nothing else.
#[derive(Debug)]
pub(crate) struct Reader {
    connection: Connection,
}

impl Reader {
    /// None if there is no database, or one of another shape than this program's.
    ///
    /// # Errors
    /// `Store`, `Damaged`.
    pub(crate) fn open(data_dir: &Path) -> Result<Option<Reader>, Error> {
        let path = data_dir.join("waybill.db");
        if !path.exists() {
            return Ok(None);
        }
        let opened = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        let reader = Reader { connection: opened.map_err(|error| Refusal::from(&error).into_error("open"))? };
        let current = reader.read(migrations::is_current)?;
        Ok(current.then_some(reader))
    }

    /// All that is read is of one moment.
    ///
    /// # Errors
    /// `Store`, `Damaged`.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let moment = self.connection.unchecked_transaction();
        moment.and_then(|moment| read(&moment)).map_err(|error| Refusal::from(&error).into_error("read"))
    }
}
