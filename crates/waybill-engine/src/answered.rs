//! What the answers of callbacks make of the rows that are shown: expectations and columns are read off them, not stored.

use std::borrow::Borrow;

use waybill_oss::{CallbackOutcome, callback_catalogue};

use crate::clock::now_ms;
use crate::error::Error;
use crate::expectation::{self, Unmet};
use crate::store::uploads::UploadRecord;
use crate::upload::state::ObjectFacts;
use crate::view::{CallbackBadge, CallbackTrial, EcAdvice, Problem, UploadRow, Variable};

/// Those whose profile looks into the answer; of all others the answer need not be read.
pub(crate) fn wanted(records: &[impl Borrow<UploadRecord>]) -> Vec<i64> {
    let looks = |record: &&UploadRecord| {
        let profile = record.callback.as_ref();
        profile.is_some_and(|profile| !profile.expectations.is_empty() || !profile.columns.is_empty())
    };
    records.iter().map(Borrow::borrow).filter(looks).map(|record| record.no).collect()
}

/// A row with what its answer says. Only an answer of the application is looked into.
pub(crate) fn with(mut row: UploadRow, record: &UploadRecord, answer: Option<&str>) -> UploadRow {
    let (Some(profile), Some(answer)) = (&record.callback, answer) else { return row };
    let CallbackBadge::Answered { status, took_ms } = row.callback else { return row };
    row.columns = expectation::columns(&profile.columns, answer);
    if let Some(unmet) = expectation::unmet(profile, answer) {
        let unmet = match unmet {
            Unmet::NotJson => None,
            Unmet::First(expectation) => Some(expectation),
        };
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

/// What OSS told of a call that ended at `now_ms`; the answer's body is taken out of `callback`.
pub(crate) fn trial(object: &ObjectFacts, callback: &mut CallbackOutcome, now_ms: i64) -> CallbackTrial {
    let mut trial = CallbackTrial {
        at_ms: now_ms - object.finishing_ms,
        took_ms: object.finishing_ms,
        status: 0,
        headers: Vec::new(),
        body: String::new(),
        ec: None,
        request_id: object.request_id.clone(),
        signed_by_oss: true,
        problem: None,
        advice: None,
        left_behind: None,
    };
    match callback {
        CallbackOutcome::NotRequested | CallbackOutcome::Unknown => {}
        CallbackOutcome::Answered { status, body, headers, .. } => {
            trial.status = i64::from(*status);
            let pair = |(name, value): (&String, &String)| Variable { name: name.clone(), value: value.clone() };
            trial.headers = headers.iter().map(pair).collect();
            trial.body = std::mem::take(body);
        }
        CallbackOutcome::Failed { ec, body, .. } => {
            (trial.status, trial.ec, trial.body) = (203, ec.clone(), std::mem::take(body));
        }
    }
    advised(trial)
}

/// A call that was not made, or of which that is not known.
pub(crate) fn not_known(why: Problem) -> CallbackTrial {
    CallbackTrial {
        at_ms: now_ms(),
        took_ms: 0,
        status: 0,
        headers: Vec::new(),
        body: String::new(),
        ec: why.ec.clone(),
        request_id: why.request_id.clone().unwrap_or_default(),
        signed_by_oss: true,
        problem: Some(why),
        advice: None,
        left_behind: None,
    }
}

/// The same with what is known of its cause and cure.
pub(crate) fn advised(trial: CallbackTrial) -> CallbackTrial {
    let failed = trial.status == 203 || trial.problem.is_some();
    let words = trial.problem.as_ref().map_or(trial.body.as_str(), |problem| &problem.message);
    let known = callback_catalogue::advice(trial.ec.as_deref().unwrap_or_default(), words).filter(|_| failed);
    let advice = known.map(|known| EcAdvice {
        ec: known.ec.clone(),
        cause_en: known.cause_en.clone(),
        cure_en: known.cure_en.clone(),
        cause_zh: known.cause_zh.clone(),
        cure_zh: known.cure_zh.clone(),
    });
    CallbackTrial { advice, ..trial }
}

/// A call that was not made or not answered.
pub(crate) fn nothing(at_ms: i64, took_ms: i64, signed_by_oss: bool, error: &Error) -> CallbackTrial {
    let problem = error.problem();
    advised(CallbackTrial {
        at_ms,
        took_ms,
        status: 0,
        headers: Vec::new(),
        body: String::new(),
        ec: problem.ec.clone(),
        request_id: problem.request_id.clone().unwrap_or_default(),
        signed_by_oss,
        problem: Some(problem),
        advice: None,
        left_behind: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_call_comes_with_its_cause_and_cure_and_a_good_one_with_none() {
        let failed = CallbackTrial {
            status: 203,
            ec: Some("0007-00000203".into()),
            body: "<Error><Code>CallbackFailed</Code><Message>Error status : 502.</Message></Error>".into(),
            ..CallbackTrial::default()
        };
        let advice = advised(failed.clone()).advice.expect("advice");
        assert_eq!(advice.ec, "0007-00000203");
        assert!(!advice.cure_en.is_empty() && !advice.cure_zh.is_empty());
        assert_eq!(advised(CallbackTrial { status: 200, ..failed }).advice, None);
    }
}
