//! `cargo xtask soak`: the long crash run, which writes its report to `docs/reliability.md`.

use std::ffi::OsString;

use crate::packages;
use crate::steps::{cargo, must, root};

/// Starts it with these arguments.
pub(crate) fn soak(arguments: &[OsString]) -> Result<(), String> {
    packages::ensure(&[packages::COMPILER])?;
    let mut run = cargo(&["run", "--package", "waybill-tests", "--bin", "soak", "--"]);
    must(run.arg("--report").arg(root().join("docs/reliability.md")).args(arguments), "crash run")
}
