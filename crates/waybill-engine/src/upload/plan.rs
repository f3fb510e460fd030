//! What an upload is planned with: the file's stamp, and how it is cut into parts within OSS's limits. Pure.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Part size while nothing is known of the line.
pub(crate) const USUAL_PART_SIZE_BYTES: u64 = 8 << 20;
/// Smaller parts would be mostly round trips, and larger ones too much to send again, where the line does not ask for them.
const CHOSEN_PART_SIZE_BYTES: std::ops::RangeInclusive<u64> = (1 << 20)..=(64 << 20);
/// Parts of an upload unless they became too large: one page of ListParts has 1,000, and each part is a row.
const FEW_PARTS: u64 = 2_000;
/// Connections that a file may go over at once, whatever the size of its parts.
const SPREAD: u64 = 8;
/// Round trips that the sending of one part should be worth.
const ROUND_TRIPS: u64 = 8;
/// Longest time for one part: what a broken line may cost.
const PATIENCE_SECONDS: u64 = 60;
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

/// How the line to a host has shown itself; zeros where nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LineSeen {
    /// From a small request to its answer.
    pub(crate) round_trip_ms: u64,
    /// What one connection carries beside the others, limits included.
    pub(crate) bytes_per_second: u64,
}

/// The part size for a file, where nobody asks for one: 8 MiB; larger on a fast and far line, so that waiting for answers
/// is a small part of the time; smaller on a slow one, so that a broken line costs at most a minute; and so large that a
/// huge file has about 2,000 parts.
pub(crate) fn part_size(size_bytes: u64, line: LineSeen) -> u64 {
    let mut wanted = USUAL_PART_SIZE_BYTES;
    if line.bytes_per_second > 0 {
        let of_latency = line.bytes_per_second.saturating_mul(line.round_trip_ms) / 1000 * ROUND_TRIPS;
        let of_patience = line.bytes_per_second.saturating_mul(PATIENCE_SECONDS);
        let spread = (size_bytes / SPREAD).max(USUAL_PART_SIZE_BYTES);
        wanted = wanted
            .max(of_latency.min(spread))
            .min(of_patience)
            .clamp(*CHOSEN_PART_SIZE_BYTES.start(), *CHOSEN_PART_SIZE_BYTES.end());
    }
    wanted.max(size_bytes.div_ceil(FEW_PARTS)).next_multiple_of(1 << 20).min(MAX_PART_SIZE_BYTES)
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

    const MIB: u64 = 1 << 20;

    fn line(round_trip_ms: u64, bytes_per_second: u64) -> LineSeen {
        LineSeen { round_trip_ms, bytes_per_second }
    }

    #[test]
    fn parts_are_8_mib_where_nothing_is_known_and_nothing_asks_for_another_size() {
        for size in [0, 1, 100 * MIB, 10 << 30] {
            assert_eq!(part_size(size, LineSeen::default()), 8 * MIB);
        }
        assert_eq!(part_size(1 << 30, line(2, 100 * MIB)), 8 * MIB);
    }

    #[test]
    fn a_fast_far_line_gets_larger_parts_and_a_file_still_goes_over_eight_connections() {
        assert_eq!(part_size(10 << 30, line(200, 20 * MIB)), 32 * MIB);
        assert_eq!(part_size(10 << 30, line(500, 200 * MIB)), 64 * MIB);
        assert_eq!(part_size(128 * MIB, line(500, 200 * MIB)), 16 * MIB);
        assert_eq!(part_size(20 * MIB, line(500, 200 * MIB)), 8 * MIB);
    }

    #[test]
    fn a_slow_line_gets_parts_of_about_a_minute() {
        assert_eq!(part_size(1 << 30, line(100, 50_000)), 3 * MIB);
        assert_eq!(part_size(1 << 30, line(100, 1)), MIB);
    }

    #[test]
    fn a_huge_file_has_about_2000_parts() {
        assert_eq!(Plan::new(1 << 40, part_size(1 << 40, LineSeen::default())).unwrap().parts(), 1_998);
        let most = MAX_PARTS * MAX_PART_SIZE_BYTES;
        assert_eq!(Plan::new(most, part_size(most, LineSeen::default())).unwrap().parts(), 10_000);
    }

    proptest! {
        #[test]
        fn every_chosen_size_is_legal(size in 0u64..(48_828_125u64 << 20), round_trip in 0u64..10_000, speed in 0u64..(1 << 40)) {
            let plan = Plan::new(size, part_size(size, line(round_trip, speed))).unwrap();
            prop_assert!(u64::from(plan.parts()) <= MAX_PARTS);
            prop_assert!((MIN_PART_SIZE_BYTES..=MAX_PART_SIZE_BYTES).contains(&plan.part_size_bytes));
        }

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
