//! From a row to a driver that runs: keys, client, callback and part size for one upload.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use waybill_oss::{BucketName, ObjectKey};

use crate::callback_profile;
use crate::destination::Destinations;
use crate::error::Error;
use crate::progress::Gauge;
use crate::queue_line::Message;
use crate::store::uploads::UploadRecord;
use crate::throttle::Throttle;
use crate::upload::driver::{self, Errand, Report, Reports, Trip};
use crate::upload::state::Forget;

/// What all drivers share.
#[derive(Clone, Debug)]
pub(crate) struct Launcher {
    pub(crate) destinations: Destinations,
    /// None: chosen for each file.
    pub(crate) part_size_bytes: Option<u64>,
    pub(crate) finishing: Duration,
}

impl Launcher {
    /// Runs one driver to its end.
    #[allow(clippy::too_many_arguments)] // one call site; a struct would only repeat the names
    pub(crate) async fn launch(
        &self,
        record: Box<UploadRecord>,
        errand: Errand,
        run: u64,
        throttle: Throttle,
        gauge: Arc<Gauge>,
        line: mpsc::Sender<Message>,
        stop: CancellationToken,
    ) {
        let reports = Reports { send: line, no: record.no, run };
        let preparing = self.trip(record, throttle, gauge, reports.clone(), stop.clone());
        let trip = tokio::select! {
            trip = preparing => trip,
            // The keychain may be waiting for its user.
            () = stop.cancelled() => return,
        };
        let report = match (trip, &errand) {
            (Ok(trip), _) => return driver::run(trip, errand).await,
            (Err(error), Errand::Settle { .. }) => Report::Unsettled(error),
            (Err(error), Errand::Send { .. }) => Report::Trouble(error, Forget::Nothing),
        };
        // A queue that is gone has nobody to tell.
        let _ = reports.consent(report).await;
    }

    async fn trip(
        &self,
        record: Box<UploadRecord>,
        throttle: Throttle,
        gauge: Arc<Gauge>,
        reports: Reports,
        stop: CancellationToken,
    ) -> Result<Box<Trip>, Error> {
        let bucket = BucketName::parse(&record.bucket)?;
        let client = Box::pin(self.destinations.client(&record.destination_id, &bucket)).await?;
        let lane = throttle.lane(&record.destination_id, client.endpoint());
        let client = client.with_pace(Arc::new(lane.clone()));
        let callback = callback_profile::checked_spec(record.callback.as_ref(), record.as_ref().into())?;
        Ok(Box::new(Trip {
            key: ObjectKey::parse(&record.key)?,
            path: PathBuf::from(record.path),
            content_type: record.content_type,
            callback,
            profile: record.callback,
            batch: record.batch,
            created_ms: record.created_ms,
            size_bytes: record.size_bytes,
            overwrite: record.overwrite,
            wanted_key: record.wanted_key,
            client,
            throttle: lane,
            gauge,
            part_size_bytes: self.part_size_bytes,
            finishing: self.finishing,
            reports,
            stop,
        }))
    }
}
