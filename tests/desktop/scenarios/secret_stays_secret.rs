//! The secret of a destination: in the Secret Service, and nowhere else.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use waybill_desktop_tests::{App, Session, until, waybill};

use crate::files::{bytes, write};
use crate::own_oss;
use crate::rows::wait_for_row;

const WRONG: &str = "wRG-desktop-SECRET-2mXe1";
const PROXY_PASSWORD: &str = "pRX-desktop-SECRET-7kLw3";

#[test]
#[ignore = "needs a desktop session: cargo xtask test"]
fn secret_typed_into_the_form_is_in_the_secret_service_and_nowhere_else() {
    let session = Session::start("secret");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let oss = runtime.block_on(own_oss::start(&session));
    let keys = oss.issue_token(Duration::from_secs(3600));
    let (secret, token) = (keys.access_key_secret.as_str(), keys.security_token.as_str());
    let secrets = [WRONG, secret, token, PROXY_PASSWORD];
    let film = write(session.home(), "film.mov", &bytes(8, 90_000));
    let app = App::start(&session);
    app.page.record_ipc();
    app.page.click("[data-testid=nav-destinations]");
    app.page.click("[data-testid=dest-new]");
    for (field, text) in [
        ("dest-name", "media-prod"),
        ("dest-endpoint", &oss.info().endpoint),
        ("dest-region", "cn-hangzhou"),
        ("dest-bucket", "media-prod"),
        ("dest-template", "raw/{path}"),
        ("dest-key-id", &keys.access_key_id),
        ("dest-secret", WRONG),
        ("dest-token", token),
    ] {
        app.page.type_into(&format!("[data-testid={field}]"), text);
    }
    // The sandbox is on this computer, so the proxy is not asked; its password has to be kept all the same.
    app.page.click("[data-testid=dest-connection] summary");
    app.page.click("[data-testid=dest-proxy] option[value=at]");
    app.page.type_into("[data-testid=dest-proxy-url]", "http://mei@127.0.0.1:9");
    app.page.type_into("[data-testid=dest-proxy-password]", PROXY_PASSWORD);
    session.shot("connection");
    app.page.click("[data-testid=dest-callback-toggle]");
    app.page.type_into("[data-testid=dest-callback-url]", &oss.info().callback_url);
    app.page.click("[data-testid=dest-test]");
    app.page.wait_for_text("[data-testid=dest-test-result]", |text| text.contains("SignatureDoesNotMatch"));
    app.page.type_into("[data-testid=dest-secret]", secret);
    app.page.click("[data-testid=dest-test]");
    app.page.wait_for("[data-testid=dest-test-result][data-ok=true]");
    app.page.click("[data-testid=dest-save]");
    let id = until("the saved destination", || {
        let all = app.page.invoke("list_destinations", &json!({})).expect("destinations can always be listed");
        let saved = all.as_array()?.iter().find(|one| one["name"] == json!("media-prod"))?;
        (saved["hasSecret"] == json!(true)).then(|| saved["id"].as_str().map(str::to_owned))?
    });
    session.shot("saved");

    let kept = session.run("secret-tool", &["lookup", "service", "dev.waybill.app", "username", &id]);
    let kept: Value = serde_json::from_str(&kept.expect("the Secret Service holds the entry")).expect("it is JSON");
    assert_eq!((&kept["secret"], &kept["token"]), (&json!(secret), &json!(token)));
    let proxy = format!("{id}/proxy");
    let kept = session.run("secret-tool", &["lookup", "service", "dev.waybill.app", "username", &proxy]);
    assert!(kept.is_some_and(|kept| kept.contains(PROXY_PASSWORD)), "the Secret Service holds the proxy's password");

    // Make the program speak of the destination, beside the two tests and the saving above.
    for place in ["nav-transfers", "nav-settings", "nav-destinations"] {
        app.page.click(&format!("[data-testid={place}]"));
    }
    app.page.invoke("set_current_destination", &json!({ "id": id })).expect("it exists");
    app.page.invoke("app_info", &json!({})).expect("facts can always be asked for");
    let said = until("the window hears of the destination", || {
        let said = app.page.recorded_ipc();
        let heard = |kind: &str, what: &str| said.iter().any(|line| line.starts_with(kind) && line.contains(what));
        let asked = ["test_connection", "save_destination", "list_destinations"];
        (asked.iter().all(|command| heard("answer", command)) && heard("event", "counts")).then_some(said)
    });
    for line in &said {
        let found = secrets.iter().any(|secret| line.contains(secret));
        assert!(!found, "a secret crossed to the window: {line}");
    }

    // Once while it runs, and once after it has written everything that it writes at its end.
    assert_nowhere_on_disk(&session, &secrets);
    app.close();
    assert_nowhere_on_disk(&session, &secrets);

    // Started anew, both programs read the secret back from the keychain.
    let app = App::start(&session);
    app.page.invoke("add_paths", &json!({ "paths": [film], "destinationId": id })).expect("the file is taken");
    wait_for_row(&app, "film.mov", "done");
    app.close();
    let data_dir = session.data_dir().to_string_lossy().into_owned();
    let upload = ["upload", "--destination", "media-prod", "--prefix", "again/", "--json", "--data-dir", &data_dir];
    let film = film.to_string_lossy();
    let said = session.run(&waybill(), &[&upload[..], &[&film]].concat()).expect("the command ends with 0");
    let receipt: Value = serde_json::from_str(&said).expect("one receipt");
    assert_eq!((&receipt["key"], &receipt["callback"]["outcome"]), (&json!("again/film.mov"), &json!("answered")));
    let stored: Vec<String> =
        oss.log().into_iter().filter(|one| one.status == Some(200)).filter_map(|one| one.key).collect();
    assert_eq!(stored, ["raw/film.mov", "again/film.mov"]);
    assert_eq!(oss.callbacks().len(), 2);
    assert_nowhere_on_disk(&session, &secrets);

    let app = App::start(&session);
    app.page.invoke("delete_destination", &json!({ "id": id })).expect("it exists");
    for entry in [&id, &proxy] {
        let kept = session.run("secret-tool", &["lookup", "service", "dev.waybill.app", "username", entry]);
        assert_eq!(kept, None, "a deleted destination leaves no secret behind");
    }
}

/// Looks through every file of the session, as text and as UTF-16 (the page's storage). The keychain's own file is where
/// the secret belongs.
fn assert_nowhere_on_disk(session: &Session, secrets: &[&str]) {
    let files = files_below(session.home());
    let database = session.data_dir().join("waybill.db");
    assert!(files.contains(&database), "{} must be among the files looked at", database.display());
    assert!(files.iter().any(|file| file.extension().is_some_and(|it| it == "log")), "the logs must be among them");
    for file in files.iter().filter(|file| !file.starts_with(session.home().join("data/keyrings"))) {
        let Ok(content) = fs::read(file) else { continue };
        for secret in secrets {
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
