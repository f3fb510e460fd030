//! The command line of the window: `--data-dir DIR`, or WAYBILL_DATA_DIR, or the platform's folder.

use std::ffi::OsString;
use std::path::PathBuf;

/// How this window was started.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    /// Where everything is kept.
    pub(crate) data_dir: PathBuf,
    /// The folder was chosen by the user, not the platform's own.
    pub(crate) moved: bool,
}

impl Options {
    /// Reads arguments (without the program's name) and the environment; the error is a sentence for stderr.
    pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Self, String> {
        let from_environment = std::env::var_os("WAYBILL_DATA_DIR").is_some_and(|value| !value.is_empty());
        match data_dir_argument(arguments)? {
            Some(data_dir) => Ok(Self { data_dir: absolute(data_dir)?, moved: true }),
            None => Ok(Self { data_dir: absolute(waybill_engine::default_data_dir())?, moved: from_environment }),
        }
    }
}

/// Whether there is a screen to open a window on; the error is a sentence for stderr.
pub(crate) fn display() -> Result<(), String> {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if cfg!(target_os = "linux") && !set("DISPLAY") && !set("WAYLAND_DISPLAY") {
        return Err("Waybill needs a display (DISPLAY or WAYLAND_DISPLAY). Without one, use `waybill upload`.".into());
    }
    Ok(())
}

fn absolute(path: PathBuf) -> Result<PathBuf, String> {
    std::path::absolute(&path).map_err(|error| format!("cannot use {} as data folder: {error}", path.display()))
}

fn data_dir_argument(mut arguments: impl Iterator<Item = OsString>) -> Result<Option<PathBuf>, String> {
    let mut data_dir = None;
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        if text == "--data-dir" {
            let value = arguments.next().filter(|value| !value.is_empty());
            data_dir = Some(value.ok_or("--data-dir needs a folder")?.into());
        } else if let Some(value) = text.strip_prefix("--data-dir=") {
            data_dir = Some(PathBuf::from(value));
        } else if text.starts_with("--") {
            return Err(format!("waybill-app does not know {text}; it takes --data-dir DIR"));
        }
    }
    Ok(data_dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Option<PathBuf>, String> {
        data_dir_argument(arguments.iter().map(OsString::from))
    }

    #[test]
    fn data_dir_is_taken_from_either_spelling() {
        assert_eq!(read(&["--data-dir", "/tmp/a b"]), Ok(Some("/tmp/a b".into())));
        assert_eq!(read(&["--data-dir=/tmp/x"]), Ok(Some("/tmp/x".into())));
        assert_eq!(read(&[]), Ok(None), "no argument leaves the choice to the environment");
    }

    #[test]
    fn missing_or_unknown_arguments_are_refused_in_words() {
        assert_eq!(read(&["--data-dir"]), Err("--data-dir needs a folder".into()));
        assert!(read(&["--data-dri", "/tmp"]).is_err_and(|message| message.contains("--data-dri")));
    }

    #[test]
    fn arguments_that_the_system_adds_are_left_alone() {
        assert_eq!(read(&["-psn_0_12345"]), Ok(None), "macOS adds a process serial number");
    }
}
