//! Percent-encoding as OSS signs it: every byte but `A-Z a-z 0-9 - _ . ~`, in upper-case hex.

/// Escapes a path and keeps its slashes [go2 `signer/v4.go` escapePath].
pub(crate) fn path(text: &str) -> String {
    escaped(text, true)
}

/// As [`path`], behind what is there.
pub(crate) fn push_path(out: &mut String, text: &str) {
    push_escaped(out, text, true);
}

/// Escapes one name or value, slashes too.
pub(crate) fn component(text: &str) -> String {
    escaped(text, false)
}

/// `name=value` or `name` when the value is empty, joined by `&` in the order given.
pub(crate) fn query(pairs: &[(String, String)]) -> String {
    let pair = |(name, value): &(String, String)| match value.as_str() {
        "" => component(name),
        value => format!("{}={}", component(name), component(value)),
    };
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

/// Undoes the escaping; none if a `%` has no two digits behind it or the bytes are not UTF-8. A plus stays a plus.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                (digit(rest.next()?)? << 4) | digit(rest.next()?)?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Appends one byte as `%XX`.
pub(crate) fn push_hex(out: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(HEX[usize::from(byte >> 4)]));
    out.push(char::from(HEX[usize::from(byte & 15)]));
}

fn escaped(text: &str, keep_slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    push_escaped(&mut out, text, keep_slash);
    out
}

fn push_escaped(out: &mut String, text: &str, keep_slash: bool) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b'/' if keep_slash => out.push('/'),
            _ => push_hex(out, byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_plus_and_percent_are_never_left_bare() {
        assert_eq!(path("a b+c%20/d"), "a%20b%2Bc%2520/d");
        assert_eq!(component("a/b"), "a%2Fb");
    }

    #[test]
    fn what_was_escaped_is_decoded_and_nothing_else() {
        for text in ["a b+c%20/d", "中文/é", "\0\n~"] {
            assert_eq!(decoded(&path(text)).as_deref(), Some(text));
            assert_eq!(decoded(&component(text)).as_deref(), Some(text));
        }
        assert_eq!(decoded("a+b%2fc").as_deref(), Some("a+b/c"));
        for text in ["%", "%2", "%+1", "%GG", "%FF", "%é"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }

    #[test]
    fn an_empty_value_is_sent_as_the_name_alone() {
        let pairs = [("uploads".to_owned(), String::new()), ("a b".to_owned(), "c=d".to_owned())];
        assert_eq!(query(&pairs), "uploads&a%20b=c%3Dd");
    }
}
