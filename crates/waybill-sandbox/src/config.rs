//! What a sandbox is started with, and what it says about itself once it runs.

use std::{collections::BTreeMap, fmt, io, path::PathBuf, time::Duration};

use serde::Serialize;

use crate::intake::PATIENCE;

/// How long OSS waits for the whole answer of one callback address (*Callback* page: fixed at 5 seconds).
pub const CALLBACK_LIMIT: Duration = Duration::from_secs(5);

/// What a sandbox is started with.
#[derive(Clone)]
pub struct SandboxConfig {
    /// TCP port on `127.0.0.1`; `0` takes a free one.
    pub port: u16,
    /// Folder of objects, unfinished uploads and the request log; made when missing. One running sandbox per folder.
    pub data_dir: PathBuf,
    /// The one AccessKey ID that is known here.
    pub access_key_id: String,
    /// Its secret.
    pub access_key_secret: String,
    /// Region id that signatures must name, as `cn-hangzhou`.
    pub region: String,
    /// The one bucket.
    pub bucket: String,
}

impl fmt::Debug for SandboxConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxConfig")
            .field("port", &self.port)
            .field("data_dir", &self.data_dir)
            .field("access_key_id", &self.access_key_id)
            .field("access_key_secret", &"***")
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .finish()
    }
}

/// Longest answer of an application that is taken. One page says 1 MB, another 3 MB; what passes here passes there
/// (*HTTP 203 status code*, *Callback*).
pub const CALLBACK_ANSWER_LIMIT: u64 = 1024 * 1024;

/// Where a sandbox may be set to be more or less like OSS.
#[derive(Debug, Clone)]
pub struct Tuning {
    /// Time one callback address has for its whole answer; [`CALLBACK_LIMIT`] unless told.
    pub callback_limit: Duration,
    /// Bytes of an application's answer; [`CALLBACK_ANSWER_LIMIT`] unless told.
    pub callback_answer_limit: u64,
    /// One more certificate authority, in PEM, that servers called back over https may have their certificate from.
    pub callback_ca_pem: Option<String>,
    /// How long a client may take between two pieces of a request body; a minute unless told.
    pub body_patience: Duration,
    /// Refuse callback addresses that are private, or that no name server knows, as OSS does (EC 0007-00000008 and
    /// 0007-00000007). Not the default: a sandbox and its receiver live on loopback.
    pub real_address_rules: bool,
    /// Seconds that the sandbox's clock is ahead of the real one (behind when negative): for its `Date`, for the clock
    /// skew of requests and for everything that expires.
    pub clock_offset: i64,
    /// Domains of the bucket's own (CNAME), with or without port. A request with such a Host has no bucket in its path.
    pub domains: Vec<String>,
    /// Buckets of other regions and the endpoint of each, as `oss-cn-beijing.aliyuncs.com`. Every request for one is
    /// answered with 403 AccessDenied that names its endpoint.
    pub other_region_buckets: BTreeMap<String, String>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            callback_limit: CALLBACK_LIMIT,
            callback_answer_limit: CALLBACK_ANSWER_LIMIT,
            callback_ca_pem: None,
            body_patience: PATIENCE,
            real_address_rules: false,
            clock_offset: 0,
            domains: Vec::new(),
            other_region_buckets: BTreeMap::new(),
        }
    }
}

/// How to reach a running sandbox. Its JSON form is the ready line of `waybill sandbox`, secret included:
/// whoever starts a sandbox needs the pair, and it opens nothing but this sandbox.
#[derive(Serialize, Clone)]
#[serde(rename_all = "camelCase")]
pub struct SandboxInfo {
    /// `http://127.0.0.1:PORT`, for path-style addressing. `http://BUCKET.localhost:PORT` reaches the
    /// bucket too, where the system resolves such names.
    pub endpoint: String,
    /// Region id for signing.
    pub region: String,
    /// The one bucket.
    pub bucket: String,
    /// AccessKey ID.
    pub access_key_id: String,
    /// AccessKey secret.
    pub access_key_secret: String,
    /// Address of the built-in callback receiver.
    pub callback_url: String,
}

impl fmt::Debug for SandboxInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxInfo")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .field("access_key_id", &self.access_key_id)
            .field("access_key_secret", &"***")
            .field("callback_url", &self.callback_url)
            .finish()
    }
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A value in the configuration cannot be used.
    #[error("cannot start a sandbox: {0}")]
    Config(String),
    /// The port is taken or not allowed.
    #[error("listening on 127.0.0.1:{port}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// The data folder cannot be read or written.
    #[error("opening the sandbox data folder {}", path.display())]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another running sandbox has this data folder.
    #[error("the sandbox data folder {} is in use by another sandbox", path.display())]
    DataDirInUse {
        /// The folder.
        path: PathBuf,
    },
    /// The client that sends callbacks cannot be made, or the extra certificate authority is not one.
    #[error("preparing the callback client")]
    CallbackClient(#[source] reqwest::Error),
}

impl SandboxError {
    /// The error and what it came from, in one line.
    pub fn in_full(&self) -> String {
        let mut words = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            words = format!("{words}: {error}");
            cause = error.source();
        }
        words
    }
}

/// Checks the bucket name and that nothing needed is empty.
pub(crate) fn check(config: &SandboxConfig) -> Result<(), SandboxError> {
    let refuse = |what: &str| Err(SandboxError::Config(what.to_owned()));
    if !is_bucket_name(&config.bucket) {
        return refuse("a bucket name is 3 to 63 characters of a-z, 0-9 and '-', with no hyphen at either end");
    }
    if config.access_key_id.is_empty() || config.access_key_secret.is_empty() {
        return refuse("the AccessKey pair must not be empty");
    }
    if config.region.is_empty() || config.region.contains('/') {
        return refuse("the region must be an id such as cn-hangzhou");
    }
    Ok(())
}

/// 3 to 63 characters of `a-z 0-9 -`, no hyphen at either end (*Bucket naming conventions*).
pub(crate) fn is_bucket_name(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(bucket: &str) -> SandboxConfig {
        SandboxConfig {
            port: 0,
            data_dir: PathBuf::new(),
            access_key_id: "id".into(),
            access_key_secret: "hush-hush".into(),
            region: "cn-hangzhou".into(),
            bucket: bucket.into(),
        }
    }

    #[test]
    fn the_secret_is_stars_in_debug() {
        let text = format!("{:?}", config("bucket"));
        assert!(!text.contains("hush-hush") && text.contains("***"), "{text}");
    }

    #[test]
    fn an_error_in_full_says_what_the_system_said() {
        let source = io::Error::new(io::ErrorKind::PermissionDenied, "not yours");
        let words = SandboxError::DataDir { path: "/x".into(), source }.in_full();
        assert_eq!(words, "opening the sandbox data folder /x: not yours");
    }

    #[test]
    fn a_bucket_name_that_could_leave_the_folder_is_refused() {
        for name in ["..", "a/b", "_sandbox", "-ab", "ab-", "ab", "Abc"] {
            assert!(check(&config(name)).is_err(), "{name} was taken");
        }
        assert!(check(&config("waybill-sandbox")).is_ok());
    }
}
