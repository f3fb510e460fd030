//! `If-Match` and its kin, and the same four for the source of a copy.
//!
//! Source: *GetObject* and *CopyObject* pages. A date that cannot be read is as good as none.

use jiff::Timestamp;

use crate::{answer::OssError, exchange::Exchange, store::Stored, time};

/// What the conditions of a request say about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They hold.
    Met,
    /// 304: the client has it already.
    NotModified,
    /// 412, with the name of the condition.
    Failed(&'static str),
}

/// The four conditions as given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Conditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
    if_modified_since: Option<String>,
    if_unmodified_since: Option<String>,
}

impl Conditions {
    /// `If-…` of a request.
    pub(crate) fn of(exchange: &Exchange) -> Self {
        Self::with_prefix(exchange, "")
    }

    /// `x-oss-copy-source-if-…` of a request.
    pub(crate) fn of_source(exchange: &Exchange) -> Self {
        Self::with_prefix(exchange, "x-oss-copy-source-")
    }

    fn with_prefix(exchange: &Exchange, prefix: &str) -> Self {
        let header = |name: &str| exchange.header(&format!("{prefix}{name}"));
        Self {
            if_match: header("if-match"),
            if_none_match: header("if-none-match"),
            if_modified_since: header("if-modified-since"),
            if_unmodified_since: header("if-unmodified-since"),
        }
    }

    /// Judges an object; a condition that fails comes before one that says *not modified*.
    pub(crate) fn judge(&self, stored: &Stored) -> Verdict {
        self.judge_facts(&stored.etag, stored.last_modified_ms)
    }

    fn judge_facts(&self, etag: &str, modified_ms: i64) -> Verdict {
        // Last-Modified has whole seconds.
        let modified = modified_ms.div_euclid(1000);
        let same = |given: &String| {
            given
                .split(',')
                .map(|one| one.trim().trim_matches('"'))
                .any(|one| one == "*" || one.eq_ignore_ascii_case(etag))
        };
        let date = |given: &Option<String>| given.as_deref().and_then(read_date);
        if self.if_match.as_ref().is_some_and(|given| !same(given)) {
            return Verdict::Failed("If-Match");
        }
        if date(&self.if_unmodified_since).is_some_and(|limit| limit < modified) {
            return Verdict::Failed("If-Unmodified-Since");
        }
        if self.if_none_match.as_ref().is_some_and(same) {
            return Verdict::NotModified;
        }
        if date(&self.if_modified_since).is_some_and(|limit| limit >= modified) {
            return Verdict::NotModified;
        }
        Verdict::Met
    }
}

/// 412 PreconditionFailed.
pub(crate) fn failed(condition: &str) -> OssError {
    OssError::new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
        .with("Condition", condition)
}

/// Seconds since 1970 of an HTTP date, or of an ISO 8601 one as the samples of the copy headers have it.
fn read_date(text: &str) -> Option<i64> {
    let at = time::read_http(text).or_else(|| text.parse::<Timestamp>().ok())?;
    Some(at.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODIFIED: i64 = 1_330_072_987_400;

    fn judged(set: impl FnOnce(&mut Conditions)) -> Verdict {
        let mut conditions = Conditions::default();
        set(&mut conditions);
        conditions.judge_facts("AB12", MODIFIED)
    }

    #[test]
    fn an_etag_matches_with_and_without_quotes_and_in_a_list() {
        for given in ["AB12", "\"AB12\"", "\"X\", \"AB12\"", "*"] {
            assert_eq!(judged(|c| c.if_match = Some(given.into())), Verdict::Met, "{given}");
            assert_eq!(judged(|c| c.if_none_match = Some(given.into())), Verdict::NotModified, "{given}");
        }
        assert_eq!(judged(|c| c.if_match = Some("X".into())), Verdict::Failed("If-Match"));
        assert_eq!(judged(|c| c.if_none_match = Some("X".into())), Verdict::Met);
    }

    #[test]
    fn dates_count_in_whole_seconds() {
        let (same, before) = ("Fri, 24 Feb 2012 08:43:07 GMT", "Fri, 24 Feb 2012 08:43:06 GMT");
        assert_eq!(judged(|c| c.if_modified_since = Some(same.into())), Verdict::NotModified);
        assert_eq!(judged(|c| c.if_modified_since = Some(before.into())), Verdict::Met);
        assert_eq!(judged(|c| c.if_unmodified_since = Some(same.into())), Verdict::Met);
        assert_eq!(judged(|c| c.if_unmodified_since = Some(before.into())), Verdict::Failed("If-Unmodified-Since"));
        assert_eq!(judged(|c| c.if_unmodified_since = Some("2012-02-24T08:43:07.000Z".into())), Verdict::Met);
    }

    #[test]
    fn a_date_that_cannot_be_read_is_none() {
        for given in ["", "yesterday", "24 Feb 2012"] {
            assert_eq!(judged(|c| c.if_modified_since = Some(given.into())), Verdict::Met, "{given}");
            assert_eq!(judged(|c| c.if_unmodified_since = Some(given.into())), Verdict::Met, "{given}");
        }
    }
}
