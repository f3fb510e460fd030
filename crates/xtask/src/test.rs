//! `cargo xtask test`: every check there is, each with a closing line, and one verdict.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::steps::{Steps, cargo, root};
use crate::{deny, desktop, first_light, node, packages, sdk, window};

/// Runs all of it, or with `desktop [NAME]` the real-window tests alone, with `sdk` Alibaba's SDKs alone.
pub(crate) fn test(arguments: &[OsString]) -> Result<(), String> {
    let arguments: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    match arguments.iter().map(AsRef::as_ref).collect::<Vec<&str>>().as_slice() {
        [] => everything(),
        ["sdk"] => only_the_sdks(),
        ["desktop"] => only_the_window(None),
        ["desktop", name] => only_the_window(Some(name)),
        other => Err(format!("`cargo xtask test` does not know {}", other.join(" "))),
    }
}

/// One step that fails does not hide the others. `--workspace` everywhere: the same packages mean the same features, so
/// nothing is built twice.
fn everything() -> Result<(), String> {
    let start = Instant::now();
    packages::ensure(&[packages::WINDOW, packages::DESKTOP, packages::SDK])?;
    node::check()?;
    let mut steps = Steps::default();
    steps.run("rustfmt", &mut cargo(&["fmt", "--all", "--check"]));
    let has_pages = ui(&mut steps);
    deny::test(&mut steps);
    rust(&mut steps, has_pages);
    steps.end(start.elapsed())
}

fn only_the_window(name: Option<&str>) -> Result<(), String> {
    let start = Instant::now();
    packages::ensure(&[packages::WINDOW, packages::DESKTOP])?;
    window::build()?;
    let mut steps = Steps::default();
    if steps.run("cargo build", &mut cargo(&["build", "--workspace", "--all-targets"])) {
        desktop::test(&mut steps, name);
    }
    steps.end(start.elapsed())
}

fn only_the_sdks() -> Result<(), String> {
    let start = Instant::now();
    packages::ensure(&[packages::COMPILER, packages::SDK])?;
    node::check()?;
    let mut steps = Steps::default();
    if steps.run("cargo build", &mut cargo(&["build", "--package", "waybill-cli"])) {
        sdk::test(&mut steps);
    }
    steps.end(start.elapsed())
}

/// True when there are pages for the window to carry.
fn ui(steps: &mut Steps) -> bool {
    let folder = window::folder();
    if !steps.run("npm ci", &mut node::npm_ci(&folder)) {
        for name in ["svelte-check", "vitest", "vite build"] {
            steps.skip(name, "npm ci failed");
        }
        return false;
    }
    if let Err(message) = node::remember_installed(&folder) {
        steps.check("npm ci stamp", Err(message));
    }
    steps.run("svelte-check", &mut node::npm(&folder, &["run", "check"]));
    steps.run("vitest", &mut node::npm(&folder, &["run", "test"]));
    steps.run("vite build", &mut node::npm(&folder, &["run", "build"]))
}

/// What needs the built programs.
const LATER: [&str; 4] = ["cargo test", "generated bindings", "headless run", "real window"];

fn rust(steps: &mut Steps, has_pages: bool) {
    if !has_pages {
        for name in ["clippy", "cargo doc", "cargo build"].into_iter().chain(LATER).chain(sdk::NAMES) {
            steps.skip(name, "the window's pages could not be built");
        }
        return;
    }
    steps.run("clippy", &mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]));
    // After clippy, which has checked all it builds on.
    let mut doc = cargo(&["doc", "--workspace", "--no-deps"]);
    steps.run("cargo doc", doc.env("RUSTDOCFLAGS", "-D warnings"));
    if !steps.run("cargo build", &mut cargo(&["build", "--workspace", "--all-targets"])) {
        for name in LATER.into_iter().chain(sdk::NAMES) {
            steps.skip(name, "cargo build failed");
        }
        return;
    }
    // The bindings are exported by tests of ts-rs: into a folder of their own, to be compared with the committed ones.
    let fresh = root().join("target/bindings");
    let _ = fs::remove_dir_all(&fresh);
    let passed =
        steps.run("cargo test", cargo(&["test", "--workspace", "--no-fail-fast"]).env("TS_RS_EXPORT_DIR", &fresh));
    match bindings(&fresh, &root().join("ui/src/bindings")) {
        Err(message) if !passed => steps.skip("generated bindings", &format!("cargo test failed, and {message}")),
        outcome => drop(steps.check("generated bindings", outcome)),
    }
    steps.check("headless run", headless());
    sdk::test(steps);
    desktop::test(steps, None);
}

/// What `cargo xtask run` does where there is no display, in a folder of its own.
fn headless() -> Result<String, String> {
    let folder = root().join("target/headless");
    let _ = fs::remove_dir_all(&folder);
    first_light::job(&folder).map(|()| "24 MiB stored, callback answered".into())
}

/// Whether the committed bindings are what the Rust types are now: none missing, none changed, none left over.
fn bindings(fresh: &Path, committed: &Path) -> Result<String, String> {
    let (fresh, committed) = (files(fresh)?, files(committed)?);
    let differing: Vec<&str> = fresh
        .keys()
        .chain(committed.keys().filter(|name| !fresh.contains_key(*name)))
        .filter(|name| fresh.get(*name) != committed.get(*name))
        .map(String::as_str)
        .collect();
    if differing.is_empty() {
        return Ok(format!("{} types", fresh.len()));
    }
    Err(format!(
        "ui/src/bindings is not what the Rust types say: {}. `cargo test` writes them anew; delete what is left over, and commit",
        differing.join(", ")
    ))
}

fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let problem = |error| format!("cannot read {}: {error}", folder.display());
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        if path.extension().is_some_and(|extension| extension == "ts") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.insert(name, fs::read(&path).map_err(problem)?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_that_is_missing_changed_or_left_over_is_named() -> Result<(), String> {
        let folder = std::env::temp_dir().join(format!("xtask-bindings-{}", std::process::id()));
        let (fresh, committed) = (folder.join("fresh"), folder.join("committed"));
        let write = |folder: &Path, name: &str, text: &str| {
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(folder.join(name), text))
                .map_err(|error| error.to_string())
        };
        write(&fresh, "Same.ts", "1")?;
        write(&committed, "Same.ts", "1")?;
        assert_eq!(bindings(&fresh, &committed), Ok("1 types".into()));
        write(&fresh, "Missing.ts", "1")?;
        write(&fresh, "Changed.ts", "1")?;
        write(&committed, "Changed.ts", "2")?;
        write(&committed, "LeftOver.ts", "1")?;
        let message = bindings(&fresh, &committed).err().unwrap_or_default();
        for name in ["Missing.ts", "Changed.ts", "LeftOver.ts"] {
            assert!(message.contains(name), "{name} is not named in: {message}");
        }
        assert!(!message.contains("Same.ts"), "what is equal is not named: {message}");
        fs::remove_dir_all(&folder).map_err(|error| error.to_string())
    }
}
