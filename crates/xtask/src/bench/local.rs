//! What Waybill does without a server: a queue of a million, and finding the files of a folder.

use std::path::Path;
use std::process::Command;

use super::measure::measure;
use super::programs::{Programs, bare_command, folder};

/// A page of 100, a search, and 5,000 state changes a second in a queue of 1,000,000: to be measured from within, by an
/// entrance that the engine has yet to open.
pub(crate) fn queue_of_a_million(_programs: &Programs) -> Option<String> {
    None
}

/// Enqueueing 200,000 files from disk, against the `ignore` crate's walk with metadata alone (at most twice its time).
/// Waybill's side waits for an entrance that enqueues and does not upload.
pub(crate) fn scan_of_200_000(programs: &Programs, tree: &Path, rounds: u32) -> Result<String, String> {
    let mut walks = Vec::new();
    for _ in 0..rounds {
        let mut command: Command = bare_command(&programs.bench);
        walks.push(measure(command.arg("walk").arg(tree), &folder().join("walk.log"))?);
    }
    walks.sort_by_key(|cost| cost.wall);
    let middle = &walks[walks.len() / 2];
    Ok(format!(
        "Walk of 200,000 files with metadata alone (`ignore`, 2 threads): {:.2} s, {:.2} s of processor.",
        middle.wall.as_secs_f64(),
        middle.cpu.as_secs_f64()
    ))
}
