//! Text from the window into a file. The user says where, in the system's own dialog, and the page never learns of a way to
//! the file system: it names no path, only what the file might be called.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tauri::WebviewWindow;
use tauri::async_runtime::spawn_blocking;
use tauri_plugin_dialog::DialogExt as _;
use tokio::sync::oneshot;
use waybill_engine::Error;

/// What no system takes in a file's name, or takes for something else.
const NOT_IN_NAMES: &[char] = &['/', '\\', ':', '*', '?', '"', '<', '>', '|'];
/// What Windows takes for a device, whatever ending follows; `COM` and `LPT` with a digit behind them as well.
const DEVICES: &[&str] = &["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
/// Of a suggested name, with room for what the system adds.
const LONGEST_NAME: usize = 180;
/// `.callback.json`, and what else is an ending.
const LONGEST_ENDING: usize = 40;

/// Asks where to, and writes there. None if the user closed the dialog.
pub(crate) async fn save_text(window: &WebviewWindow, name: &str, text: String) -> Result<Option<PathBuf>, Error> {
    let (choose, chosen) = oneshot::channel();
    let dialog = window.dialog().file().set_parent(window).set_file_name(suggested(name));
    dialog.save_file(move |path| {
        // Whoever asked waits for it.
        let _ = choose.send(path);
    });
    let Some(path) = chosen.await.ok().flatten() else { return Ok(None) };
    let path = path.into_path().map_err(|error| Error::Invalid(format!("this is no place for a file: {error}")))?;
    let written = spawn_blocking(move || write(&path, &text).map(|()| path));
    written.await.unwrap_or_else(|_| Err(Error::Refused("writing the file was interrupted".into()))).map(Some)
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    replace(path, |file| file.write_all(text.as_bytes()))
        .map_err(|error| Error::Refused(format!("could not write \"{}\": {error}", path.display())))
}

/// Fills a file beside the one at `path`, and has it take that one's place only when all of it is on the disk: what was
/// there is there until then.
fn replace(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    // A link goes on leading to its file.
    let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    // What may not be written to is not replaced either.
    let older = match File::options().write(true).open(&place) {
        Ok(older) => Some(older.metadata()?.permissions()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let beside = place.with_file_name(format!(".waybill-{:016x}.part", rand::random::<u64>()));
    let mut file = File::create_new(&beside)?;
    let filled = fill(&mut file).and_then(|()| file.sync_all());
    // Windows renames no file that is open.
    drop(file);
    let in_place = filled.and_then(|()| {
        if let Some(permissions) = older {
            std::fs::set_permissions(&beside, permissions)?;
        }
        std::fs::rename(&beside, &place)
    });
    in_place.inspect_err(|_| {
        // The reason for the failure is what is told.
        let _ = std::fs::remove_file(&beside);
    })
}

/// A file's name on every system: an object's name may hold anything.
fn suggested(name: &str) -> String {
    let fit = |c: char| if c.is_control() || NOT_IN_NAMES.contains(&c) { '_' } else { c };
    let fit: String = name.trim().chars().map(fit).collect();
    let fit = fit.trim_start_matches('.');
    let fit = if is_device(fit) { format!("_{fit}") } else { fit.to_owned() };
    let fit = fit.as_str();
    // What is too long is cut before its ending, which says what is in the file.
    let stem = fit.rsplitn(3, '.').last().filter(|stem| fit.len() - stem.len() <= LONGEST_ENDING).unwrap_or(fit);
    let ending = &fit[stem.len()..];
    let room = LONGEST_NAME.saturating_sub(ending.len());
    let name = format!("{}{ending}", &stem[..stem.floor_char_boundary(room)]);
    // Windows drops what a name may not end in there, or refuses it.
    match name.trim_end_matches(['.', ' ']) {
        "" => "_".into(),
        name => name.into(),
    }
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let numbered = |kind: &str| {
        let number = stem.strip_prefix(kind).unwrap_or_default();
        number.chars().count() == 1 && number.contains(|c: char| c.is_ascii_digit() || "¹²³".contains(c))
    };
    DEVICES.contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_suggested_name_leads_to_no_other_folder_and_is_one_on_every_system() {
        assert_eq!(suggested("clip.mov.callback.json"), "clip.mov.callback.json");
        assert_eq!(suggested("../../.ssh/a:b*?\"<>|\\c\n.callback.txt"), "_.._.ssh_a_b_______c_.callback.txt");
        assert_eq!(suggested(".bashrc"), "bashrc");
        assert_eq!(suggested("发布会.mov.callback.json"), "发布会.mov.callback.json");
    }

    #[test]
    fn a_name_that_is_too_long_keeps_its_ending() {
        let long = suggested(&format!("{}.callback.json", "发".repeat(200)));
        assert!(long.len() <= LONGEST_NAME && long.starts_with('发') && long.ends_with("发.callback.json"), "{long}");
        for text in ["x".repeat(500), format!("a.{}", "x".repeat(500))] {
            assert_eq!(suggested(&text).len(), LONGEST_NAME);
        }
    }

    #[test]
    fn a_name_that_windows_refuses_is_mended() {
        for (name, mended) in [
            ("CON", "_CON"),
            ("nul.callback.json", "_nul.callback.json"),
            ("aux .callback.txt", "_aux .callback.txt"),
            ("com1.csv", "_com1.csv"),
            ("LPT³.txt", "_LPT³.txt"),
            ("COM", "COM"),
            ("com10.txt", "com10.txt"),
            ("console.txt", "console.txt"),
            ("a. . ", "a"),
            ("...", "_"),
            ("", "_"),
        ] {
            assert_eq!(suggested(name), mended, "{name:?}");
        }
        let cut = suggested(&format!("{} {}", "x".repeat(LONGEST_NAME - 1), "x".repeat(9)));
        assert_eq!(cut, "x".repeat(LONGEST_NAME - 1));
    }

    fn names_in(folder: &TempDir) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_disk_that_is_full_half_way_costs_nobody_the_older_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "older").unwrap();
        let full = replace(&path, |file| {
            file.write_all(b"ne")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(full.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(
            (std::fs::read_to_string(&path).unwrap().as_str(), names_in(&folder)),
            ("older", vec!["a.txt".into()])
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_written_anew_keeps_who_may_read_it_and_a_link_leads_to_it_still() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a.txt"), folder.path().join("link.txt"));
        std::fs::write(&path, "older").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&path, &link).unwrap();
        write(&link, "newer").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "newer");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn what_was_chosen_is_written_whole_and_what_cannot_be_is_said_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.callback.json");
        std::fs::write(&path, "an older and longer text").unwrap();
        write(&path, "{\"订单\": 1}\r\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"订单\": 1}\r\n");
        assert_eq!(names_in(&folder), ["a.callback.json"]);
        let nowhere = folder.path().join("nowhere").join("a.txt");
        let refused = write(&nowhere, "").unwrap_err().to_string();
        assert!(refused.contains("could not write") && refused.contains("nowhere"), "{refused}");
    }
}
