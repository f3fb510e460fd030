//! What the answers of callbacks make of the rows that are shown: expectations and columns are read off them, not stored.

use crate::expectation;
use crate::store::uploads::UploadRecord;
use crate::view::{CallbackBadge, CallbackTrial, UploadRow};

/// Those whose profile looks into the answer; of all others the answer need not be read.
pub(crate) fn wanted(records: &[UploadRecord]) -> Vec<i64> {
    let looks = |record: &&UploadRecord| {
        let profile = record.callback.as_ref();
        profile.is_some_and(|profile| !profile.expectations.is_empty() || !profile.columns.is_empty())
    };
    records.iter().filter(looks).map(|record| record.no).collect()
}

/// A row with what its answer says. Only an answer of the application is looked into.
pub(crate) fn with(mut row: UploadRow, record: &UploadRecord, answer: Option<&str>) -> UploadRow {
    let (Some(profile), Some(answer)) = (&record.callback, answer) else { return row };
    let CallbackBadge::Answered { status, took_ms } = row.callback else { return row };
    row.columns = expectation::columns(&profile.columns, answer);
    if let Some(unmet) = expectation::unmet(profile, answer) {
        row.callback = CallbackBadge::NotAsExpected { status, took_ms, unmet };
    }
    row
}

/// The whole answer of the last call that was made: the application's, or OSS's XML of a failed callback.
pub(crate) fn last(calls: &[CallbackTrial]) -> Option<String> {
    // One that was wanted and not made says why instead.
    let made = calls.iter().rev().find(|call| call.status > 0 || call.problem.is_none())?;
    (made.status > 0).then(|| made.body.clone())
}
