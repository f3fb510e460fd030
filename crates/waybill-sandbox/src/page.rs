//! One page of a sorted listing: prefix, delimiter, marker and limit, the same for objects and uploads.

/// What a listing is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// Only keys that begin so.
    pub(crate) prefix: &'a str,
    /// Keys that hold it after the prefix are folded into one common prefix; none when empty.
    pub(crate) delimiter: &'a str,
    /// Only keys, and common prefixes, after this one.
    pub(crate) after: &'a str,
    /// How many keys and common prefixes together.
    pub(crate) at_most: usize,
}

/// What a listing gives.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Common prefixes, in order, each once.
    pub(crate) prefixes: Vec<String>,
    /// Whether there is more.
    pub(crate) truncated: bool,
    /// The last key or common prefix of the page: the marker of the next.
    pub(crate) last: String,
}

/// Takes a page from entries that are sorted by key and lie after the marker already. `next` gives the next entry, and
/// passes over all whose key begins with what it is given.
pub(crate) fn page<T>(mut next: impl FnMut(Option<&str>) -> Option<(String, T)>, wanted: &Wanted<'_>) -> Page<T> {
    let mut page = Page { items: Vec::new(), prefixes: Vec::new(), truncated: false, last: String::new() };
    let mut skip: Option<String> = None;
    while let Some((key, item)) = next(skip.take().as_deref()) {
        let Some(rest) = key.strip_prefix(wanted.prefix) else { continue };
        let folded = match rest.find(wanted.delimiter) {
            Some(at) if !wanted.delimiter.is_empty() => Some(&key[..wanted.prefix.len() + at + wanted.delimiter.len()]),
            _ => None,
        };
        skip = folded.map(str::to_owned);
        if folded.is_some_and(|folded| folded == wanted.after) {
            continue;
        }
        if page.items.len() + page.prefixes.len() == wanted.at_most {
            page.truncated = true;
            break;
        }
        match folded {
            Some(folded) => {
                page.last = folded.to_owned();
                page.prefixes.push(folded.to_owned());
            }
            None => {
                page.last = key;
                page.items.push(item);
            }
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 5] = ["fun/movie/001.avi", "fun/movie/007.avi", "fun/test.jpg", "oss.jpg", "z/z"];

    fn list(prefix: &str, delimiter: &str, after: &str, at_most: usize) -> Page<&'static str> {
        let mut keys = KEYS.into_iter().filter(|key| *key > after);
        let mut next = |skip: Option<&str>| keys.find(|key| skip.is_none_or(|skip| !key.starts_with(skip)));
        page(|skip| next(skip).map(|key| (key.to_owned(), key)), &Wanted { prefix, delimiter, after, at_most })
    }

    #[test]
    fn a_delimiter_folds_what_lies_deeper_into_one_prefix_each() {
        let got = list("", "/", "", 10);
        assert_eq!((got.items, got.prefixes), (vec!["oss.jpg"], vec!["fun/".to_owned(), "z/".to_owned()]));
        let got = list("fun/", "/", "", 10);
        assert_eq!((got.items, got.prefixes), (vec!["fun/test.jpg"], vec!["fun/movie/".to_owned()]));
    }

    #[test]
    fn pages_of_one_give_everything_once_and_end() {
        let (mut after, mut seen) = (String::new(), Vec::new());
        loop {
            let got = list("", "/", &after, 1);
            seen.extend(got.items.iter().map(|key| (*key).to_owned()).chain(got.prefixes));
            if !got.truncated {
                break;
            }
            after = got.last;
        }
        assert_eq!(seen, ["fun/", "oss.jpg", "z/"]);
    }

    #[test]
    fn a_page_that_is_just_full_is_not_truncated() {
        assert!(!list("", "", "", 5).truncated);
        assert!(list("", "", "", 4).truncated);
        assert!(!list("", "/", "", 3).truncated, "the rest of a folded prefix is no further entry");
    }
}
