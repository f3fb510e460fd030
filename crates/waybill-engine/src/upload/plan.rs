//! What an upload is planned with: the file's stamp, and how it is cut into parts within OSS's limits. Pure.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Part size when nobody asks for another.
pub(crate) const DEFAULT_PART_SIZE_BYTES: u64 = 8 << 20;
/// Smallest part OSS takes, but for the last. Source: UploadPart API page.
pub(crate) const MIN_PART_SIZE_BYTES: u64 = 100 << 10;
/// Largest part, and largest PutObject. Source: UploadPart and PutObject API pages.
pub(crate) const MAX_PART_SIZE_BYTES: u64 = 5 << 30;
/// Most parts of one upload. Source: UploadPart API page.
pub(crate) const MAX_PARTS: u64 = 10_000;

/// What identifies the content of a file well enough to notice a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SourceStamp {
    /// Bytes.
    pub(crate) size_bytes: u64,
    /// Modification time, nanoseconds since 1970 (negative before).
    pub(crate) modified_ns: i64,
    /// Inode, so that a file replaced by another of the same size and time is noticed; 0 where there is none.
    pub(crate) file_id: u64,
}

/// How one file is sent. One part or less means a single PutObject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Size of the file.
    pub(crate) size_bytes: u64,
    /// Size of every part but the last.
    pub(crate) part_size_bytes: u64,
}

/// One part that OSS has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredPart {
    /// 1 to 10,000.
    pub(crate) number: u32,
    /// Bytes.
    pub(crate) size_bytes: u64,
    /// As OSS gave it.
    pub(crate) etag: String,
    /// CRC-64/XZ that we computed while sending it.
    pub(crate) crc64: u64,
}

impl Plan {
    /// Cuts `size_bytes` into parts of `wanted` bytes, larger if 10,000 of them would not reach.
    /// None if no legal part size reaches (above 48.8 TB).
    pub(crate) fn new(size_bytes: u64, wanted: u64) -> Option<Plan> {
        let mut part_size_bytes = wanted.clamp(MIN_PART_SIZE_BYTES, MAX_PART_SIZE_BYTES);
        if size_bytes.div_ceil(part_size_bytes) > MAX_PARTS {
            // Rounded up to whole mebibytes so that part borders stay aligned for the disk.
            part_size_bytes = size_bytes.div_ceil(MAX_PARTS).next_multiple_of(1 << 20);
        }
        (part_size_bytes <= MAX_PART_SIZE_BYTES).then_some(Plan { size_bytes, part_size_bytes })
    }

    /// Goes up in one PutObject.
    pub(crate) fn is_single(&self) -> bool {
        self.size_bytes <= self.part_size_bytes
    }

    /// Number of parts; 1 for a single PutObject.
    pub(crate) fn parts(&self) -> u32 {
        // At most 10,000 by construction, so the cast keeps the value.
        self.size_bytes.div_ceil(self.part_size_bytes).max(1) as u32
    }

    /// Bytes of part `number` (1 is the first).
    pub(crate) fn range(&self, number: u32) -> Range<u64> {
        let start = u64::from(number - 1) * self.part_size_bytes;
        start..(start + self.part_size_bytes).min(self.size_bytes)
    }

    /// Length of part `number`.
    pub(crate) fn len_of(&self, number: u32) -> u64 {
        let range = self.range(number);
        range.end - range.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_file_and_one_exact_part_are_single_puts() {
        assert!(Plan::new(0, 8 << 20).unwrap().is_single());
        assert!(Plan::new(8 << 20, 8 << 20).unwrap().is_single());
        assert!(!Plan::new((8 << 20) + 1, 8 << 20).unwrap().is_single());
    }

    #[test]
    fn part_sizes_below_100_kb_are_raised() {
        assert_eq!(Plan::new(1 << 20, 1).unwrap().part_size_bytes, MIN_PART_SIZE_BYTES);
    }

    #[test]
    fn a_file_above_5_gb_goes_up_in_parts_however_large_they_are_wanted() {
        let plan = Plan::new(MAX_PART_SIZE_BYTES + 1, u64::MAX).unwrap();
        assert_eq!((plan.parts(), plan.len_of(1), plan.len_of(2)), (2, MAX_PART_SIZE_BYTES, 1));
        assert!(Plan::new(MAX_PART_SIZE_BYTES, u64::MAX).unwrap().is_single());
    }

    #[test]
    fn a_file_of_exactly_n_parts_has_no_empty_part_behind_them() {
        for parts in [2, 3, 10_000] {
            let plan = Plan::new(parts << 20, 1 << 20).unwrap();
            assert_eq!((u64::from(plan.parts()), plan.len_of(plan.parts())), (parts, 1 << 20));
        }
        let one_more = Plan::new((10_000 << 20) + 1, 1 << 20).unwrap();
        assert!(one_more.parts() <= 10_000 && one_more.part_size_bytes == 2 << 20);
    }

    #[test]
    fn files_above_48_8_tb_are_refused() {
        assert!(Plan::new(MAX_PARTS * MAX_PART_SIZE_BYTES, 8 << 20).is_some());
        assert!(Plan::new(MAX_PARTS * MAX_PART_SIZE_BYTES + 1, 8 << 20).is_none());
    }

    proptest! {
        #[test]
        fn parts_cover_the_file_without_gap_or_overlap(size in 1u64..(200 << 30), wanted in 1u64..(64 << 20)) {
            let plan = Plan::new(size, wanted).unwrap();
            prop_assert!(u64::from(plan.parts()) <= MAX_PARTS);
            let mut at = 0;
            for number in 1..=plan.parts() {
                let range = plan.range(number);
                prop_assert_eq!(range.start, at);
                prop_assert!(range.end > range.start);
                at = range.end;
            }
            prop_assert_eq!(at, size);
        }
    }
}
