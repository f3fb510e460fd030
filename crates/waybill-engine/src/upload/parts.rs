//! The parts of a multipart upload: taking up those that OSS has, sending the rest, and finishing.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::task::JoinSet;
use waybill_oss::{FileSlice, ListedPart, PartReceipt, combine, of_slice};

use super::driver::{self, Ended, Report, Trip};
use super::plan::Plan;
use super::settle;
use super::state::Session;
use crate::error::Error;
use crate::throttle::Permit;
use crate::upload::plan::StoredPart;

/// One multipart upload on its way.
pub(crate) struct PartsTrip<'a> {
    pub(crate) trip: &'a Trip,
    pub(crate) file: Arc<File>,
    pub(crate) session: Session,
    pub(crate) upload_id: String,
}

/// A part on its way.
struct Part {
    number: u32,
    slice: FileSlice,
}

impl PartsTrip<'_> {
    /// Saves the session, sends what is missing, checks everything and finishes.
    pub(crate) async fn send_all(self, kept: Vec<StoredPart>) -> Result<(), Ended> {
        let trip = self.trip;
        trip.gauge.set(kept.iter().map(|part| part.size_bytes as i64).sum());
        trip.reports.consent(Report::Planned(self.session.clone(), kept.clone())).await?;
        let mut stored: BTreeMap<u32, StoredPart> = kept.into_iter().map(|part| (part.number, part)).collect();
        let mut missing = (1..=self.session.plan.parts())
            .filter(|number| !stored.contains_key(number))
            .collect::<Vec<_>>()
            .into_iter();
        let mut sending: JoinSet<Result<StoredPart, Error>> = JoinSet::new();
        // One part of an upload waits for a permit at a time, so that those who wait are served upload by upload and a huge
        // file does not crowd out the others. It keeps its place in the line while other parts end.
        let mut waiting = missing.next().map(|number| self.ask(number));
        loop {
            let ended = match &mut waiting {
                None => sending.join_next().await,
                Some(asked) => tokio::select! {
                    (part, permit) = asked => {
                        self.send_one(&mut sending, part, permit);
                        waiting = missing.next().map(|number| self.ask(number));
                        continue;
                    }
                    ended = sending.join_next(), if !sending.is_empty() => ended,
                },
            };
            let Some(ended) = ended else { break };
            let part = match ended {
                Ok(Ok(part)) => part,
                Ok(Err(error)) => {
                    // Joined, so that no part is on its way while the queue decides what to do next.
                    sending.shutdown().await;
                    return Err(Ended::from(error));
                }
                Err(_) => return Err(Ended::Stopped),
            };
            trip.reports.tell(Report::Part(part.clone())).await?;
            stored.insert(part.number, part);
        }
        let parts: Vec<StoredPart> = stored.into_values().collect();
        self.finish(&parts).await
    }

    async fn finish(&self, parts: &[StoredPart]) -> Result<(), Ended> {
        let trip = self.trip;
        driver::check(trip.path.clone(), self.session.stamp).await?;
        let crc64 = whole_crc64(parts);
        trip.reports.consent(Report::Finishing { crc64 }).await?;
        settle::complete(trip, &self.session, parts, crc64).await
    }

    /// Waits in line with part `number`.
    fn ask(&self, number: u32) -> Pin<Box<dyn Future<Output = (Part, Permit)> + Send>> {
        let range = self.session.plan.range(number);
        let slice = FileSlice { file: Arc::clone(&self.file), offset: range.start, len: range.end - range.start };
        let throttle = self.trip.throttle.clone();
        Box::pin(async move {
            let permit = throttle.permit_for(slice.memory()).await;
            (Part { number, slice }, permit)
        })
    }

    fn send_one(&self, sending: &mut JoinSet<Result<StoredPart, Error>>, part: Part, permit: Permit) {
        let trip = self.trip;
        let (client, key, upload_id) = (trip.client.clone(), trip.key.clone(), self.upload_id.clone());
        let (path, stamp) = (trip.path.clone(), self.session.stamp);
        let progress = driver::progress(&trip.gauge);
        // A JoinSet of the driver's own: dropped or shut down with it, so nothing outlives the upload.
        sending.spawn(async move {
            let _permit = permit;
            driver::check(path.clone(), stamp).await?;
            match client.upload_part(&key, &upload_id, part.number, &part.slice, None, Some(&progress)).await {
                Ok(receipt) => Ok(row(receipt)),
                Err(error) => Err(driver::source_first(path, stamp, error).await),
            }
        });
    }
}

/// CRC-64 of the whole file, folded from its parts in order: no second read of the file.
pub(crate) fn whole_crc64(parts: &[StoredPart]) -> u64 {
    parts.iter().fold(0, |whole, part| combine(whole, part.crc64, part.size_bytes))
}

/// Asks OSS which parts it has and keeps those that are the file's. None if OSS no longer knows the UploadId.
pub(crate) async fn take_up(
    trip: &Trip,
    file: &Arc<File>,
    plan: &Plan,
    upload_id: &str,
    known: &[StoredPart],
) -> Result<Option<Vec<StoredPart>>, Ended> {
    let listed = {
        let _permit = trip.throttle.permit().await;
        match trip.client.list_parts(&trip.key, upload_id).await {
            Ok(listed) => listed,
            Err(error) if error.service_code() == Some("NoSuchUpload") => return Ok(None),
            Err(error) => return Err(Ended::from(error)),
        }
    };
    let known: HashMap<u32, &StoredPart> = known.iter().map(|part| (part.number, part)).collect();
    let mut kept = Vec::with_capacity(listed.len());
    for part in listed {
        if part.number == 0 || part.number > plan.parts() || part.size != plan.len_of(part.number) {
            continue;
        }
        if let Some(row) = known.get(&part.number)
            && row.etag == part.etag
        {
            kept.push((*row).clone());
        } else if let Some(row) = verified(file, plan, part).await? {
            kept.push(row);
        }
    }
    Ok(Some(kept))
}

/// A part that OSS has but we have no record of (the line or we died in between): kept if its CRC-64 is the file's.
async fn verified(file: &Arc<File>, plan: &Plan, part: ListedPart) -> Result<Option<StoredPart>, Ended> {
    let Some(server) = part.crc64 else { return Ok(None) };
    let slice = FileSlice { file: Arc::clone(file), offset: plan.range(part.number).start, len: part.size };
    let local =
        driver::blocking(move || of_slice(&slice).map_err(|error| Error::Oss(waybill_oss::Error::Source(error))))
            .await?;
    Ok((local == server).then_some(StoredPart {
        number: part.number,
        size_bytes: part.size,
        etag: part.etag,
        crc64: local,
    }))
}

fn row(receipt: PartReceipt) -> StoredPart {
    StoredPart { number: receipt.number, size_bytes: receipt.size, etag: receipt.etag, crc64: receipt.crc64 }
}
