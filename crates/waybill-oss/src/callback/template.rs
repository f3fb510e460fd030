//! The variables in a callback's body: `${name}` for what OSS knows, `${x:name}` for our own.

/// OSS's variables; upper and lower case differ [Callback].
pub(super) const KNOWN: [&str; 14] = [
    "bucket",
    "object",
    "etag",
    "size",
    "mimeType",
    "imageInfo.height",
    "imageInfo.width",
    "imageInfo.format",
    "crc64",
    "contentMd5",
    "vpcId",
    "clientIp",
    "reqId",
    "operation",
];

/// The names between `${` and `}`, in the order they stand there; or what is wrong, in words.
pub(super) fn variables(body: &str) -> Result<Vec<&str>, String> {
    Ok(pieces(body)?.into_iter().filter_map(|(_, name)| name).collect())
}

/// Each stretch of plain text with the variable behind it; behind the last one there is none.
pub(super) fn pieces(body: &str) -> Result<Vec<(&str, Option<&str>)>, String> {
    let mut pieces = Vec::new();
    let mut rest = body;
    while let Some((text, behind)) = rest.split_once('$') {
        let Some(inside) = behind.strip_prefix('{') else {
            return Err("the body has a “$” that begins no “${variable}”: take it out".to_owned());
        };
        let Some((name, behind)) = inside.split_once('}') else {
            return Err("the body has a “${” without its “}”".to_owned());
        };
        if name.is_empty() || name.contains(['$', '{']) {
            return Err(format!("the body has “${{{name}}}”, which names no variable"));
        }
        pieces.push((text, Some(name)));
        rest = behind;
    }
    pieces.push((rest, None));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_their_order() {
        assert_eq!(variables("{\"a\":${object},\"b\":${x:b}}").expect("names"), ["object", "x:b"]);
        assert!(variables("plain").expect("none").is_empty());
    }

    #[test]
    fn what_is_no_variable_is_named() {
        for body in ["$", "a$b", "${", "${a", "${}", "${a${b}", "$${a}"] {
            assert!(variables(body).is_err(), "{body}");
        }
    }
}
