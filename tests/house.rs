//! The invariants of the house, read off manifests and sources. Sentences about what is absent.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// All files below `folder` with one of these endings, with their text.
fn sources(folder: &str, endings: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                if !path.ends_with("node_modules") {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
                let text = std::fs::read_to_string(&path).expect("readable text");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "nothing found below {folder}");
    found
}

/// Names of everything that a package is built with, tests apart.
fn tree(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(root())
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}

fn absent(package: &str, names: &[&str]) {
    for dependency in tree(package) {
        assert!(!names.iter().any(|name| dependency.starts_with(name)), "{package} must not know {dependency}");
    }
}

#[test]
fn the_oss_client_knows_no_database_watcher_keychain_or_window() {
    absent("waybill-oss", &["rusqlite", "notify", "keyring", "tauri", "waybill-engine"]);
}

#[test]
fn the_engine_knows_no_window_and_no_sandbox() {
    absent("waybill-engine", &["tauri", "waybill-sandbox"]);
}

#[test]
fn the_sandbox_shares_no_code_of_ours() {
    absent("waybill-sandbox", &["waybill-oss", "waybill-engine"]);
}

#[test]
fn the_state_machine_and_what_it_imports_do_no_io() {
    let words = "std::fs std::net std::time tokio rusqlite reqwest crate::store async";
    let again = std::fs::read_to_string(root().join("crates/waybill-engine/src/resend/state.rs")).expect("a pure file");
    assert!(words.split(' ').all(|word| !again.contains(word)), "resend/state.rs must do no I/O");
    for file in ["state.rs", "plan.rs"] {
        let path = root().join("crates/waybill-engine/src/upload").join(file);
        let text = std::fs::read_to_string(path).expect("a pure file");
        for word in ["std::fs", "std::net", "std::time", "tokio", "rusqlite", "reqwest", "crate::store", "async "] {
            assert!(!text.contains(word), "upload/{file} must not use {word}");
        }
        for import in text.lines().filter(|line| line.starts_with("use super::") && !line.starts_with("use super::*")) {
            assert!(import.starts_with("use super::plan::"), "upload/{file} may import only plan: {import}");
        }
    }
}

#[test]
fn only_the_queue_moves_states_and_drivers_never_touch_the_store() {
    for (path, text) in sources("crates/waybill-engine/src", &[".rs"]) {
        let calls_step = text.contains("state::step") || text.contains("step(");
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let may = name.starts_with("queue") || path.ends_with("state.rs") || path.ends_with("state_tests.rs");
        assert!(!calls_step || may, "{} must ask the queue instead of calling step", path.display());
    }
    let drivers = ["driver.rs", "overwrite.rs", "parts.rs", "put.rs", "settle.rs"].map(|file| format!("upload/{file}"));
    for file in drivers.into_iter().chain(["drive.rs", "plan.rs", "state.rs"].map(|file| format!("resend/{file}"))) {
        let path = root().join("crates/waybill-engine/src").join(&file);
        let text = std::fs::read_to_string(path).expect("a driver's file");
        for word in ["rusqlite", "crate::store"] {
            assert!(!text.contains(word), "{file} must not use {word}");
        }
    }
}

#[test]
fn sql_stands_only_under_the_store() {
    for folder in ["crates/waybill-engine/src", "crates/waybill-cli/src", "src-tauri/src"] {
        for (path, text) in sources(folder, &[".rs"]) {
            if path.components().any(|part| part.as_os_str() == "store") {
                continue;
            }
            for word in ["SELECT ", "INSERT INTO", "UPDATE uploads", "DELETE FROM", "prepare_cached", "execute_batch"] {
                assert!(!text.contains(word), "{} has SQL: {word}", path.display());
            }
        }
    }
}

#[test]
fn background_work_starts_only_in_the_task_helper() {
    for (path, text) in sources("crates/waybill-engine/src", &[".rs"]) {
        let spawns = text.contains("tokio::spawn(") || text.contains("tokio::task::spawn(");
        assert!(!spawns, "{} must spawn through Tasks", path.display());
        assert!(!text.contains("tracker.spawn(") || path.ends_with("task.rs"), "{}", path.display());
    }
}

#[test]
fn tauri_is_imported_by_one_ui_file_and_shared_parts_know_no_domain() {
    let domains = ["uploads", "history", "folders", "callbacks", "destinations", "settings", "state", "backend"];
    for (path, text) in sources("ui/src", &[".ts", ".svelte"]) {
        if !path.ends_with("backend/tauri.ts") {
            assert!(!text.contains("\"@tauri-apps/") && !text.contains("'@tauri-apps/"), "{}", path.display());
        }
        if path.components().any(|part| part.as_os_str() == "shared") {
            for domain in domains {
                assert!(!text.contains(&format!("../{domain}/")), "{} imports {domain}", path.display());
            }
        }
    }
}

#[test]
fn credentials_cannot_be_serialized_or_printed() {
    let path = root().join("crates/waybill-oss/src/credential.rs");
    let text = std::fs::read_to_string(path).expect("credential.rs");
    assert!(
        !text.contains("Serialize") && !text.contains("impl fmt::Display"),
        "Credential must have no printable form"
    );
    let views = sources("crates/waybill-engine/src/view", &[".rs"]);
    for (path, text) in &views {
        let shown = text.split("pub struct").filter(|part| !part.trim_start().starts_with("DestinationForm"));
        for part in shown {
            assert!(!part.contains("pub access_key_secret"), "{} shows a secret", path.display());
            assert!(!part.contains("pub security_token"), "{} shows a token", path.display());
        }
    }
    let mut forms = views.iter().filter_map(|(_, text)| text.split("/// What the destination form sends.").nth(1));
    let derives = forms.next().and_then(|form| form.split("pub struct").next()).expect("the form");
    let derive = derives.lines().find(|line| line.starts_with("#[derive")).expect("a derive");
    assert!(!derive.contains("Serialize,") && !derive.contains("Debug"), "the form carries a secret: {derive}");
}

#[test]
fn every_rust_file_opens_with_what_it_is_for_and_stays_readable() {
    for folder in ["crates", "src-tauri", "tests"] {
        for (path, text) in sources(folder, &[".rs"]) {
            assert!(text.starts_with("//!"), "{} opens without a //! line", path.display());
            let lines = text.lines().count();
            assert!(lines <= 500, "{} has {lines} lines", path.display());
        }
    }
}
