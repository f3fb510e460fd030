//! What lists and listeners are shown of uploads: rows with their destination's standing, and what changed.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::time::Instant;

use super::Engine;
use crate::answered;
use crate::error::Error;
use crate::rows::{self, Standing};
use crate::store::uploads::UploadRecord;
use crate::store::{calls, lists};
use crate::view::{CallbackBadge, Changes, Counts, Phase, UploadRow};

impl Engine {
    pub(super) async fn collect_changes(&self) -> Result<Changes, Error> {
        let pending = self.changes.take();
        let samples = self.progress.sample(Instant::now());
        let numbers: Vec<i64> = pending.rows.iter().chain(samples.keys()).copied().collect();
        let (records, mut counts) =
            self.store.read(move |c| Ok((lists::by_numbers(c, &numbers)?, lists::counts(c)?))).await?;
        counts = self.with_starting(counts);
        // The tallies count whole files; what is under way has partly gone.
        let gone: i64 = samples.values().map(|sample| sample.sent_bytes).sum();
        counts.bytes_left = (counts.bytes_left - gone).max(0);
        Ok(Changes {
            rows: self.rows(&records).await?,
            reload: pending.reload,
            destinations: pending.destinations,
            folders: pending.folders,
            lab: pending.lab,
            counts,
            bytes_per_second: samples.values().map(|sample| sample.bytes_per_second).sum(),
            scanning: pending.scanning > 0,
            clock_skew_seconds: self.clock.skew().as_secs(),
            store_problem: self.store.problem(),
        })
    }

    /// A start is not worth a write, so the table still counts these as waiting.
    pub(super) fn with_starting(&self, counts: Counts) -> Counts {
        let starting = (self.progress.unsaved().len() as i64).min(counts.waiting);
        let (calling_again, called_again) = self.resends.line.progress();
        Counts {
            waiting: counts.waiting - starting,
            uploading: counts.uploading + starting,
            calling_again,
            called_again,
            ..counts
        }
    }

    pub(super) async fn rows(&self, records: &[impl Borrow<UploadRecord>]) -> Result<Vec<UploadRow>, Error> {
        let names = self.destinations.names().await?;
        let wanted = answered::wanted(records);
        let answers = match wanted.is_empty() {
            true => HashMap::new(),
            false => self.store.read(move |c| calls::answers(c, &wanted)).await?,
        };
        let again = self.resends.line.all();
        let samples = self.progress.sample(Instant::now());
        let standing = |(id, (name, ready)): (String, (String, bool))| {
            let trouble = self.troubles.of(&id);
            (id, Standing { name, ready, trouble })
        };
        let standings: HashMap<String, Standing> = names.into_iter().map(standing).collect();
        let gone = Standing { ready: true, ..Standing::default() };
        let unsaved = self.progress.unsaved();
        let row = |record: &UploadRecord| {
            let under_way = unsaved.get(&record.no).filter(|_| record.state.phase() == Phase::Queued);
            let record = match under_way {
                Some(state) => &UploadRecord { state: state.clone(), ..record.clone() },
                None => record,
            };
            let standing = standings.get(&record.destination_id).unwrap_or(&gone);
            let row = rows::row(record, standing, samples.get(&record.no).copied());
            let row = answered::with(row, record, answers.get(&record.no).map(String::as_str));
            if again.contains(&record.no) { UploadRow { callback: CallbackBadge::CallingAgain, ..row } } else { row }
        };
        Ok(records.iter().map(|record| row(record.borrow())).collect())
    }
}
