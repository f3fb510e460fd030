//! The finishing request is not repeatable. Here it is sent, and when its answer is lost, what became of it is found out.
//!
//! ListParts comes first: the same content may have been at that key before, so only an UploadId that is gone makes the
//! object at the key ours. Source: oss-protocol, "Recovery after an unclear completion" (CompleteMultipartUpload page:
//! the server goes on working after the client hangs up).

use std::time::Duration;

use waybill_oss::CallbackOutcome;

use super::driver::{self, Ended, Trip};
use super::parts::whole_crc64;
use super::state::{Forget, ObjectFacts, Session};
use crate::error::{Code, Error};
use crate::upload::driver::Report;
use crate::upload::plan::StoredPart;

/// How long OSS is given to end a finishing request that it may still be working on.
const WAIT: Duration = Duration::from_secs(2);
/// Longest wait while the server cannot be asked.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Sends Complete once and reports what came of it.
pub(crate) async fn complete(
    trip: &Trip,
    session: &Session,
    upload_id: &str,
    parts: &[StoredPart],
    crc64: u64,
) -> Result<(), Ended> {
    let list: Vec<(u32, String)> = parts.iter().map(|part| (part.number, part.etag.clone())).collect();
    let result = {
        let _permit = trip.throttle.permit().await;
        trip.client.complete_multipart(&trip.key, upload_id, &list, trip.callback.as_ref()).await
    };
    match result {
        Ok(stored) => driver::finished(trip, stored, crc64, session.plan.size_bytes).await,
        Err(error) if error.answer_lost() || error.service_code() == Some("NoSuchUpload") => {
            // Boxed: settling may complete again.
            Box::pin(settle(trip, session, crc64, parts)).await
        }
        Err(error) => Err(Ended::from(error)),
    }
}

/// Finds out what became of a finishing request whose answer is lost, and ends the upload accordingly.
pub(crate) async fn settle(trip: &Trip, session: &Session, crc64: u64, known: &[StoredPart]) -> Result<(), Ended> {
    let Some(upload_id) = session.upload_id.as_deref() else {
        return settle_put(trip, session, crc64, None).await;
    };
    let mut open_before = false;
    let mut wait = WAIT;
    loop {
        let listed = {
            let _permit = trip.throttle.permit().await;
            trip.client.list_parts(&trip.key, upload_id).await
        };
        match listed {
            Ok(_) if open_before => {
                // Twice open with a pause in between: the first request never arrived or was given up.
                if whole_crc64(known) != crc64 {
                    return Err(Ended::Trouble(lost_parts(), Forget::Nothing));
                }
                return complete(trip, session, upload_id, known, crc64).await;
            }
            Ok(_) => open_before = true,
            Err(error) if error.service_code() == Some("NoSuchUpload") => {
                return match head(trip, session, crc64).await? {
                    Found::Ours(object) => stored_without_answer(trip, object).await,
                    Found::Other => Err(Ended::Trouble(not_stored(), Forget::Gone)),
                };
            }
            Err(error) if error.advice() == waybill_oss::Advice::Never => return Err(Ended::from(error)),
            // Not an answer to the question; the upload stays in Completing until there is one.
            Err(_) => wait = (wait * 2).min(LONGEST_WAIT),
        }
        tokio::time::sleep(wait).await;
    }
}

/// A PutObject whose answer is lost: stored by it, or to be sent again. OSS may still be calling back when it is asked
/// first, so it is asked twice before the file is sent a second time. `lost` is why there is no answer, if this process
/// knows: a busy server or a broken line is waited out, however often it happens.
pub(crate) async fn settle_put(
    trip: &Trip,
    session: &Session,
    crc64: u64,
    lost: Option<waybill_oss::Error>,
) -> Result<(), Ended> {
    for wait in [WAIT, Duration::ZERO] {
        if let Found::Ours(object) = head(trip, session, crc64).await? {
            return stored_without_answer(trip, object).await;
        }
        tokio::time::sleep(wait).await;
    }
    let error = lost.unwrap_or_else(|| waybill_oss::Error::Unreadable {
        operation: "PutObject",
        message: "the answer was lost and the object is not there".into(),
        request_id: None,
    });
    Err(Ended::Trouble(Error::Oss(error), Forget::Nothing))
}

enum Found {
    Ours(ObjectFacts),
    Other,
}

/// Whether the object at the key is the one we sent: size and CRC-64 equal. Asks until there is an answer.
async fn head(trip: &Trip, session: &Session, crc64: u64) -> Result<Found, Ended> {
    let mut wait = WAIT;
    loop {
        let answer = {
            let _permit = trip.throttle.permit().await;
            trip.client.head_object(&trip.key).await
        };
        match answer {
            Ok(Some(head)) if head.size == session.plan.size_bytes && head.crc64 == Some(crc64) => {
                return Ok(Found::Ours(ObjectFacts {
                    size_bytes: head.size,
                    etag: head.etag,
                    crc64: head.crc64,
                    verified: true,
                    request_id: head.request_id,
                    version_id: None,
                    finishing_ms: 0,
                }));
            }
            Ok(_) => return Ok(Found::Other),
            Err(error) if error.advice() == waybill_oss::Advice::Never => return Err(Ended::from(error)),
            Err(_) => tokio::time::sleep(wait).await,
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

async fn stored_without_answer(trip: &Trip, object: ObjectFacts) -> Result<(), Ended> {
    let callback = if trip.callback.is_some() { CallbackOutcome::Unknown } else { CallbackOutcome::NotRequested };
    Ok(trip.reports.consent(Report::Stored(object, callback)).await?)
}

fn not_stored() -> Error {
    Error::Source {
        code: Code::NotStored,
        message: "the line broke while OSS was finishing, and the object at the key is not this file".into(),
    }
}

fn lost_parts() -> Error {
    Error::Source { code: Code::NotStored, message: "our record of the parts does not add up to the file".into() }
}
