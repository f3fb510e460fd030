//! In which regions OSS makes callbacks, as far as that is known.

use crate::region::Region;

/// What is known of callbacks in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackSupport {
    /// The *Callback* page lists the region.
    Listed,
    /// The region is known and the page does not list it: Seoul, Bangkok, and Nanjing and Fuzhou, which are closing down.
    /// The page lags behind new regions, so this says "not confirmed", not "refused".
    NotListed,
    /// An id that our list of regions does not have. Nothing is known of it.
    UnknownRegion,
}

/// Whether OSS makes callbacks in a region, written with or without `oss-` [Callback, current edition: 22 regions]. What it
/// says to an upload that asks for one elsewhere is not established.
pub fn callback_support(region: &str) -> CallbackSupport {
    match Region::of(region) {
        Some(Region { callback: true, .. }) => CallbackSupport::Listed,
        Some(_) => CallbackSupport::NotListed,
        None => CallbackSupport::UnknownRegion,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twenty_two_regions_of_the_page_are_listed_and_no_other() {
        let listed = Region::all().iter().filter(|region| callback_support(region.id) == CallbackSupport::Listed);
        assert_eq!(listed.count(), 22);
        for (region, expected) in [
            ("oss-cn-hangzhou", CallbackSupport::Listed),
            ("me-east-1", CallbackSupport::Listed),
            ("ap-northeast-2", CallbackSupport::NotListed),
            ("cn-nanjing", CallbackSupport::NotListed),
            ("mars-north-1", CallbackSupport::UnknownRegion),
            ("", CallbackSupport::UnknownRegion),
        ] {
            assert_eq!(callback_support(region), expected, "{region}");
        }
    }
}
