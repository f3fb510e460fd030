//! What Waybill does by itself: finding the files of a folder, and a queue of a million.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::goals::Verdict;
use super::measure::measure;
use super::programs::{Programs, bare_command, folder};
use super::server::{KEY_ID, SECRET, Server};

/// Files of the queue at each step: what a queue costs must not depend on how long it is.
const STEPS: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// Of the longest queue so many are uploaded.
const UPLOADED: u64 = 100_000;

/// A queue of a thousand to a million: a page, a search, changes of state, and its first 100,000 on their way.
///
/// # Errors
/// When a run failed.
pub(crate) fn queue_of_a_million(programs: &Programs) -> Result<(String, Vec<Verdict>), String> {
    let mut text = "| files queued | seconds | MiB | page of 100 ms | page in the middle ms | counts ms | search ms | pause, µs of processor each | resume |\n\
         |---|---|---|---|---|---|---|---|---|\n".to_owned();
    let (mut verdicts, mut uploads) = (Vec::new(), String::new());
    for files in STEPS {
        let million = files == STEPS[STEPS.len() - 1];
        let server = million.then(|| Server::start(&programs.waybill, 0, None)).transpose()?;
        let told = scale(programs, &folder().join(format!("data/scale-{files}")), files, false, server.as_ref())?;
        let of = |step: &str, at: usize, name: &str| figure(&told, step, at, name);
        text += &format!(
            "| {files} | {:.2} | {:.0} | {:.2} | {:.2} | {:.2} | {:.1} | {:.1} | {:.1} |\n",
            of("enqueue", 0, "seconds"),
            of("states", 1, "rss_mib"),
            of("look", 0, "page_ms"),
            of("look", 0, "deep_page_ms"),
            of("look", 0, "counts_ms"),
            of("look", 0, "search_ms"),
            of("states", 0, "cpu_us_each"),
            of("states", 1, "cpu_us_each"),
        );
        if million {
            let share =
                of("states", 0, "percent_of_a_core_at_5000_s").max(of("states", 1, "percent_of_a_core_at_5000_s"));
            verdicts.push(below("a page of 100 of 1,000,000", of("look", 0, "page_ms"), 1.0, "ms"));
            verdicts.push(below("a search in 1,000,000", of("look", 0, "search_ms"), 100.0, "ms"));
            verdicts.push(below("5,000 changes of state a second", share, 15.0, "% of a core"));
            for step in told.iter().filter(|step| step["step"] == "upload") {
                let number = |name: &str| step[name].as_f64().unwrap_or_default();
                uploads += &format!(
                    "| {:.0} | {:.0} | {:.0} |\n",
                    number("stored"),
                    number("files_per_second"),
                    number("rss_mib")
                );
            }
        }
    }
    let uploads = format!(
        "\nThe first {UPLOADED} of the million, uploaded:\n\n| stored | files/s since the line before | MiB |\n|---|---|---|\n{uploads}"
    );
    Ok((text + &uploads, verdicts))
}

/// Enqueueing 200,000 files from disk, against the `ignore` crate's walk with metadata alone (at most twice its time).
///
/// # Errors
/// When a run failed.
pub(crate) fn scan_of_200_000(programs: &Programs, tree: &Path, rounds: u32) -> Result<(String, Verdict), String> {
    let (mut walks, mut scans) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut command = bare_command(&programs.bench);
        walks.push(measure(command.arg("walk").arg(tree), &folder().join("walk.log"))?.wall);
        let told = scale(programs, tree, 200_000, true, None)?;
        scans.push(Duration::from_secs_f64(figure(&told, "enqueue", 0, "seconds")));
    }
    let middle = |mut all: Vec<Duration>| {
        all.sort();
        all[all.len() / 2].as_secs_f64()
    };
    let (walk, scan) = (middle(walks), middle(scans));
    let text = format!(
        "200,000 files in 2,120 folders: walked by `ignore` with metadata alone, 2 threads, {walk:.2} s; queued by Waybill {scan:.2} s.\n"
    );
    Ok((text, below("enqueueing 200,000 files", scan / walk, 2.0, "× the walk")))
}

fn below(words: &str, reached: f64, wanted: f64, unit: &str) -> Verdict {
    Verdict {
        words: words.to_owned(),
        wanted: format!("≤ {wanted} {unit}"),
        reached: format!("{reached:.2} {unit}"),
        is_reached: reached <= wanted,
    }
}

/// Runs the engine over these files, and gives what it told step by step.
fn scale(
    programs: &Programs,
    files_in: &Path,
    files: u64,
    as_they_are: bool,
    server: Option<&Server>,
) -> Result<Vec<Value>, String> {
    let (data, log) = (folder().join("scale.data"), folder().join("scale.log"));
    if data.exists() {
        fs::remove_dir_all(&data).map_err(|error| error.to_string())?;
    }
    let mut command = bare_command(&programs.bench);
    command.arg("scale").arg("--files").arg(files.to_string()).arg("--data-dir").arg(&data).arg(files_in);
    if as_they_are {
        command.arg("--as-they-are");
    }
    if let Some(server) = server {
        command.args(["--endpoint", &server.endpoint, "--upload", &UPLOADED.to_string()]);
        command.env("OSS_ACCESS_KEY_ID", KEY_ID).env("OSS_ACCESS_KEY_SECRET", SECRET);
    }
    measure(&mut command, &log)?;
    let told = fs::read_to_string(&log).map_err(|error| error.to_string())?;
    Ok(told.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// A figure of the `at`th step of this name.
fn figure(told: &[Value], step: &str, at: usize, name: &str) -> f64 {
    told.iter()
        .filter(|told| told["step"] == step)
        .nth(at)
        .and_then(|told| told[name].as_f64())
        .unwrap_or(f64::INFINITY)
}
