//! Text from the window into a file. The user says where, in the system's own dialog, and the page never learns of a way to
//! the file system: it names no path, only what the file might be called.

use std::path::{Path, PathBuf};

use tauri::WebviewWindow;
use tauri::async_runtime::spawn_blocking;
use tauri_plugin_dialog::DialogExt as _;
use tokio::sync::oneshot;
use waybill_engine::Error;

/// What no system takes in a file's name, or takes for something else.
const NOT_IN_NAMES: &[char] = &['/', '\\', ':', '*', '?', '"', '<', '>', '|'];
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
    std::fs::write(path, text)
        .map_err(|error| Error::Refused(format!("could not write \"{}\": {error}", path.display())))
}

/// A file's name on every system: an object's name may hold anything.
fn suggested(name: &str) -> String {
    let fit = |c: char| if c.is_control() || NOT_IN_NAMES.contains(&c) { '_' } else { c };
    let fit: String = name.trim().chars().map(fit).collect();
    let fit = fit.trim_start_matches('.');
    // What is too long is cut before its ending, which says what is in the file.
    let stem = fit.rsplitn(3, '.').last().filter(|stem| fit.len() - stem.len() <= LONGEST_ENDING).unwrap_or(fit);
    let ending = &fit[stem.len()..];
    let room = LONGEST_NAME.saturating_sub(ending.len());
    format!("{}{ending}", &stem[..stem.floor_char_boundary(room)])
}

#[cfg(test)]
mod tests {
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
    fn what_was_chosen_is_written_whole_and_what_cannot_be_is_said_with_its_path() {
        let dir = std::env::temp_dir().join(format!("waybill-saving-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("a.callback.json");
        std::fs::write(&path, "an older and longer text").unwrap();
        write(&path, "{\"订单\": 1}\r\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"订单\": 1}\r\n");
        let nowhere = dir.join("nowhere").join("a.txt");
        let refused = write(&nowhere, "").unwrap_err().to_string();
        assert!(refused.contains("could not write") && refused.contains("nowhere"), "{refused}");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
