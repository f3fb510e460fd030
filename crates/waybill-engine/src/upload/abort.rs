//! Aborts multipart uploads that nobody wants any more, and keeps at it until OSS has said yes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use waybill_oss::{BucketName, ObjectKey};

use crate::destination::Destinations;
use crate::error::Error;
use crate::store::Store;
use crate::store::aborts::{self, Abort};
use crate::upload::retry::spread;

/// Wait before OSS is asked again after trouble; it doubles up to [`CAP`].
const AGAIN: Duration = Duration::from_secs(1);
const CAP: Duration = Duration::from_secs(60);

/// Runs until `stop`; `wake` says that something was remembered.
pub(crate) async fn run(store: Store, destinations: Destinations, wake: Arc<Notify>, stop: CancellationToken) {
    let mut failures = 0;
    loop {
        // An abort cut short here is still remembered, and made at the next start.
        let all_done = tokio::select! {
            () = stop.cancelled() => return,
            all_done = abort_waiting(&store, &destinations) => all_done,
        };
        failures = if all_done { 0 } else { failures + 1 };
        let pause = async {
            if all_done {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(spread(AGAIN, CAP, failures, rand::random())).await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = wake.notified() => {}
            () = pause => {}
        }
    }
}

/// True when nothing is left to abort.
async fn abort_waiting(store: &Store, destinations: &Destinations) -> bool {
    let (mut all_done, mut after) = (true, String::new());
    loop {
        let from = after.clone();
        let page = match store.read(move |c| aborts::waiting(c, &from)).await {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(%error, "could not read which uploads to abort");
                return false;
            }
        };
        let Some(last) = page.last() else { return all_done };
        after.clone_from(&last.upload_id);
        for abort in page {
            let done = async {
                abort_one(destinations, &abort).await?;
                let upload_id = abort.upload_id.clone();
                store.write(move |c| aborts::forget(c, &upload_id)).await
            };
            if let Err(error) = done.await {
                tracing::info!(%error, key = abort.key, "will abort later");
                all_done = false;
            }
        }
    }
}

async fn abort_one(destinations: &Destinations, abort: &Abort) -> Result<(), Error> {
    let client = destinations.client(&abort.destination_id, &BucketName::parse(&abort.bucket)?).await?;
    Ok(client.abort_multipart(&ObjectKey::parse(&abort.key)?, &abort.upload_id).await?)
}
