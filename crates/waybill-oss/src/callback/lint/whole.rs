//! Findings about the Host header, the additional headers, and the callback as a whole.

use std::time::Duration;

use super::super::regions::{CallbackSupport, callback_support};
use super::super::rules;
use super::super::spec::{CallbackSpec, LONGEST, base64_of, texts};
use super::{Field, Finding, LintFacts, Rule};

/// How long OSS waits for each address [Callback]; it cannot be set.
const PER_ADDRESS: Duration = Duration::from_secs(5);

pub(super) fn host(spec: &CallbackSpec, all: &mut Vec<Finding>) {
    let (Some(host), Some(given)) = (spec.own_host(), &spec.host) else { return };
    if rules::host_header(host).is_ok() {
        return;
    }
    let authority = &host[rules::authority(host)];
    let fits = !authority.is_empty() && rules::host_header(authority).is_ok();
    let cured = fits.then(|| CallbackSpec { host: Some(authority.to_owned()), ..spec.clone() });
    all.push(Finding::error(Rule::BadHost, Field::Host, host).at(0..given.len()).cured(cured));
}

pub(super) fn headers(spec: &CallbackSpec, all: &mut Vec<Finding>) {
    let headers = &spec.additional_headers;
    for (row, (name, value)) in headers.iter().enumerate() {
        let lower = name.trim().to_ascii_lowercase();
        let bad =
            |cured: Option<CallbackSpec>| Finding::error(Rule::BadHeader, Field::Headers, name).row(row).cured(cured);
        let twin = headers.iter().take(row).find(|(other, _)| other.trim().eq_ignore_ascii_case(&lower));
        if rules::header(name, value).is_err() {
            all.push(bad(with_header(spec, name, &mended_name(&lower), &mended_value(value))));
        } else if let Some((_, other)) = twin {
            all.push(bad((other == value).then(|| without(spec, name))));
        } else if lower == "host" {
            let host = spec.own_host().map_or_else(|| value.clone(), str::to_owned);
            let cured = CallbackSpec { host: Some(host), ..without(spec, name) };
            all.push(Finding::warning(Rule::BadHeader, Field::Headers, name).row(row).cured(cured));
        } else if rules::HEADERS_OF_OSS.contains(&lower.as_str()) {
            let cured = without(spec, name);
            all.push(Finding::warning(Rule::BadHeader, Field::Headers, name).row(row).cured(cured));
        }
    }
    if headers.len() > 10 {
        all.push(Finding::error(Rule::BadHeader, Field::Headers, headers.len().to_string()).row(10));
    }
}

pub(super) fn look(spec: &CallbackSpec, facts: &LintFacts, all: &mut Vec<Finding>) {
    if spec.stored_policy().is_some() && spec.says_more_than_its_policy() {
        all.push(Finding::error(Rule::StoredAndMore, Field::Whole, spec.stored_policy().unwrap_or_default()));
    }
    // What is refused for another reason has no length.
    let lengths = [
        (Field::Whole, spec.object().ok()),
        (Field::Variables, spec.checked_variables().ok().filter(|all| !all.is_empty()).map(texts)),
    ];
    for (field, object) in lengths {
        let length = object.map_or(0, |object| base64_of(object).len());
        if length > LONGEST {
            all.push(Finding::error(Rule::TooLong, field, length.to_string()));
        }
    }
    let addresses = spec.urls.iter().filter(|url| !url.trim().is_empty()).count();
    let longest = PER_ADDRESS * u32::try_from(addresses).unwrap_or(u32::MAX);
    if addresses > 1 && longest >= facts.answer_wait {
        all.push(Finding::warning(Rule::ReadLimit, Field::Whole, longest.as_secs().to_string()));
    }
    if let Some(region) = facts.region.as_deref().filter(|_| !facts.local)
        && callback_support(region) == CallbackSupport::NotListed
    {
        all.push(Finding::warning(Rule::RegionWithoutCallbacks, Field::Whole, region));
    }
}

/// A name that OSS takes, made of one that it does not: without `x-oss-`, with hyphens for what does not fit.
fn mended_name(lower: &str) -> String {
    let name = lower.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let name = name.trim_matches('-');
    name.strip_prefix("x-oss-").unwrap_or(name).to_owned()
}

fn mended_value(value: &str) -> String {
    value.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// Another name and value for a header; none if the name is taken. One without a name is taken out.
fn with_header(spec: &CallbackSpec, from: &str, name: &str, value: &str) -> Option<CallbackSpec> {
    let mut cured = without(spec, from);
    if name.is_empty() {
        return from.trim().is_empty().then_some(cured);
    }
    if cured.additional_headers.keys().any(|other| other.trim().eq_ignore_ascii_case(name)) {
        return None;
    }
    cured.additional_headers.insert(name.to_owned(), value.to_owned());
    Some(cured)
}

fn without(spec: &CallbackSpec, header: &str) -> CallbackSpec {
    let mut cured = spec.clone();
    cured.additional_headers.remove(header);
    cured
}
