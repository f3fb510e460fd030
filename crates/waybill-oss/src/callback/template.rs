//! The variables in a callback's body: `${name}` for what OSS knows, `${x:name}` for our own.

use std::ops::Range;

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

/// A `$` in a body, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    /// Where it stands.
    pub(super) at: Range<usize>,
    /// The name between `${` and `}`; none where the `$` begins no variable.
    pub(super) name: Option<&'a str>,
}

/// Every `$` of a body, in the order they stand there.
pub(super) fn places(body: &str) -> Vec<Place<'_>> {
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(start) = body[from..].find('$').map(|at| from + at) {
        let inside = body[start..].strip_prefix("${").and_then(|inside| inside.split_once('}'));
        let place = match inside {
            Some((name, _)) if !name.is_empty() && !name.contains(['$', '{']) => {
                Place { at: start..start + name.len() + 3, name: Some(name) }
            }
            Some(("", _)) => Place { at: start..start + 3, name: None },
            _ if body[start..].starts_with("${") => Place { at: start..start + 2, name: None },
            _ => Place { at: start..start + 1, name: None },
        };
        from = place.at.end;
        places.push(place);
    }
    places
}

/// The variables with where they stand; or what is wrong, in words.
pub(super) fn variables(body: &str) -> Result<Vec<(Range<usize>, &str)>, String> {
    let words = |place: Place<'_>| match &body[place.at.clone()] {
        "$" => "the body has a “$” that begins no “${variable}”: take it out",
        "${" => "the body has a “${” without its “}”",
        _ => "the body has “${}”, which names no variable",
    };
    places(body)
        .into_iter()
        .map(|place| match place.name {
            Some(name) => Ok((place.at, name)),
            None => Err(words(place).to_owned()),
        })
        .collect()
}

/// What OSS puts in as a bare number; all else is text. Both are only known from the captured callbacks and the
/// Sandbox's reading of them.
pub(super) fn is_number(name: &str) -> bool {
    matches!(name, "size" | "imageInfo.height" | "imageInfo.width")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_their_order() {
        let found = variables("{\"a\":${object},\"b\":${x:b}}").expect("names");
        assert_eq!(found, [(5..14, "object"), (19..25, "x:b")]);
        assert!(variables("plain").expect("none").is_empty());
    }

    #[test]
    fn what_is_no_variable_is_named() {
        for body in ["$", "a$b", "${", "${a", "${}", "${a${b}", "$${a}"] {
            assert!(variables(body).is_err(), "{body}");
        }
    }

    #[test]
    fn a_broken_place_does_not_hide_what_stands_behind_it() {
        let found: Vec<_> = places("$${a}${}${b${c}$").into_iter().map(|place| (place.at, place.name)).collect();
        assert_eq!(
            found,
            [(0..1, None), (1..5, Some("a")), (5..8, None), (8..10, None), (11..15, Some("c")), (15..16, None)]
        );
    }
}
