//! What is uploaded: sets of files of every size that matters, each different at every offset and from every other.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use super::PART;

/// The largest file of a long run.
const HUGE: u64 = 300_000_000;
/// Every so many sets have one.
const HUGE_EVERY: u32 = 50;
/// Every so many sets are uploaded without a callback, which takes another way through the engine.
const UNTOLD_EVERY: u32 = 2;
/// What the folders of those are called.
const UNTOLD: &str = "untold-";

/// The sizes of set number `set`: nothing, one byte, around one part, some parts; in a long run also many.
pub(super) fn sizes(set: u32, long: bool) -> Vec<u64> {
    let mut sizes = vec![0, 1, 1_000, 60_000, PART - 1, PART, PART + 1, 2 * PART, 3 * PART + 7, 6 * PART + 5];
    if long && set.is_multiple_of(4) {
        sizes.extend([12 * PART, 40 * PART + 3]);
    }
    if long && set % HUGE_EVERY == 5 {
        sizes.push(HUGE);
    }
    sizes
}

/// Whether the set in this folder, or the file with this key, is uploaded without a callback.
pub(super) fn is_untold(name: &str) -> bool {
    name.starts_with(UNTOLD)
}

/// Writes a set below `folder` and gives its own folder.
pub(super) fn write_set(folder: &Path, set: u32, long: bool) -> io::Result<PathBuf> {
    let kind = if set.is_multiple_of(UNTOLD_EVERY) { UNTOLD } else { "set-" };
    let own = folder.join(format!("{kind}{set:04}"));
    std::fs::create_dir_all(&own)?;
    for (index, size) in sizes(set, long).into_iter().enumerate() {
        let mut file = File::create(own.join(format!("{index:02}-{size}.bin")))?;
        let seed = (u64::from(set) << 40) | ((index as u64) << 32);
        let mut left = size;
        for block in 0.. {
            if left == 0 {
                break;
            }
            let words = (0..8192u64).flat_map(|word| (seed + block * 8192 + word).to_le_bytes());
            let bytes: Vec<u8> = words.take(left.min(65_536) as usize).collect();
            file.write_all(&bytes)?;
            left -= bytes.len() as u64;
        }
    }
    Ok(own)
}

/// Every file below a folder of sets, as its key and its path.
pub(super) fn all(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for set in std::fs::read_dir(folder)? {
        for file in std::fs::read_dir(set?.path())? {
            let path = file?.path();
            let key = path.strip_prefix(folder).map_err(io::Error::other)?.to_string_lossy().replace('\\', "/");
            found.push((key, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Whether both files hold the same bytes.
pub(super) fn same(one: &Path, other: &Path) -> io::Result<bool> {
    let (one, other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (BufReader::with_capacity(1 << 16, one), BufReader::with_capacity(1 << 16, other));
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let read = one.read(&mut left)?;
        if read == 0 {
            return Ok(true);
        }
        other.read_exact(&mut right[..read])?;
        if left[..read] != right[..read] {
            return Ok(false);
        }
    }
}
