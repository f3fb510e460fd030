//! The finishing request is not repeatable. Here it is sent, and when its answer is lost, what became of it is found out.
//!
//! ListParts comes first: the same content may have been at that key before, so only an UploadId that is gone makes the
//! object at the key ours. Source: oss-protocol, "Recovery after an unclear completion" (CompleteMultipartUpload page:
//! the server goes on working after the client hangs up).

use std::time::{Duration, Instant};

use waybill_oss::{Advice, CallbackOutcome};

use super::driver::{self, Ended, Report, Trip};
use super::parts::whole_crc64;
use super::plan::StoredPart;
use super::state::{Forget, ObjectFacts, Session};
use crate::error::{Code, Error};

/// Between two questions while OSS may still be at work.
const BETWEEN: Duration = Duration::from_secs(2);
/// Completes in a row whose answer is lost, before the slot is given back.
const ROUNDS: u32 = 3;
/// Longest pause that OSS may ask for while the slot is held.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const OTHER: &str = "the line broke while OSS was finishing, and the object at the key is not this file";
const RECORD: &str = "the record of the parts does not add up to the file";

/// Sends Complete once and reports what came of it.
pub(crate) async fn complete(trip: &Trip, session: &Session, parts: &[StoredPart], crc64: u64) -> Result<(), Ended> {
    match send_complete(trip, session, parts).await {
        Ok(stored) => driver::finished(trip, stored, crc64, session.plan.size_bytes).await,
        Err(error) if is_lost(&error) => settle(trip, session, crc64, parts, Some(error)).await,
        Err(error) => Err(Ended::from(error)),
    }
}

/// Finds out what became of a finishing request, and ends the upload accordingly. `lost` is why its answer is missing, if
/// this process sent it.
pub(crate) async fn settle(
    trip: &Trip,
    session: &Session,
    crc64: u64,
    known: &[StoredPart],
    mut lost: Option<waybill_oss::Error>,
) -> Result<(), Ended> {
    let mut rounds = 0;
    let mut sent = Instant::now();
    loop {
        let fate = match ask(trip, session, crc64).await {
            Ok(fate) => fate,
            // Not an answer to the question: the upload stays in Completing, and its slot goes to others meanwhile.
            Err(error) => return Err(Ended::Unsettled(Error::Oss(error))),
        };
        let may_be_at_work = sent.elapsed() < at_work_for(trip, lost.as_ref());
        match fate {
            Fate::Stored(object) => return stored_without_answer(trip, object).await,
            Fate::Replaced => return Err(Ended::Trouble(not_stored(OTHER), Forget::Gone)),
            Fate::Open | Fate::NotPut if may_be_at_work => tokio::time::sleep(BETWEEN.min(trip.finishing)).await,
            Fate::NotPut => match lost {
                Some(error) => return Err(Ended::from(error)),
                None => return Ok(trip.reports.consent(Report::NotCarriedOut).await?),
            },
            Fate::Open if whole_crc64(known) != crc64 => {
                return Err(Ended::Trouble(not_stored(RECORD), Forget::Nothing));
            }
            Fate::Open => {
                let asked = pause_asked_for(lost.as_ref());
                if asked > LONGEST_WAIT
                    && let Some(busy) = lost
                {
                    return Err(Ended::Unsettled(Error::Oss(busy)));
                }
                tokio::time::sleep(asked.saturating_sub(sent.elapsed())).await;
                match send_complete(trip, session, known).await {
                    Ok(stored) => return driver::finished(trip, stored, crc64, session.plan.size_bytes).await,
                    Err(error) if is_lost(&error) => {
                        rounds += 1;
                        if rounds >= ROUNDS {
                            return Err(Ended::Unsettled(Error::Oss(error)));
                        }
                        (lost, sent) = (Some(error), Instant::now());
                    }
                    Err(error) => return Err(Ended::from(error)),
                }
            }
        }
    }
}

/// Whether the object at the key is the one we sent: size and CRC-64 equal.
pub(crate) async fn ours(
    trip: &Trip,
    session: &Session,
    crc64: u64,
) -> Result<Option<ObjectFacts>, waybill_oss::Error> {
    let _permit = trip.throttle.permit().await;
    let head = trip.client.head_object(&trip.key).await?;
    let same = head.filter(|head| head.size == session.plan.size_bytes && head.crc64 == Some(crc64));
    Ok(same.map(|head| ObjectFacts {
        size_bytes: head.size,
        etag: head.etag,
        crc64: head.crc64,
        verified: true,
        request_id: head.request_id,
        version_id: None,
        finishing_ms: 0,
        already_there: None,
    }))
}

/// Reports an object that is stored, though nobody heard what the callback said.
pub(crate) async fn stored_without_answer(trip: &Trip, object: ObjectFacts) -> Result<(), Ended> {
    let callback = if trip.callback.is_some() { CallbackOutcome::Unknown } else { CallbackOutcome::NotRequested };
    Ok(trip.reports.consent(Report::Stored(object, callback)).await?)
}

/// What OSS says of a finishing request.
enum Fate {
    /// Done: the object is there.
    Stored(ObjectFacts),
    /// The UploadId still exists: not done, or not yet.
    Open,
    /// The UploadId is gone, and the object is another.
    Replaced,
    /// The PutObject has not stored its object, or not yet.
    NotPut,
}

async fn ask(trip: &Trip, session: &Session, crc64: u64) -> Result<Fate, waybill_oss::Error> {
    let Some(upload_id) = session.upload_id.as_deref() else {
        return Ok(ours(trip, session, crc64).await?.map_or(Fate::NotPut, Fate::Stored));
    };
    let listed = {
        let _permit = trip.throttle.permit().await;
        trip.client.list_parts(&trip.key, upload_id).await
    };
    match listed {
        Ok(_) => Ok(Fate::Open),
        Err(error) if error.service_code() == Some("NoSuchUpload") => {
            Ok(ours(trip, session, crc64).await?.map_or(Fate::Replaced, Fate::Stored))
        }
        Err(error) => Err(error),
    }
}

async fn send_complete(
    trip: &Trip,
    session: &Session,
    parts: &[StoredPart],
) -> Result<waybill_oss::Stored, waybill_oss::Error> {
    let list: Vec<(u32, String)> = parts.iter().map(|part| (part.number, part.etag.clone())).collect();
    let upload_id = session.upload_id.as_deref().unwrap_or_default();
    let _permit = trip.throttle.permit().await;
    trip.client.complete_multipart(&trip.key, upload_id, &list, &trip.headers(), trip.callback.as_ref()).await
}

/// The request may have been carried out: no answer, or the UploadId is gone before we heard of it.
fn is_lost(error: &waybill_oss::Error) -> bool {
    error.answer_lost() || error.service_code() == Some("NoSuchUpload")
}

/// How long after the request OSS may still be working on it. An answer, even a bad one, says that it has ended; after a
/// restart the request was sent a while ago.
fn at_work_for(trip: &Trip, lost: Option<&waybill_oss::Error>) -> Duration {
    match lost {
        Some(waybill_oss::Error::Transport { .. }) => trip.finishing,
        Some(_) => Duration::ZERO,
        None => BETWEEN.min(trip.finishing),
    }
}

/// The pause that a busy server wants before Complete is sent again.
fn pause_asked_for(lost: Option<&waybill_oss::Error>) -> Duration {
    match lost.map(waybill_oss::Error::advice) {
        Some(Advice::Later(wait)) => wait,
        _ => Duration::ZERO,
    }
}

fn not_stored(message: &str) -> Error {
    Error::Source { code: Code::NotStored, message: message.to_owned() }
}
