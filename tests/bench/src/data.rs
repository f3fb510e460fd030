//! The files that are uploaded: the same bytes on every machine, no two files alike, with a list of what is in them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use clap::ValueEnum;
use crc_fast::{CrcAlgorithm, Digest};

const PIECE: usize = 1 << 20;

/// A set of files of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Set {
    /// One file of 2 GiB.
    Big,
    /// 64 files of 32 MiB.
    Mid,
    /// 10,000 files of 16 KiB.
    Small,
    /// 1,000 files of 16 KiB, for clients that would take minutes over ten thousand.
    Few,
    /// 100,000 files of 1 KiB.
    Tiny,
    /// 200,000 files of 16 bytes in 2,120 folders.
    Tree,
}

impl Set {
    /// How many files of how many bytes, in how many folders.
    fn shape(self) -> (u64, u64, u64) {
        match self {
            Set::Big => (1, 2 << 30, 1),
            Set::Mid => (64, 32 << 20, 4),
            Set::Small => (10_000, 16 << 10, 100),
            Set::Few => (1_000, 16 << 10, 10),
            Set::Tiny => (100_000, 1 << 10, 1_000),
            // And twenty folders above them.
            Set::Tree => (200_000, 16, 2_100),
        }
    }

    fn name(self, file: u64) -> String {
        let (files, _, folders) = self.shape();
        let folder = file * folders / files;
        match self {
            Set::Big => "big.bin".to_owned(),
            Set::Tree => format!("{:02}/{folder:04}/{file:06}.txt", folder * 20 / folders),
            _ => format!("{folder:03}/{file:06}.bin"),
        }
    }
}

/// Makes `folder` and, when all of it is there, `folder.tsv` with path, size and CRC-64 of each file.
pub(crate) fn make(set: Set, folder: &Path) -> Result<(), String> {
    let problem = |error: std::io::Error| format!("cannot make {}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(problem)?;
    }
    let (files, size, _) = set.shape();
    let mut list = String::new();
    let mut piece = vec![0; PIECE];
    for file in 0..files {
        let name = set.name(file);
        let path = folder.join(&name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(problem)?;
        }
        let crc64 = write(&path, Random::seeded(set as u64, file), size, &mut piece).map_err(problem)?;
        let _ = writeln!(list, "{name}\t{size}\t{crc64}");
    }
    fs::write(folder.with_extension("tsv"), list).map_err(problem)
}

fn write(path: &Path, mut random: Random, size: u64, piece: &mut [u8]) -> std::io::Result<u64> {
    let mut crc = Digest::new(CrcAlgorithm::Crc64Xz);
    let mut file = BufWriter::with_capacity(PIECE, File::create(path)?);
    let mut left = size;
    while left > 0 {
        let now = &mut piece[..left.min(PIECE as u64) as usize];
        random.fill(now);
        crc.update(now);
        file.write_all(now)?;
        left -= now.len() as u64;
    }
    file.flush()?;
    Ok(crc.finalize())
}

/// Bytes that no compression shortens (xorshift).
struct Random(u64);

impl Random {
    fn seeded(set: u64, file: u64) -> Self {
        Random((file + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (set + 1).wrapping_mul(0xbf58_476d_1ce4_e5b9))
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for eight in bytes.chunks_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            eight.copy_from_slice(&self.0.to_le_bytes()[..eight.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_has_a_name_of_its_own_and_the_tree_its_folders() {
        for set in Set::value_variants() {
            let (files, _, folders) = set.shape();
            let names: BTreeSet<String> = (0..files).map(|file| set.name(file)).collect();
            assert_eq!(names.len() as u64, files, "{set:?}");
            let parents: BTreeSet<&Path> = names.iter().filter_map(|name| Path::new(name).parent()).collect();
            assert_eq!(parents.len() as u64, folders, "{set:?}");
            if *set == Set::Tree {
                let above: BTreeSet<_> = parents.iter().filter_map(|folder| folder.parent()).collect();
                assert_eq!(parents.len() + above.len(), 2_120);
            }
        }
    }

    #[test]
    fn two_files_never_begin_alike() {
        let begin = |set, file| {
            let mut bytes = [0; 16];
            Random::seeded(set, file).fill(&mut bytes);
            bytes
        };
        let all: BTreeSet<[u8; 16]> = (0..6).flat_map(|set| (0..1000).map(move |file| begin(set, file))).collect();
        assert_eq!(all.len(), 6000);
    }
}
