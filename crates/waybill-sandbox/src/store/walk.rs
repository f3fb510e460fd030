//! A walk over the objects in the order of their keys, which holds nobody up.

use std::{ops::Bound, vec};

use super::{Store, Stored};
use crate::page::Wanted;

/// So many descriptions are copied at once. The index is locked only meanwhile, not while the disk is asked.
const BATCH: usize = 256;

/// The objects of a listing, from its marker on, as far as its prefix goes.
pub(super) struct Walk<'a> {
    store: &'a Store,
    prefix: &'a str,
    from: Bound<String>,
    batch: vec::IntoIter<Stored>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(store: &'a Store, wanted: &Wanted<'a>) -> Self {
        let from = if wanted.after < wanted.prefix || wanted.after.is_empty() {
            Bound::Included(wanted.prefix.to_owned())
        } else {
            Bound::Excluded(wanted.after.to_owned())
        };
        Self { store, prefix: wanted.prefix, from, batch: Vec::new().into_iter() }
    }

    /// The next object that is there, after all whose key begins with `skip`.
    pub(super) fn next(&mut self, skip: Option<&str>) -> Option<(String, Stored)> {
        if let Some(skip) = skip {
            while self.batch.as_slice().first().is_some_and(|stored| stored.key.starts_with(skip)) {
                self.batch.next();
            }
            if self.batch.as_slice().is_empty() {
                self.from = Bound::Included(past(skip)?);
            }
        }
        loop {
            let Some(stored) = self.batch.next() else {
                self.batch = self.more().into_iter();
                if self.batch.as_slice().is_empty() {
                    return None;
                }
                continue;
            };
            self.from = Bound::Excluded(stored.key.clone());
            if self.store.is_there(&stored) {
                return Some((stored.key.clone(), stored));
            }
        }
    }

    fn more(&self) -> Vec<Stored> {
        let index = self.store.index();
        let range = index.range::<str, _>((self.from.as_ref().map(String::as_str), Bound::Unbounded));
        let own = range.take_while(|(key, _)| key.starts_with(self.prefix));
        own.take(BATCH).map(|(_, stored)| stored.clone()).collect()
    }
}

/// The first text that lies behind all that begin with `prefix`: the last character that has a next one is raised, and
/// what follows it dropped. `None` when there is no such text.
fn past(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_lies_between_a_prefix_and_what_is_past_it() {
        for (prefix, expected) in [
            ("a", Some("b")),
            ("a/", Some("a0")),
            ("中", Some("丮")),
            ("a\u{d7ff}", Some("a\u{e000}")),
            ("a\u{10ffff}\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
            ("", None),
        ] {
            assert_eq!(past(prefix).as_deref(), expected, "{prefix}");
        }
    }
}
