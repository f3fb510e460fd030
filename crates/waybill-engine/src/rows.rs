//! From a database row to what is shown of it.

use waybill_oss::CallbackOutcome;

use crate::answered;
use crate::callback_profile;
use crate::clock::now_ms;
use crate::error::Code;
use crate::expectation;
use crate::progress::{Sample, eta_seconds};
use crate::store::uploads::UploadRecord;
use crate::trouble::Trouble;
use crate::upload::plan::StoredPart;
use crate::upload::state::{ObjectFacts, UploadState};
use crate::view::{
    AlreadyThere, AttemptView, CallbackBadge, CallbackTrial, CallbackView, LogLine, ObjectView, PartView, Phase,
    Problem, UploadDetails, UploadRow,
};

/// What a list knows of a destination besides its name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) name: String,
    /// It has keys.
    pub(crate) ready: bool,
    /// Why its uploads wait.
    pub(crate) trouble: Option<Trouble>,
}

/// One row of a list; `sample` while it is under way.
pub(crate) fn row(record: &UploadRecord, standing: &Standing, sample: Option<Sample>) -> UploadRow {
    let state = &record.state;
    let phase = state.phase();
    let size_bytes = record.size_bytes;
    let sent_bytes = match (phase, sample) {
        (Phase::Done, _) => size_bytes,
        (_, Some(sample)) => sample.sent_bytes.min(size_bytes),
        (_, None) => record.stored_bytes.min(size_bytes),
    };
    let (problem, retry_at_ms) = match state {
        UploadState::Queued { .. } if !standing.ready => (Some(no_keys(&standing.name)), None),
        UploadState::Queued { problem, not_before_ms, .. } | UploadState::Completing { problem, not_before_ms, .. } => {
            match &standing.trouble {
                // One that is being settled has a driver, which knows better.
                Some(trouble) if phase == Phase::Queued || not_before_ms.is_some() => {
                    (Some(trouble.problem.clone()), Some(trouble.probe_at_ms))
                }
                _ => (problem.clone(), *not_before_ms),
            }
        }
        UploadState::Failed { problem, .. } => (Some(problem.clone()), None),
        _ => (None, None),
    };
    // What is due waits for a slot, not for a time.
    let retry_at_ms = retry_at_ms.filter(|at| *at > now_ms());
    let plan = state.session().map(|session| session.plan).filter(|plan| !plan.is_single());
    let parts_total = match state {
        UploadState::Done { .. } => record.parts_done,
        _ => plan.map_or(0, |plan| i64::from(plan.parts())),
    };
    UploadRow {
        no: record.no,
        batch: record.batch,
        name: file_name(&record.path),
        path: record.path.clone(),
        bucket: record.bucket.clone(),
        key: record.key.clone(),
        destination: standing.name.clone(),
        size_bytes,
        phase,
        sent_bytes,
        bytes_per_second: sample.map_or(0, |sample| sample.bytes_per_second),
        eta_seconds: sample.and_then(|sample| eta_seconds(size_bytes, sample)),
        parts_done: record.parts_done,
        parts_total,
        verified: matches!(state, UploadState::Done { object, .. } if object.verified),
        already_there: already_there(state),
        callback: badge(record),
        callback_bad: record.callback_bad,
        columns: Vec::new(),
        problem,
        retry_at_ms,
        attempts: i64::from(state.attempts()),
        created_ms: record.created_ms,
        finished_ms: record.finished_ms,
    }
}

/// Everything of one upload.
pub(crate) fn details(
    record: &UploadRecord,
    row: UploadRow,
    calls: Vec<CallbackTrial>,
    parts: Vec<StoredPart>,
    attempts: Vec<AttemptView>,
    later: Vec<LogLine>,
) -> UploadDetails {
    let part_size_bytes = match record.state.session() {
        Some(session) if !session.plan.is_single() => session.plan.part_size_bytes as i64,
        _ => parts.first().map_or(0, |part| part.size_bytes as i64),
    };
    UploadDetails {
        parts: parts.into_iter().map(part_view).collect(),
        part_size_bytes,
        attempts,
        log: log(record, later),
        ..in_short(record, row, calls)
    }
}

fn log(record: &UploadRecord, later: Vec<LogLine>) -> Vec<LogLine> {
    let mut log = vec![LogLine { at_ms: record.created_ms, what: "queued".into(), detail: record.path.clone() }];
    log.extend(later);
    if let Some(stored) = stored_line(record).filter(|_| !log.iter().any(|line| line.what == "stored")) {
        log.push(stored);
        log.sort_by_key(|line| line.at_ms);
    }
    log
}

/// What a receipt is made of: everything but parts, attempts and log.
pub(crate) fn in_short(record: &UploadRecord, row: UploadRow, calls: Vec<CallbackTrial>) -> UploadDetails {
    let object = match &record.state {
        UploadState::Done { object, .. } => Some(object_view(record, object)),
        _ => None,
    };
    let spec = record.callback.as_ref().and_then(|profile| callback_profile::spec_for(profile, record.into()).ok());
    let answer_type = match &record.state {
        UploadState::Done { callback: CallbackOutcome::Answered { content_type, .. }, .. } => content_type.clone(),
        UploadState::Done { callback: CallbackOutcome::Failed { .. }, .. } => Some("application/xml".to_owned()),
        _ => None,
    };
    let answer = answered::last(&calls);
    let spoken = matches!(row.callback, CallbackBadge::Answered { .. } | CallbackBadge::NotAsExpected { .. });
    let expectations = record
        .callback
        .as_ref()
        .map_or_else(Vec::new, |profile| expectation::checked(profile, answer.as_deref().filter(|_| spoken)));
    UploadDetails {
        callback: CallbackView {
            badge: row.callback.clone(),
            request: spec.as_ref().map(callback_profile::request_view),
            answer,
            answer_type,
            expectations,
            calls,
        },
        row,
        object,
        parts: Vec::new(),
        part_size_bytes: 0,
        attempts: Vec::new(),
        log: Vec::new(),
    }
}

/// The line that a row which says so itself has no need to keep; an earlier Waybill kept it.
fn stored_line(record: &UploadRecord) -> Option<LogLine> {
    let UploadState::Done { object, callback } = &record.state else { return None };
    if object.already_there.is_some() {
        return None;
    }
    let detail = format!("{}, callback {}", object.etag, callback_word(callback));
    Some(LogLine { at_ms: record.finished_ms?, what: "stored".into(), detail })
}

pub(crate) fn callback_word(callback: &waybill_oss::CallbackOutcome) -> String {
    use waybill_oss::CallbackOutcome as O;
    match callback {
        O::NotRequested => "not requested".into(),
        O::Answered { status, .. } => format!("answered with {status}"),
        O::Failed { ec, message, .. } => format!("failed: {message} {}", ec.as_deref().unwrap_or_default()),
        O::Unknown => "unknown".into(),
    }
}

fn already_there(state: &UploadState) -> Option<AlreadyThere> {
    match state {
        UploadState::Done { object, .. } => object.already_there,
        _ => None,
    }
}

fn badge(record: &UploadRecord) -> CallbackBadge {
    if record.callback.is_none() {
        return CallbackBadge::NotRequested;
    }
    match &record.state {
        UploadState::Done { object, .. } if object.already_there.is_some() => CallbackBadge::NotSent,
        UploadState::Done { object, callback } => match callback {
            CallbackOutcome::NotRequested => CallbackBadge::NotRequested,
            CallbackOutcome::Answered { status, .. } => {
                CallbackBadge::Answered { status: *status, took_ms: object.finishing_ms }
            }
            CallbackOutcome::Failed { ec, message, .. } => {
                CallbackBadge::Failed { ec: ec.clone(), message: message.clone() }
            }
            CallbackOutcome::Unknown => CallbackBadge::Unknown,
        },
        UploadState::Failed { .. } | UploadState::Cancelled => CallbackBadge::NotSent,
        _ => CallbackBadge::Waiting,
    }
}

fn object_view(record: &UploadRecord, object: &ObjectFacts) -> ObjectView {
    let stored_ms = record.finished_ms.unwrap_or(record.created_ms);
    ObjectView {
        bucket: record.bucket.clone(),
        key: record.key.clone(),
        size_bytes: object.size_bytes as i64,
        etag: object.etag.clone(),
        crc64: object.crc64.map(|crc64| crc64.to_string()),
        verified: object.verified,
        request_id: object.request_id.clone(),
        version_id: object.version_id.clone(),
        stored_ms,
        took_ms: stored_ms - record.started_ms.unwrap_or(record.created_ms),
    }
}

fn part_view(part: StoredPart) -> PartView {
    PartView {
        number: i64::from(part.number),
        size_bytes: part.size_bytes as i64,
        etag: Some(part.etag),
        crc64: Some(part.crc64.to_string()),
    }
}

/// A command line's destination has its keys only while the command runs.
fn no_keys(destination: &str) -> Problem {
    Problem {
        code: Code::NoSecret,
        message: format!("\"{destination}\" has no keys now; it waits until the same command is run again"),
        request_id: None,
        ec: None,
    }
}

fn file_name(path: &str) -> String {
    std::path::Path::new(path).file_name().map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}
