//! A callback profile as the studio shows it: what OSS would send for one file, and what is wrong with it.

use std::collections::BTreeMap;
use std::ops::Range;

use waybill_oss::callback_lint::{Field, Finding, Level, LintFacts, Rule};
use waybill_oss::callback_preview::{CallPreview, Carried, Fact, ObjectFacts, Sample};
use waybill_oss::{BodyType, CallbackSpec};

use crate::callback_profile::{self, CalledFor, spec_for};
use crate::error::Error;
use crate::view::{
    BodyKind, CallbackField, CallbackFinding, CallbackPreview, CallbackProfileForm, CallbackRule, CallbackStudy,
    CarriedView, FindingLevel, SampleSpan, Variable,
};

/// The file that a profile is looked at for.
#[derive(Clone, Debug)]
pub(crate) struct StudiedFile<'a> {
    /// Its name, as the preview is titled.
    pub(crate) name: &'a str,
    /// The upload it would be, for the templates.
    pub(crate) upload: CalledFor<'a>,
    /// What is known of the object.
    pub(crate) object: ObjectFacts,
}

/// An object before it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Planned<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) key: &'a str,
    pub(crate) size_bytes: u64,
    pub(crate) mime_type: &'a str,
    /// It is sent in parts.
    pub(crate) in_parts: bool,
    /// The endpoint is inside Alibaba's network, so the request may come out of a VPC.
    pub(crate) internal: bool,
}

impl Planned<'_> {
    /// What can be known of it; the rest only OSS knows.
    pub(crate) fn facts(&self) -> ObjectFacts {
        let text = |text: &str| Fact::Known(text.to_owned());
        let missing_if = |missing| if missing { Fact::Missing } else { Fact::Unknown };
        ObjectFacts {
            bucket: text(self.bucket),
            object: text(self.key),
            size: Fact::Known(self.size_bytes),
            mime_type: text(self.mime_type),
            image: if self.mime_type.starts_with("image/") { Fact::Unknown } else { Fact::Missing },
            content_md5: missing_if(self.in_parts),
            vpc_id: missing_if(!self.internal),
            operation: text(if self.in_parts { "CompleteMultipartUpload" } else { "PutObject" }),
            ..ObjectFacts::default()
        }
    }
}

/// What a profile comes to. The preview has the templates of the variables filled in; the findings are about the form as
/// it was written, so that a cure keeps them.
pub(crate) fn study(form: &CallbackProfileForm, file: &StudiedFile<'_>, facts: &LintFacts) -> CallbackStudy {
    let preview = spec_for(form, file.upload).and_then(|spec| spec.preview(&file.object).map_err(Error::from));
    let (preview, refusal) = match preview {
        Ok(preview) => (Some(preview_view(file.name, preview)), None),
        Err(why) => (None, Some(why.to_string())),
    };
    let findings = findings(form, facts).into_iter().map(|(finding, _)| finding).collect();
    CallbackStudy { preview, refusal, findings, unresolved: false }
}

/// What the linter says of the form as it was written, each with its words in English.
pub(crate) fn findings(form: &CallbackProfileForm, facts: &LintFacts) -> Vec<(CallbackFinding, String)> {
    let spec = callback_profile::as_written(form);
    let told = |finding: Finding| {
        let words = finding.to_string();
        (finding_view(form, &spec, finding), words)
    };
    spec.lint(facts).into_iter().map(told).collect()
}

pub(crate) fn preview_view(file: &str, preview: CallPreview) -> CallbackPreview {
    let sample = |sample: &Sample| {
        let (start, end) = units(&preview.body, &sample.at);
        SampleSpan { start, end, name: sample.name.clone() }
    };
    CallbackPreview {
        file: file.to_owned(),
        samples: preview.samples.iter().map(sample).collect(),
        request_line: preview.request_line,
        headers: rows(preview.headers),
        decoded: rows(preview.decoded),
        callback: carried(preview.callback),
        callback_var: preview.callback_var.map(carried),
        body: preview.body,
    }
}

fn rows(pairs: Vec<(String, String)>) -> Vec<Variable> {
    pairs.into_iter().map(|(name, value)| Variable { name, value }).collect()
}

fn carried(carried: Carried) -> CarriedView {
    CarriedView {
        json: carried.json,
        bytes: number(carried.base64.len()),
        base64: carried.base64,
        limit: number(Carried::LIMIT),
    }
}

fn finding_view(form: &CallbackProfileForm, spec: &CallbackSpec, finding: Finding) -> CallbackFinding {
    // The spec keeps its tables by name, the form as they were typed.
    let typed = |table: &BTreeMap<String, String>, rows: &[Variable], row: usize| {
        let name = table.keys().nth(row)?;
        rows.iter().rposition(|typed| typed.name == *name)
    };
    let row = finding.row.and_then(|row| match finding.field {
        Field::Headers => typed(&spec.additional_headers, &form.headers, row),
        Field::Variables => typed(&spec.variables, &form.variables, row),
        _ => Some(row),
    });
    let text = match (finding.field, row) {
        (Field::Url, Some(row)) => form.urls.get(row).map(String::as_str),
        (Field::Host, _) => Some(form.host.as_str()),
        (Field::Body, _) => Some(form.body.as_str()),
        _ => None,
    };
    let place = text.zip(finding.range.as_ref()).map(|(text, range)| units(text, range));
    CallbackFinding {
        rule: rule(finding.rule),
        level: match finding.level {
            Level::Error => FindingLevel::Error,
            Level::Warning => FindingLevel::Warning,
        },
        about: finding.about,
        field: field(finding.field),
        row: row.map(number),
        start: place.map(|(start, _)| start),
        end: place.map(|(_, end)| end),
        cured: finding.cured.map(|cured| cured_form(form, spec, cured)),
    }
}

/// The form after a cure: what the cure left alone stays as it was typed, rows in their order.
fn cured_form(form: &CallbackProfileForm, spec: &CallbackSpec, cured: CallbackSpec) -> CallbackProfileForm {
    CallbackProfileForm {
        variables: cured_rows(&form.variables, &spec.variables, &cured.variables),
        headers: cured_rows(&form.headers, &spec.additional_headers, &cured.additional_headers),
        urls: cured.urls,
        host: cured.host.unwrap_or_default(),
        body: cured.body,
        body_type: match cured.body_type {
            BodyType::Form => BodyKind::Form,
            BodyType::Json => BodyKind::Json,
        },
        sni: cured.sni,
        ..form.clone()
    }
}

/// The rows of a table after a cure. A new name takes the row of one that is gone.
fn cured_rows(rows: &[Variable], before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<Variable> {
    let mut new = after.iter().filter(|(name, _)| !before.contains_key(*name));
    let mut next = || new.next().map(|(name, value)| Variable { name: name.clone(), value: value.clone() });
    let mut cured: Vec<Variable> = rows
        .iter()
        .filter_map(|row| match (after.get(&row.name), before.contains_key(&row.name)) {
            (Some(value), _) if before.get(&row.name) != Some(value) => {
                Some(Variable { name: row.name.clone(), value: value.clone() })
            }
            (None, true) => next(),
            _ => Some(row.clone()),
        })
        .collect();
    cured.extend(std::iter::from_fn(next));
    cured
}

fn rule(rule: Rule) -> CallbackRule {
    match rule {
        Rule::EmptyUrl => CallbackRule::EmptyUrl,
        Rule::TooManyUrls => CallbackRule::TooManyUrls,
        Rule::BadUrl => CallbackRule::BadUrl,
        Rule::BadPort => CallbackRule::BadPort,
        Rule::Ipv6Address => CallbackRule::Ipv6Address,
        Rule::PrivateAddress => CallbackRule::PrivateAddress,
        Rule::ResolvesPrivate => CallbackRule::ResolvesPrivate,
        Rule::NotEncoded => CallbackRule::NotEncoded,
        Rule::Fragment => CallbackRule::Fragment,
        Rule::HttpsWithoutSni => CallbackRule::HttpsWithoutSni,
        Rule::BadHost => CallbackRule::BadHost,
        Rule::BadHeader => CallbackRule::BadHeader,
        Rule::EmptyBody => CallbackRule::EmptyBody,
        Rule::LoneDollar => CallbackRule::LoneDollar,
        Rule::UnknownVariable => CallbackRule::UnknownVariable,
        Rule::MissingPrefix => CallbackRule::MissingPrefix,
        Rule::UndefinedVariable => CallbackRule::UndefinedVariable,
        Rule::UnusedVariable => CallbackRule::UnusedVariable,
        Rule::UpperCaseName => CallbackRule::UpperCaseName,
        // A name that is there with its `x:` and without it; the window has no words of its own for that.
        Rule::UnusualName | Rule::DuplicateName => CallbackRule::UnusualName,
        Rule::QuotedVariable => CallbackRule::QuotedVariable,
        Rule::EscapedQuotes => CallbackRule::EscapedQuotes,
        Rule::NotJson => CallbackRule::NotJson,
        Rule::TooLong => CallbackRule::TooLong,
        Rule::RegionWithoutCallbacks => CallbackRule::RegionWithoutCallbacks,
        Rule::ReadLimit => CallbackRule::ReadLimit,
        // No profile names a callback that is stored with the bucket.
        Rule::StoredAndMore => CallbackRule::BadUrl,
    }
}

fn field(field: Field) -> CallbackField {
    match field {
        Field::Url => CallbackField::Url,
        Field::Host => CallbackField::Host,
        Field::Body => CallbackField::Body,
        Field::Headers => CallbackField::Headers,
        Field::Variables => CallbackField::Variables,
        Field::Sni => CallbackField::Sni,
        Field::Whole => CallbackField::Whole,
    }
}

/// A range of bytes in UTF-16 units, as the window's editor counts.
fn units(text: &str, range: &Range<usize>) -> (i64, i64) {
    let count = |end: usize| text.get(..end).map_or(0, |text| number(text.encode_utf16().count()));
    (count(range.start), count(range.end))
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "callback_study_tests.rs"]
mod tests;
