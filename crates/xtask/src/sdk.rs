//! Alibaba's own SDKs against our sandbox: what they need, and their cases (`tests/sdk`).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::node;
use crate::sandbox::Sandbox;
use crate::steps::{Steps, answers, must, root};

/// The SDKs by their closing lines, with the cases that each has at least: fewer are a failure.
const OSS2: (&str, u32) = ("Alibaba's SDK oss2", 82);
const OSS_V2: (&str, u32) = ("Alibaba's SDK oss-v2", 81);
const ALI_OSS: (&str, u32) = ("Alibaba's SDK ali-oss", 83);

/// For `Steps::skip`, when there is no `waybill` command to start.
pub(crate) const NAMES: [&str; 3] = [OSS2.0, OSS_V2.0, ALI_OSS.0];

/// Runs the cases of all three, each against a sandbox of its own, with the `waybill` command as it is built.
pub(crate) fn test(steps: &mut Steps) {
    let folder = root().join("tests/sdk");
    let python = venv(&folder.join("requirements.txt"), &root().join("target/sdk/venv"));
    for (sdk, program) in [(OSS2, "oss2_cases.py"), (OSS_V2, "v2_cases.py")] {
        run(steps, sdk, python.clone(), &folder.join("python").join(program));
    }
    let node = node::install(&folder.join("node")).map(|()| PathBuf::from("node"));
    run(steps, ALI_OSS, node, &folder.join("node/cases.js"));
}

fn run(steps: &mut Steps, (name, at_least): (&str, u32), interpreter: Result<PathBuf, String>, program: &Path) {
    let objects = root().join("target/sdk/objects");
    let _ = fs::remove_dir_all(&objects);
    let ready = interpreter.and_then(|interpreter| Ok((interpreter, Sandbox::start(&objects)?)));
    match ready {
        Err(message) => steps.skip(name, &message),
        Ok((interpreter, sandbox)) => {
            // The ready line holds the secret, and other users of the machine cannot read the environment.
            let mut command = Command::new(interpreter);
            command.arg(program).env("WAYBILL_SANDBOX", sandbox.info.to_string()).env("PYTHONUTF8", "1");
            // Python's bytecode would lie in the sources.
            command.env("PYTHONDONTWRITEBYTECODE", "1");
            steps.run_tests(name, at_least, &mut command);
        }
    }
}

/// The Python of a venv that holds these requirements; made once for each list and each Python.
pub(crate) fn venv(requirements: &Path, folder: &Path) -> Result<PathBuf, String> {
    let python = if Path::new("/etc/debian_version").exists() {
        // The one that Debian's python3-venv belongs to, whatever else is on the PATH.
        "/usr/bin/python3"
    } else if cfg!(windows) {
        "python"
    } else {
        "python3"
    };
    let version =
        answers(python, &["--version"]).ok_or(format!("{python} does not start; Python 3 with venv is needed"))?;
    let list = fs::read_to_string(requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
    let (wanted, stamp) = (format!("{version}{list}"), folder.join("xtask-installed.txt"));
    let own = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(own);
    }
    must(Command::new(python).args(["-m", "venv", "--clear"]).arg(folder), "python venv (once)")?;
    let mut pip = Command::new(&own);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]);
    must(pip.arg(requirements), "pip install")?;
    fs::write(&stamp, wanted).map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
    Ok(own)
}
