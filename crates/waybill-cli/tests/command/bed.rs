//! A temp folder with a sandbox in it, and the command lines that upload to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;
use waybill_sandbox::{Fault, FaultKind, IssuedToken, LoggedRequest, Operation, Sandbox, SandboxConfig};

/// Longest wait for anything in a test.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);
pub(crate) const KEY_ID: &str = "test-key-id";
/// Long and odd enough to be found wherever it leaks to.
pub(crate) const SECRET: &str = "s3cr3t-7f1c0d9e-of-the-command";

/// Nothing is shared between tests.
pub(crate) struct Bed {
    pub(crate) dir: TempDir,
    pub(crate) sandbox: Sandbox,
    /// Where the command keeps its database, below `dir`.
    pub(crate) data: String,
}

impl Bed {
    pub(crate) async fn start() -> Bed {
        let dir = tempfile::tempdir().expect("a temp folder");
        let config = SandboxConfig {
            port: 0,
            data_dir: dir.path().join("sandbox"),
            access_key_id: KEY_ID.into(),
            access_key_secret: SECRET.into(),
            region: "cn-test".into(),
            bucket: "bucket".into(),
        };
        Bed { sandbox: Sandbox::start(config).await.expect("the sandbox starts"), dir, data: "data".into() }
    }

    /// Where the command keeps its database.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.path().join(&self.data)
    }

    /// A file below `files/` with content that differs at every offset.
    pub(crate) fn file(&self, name: &str, len: usize) -> PathBuf {
        let path = self.dir.path().join("files").join(name);
        std::fs::create_dir_all(path.parent().expect("files/ is above")).expect("a folder");
        std::fs::write(&path, content(len)).expect("a file");
        path
    }

    /// `waybill --data-dir …` with the AccessKey pair and nothing else in its environment.
    pub(crate) fn waybill(&self, arguments: &[&str]) -> Command {
        let mut command = bare();
        command.arg("--data-dir").arg(self.data_dir()).args(arguments);
        command.env("OSS_ACCESS_KEY_ID", KEY_ID).env("OSS_ACCESS_KEY_SECRET", SECRET);
        command
    }

    /// `waybill upload --json` to the sandbox.
    pub(crate) fn upload(&self, paths: &[&Path], more: &[&str]) -> Command {
        let info = self.sandbox.info();
        let mut command = self.waybill(&["upload", "--json"]);
        command.args(["--bucket", &info.bucket, "--region", &info.region, "--endpoint", &info.endpoint]);
        command.args(paths).args(more);
        command
    }

    /// Gives a command these temporary keys instead.
    pub(crate) fn sign_with(&self, token: &IssuedToken, command: &mut Command) {
        command.env("OSS_ACCESS_KEY_ID", &token.access_key_id).env("OSS_ACCESS_KEY_SECRET", &token.access_key_secret);
        command.env("OSS_SESSION_TOKEN", &token.security_token);
    }

    /// Plans a fault for every request of an operation after the first `passed`.
    pub(crate) fn hold(&self, operation: Operation, passed: u32) {
        self.sandbox.faults().add(Fault::on(operation, FaultKind::Stall).skip(passed).times(u32::MAX));
    }

    /// Plans that every PutObject of this key hangs.
    pub(crate) fn hold_key(&self, key: &str) {
        self.sandbox.faults().add(Fault::on(Operation::PutObject, FaultKind::Stall).key(key).times(u32::MAX));
    }

    /// Waits until that many requests are held by a fault.
    pub(crate) async fn until_held(&self, requests: u64) {
        let taken = self.sandbox.faults().wait_until_taken(requests, LIMIT).await;
        assert!(taken, "{} of {requests} requests were held", self.sandbox.faults().taken());
    }

    /// Lets later requests pass, once every held one has seen that its client is gone: nothing is done for those.
    pub(crate) async fn release(&self) {
        let held = usize::try_from(self.sandbox.faults().taken()).expect("a small number");
        self.until_logged("held requests end", |log| log.iter().filter(|entry| entry.fault.is_some()).count() >= held)
            .await;
        self.sandbox.faults().clear();
    }

    pub(crate) async fn until_logged(
        &self,
        what: &str,
        enough: impl Fn(&[LoggedRequest]) -> bool,
    ) -> Vec<LoggedRequest> {
        match self.sandbox.wait_for_log(enough, LIMIT).await {
            Ok(log) => log,
            Err(log) => panic!("waited in vain until {what}: {log:#?}"),
        }
    }

    /// Requests of an operation that were carried out, oldest first.
    pub(crate) fn done(&self, operation: Operation) -> Vec<LoggedRequest> {
        self.sandbox.log().into_iter().filter(|entry| is_done(entry, operation)).collect()
    }

    /// The numbers of all parts that were stored, sorted; a part stored twice is there twice.
    pub(crate) fn parts(&self) -> Vec<u32> {
        let mut parts: Vec<u32> =
            self.done(Operation::UploadPart).iter().map(|entry| entry.part_number.expect("a number")).collect();
        parts.sort_unstable();
        parts
    }

    /// An object's bytes, as they lie in the sandbox's folder.
    pub(crate) fn object(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.dir.path().join("sandbox/objects/bucket").join(key)).ok()
    }
}

/// The command with an emptied environment.
pub(crate) fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_waybill"));
    command.env_clear();
    // Windows opens no socket without it.
    if let Some(root) = std::env::var_os("SystemRoot") {
        command.env("SystemRoot", root);
    }
    command
}

pub(crate) fn is_done(entry: &LoggedRequest, operation: Operation) -> bool {
    entry.operation == operation && entry.status == Some(200)
}

pub(crate) fn count(log: &[LoggedRequest], operation: Operation) -> usize {
    log.iter().filter(|entry| is_done(entry, operation)).count()
}

/// Bytes that differ at every offset and in every part.
pub(crate) fn content(len: usize) -> Vec<u8> {
    (0..len as u64).map(|at| (at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

pub(crate) fn crc64(bytes: &[u8]) -> String {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Xz, bytes).to_string()
}

/// The names of an object's fields, sorted.
pub(crate) fn fields(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The field `name` of every receipt, sorted.
pub(crate) fn all(receipts: &[Value], name: &str) -> Vec<String> {
    let mut values: Vec<String> =
        receipts.iter().map(|receipt| receipt[name].as_str().unwrap_or("not text").to_owned()).collect();
    values.sort_unstable();
    values
}
