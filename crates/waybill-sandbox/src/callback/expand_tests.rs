//! Filled places are what the receiver reads, whatever the values.

use serde_json::json;

use proptest::prelude::*;

use super::*;
use crate::route::parse_query;

fn value(name: &str) -> Value {
    match name {
        "object" => json!("a/b c+\"中\".txt"),
        "size" => json!(108904),
        "mimeType" => json!("image/jpeg"),
        "x:v" => json!("a\"b\\c"),
        _ => Value::Null,
    }
}

#[test]
fn a_form_gets_percent_encoded_values_slash_included_and_nothing_for_the_missing() {
    let body = expand("f=${object}&s=${size}&m=${mimeType}&h=${imageInfo.height}&x=${x:none}", BodyType::Form, value);
    assert_eq!(body, "f=a%2Fb%20c%2B%22%E4%B8%AD%22.txt&s=108904&m=image%2Fjpeg&h=&x=");
}

#[test]
fn json_gets_quoted_texts_bare_numbers_and_null_for_the_missing() {
    let body = expand(r#"{"m":${mimeType},"s":${size},"v":${x:v},"i":${imageInfo}}"#, BodyType::Json, value);
    assert_eq!(body, r#"{"m":"image/jpeg","s":108904,"v":"a\"b\\c","i":null}"#);
}

#[test]
fn a_dollar_that_begins_no_place_is_broken() {
    for template in ["$", "a$b", "${a", "x${y}$", "$${a}"] {
        assert!(check(template).is_err(), "{template}");
    }
    for template in ["", "plain", "${a}", "{${a}}", "a}b"] {
        assert_eq!(check(template), Ok(()), "{template}");
    }
}

#[test]
fn the_words_for_a_broken_place_are_those_of_the_page() {
    assert_eq!(check("size=${size}&my_var=$x:my_var}"), Err("Left brace must be adjacent to dollar sign."));
    assert_eq!(check("size=${size"), Err("Right brace is missing after dollar sign and left brace."));
}

/// Any value that a place can have.
fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), any::<u64>().prop_map(|n| json!(n)), any::<String>().prop_map(|text| json!(text))]
}

fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

proptest! {
    #[test]
    fn a_json_template_with_bare_places_is_json_whatever_the_values(
        values in prop::collection::vec((any::<String>(), any_value()), 0..6),
    ) {
        let members: Vec<String> =
            values.iter().enumerate().map(|(n, (name, _))| format!("{}:${{x:{n}}}", json!(name.replace('$', "")))).collect();
        let template = format!("{{{}}}", members.join(","));
        let at = |name: &str| values[name.strip_prefix("x:").expect("one of ours").parse::<usize>().expect("n")].1.clone();
        let body = expand(&template, BodyType::Json, at);
        let parsed: Value = serde_json::from_str(&body).expect("JSON");
        for (name, _) in &values {
            let last = values.iter().rfind(|(n, _)| n.replace('$', "") == name.replace('$', "")).expect("there");
            prop_assert_eq!(&parsed[name.replace('$', "")], &last.1);
        }
    }

    #[test]
    fn a_form_decodes_back_to_the_values(values in prop::collection::vec(any_value(), 1..6)) {
        let template: Vec<String> = (0..values.len()).map(|n| format!("v{n}=${{x:{n}}}")).collect();
        let at = |name: &str| values[name.strip_prefix("x:").expect("one of ours").parse::<usize>().expect("n")].clone();
        let body = expand(&template.join("&"), BodyType::Form, at);
        let read = parse_query(&body).expect("a form");
        let wanted: Vec<(String, String)> =
            values.iter().enumerate().map(|(n, value)| (format!("v{n}"), as_text(value))).collect();
        prop_assert_eq!(read, wanted);
    }

    #[test]
    fn no_template_panics_and_what_is_not_a_place_stays(template in r"(\$|\{|\}|a|中|&|=|\\|\x22){0,24}|\PC{0,40}") {
        for body_type in [BodyType::Form, BodyType::Json] {
            let body = expand(&template, body_type, |_| Value::Null);
            if check(&template).is_ok() && !template.contains('$') {
                prop_assert_eq!(&body, &template);
            }
        }
    }
}
