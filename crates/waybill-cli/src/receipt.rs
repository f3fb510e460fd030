//! One finished upload as a line of JSON, or as words.

use serde::Serialize;
use waybill_engine::view::{AlreadyThere, CallbackBadge, Phase, Problem, RefusedPath, UploadDetails};

/// What `--json` prints for each finished upload.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Receipt {
    path: String,
    bucket: String,
    key: String,
    size: i64,
    crc64: Option<String>,
    etag: Option<String>,
    request_id: Option<String>,
    state: &'static str,
    /// Nothing was sent, since this was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    already_there: Option<AlreadyThere>,
    callback: CallbackReceipt,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

#[derive(Debug, Serialize)]
struct CallbackReceipt {
    outcome: &'static str,
    status: Option<u16>,
    ec: Option<String>,
    body: Option<String>,
}

/// How one upload counts towards the exit code, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Stored, and no callback failed.
    Fine,
    /// Stored, but its callback failed or its answer was lost.
    CallbackFailed,
    /// Not stored.
    NotStored,
}

impl Receipt {
    pub(crate) fn of(details: UploadDetails) -> Receipt {
        let UploadDetails { row, object, callback, .. } = details;
        let (outcome, status, ec) = match callback.badge {
            CallbackBadge::NotRequested => ("notRequested", None, None),
            CallbackBadge::Waiting | CallbackBadge::CallingAgain => ("waiting", None, None),
            CallbackBadge::NotSent => ("notSent", None, None),
            CallbackBadge::Answered { status, .. } => ("answered", Some(status), None),
            CallbackBadge::NotAsExpected { status, .. } => ("notAsExpected", Some(status), None),
            CallbackBadge::Failed { ec, .. } => ("failed", Some(203), ec),
            CallbackBadge::Unknown => ("unknown", None, None),
        };
        let request_id = row.problem.as_ref().and_then(|problem| problem.request_id.clone());
        Receipt {
            path: row.path,
            bucket: row.bucket,
            key: row.key,
            size: row.size_bytes,
            crc64: object.as_ref().and_then(|object| object.crc64.clone()),
            etag: object.as_ref().map(|object| object.etag.clone()),
            request_id: object.map(|object| object.request_id).or(request_id),
            state: state_word(row.phase),
            already_there: row.already_there,
            callback: CallbackReceipt { outcome, status, ec, body: callback.answer },
            error: row.problem,
        }
    }

    /// An upload whose callback was to be sent again. Where it was not, or the object is not what it was, that is the error.
    pub(crate) fn of_call(details: UploadDetails) -> Receipt {
        let error = details.callback.calls.last().and_then(|call| call.problem.clone());
        Receipt { error, ..Receipt::of(details) }
    }

    /// A path that never became an upload.
    pub(crate) fn refused(refused: RefusedPath) -> Receipt {
        Receipt {
            path: refused.path,
            bucket: String::new(),
            key: String::new(),
            size: 0,
            crc64: None,
            etag: None,
            request_id: None,
            state: "refused",
            already_there: None,
            callback: CallbackReceipt { outcome: "notSent", status: None, ec: None, body: None },
            error: Some(refused.problem),
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        match (self.state, self.callback.outcome) {
            ("done", "failed" | "unknown" | "notAsExpected") => Verdict::CallbackFailed,
            // Stored, but its callback was not sent again.
            ("done", _) if self.error.is_some() => Verdict::CallbackFailed,
            ("done", _) => Verdict::Fine,
            _ => Verdict::NotStored,
        }
    }

    /// One line for a person, whatever stands in the answer or the file's name: no line break, nothing that a terminal
    /// would obey.
    pub(crate) fn in_words(&self) -> String {
        let words = self.words();
        match words.contains(char::is_control) {
            true => words.replace(char::is_control, " "),
            false => words,
        }
    }

    fn words(&self) -> String {
        let place = format!("oss://{}/{}", self.bucket, self.key);
        if let Some(error) = &self.error {
            return format!("✗ {}: {}", self.path, error.message);
        }
        match self.already_there {
            Some(AlreadyThere::Identical) => {
                return format!(
                    "✓ {} = {place} · already there and identical: nothing sent, no callback made",
                    self.path
                );
            }
            Some(AlreadyThere::Newer) => {
                return format!("✓ {} ≤ {place} · what is there is newer: nothing sent, no callback made", self.path);
            }
            None => {}
        }
        let callback = match self.callback.outcome {
            "answered" => format!("your server answered: {}", self.callback.body.as_deref().unwrap_or_default()),
            "failed" => format!(
                "stored, but the callback failed ({}): {}",
                self.callback.ec.as_deref().unwrap_or("no EC"),
                self.callback.body.as_deref().unwrap_or_default()
            ),
            "notAsExpected" => format!(
                "stored, but your server's answer is not as expected: {}",
                self.callback.body.as_deref().unwrap_or_default()
            ),
            "unknown" => "stored, but the callback's answer was lost".to_owned(),
            _ => "stored".to_owned(),
        };
        format!("✓ {} → {place} · {callback}", self.path)
    }
}

pub(crate) fn state_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Queued => "queued",
        Phase::Starting => "starting",
        Phase::Sending => "sending",
        Phase::Completing => "completing",
        Phase::Paused => "paused",
        Phase::Done => "done",
        Phase::Failed => "failed",
        Phase::Cancelled => "cancelled",
    }
}
