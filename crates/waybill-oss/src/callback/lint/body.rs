//! Findings about the body and the variables in it.

use std::ops::Range;

use super::super::spec::{BodyType, CallbackSpec};
use super::super::template;
use super::json::{self, ends_in_text};
use super::names::bare;
use super::{Field, Finding, Rule};

pub(super) fn look(spec: &CallbackSpec, all: &mut Vec<Finding>) {
    if spec.body.trim().is_empty() {
        all.push(Finding::error(Rule::EmptyBody, Field::Body, "").cured(with_usual_body(spec)));
        return;
    }
    // Also those whose names are refused: what is said of them is enough.
    let ours: Vec<String> = spec.variables.keys().map(|name| format!("x:{}", bare(name))).collect();
    for place in template::places(&spec.body) {
        let finding = match place.name {
            None => Some(lone_dollar(spec, &ours, place.at)),
            Some(name) => unheard_of(spec, &ours, name).map(|finding| finding.at(place.at)),
        };
        all.extend(finding);
    }
    match json::unescaped(&spec.body) {
        Some(plain) => {
            let at = spec.body.find("\\\"").unwrap_or_default();
            let cured = CallbackSpec { body: plain, body_type: BodyType::Json, ..spec.clone() };
            all.push(Finding::warning(Rule::EscapedQuotes, Field::Body, "").at(at..at + 2).cured(cured));
        }
        None if spec.body_type == BodyType::Json => {
            quoted(spec, all);
            all.extend(json::trouble(&spec.body).map(|(why, at)| {
                let is_form = spec.body.contains('=') && !spec.body.contains(['{', '[']);
                let is_form = is_form || spec.body.split('&').all(|pair| pair.contains("=${"));
                let form = CallbackSpec { body_type: BodyType::Form, ..spec.clone() };
                Finding::warning(Rule::NotJson, Field::Body, why).at(at).cured(is_form.then_some(form))
            }));
        }
        None => all.extend(json_in_a_form(spec)),
    }
}

/// A body of JSON that is said to be a form: texts come without quotes, and percent-encoded.
fn json_in_a_form(spec: &CallbackSpec) -> Option<Finding> {
    let text = spec.body.trim();
    if !(text.starts_with('{') && text.ends_with('}')) || json::variables(text)?.is_empty() {
        return None;
    }
    let cured = CallbackSpec { body_type: BodyType::Json, ..spec.clone() };
    let finding = Finding::warning(Rule::NotJson, Field::Body, "it is sent as a form");
    Some(finding.cured(json::trouble(text).is_none().then_some(cured)))
}

/// A `$` that begins no variable: the braces are put right around a name that is known, else it is encoded.
fn lone_dollar(spec: &CallbackSpec, ours: &[String], at: Range<usize>) -> Finding {
    let body = &spec.body;
    let behind = body[at.start + 1..].trim_start_matches(['{', '(']);
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ':');
    let word = &behind[..behind.find(|c| !is_word(c)).unwrap_or(behind.len())];
    let start = body.len() - behind.len();
    let word_end = start + word.len();
    let known = |name: &str| template::KNOWN.contains(&name) || ours.iter().any(|own| own == name);
    let meant = [word, word.trim_end_matches(['.', ':'])].into_iter().find(|name| known(name));
    let cured = match meant {
        Some(name) => {
            let rest = &body[start + name.len()..];
            Some(format!("{}${{{name}}}{}", &body[..at.start], rest.strip_prefix(['}', ')']).unwrap_or(rest)))
        }
        None => {
            let encoded = match spec.body_type {
                BodyType::Form => Some("%24"),
                BodyType::Json => ends_in_text(false, &body[..at.start]).then_some("\\u0024"),
            };
            encoded.map(|encoded| format!("{}{encoded}{}", &body[..at.start], &body[at.start + 1..]))
        }
    };
    let cured = cured.map(|body| CallbackSpec { body, ..spec.clone() });
    Finding::error(Rule::LoneDollar, Field::Body, &body[at.start..word_end]).at(at).cured(cured)
}

/// A variable that has no value: OSS's names are case-sensitive, ours must be set.
fn unheard_of(spec: &CallbackSpec, ours: &[String], name: &str) -> Option<Finding> {
    if template::KNOWN.contains(&name) || ours.iter().any(|own| own == name) {
        return None;
    }
    let renamed = |to: &str| CallbackSpec { body: renamed(&spec.body, name, to), ..spec.clone() };
    let prefixed = format!("x:{}", name.trim());
    let own = |wanted: &str| ours.iter().find(|own| own.eq_ignore_ascii_case(wanted)).map(String::as_str);
    let (rule, meant) = match (name.starts_with("x:"), own(&prefixed)) {
        (true, _) => (Rule::UndefinedVariable, own(name.trim())),
        (false, Some(own)) => (Rule::MissingPrefix, Some(own)),
        (false, None) => (Rule::UnknownVariable, own(name.trim()).or_else(|| meant(name))),
    };
    let finding = Finding::warning(rule, Field::Body, name);
    Some(match meant {
        Some(meant) => finding.meant(meant).cured(renamed(meant)),
        None => finding,
    })
}

/// The variable of OSS that goes by another name elsewhere.
fn meant(name: &str) -> Option<&'static str> {
    let bare = name.trim().to_ascii_lowercase();
    let known = template::KNOWN.into_iter();
    let spelled = known.clone().find(|known| known.eq_ignore_ascii_case(&bare));
    let image = known.rev().find(|known| known.to_ascii_lowercase().strip_prefix("imageinfo.") == Some(bare.as_str()));
    spelled.or(image).or(match bare.as_str() {
        "filename" | "key" | "objectname" => Some("object"),
        "filesize" | "contentlength" => Some("size"),
        "mime" | "contenttype" => Some("mimeType"),
        "requestid" => Some("reqId"),
        "ip" => Some("clientIp"),
        _ => None,
    })
}

/// Texts come with their quotes, so quotes around them are two too many. A number does no harm in quotes.
fn quoted(spec: &CallbackSpec, all: &mut Vec<Finding>) {
    let body = &spec.body;
    let quoted: Vec<_> = json::variables(body).unwrap_or_default();
    let quoted: Vec<_> = quoted.iter().filter(|place| place.quoted && !template::is_number(place.name)).collect();
    let alone = |at: &Range<usize>| {
        let (before, behind) = (&body[..at.start], &body[at.end..]);
        before.ends_with('"') && behind.starts_with('"') && !ends_in_text(false, &before[..before.len() - 1])
    };
    for place in &quoted {
        let finding = Finding::warning(Rule::QuotedVariable, Field::Body, place.name);
        if !alone(&place.at) {
            all.push(finding.at(place.at.clone()));
            continue;
        }
        let mut cured = body.clone();
        for same in quoted.iter().rev().filter(|same| same.name == place.name && alone(&same.at)) {
            cured.replace_range(same.at.start - 1..same.at.end + 1, &body[same.at.clone()]);
        }
        let range = place.at.start - 1..place.at.end + 1;
        all.push(finding.at(range).cured(CallbackSpec { body: cured, ..spec.clone() }));
    }
}

/// The body with another name in every place of one variable.
pub(super) fn renamed(body: &str, from: &str, to: &str) -> String {
    body.replace(&format!("${{{from}}}"), &format!("${{{to}}}"))
}

/// The body with one more variable in it, under its bare name; none where that is taken or there is no place for it.
pub(super) fn with_variable(spec: &CallbackSpec, full_name: &str) -> Option<CallbackSpec> {
    let key = bare(full_name);
    let body = match spec.body_type {
        BodyType::Form => {
            let taken = spec.body.split('&').any(|pair| pair.split('=').next() == Some(key));
            let and = if spec.body.is_empty() || spec.body.ends_with('&') { "" } else { "&" };
            (!taken).then(|| format!("{}{and}{key}=${{{full_name}}}", spec.body))
        }
        BodyType::Json => {
            let inside = spec.body.trim_end().strip_suffix('}')?.trim_end();
            let taken = inside.contains(&format!("\"{key}\""));
            let comma = if inside.ends_with('{') { "" } else { "," };
            (!taken).then(|| format!("{inside}{comma}\"{key}\":${{{full_name}}}}}"))
        }
    }?;
    Some(CallbackSpec { body, ..spec.clone() })
}

/// A body that tells what most servers want to know.
fn with_usual_body(spec: &CallbackSpec) -> CallbackSpec {
    let body = match spec.body_type {
        BodyType::Form => "bucket=${bucket}&object=${object}&etag=${etag}&size=${size}&mimeType=${mimeType}",
        BodyType::Json => {
            "{\"bucket\":${bucket},\"object\":${object},\"etag\":${etag},\"size\":${size},\"mimeType\":${mimeType}}"
        }
    };
    let usual = CallbackSpec { body: body.to_owned(), ..spec.clone() };
    let names = spec.checked_variables().unwrap_or_default();
    names.keys().fold(usual, |usual, name| with_variable(&usual, name).unwrap_or(usual))
}
