//! The callback lab: the receiver on this computer, what it got, and whose signature it bears.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::place::Variable;

/// How the lab's receiver answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LabAnswer {
    /// Status, 200 to 599.
    pub status: i64,
    /// Content-Type.
    pub content_type: String,
    /// Body.
    pub body: String,
    /// Milliseconds to wait first.
    pub delay_ms: i64,
}

/// The lab's receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LabView {
    /// Its address while it runs, `http://127.0.0.1:28100/callback`.
    pub url: Option<String>,
    /// How it answers.
    pub answer: LabAnswer,
    /// What came in, newest first (at most 200, and less of long ones).
    pub requests: Vec<LabRequest>,
}

/// A request that the lab's receiver got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LabRequest {
    /// Counted from 1.
    pub no: i64,
    /// When.
    pub at_ms: i64,
    /// Method.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// Headers in the order they came.
    pub headers: Vec<Variable>,
    /// Body as text; of a long one its beginning.
    pub body: String,
    /// How long the whole body was, where only its beginning is shown. The signature was checked over the whole.
    pub whole_bytes: Option<i64>,
    /// Whose signature it bears.
    pub signature: SignatureVerdict,
    /// Status it was answered with.
    pub answered: i64,
}

/// A request pasted into the signature checker.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SignatureCheckForm {
    /// URL, or path and query.
    pub url: String,
    /// Headers, one a line.
    pub headers: String,
    /// Body.
    pub body: String,
}

/// What the signature checker says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SignatureVerdict {
    /// What.
    pub kind: SignatureKind,
    /// The text that was, or should have been, signed.
    pub signed: String,
    /// Where the key is said to be; empty if not said.
    pub key_url: String,
}

/// The outcomes of a signature check. The window has words for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum SignatureKind {
    /// Signed by OSS.
    Oss,
    /// Signed by the sandbox, or with a key that was given and is not the published one.
    Sandbox,
    /// No `authorization` header.
    Missing,
    /// No `x-oss-pub-key-url` header, or it is not Base64.
    NoKey,
    /// The key's address is not OSS's: anybody could have made it.
    ForeignKey,
    /// The key could not be fetched.
    KeyUnreachable,
    /// The signature does not fit: something was changed on the way.
    Wrong,
}
