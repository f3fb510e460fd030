//! A watched folder, a file that grows slowly, and the history after a restart.

use std::fs::{self, File};
use std::io::Write as _;
use std::thread::sleep;
use std::time::Duration;

use serde_json::json;
use waybill_desktop_tests::{App, Session, until, until_ok};

use crate::files::bytes;
use crate::rows::wait_for_row;

/// Between two pieces: shorter than the time after which a file counts as settled.
const BETWEEN_PIECES: Duration = Duration::from_millis(500);

#[test]
#[ignore = "needs a desktop session: cargo xtask test"]
fn watched_folder_file_written_in_pieces_arrives_once_and_whole() {
    let session = Session::start("watched");
    let folder = session.home().join("card");
    fs::create_dir(&folder).expect("the session's folder can be written");
    let app = App::start(&session);
    app.page.click("[data-testid=nav-folders]");
    app.page.click("[data-testid=folder-add]");
    app.page.type_into("[data-testid=folder-path]", &folder.to_string_lossy());
    app.page.click("[data-testid=folder-save]");
    app.page.wait_for("[data-testid=folder-row][data-state=watching]");
    let sandbox = app.sandbox();

    let content = bytes(6, 900_000);
    let mut file = File::create(folder.join("A001.wav")).expect("the folder can be written");
    for piece in content.chunks(100_000) {
        // The pace is what is tested: a file that is still being copied.
        file.write_all(piece).and_then(|()| file.flush()).expect("the file can be written");
        assert!(sandbox.requests().is_empty(), "nothing may be sent while the file grows");
        sleep(BETWEEN_PIECES);
    }
    drop(file);
    app.page.click("[data-testid=nav-transfers]");
    wait_for_row(&app, "A001.wav", "done");
    session.shot("done");

    // A second file, settled and stored later, shows that the folder was looked at again and the first left alone.
    fs::write(folder.join("B002.wav"), bytes(7, 1000)).expect("the folder can be written");
    wait_for_row(&app, "B002.wav", "done");
    let puts: Vec<_> = sandbox.requests().into_iter().filter(|one| one.operation == "PutObject").collect();
    let of = |name: &str| puts.iter().filter(|one| one.key.ends_with(name)).count();
    assert_eq!((of("A001.wav"), of("B002.wav")), (1, 1), "each file arrives once: {puts:?}");
    assert_eq!(sandbox.objects_equal_to(&content).len(), 1, "the file arrives whole");

    app.close();
    let app = App::start(&session);
    app.page.click("[data-testid=nav-history]");
    app.page.wait_for_text("[data-testid=history-list]", |text| text.contains("A001.wav") && text.contains("B002.wav"));
    session.shot("history");
    let folders = app.page.invoke("list_watched_folders", &json!({})).expect("folders can be listed");
    assert_eq!(folders[0]["path"], json!(folder), "the folder is still watched after a restart");

    // Still watched, and what was in it before is not new.
    fs::write(folder.join("C003.wav"), bytes(8, 1000)).expect("the folder can be written");
    until("the third file", || app.sandbox().requests().iter().any(|one| one.key.ends_with("C003.wav")).then_some(()));
    until_ok("the end of the uploads", || {
        let counts = app.page.invoke("counts", &json!({})).map_err(|error| error.to_string())?;
        let left = counts["uploading"].as_i64().unwrap_or(1) + counts["waiting"].as_i64().unwrap_or(1);
        if left == 0 { Ok(()) } else { Err(counts.to_string()) }
    });
    let puts = sandbox.requests().into_iter().filter(|one| one.operation == "PutObject").count();
    assert_eq!(puts, 3, "the restart must not send again what was sent");
}
