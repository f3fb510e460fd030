//! Signing: what of a request a signature covers, whichever version computes it.

pub(crate) mod v4;

use std::collections::BTreeMap;

/// Which of OSS's two signature algorithms signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureVersion {
    /// `OSS4-HMAC-SHA256`.
    #[default]
    V4,
    /// `OSS ak:signature`, HMAC-SHA1; for old gateways that know nothing else.
    V1,
}

/// A request as its signature sees it. Nothing here is escaped yet.
pub(crate) struct Signable<'a> {
    pub(crate) method: &'a str,
    pub(crate) bucket: Option<&'a str>,
    pub(crate) key: Option<&'a str>,
    pub(crate) query: &'a [(String, String)],
    pub(crate) headers: &'a [(String, String)],
}

impl Signable<'_> {
    /// Headers by lower-case name, values trimmed, as HTTP libraries send them.
    fn headers(&self) -> BTreeMap<String, &str> {
        self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.trim())).collect()
    }
}
