//! The accounts after a run: the bucket against the disk, the server's log against the receiver's, the ledger against both.

use std::collections::BTreeMap;
use std::path::Path;

use waybill_sandbox::{LoggedRequest, Operation, ReceivedCallback};

use super::files;
use super::ledger::Ledger;

/// Where everything lies, and what the sandbox remembers.
#[derive(Debug)]
pub(super) struct Books<'a> {
    /// The sets of files, as they were given to the victim.
    pub(super) files: &'a Path,
    /// The bucket's objects.
    pub(super) objects: &'a Path,
    /// The victim's data folder.
    pub(super) data_dir: &'a Path,
    /// Every request there was.
    pub(super) log: &'a [LoggedRequest],
    /// Every callback there was.
    pub(super) callbacks: &'a [ReceivedCallback],
    /// UploadIds that the server still holds.
    pub(super) open_uploads: &'a [String],
}

/// Everything that is not as it must be, in words; empty is good.
///
/// # Errors
/// A file or the database could not be read.
pub(super) fn faults_found(books: &Books<'_>) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let mut found = Vec::new();
    let ledger = Ledger::open(books.data_dir)?;
    let entries = ledger.entries()?;
    let mut uploads: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &entries {
        *uploads.entry(&entry.key).or_default() += 1;
        if entry.phase != "Done" {
            found.push(format!("No. {} of {} is {}: {}", entry.no, entry.key, entry.phase, entry.state));
        }
    }
    for (key, path) in files::all(books.files)? {
        let object = books.objects.join(&key);
        if !object.is_file() {
            found.push(format!("{key} is not in the bucket"));
        } else if !files::same(&path, &object)? {
            found.push(format!("{key} in the bucket is not the file"));
        }
        if !uploads.contains_key(key.as_str()) {
            found.push(format!("{key} has no upload"));
        }
    }
    // One finishing request carried out, and one callback if there is to be one, for every upload.
    let finished = count(books.log.iter().filter(|entry| is_finished(entry)).filter_map(|entry| entry.key.clone()));
    let called = count(books.callbacks.iter().map(|callback| named(&callback.body)));
    for (key, times) in &uploads {
        let (finished, called) = (finished.get(*key).unwrap_or(&0), called.get(*key).unwrap_or(&0));
        let calls = if files::is_untold(key) { 0 } else { *times };
        if (finished, called) != (times, &calls) {
            found.push(format!("{key}: {times} uploads, finished {finished} times, called back {called} times"));
        }
    }
    let completes = books.log.iter().filter(|entry| entry.operation == Operation::CompleteMultipartUpload);
    let completed = count(completes.filter(|entry| is_finished(entry)).filter_map(|entry| entry.upload_id.clone()));
    found.extend(
        completed
            .iter()
            .filter(|(_, times)| **times > 1)
            .map(|(id, times)| format!("the UploadId {id} was completed {times} times")),
    );
    found.extend(books.open_uploads.iter().map(|id| format!("the UploadId {id} is an orphan")));
    let remembered = ledger.remembered()?;
    if remembered != (0, 0) {
        found.push(format!("still remembered: {} aborts, {} Initiates", remembered.0, remembered.1));
    }
    Ok(found)
}

/// A PutObject or Complete that was carried out, whatever became of its answer.
pub(super) fn is_finished(entry: &LoggedRequest) -> bool {
    matches!(entry.operation, Operation::PutObject | Operation::CompleteMultipartUpload)
        && entry.status.is_some_and(|status| status < 300)
}

/// Whether a request carried bytes of a file.
pub(super) fn is_data(entry: &LoggedRequest) -> bool {
    matches!(entry.operation, Operation::PutObject | Operation::UploadPart)
}

fn named(body: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    body["object"].as_str().unwrap_or("a callback that names no object").to_owned()
}

fn count(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}
