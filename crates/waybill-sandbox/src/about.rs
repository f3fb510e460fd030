//! What a request says about the object it makes: type, metadata, ACL, storage class, encryption and tags, checked.
//!
//! Sources: *PutObject* and *HTTP 400 status code* pages for the rules and the messages.

use std::collections::BTreeMap;

use axum::http::HeaderMap;

use crate::{
    answer::OssError,
    escape::decode,
    store::{About, STORAGE_CLASS},
};

/// Headers or form fields by lower-case name.
pub(crate) type Given = BTreeMap<String, String>;

/// `x-oss-meta-*` together, names without that beginning and values.
const METADATA_LIMIT: usize = 8 * 1024;
const META: &str = "x-oss-meta-";
const ENCRYPTION: &str = "x-oss-server-side-encryption";
const ENCRYPTION_KEY: &str = "x-oss-server-side-encryption-key-id";
const DATA_ENCRYPTION: &str = "x-oss-server-side-data-encryption";
/// What comes back as it was given, metadata apart.
const KEPT: [&str; 5] = ["cache-control", "content-disposition", "content-encoding", "content-language", "expires"];
const ACLS: [&str; 4] = ["default", "private", "public-read", "public-read-write"];
const STORAGE_CLASSES: [&str; 5] = ["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"];
const TAG_LIMIT: usize = 10;

/// The headers of a request as text.
pub(crate) fn texts(headers: &HeaderMap) -> Given {
    let text = |value: &[u8]| String::from_utf8_lossy(value.trim_ascii()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect()
}

/// Reads and checks everything that is kept with an object.
pub(crate) fn read(given: &Given) -> Result<About, OssError> {
    let mut headers = BTreeMap::new();
    let mut metadata = 0;
    for (name, value) in given {
        if let Some(bare) = name.strip_prefix(META) {
            metadata += bare.len() + value.len();
            if bare.is_empty() || !bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                let message = "A metadata name may hold letters, digits and hyphens only.";
                return Err(OssError::argument(message, name, value));
            }
        } else if !KEPT.contains(&name.as_str()) {
            continue;
        }
        headers.insert(name.clone(), value.clone());
    }
    if metadata > METADATA_LIMIT {
        let message = "The total size of the user metadata exceeds 8 KB.";
        return Err(OssError::argument(message, META, &metadata.to_string()));
    }
    headers.extend(encryption(given)?);
    if let Some(class) = given.get(STORAGE_CLASS) {
        if !STORAGE_CLASSES.contains(&class.as_str()) {
            return Err(OssError::argument("no such object storage class exists", STORAGE_CLASS, class));
        }
        headers.insert(STORAGE_CLASS.to_owned(), class.clone());
    }
    Ok(About {
        content_type: given
            .get("content-type")
            .filter(|given| !given.is_empty())
            .map_or_else(default_type, Clone::clone),
        headers,
        acl: given.get("x-oss-object-acl").map(|acl| read_acl(acl)).transpose()?.flatten(),
        tags: given.get("x-oss-tagging").map_or(Ok(Vec::new()), |tags| read_tagging(tags))?,
    })
}

/// An object ACL; `None` is `default`.
pub(crate) fn read_acl(acl: &str) -> Result<Option<String>, OssError> {
    if !ACLS.contains(&acl) {
        return Err(OssError::argument("no such object access control exists", "x-oss-object-acl", acl));
    }
    Ok((acl != "default").then(|| acl.to_owned()))
}

/// `x-oss-forbid-overwrite`, which is true or false.
pub(crate) fn forbids_overwrite(given: &Given) -> Result<bool, OssError> {
    const NAME: &str = "x-oss-forbid-overwrite";
    match given.get(NAME) {
        None => Ok(false),
        Some(value) if value.eq_ignore_ascii_case("true") => Ok(true),
        Some(value) if value.eq_ignore_ascii_case("false") => Ok(false),
        Some(value) => Err(OssError::argument("x-oss-forbid-overwrite must be true or false.", NAME, value)),
    }
}

/// At most ten tags, each key once, within their lengths and characters.
pub(crate) fn check_tags(tags: &[(String, String)]) -> Result<(), OssError> {
    if tags.len() > TAG_LIMIT {
        return Err(OssError::new(400, "BadRequest", "Object tags cannot be greater than 10."));
    }
    let fine = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == ' ' || "+-=._:/".contains(c));
    for (at, (key, value)) in tags.iter().enumerate() {
        if key.is_empty() || key.len() > 128 || !fine(key) {
            return Err(OssError::new(400, "InvalidTag", "The tagging key you provided is invalid.").with("Key", key));
        }
        if value.len() > 256 || !fine(value) {
            let message = "The tagging value you provided is invalid.";
            return Err(OssError::new(400, "InvalidTag", message).with("Value", value));
        }
        if tags[..at].iter().any(|(earlier, _)| earlier == key) {
            return Err(OssError::new(400, "InvalidTag", "Tag keys must be unique.").with("Key", key));
        }
    }
    Ok(())
}

/// `a=1&b=2`, URL-encoded; a key alone has an empty value.
fn read_tagging(text: &str) -> Result<Vec<(String, String)>, OssError> {
    let wrong = || {
        let message = "The header 'x-oss-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.";
        OssError::argument(message, "x-oss-tagging", text)
    };
    let decoded = |part: &str| decode(part, true).and_then(|bytes| String::from_utf8(bytes).ok());
    let tags: Option<Vec<(String, String)>> = text
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(key)?, decoded(value)?))
        })
        .collect();
    let tags = tags.ok_or_else(wrong)?;
    check_tags(&tags).map_err(|error| if error.code == "InvalidTag" { wrong() } else { error })?;
    Ok(tags)
}

fn encryption(given: &Given) -> Result<BTreeMap<String, String>, OssError> {
    let mut headers = BTreeMap::new();
    let method = given.get(ENCRYPTION);
    let invalid = |message: &str| OssError::new(400, "InvalidEncryptionAlgorithmError", message);
    if let Some(method) = method {
        if !["AES256", "KMS", "SM4"].contains(&method.as_str()) {
            let message = "The Encryption request you specified is not valid. Supported value: AES256/SM4/KMS.";
            return Err(invalid(message).with("EncryptionMethod", method));
        }
        headers.insert(ENCRYPTION.to_owned(), method.clone());
    }
    for name in [ENCRYPTION_KEY, DATA_ENCRYPTION] {
        if let Some(value) = given.get(name) {
            if method.is_none_or(|method| method != "KMS") {
                let message = format!("{name} is not applicable if the sse algorithm is not KMS.");
                return Err(OssError::argument(message, name, value));
            }
            headers.insert(name.to_owned(), value.clone());
        }
    }
    Ok(headers)
}

fn default_type() -> String {
    "application/octet-stream".to_owned()
}

#[cfg(test)]
#[path = "about_tests.rs"]
mod tests;
