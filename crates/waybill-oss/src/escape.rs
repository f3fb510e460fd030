//! Percent-encoding as OSS signs it: every byte but `A-Z a-z 0-9 - _ . ~`, in upper-case hex.

/// Escapes a path and keeps its slashes [go2 `signer/v4.go` escapePath].
pub(crate) fn path(text: &str) -> String {
    escaped(text, true)
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

/// Appends one byte as `%XX`.
pub(crate) fn push_hex(out: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(HEX[usize::from(byte >> 4)]));
    out.push(char::from(HEX[usize::from(byte & 15)]));
}

fn escaped(text: &str, keep_slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b'/' if keep_slash => out.push('/'),
            _ => push_hex(&mut out, byte),
        }
    }
    out
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
    fn an_empty_value_is_sent_as_the_name_alone() {
        let pairs = [("uploads".to_owned(), String::new()), ("a b".to_owned(), "c=d".to_owned())];
        assert_eq!(query(&pairs), "uploads&a%20b=c%3Dd");
    }
}
