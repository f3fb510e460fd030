//! String literals of the ten languages: where one begins, where it ends, and which text it stands for.

use super::Language;

/// A literal that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// The text it stands for.
    pub text: String,
    /// The first piece that only the running program knows, such as PHP's `$name` between double quotes.
    pub computed: Option<String>,
    /// It ends with its line: a double quote is missing. Single ones are apostrophes as often as not.
    pub open: bool,
}

/// How a literal is written.
struct Form {
    /// Bytes in front of the text.
    skip: usize,
    end: String,
    style: Style,
    many_lines: bool,
    /// What begins a piece that the program fills in.
    fill: Fill,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Nothing is escaped.
    Raw,
    /// Python's `r'…'`: a backslash stays, and so does what stands behind it.
    RawBackslash,
    /// Only the backslash and the quote are escaped: PHP and Ruby between single quotes.
    Single,
    /// A quote is written twice: C#'s `@"…"`.
    Doubled,
    /// Backslashes as in C.
    Escaped,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fill {
    Never,
    /// `$name`, `${name}`, `{$name}`.
    Php,
    /// `${…}`.
    Template,
    /// `{…}`, unless the brace is written twice.
    Braces,
    /// `#{…}`.
    Ruby,
}

const KOTLIN_DOLLAR: &str = "${'$'}";

/// The literal that `rest` begins with, and how many bytes it takes.
pub(super) fn read(language: Language, rest: &str) -> Option<(Literal, usize)> {
    let form = form(language, rest)?;
    let (mut bytes, mut computed) = (Vec::new(), None);
    let mut at = form.skip;
    loop {
        let here = &rest[at..];
        let Some(c) = here.chars().next() else {
            return Some((finish(bytes, computed, form.end.ends_with('"')), at));
        };
        if here.starts_with(&form.end) {
            let doubled = form.style == Style::Doubled && here[1..].starts_with(&form.end);
            if !doubled {
                return Some((finish(bytes, computed, false), at + form.end.len()));
            }
            bytes.push(b'"');
            at += 2;
            continue;
        }
        if c == '\n' && !form.many_lines {
            return Some((finish(bytes, computed, form.end.ends_with('"')), at));
        }
        if form.fill == Fill::Braces && (here.starts_with("{{") || here.starts_with("}}")) {
            bytes.push(here.as_bytes()[0]);
            at += 2;
            continue;
        }
        // Kotlin has no other way to a dollar sign between three quotes.
        if language == Language::Android && here.starts_with(KOTLIN_DOLLAR) {
            bytes.push(b'$');
            at += KOTLIN_DOLLAR.len();
            continue;
        }
        if computed.is_none() {
            computed = filled(form.fill, here).map(str::to_owned);
        }
        at +=
            if c == '\\' { backslash(language, form.style, &here[1..], &mut bytes) + 1 } else { plain(c, &mut bytes) };
    }
}

fn finish(bytes: Vec<u8>, computed: Option<String>, open: bool) -> Literal {
    Literal { text: String::from_utf8_lossy(&bytes).into_owned(), computed, open }
}

fn plain(c: char, bytes: &mut Vec<u8>) -> usize {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    c.len_utf8()
}

fn form(language: Language, rest: &str) -> Option<Form> {
    use Language as L;
    let form = |skip: usize, end: &str, style: Style, many_lines: bool, fill: Fill| {
        Some(Form { skip, end: end.to_owned(), style, many_lines, fill })
    };
    let escaped = |quote: &str, fill: Fill| form(1, quote, Style::Escaped, false, fill);
    let first = rest.chars().next()?;
    match (language, first) {
        (L::Java | L::Android, '"') if rest.starts_with("\"\"\"") => {
            form(3, "\"\"\"", Style::Escaped, true, Fill::Never)
        }
        (L::CSharp, '"') if rest.starts_with("\"\"\"") => form(3, "\"\"\"", Style::Raw, true, Fill::Never),
        (L::CSharp, '@' | '$') => match rest {
            _ if rest.starts_with("@\"") => form(2, "\"", Style::Doubled, true, Fill::Never),
            _ if rest.starts_with("$@\"") || rest.starts_with("@$\"") => {
                form(3, "\"", Style::Doubled, true, Fill::Braces)
            }
            _ if rest.starts_with("$\"") => form(2, "\"", Style::Escaped, false, Fill::Braces),
            _ => None,
        },
        (L::Ios, '@') if rest.starts_with("@\"") => form(2, "\"", Style::Escaped, false, Fill::Never),
        (L::Cpp, 'R') if rest.starts_with("R\"") => {
            let mark = rest[2..].split_once('(')?.0;
            let fits = mark.len() <= 16 && mark.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | ')'));
            if fits { form(mark.len() + 3, &format!("){mark}\""), Style::Raw, true, Fill::Never) } else { None }
        }
        (L::Php, '\'') => form(1, "'", Style::Single, true, Fill::Never),
        (L::Php, '"') => form(1, "\"", Style::Escaped, true, Fill::Php),
        (L::Php, '<') => heredoc(rest),
        (L::NodeJs, '`') => form(1, "`", Style::Escaped, true, Fill::Template),
        (L::Ruby, '\'') => form(1, "'", Style::Single, false, Fill::Never),
        (L::Ruby, '"') => escaped("\"", Fill::Ruby),
        (L::Python, _) => python(rest),
        (L::Rest, _) => None,
        (_, '"') => escaped("\"", Fill::Never),
        (_, '\'') => escaped("'", Fill::Never),
        _ => None,
    }
}

/// `<<<'NAME'` and `<<<NAME`, which end with a line that begins with the name. The line break before the text is read as
/// part of it: heredocs hold JSON here, where it says nothing.
fn heredoc(rest: &str) -> Option<Form> {
    let (opening, _) = rest.strip_prefix("<<<")?.split_once('\n')?;
    let bare = opening.trim().trim_matches(['\'', '"']);
    if bare.is_empty() || !bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return None;
    }
    let skip = 3 + opening.len();
    let ends = |(at, _): (usize, &str)| {
        let line = &rest[skip + at + 1..];
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        line[indent..].starts_with(bare).then(|| rest[skip + at..skip + at + 1 + indent + bare.len()].to_owned())
    };
    let end = rest[skip..].match_indices('\n').find_map(ends)?;
    let now = opening.trim().starts_with('\'');
    let (style, fill) = if now { (Style::Raw, Fill::Never) } else { (Style::Escaped, Fill::Php) };
    Some(Form { skip, end, style, many_lines: true, fill })
}

/// Up to two letters in front of one quote or three.
fn python(rest: &str) -> Option<Form> {
    let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (prefix, quoted) = rest.split_at(letters);
    let known = letters <= 2 && prefix.bytes().all(|byte| b"rRbBuUfF".contains(&byte));
    let quote = quoted.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let three = quote.to_string().repeat(3);
    let has = |letter: char| prefix.to_ascii_lowercase().contains(letter);
    let many_lines = quoted.starts_with(&three);
    let end = if many_lines { three } else { quote.to_string() };
    let style = if has('r') { Style::RawBackslash } else { Style::Escaped };
    let fill = if has('f') { Fill::Braces } else { Fill::Never };
    known.then(|| Form { skip: letters + end.len(), end, style, many_lines, fill })
}

/// The piece at the start of `here` that the program would fill in.
fn filled(fill: Fill, here: &str) -> Option<&str> {
    let name = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let next = here.as_bytes().get(1).copied().unwrap_or_default();
    let begins = match fill {
        Fill::Never => false,
        Fill::Php => here.starts_with("{$") || (here.starts_with('$') && (name(next) || next == b'{')),
        Fill::Template => here.starts_with("${"),
        Fill::Braces => here.starts_with('{'),
        Fill::Ruby => here.starts_with("#{"),
    };
    if !begins {
        return None;
    }
    let braces = here.as_bytes().iter().take(2).any(|byte| *byte == b'{');
    let until = here.find('}').filter(|_| braces).map(|at| at + 1);
    let word = || 1 + here[1..].bytes().take_while(|byte| name(*byte) || byte.is_ascii_digit()).count();
    Some(&here[..until.unwrap_or_else(word)])
}

/// What stands behind a backslash, and how many bytes of it were read.
fn backslash(language: Language, style: Style, behind: &str, bytes: &mut Vec<u8>) -> usize {
    let Some(c) = behind.chars().next() else {
        bytes.push(b'\\');
        return 0;
    };
    match style {
        Style::Raw | Style::Doubled => {
            bytes.push(b'\\');
            return 0;
        }
        Style::RawBackslash => {
            bytes.push(b'\\');
            return plain(c, bytes);
        }
        Style::Single => {
            if !matches!(c, '\\' | '\'') {
                bytes.push(b'\\');
            }
            return plain(c, bytes);
        }
        Style::Escaped => {}
    }
    let control = match c {
        'n' => Some(b'\n'),
        't' => Some(b'\t'),
        'r' => Some(b'\r'),
        'v' => Some(0x0b),
        'f' => Some(0x0c),
        'b' if language != Language::Php => Some(0x08),
        'a' if language != Language::Php => Some(0x07),
        'e' if matches!(language, Language::Php | Language::Ruby) => Some(0x1b),
        _ => None,
    };
    if let Some(control) = control {
        bytes.push(control);
        return 1;
    }
    match c {
        '\n' => 1,
        'u' | 'U' | 'x' | '0'..='7' => {
            numbered(language, c, behind, bytes).unwrap_or_else(|| unknown(language, c, bytes))
        }
        _ => unknown(language, c, bytes),
    }
}

/// A backslash before a character that needs none: Python and PHP keep it.
fn unknown(language: Language, c: char, bytes: &mut Vec<u8>) -> usize {
    let known = match language {
        Language::Php => matches!(c, '\\' | '"' | '$'),
        Language::Python => matches!(c, '\\' | '"' | '\''),
        _ => true,
    };
    if !known {
        bytes.push(b'\\');
    }
    plain(c, bytes)
}

/// `\uXXXX`, `\u{X…}`, `\UXXXXXXXX`, `\xXX` and `\ooo`.
fn numbered(language: Language, c: char, behind: &str, bytes: &mut Vec<u8>) -> Option<usize> {
    if c == 'u' && behind[1..].starts_with('{') {
        let (digits, _) = behind[2..].split_once('}')?;
        plain(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?, bytes);
        return Some(digits.len() + 3);
    }
    let (from, most, radix) = match c {
        'u' => (1, 4, 16),
        'U' => (1, 8, 16),
        'x' if language == Language::CSharp => (1, 4, 16),
        'x' => (1, 2, 16),
        _ => (0, 3, 8),
    };
    let digits = behind[from..].chars().take(most).take_while(|digit| digit.is_digit(radix)).count();
    let whole = !matches!(c, 'u' | 'U') || digits == most;
    let number = u32::from_str_radix(&behind[from..from + digits], radix).ok().filter(|_| whole)?;
    let bare_bytes = matches!(language, Language::C | Language::Cpp | Language::Ios | Language::Php | Language::Ruby);
    if c != 'u' && c != 'U' && bare_bytes {
        bytes.push(u8::try_from(number & 0xff).unwrap_or_default());
        return Some(from + digits);
    }
    if (0xd800..0xdc00).contains(&number) {
        let low = behind[from + digits..].strip_prefix("\\u").and_then(|text| text.get(..4));
        let low = low.and_then(|text| u32::from_str_radix(text, 16).ok()).filter(|low| (0xdc00..0xe000).contains(low));
        if let Some(low) = low {
            plain(char::from_u32(0x10000 + ((number - 0xd800) << 10) + (low - 0xdc00))?, bytes);
            return Some(from + digits + 6);
        }
    }
    plain(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER), bytes);
    Some(from + digits)
}

#[cfg(test)]
#[path = "literal_tests.rs"]
mod tests;
