//! `Range`, as OSS reads it: one that does not lie in the object is ignored, unless the client asks for the standard.
//!
//! Source: *How to obtain OSS resources by segmenting HTTP range requests*, in both languages.

/// What a request wants of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stretch {
    /// All of it, answered with 200.
    Whole,
    /// These bytes, both ends included, answered with 206.
    Part {
        /// First byte.
        from: u64,
        /// Last byte.
        to: u64,
    },
    /// 416 InvalidRange.
    Outside,
}

/// Reads a `Range` header for an object of `size` bytes. Of several ranges the first counts. `standard` is
/// `x-oss-range-behavior: standard`: an end behind the object is moved to its end, a beginning behind it is refused.
pub(crate) fn read(header: &str, size: u64, standard: bool) -> Stretch {
    let first = header.trim().strip_prefix("bytes=").and_then(|ranges| ranges.split(',').next());
    let Some((from, to)) = first.and_then(|range| range.trim().split_once('-')) else {
        return Stretch::Whole;
    };
    let number = |text: &str| match text {
        "" => Some(None),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok().map(Some),
        _ => None,
    };
    let beyond = if standard { Stretch::Outside } else { Stretch::Whole };
    match (number(from), number(to)) {
        (Some(Some(from)), Some(to)) => {
            let to = to.unwrap_or(u64::MAX);
            let open = to == u64::MAX;
            if from > to {
                Stretch::Whole
            } else if from >= size || (to >= size && !open && !standard) {
                beyond
            } else {
                Stretch::Part { from, to: to.min(size - 1) }
            }
        }
        (Some(None), Some(Some(last))) => {
            if size == 0 || last == 0 || (last > size && !standard) {
                beyond
            } else {
                Stretch::Part { from: size.saturating_sub(last), to: size - 1 }
            }
        }
        _ => Stretch::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_within_the_object_is_that_part() {
        for (header, from, to) in [
            ("bytes=0-499", 0, 499),
            ("bytes=500-999", 500, 999),
            ("bytes=-500", 500, 999),
            ("bytes=-1000", 0, 999),
            ("bytes=500-", 500, 999),
            ("bytes=0-", 0, 999),
            ("bytes=3-3", 3, 3),
            ("bytes=0-499,500-999", 0, 499),
        ] {
            for standard in [false, true] {
                assert_eq!(read(header, 1000, standard), Stretch::Part { from, to }, "{header}");
            }
        }
    }

    #[test]
    fn a_range_that_does_not_fit_is_ignored_or_cut_or_refused_by_the_standard() {
        for (header, standard) in [
            ("bytes=0-1000", Stretch::Part { from: 0, to: 999 }),
            ("bytes=500-2000", Stretch::Part { from: 500, to: 999 }),
            ("bytes=-2000", Stretch::Part { from: 0, to: 999 }),
            ("bytes=1000-2000", Stretch::Outside),
            ("bytes=1000-", Stretch::Outside),
            ("bytes=-0", Stretch::Outside),
        ] {
            assert_eq!(read(header, 1000, false), Stretch::Whole, "{header}");
            assert_eq!(read(header, 1000, true), standard, "{header}");
        }
    }

    #[test]
    fn what_is_no_range_is_ignored() {
        for header in ["", "byte=0-499", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-3", "bytes=+1-2", "0-499"] {
            for standard in [false, true] {
                assert_eq!(read(header, 1000, standard), Stretch::Whole, "{header}");
            }
        }
    }

    #[test]
    fn an_empty_object_has_no_part() {
        assert_eq!(read("bytes=0-0", 0, false), Stretch::Whole);
        assert_eq!(read("bytes=-1", 0, false), Stretch::Whole);
        assert_eq!(read("bytes=0-", 0, true), Stretch::Outside);
    }
}
