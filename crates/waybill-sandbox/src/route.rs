//! From the raw request target to bucket and key; never through a URL library that would fold dots away.

use crate::{answer::OssError, config::is_bucket_name, escape};

/// A request target taken apart and percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Target {
    /// First path segment, or what the Host names.
    pub(crate) bucket: Option<String>,
    /// All that follows the first slash after the bucket (all of the path when the Host names it), byte for byte.
    pub(crate) key: Option<String>,
    /// Query parameters in the order sent; a parameter without value has an empty one.
    pub(crate) query: Vec<(String, String)>,
}

impl Target {
    /// Reads a target such as `/bucket/a%2Fb?uploadId=1`, or `/a%2Fb?uploadId=1` when the bucket is known from the Host.
    pub(crate) fn parse(raw: &str, hosted: Option<String>) -> Result<Self, OssError> {
        let (path, query) = raw.split_once('?').unwrap_or((raw, ""));
        let path = path.strip_prefix('/').ok_or_else(invalid_uri)?;
        let (bucket, key) = match hosted {
            Some(bucket) => (Some(bucket), path),
            None => {
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                (text(bucket)?, key)
            }
        };
        Ok(Self { bucket, key: text(key)?, query: parse_query(query)? })
    }

    /// Value of a query parameter, empty when it stands without one.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// `uploadId`, when there is one.
    pub(crate) fn upload_id(&self) -> Option<&str> {
        self.query("uploadId")
    }

    /// `partNumber` when it is a number.
    pub(crate) fn part_number(&self) -> Option<u32> {
        self.query("partNumber")?.parse().ok()
    }
}

/// Object naming rules: 1 to 1023 bytes, not beginning with `/` or `\` (ECs from the pages of those numbers).
pub(crate) fn check_key(key: &str) -> Result<(), OssError> {
    let (ec, text) = if key.is_empty() {
        ("0016-00000001", "The Object name can not be empty.")
    } else if key.starts_with(['/', '\\']) {
        ("0016-00000005", "The specified object is not valid.")
    } else if key.len() > 1023 {
        ("0016-00000002", "The length of object name must be less than 1024.")
    } else {
        return Ok(());
    };
    Err(OssError::new(400, "InvalidObjectName", text).ec(ec).with("ObjectName", key))
}

/// Bucket naming rules (page of EC 0015-00000001).
pub(crate) fn check_bucket(bucket: &str) -> Result<(), OssError> {
    if is_bucket_name(bucket) {
        return Ok(());
    }
    Err(OssError::new(400, "InvalidBucketName", "The specified bucket is not valid.")
        .ec("0015-00000001")
        .with("BucketName", bucket))
}

fn text(raw: &str) -> Result<Option<String>, OssError> {
    if raw.is_empty() {
        return Ok(None);
    }
    let bytes = escape::decode(raw, false).ok_or_else(invalid_uri)?;
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| OssError::new(400, "InvalidObjectName", "The specified object is not valid.").ec("0016-00000002"))
}

/// Splits a raw query. `+` is a space there, as oss2 for Python sends it; a plus sign comes as `%2B`.
pub(crate) fn parse_query(raw: &str) -> Result<Vec<(String, String)>, OssError> {
    let decode =
        |part: &str| escape::decode(part, true).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(invalid_uri);
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

fn invalid_uri() -> OssError {
    OssError::new(400, "InvalidURI", "Couldn't parse the specified URI.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(raw: &str) -> String {
        Target::parse(raw, None).expect("parses").key.expect("has a key")
    }

    #[test]
    fn dots_slashes_and_escapes_in_a_key_stay_as_sent() {
        assert_eq!(key("/b/a/../c/./d"), "a/../c/./d");
        assert_eq!(key("/b/a%2F..%2Fb"), "a/../b");
        assert_eq!(key("/b//x//y"), "/x//y");
        assert_eq!(key("/b/%2e%2e"), "..");
        assert_eq!(key("/b/a+b%20c%25"), "a+b c%");
        assert_eq!(key("/b/%E4%B8%AD.txt"), "中.txt");
    }

    #[test]
    fn every_key_comes_back_from_the_url_that_an_sdk_sends() {
        let file = include_str!("../tests/fixtures/key-encoding.json");
        let file: serde_json::Value = serde_json::from_str(file).expect("fixture is JSON");
        let mut read = 0;
        for vector in file["vectors"].as_array().expect("has vectors") {
            let key = vector["key"].as_str().expect("text");
            for url in ["url_slash_kept", "url_slash_encoded"] {
                let Some(url) = vector[url].as_str() else { continue };
                let (_, path) = url.split_once("aliyuncs.com").expect("of the real service");
                for (raw, hosted) in [(path.to_owned(), Some("b".to_owned())), (format!("/b{path}"), None)] {
                    let target = Target::parse(&raw, hosted).expect("parses");
                    assert_eq!((target.bucket.as_deref(), target.key.as_deref()), (Some("b"), Some(key)), "{raw}");
                    read += 1;
                }
            }
        }
        assert!(read > 100, "only {read}");
    }

    #[test]
    fn a_bucket_name_against_the_rules_is_invalid() {
        for name in ["ab", "Abc", "a_c", "-ab", "ab-", &"a".repeat(64)] {
            let error = check_bucket(name).unwrap_err();
            assert_eq!((error.code.as_ref(), error.ec), ("InvalidBucketName", Some("0015-00000001")), "{name}");
        }
        assert!(check_bucket("a-1").is_ok());
    }

    #[test]
    fn a_broken_escape_or_a_key_that_is_not_utf8_is_refused() {
        assert_eq!(Target::parse("/b/%zz", None).unwrap_err().code, "InvalidURI");
        assert_eq!(Target::parse("/b/%FF", None).unwrap_err().code, "InvalidObjectName");
    }

    #[test]
    fn a_key_of_1024_bytes_or_with_a_leading_slash_is_invalid() {
        assert!(check_key(&"k".repeat(1023)).is_ok());
        assert_eq!(check_key(&"k".repeat(1024)).unwrap_err().ec, Some("0016-00000002"));
        assert_eq!(check_key("/a").unwrap_err().ec, Some("0016-00000005"));
        assert_eq!(check_key("\\a").unwrap_err().ec, Some("0016-00000005"));
        assert_eq!(check_key("").unwrap_err().ec, Some("0016-00000001"));
    }
}
