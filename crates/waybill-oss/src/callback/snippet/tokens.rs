//! Source text of any of the languages, cut into words, texts and signs; comments are left out.

use super::Language;
use super::literal::{self, Literal};

/// One token and the line it begins on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub kind: Kind<'a>,
    pub line: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// A name; PHP's and Ruby's `$` and `@` are left out.
    Word(&'a str),
    Number(&'a str),
    Text(Literal),
    Sign(&'a str),
}

const SIGNS: [&str; 15] = ["===", "!==", "=>", "->", "::", "==", "!=", "<=", ">=", "+=", ".=", "&&", "||", "<<", "?."];

/// Cuts the source up. Never fails: what is no token of the language is a sign.
pub(super) fn cut(language: Language, source: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        let taken = if c.is_whitespace() {
            c.len_utf8()
        } else if let Some(length) = comment(language, rest) {
            length
        } else {
            let (kind, length) = token(language, rest, c);
            tokens.push(Token { kind, line });
            length
        };
        line += source[at..at + taken].matches('\n').count();
        at += taken;
    }
    tokens
}

fn token(language: Language, rest: &str, c: char) -> (Kind<'_>, usize) {
    if let Some((literal, length)) = literal::read(language, rest) {
        return (Kind::Text(literal), length);
    }
    let word = |from: usize| {
        let length = rest[from..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len() - from);
        (length > 0).then(|| (&rest[from..from + length], from + length))
    };
    if c.is_ascii_digit() {
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_').unwrap_or(rest.len());
        return (Kind::Number(&rest[..length]), length);
    }
    let sigil = match language {
        Language::Php => c == '$',
        Language::Ruby => c == '@',
        _ => false,
    };
    if let Some((name, length)) = word(usize::from(sigil)).filter(|_| sigil || c.is_alphabetic() || c == '_') {
        return (Kind::Word(name), length);
    }
    let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign)).map_or(c.len_utf8(), |sign| sign.len());
    (Kind::Sign(&rest[..sign]), sign)
}

/// How long the comment is that `rest` begins with.
fn comment(language: Language, rest: &str) -> Option<usize> {
    let hash = matches!(language, Language::Python | Language::Ruby | Language::Php);
    let slashes = !matches!(language, Language::Python | Language::Ruby);
    if (hash && rest.starts_with('#')) || (slashes && rest.starts_with("//")) {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    let inside = rest.strip_prefix("/*").filter(|_| slashes)?;
    Some(inside.find("*/").map_or(rest.len(), |end| end + 4))
}
