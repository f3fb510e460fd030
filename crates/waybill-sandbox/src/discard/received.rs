//! What a discarding server was sent: requests by kind, and of each object its size and CRC-64.

use std::collections::{BTreeMap, HashMap};

use crc_fast::{CrcAlgorithm, checksum_combine};
use serde::Serialize;

/// Size and CRC-64 of a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) size: u64,
    pub(super) crc64: u64,
}

impl Sum {
    /// In the form of an ETag: 32 hex digits, of which no two bodies of a run share the same by chance.
    pub(super) fn etag(self) -> String {
        format!("{:016X}{:016X}", self.crc64, self.size)
    }
}

/// An object as far as it is kept.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) size: u64,
    pub(super) crc64: u64,
    /// How often it was stored.
    pub(super) times: u32,
    #[serde(skip)]
    pub(super) etag: String,
}

/// An upload that is not completed.
#[derive(Debug, Default)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) parts: BTreeMap<u32, Sum>,
}

/// Everything since the start, or since it was last forgotten.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Received {
    pub(super) connections: u64,
    /// By the names of the API reference.
    pub(super) requests: BTreeMap<&'static str, u64>,
    /// By their codes.
    pub(super) refused: BTreeMap<String, u64>,
    /// Requests whose body did not come to its end.
    pub(super) cut: u64,
    pub(super) with_content_md5: u64,
    pub(super) signatures_checked: u64,
    /// Of all bodies.
    pub(super) bytes: u64,
    /// The most requests that were being answered at the same time.
    pub(super) busiest: u64,
    #[serde(skip)]
    pub(super) at_once: u64,
    #[serde(serialize_with = "how_many")]
    pub(super) open_uploads: HashMap<String, Upload>,
    pub(super) objects: HashMap<String, Object>,
}

impl Received {
    pub(super) fn begin(&mut self) {
        self.at_once += 1;
        self.busiest = self.busiest.max(self.at_once);
    }

    pub(super) fn end(&mut self) {
        self.at_once = self.at_once.saturating_sub(1);
    }

    pub(super) fn store(&mut self, key: String, sum: Sum, etag: String) {
        let Sum { size, crc64 } = sum;
        let times = self.objects.get(&key).map_or(0, |earlier| earlier.times) + 1;
        self.objects.insert(key, Object { size, crc64, times, etag });
    }

    /// Forgets all but what is under way.
    pub(super) fn forget(&mut self) {
        let at_once = self.at_once;
        *self = Self { at_once, ..Self::default() };
    }
}

/// The sum of parts in their order.
pub(super) fn folded(parts: impl IntoIterator<Item = Sum>) -> Sum {
    parts.into_iter().fold(Sum::default(), |all, part| Sum {
        size: all.size + part.size,
        crc64: match part.size {
            0 => all.crc64,
            size => checksum_combine(CrcAlgorithm::Crc64Xz, all.crc64, part.crc64, size),
        },
    })
}

fn how_many<S: serde::Serializer>(uploads: &HashMap<String, Upload>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(uploads.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(bytes: &[u8]) -> Sum {
        Sum { size: bytes.len() as u64, crc64: crc_fast::checksum(CrcAlgorithm::Crc64Xz, bytes) }
    }

    #[test]
    fn parts_fold_into_the_sum_of_the_whole_and_empty_ones_change_nothing() {
        assert_eq!(folded([sum(b"one "), sum(b""), sum(b"two")]), sum(b"one two"));
        assert_ne!(folded([sum(b"two"), sum(b"one ")]), sum(b"one two"));
        assert_eq!(folded([]), sum(b""));
    }

    #[test]
    fn what_is_stored_again_is_counted_and_forgetting_keeps_what_is_under_way() {
        let mut received = Received::default();
        received.begin();
        received.begin();
        received.store("k".into(), sum(b"old"), "E1".into());
        received.store("k".into(), sum(b"new"), "E2".into());
        let Sum { size, crc64 } = sum(b"new");
        assert_eq!(received.objects["k"], Object { size, crc64, times: 2, etag: "E2".into() });
        received.forget();
        received.end();
        received.begin();
        assert_eq!((received.objects.len(), received.at_once, received.busiest), (0, 2, 2));
    }
}
