//! Names that OSS accepts: buckets and object keys, checked before a byte is sent.

use std::fmt;

use crate::endpoint::recognise;
use crate::error::Error;

/// A bucket's name: 3 to 63 of `a-z 0-9 -`, no hyphen at either end [Bucket naming conventions].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(String);

impl BucketName {
    /// Takes a name as people type it; [`Error::Invalid`] says in words what OSS would refuse, and names the bucket where
    /// a whole address was pasted.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let why = match broken_rule(text) {
            None => return Ok(BucketName(text.to_owned())),
            Some(why) => why,
        };
        Err(Error::Invalid(match recognise(text).and_then(|pasted| pasted.bucket) {
            Some(bucket) => format!("Bucket name: this is a whole address, write only {bucket}."),
            None => format!("Bucket name “{}”: {why}.", shortened(text)),
        }))
    }

    /// The name, if it is one.
    pub(crate) fn named(text: &str) -> Option<Self> {
        broken_rule(text).is_none().then(|| BucketName(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn broken_rule(bucket: &str) -> Option<&'static str> {
    if !(3..=63).contains(&bucket.len()) {
        return Some("it must have 3 to 63 characters");
    }
    if !bucket.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
        return Some("only lower-case letters, digits and hyphens are allowed");
    }
    if bucket.starts_with('-') || bucket.ends_with('-') {
        return Some("it must not begin or end with a hyphen");
    }
    None
}

/// An object's key: 1 to 1023 bytes of UTF-8 that begin with neither `/` nor `\` [Object naming conventions].
///
/// Keys are opaque to OSS: nothing in them is folded or normalised, on either side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Takes a key as it is; [`Error::Invalid`] says in words what OSS would refuse.
    ///
    /// `.` and `..` alone are refused as well: URL libraries fold them away, so they cannot be sent.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |why: &str| Err(Error::Invalid(format!("Object key “{}”: {why}.", shortened(text))));
        if text.is_empty() {
            return Err(Error::Invalid("The object key is empty.".to_owned()));
        }
        if text.len() > 1023 {
            return refuse("it is longer than the 1023 bytes that OSS takes");
        }
        if text.starts_with(['/', '\\']) {
            return refuse("it must not begin with a slash or a backslash");
        }
        if text == "." || text == ".." {
            return refuse("a key of dots alone cannot be sent");
        }
        Ok(ObjectKey(text.to_owned()))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Enough of a long text to recognise it by.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_that_oss_takes_are_taken() {
        for name in ["abc", "a-b", "000", "examplebucket", &"x".repeat(63)] {
            assert_eq!(BucketName::parse(name).expect(name).as_str(), name);
        }
    }

    #[test]
    fn bucket_names_that_oss_refuses_are_refused_in_words() {
        for name in ["", "ab", &"x".repeat(64), "-abc", "abc-", "Abc", "a_b", "a.b", "büch"] {
            let error = BucketName::parse(name).expect_err(name);
            assert!(matches!(&error, Error::Invalid(words) if words.ends_with('.')), "{error:?}");
        }
    }

    #[test]
    fn a_whole_address_in_the_bucket_field_is_answered_with_the_bucket_in_it() {
        for text in [
            "oss://examplebucket/a.jpg",
            "examplebucket.oss-cn-hangzhou.aliyuncs.com",
            "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/a?x-oss-signature=feed",
        ] {
            let error = BucketName::parse(text).expect_err(text).to_string();
            assert!(error.contains("write only examplebucket.") && !error.contains("feed"), "{error}");
        }
    }

    #[test]
    fn keys_are_measured_in_bytes() {
        assert!(ObjectKey::parse(&"文".repeat(341)).is_ok(), "341 x 3 = 1023 bytes");
        assert!(ObjectKey::parse(&"文".repeat(342)).is_err());
        assert!(ObjectKey::parse("").is_err());
    }

    #[test]
    fn keys_that_cannot_be_sent_are_refused() {
        for key in ["/a", "\\a", ".", ".."] {
            assert!(ObjectKey::parse(key).is_err(), "{key}");
        }
        for key in ["a/../b", "../x", "...", "a//b", "?x", " ", "line\nfeed", "é"] {
            assert_eq!(ObjectKey::parse(key).expect(key).as_str(), key);
        }
    }
}
