//! `cargo deny`: licences, sources and bans of everything we build on (`deny.toml`), with a cargo-deny of our own.

use std::path::PathBuf;
use std::process::Command;

use crate::steps::{Steps, answers, cargo, must, root};

const NAME: &str = "cargo deny";
/// The newest that our Rust builds.
const VERSION: &str = "0.20.2";

/// Checks all but the advisories, whose database needs a network at each run.
pub(crate) fn test(steps: &mut Steps) {
    match installed() {
        Err(message) => steps.skip(NAME, &message),
        Ok(program) => {
            let mut command = Command::new(program);
            command.args(["--locked", "check", "bans", "licenses", "sources"]).current_dir(root());
            steps.run(NAME, &mut command);
        }
    }
}

/// Builds it when it is missing: a minute or two, once.
fn installed() -> Result<PathBuf, String> {
    let tools = root().join("target/tools");
    let program = tools.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    let is_ours = |answer: String| answer.split_whitespace().any(|word| word == VERSION);
    if answers(&program.to_string_lossy(), &["--version"]).is_some_and(is_ours) {
        return Ok(program);
    }
    // Optimising would take longer than all checks that it will ever do here.
    let mut command =
        cargo(&["install", "cargo-deny", "--version", VERSION, "--locked", "--debug", "--force", "--root"]);
    command.arg(&tools).env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_TARGET_DIR", tools.join("build"));
    must(&mut command, "cargo install cargo-deny (once)")?;
    // What it was built from is several hundred megabytes.
    let _ = std::fs::remove_dir_all(tools.join("build"));
    Ok(program)
}
