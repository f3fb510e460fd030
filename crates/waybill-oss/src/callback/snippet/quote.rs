//! Texts as string literals of each language, on one line and with nothing in them that the language would fill in.

use std::fmt::Write as _;

/// Java and C#: `\uXXXX` for control characters.
pub(super) fn unicode(text: &str) -> String {
    double(text, |out, c| _ = write!(out, "\\u{:04x}", u32::from(c)))
}

/// C, C++ and Objective-C: three octal digits a byte, which never run into what stands behind them. No trigraphs.
pub(super) fn octal(text: &str) -> String {
    let octal = |out: &mut String, c: char| {
        c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| _ = write!(out, "\\{byte:03o}"));
    };
    let mut out = double(text, octal);
    while out.contains("??") {
        out = out.replace("??", "?\\?");
    }
    out
}

/// JavaScript and Python, between single quotes.
pub(super) fn single(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\\' | '\'' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if hidden(c) => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out + "'"
}

/// PHP: single quotes fill nothing in; double ones are needed for control characters.
pub(super) fn php(text: &str) -> String {
    sober(text, &['$'])
}

/// Ruby, likewise.
pub(super) fn ruby(text: &str) -> String {
    sober(text, &['#'])
}

fn sober(text: &str, filling: &[char]) -> String {
    if !text.contains(hidden) {
        return format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\\' | '"' => out.extend(['\\', c]),
            c if filling.contains(&c) => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if hidden(c) => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
            c => out.push(c),
        }
    }
    out + "\""
}

fn double(text: &str, control: impl Fn(&mut String, char)) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\\' | '"' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if hidden(c) => control(&mut out, c),
            c => out.push(c),
        }
    }
    out + "\""
}

/// Control characters, the two line ends of Unicode, and what turns the direction of writing around.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::super::{Language, literal};
    use super::*;
    use proptest::prelude::*;

    fn back(language: Language, written: &str) -> String {
        let (literal, length) = literal::read(language, written).expect("a literal");
        assert_eq!((length, literal.open, literal.computed), (written.len(), false, None), "{written}");
        literal.text
    }

    proptest! {
        #[test]
        fn what_is_written_as_a_literal_is_read_as_the_same_text(
            text in "([a-z0-9 ]|[\"'\\\\$#{}@%?`/&=<>]|[\\n\\r\\t\\x00\\x07\\x1b\\x7f]|[中é😀]|\\u{85}|\\u{2028}|\\u{202e}|\\$\\{[a-z]\\}|#\\{a\\}|\\\\u0041|\\?\\?\\?=){0,24}"
        ) {
            for language in [Language::Java, Language::Android, Language::CSharp] {
                prop_assert_eq!(&back(language, &unicode(&text)), &text);
            }
            for language in [Language::C, Language::Cpp] {
                prop_assert_eq!(&back(language, &octal(&text)), &text);
                prop_assert!(!octal(&text).contains("??"));
            }
            prop_assert_eq!(&back(Language::Ios, &format!("@{}", octal(&text))), &text);
            for language in [Language::NodeJs, Language::Python] {
                prop_assert_eq!(&back(language, &single(&text)), &text);
            }
            prop_assert_eq!(&back(Language::Php, &php(&text)), &text);
            prop_assert_eq!(&back(Language::Ruby, &ruby(&text)), &text);
        }
    }
}
