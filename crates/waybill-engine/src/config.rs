//! How an engine is started, and where its data lies.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::queue_line::Work;
use crate::secrets::{Keychain, SecretStore};
use crate::view::Limit;

/// Requests in flight at most, unless told: each needs a socket and an open file, and macOS gives a program 256 of both.
const AT_ONCE: usize = if cfg!(target_os = "macos") { 64 } else { 128 };

/// How an engine is started.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Where `waybill.db` lies.
    pub data_dir: PathBuf,
    /// Where secrets are kept.
    pub secrets: Arc<dyn SecretStore>,
    /// Requests in flight over all uploads at most; how many there are is found out by measuring.
    pub parallel: usize,
    /// Wanted part size in bytes, raised where 10,000 parts would not reach; 0: chosen for each file by its size and the
    /// line.
    pub part_size_bytes: u64,
    /// Counts for this process instead of what is set for all destinations together.
    pub limit: Limit,
    /// Tries before network trouble becomes a failure; None: waited out for ever.
    pub patience: Option<u32>,
    /// Which uploads this process works on.
    pub work: Work,
    /// How long a watched file must look the same before it is uploaded.
    pub quiet: Duration,
    /// Between two looks at a watched folder when nothing hints at a change.
    pub rescan: Duration,
    /// How long nothing may move before a request is given up and tried again.
    pub stall: Duration,
    /// How long OSS may go on with a finishing request whose connection is lost: five callback URLs of 5 s each, and
    /// some to spare.
    pub finishing: Duration,
    /// How old a multipart upload must be that OSS holds and nobody knows of, until it is looked for and aborted.
    pub orphan_age: Duration,
}

impl EngineConfig {
    /// The window's settings: everything in the folder, OS keychain.
    pub fn new(data_dir: PathBuf) -> EngineConfig {
        EngineConfig {
            data_dir,
            secrets: Arc::new(Keychain),
            parallel: AT_ONCE,
            part_size_bytes: 0,
            limit: Limit::default(),
            patience: None,
            work: Work::Everything,
            quiet: Duration::from_secs(2),
            rescan: Duration::from_secs(60),
            stall: Duration::from_secs(30),
            finishing: Duration::from_secs(30),
            orphan_age: Duration::from_secs(3600),
        }
    }
}

/// `WAYBILL_DATA_DIR`, or the platform's folder for application data.
pub fn default_data_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("WAYBILL_DATA_DIR").filter(|dir| !dir.is_empty()) {
        return PathBuf::from(dir);
    }
    // No home folder at all: the working folder is the only place left.
    directories::ProjectDirs::from("dev", "Waybill", "Waybill")
        .map_or_else(|| PathBuf::from("waybill-data"), |dirs| dirs.data_dir().to_owned())
}
