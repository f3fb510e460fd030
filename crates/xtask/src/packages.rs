//! System packages: which ones are needed, which are missing, and installing them where we may.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::steps::{answers, finds, root, say};

/// A Debian package, and how another Linux shows that it has the same thing.
#[derive(Debug)]
pub(crate) struct Package {
    name: &'static str,
    probe: Probe,
}

#[derive(Debug)]
enum Probe {
    /// `pkg-config` knows this library.
    Library(&'static str),
    /// This program is on the PATH.
    Program(&'static str),
    /// `/usr/bin/python3` can import this.
    Python(&'static str),
    /// Nothing to ask for outside Debian.
    Unknown,
}

const fn package(name: &'static str, probe: Probe) -> Package {
    Package { name, probe }
}

/// To compile and link anything at all.
pub(crate) const COMPILER: &[Package] = &[package("build-essential", Probe::Program("cc"))];

/// To build and open the window.
pub(crate) const WINDOW: &[Package] = &[
    package("build-essential", Probe::Program("cc")),
    package("pkg-config", Probe::Program("pkg-config")),
    package("libwebkit2gtk-4.1-dev", Probe::Library("webkit2gtk-4.1")),
    package("librsvg2-dev", Probe::Library("librsvg-2.0")),
    package("libayatana-appindicator3-dev", Probe::Library("ayatana-appindicator3-0.1")),
];

/// To drive the real window without a screen.
pub(crate) const DESKTOP: &[Package] = &[
    package("xvfb", Probe::Program("Xvfb")),
    package("openbox", Probe::Program("openbox")),
    package("dbus", Probe::Program("dbus-run-session")),
    package("gnome-keyring", Probe::Program("gnome-keyring-daemon")),
    package("libsecret-tools", Probe::Program("secret-tool")),
    package("webkit2gtk-driver", Probe::Program("WebKitWebDriver")),
    package("xdotool", Probe::Program("xdotool")),
    package("imagemagick", Probe::Program("import")),
    package("procps", Probe::Program("kill")),
    package("python3-gi", Probe::Python("gi")),
    package("gir1.2-gtk-3.0", Probe::Unknown),
    package("fonts-noto-cjk", Probe::Unknown),
];

/// To run Alibaba's Python SDKs in a venv.
pub(crate) const SDK: &[Package] =
    &[package("python3", Probe::Program("python3")), package("python3-venv", Probe::Python("ensurepip"))];

/// Makes sure that the packages are there; the error says in one command what to do.
pub(crate) fn ensure(needed: &[&[Package]]) -> Result<(), String> {
    let needed: Vec<&Package> = needed.iter().flat_map(|list| list.iter()).collect();
    match std::env::consts::OS {
        "linux" if Path::new("/etc/debian_version").exists() => on_debian(&needed),
        "linux" => on_another_linux(&needed),
        "macos" => on_macos(),
        "windows" => on_windows(),
        other => {
            say(&format!("xtask does not know {other}; going on, see https://tauri.app/start/prerequisites/"));
            Ok(())
        }
    }
}

fn on_debian(needed: &[&Package]) -> Result<(), String> {
    let names: Vec<&str> = needed.iter().map(|package| package.name).collect();
    let missing = missing_on_debian(&names)?;
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !is_root() {
        return Err(format!(
            "System packages are missing. Install them and start again:\n\n  sudo apt-get update && sudo apt-get install -y --no-install-recommends {list}\n"
        ));
    }
    say(&format!("Installing system packages: {list}"));
    apt_get(&["update"])?;
    apt_get(&[&["install", "-y", "--no-install-recommends"], missing.as_slice()].concat())?;
    match missing_on_debian(&names)?.as_slice() {
        [] => Ok(()),
        still => Err(format!("apt-get ended well, but these are still missing: {}", still.join(" "))),
    }
}

fn missing_on_debian<'a>(names: &[&'a str]) -> Result<Vec<&'a str>, String> {
    // dpkg-query exits with 1 as soon as one name is unknown to it, so only its words count.
    let output = Command::new("dpkg-query")
        .args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"])
        .args(names)
        .stderr(Stdio::null())
        .output()
        .map_err(|error| format!("cannot ask dpkg-query which packages are installed: {error}"))?;
    Ok(not_installed(names, &String::from_utf8_lossy(&output.stdout)))
}

fn not_installed<'a>(names: &[&'a str], answer: &str) -> Vec<&'a str> {
    let installed = |name: &str| answer.lines().any(|line| line.split_once(' ') == Some((name, "installed")));
    let mut missing: Vec<&str> = names.iter().copied().filter(|name| !installed(name)).collect();
    missing.dedup();
    missing
}

fn apt_get(arguments: &[&str]) -> Result<(), String> {
    let status = Command::new("apt-get")
        .args(["-o", "Acquire::Retries=3"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .current_dir(root())
        .status()
        .map_err(|error| format!("cannot start apt-get: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("apt-get {} failed ({status})", arguments.join(" "))) }
}

fn is_root() -> bool {
    answers("id", &["-u"]).is_some_and(|id| id.trim() == "0")
}

fn on_another_linux(needed: &[&Package]) -> Result<(), String> {
    let missing: Vec<&str> = needed.iter().filter(|package| !has(package)).map(|package| package.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "These are missing; install what your system calls them (Debian's names: {}) and start again.\nSee https://tauri.app/start/prerequisites/#linux",
        missing.join(" ")
    ))
}

fn has(package: &Package) -> bool {
    match package.probe {
        Probe::Library(name) => answers("pkg-config", &["--modversion", name]).is_some(),
        Probe::Program(name) => finds(name),
        Probe::Python(name) => answers("/usr/bin/python3", &["-c", &format!("import {name}")]).is_some(),
        Probe::Unknown => true,
    }
}

fn on_macos() -> Result<(), String> {
    match answers("xcode-select", &["-p"]) {
        Some(_) => Ok(()),
        None => {
            Err("The Xcode command line tools are missing. Install them and start again:\n\n  xcode-select --install\n"
                .into())
        }
    }
}

/// The MSVC linker is there, or xtask itself could not have been built; the webview may still be missing.
fn on_windows() -> Result<(), String> {
    const CLIENT: &str = r"Microsoft\EdgeUpdate\Clients\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}";
    let places = [r"HKLM\SOFTWARE\WOW6432Node", r"HKLM\SOFTWARE", r"HKCU\Software"];
    let found =
        places.iter().any(|place| answers("reg", &["query", &format!(r"{place}\{CLIENT}"), "/v", "pv"]).is_some());
    if found {
        return Ok(());
    }
    Err("The WebView2 runtime is missing. Install the Evergreen runtime and start again:\n\n  https://developer.microsoft.com/microsoft-edge/webview2/\n".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_was_removed_or_never_known_is_missing() {
        let answer = "xvfb installed\nopenbox config-files\nxvfb-extra installed\n";
        assert_eq!(not_installed(&["xvfb", "openbox", "xdotool"], answer), ["openbox", "xdotool"]);
        assert_eq!(not_installed(&["xvfb"], answer), [""; 0], "what is installed is not installed again");
    }
}
