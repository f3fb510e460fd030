//! `cargo xtask run`: from a fresh clone to the open window, or to the same job without one.

use std::ffi::OsString;
use std::process::Command;

use crate::steps::{built, cargo, must, say};
use crate::{first_light, packages, window};

/// Builds and starts; arguments after `--` go to the window.
pub(crate) fn run(arguments: &[OsString]) -> Result<(), String> {
    let arguments = match arguments {
        [] => arguments,
        [dashes, rest @ ..] if dashes == "--" => rest,
        [other, ..] => {
            return Err(format!("`cargo xtask run` does not know {other:?}; the window's own arguments follow `--`"));
        }
    };
    if !has_display() {
        say(
            "There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set), so Waybill does its job without a window.",
        );
        packages::ensure(&[packages::COMPILER])?;
        return first_light::run();
    }
    packages::ensure(&[packages::WINDOW])?;
    window::build()?;
    must(&mut cargo(&["build", "--package", "waybill-app"]), "cargo build (the first time takes a few minutes)")?;
    must(Command::new(built("waybill-app")?).args(arguments), "Waybill")
}

fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(target_os = "macos", target_os = "windows")) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}
