//! Sizes as people type them: `8MiB`, `100K`, `5242880`.

/// Bytes. Units are binary (K, KiB, KB = 1024 bytes, as OSS's own limits count), upper or lower case.
///
/// # Errors
/// A sentence that names what was typed.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let trimmed = text.trim();
    let digits = trimmed.find(|c: char| !c.is_ascii_digit()).unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(format!("\"{text}\" is not a size; write for instance 8MiB or 8388608")),
    };
    let bytes = number.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    bytes.filter(|bytes| *bytes > 0).ok_or_else(|| format!("\"{text}\" is not a size; write for instance 8MiB"))
}

/// Bytes per second, as a size with or without `/s`; at least 1 KiB.
///
/// # Errors
/// A sentence that names what was typed.
pub(crate) fn parse_rate(text: &str) -> Result<i64, String> {
    let trimmed = text.trim();
    let size = trimmed.strip_suffix("/s").or_else(|| trimmed.strip_suffix("ps")).unwrap_or(trimmed);
    let rate = parse(size).ok().and_then(|bytes| i64::try_from(bytes).ok()).filter(|rate| *rate >= 1024);
    rate.ok_or_else(|| format!("\"{text}\" is not a speed of at least 1 KiB/s; write for instance 2MiB/s or 500k"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_units_are_read_and_nonsense_is_refused() {
        assert_eq!(parse("5242880"), Ok(5 << 20));
        assert_eq!(parse("8MiB"), Ok(8 << 20));
        assert_eq!(parse("100 k"), Ok(100 << 10));
        assert_eq!(parse("1g"), Ok(1 << 30));
        for wrong in ["", "0", "MiB", "-1", "8 parsecs", "99999999999g"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn speeds_are_read_with_and_without_their_second_and_a_standstill_is_refused() {
        assert_eq!(parse_rate("2MiB/s"), Ok(2 << 20));
        assert_eq!(parse_rate("500k"), Ok(500 << 10));
        assert_eq!(parse_rate("1 MBps"), Ok(1 << 20));
        for wrong in ["0", "1023", "fast", "2MiB/min", ""] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }
}
