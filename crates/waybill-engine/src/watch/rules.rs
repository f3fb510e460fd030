//! When a file in a watched folder is ready, and which files are none of ours: pure.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::upload::source::SourceStamp;

/// What the scanner remembers of a file that may still be growing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) stamp: SourceStamp,
    /// When it was first seen like this.
    pub(crate) since: Instant,
}

/// What to do with a file now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// It has been like this for long enough.
    Settled,
    /// Remember this and look again after the wait.
    Wait(Seen, Duration),
}

/// A file is settled once it has looked the same for `quiet`.
pub(crate) fn judge(seen: Option<Seen>, stamp: SourceStamp, now: Instant, quiet: Duration) -> Verdict {
    match seen {
        Some(seen) if seen.stamp == stamp => match quiet.checked_sub(now.duration_since(seen.since)) {
            None | Some(Duration::ZERO) => Verdict::Settled,
            Some(left) => Verdict::Wait(seen, left),
        },
        _ => Verdict::Wait(Seen { stamp, since: now }, quiet),
    }
}

/// Files that programs leave beside or in place of the real one while they work.
pub(crate) fn is_ignored(path: &Path) -> bool {
    let Some(name) = path.file_name().map(|name| name.to_string_lossy().to_lowercase()) else {
        return true;
    };
    let litter = ["thumbs.db", "desktop.ini"];
    let unfinished = [".part", ".partial", ".crdownload", ".tmp", ".temp", ".download", "~"];
    name.starts_with('.')
        || name.starts_with("~$")
        || litter.contains(&name.as_str())
        || unfinished.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_secs(2);

    fn stamp(size_bytes: u64) -> SourceStamp {
        SourceStamp { size_bytes, modified_ns: 1, file_id: 1 }
    }

    #[test]
    fn a_growing_file_waits_anew_after_every_piece() {
        let start = Instant::now();
        let Verdict::Wait(first, left) = judge(None, stamp(1), start, QUIET) else { panic!("settled at once") };
        assert_eq!(left, QUIET);
        let later = start + Duration::from_millis(1_900);
        let Verdict::Wait(second, left) = judge(Some(first), stamp(2), later, QUIET) else { panic!("settled") };
        assert_eq!((second.since, left), (later, QUIET));
        let Verdict::Wait(_, left) = judge(Some(second), stamp(2), later + QUIET / 2, QUIET) else { panic!("settled") };
        assert_eq!(left, QUIET / 2);
        assert_eq!(judge(Some(second), stamp(2), later + QUIET, QUIET), Verdict::Settled);
    }

    #[test]
    fn temporary_and_hidden_files_are_left_alone() {
        for name in [".DS_Store", "a.mov.part", "~$report.docx", "Thumbs.db", "b.TMP", "c.txt~"] {
            assert!(is_ignored(Path::new(name)), "{name}");
        }
        assert!(!is_ignored(Path::new("/x/.hidden/partial.mov")));
    }
}
