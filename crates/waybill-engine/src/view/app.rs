//! The program itself, and an error on its way to the window.

use serde::Serialize;
use ts_rs::TS;

use crate::error::Code;

/// Facts about the program, for Settings and the footer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct AppInfo {
    /// Version.
    pub version: String,
    /// Data folder.
    pub data_dir: String,
    /// Whether the OS keychain can be used, and if not, why.
    pub keychain_problem: Option<String>,
    /// Where the sandbox keeps its objects, when it runs.
    pub sandbox_dir: Option<String>,
}

/// An error as it crosses to the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct IpcError {
    /// What the window branches on.
    pub code: Code,
    /// Detail in English.
    pub message: String,
    /// OSS's request id, if OSS answered.
    pub request_id: Option<String>,
}
