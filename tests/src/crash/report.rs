//! What a run came to, as text for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use waybill_sandbox::{LoggedRequest, ReceivedCallback};

use super::accounts::{is_data, is_finished};

/// The figures of one run.
#[derive(Debug, Default)]
pub struct Report {
    /// Repeats the run's throws.
    pub seed: u64,
    /// How often the program was killed.
    pub kills: u32,
    /// Kills that were aimed at a request under way.
    pub aimed: u32,
    /// Kills that found at least one upload in this phase.
    pub hit: BTreeMap<&'static str, u32>,
    /// Uploads, all of them stored.
    pub uploads: usize,
    /// Of these, those that ask for a callback.
    pub told: usize,
    /// Bytes of the files.
    pub file_bytes: u64,
    /// Finishing requests whose answer was lost and whose outcome was found out.
    pub settled: usize,
    /// Requests by operation.
    pub requests: BTreeMap<String, usize>,
    /// Faults met, by kind.
    pub faults: BTreeMap<String, usize>,
    /// Bytes of files that the server read.
    pub bytes: u64,
    /// Finishing requests that were carried out.
    pub finished: usize,
    /// Callbacks that the receiver got.
    pub callbacks: usize,
    /// How long it took.
    pub took: Duration,
}

impl Report {
    /// Counts what the sandbox remembers.
    pub fn count(&mut self, log: &[LoggedRequest], callbacks: &[ReceivedCallback]) {
        for entry in log {
            *self.requests.entry(format!("{:?}", entry.operation)).or_default() += 1;
        }
        let of_receiver = callbacks.iter().filter_map(|callback| callback.fault.clone());
        for fault in log.iter().filter_map(|entry| entry.fault.clone()).chain(of_receiver) {
            *self.faults.entry(fault).or_default() += 1;
        }
        self.bytes = log.iter().filter(|entry| is_data(entry)).map(|entry| entry.bytes_received).sum();
        self.finished = log.iter().filter(|entry| is_finished(entry)).count();
        self.callbacks = callbacks.len();
    }

    /// Bytes that were sent more than once.
    pub fn bytes_again(&self) -> u64 {
        self.bytes.saturating_sub(self.file_bytes)
    }

    /// As a page for `docs/`.
    pub fn page(&self, date: &str) -> String {
        let mut page = String::new();
        let percent = 100.0 * self.bytes_again() as f64 / self.file_bytes.max(1) as f64;
        let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / 1_048_576.0);
        // Writing to a String cannot fail.
        let _ = write!(
            page,
            "\
# Reliability

Made by `cargo xtask soak` on {date}; do not edit. The same throws come again with `--kills {kills} --seed {seed}`.

A program with Waybill's engine uploads sets of files (0 B to 300 MB, in one PutObject or in parts of {part}, with a
callback for each file of every second set) to the sandbox, which misbehaves at the same time. It is killed with `kill -9`
20 to 600 ms after it is ready, or in the middle of a finishing request, and started again on the same data folder, until
everything is final.

| afterwards | |
|---|---|
| files in the bucket, byte for byte as on disk | {uploads} of {uploads} |
| uploads that are final and stored | {uploads} of {uploads} |
| finishing requests carried out | {finished}: one for every upload |
| callbacks received | {callbacks} of {told}: one for every upload that asks for one |
| of these, finished while nobody heard the answer, and settled | {settled} |
| multipart uploads left at the server | 0 |

| the run | |
|---|---|
| kills | {kills}, of these {aimed} aimed at a request under way |
| bytes of the files | {file_bytes} |
| bytes sent again | {again} ({percent:.1} %) |
| time | {minutes} min {seconds} s |

| kills that found an upload | |
|---|---|
{hit}
| requests | |
|---|---|
{requests}
| faults met | |
|---|---|
{faults}",
            kills = self.kills,
            seed = self.seed,
            part = format_args!("{} KiB", super::PART >> 10),
            uploads = self.uploads,
            finished = self.finished,
            callbacks = self.callbacks,
            told = self.told,
            settled = self.settled,
            aimed = self.aimed,
            file_bytes = mib(self.file_bytes),
            again = mib(self.bytes_again()),
            minutes = self.took.as_secs() / 60,
            seconds = self.took.as_secs() % 60,
            hit = rows(&self.hit),
            requests = rows(&self.requests),
            faults = rows(&self.faults),
        );
        page
    }
}

fn rows<K: std::fmt::Display, V: std::fmt::Display>(counts: &BTreeMap<K, V>) -> String {
    counts.iter().map(|(name, count)| format!("| {name} | {count} |\n")).collect()
}
