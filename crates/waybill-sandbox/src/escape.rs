//! Percent-encoding and hex as OSS writes them.

/// Escapes every byte but `A-Z a-z 0-9 - _ . ~` as `%XX` in upper-case hex; a slash stays when told.
pub(crate) fn encode(bytes: &[u8], keep_slash: bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b'/' if keep_slash => out.push('/'),
            _ => {
                out.push('%');
                push_hex(&mut out, byte, DIGITS_UPPER);
            }
        }
    }
    out
}

/// Undoes percent-encoding; `None` when a `%` is not followed by two hex digits.
pub(crate) fn decode(text: &str, plus_is_space: bool) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'%' => {
                let (pair, tail) = rest.split_at_checked(2)?;
                out.push(nibble(pair[0])? << 4 | nibble(pair[1])?);
                rest = tail;
            }
            b'+' if plus_is_space => out.push(b' '),
            _ => out.push(byte),
        }
    }
    Some(out)
}

/// Upper-case hex, as ETags are written.
pub(crate) fn hex_upper(bytes: &[u8]) -> String {
    hex(bytes, DIGITS_UPPER)
}

/// Lower-case hex, as signatures are written.
pub(crate) fn hex_lower(bytes: &[u8]) -> String {
    hex(bytes, DIGITS_LOWER)
}

const DIGITS_UPPER: &[u8; 16] = b"0123456789ABCDEF";
const DIGITS_LOWER: &[u8; 16] = b"0123456789abcdef";

fn hex(bytes: &[u8], digits: &[u8; 16]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for &byte in bytes {
        push_hex(&mut out, byte, digits);
    }
    out
}

fn push_hex(out: &mut String, byte: u8, digits: &[u8; 16]) {
    out.push(char::from(digits[usize::from(byte >> 4)]));
    out.push(char::from(digits[usize::from(byte & 15)]));
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_bytes_stay_bare() {
        assert_eq!(encode("a-_.~/ +%中".as_bytes(), true), "a-_.~/%20%2B%25%E4%B8%AD");
        assert_eq!(encode(b"a/b!*'()", false), "a%2Fb%21%2A%27%28%29");
    }

    #[test]
    fn decoding_gives_the_bytes_back_and_refuses_half_an_escape() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&all, false), false), Some(all));
        assert_eq!(decode("a+b", true), Some(b"a b".to_vec()));
        assert_eq!(decode("a+b", false), Some(b"a+b".to_vec()));
        for broken in ["%", "%4", "%G0", "%4%"] {
            assert_eq!(decode(broken, false), None, "{broken}");
        }
    }

    #[test]
    fn hex_is_written_in_either_case() {
        assert_eq!(hex_upper(&[0, 171]), "00AB");
        assert_eq!(hex_lower(&[0, 171]), "00ab");
    }
}
