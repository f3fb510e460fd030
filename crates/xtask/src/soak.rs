//! `cargo xtask soak`: what takes too long for every day. The long crash run, which writes its report to
//! `docs/reliability.md`, and the scenarios that move gigabytes.

use std::ffi::OsString;

use crate::packages;
use crate::steps::{cargo, must, root};

/// Starts it with these arguments.
pub(crate) fn soak(arguments: &[OsString]) -> Result<(), String> {
    packages::ensure(&[packages::COMPILER])?;
    let mut run = cargo(&["run", "--package", "waybill-tests", "--bin", "soak", "--"]);
    must(run.arg("--report").arg(root().join("docs/reliability.md")).args(arguments), "crash run")?;
    let mut long = cargo(&["test", "--package", "waybill-tests", "--test", "engine", "--", "--ignored"]);
    must(&mut long, "long scenarios")
}
