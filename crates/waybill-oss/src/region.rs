//! Alibaba's regions: their ids, where they are, and whether a callback can be asked for there.

use crate::error::Error;

/// A region as Alibaba's pages list it. The list ages: an id that is not in it is as good as any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The id that signatures use, such as `cn-hangzhou`.
    pub id: &'static str,
    /// The place in English.
    pub english: &'static str,
    /// The place in Chinese.
    pub chinese: &'static str,
    /// Whether the page on upload callbacks lists the region. That page lags behind, so `false` says "not confirmed".
    pub callback: bool,
}

const fn listed(id: &'static str, english: &'static str, chinese: &'static str) -> Region {
    Region { id, english, chinese, callback: true }
}

const fn unlisted(id: &'static str, english: &'static str, chinese: &'static str) -> Region {
    Region { id, english, chinese, callback: false }
}

/// [Regions and endpoints; Callback]. Sydney and Mumbai, on old pages only, are closed.
const REGIONS: [Region; 26] = [
    listed("cn-hangzhou", "Hangzhou", "杭州"),
    listed("cn-shanghai", "Shanghai", "上海"),
    listed("cn-qingdao", "Qingdao", "青岛"),
    listed("cn-beijing", "Beijing", "北京"),
    listed("cn-zhangjiakou", "Zhangjiakou", "张家口"),
    listed("cn-huhehaote", "Hohhot", "呼和浩特"),
    listed("cn-wulanchabu", "Ulanqab", "乌兰察布"),
    listed("cn-shenzhen", "Shenzhen", "深圳"),
    listed("cn-heyuan", "Heyuan", "河源"),
    listed("cn-guangzhou", "Guangzhou", "广州"),
    listed("cn-chengdu", "Chengdu", "成都"),
    unlisted("cn-nanjing", "Nanjing (closing down)", "南京（即将关停）"),
    unlisted("cn-fuzhou", "Fuzhou (closing down)", "福州（即将关停）"),
    listed("cn-hongkong", "Hong Kong", "香港"),
    listed("us-west-1", "Silicon Valley", "硅谷"),
    listed("us-east-1", "Virginia", "弗吉尼亚"),
    listed("ap-northeast-1", "Tokyo", "东京"),
    unlisted("ap-northeast-2", "Seoul", "首尔"),
    listed("ap-southeast-1", "Singapore", "新加坡"),
    listed("ap-southeast-3", "Kuala Lumpur", "吉隆坡"),
    listed("ap-southeast-5", "Jakarta", "雅加达"),
    listed("ap-southeast-6", "Manila", "马尼拉"),
    unlisted("ap-southeast-7", "Bangkok", "曼谷"),
    listed("eu-central-1", "Frankfurt", "法兰克福"),
    listed("eu-west-1", "London", "伦敦"),
    listed("me-east-1", "Dubai", "迪拜"),
];

impl Region {
    /// All that are known, as a list offers them: mainland China first.
    pub fn all() -> &'static [Region] {
        &REGIONS
    }

    /// The region with this id, written with or without `oss-`; none says only that the list does not know it.
    pub fn of(id: &str) -> Option<&'static Region> {
        let id = normalize_region(id).ok()?;
        REGIONS.iter().find(|region| region.id == id)
    }
}

/// The region id that signatures use: `oss-cn-hangzhou`, as API answers write it, becomes `cn-hangzhou`.
/// Any id of `a-z 0-9 -` is accepted, as new regions open [go2 `validation.go`].
pub fn normalize_region(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let id = text.strip_prefix("oss-").unwrap_or(text);
    if id.is_empty() || !id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
        return Err(Error::Invalid(format!("Region “{text}”: write it like cn-hangzhou.")));
    }
    Ok(id.to_owned())
}

/// The region that a lone word names: one of the list, or one that `oss-` marks and that begins as ids do. A word such
/// as `my-photos` or `oss-notes` could be anything, a key for one.
pub(crate) fn of_word(word: &str) -> Option<String> {
    const AREAS: [&str; 8] = ["af-", "ap-", "cn-", "eu-", "me-", "na-", "sa-", "us-"];
    let id = normalize_region(word).ok()?;
    let marked = word.starts_with("oss-") && AREAS.iter().any(|area| id.len() > area.len() && id.starts_with(area));
    (marked || Region::of(&id).is_some()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_api_answers_is_taken_off_and_unknown_ids_pass() {
        assert_eq!(normalize_region(" oss-cn-hangzhou ").expect("region"), "cn-hangzhou");
        assert_eq!(normalize_region("mars-north-1").expect("region"), "mars-north-1");
        for text in ["", "oss-", "Hangzhou!", "cn hangzhou", "杭州"] {
            assert!(matches!(normalize_region(text), Err(Error::Invalid(_))), "{text}");
        }
    }

    #[test]
    fn every_region_is_found_by_both_spellings_and_stands_once() {
        for region in Region::all() {
            assert_eq!(Region::of(region.id), Some(region));
            assert_eq!(Region::of(&format!("oss-{}", region.id)), Some(region));
            assert_eq!(Region::all().iter().filter(|other| other.id == region.id).count(), 1, "{}", region.id);
            assert!(!region.english.is_empty() && !region.chinese.is_ascii(), "{}", region.id);
        }
        assert_eq!(Region::of("cn-hangzhou").map(|region| region.chinese), Some("杭州"));
        assert_eq!(Region::of("ap-northeast-2").map(|region| region.callback), Some(false));
        assert_eq!(Region::of("mars-north-1"), None);
    }

    #[test]
    fn a_lone_word_is_a_region_only_if_it_looks_like_one() {
        assert_eq!(of_word("cn-hangzhou").as_deref(), Some("cn-hangzhou"));
        assert_eq!(of_word("oss-eu-north-9").as_deref(), Some("eu-north-9"));
        for word in ["my-photos", "oss-notes", "eu-north-9", "oss-cn-", "oss-"] {
            assert_eq!(of_word(word), None, "{word}");
        }
    }
}
