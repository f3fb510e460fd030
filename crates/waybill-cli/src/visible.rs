//! Text from elsewhere, printed so that nothing in it is hidden and no terminal obeys it.

use std::fmt::Write;

/// A title and a text below it.
pub(crate) fn section(page: &mut String, title: &str, text: &str) {
    let _ = writeln!(page, "\n{title}"); // a String takes everything
    for line in text.split('\n') {
        let _ = writeln!(page, "  {line}");
    }
}

/// Line feeds as ␊ before the line ends, other control characters as their pictures, blanks in a row or at the end of a
/// line as ␠, and whatever else shows nothing, or moves what is shown, as its number.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\n' if chars.peek().is_some() => shown.push_str("␊\n"),
            ' ' if matches!(chars.peek(), None | Some('\n' | ' ')) || shown.ends_with([' ', '␠']) => shown.push('␠'),
            '\u{7f}' => shown.push('␡'),
            // The pictures of the control characters stand in the same order as these.
            '\0'..'\u{20}' => shown.extend(char::from_u32(0x2400 + u32::from(char))),
            char if unseen(char) => shown.extend(char.escape_unicode()),
            char => shown.push(char),
        }
    }
    shown
}

fn unseen(char: char) -> bool {
    (char.is_whitespace() && char != ' ')
        || char.is_control()
        || matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// One line, whatever stands in it.
pub(crate) fn one_line(text: &str) -> String {
    harmless(text).chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}

/// As it is, but for what a terminal would obey.
pub(crate) fn harmless(text: &str) -> String {
    let picture = |char: char| match char {
        '\n' | '\t' => char,
        '\0'..'\u{20}' => char::from_u32(0x2400 + u32::from(char)).unwrap_or(' '),
        char if char.is_control() || unseen(char) && !char.is_whitespace() => '\u{fffd}',
        char => char,
    };
    text.replace("\r\n", "\n").chars().map(picture).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown() {
        assert_eq!(visible("PUT\n\ntext/plain\n"), "PUT␊\n␊\ntext/plain␊");
        assert_eq!(visible("a b  c \nd "), "a b␠␠c␠␊\nd␠");
        assert_eq!(visible("a\tb\r\u{7f}\u{1b}[2J"), "a␉b␍␡␛[2J");
        assert_eq!(visible("a\u{a0}b\u{feff}\u{202e}\u{85}"), "a\\u{a0}b\\u{feff}\\u{202e}\\u{85}");
        assert_eq!(visible("文件 é"), "文件 é");
    }

    #[test]
    fn what_a_terminal_would_obey_is_taken_out_of_a_text_that_else_stays() {
        assert_eq!(harmless("a\r\n\tb 文\u{1b}[2J\r\u{9b}x\u{202e}"), "a\n\tb 文␛[2J␍\u{fffd}x\u{fffd}");
    }
}
