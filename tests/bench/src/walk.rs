//! The `ignore` crate's walk with metadata and nothing else: what finding the files of a folder costs at least.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use ignore::{WalkBuilder, WalkState};

/// Walks with two threads and says how much there is.
pub(crate) fn run(folder: &Path) -> Result<(), String> {
    let (files, bytes, unread) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    WalkBuilder::new(folder).standard_filters(false).threads(2).build_parallel().run(|| {
        Box::new(|entry| {
            match entry.and_then(|entry| entry.metadata()) {
                Ok(data) if data.is_file() => {
                    files.fetch_add(1, Ordering::Relaxed);
                    bytes.fetch_add(data.len(), Ordering::Relaxed);
                }
                Ok(_) => {}
                Err(_) => drop(unread.fetch_add(1, Ordering::Relaxed)),
            }
            WalkState::Continue
        })
    });
    println!("{} files, {} bytes", files.into_inner(), bytes.into_inner());
    match unread.into_inner() {
        0 => Ok(()),
        unread => Err(format!("{unread} entries of {} cannot be read", folder.display())),
    }
}
