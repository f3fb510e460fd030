//! One PutObject for a whole file.
//!
//! Like Complete, its last byte cannot be taken back: `Completing` is saved before it goes out, but for small files that may
//! be sent twice (see [`put_small`]).

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use waybill_oss::FileSlice;

use super::driver::{self, Ended, Report, Trip};
use super::plan::Plan;
use super::settle;
use super::source::{self, SourceStamp, io_error};
use super::state::Session;
use crate::error::Error;
use crate::throttle::Permit;

/// A file of up to this size is read at once: no more than is held back of a larger one, so that nothing is gained by
/// sending a part of it before `Completing` is saved.
pub(super) const SMALL_BYTES: u64 = 64 << 10;

/// Sends the file in one request. `permit`: one that was had before the file was opened.
pub(crate) async fn put(
    trip: &Trip,
    file: Arc<File>,
    plan: Plan,
    stamp: SourceStamp,
    perhaps_sent: bool,
    permit: Option<Permit>,
) -> Result<(), Ended> {
    let session = Session { upload_id: None, plan, stamp };
    if plan.size_bytes <= SMALL_BYTES {
        put_small(trip, file, session, perhaps_sent, permit).await
    } else {
        drop(permit);
        Box::pin(put_gated(trip, file, session)).await
    }
}

/// Everything is known before the first byte goes, so one save says that it is planned and finishing. None does where nobody
/// would be harmed if it were sent twice: its number was saved with many others, and after a crash it is asked for first.
async fn put_small(
    trip: &Trip,
    file: Arc<File>,
    session: Session,
    perhaps_sent: bool,
    permit: Option<Permit>,
) -> Result<(), Ended> {
    let opened_with_permit = permit.is_some();
    let permit = match permit {
        Some(permit) => permit,
        None => trip.throttle.permit().await,
    };
    let (path, Session { plan, stamp, .. }) = (trip.path.clone(), session.clone());
    let slice = FileSlice { file, offset: 0, len: plan.size_bytes };
    // Opened just now, it is what its name leads to; after a wait another may have taken its place.
    let unchanged = || match opened_with_permit {
        true => source::is_as_opened(&slice.file, stamp),
        false => source::is_unchanged_now(&path, stamp),
    };
    let (bytes, crc64) = match slice.read_now().filter(|_| unchanged()) {
        Some(read) => read,
        None => driver::blocking(move || read(&path, &slice, stamp)).await?,
    };
    trip.reports.consent(Report::Whole(session.clone(), crc64)).await?;
    if perhaps_sent {
        drop(permit);
        match Box::pin(settle::ours(trip, &session, crc64)).await {
            Ok(Some(object)) => return settle::stored_without_answer(trip, object).await,
            // Keys that may only write are not asked for more.
            Err(error) if error.service_code() != Some("AccessDenied") => return Err(Ended::from(error)),
            Ok(None) | Err(_) => {}
        }
        return Box::pin(put_read(trip, trip.throttle.permit().await, session, (bytes, crc64))).await;
    }
    put_read(trip, permit, session, (bytes, crc64)).await
}

async fn put_read(trip: &Trip, permit: Permit, session: Session, (bytes, crc64): (Bytes, u64)) -> Result<(), Ended> {
    let size_bytes = session.plan.size_bytes;
    trip.gauge.set(0);
    let progress = driver::progress(&trip.gauge);
    let (headers, callback) = (trip.headers(), trip.callback.as_ref());
    let result = trip.client.put_read(&trip.key, (bytes, crc64), &headers, callback, Some(&progress)).await;
    drop(permit);
    match result {
        Ok(stored) => driver::finished(trip, stored, crc64, size_bytes).await,
        Err(error) if error.answer_lost() => {
            tracing::info!(%error, "the answer to a PutObject was lost");
            Box::pin(settle::settle(trip, &session, crc64, &[], Some(error))).await
        }
        Err(error) => Err(Ended::from(error)),
    }
}

/// Reads all of a small file and sums it, and makes sure that what was read is what `stamp` says. Blocks.
fn read(path: &Path, slice: &FileSlice, stamp: SourceStamp) -> Result<(Bytes, u64), Error> {
    let read = slice.read();
    // Before what the reading says: a file that became shorter has changed.
    source::check(path, stamp)?;
    read.map_err(|error| io_error("read", path, &error))
}

/// Its last bytes are held back until `Completing` is saved, so that a crash after them is settled and a
/// crash before them is simply sent again.
async fn put_gated(trip: &Trip, file: Arc<File>, session: Session) -> Result<(), Ended> {
    let Session { plan, stamp, .. } = session;
    trip.reports.consent(Report::Planned(session.clone(), Vec::new())).await?;
    let slice = FileSlice { file, offset: 0, len: plan.size_bytes };
    let permit = trip.throttle.permit_for(slice.memory()).await;
    trip.gauge.set(0);
    let (passed, refused) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
    let gate = {
        let (path, reports) = (trip.path.clone(), trip.reports.clone());
        let (passed, refused) = (Arc::clone(&passed), Arc::clone(&refused));
        waybill_oss::Gate::new(move |crc64| async move {
            let consent = match driver::check(path, stamp).await {
                Ok(()) => reports.consent(Report::Finishing { crc64 }).await.map_err(Ended::from),
                Err(error) => Err(Ended::from(error)),
            };
            // Each cell is set once, here.
            match consent {
                Ok(()) => passed.set(crc64).is_ok(),
                Err(ended) => refused.set(Mutex::new(Some(ended))).is_err(),
            }
        })
    };
    let result = trip
        .client
        .put_object_gated(
            &trip.key,
            &slice,
            &trip.headers(),
            trip.callback.as_ref(),
            gate,
            Some(&driver::progress(&trip.gauge)),
        )
        .await;
    drop(permit);
    let refused = refused.get().and_then(|ended| ended.lock().unwrap_or_else(PoisonError::into_inner).take());
    match (result, refused, passed.get()) {
        (_, Some(ended), _) => Err(ended),
        (Ok(stored), None, Some(crc64)) => driver::finished(trip, stored, *crc64, plan.size_bytes).await,
        (Err(error), None, Some(crc64)) if error.answer_lost() => {
            tracing::info!(%error, "the answer to a PutObject was lost");
            settle::settle(trip, &session, *crc64, &[], Some(error)).await
        }
        (Err(error), None, _) => Err(Ended::from(driver::source_first(trip.path.clone(), stamp, error).await)),
        // Not reachable while put_object keeps its word to ask the gate before the last byte.
        (Ok(_), None, None) => Err(Ended::Stopped),
    }
}
