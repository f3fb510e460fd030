//! One upload as it is shown: its row, its object, its callback, its parts and its log.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::callbacks::CallbackTrial;
use super::place::{Expectation, Variable};
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
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
    /// The application server answered, but not what the profile expects.
    NotAsExpected {
        /// The status OSS passed on (200).
        status: u16,
        /// Milliseconds from the finishing request to its answer.
        took_ms: i64,
        /// The first expectation that is not met; None where the answer is not JSON at all.
        unmet: Option<Expectation>,
    },
    /// It is being sent again, or waits for its turn.
    CallingAgain,
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

/// What was at the key already, so that nothing had to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum AlreadyThere {
    /// An object of the same size and CRC-64.
    Identical,
    /// An object stored after the file was last changed; whether it is the same is not known.
    Newer,
}

/// One try that did not work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct AttemptView {
    /// When it ended.
    pub at_ms: i64,
    /// How far it had got.
    pub phase: Phase,
    /// Why.
    pub problem: Problem,
}

/// One upload as a row of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
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
    /// Nothing was sent, since this was at the key already; so no callback was made either.
    pub already_there: Option<AlreadyThere>,
    /// The callback, apart from storage.
    pub callback: CallbackBadge,
    /// The callback needs somebody: it failed, is unknown or not as expected, is not best effort, and nobody has settled it.
    pub callback_bad: bool,
    /// What the profile takes out of the answer: titles and values.
    pub columns: Vec<Variable>,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
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
    /// What the profile wants of the answer, and whether it is so.
    pub expectations: Vec<ExpectationView>,
    /// Every call that OSS made for it or was to make again, oldest first (the last fifty), each with its whole answer.
    pub calls: Vec<CallbackTrial>,
}

/// Something that the answer must say, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ExpectationView {
    /// What is wanted.
    pub expectation: Expectation,
    /// What stands there in the answer, a text without its quotes, else JSON; None where nothing does.
    pub found: Option<String>,
    /// It is so; None while the application has not answered.
    pub met: Option<bool>,
}

/// What OSS was asked to POST, with our variables filled in and OSS's own left as `${name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CallbackRequestView {
    /// Up to five, tried in order.
    pub urls: Vec<String>,
    /// Pairs that are put behind the `?` of every URL.
    pub query: Vec<Variable>,
    /// Host header, when it is not the URL's.
    pub host: Option<String>,
    /// Headers that OSS adds to the call.
    pub headers: Vec<Variable>,
    /// `application/x-www-form-urlencoded` or `application/json`.
    pub body_type: String,
    /// The template as sent.
    pub body: String,
    /// `x:` variables as sent.
    pub variables: Vec<Variable>,
    /// Whether OSS sends the TLS server name.
    pub sni: bool,
}

/// One part of a multipart upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
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
    /// Tries that did not work, oldest first (the last fifty).
    pub attempts: Vec<AttemptView>,
    /// What happened, oldest first.
    pub log: Vec<LogLine>,
}
