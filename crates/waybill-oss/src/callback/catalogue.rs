//! Cause and cure of what OSS says about a callback, in English and Chinese; it needs no network.
//!
//! Sources: the pages of the ECs named, *HTTP 203 status code*, *Troubleshoot upload callback errors*. The page of
//! 0007-00000104 was not found.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// What to think and to do about one thing that OSS says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Advice {
    /// The EC; empty where only the words are known.
    pub ec: String,
    /// Words of OSS's message, in lower case, that tell this cause from others of the same EC; empty for what is left.
    pub says: String,
    /// The callback failed and the file is stored: it need not be sent again. Else OSS refused the upload.
    pub stored: bool,
    /// Cause in English.
    pub cause_en: String,
    /// Cure in English.
    pub cure_en: String,
    /// Cause in Chinese.
    pub cause_zh: String,
    /// Cure in Chinese.
    pub cure_zh: String,
}

static CATALOGUE: LazyLock<Vec<Advice>> =
    LazyLock::new(|| serde_json::from_str(include_str!("catalogue.json")).unwrap_or_default());

/// What is known of an answer with this EC (empty if it has none) and this message. Both fit at best; then words are
/// worth more than a number, since OSS's numbers are known from few answers.
pub fn advice(ec: &str, message: &str) -> Option<&'static Advice> {
    let message = message.to_lowercase();
    let fits = |advice: &Advice| {
        let same = advice.ec == ec && !ec.is_empty();
        match (advice.says.is_empty(), message.contains(&advice.says), same) {
            (false, true, true) => Some(3),
            (false, true, false) => Some(2),
            (true, _, true) => Some(1),
            _ => None,
        }
    };
    let ranked = CATALOGUE.iter().filter_map(|advice| Some((fits(advice)?, advice)));
    // The first of the best.
    ranked.rev().max_by_key(|(rank, _)| *rank).map(|(_, advice)| advice)
}

/// The whole catalogue.
pub fn all() -> &'static [Advice] {
    &CATALOGUE
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::super::outcome::CallbackOutcome;
    use super::*;
    use crate::xml::error::ErrorDocument;

    #[derive(Deserialize)]
    struct Fixture {
        status: u16,
        xml: String,
    }

    /// EC and message, as our parsers read them off an answer.
    fn read(Fixture { status, xml }: &Fixture) -> (String, String) {
        let (ec, message) = match status {
            203 => match CallbackOutcome::read(true, 203, &HeaderMap::new(), xml.as_bytes()) {
                CallbackOutcome::Failed { ec, message, .. } => (ec, message),
                other => panic!("{other:?}"),
            },
            _ => {
                let document = ErrorDocument::read(xml).expect("an error");
                assert_eq!(document.code, "InvalidArgument");
                (document.ec, document.message)
            }
        };
        (ec.unwrap_or_default(), message)
    }

    #[test]
    fn every_answer_finds_its_own_entry_and_every_entry_has_an_answer() {
        let fixtures: Vec<Fixture> =
            serde_json::from_str(include_str!("../../tests/fixtures/callback-errors.json")).expect("fixtures");
        assert_eq!(fixtures.len(), all().len());
        for (fixture, entry) in fixtures.iter().zip(all()) {
            let (ec, message) = read(fixture);
            assert_eq!(advice(&ec, &message), Some(entry), "{ec} {message}");
            assert_eq!(entry.stored, fixture.status == 203, "{ec} {message}");
        }
    }

    #[test]
    fn every_entry_says_in_both_languages_whether_the_file_is_stored() {
        for entry in all() {
            let Advice { ec, says, cause_en, cure_en, cause_zh, cure_zh, stored } = entry;
            assert_eq!(*says, says.to_lowercase(), "{ec}");
            assert!(!ec.is_empty() || !says.is_empty());
            assert_eq!(all().iter().filter(|other| (&other.ec, &other.says) == (ec, says)).count(), 1, "{ec} {says}");
            for chinese in [cause_zh, cure_zh] {
                assert!(chinese.contains(|c| ('一'..='龥').contains(&c)) && chinese.ends_with('。'), "{chinese}");
            }
            assert!(cause_en.is_ascii() && !cure_en.is_empty(), "{cause_en}");
            let of_images = says.contains("image");
            assert_eq!(cure_en.contains("do not upload it again"), *stored && !of_images, "{ec} {says}");
            assert_eq!(cure_zh.contains("不必重新上传"), *stored && !of_images, "{ec} {says}");
            assert_eq!(cause_en.contains("Nothing was stored"), !stored, "{ec} {says}");
            assert_eq!(cause_zh.contains("文件未存入"), !stored, "{ec} {says}");
        }
    }

    #[test]
    fn words_are_worth_more_than_a_number_that_is_not_known() {
        let found =
            |ec: &str, message: &str| advice(ec, message).map(|advice| (advice.ec.as_str(), advice.says.as_str()));
        assert_eq!(found("0007-00000299", "Error Status : 502."), Some(("0007-00000203", "status : 502")));
        assert_eq!(found("0007-00000202", "something new"), Some(("0007-00000202", "")));
        assert_eq!(found("0007-00000203", "Error status : 418."), Some(("0007-00000203", "")));
        assert_eq!(found("0007-00000299", "something new"), None);
        assert_eq!(found("", ""), None);
    }
}
