//! CRC-64/XZ, the checksum OSS answers with in `x-oss-hash-crc64ecma` (what Go calls ECMA) [go2 `oss/utils_crc.go`].

use std::fmt;
use std::io;

use crc_fast::{CrcAlgorithm, Digest, checksum_combine};

use crate::body::FileSlice;

/// How much [`of_slice`] reads at a time, in bytes.
const STEP: usize = 512 * 1024;

/// A checksum that is fed piece by piece.
#[derive(Clone)]
pub struct Crc64(Digest);

impl Crc64 {
    /// The checksum of nothing.
    pub fn new() -> Self {
        Crc64(Digest::new(CrcAlgorithm::Crc64Xz))
    }

    /// Folds the next bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all bytes so far.
    pub fn finish(&self) -> u64 {
        self.0.finalize()
    }
}

impl Default for Crc64 {
    fn default() -> Self {
        Crc64::new()
    }
}

impl fmt::Debug for Crc64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crc64({})", self.finish())
    }
}

/// The checksum of `a` followed by `b`, from theirs and the length of `b` in bytes.
pub fn combine(a: u64, b: u64, len_b: u64) -> u64 {
    if len_b == 0 { a } else { checksum_combine(CrcAlgorithm::Crc64Xz, a, b, len_b) }
}

/// Reads a part of a file and computes its checksum. It blocks: call it where blocking is allowed.
/// A file that ends before the slice does is an `UnexpectedEof`.
pub fn of_slice(slice: &FileSlice) -> io::Result<u64> {
    let mut crc = Crc64::new();
    let mut buffer = vec![0; STEP];
    let mut done = 0;
    while done < slice.len {
        let step = usize::try_from(slice.len - done).map_or(STEP, |left| left.min(STEP));
        let read = slice.read_at(&mut buffer[..step], done)?;
        crc.update(&buffer[..read]);
        done += read as u64;
    }
    Ok(crc.finish())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use serde_json::Value;

    use super::*;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../tests/fixtures/crc64-etag.json")).expect("fixture")
    }

    fn of(bytes: &[u8]) -> u64 {
        let mut crc = Crc64::new();
        crc.update(bytes);
        crc.finish()
    }

    fn number(value: &Value) -> u64 {
        value.as_str().expect("text").parse().expect("number")
    }

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
    }

    #[test]
    fn checksums_are_those_of_the_sdks() {
        let vectors = vectors();
        let vectors = vectors["vectors"].as_array().expect("vectors");
        assert_eq!(vectors.len(), 7);
        for vector in vectors {
            let bytes = match vector["data_hex"].as_str() {
                Some(hex) => unhex(hex),
                None => unhex(vector["repeat"]["unit_hex"].as_str().expect("unit"))
                    .repeat(vector["repeat"]["times"].as_u64().expect("times") as usize),
            };
            assert_eq!(of(&bytes), number(&vector["crc64"]), "{vector}");
        }
    }

    #[test]
    fn part_checksums_combine_to_that_of_the_whole() {
        let vectors = vectors();
        let combines = vectors["combine"].as_array().expect("combine");
        assert_eq!(combines.len(), 5);
        for vector in combines {
            let mut whole = 0;
            for part in vector["parts"].as_array().expect("parts") {
                let (unit, length) = (part["unit"].as_str().expect("unit"), part["length"].as_u64().expect("length"));
                let bytes: Vec<u8> = unit.bytes().cycle().take(length as usize).collect();
                assert_eq!(of(&bytes), number(&part["crc64"]), "{part}");
                whole = combine(whole, of(&bytes), length);
            }
            assert_eq!(whole, number(&vector["combined"]), "{vector}");
        }
    }

    #[test]
    fn a_slice_is_summed_without_what_is_around_it() {
        let mut file = tempfile::tempfile().expect("file");
        file.write_all(b"xx123456789yy").expect("write");
        let slice = FileSlice { file: Arc::new(file), offset: 2, len: 9 };
        assert_eq!(of_slice(&slice).expect("sum"), 11_051_210_869_376_104_954);
        let past = FileSlice { len: 12, ..slice };
        assert_eq!(of_slice(&past).expect_err("past the end").kind(), io::ErrorKind::UnexpectedEof);
    }
}
