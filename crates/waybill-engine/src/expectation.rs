//! What a callback's answer must say, and what is taken out of it for lists. Pure.

use serde_json::Value;

use crate::view::{AnswerColumn, CallbackProfileForm, Comparison, Expectation, ExpectationView, Variable};

/// What the answer lacks; none if it meets all expectations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unmet {
    /// It is not JSON, so nothing can be found in it.
    NotJson,
    /// The first expectation that it does not meet.
    First(Expectation),
}

/// What the answer lacks of what the profile expects.
pub(crate) fn unmet(profile: &CallbackProfileForm, body: &str) -> Option<Unmet> {
    if profile.expectations.is_empty() {
        return None;
    }
    let Ok(answer) = serde_json::from_str::<Value>(body.trim_start_matches('\u{feff}')) else {
        return Some(Unmet::NotJson);
    };
    profile.expectations.iter().find(|expectation| !is_met(expectation, &answer)).cloned().map(Unmet::First)
}

/// Each expectation with what the answer says to it; `body` is None while the application has not answered.
pub(crate) fn checked(profile: &CallbackProfileForm, body: Option<&str>) -> Vec<ExpectationView> {
    let answer = body.and_then(|body| serde_json::from_str::<Value>(body.trim_start_matches('\u{feff}')).ok());
    let check = |expectation: &Expectation| ExpectationView {
        found: answer.as_ref().and_then(|answer| answer.pointer(&expectation.pointer)).map(text_of),
        met: body.map(|_| answer.as_ref().is_some_and(|answer| is_met(expectation, answer))),
        expectation: expectation.clone(),
    };
    profile.expectations.iter().map(check).collect()
}

/// The columns that a profile takes out of an answer; those that are not there are left out.
pub(crate) fn columns(columns: &[AnswerColumn], body: &str) -> Vec<Variable> {
    if columns.is_empty() {
        return Vec::new();
    }
    let Ok(answer) = serde_json::from_str::<Value>(body.trim_start_matches('\u{feff}')) else { return Vec::new() };
    let found = |column: &AnswerColumn| {
        let value = answer.pointer(&column.pointer).filter(|value| !value.is_null())?;
        Some(Variable { name: column.title.clone(), value: text_of(value) })
    };
    columns.iter().filter_map(found).collect()
}

fn is_met(expectation: &Expectation, answer: &Value) -> bool {
    let found = answer.pointer(&expectation.pointer);
    match expectation.comparison {
        Comparison::Exists => found.is_some(),
        Comparison::Equals => found.is_some_and(|found| equals(found, &expectation.value)),
        Comparison::Differs => found.is_none_or(|found| !equals(found, &expectation.value)),
        Comparison::Contains => found.and_then(Value::as_str).is_some_and(|found| found.contains(&expectation.value)),
    }
}

/// The wanted value is JSON where it reads as JSON; `1` and `1.0` are one number, and a text need not be quoted.
fn equals(found: &Value, wanted: &str) -> bool {
    if found.as_str() == Some(wanted) {
        return true;
    }
    match (serde_json::from_str::<Value>(wanted), found) {
        (Ok(Value::Number(wanted)), Value::Number(found)) => *found == wanted || found.as_f64() == wanted.as_f64(),
        (Ok(wanted), found) => *found == wanted,
        (Err(_), _) => false,
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"status":"ok","code":0,"rate":1.50,"job":{"id":77,"link":"https://x/77"},"none":null}"#;

    fn met(pointer: &str, comparison: Comparison, value: &str) -> bool {
        let expectation = Expectation { pointer: pointer.into(), comparison, value: value.into() };
        let profile = CallbackProfileForm { expectations: vec![expectation], ..CallbackProfileForm::default() };
        unmet(&profile, ANSWER).is_none()
    }

    #[test]
    fn each_comparison_is_met_by_what_it_says_and_by_nothing_near_it() {
        use Comparison::{Contains, Differs, Equals, Exists};
        for (pointer, comparison, value, expected) in [
            ("/status", Equals, "ok", true),
            ("/status", Equals, "\"ok\"", true),
            ("/status", Equals, "okay", false),
            ("/code", Equals, "0", true),
            ("/code", Equals, "\"0\"", false),
            ("/code", Equals, "false", false),
            ("/rate", Equals, "1.5", true),
            ("/job", Equals, r#"{"link":"https://x/77","id":77}"#, true),
            ("/none", Equals, "null", true),
            ("/nothing", Equals, "null", false),
            ("/status", Differs, "failed", true),
            ("/status", Differs, "ok", false),
            ("/nothing", Differs, "ok", true),
            ("/job/link", Contains, "//x/", true),
            ("/job/link", Contains, "//y/", false),
            ("/job/id", Contains, "7", false),
            ("/job/id", Exists, "", true),
            ("/none", Exists, "", true),
            ("/job/name", Exists, "", false),
        ] {
            assert_eq!(met(pointer, comparison, value), expected, "{pointer} {comparison:?} {value}");
        }
    }

    #[test]
    fn without_expectations_any_answer_will_do_and_with_one_only_json() {
        let mut profile = CallbackProfileForm::default();
        assert_eq!(unmet(&profile, "not json"), None);
        let exists = Expectation { pointer: "/a".into(), comparison: Comparison::Exists, value: String::new() };
        profile.expectations.push(exists.clone());
        assert_eq!(unmet(&profile, "not json"), Some(Unmet::NotJson));
        assert_eq!(unmet(&profile, "\u{feff}{\"a\":1}"), None);
        assert_eq!(unmet(&profile, "{}"), Some(Unmet::First(exists)));
    }

    #[test]
    fn each_expectation_is_shown_with_what_was_found_and_says_nothing_before_there_is_an_answer() {
        let expectation =
            |pointer: &str| Expectation { pointer: pointer.into(), comparison: Comparison::Equals, value: "ok".into() };
        let profile = CallbackProfileForm {
            expectations: vec![expectation("/status"), expectation("/job/id"), expectation("/nothing")],
            ..CallbackProfileForm::default()
        };
        let shown = |body: Option<&str>| -> Vec<_> {
            checked(&profile, body).into_iter().map(|checked| (checked.found, checked.met)).collect()
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(shown(Some(ANSWER)), [(text("ok"), Some(true)), (text("77"), Some(false)), (None, Some(false))]);
        assert_eq!(shown(Some("<xml/>")), [(None, Some(false)), (None, Some(false)), (None, Some(false))]);
        assert_eq!(shown(None), [(None, None), (None, None), (None, None)]);
    }

    #[test]
    fn columns_are_what_the_answer_has_as_text() {
        let column = |title: &str, pointer: &str| AnswerColumn { title: title.into(), pointer: pointer.into() };
        let wanted =
            [column("Job", "/job/id"), column("Link", "/job/link"), column("None", "/none"), column("No", "/no")];
        let found: Vec<_> = columns(&wanted, ANSWER).into_iter().map(|found| (found.name, found.value)).collect();
        assert_eq!(found, [("Job".into(), "77".into()), ("Link".into(), "https://x/77".to_owned())]);
        assert!(columns(&wanted, "<xml/>").is_empty());
    }
}
