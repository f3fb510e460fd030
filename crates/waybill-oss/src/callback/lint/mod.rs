//! What is wrong or odd about a callback, where, and how it is mended, without a look at anything but the values given.

mod addresses;
mod body;
mod json;
mod names;
mod whole;
mod words;

use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use serde::Serialize;

use super::spec::CallbackSpec;

/// How bad a finding is; the worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// OSS would refuse it, or nobody would be called.
    Error,
    /// OSS takes it, as far as is known, but it seldom does what was meant.
    Warning,
}

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Rule {
    /// There is no address: OSS makes no callback and says nothing (page of EC 0007-00000004).
    EmptyUrl,
    /// More than five addresses (EC 0007-00000005).
    TooManyUrls,
    /// Not an http or https address with a host (EC 0007-00000004 and -07).
    BadUrl,
    /// The port is no number from 1 to 65535 (EC 0007-00000004).
    BadPort,
    /// An IPv6 address, which OSS does not call (API page Callback).
    Ipv6Address,
    /// A private or loopback address, which OSS does not call (EC 0007-00000008).
    PrivateAddress,
    /// A name that resolves, as seen from here, to a private or loopback address, or to none but IPv6 (EC 0007-00000007
    /// and -08).
    ResolvesPrivate,
    /// Characters of the address that are not percent-encoded; we encode them.
    NotEncoded,
    /// A `#fragment`, which is never sent.
    Fragment,
    /// An https address without SNI [Callback, `callbackSNI`].
    HttpsWithoutSni,
    /// The Host header is no host (EC 0007-00000009).
    BadHost,
    /// An additional header that OSS does not take (EC 0007-00000022 to -26), or that it writes itself.
    BadHeader,
    /// The body is empty (EC 0007-00000011).
    EmptyBody,
    /// A `$` that begins no `${variable}` (EC 0007-00000105).
    LoneDollar,
    /// `${name}` that is neither OSS's nor ours.
    UnknownVariable,
    /// `${name}` where `${x:name}` was meant.
    MissingPrefix,
    /// `${x:name}` that no variable defines.
    UndefinedVariable,
    /// A variable that the body does not name: OSS does not send it.
    UnusedVariable,
    /// A variable's name with capitals (EC 0007-00000105).
    UpperCaseName,
    /// A variable's name that OSS may not take.
    UnusualName,
    /// A variable that is set twice, with and without its `x:`.
    DuplicateName,
    /// Quotes around a variable in JSON: OSS adds its own.
    QuotedVariable,
    /// `\"` pasted from source code.
    EscapedQuotes,
    /// The body is not JSON once filled in.
    NotJson,
    /// A header is over 5 KB (EC 0007-00000001 and -101).
    TooLong,
    /// The destination's region makes no callbacks, as far as is known.
    RegionWithoutCallbacks,
    /// Several slow addresses can keep an upload waiting longer than it waits for an answer.
    ReadLimit,
    /// A callback that is stored with the bucket, and something beside it.
    StoredAndMore,
}

/// Which part of the callback a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Field {
    /// An address.
    Url,
    /// The Host header.
    Host,
    /// The body.
    Body,
    /// The additional headers.
    Headers,
    /// The variables.
    Variables,
    /// The SNI switch.
    Sni,
    /// The callback as a whole.
    Whole,
}

/// One thing to look at. `Display` says it in English.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What.
    pub rule: Rule,
    /// How bad.
    pub level: Level,
    /// The name, address or figure it is about; may be empty.
    pub about: String,
    /// Where.
    pub field: Field,
    /// Which address, header or variable, from 0, in the order of the spec.
    pub row: Option<usize>,
    /// Where in the text of the address, the host or the body, in bytes.
    pub range: Option<Range<usize>>,
    /// The variable that was probably meant, where another is named.
    pub meant: Option<String>,
    /// The callback after the cure; none where only a person can mend it. A cure takes its finding away and brings no
    /// error.
    pub cured: Option<CallbackSpec>,
}

/// What the linter is told about the world outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintFacts {
    /// The region of the bucket, if it is known.
    pub region: Option<String>,
    /// Hosts of the addresses, and what they resolve to here.
    pub resolved: Vec<(String, Vec<IpAddr>)>,
    /// Not OSS makes the calls but a server on this computer, such as the Sandbox: it reaches private addresses, and has no
    /// region.
    pub local: bool,
    /// How long the upload waits for OSS's answer.
    pub answer_wait: Duration,
}

impl Default for LintFacts {
    /// Nothing is known, and the upload waits as long as [`Client`](crate::Client) does.
    fn default() -> Self {
        LintFacts { region: None, resolved: Vec::new(), local: false, answer_wait: crate::client::FINISHING }
    }
}

impl CallbackSpec {
    /// What is wrong or odd, errors first. What [`CallbackSpec::encode`] refuses has an error here.
    pub fn lint(&self, facts: &LintFacts) -> Vec<Finding> {
        let mut all = found(self, facts);
        for at in 0..all.len() {
            let holds = all[at].cured.as_ref().is_none_or(|cured| holds(&all, &all[at], &found(cured, facts)));
            if !holds {
                all[at].cured = None;
            }
        }
        all
    }
}

/// Whether a cure does what it promises: there is less of its finding, and no error that was not there before.
fn holds(before: &[Finding], cured: &Finding, after: &[Finding]) -> bool {
    let same = |finding: &Finding, other: &Finding| (finding.rule, &finding.about) == (other.rule, &other.about);
    let count = |all: &[Finding]| all.iter().filter(|finding| same(finding, cured)).count();
    let is_new = |finding: &Finding| !before.iter().any(|old| same(old, finding));
    count(after) < count(before) && !after.iter().any(|finding| finding.level == Level::Error && is_new(finding))
}

fn found(spec: &CallbackSpec, facts: &LintFacts) -> Vec<Finding> {
    let mut all = Vec::new();
    if spec.stored_policy().is_none() {
        addresses::look(spec, facts, &mut all);
        whole::host(spec, &mut all);
        body::look(spec, &mut all);
        whole::headers(spec, &mut all);
    }
    names::look(spec, &mut all);
    whole::look(spec, facts, &mut all);
    all.sort_by_key(|finding| finding.level);
    all
}

impl Finding {
    fn error(rule: Rule, field: Field, about: impl Into<String>) -> Self {
        Finding {
            rule,
            level: Level::Error,
            about: about.into(),
            field,
            row: None,
            range: None,
            meant: None,
            cured: None,
        }
    }

    fn warning(rule: Rule, field: Field, about: impl Into<String>) -> Self {
        Finding { level: Level::Warning, ..Finding::error(rule, field, about) }
    }

    fn row(self, row: usize) -> Self {
        Finding { row: Some(row), ..self }
    }

    fn at(self, range: Range<usize>) -> Self {
        Finding { range: Some(range), ..self }
    }

    fn meant(self, name: &str) -> Self {
        Finding { meant: Some(name.to_owned()), ..self }
    }

    fn cured(self, cured: impl Into<Option<CallbackSpec>>) -> Self {
        Finding { cured: cured.into(), ..self }
    }
}

#[cfg(test)]
mod agreement_tests;
#[cfg(test)]
mod lint_tests;
