//! Keys in the configuration files of Alibaba's own tools.

pub(super) mod alibaba;
pub(super) mod aliyun;
mod ini;
pub(super) mod ossutil;

use std::collections::BTreeMap;
use std::path::Path;

use tokio::io::AsyncReadExt as _;

use super::failure::Failure;
use crate::credential::Credential;

/// As much of a configuration file as is read.
const LIMIT: u64 = 1024 * 1024;

/// What a profile leads to: keys, or the place that has them.
#[derive(Debug)]
pub(super) enum Found {
    Keys(Credential),
    EcsRole(Option<String>),
    Uri(String),
}

/// What a configuration file says about where to upload to, as it stands there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigHints {
    /// The region, such as `cn-hangzhou`.
    pub region: Option<String>,
    /// The endpoint for buckets that are not named below, a URL or a host.
    pub endpoint: Option<String>,
    /// Whether that endpoint is an own domain (CNAME).
    pub endpoint_is_cname: bool,
    /// What is said of single buckets, by their names.
    pub buckets: BTreeMap<String, BucketHint>,
}

/// What a configuration file says about one bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketHint {
    /// Its region.
    pub region: Option<String>,
    /// Its endpoint, a URL or a host.
    pub endpoint: Option<String>,
    /// Whether that endpoint is the bucket's own domain (CNAME).
    pub is_cname: bool,
}

/// The text of a configuration file, without the mark that Windows editors put in front.
async fn read(path: &Path) -> Result<String, Failure> {
    let setup = |what: String| Failure::Setup(format!("The file {} {what}.", path.display()));
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => setup("does not exist".to_owned()),
        _ => setup(format!("cannot be read: {error}")),
    };
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(LIMIT + 1).read_to_end(&mut bytes).await.map_err(unreadable)?;
    if bytes.len() as u64 > LIMIT {
        return Err(setup("is longer than a megabyte, so it is no configuration".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| setup("is not UTF-8 text".to_owned()))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// A profile within a file, for what is said about it.
#[derive(Clone, Copy)]
struct Place<'a> {
    file: &'a Path,
    profile: &'a str,
}

impl Place<'_> {
    fn lacks(self, what: &str) -> Failure {
        Failure::Setup(format!("The profile “{}” in {} has no {what}.", self.profile, self.file.display()))
    }

    /// The pair, and the token; a missing half is named.
    fn keys(self, id: Option<String>, secret: Option<String>, token: Option<String>) -> Result<Found, Failure> {
        let id = id.ok_or_else(|| self.lacks("AccessKey ID"))?;
        let secret = secret.ok_or_else(|| self.lacks("AccessKey secret"))?;
        Ok(Found::Keys(Credential::new(id, secret, token)))
    }

    /// The profile works in a way that is not built in. A mode that is not known is not repeated: anything may stand
    /// there by mistake.
    fn refuse(self, mode: &str, known: &[&str]) -> Failure {
        let mode = match known.iter().find(|name| name.eq_ignore_ascii_case(mode)) {
            Some(name) => format!("gets its keys by “{name}”, which is not built in"),
            None => "gets its keys in a way that is not known".to_owned(),
        };
        Failure::Setup(format!(
            "The profile “{}” in {} {mode}. Let the tool it belongs to hand out temporary keys, and set that up as a \
             credential program or a credentials URI.",
            self.profile,
            self.file.display()
        ))
    }

    /// A name people gave that the file does not have.
    fn missing(self) -> Failure {
        Failure::Setup(format!("The file {} has no profile “{}”.", self.file.display(), self.profile))
    }
}
