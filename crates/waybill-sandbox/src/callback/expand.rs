//! Filling `${name}` places: percent-encoded in a form, as JSON values in JSON.

use serde_json::Value;

use super::BodyType;
use crate::escape::encode;

/// Whether every `$` begins a `${name}`.
pub(super) fn check(template: &str) -> Result<(), ()> {
    pieces(template).try_for_each(|piece| if piece == Piece::Broken { Err(()) } else { Ok(()) })
}

/// The body with every place filled; `value` gives `Null` for what is not known, which is empty in a form and `null` in
/// JSON.
pub(super) fn expand(template: &str, body_type: BodyType, value: impl Fn(&str) -> Value) -> String {
    let mut out = String::with_capacity(template.len());
    for piece in pieces(template) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Place(name) => match (body_type, value(name)) {
                (BodyType::Json, value) => out.push_str(&value.to_string()),
                (BodyType::Form, Value::Null) => {}
                (BodyType::Form, Value::String(text)) => out.push_str(&encode(text.as_bytes(), false)),
                (BodyType::Form, other) => out.push_str(&encode(other.to_string().as_bytes(), false)),
            },
            // Refused when the callback was read.
            Piece::Broken => {}
        }
    }
    out
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Place(&'a str),
    /// A `$` that begins no place; nothing after it is read.
    Broken,
}

fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(at) = rest.find('$') else {
            return Some(Piece::Text(std::mem::take(&mut rest)));
        };
        if at > 0 {
            let (text, tail) = rest.split_at(at);
            rest = tail;
            return Some(Piece::Text(text));
        }
        match rest.strip_prefix("${").and_then(|tail| tail.split_once('}')) {
            Some((name, tail)) => {
                rest = tail;
                Some(Piece::Place(name))
            }
            None => {
                rest = "";
                Some(Piece::Broken)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
        let body =
            expand("f=${object}&s=${size}&m=${mimeType}&h=${imageInfo.height}&x=${x:none}", BodyType::Form, value);
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
            assert_eq!(check(template), Err(()), "{template}");
        }
        for template in ["", "plain", "${a}", "{${a}}", "a}b"] {
            assert_eq!(check(template), Ok(()), "{template}");
        }
    }
}
