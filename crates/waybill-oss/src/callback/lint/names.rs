//! Findings about our own variables.

use super::super::spec::CallbackSpec;
use super::super::{rules, template};
use super::body::{renamed, with_variable};
use super::{Field, Finding, Level, Rule};

pub(super) fn look(spec: &CallbackSpec, all: &mut Vec<Finding>) {
    let places = template::places(&spec.body);
    let is_named = |full: &str| places.iter().any(|place| place.name == Some(full));
    for (row, name) in spec.variables.keys().enumerate() {
        let bare = bare(name);
        let full = format!("x:{bare}");
        let taken = rules::variable_name(name).is_ok();
        if bare.contains(char::is_uppercase) {
            let cured = with_name(spec, name, &bare.to_lowercase());
            all.push(Finding::error(Rule::UpperCaseName, Field::Variables, name).row(row).cured(cured));
        } else if !bare.bytes().all(is_usual) || bare.is_empty() {
            let usual = |byte: char| u8::try_from(byte).is_ok_and(is_usual);
            let cured = with_name(spec, name, &bare.trim().replace(|c| !usual(c), "_"));
            let level = if taken { Level::Warning } else { Level::Error };
            let finding = Finding::error(Rule::UnusualName, Field::Variables, name).row(row).cured(cured);
            all.push(Finding { level, ..finding });
        }
        if *name == full && spec.variables.contains_key(bare) {
            all.push(Finding::error(Rule::DuplicateName, Field::Variables, name).row(row).cured(without(spec, name)));
        }
        // What a callback stored with the bucket names is not known here.
        if taken && spec.stored_policy().is_none() && !is_named(&full) {
            let cured = with_variable(spec, &full);
            all.push(Finding::warning(Rule::UnusedVariable, Field::Variables, full).row(row).cured(cured));
        }
    }
}

/// A name without its `x:`.
pub(super) fn bare(name: &str) -> &str {
    name.strip_prefix("x:").unwrap_or(name)
}

/// What every sample of OSS has in the names of variables; which other characters it takes is not established.
fn is_usual(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}

/// Another name for a variable, in the body too; none if the name is taken or nothing is left of it.
fn with_name(spec: &CallbackSpec, from: &str, to: &str) -> Option<CallbackSpec> {
    let full = format!("x:{to}");
    if to.bytes().all(|byte| byte == b'_') || spec.variables.keys().any(|name| bare(name) == to) {
        return None;
    }
    let mut cured = spec.clone();
    let value = cured.variables.remove(from)?;
    let to = if from.starts_with("x:") { full.clone() } else { to.to_owned() };
    cured.variables.insert(to, value);
    cured.body = renamed(&cured.body, &format!("x:{}", bare(from)), &full);
    Some(cured)
}

/// Without one of two variables of the same name, if they say the same.
fn without(spec: &CallbackSpec, name: &str) -> Option<CallbackSpec> {
    let mut cured = spec.clone();
    let value = cured.variables.remove(name)?;
    (cured.variables.get(bare(name)) == Some(&value)).then_some(cured)
}
