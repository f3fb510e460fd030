//! Command lines: each client uploads one folder, keys beginning with its name, and says little about it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::programs::{Programs, bare_command, drivers, folder};
use super::server::{BUCKET, KEY_ID, REGION, SECRET};
use super::workload::{Client, Settings, Unit, Workload};
use crate::steps::root;

/// Above it a file goes in parts, of this size.
const PART_MIB: u32 = 8;

/// One run to come.
pub(crate) struct Errand<'a> {
    pub(crate) workload: &'a Workload,
    pub(crate) endpoint: &'a str,
    pub(crate) data: &'a Path,
    /// Empty, and gone afterwards.
    pub(crate) scratch: &'a Path,
    /// `ca.pem` is in it.
    pub(crate) certificate: &'a Path,
}

/// The command of a client, if the client is there.
pub(crate) fn command(client: Client, programs: &Programs, errand: &Errand<'_>) -> Option<Command> {
    match client {
        Client::Waybill => Some(waybill(&programs.waybill, errand)),
        Client::Bare => Some(bare(&programs.bench, errand)),
        peer => {
            let program = programs.peers.get(&peer)?;
            Some(match peer {
                Client::Rclone => rclone(program, errand),
                Client::S5cmd => s5cmd(program, errand),
                Client::AliOss => driver(program, Some("ali_oss_put.js"), errand),
                Client::Oss2 => driver(program, Some("oss2_put.py"), errand),
                _ => driver(program, None, errand),
            })
        }
    }
}

fn with_oss_keys(program: &Path) -> Command {
    let mut command = bare_command(program);
    command.env("OSS_ACCESS_KEY_ID", KEY_ID).env("OSS_ACCESS_KEY_SECRET", SECRET);
    command
}

/// Told nothing but where to: no concurrency, no part size.
fn waybill(program: &Path, errand: &Errand<'_>) -> Command {
    let mut command = with_oss_keys(program);
    command.arg("upload").arg(errand.data).args(["--bucket", BUCKET, "--region", REGION]);
    command.args(["--endpoint", errand.endpoint, "--data-dir"]).arg(errand.scratch.join("data"));
    if errand.workload.tls {
        command.arg("--ca-file").arg(errand.certificate.join("ca.pem"));
    }
    command
}

fn bare(program: &Path, errand: &Errand<'_>) -> Command {
    let mut command = with_oss_keys(program);
    command.arg("put").arg(errand.data).args(["--bucket", BUCKET, "--region", REGION, "--endpoint", errand.endpoint]);
    // What serves each best: small files lose more to waking threads than a second one gains.
    let threads = if errand.workload.unit == Unit::Gib { "2" } else { "1" };
    command.args(["--threads", threads]);
    if let Settings::Matched { files, parts } = errand.workload.settings {
        command.args(["--at-once", &(files * parts).to_string()]);
    }
    if errand.workload.tls {
        command.arg("--ca-file").arg(errand.certificate.join("ca.pem"));
    }
    command
}

fn rclone(program: &Path, errand: &Errand<'_>) -> Command {
    let mut command = bare_command(program);
    command.arg("copy").arg(errand.data).arg(format!(":s3:{BUCKET}/{}", name(errand)));
    command.env("RCLONE_CONFIG", errand.scratch.join("rclone.conf")).env("RCLONE_S3_PROVIDER", "Alibaba");
    command.env("RCLONE_S3_ENDPOINT", errand.endpoint).env("RCLONE_S3_REGION", REGION);
    command.env("RCLONE_S3_ACCESS_KEY_ID", KEY_ID).env("RCLONE_S3_SECRET_ACCESS_KEY", SECRET);
    command.env("RCLONE_S3_FORCE_PATH_STYLE", "true");
    if let Settings::Matched { files, parts } = errand.workload.settings {
        command.args(["--transfers", &files.to_string(), "--s3-upload-concurrency", &parts.to_string()]);
        let size = format!("{PART_MIB}Mi");
        command.args(["--s3-chunk-size", &size, "--s3-upload-cutoff", &size]);
    }
    if errand.workload.tls {
        command.arg("--ca-cert").arg(errand.certificate.join("ca.pem"));
    }
    command
}

fn s5cmd(program: &Path, errand: &Errand<'_>) -> Command {
    let mut command = bare_command(program);
    command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_REGION", REGION);
    command.args(["--endpoint-url", errand.endpoint, "--log", "error"]);
    if errand.workload.tls {
        command.env("AWS_CA_BUNDLE", errand.certificate.join("ca.pem"));
    }
    if let Settings::Matched { files, .. } = errand.workload.settings {
        command.args(["--numworkers", &files.to_string()]);
    }
    command.arg("cp");
    if let Settings::Matched { parts, .. } = errand.workload.settings {
        command.args(["--concurrency", &parts.to_string(), "--part-size", &PART_MIB.to_string()]);
    }
    command.arg(format!("{}/", errand.data.display())).arg(format!("s3://{BUCKET}/{}/", name(errand)));
    command
}

/// The drivers of libraries take the same arguments.
fn driver(program: &Path, script: Option<&str>, errand: &Errand<'_>) -> Command {
    let mut command = with_oss_keys(program);
    command.args(script.map(|script| drivers().join(script)));
    command.args([errand.endpoint, BUCKET, REGION]).arg(errand.data);
    let (files, parts) = match errand.workload.settings {
        Settings::Matched { files, parts } => (files, parts),
        Settings::Own => (1, 1),
    };
    command.args([files, parts, PART_MIB << 20].map(|number| number.to_string()));
    let certificate: PathBuf = errand.certificate.join("ca.pem");
    command.env("BENCH_SCRATCH", errand.scratch).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("NODE_PATH", root().join("tests/sdk/node/node_modules"));
    if errand.workload.tls {
        command.env("SSL_CERT_FILE", certificate);
    }
    // ali-oss would look for settings where it is started.
    command.current_dir(folder());
    command
}

fn name(errand: &Errand<'_>) -> String {
    errand.data.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
