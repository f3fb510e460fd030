//! Follows the uploads of one command to their end and prints a receipt for each.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressStyle};
use waybill_engine::view::{Added, Phase, UploadRow};
use waybill_engine::{Engine, Error};

use crate::history::json;
use crate::receipt::{Receipt, Verdict};
use crate::terminal;

/// Prints receipts as uploads end.
pub(crate) struct Teller<'a> {
    engine: &'a Engine,
    began_ms: i64,
    json: bool,
    bar: ProgressBar,
    told: i64,
    worst: Verdict,
}

impl<'a> Teller<'a> {
    /// Made before anything is queued: what ended earlier was the work of an earlier run.
    pub(crate) fn new(engine: &'a Engine, json: bool) -> Teller<'a> {
        Teller { engine, began_ms: now_ms(), json, bar: bar(), told: 0, worst: Verdict::Fine }
    }

    /// Uploads may end while folders are still being read.
    pub(crate) async fn while_reading(
        &mut self,
        enqueue: impl Future<Output = Result<Added, Error>>,
    ) -> Result<Added, String> {
        let mut enqueue = std::pin::pin!(enqueue);
        loop {
            tokio::select! {
                added = &mut enqueue => return added.map_err(|error| error.to_string()),
                Some(no) = self.engine.next_finished() => self.tell(no).await?,
            }
        }
    }

    /// Tells every upload of the batch once, and gives the exit code.
    pub(crate) async fn follow(mut self, added: Added) -> Result<ExitCode, String> {
        let listed = added.refused.len() as i64;
        for refused in added.refused {
            self.print(&Receipt::refused(refused));
        }
        if added.refused_count > listed {
            terminal::complain(&format!("{} more paths were refused", added.refused_count - listed));
        }
        let (mut total, mut bytes, mut after) = (0, 0, 0);
        loop {
            let page = self.engine.batch_page(added.batch, after, 500).await.map_err(|error| error.to_string())?;
            let Some(last) = page.last() else { break };
            after = last.no;
            for row in page {
                total += 1;
                bytes += row.size_bytes;
                self.take_up(&row).await?;
            }
        }
        if total == 0 && added.refused_count == 0 {
            return Err("there is no file to upload in what was given".into());
        }
        self.bar.set_length(u64::try_from(bytes).unwrap_or(0));
        while self.told < total {
            tokio::select! {
                no = self.engine.next_finished() => match no {
                    Some(no) => self.tell(no).await?,
                    None => return Err("stopped before everything was uploaded".into()),
                },
                Some(changes) = self.engine.next_changes() => {
                    self.bar.set_message(format!("{}/{total} files", self.told));
                    self.bar.set_position(u64::try_from(bytes - changes.counts.bytes_left).unwrap_or(0));
                }
            }
        }
        self.bar.finish_and_clear();
        Ok(ExitCode::from(match self.worst {
            Verdict::Fine => 0,
            Verdict::CallbackFailed => 2,
            Verdict::NotStored => 1,
        }))
    }

    /// A batch that is continued: what an earlier run stored belongs to its receipts, what it gave up is tried again, and
    /// what was paused in the window goes on.
    async fn take_up(&mut self, row: &UploadRow) -> Result<(), String> {
        let asked = match row.phase {
            Phase::Paused => self.engine.resume(row.no).await,
            Phase::Done | Phase::Failed | Phase::Cancelled if row.finished_ms.is_none_or(|at| at >= self.began_ms) => {
                // Ended in this run: `next_finished` tells.
                return Ok(());
            }
            Phase::Failed => self.engine.retry(row.no).await,
            Phase::Done | Phase::Cancelled => return self.tell(row.no).await,
            Phase::Queued | Phase::Starting | Phase::Sending | Phase::Completing => return Ok(()),
        };
        match asked {
            Ok(()) | Err(Error::Refused(_)) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn tell(&mut self, no: i64) -> Result<(), String> {
        let details = self.engine.upload_details(no).await.map_err(|error| error.to_string())?;
        self.told += 1;
        self.print(&Receipt::of(details));
        Ok(())
    }

    fn print(&mut self, receipt: &Receipt) {
        self.worst = self.worst.max(receipt.verdict());
        let line = if self.json { json(receipt) } else { receipt.in_words() };
        // A reader that went away does not stop the upload.
        self.bar.suspend(|| terminal::result_line(&line));
    }
}

fn bar() -> ProgressBar {
    if !terminal::is_watched() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} · {msg}");
    // The template is a constant that parses; the default style is as good.
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
