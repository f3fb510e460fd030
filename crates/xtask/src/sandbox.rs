//! A `waybill sandbox` of our own: a local OSS with a callback receiver, which ends with us.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::steps::built;

/// A running sandbox.
#[derive(Debug)]
pub(crate) struct Sandbox {
    child: Child,
    /// Its ready line: how to reach it, the secret included.
    pub(crate) info: Value,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sandbox {
    /// Starts one on a free port, with the `waybill` command as it is built; the objects lie in `objects`.
    pub(crate) fn start(objects: &Path) -> Result<Self, String> {
        let mut child = Command::new(built("waybill")?)
            .args(["sandbox", "--port", "0", "--region", "local", "--bucket", "sandbox"])
            .args(["--access-key-id", "xtask", "--data"])
            .arg(objects)
            // In the environment, where other users of the machine cannot read it.
            .env("OSS_ACCESS_KEY_SECRET", secret())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start the sandbox: {error}"))?;
        let output = child.stdout.take();
        let mut sandbox = Self { child, info: Value::Null };
        let mut line = String::new();
        if let Some(output) = output {
            BufReader::new(output).read_line(&mut line).map_err(|error| format!("cannot hear the sandbox: {error}"))?;
        }
        sandbox.info = serde_json::from_str(&line).map_err(|_| "the sandbox ended before it was ready".to_owned())?;
        Ok(sandbox)
    }
}

/// A secret for one sandbox that lives for seconds; it opens nothing else.
fn secret() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    format!("{:016x}", RandomState::new().hash_one("sandbox"))
}
