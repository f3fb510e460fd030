//! The uploads of one command, told as they end: to whoever runs it in this process, or hands it over from another.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::{Sender, UnboundedReceiver};

use super::Engine;
use crate::clock::now_ms;
use crate::destination::BuiltIn;
use crate::error::{Code, Error};
use crate::finished::LastWord;
use crate::intake::{Callback, Enqueue, KeyRule};
use crate::numbers::Numbers;
use crate::rows;
use crate::store::uploads::UploadRecord;
use crate::store::{calls, lists};
use crate::view::{CallbackTrial, OverwritePolicy, Phase, Problem, RefusedPath, UploadDetails};

/// Between two words about how far it has got.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// Uploads that are read together when they end together, and how long one waits for others to end.
const TOGETHER: usize = 200;
const GATHER: Duration = Duration::from_millis(20);

/// What a command asks for. Asked again before all of it has ended, it is the same batch that goes on.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Where to.
    pub to: Place,
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Object keys; None: the destination's template.
    pub key_rule: Option<KeyRule>,
    /// The callback.
    pub callback: Callback,
    /// What becomes of objects that are there already; None: what the destination says.
    pub overwrite: Option<OverwritePolicy>,
    /// Whether anybody wants to hear how far it has got.
    pub progress: bool,
}

/// Where a command's files go.
#[derive(Clone, Debug)]
pub enum Place {
    /// A destination of the data folder, by its name.
    Named(String),
    /// One that the command describes, keys and all.
    Described(Box<BuiltIn>),
}

/// What a command hears.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Told {
    /// Which batch it is, before anything else.
    Batch(i64),
    /// An upload has ended; without parts and log.
    Upload(Box<UploadDetails>),
    /// A path that never became an upload.
    Refused(RefusedPath),
    /// So many more were refused.
    MoreRefused(i64),
    /// How far it has got.
    Progress {
        /// Files that have ended.
        files_done: i64,
        /// All of them.
        files: i64,
        /// Bytes of those, and of what is on its way.
        bytes_done: i64,
        /// Bytes of all.
        bytes: i64,
    },
    /// Nothing can be saved at the moment, so everything waits.
    Waits(Problem),
}

impl Engine {
    /// Queues what is asked for, or goes on with it, and tells of each upload once, until all have ended. `known`: the
    /// batch, if it was begun by a process that has ended.
    ///
    /// # Errors
    /// `Invalid` for a destination that is not there or nothing to upload, `Store`, `Refused` once the engine stops.
    pub async fn follow(&self, asked: Asked, known: Option<i64>, told: Sender<Told>) -> Result<(), Error> {
        // Before anything is queued: what ended earlier was the work of an earlier run.
        let (began_ms, finished) = (now_ms(), self.finished.listen());
        let destination_id = self.place(asked.to).await?;
        let (paths, key_rule, overwrite) = (asked.paths, asked.key_rule, asked.overwrite);
        let fingerprint = fingerprint(&paths, &destination_id, &key_rule, &asked.callback, overwrite);
        let begun = self
            .begin(
                Enqueue {
                    paths,
                    destination_id: Some(destination_id),
                    key_rule,
                    callback: asked.callback,
                    overwrite,
                    fingerprint: Some(fingerprint),
                },
                known,
            )
            .await?;
        let mut following = Following {
            engine: self,
            batch: begun.batch,
            began_ms,
            told: told.clone(),
            files: 0,
            bytes: 0,
            files_done: 0,
            bytes_done: 0,
            told_of: Numbers::default(),
        };
        following.tell(Told::Batch(begun.batch)).await;
        let reading = self.read_in(begun.batch, begun.intake, begun.again);
        tokio::select! {
            ended = following.run(reading, begun.refused, finished, begun.again, asked.progress) => ended,
            damaged = self.tells_of_trouble(&told) => Err(damaged),
        }
    }

    async fn place(&self, to: Place) -> Result<String, Error> {
        match to {
            Place::Described(built_in) => {
                let id = built_in.id.clone();
                self.ensure_built_in(*built_in).await?;
                Ok(id)
            }
            Place::Named(name) => self
                .destination_named(&name)
                .await?
                .ok_or_else(|| Error::Invalid(format!("there is no destination \"{name}\" in this data folder"))),
        }
    }

    /// Says that nothing can be saved, as often as that begins; ends only with what waiting does not mend.
    pub(super) async fn tells_of_trouble(&self, told: &Sender<Told>) -> Error {
        let mut trouble = self.store.trouble();
        loop {
            let problem = trouble.borrow_and_update().clone();
            match problem {
                Some(problem) if problem.code == Code::Damaged => {
                    return Error::Store { code: problem.code, message: problem.message };
                }
                // Whoever asked may have gone.
                Some(problem) => drop(told.send(Told::Waits(problem)).await),
                None => {}
            }
            if trouble.changed().await.is_err() {
                // The store is as old as the engine, so it does not go first.
                std::future::pending::<()>().await;
            }
        }
    }
}

struct Following<'a> {
    engine: &'a Engine,
    batch: i64,
    began_ms: i64,
    told: Sender<Told>,
    files: i64,
    bytes: i64,
    files_done: i64,
    bytes_done: i64,
    told_of: Numbers,
}

impl Following<'_> {
    async fn run(
        &mut self,
        reading: impl Future<Output = Result<crate::view::Added, Error>>,
        unnamed: Vec<RefusedPath>,
        mut finished: UnboundedReceiver<LastWord>,
        continued: bool,
        progress: bool,
    ) -> Result<(), Error> {
        let mut reading = std::pin::pin!(reading);
        // Uploads may end while folders are still being read.
        let added = loop {
            tokio::select! {
                added = &mut reading => break added?,
                Some(ended) = finished.recv() => self.ended(ended, &mut finished).await?,
            }
        };
        let refused = added.refused_count + unnamed.len() as i64;
        let more = added.refused_count - added.refused.len() as i64;
        for path in added.refused.into_iter().chain(unnamed) {
            self.tell(Told::Refused(path)).await;
        }
        if more > 0 {
            self.tell(Told::MoreRefused(more)).await;
        }
        let batch = self.batch;
        (self.files, self.bytes) = self.engine.store.read(move |c| lists::total_of_batch(c, batch)).await?;
        if continued {
            self.take_up().await?;
        }
        if self.files == 0 && refused == 0 {
            return Err(Error::Invalid("there is no file to upload in what was given".into()));
        }
        let stop = self.engine.tasks.token().clone();
        while self.files_done < self.files {
            tokio::select! {
                Some(ended) = finished.recv() => self.ended(ended, &mut finished).await?,
                () = tokio::time::sleep(PROGRESS_EVERY), if progress => self.progress().await?,
                () = stop.cancelled() => {
                    return Err(Error::Refused("stopped before everything was uploaded".into()));
                }
            }
        }
        Ok(())
    }

    /// A batch that is continued: what an earlier run stored belongs to its receipts, what it gave up is tried again, and
    /// what was paused in the window goes on.
    async fn take_up(&mut self) -> Result<(), Error> {
        let (batch, mut after) = (self.batch, 0);
        loop {
            let page = self.engine.store.read(move |c| lists::at_rest_of_batch(c, batch, after, 500)).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.no;
            let mut ended = Vec::new();
            for upload in page {
                let wish = match upload.phase {
                    Phase::Paused => self.engine.resume(upload.no).await,
                    // Ended in this run: it is told as it is heard of.
                    _ if upload.finished_ms.is_none_or(|at| at >= self.began_ms) => continue,
                    Phase::Failed => self.engine.retry(upload.no).await,
                    _ => {
                        ended.push(LastWord::of(upload.no));
                        continue;
                    }
                };
                // One that has moved on meanwhile needs nothing.
                if let Err(error) = wish
                    && !matches!(error, Error::Refused(_))
                {
                    return Err(error);
                }
            }
            self.tell_of(ended).await?;
        }
    }

    /// Tells of an upload that has ended and of all others that have ended meanwhile: they are read together.
    async fn ended(&mut self, first: LastWord, finished: &mut UnboundedReceiver<LastWord>) -> Result<(), Error> {
        let mut together = vec![first];
        if finished.len() < TOGETHER {
            tokio::time::sleep(GATHER).await;
        }
        while together.len() < TOGETHER
            && let Ok(ended) = finished.try_recv()
        {
            together.push(ended);
        }
        self.tell_of(together).await
    }

    /// Tells of uploads that have ended, as far as they are ours.
    async fn tell_of(&mut self, words: Vec<LastWord>) -> Result<(), Error> {
        let batch = self.batch;
        let (mut records, mut numbers) = (Vec::new(), Vec::new());
        for word in words {
            match word.record {
                Some(record) if record.batch == batch => records.push(record),
                Some(_) => {}
                None => numbers.push(word.no),
            }
        }
        // Those at hand asked for no callback.
        let mut answers = vec![Vec::new(); records.len()];
        if !numbers.is_empty() {
            let (read, told) = self.read(numbers).await?;
            records.extend(read.into_iter().map(Arc::new));
            answers.extend(told);
        }
        let rows = self.engine.rows(&records).await?;
        for ((record, row), calls) in records.iter().zip(rows).zip(answers) {
            // Tried once more before this word of it was heard, or told already: somebody pressed Retry in the window, or its
            // word was on the way while what had ended was read.
            if !matches!(row.phase, Phase::Done | Phase::Failed | Phase::Cancelled) || !self.told_of.insert(row.no) {
                continue;
            }
            self.files_done += 1;
            self.bytes_done += row.size_bytes;
            let details = rows::in_short(record, row, calls);
            self.tell(Told::Upload(Box::new(details))).await;
        }
        Ok(())
    }

    /// Those of these that are ours, with their calls.
    async fn read(&self, numbers: Vec<i64>) -> Result<(Vec<UploadRecord>, Vec<Vec<CallbackTrial>>), Error> {
        let batch = self.batch;
        let read = move |c: &rusqlite::Connection| {
            let mut records = lists::by_numbers(c, &numbers)?;
            records.retain(|record| record.batch == batch);
            let answered = |record: UploadRecord| {
                let asked = record.callback.is_some();
                let calls = if asked { calls::of(c, record.no)? } else { Vec::new() };
                Ok((record, calls))
            };
            records.into_iter().map(answered).collect::<rusqlite::Result<(Vec<_>, Vec<_>)>>()
        };
        self.engine.store.read(read).await
    }

    async fn progress(&self) -> Result<(), Error> {
        let samples = self.engine.progress.sample(Instant::now());
        let numbers: Vec<i64> = samples.keys().copied().collect();
        let records = self.engine.store.read(move |c| lists::by_numbers(c, &numbers)).await?;
        let ours = records.iter().filter(|record| record.batch == self.batch);
        let moving: i64 = ours.filter_map(|record| samples.get(&record.no)).map(|sample| sample.sent_bytes).sum();
        self.tell(Told::Progress {
            files_done: self.files_done,
            files: self.files,
            bytes_done: (self.bytes_done + moving).min(self.bytes),
            bytes: self.bytes,
        })
        .await;
        Ok(())
    }

    async fn tell(&self, told: Told) {
        // Whoever asked may have gone; the uploads go on all the same.
        let _ = self.told.send(told).await;
    }
}

/// The same paths to the same place with the same callback: the batch to continue, if it has not ended.
fn fingerprint(
    paths: &[PathBuf],
    destination_id: &str,
    key_rule: &Option<KeyRule>,
    callback: &Callback,
    overwrite: Option<OverwritePolicy>,
) -> String {
    // As text: a path that is not Unicode has no JSON form, and is refused later in words.
    let paths: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
    // A profile by its id, so that one that was edited or renamed meanwhile is still the same.
    let asked = match callback {
        Callback::Given(given) => serde_json::json!(given),
        Callback::OfProfile(id) => serde_json::json!(id),
        Callback::OfDestination => serde_json::Value::Null,
    };
    serde_json::json!([destination_id, paths, key_rule, asked, overwrite]).to_string()
}

#[cfg(test)]
#[path = "following_tests.rs"]
mod tests;
