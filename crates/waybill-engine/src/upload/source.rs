//! The local file: opening it, and telling whether it is still the one we planned with.

use std::fs::{File, Metadata};
use std::path::Path;
use std::time::UNIX_EPOCH;

pub(crate) use super::plan::SourceStamp;
use crate::error::{Code, Error};

impl SourceStamp {
    /// Reads it off a file's metadata.
    pub(crate) fn of(metadata: &Metadata) -> SourceStamp {
        SourceStamp {
            size_bytes: metadata.len(),
            modified_ns: metadata.modified().map(nanoseconds).unwrap_or(0),
            file_id: file_id(metadata),
        }
    }
}

/// Opens a regular file for reading and stamps it through the same handle.
///
/// # Errors
/// `SourceGone`, `SourceUnreadable` or `NotAFile`, naming the path.
pub(crate) fn open(path: &Path) -> Result<(File, SourceStamp), Error> {
    // Looked at before it is opened: opening a named pipe would wait for a writer.
    let metadata = std::fs::metadata(path).map_err(|error| io_error("look at", path, &error))?;
    if !metadata.is_file() {
        return Err(Error::Source { code: Code::NotAFile, message: format!("\"{}\" is not a file", path.display()) });
    }
    let file = File::open(path).map_err(|error| io_error("open", path, &error))?;
    let metadata = file.metadata().map_err(|error| io_error("look at", path, &error))?;
    Ok((file, SourceStamp::of(&metadata)))
}

/// Whether the system tells what can be opened without waiting.
pub(crate) const OPENS_NOW: bool = cfg!(target_os = "linux");

/// As [`open`] where nothing has to be waited for: what a name leads to lies in the system's memory, and it is a regular file.
/// None where the disk or a server would have to be asked, and for whatever [`open`] has to say words about.
#[cfg(target_os = "linux")]
pub(crate) fn open_now(path: &Path) -> Option<(File, SourceStamp)> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    // Not blocking: a named pipe would wait for a writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = File::from(openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED).ok()?);
    let metadata = file.metadata().ok().filter(Metadata::is_file)?;
    Some((file, SourceStamp::of(&metadata)))
}

/// Whether what was read through this handle at once is what `stamp` says.
pub(crate) fn is_as_opened(file: &File, stamp: SourceStamp) -> bool {
    file.metadata().is_ok_and(|metadata| SourceStamp::of(&metadata) == stamp)
}

/// Whether the file at `path` is known to be what `stamp` says, without waiting; if not, [`check`] finds out.
#[cfg(target_os = "linux")]
pub(crate) fn is_unchanged_now(path: &Path, stamp: SourceStamp) -> bool {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    let named = openat2(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::CACHED);
    let metadata = named.ok().and_then(|named| File::from(named).metadata().ok());
    metadata.is_some_and(|metadata| SourceStamp::of(&metadata) == stamp)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn open_now(_: &Path) -> Option<(File, SourceStamp)> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn is_unchanged_now(_: &Path, _: SourceStamp) -> bool {
    false
}

/// The refusal of a file that no multipart upload can hold, with the figures.
pub(crate) fn too_large(path: &Path, size_bytes: u64) -> Error {
    let tib = size_bytes as f64 / (1u64 << 40) as f64;
    Error::Source {
        code: Code::TooLarge,
        message: format!(
            "\"{}\" has {size_bytes} bytes ({tib:.1} TiB); OSS takes objects of up to 48.8 TB in 10,000 parts",
            path.display()
        ),
    }
}

/// Fails if the file at `path` is no longer what `stamp` says.
///
/// # Errors
/// `SourceChanged`, `SourceGone` or `SourceUnreadable`.
pub(crate) fn check(path: &Path, stamp: SourceStamp) -> Result<(), Error> {
    let metadata = std::fs::metadata(path).map_err(|error| io_error("look at", path, &error))?;
    if SourceStamp::of(&metadata) == stamp {
        return Ok(());
    }
    Err(Error::Source {
        code: Code::SourceChanged,
        message: format!("\"{}\" changed while it was being uploaded", path.display()),
    })
}

/// The words and code for an I/O error on a local path.
pub(crate) fn io_error(doing: &str, path: &Path, error: &std::io::Error) -> Error {
    let code = match error.kind() {
        std::io::ErrorKind::NotFound => Code::SourceGone,
        // ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION: somebody is still writing it.
        _ if cfg!(windows) && matches!(error.raw_os_error(), Some(32 | 33)) => Code::SourceChanged,
        _ => Code::SourceUnreadable,
    };
    Error::Source { code, message: format!("could not {doing} \"{}\": {error}", path.display()) }
}

fn nanoseconds(time: std::time::SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |ns| -ns),
    }
}

#[cfg(unix)]
fn file_id(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn file_id(_: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_replaced_by_one_of_the_same_size_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "one").unwrap();
        let (_file, stamp) = open(&path).unwrap();
        check(&path, stamp).unwrap();
        let other = dir.path().join("b");
        std::fs::write(&other, "two").unwrap();
        std::fs::rename(&other, &path).unwrap();
        assert_eq!(check(&path, stamp).unwrap_err().code(), Code::SourceChanged);
    }

    #[test]
    fn a_missing_file_a_folder_and_a_pipe_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(open(&dir.path().join("none")).unwrap_err().code(), Code::SourceGone);
        assert_eq!(open(dir.path()).unwrap_err().code(), Code::NotAFile);
        #[cfg(unix)]
        {
            let pipe = dir.path().join("pipe");
            assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            // Opened, it would wait for a writer for ever.
            assert_eq!(open(&pipe).unwrap_err().code(), Code::NotAFile);
        }
    }

    #[test]
    fn what_can_be_had_without_waiting_is_the_same_as_what_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "one").unwrap();
        let (file, stamp) = open(&path).unwrap();
        if cfg!(target_os = "linux") {
            assert_eq!(open_now(&path).unwrap().1, stamp);
            assert!(is_unchanged_now(&path, stamp));
        }
        assert!(is_as_opened(&file, stamp));
        std::fs::write(&path, "other").unwrap();
        assert!(!is_unchanged_now(&path, stamp) && !is_as_opened(&file, stamp));
        assert!(open_now(dir.path()).is_none() && open_now(&dir.path().join("none")).is_none());
    }

    #[test]
    fn a_file_that_no_upload_can_hold_is_refused_with_the_figures() {
        let error = too_large(Path::new("/disk/all.img"), 10_000 * (5 << 30) + 1);
        assert_eq!(error.code(), Code::TooLarge);
        let words = error.to_string();
        for figure in ["/disk/all.img", "53687091200001 bytes", "48.8 TiB", "48.8 TB", "10,000 parts"] {
            assert!(words.contains(figure), "{words}");
        }
    }
}
