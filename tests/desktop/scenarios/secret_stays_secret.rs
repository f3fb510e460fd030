//! The secret of a destination: in the Secret Service, and nowhere else.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use waybill_desktop_tests::{App, Session, until};

const SECRET: &str = "zQ7-desktop-SECRET-4tYv9";
const TOKEN: &str = "CAIS-desktop-TOKEN-8gH2k";

#[test]
#[ignore = "needs a desktop session: cargo xtask test"]
fn secret_typed_into_the_form_is_in_the_secret_service_and_nowhere_else() {
    let session = Session::start("secret");
    let app = App::start(&session);
    app.page.record_ipc();
    app.page.click("[data-testid=nav-destinations]");
    app.page.click("[data-testid=dest-new]");
    for (field, text) in [
        ("dest-name", "media-prod"),
        ("dest-endpoint", "https://oss-cn-hangzhou.aliyuncs.com"),
        ("dest-region", "cn-hangzhou"),
        ("dest-bucket", "media-prod"),
        ("dest-template", "raw/{path}"),
        ("dest-key-id", "LTAI-desktop-key-id"),
        ("dest-secret", SECRET),
        ("dest-token", TOKEN),
    ] {
        app.page.type_into(&format!("[data-testid={field}]"), text);
    }
    app.page.click("[data-testid=dest-save]");
    let id = until("the saved destination", || {
        let all = app.page.invoke("list_destinations", &json!({})).expect("destinations can always be listed");
        let saved = all.as_array()?.iter().find(|one| one["name"] == json!("media-prod"))?;
        (saved["hasSecret"] == json!(true)).then(|| saved["id"].as_str().map(str::to_owned))?
    });
    session.shot("saved");

    let kept = session.run("secret-tool", &["lookup", "service", "dev.waybill.app", "username", &id]);
    let kept: Value = serde_json::from_str(&kept.expect("the Secret Service holds the entry")).expect("it is JSON");
    assert_eq!((&kept["secret"], &kept["token"]), (&json!(SECRET), &json!(TOKEN)));

    // Make the program speak of the destination in every way it has.
    for place in ["nav-transfers", "nav-settings", "nav-destinations"] {
        app.page.click(&format!("[data-testid={place}]"));
    }
    app.page.invoke("set_current_destination", &json!({ "id": id })).expect("it exists");
    app.page.invoke("app_info", &json!({})).expect("facts can always be asked for");
    let said = until("the window hears of the destination", || {
        let said = app.page.recorded_ipc();
        let heard = |kind: &str, what: &str| said.iter().any(|line| line.starts_with(kind) && line.contains(what));
        (heard("answer", "media-prod") && heard("event", "counts")).then_some(said)
    });
    for line in &said {
        assert!(!line.contains(SECRET) && !line.contains(TOKEN), "a secret crossed to the window: {line}");
    }

    // Once while it runs, and once after it has written everything that it writes at its end.
    assert_nowhere_on_disk(&session);
    app.close();
    assert_nowhere_on_disk(&session);

    let app = App::start(&session);
    app.page.invoke("delete_destination", &json!({ "id": id })).expect("it exists");
    let kept = session.run("secret-tool", &["lookup", "service", "dev.waybill.app", "username", &id]);
    assert_eq!(kept, None, "a deleted destination leaves no secret behind");
}

/// Looks through every file of the session, as text and as UTF-16 (the page's storage). The keychain's own file is where
/// the secret belongs.
fn assert_nowhere_on_disk(session: &Session) {
    let files = files_below(session.home());
    let database = session.data_dir().join("waybill.db");
    assert!(files.contains(&database), "{} must be among the files looked at", database.display());
    assert!(files.iter().any(|file| file.extension().is_some_and(|it| it == "log")), "the logs must be among them");
    for file in files.iter().filter(|file| !file.starts_with(session.home().join("data/keyrings"))) {
        let Ok(content) = fs::read(file) else { continue };
        for secret in [SECRET, TOKEN] {
            let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let found = holds(&content, secret.as_bytes()) || holds(&content, &wide);
            assert!(!found, "{} holds a secret", file.display());
        }
    }
}

fn holds(content: &[u8], wanted: &[u8]) -> bool {
    content.windows(wanted.len()).any(|window| window == wanted)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(files_below(&entry.path())),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}
