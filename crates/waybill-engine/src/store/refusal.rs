//! Why SQLite, or the folder it lies in, refused: as a code to act on and a reason in words.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::{Code, Error};

/// Why something could not be read or saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(super) code: Code,
    pub(super) reason: String,
    /// The disk or the file refused, so every other write would meet it too.
    pub(super) of_the_disk: bool,
}

impl From<&rusqlite::Error> for Refusal {
    fn from(error: &rusqlite::Error) -> Self {
        let (code, of_the_disk) = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => (Code::DiskFull, true),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (Code::ReadOnly, true),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (Code::Damaged, true),
            Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::DatabaseBusy) => (Code::Store, true),
            _ => (Code::Store, false),
        };
        Refusal { code, reason: error.to_string(), of_the_disk }
    }
}

impl Refusal {
    /// SQLite has rolled the group back by itself, as it does when the disk is full.
    pub(super) fn of_an_earlier_write() -> Refusal {
        Refusal { code: Code::DiskFull, reason: "the disk refused an earlier write".into(), of_the_disk: true }
    }

    /// In words, for whoever wanted `doing`.
    pub(super) fn into_error(self, doing: &str) -> Error {
        Error::Store { code: self.code, message: format!("could not {doing} waybill.db: {}", self.reason) }
    }
}

/// A folder that cannot be used, or a file in it.
pub(super) fn folder_error(doing: &str, folder: &Path, error: &io::Error) -> Error {
    let (code, next) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (Code::DiskFull, "Make room on this disk; your files and what OSS has stored are untouched")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => (
            Code::ReadOnly,
            "Allow writing there, or name another data folder; your files and what OSS has stored are untouched",
        ),
        _ => (Code::Store, "Your files and what OSS has stored are untouched"),
    };
    let message = format!("could not {doing} the data folder \"{}\": {error}. {next}.", folder.display());
    Error::Store { code, message }
}
