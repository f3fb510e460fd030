//! A callback profile as the studio shows it: what OSS would send for one file, and what is wrong with it.

use std::collections::BTreeMap;
use std::ops::Range;

use waybill_oss::callback_lint::{Field, Finding, Level, LintFacts, Rule};
use waybill_oss::callback_preview::{CallPreview, Carried, ObjectFacts};
use waybill_oss::{BodyType, CallbackSpec};

use crate::callback_profile::{self, spec_for};
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
    /// Path below what would be dropped, for the templates.
    pub(crate) relative: &'a str,
    /// The number that the upload would get.
    pub(crate) upload_no: i64,
    /// When it would be queued.
    pub(crate) queued_ms: i64,
    /// What is known of the object.
    pub(crate) object: ObjectFacts,
}

/// What a profile comes to. The preview has the templates of the variables filled in; the findings are about the form as
/// it was written, so that a cure keeps them.
pub(crate) fn study(form: &CallbackProfileForm, file: &StudiedFile<'_>, facts: &LintFacts) -> CallbackStudy {
    let preview = spec_for(form, file.relative, file.upload_no, file.queued_ms)
        .and_then(|spec| spec.preview(&file.object).map_err(Error::from));
    let (preview, refusal) = match preview {
        Ok(preview) => (Some(preview_view(file.name, preview)), None),
        Err(why) => (None, Some(why.to_string())),
    };
    let spec = callback_profile::as_written(form);
    let findings = spec.lint(facts).into_iter().map(|finding| finding_view(form, &spec, finding)).collect();
    CallbackStudy { preview, refusal, findings }
}

fn preview_view(file: &str, preview: CallPreview) -> CallbackPreview {
    let sample = |sample: &waybill_oss::callback_preview::Sample| {
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
mod tests {
    use waybill_oss::callback_preview::Fact;

    use super::*;

    fn row(name: &str, value: &str) -> Variable {
        Variable { name: name.to_owned(), value: value.to_owned() }
    }

    fn form() -> CallbackProfileForm {
        CallbackProfileForm {
            urls: vec!["http://app.example.com/cb".to_owned()],
            body: "名=${object}&e=${etag}&no=${x:no}".to_owned(),
            variables: vec![row("no", "{uploadNo}")],
            query: vec![row("k", "v")],
            best_effort: true,
            ..CallbackProfileForm::default()
        }
    }

    fn studied(form: &CallbackProfileForm) -> CallbackStudy {
        let file = StudiedFile {
            name: "clip.mp4",
            relative: "shoot/clip.mp4",
            upload_no: 42,
            queued_ms: 0,
            object: ObjectFacts { object: Fact::Known("🎬.mp4".to_owned()), ..ObjectFacts::default() },
        };
        study(form, &file, &LintFacts::default())
    }

    fn cured(form: &CallbackProfileForm, rule: CallbackRule) -> CallbackProfileForm {
        let study = studied(form);
        let finding = study.findings.iter().find(|finding| finding.rule == rule);
        finding.unwrap_or_else(|| panic!("{:?}", study.findings)).cured.clone().expect("cure")
    }

    #[test]
    fn the_preview_has_templates_filled_in_and_samples_in_utf16() {
        let study = studied(&form());
        let preview = study.preview.expect("preview");
        assert!(preview.body.ends_with("&no=42") && study.findings.is_empty() && study.refusal.is_none());
        assert_eq!(preview.request_line, "POST /cb?k=v HTTP/1.1");
        assert_eq!(preview.headers[0], row("Host", "app.example.com"));
        assert_eq!(preview.decoded[0], row("名", "🎬.mp4"));
        let [sample] = &preview.samples[..] else { panic!("{:?}", preview.samples) };
        let units: Vec<u16> = preview.body.encode_utf16().collect();
        let (start, end) = (usize::try_from(sample.start).unwrap(), usize::try_from(sample.end).unwrap());
        assert_eq!((sample.name.as_str(), end - start), ("etag", 32));
        assert_eq!(String::from_utf16(&units[start - 3..start]).unwrap(), "&e=");
        assert_eq!(preview.callback.limit, 5120);
        assert_eq!(preview.callback.bytes, preview.callback.base64.len() as i64);
        assert_eq!(preview.callback_var.expect("variables").json, "{\"x:no\":\"42\"}");
    }

    #[test]
    fn what_is_refused_says_why_and_is_linted_all_the_same() {
        let broken = CallbackProfileForm { variables: vec![row("no", "{nothing}")], ..form() };
        let study = studied(&broken);
        assert!(study.preview.is_none() && study.findings.is_empty());
        assert!(study.refusal.expect("why").contains("{nothing}"));
        let empty = CallbackProfileForm { body: String::new(), ..form() };
        let study = studied(&empty);
        assert!(study.refusal.is_some());
        assert_eq!((study.findings[0].rule, study.findings[0].level), (CallbackRule::EmptyBody, FindingLevel::Error));
    }

    #[test]
    fn places_are_counted_as_the_editor_counts_them() {
        let body = "🎬=${what}&no=${x:no}";
        let study = studied(&CallbackProfileForm { body: body.to_owned(), ..form() });
        let finding = &study.findings[0];
        assert_eq!((finding.rule, finding.start, finding.end), (CallbackRule::UnknownVariable, Some(3), Some(10)));
    }

    #[test]
    fn a_cure_keeps_templates_rows_and_all_that_it_does_not_touch() {
        let rows = vec![row("z", "{name}"), row("Order", "{stem}"), row("a", "1")];
        let body = "${x:z}${x:Order}${x:a}".to_owned();
        let bad = CallbackProfileForm { variables: rows, body, ..form() };
        let finding = &studied(&bad).findings[0];
        assert_eq!((finding.field, finding.row), (CallbackField::Variables, Some(1)));
        let good = cured(&bad, CallbackRule::UpperCaseName);
        assert_eq!(good.variables, [row("z", "{name}"), row("order", "{stem}"), row("a", "1")]);
        assert_eq!(good.body, "${x:z}${x:order}${x:a}");
        assert_eq!(CallbackProfileForm { variables: bad.variables.clone(), body: bad.body.clone(), ..good }, bad);
    }

    #[test]
    fn headers_are_cured_in_their_row_and_half_typed_ones_stay() {
        let headers = vec![row("z", "1"), row("", ""), row("a_b", "2"), row("date", "3")];
        let bad = CallbackProfileForm { headers, ..form() };
        let rows = |form: &CallbackProfileForm| {
            form.headers.iter().map(|row| format!("{}:{}", row.name, row.value)).collect::<Vec<_>>()
        };
        let finding = &studied(&bad).findings[0];
        assert_eq!((finding.about.as_str(), finding.row), ("a_b", Some(2)));
        assert_eq!(rows(finding.cured.as_ref().expect("cure")), ["z:1", ":", "a-b:2", "date:3"]);
        let own = &studied(&bad).findings[1];
        assert_eq!((own.about.as_str(), own.row), ("date", Some(3)));
        assert_eq!(rows(own.cured.as_ref().expect("cure")), ["z:1", ":", "a_b:2"]);
    }

    #[test]
    fn addresses_body_type_host_and_sni_come_back_from_a_cure() {
        let https = CallbackProfileForm { urls: vec!["https://a.example/#x".to_owned()], ..form() };
        assert!(cured(&https, CallbackRule::HttpsWithoutSni).sni);
        assert_eq!(cured(&https, CallbackRule::Fragment).urls, ["https://a.example/"]);
        let host = CallbackProfileForm { host: "http://b.example/".to_owned(), ..form() };
        assert_eq!(cured(&host, CallbackRule::BadHost).host, "b.example");
        let json = CallbackProfileForm { body: "{\"a\":${x:no}}".to_owned(), ..form() };
        assert_eq!(cured(&json, CallbackRule::NotJson).body_type, BodyKind::Json);
    }
}
