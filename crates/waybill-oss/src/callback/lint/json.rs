//! Bodies that are to be JSON, read as OSS's values will stand in them.

use std::ops::Range;

use super::super::template;

/// A variable, where it stands, and whether that is inside a JSON text.
pub(super) struct Variable<'a> {
    pub(super) name: &'a str,
    pub(super) at: Range<usize>,
    pub(super) quoted: bool,
}

/// The variables of a body; none if a `$` in it begins no variable.
pub(super) fn variables(body: &str) -> Option<Vec<Variable<'_>>> {
    let (mut quoted, mut behind) = (false, 0);
    let read = template::variables(body).ok()?.into_iter().map(|(at, name)| {
        quoted = ends_in_text(quoted, &body[behind..at.start]);
        behind = at.end;
        Variable { name, at, quoted }
    });
    Some(read.collect())
}

/// What keeps a body from being JSON once it is filled in: the parser's words and where they point to.
pub(super) fn trouble(body: &str) -> Option<(String, Range<usize>)> {
    let mut filled = body.to_owned();
    for Variable { name, at, quoted } in variables(body)? {
        // As long as what it replaces, so that places stay the same. A text may also be a key.
        let value = match (quoted, template::is_number(name)) {
            (true, _) => "",
            (false, true) => "0",
            (false, false) => "\"\"",
        };
        let length = at.len();
        filled.replace_range(at, &format!("{value:<length$}"));
    }
    let error = serde_json::from_str::<serde::de::IgnoredAny>(&filled).err()?;
    let why = error.to_string();
    let why = why.split(" at line ").next().unwrap_or_default().to_owned();
    let line: usize = filled.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let end = body.floor_char_boundary((line + error.column()).min(body.len()));
    let start = body[..end].char_indices().next_back().map_or(0, |(at, _)| at);
    Some((why, start..end))
}

/// Whether a piece of JSON ends between two quotes, when it begins there or not.
pub(super) fn ends_in_text(mut inside: bool, piece: &str) -> bool {
    let mut chars = piece.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => inside = !inside,
            '\\' if inside => _ = chars.next(),
            _ => {}
        }
    }
    inside
}

/// What a body says that was pasted out of source code with the backslashes before its quotes, and perhaps with the quotes
/// around it; none if it is JSON as it stands, or is none without them either.
pub(super) fn unescaped(body: &str) -> Option<String> {
    let text = body.trim();
    let literal = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    if !text.contains("\\\"") || literal.is_none() && trouble(text).is_none() {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = literal.unwrap_or(text).chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.clone().next() {
                Some(escaped @ ('"' | '\\')) => {
                    chars.next();
                    plain.push(escaped);
                }
                _ => plain.push(c),
            },
            c => plain.push(c),
        }
    }
    (plain.trim_start().starts_with(['{', '[']) && trouble(&plain).is_none()).then_some(plain)
}
