//! What the window and the command line are shown: plain data, no secrets, generated for TypeScript by ts-rs.
//!
//! Sizes are bytes, times are UTC milliseconds since 1970. 64-bit numbers that may exceed 2^53 (CRC-64) are text.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error::Code;

/// Where an upload stands, without the data its state carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Phase {
    /// Waits for a slot, a retry time or a quiet source file.
    Queued,
    /// Planning, or taking up an earlier multipart upload.
    Starting,
    /// Bytes are on their way.
    Sending,
    /// Everything is sent; OSS is finishing and calling back.
    Completing,
    /// The user said stop; what is stored stays stored.
    Paused,
    /// Stored and verified.
    Done,
    /// Gave up; the user may retry, good parts are kept.
    Failed,
    /// The user said never mind.
    Cancelled,
}

/// What came of the callback, small enough for a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[ts(export)]
pub enum CallbackBadge {
    /// No callback is asked for.
    NotRequested,
    /// The upload is not finished yet, so OSS has not called.
    Waiting,
    /// The upload ended without being stored, so OSS never called.
    NotSent,
    /// The application server answered; `tookMs` is the time from Complete to the answer.
    Answered {
        /// The status OSS passed on (200).
        status: u16,
        /// Milliseconds from the finishing request to its answer.
        took_ms: i64,
    },
    /// Stored, but OSS did not get the answer it wanted.
    Failed {
        /// OSS's error class, for instance `0007-00000203`.
        ec: Option<String>,
        /// OSS's own sentence, for instance `Error status : 502.`
        message: String,
    },
    /// Stored, but the answer was lost on the way back.
    Unknown,
}

/// Why an upload waits, failed or was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Problem {
    /// What the window branches on; the words come from i18n.
    pub code: Code,
    /// Detail in English: what we were doing, to what, and what OSS or the system said.
    pub message: String,
    /// OSS's request id, if OSS answered.
    pub request_id: Option<String>,
    /// OSS's error class, if it gave one.
    pub ec: Option<String>,
}

/// One upload as a row of a list.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UploadRow {
    /// Our number ("No. 1042").
    pub no: i64,
    /// The drop, folder or command it came with; lists show the newest batch first.
    pub batch: i64,
    /// File name.
    pub name: String,
    /// Whole local path.
    pub path: String,
    /// Bucket it goes to.
    pub bucket: String,
    /// Object key.
    pub key: String,
    /// Name of the destination.
    pub destination: String,
    /// File size in bytes, as far as known.
    pub size_bytes: i64,
    /// Where it stands.
    pub phase: Phase,
    /// Acknowledged plus in-flight bytes.
    pub sent_bytes: i64,
    /// Smoothed; 0 when nothing moves.
    pub bytes_per_second: i64,
    /// Seconds to go, when an honest estimate exists.
    pub eta_seconds: Option<i64>,
    /// Parts stored.
    pub parts_done: i64,
    /// Parts in all; 0 for a single PutObject.
    pub parts_total: i64,
    /// CRC-64 of the whole file equalled the server's.
    pub verified: bool,
    /// The callback, apart from storage.
    pub callback: CallbackBadge,
    /// Why it waits or failed.
    pub problem: Option<Problem>,
    /// When it will be tried again, if it waits for that.
    pub retry_at_ms: Option<i64>,
    /// Attempts so far.
    pub attempts: i64,
    /// When it was queued.
    pub created_ms: i64,
    /// When it became final.
    pub finished_ms: Option<i64>,
}

/// Facts of a stored object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ObjectView {
    /// Bucket.
    pub bucket: String,
    /// Object key.
    pub key: String,
    /// Size in bytes.
    pub size_bytes: i64,
    /// ETag without quotes.
    pub etag: String,
    /// CRC-64/XZ as unsigned decimal text.
    pub crc64: Option<String>,
    /// Equal to the CRC-64 we computed while sending.
    pub verified: bool,
    /// Request id of the finishing request.
    pub request_id: String,
    /// Version id, in versioned buckets.
    pub version_id: Option<String>,
    /// When OSS said it was stored.
    pub stored_ms: i64,
    /// Milliseconds from the first byte of work to the answer.
    pub took_ms: i64,
}

/// The callback of one upload: what was asked, and the whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CallbackView {
    /// Outcome in short.
    pub badge: CallbackBadge,
    /// What OSS was asked to do, if a callback was asked for.
    pub request: Option<CallbackRequestView>,
    /// The server's answer (200) or OSS's error XML (203), whole, as text.
    pub answer: Option<String>,
    /// Content-Type of the answer.
    pub answer_type: Option<String>,
}

/// What OSS was asked to POST, with our variables filled in and OSS's own left as `${name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CallbackRequestView {
    /// Up to five, tried in order.
    pub urls: Vec<String>,
    /// Host header, when it is not the URL's.
    pub host: Option<String>,
    /// `application/x-www-form-urlencoded` or `application/json`.
    pub body_type: String,
    /// The template as sent.
    pub body: String,
    /// `x:` variables as sent.
    pub variables: Vec<Variable>,
    /// Whether OSS sends the TLS server name.
    pub sni: bool,
}

/// A name and a value, in a form or a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Variable {
    /// Name, with `x:`.
    pub name: String,
    /// Value, or a template for it.
    pub value: String,
}

/// One part of a multipart upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct PartView {
    /// 1 to 10,000.
    pub number: i64,
    /// Bytes.
    pub size_bytes: i64,
    /// ETag when stored.
    pub etag: Option<String>,
    /// CRC-64/XZ when stored, as text.
    pub crc64: Option<String>,
}

/// One line of an upload's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LogLine {
    /// When.
    pub at_ms: i64,
    /// What, as a code the window has words for, for instance `queued`, `started`, `resumed`, `retry`, `stored`.
    pub what: String,
    /// Detail in English, may be empty.
    pub detail: String,
}

/// Everything the inspector shows of one upload.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UploadDetails {
    /// The row itself.
    pub row: UploadRow,
    /// The object, once stored.
    pub object: Option<ObjectView>,
    /// The callback.
    pub callback: CallbackView,
    /// Parts of a multipart upload, in order (at most 10,000).
    pub parts: Vec<PartView>,
    /// Part size in bytes; 0 for a single PutObject.
    pub part_size_bytes: i64,
    /// What happened, oldest first.
    pub log: Vec<LogLine>,
}

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Scope {
    /// Everything not cleared away, newest batch first, in order within a batch.
    Transfers,
    /// Everything final, newest first.
    History,
}

/// Chips above the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Filter {
    /// No filter.
    All,
    /// Starting, sending, completing.
    Uploading,
    /// Queued.
    Waiting,
    /// Paused.
    Paused,
    /// Stored (whatever the callback).
    Stored,
    /// Failed.
    Failed,
    /// Stored, callback failed or unknown.
    CallbackFailed,
}

/// Asks for one page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UploadQuery {
    /// Which list.
    pub scope: Scope,
    /// Which chip.
    pub filter: Filter,
    /// Part of a name, path or key; empty for none.
    pub search: String,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Rows, 1 to 500.
    pub limit: i64,
}

/// The last row of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Cursor {
    /// Its batch.
    pub batch: i64,
    /// Its number.
    pub no: i64,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct UploadPage {
    /// Rows in order.
    pub rows: Vec<UploadRow>,
    /// Ask again with this; none at the end.
    pub next: Option<Cursor>,
}

/// Numbers on the chips and in the sidebar; kept as states change, never recounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Counts {
    /// In Transfers.
    pub all: i64,
    /// Starting, sending, completing.
    pub uploading: i64,
    /// Queued.
    pub waiting: i64,
    /// Paused.
    pub paused: i64,
    /// Stored and still in Transfers.
    pub stored: i64,
    /// Failed and still in Transfers.
    pub failed: i64,
    /// Stored with a failed or unknown callback, still in Transfers.
    pub callback_failed: i64,
    /// Bytes of everything not final.
    pub bytes_left: i64,
}

/// What changed since the last batch; the window hears at most five a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Changes {
    /// Fresh rows of uploads that changed (at most 200).
    pub rows: Vec<UploadRow>,
    /// Rows were added, removed or too many changed: ask for the page again.
    pub reload: bool,
    /// Destinations or callback profiles changed.
    pub destinations: bool,
    /// Watched folders changed.
    pub folders: bool,
    /// Numbers.
    pub counts: Counts,
    /// All uploads together, smoothed.
    pub bytes_per_second: i64,
    /// A drop is still being read from disk.
    pub scanning: bool,
}

/// A path that could not be queued, and why. Every dropped path ends as an upload or here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct RefusedPath {
    /// The path.
    pub path: String,
    /// Why.
    pub problem: Problem,
}

/// What came of a drop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Added {
    /// The batch.
    pub batch: i64,
    /// Files queued.
    pub queued: i64,
    /// Paths refused (at most 100 are listed).
    pub refused: Vec<RefusedPath>,
    /// How many were refused in all.
    pub refused_count: i64,
}

/// A destination as shown; no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DestinationView {
    /// Our id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Endpoint URL.
    pub endpoint: String,
    /// Region id, without `oss-`.
    pub region: String,
    /// Bucket.
    pub bucket: String,
    /// Object key template.
    pub key_template: String,
    /// AccessKey id (not secret).
    pub access_key_id: String,
    /// A secret is stored for it.
    pub has_secret: bool,
    /// An STS token is stored for it.
    pub has_token: bool,
    /// Callback asked for on every upload.
    pub callback: Option<CallbackProfileForm>,
    /// Made by the program itself (the Sandbox): cannot be edited or deleted.
    pub built_in: bool,
    /// New drops go here.
    pub current: bool,
}

/// What the destination form sends. An absent secret keeps the stored one.
#[derive(Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DestinationForm {
    /// None for a new one.
    pub id: Option<String>,
    /// Name.
    pub name: String,
    /// Endpoint, with or without scheme.
    pub endpoint: String,
    /// Region, with or without `oss-`; empty: taken from the endpoint.
    pub region: String,
    /// Bucket.
    pub bucket: String,
    /// Object key template, for instance `raw/{yyyy}/{mm}/{path}`.
    pub key_template: String,
    /// AccessKey id.
    pub access_key_id: String,
    /// AccessKey secret; None keeps the stored one.
    pub access_key_secret: Option<String>,
    /// STS token; None keeps the stored one, empty removes it.
    pub security_token: Option<String>,
    /// Callback; None for no callback.
    pub callback: Option<CallbackProfileForm>,
}

/// A callback profile, in a form or shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CallbackProfileForm {
    /// Up to five URLs, tried in order.
    pub urls: Vec<String>,
    /// Host header; empty for the URL's.
    pub host: String,
    /// Body with `${variables}`.
    pub body: String,
    /// Form or JSON.
    pub body_type: BodyKind,
    /// Send the TLS server name (SNI).
    pub sni: bool,
    /// `x:` variables.
    pub variables: Vec<Variable>,
}

/// How the callback body is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum BodyKind {
    /// `application/x-www-form-urlencoded`
    Form,
    /// `application/json`
    Json,
}

/// What *Test connection* found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ConnectionReport {
    /// The bucket answered and the keys are good.
    pub ok: bool,
    /// Bucket's own region, as OSS says (`oss-cn-hangzhou`).
    pub location: Option<String>,
    /// Its ACL.
    pub acl: Option<String>,
    /// Its storage class.
    pub storage_class: Option<String>,
    /// Milliseconds the call took.
    pub took_ms: i64,
    /// Why not.
    pub problem: Option<Problem>,
}

/// A watched folder as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct WatchedFolderView {
    /// Our id.
    pub id: String,
    /// The folder.
    pub path: String,
    /// Where its files go.
    pub destination_id: String,
    /// Name of that destination.
    pub destination: String,
    /// Put in front of the key, may be empty.
    pub prefix: String,
    /// The user said stop.
    pub paused: bool,
    /// The folder is there and readable.
    pub reachable: bool,
    /// Files seen but still growing.
    pub settling: i64,
    /// Files handed to the queue so far.
    pub uploaded: i64,
    /// Last full look at the folder.
    pub last_scan_ms: Option<i64>,
    /// Why it is not watched.
    pub problem: Option<Problem>,
}

/// What the watched-folder form sends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct WatchedFolderForm {
    /// None for a new one.
    pub id: Option<String>,
    /// The folder.
    pub path: String,
    /// Where its files go.
    pub destination_id: String,
    /// Put in front of the key, may be empty.
    pub prefix: String,
    /// Also upload what is in it already.
    pub include_existing: bool,
}

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
