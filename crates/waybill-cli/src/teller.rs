//! Prints what a command is told of its uploads, whichever process does them, and knows the exit code.

use std::collections::HashSet;
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc::Receiver;
use waybill_engine::Told;

use crate::history::json;
use crate::receipt::{Receipt, Verdict};
use crate::terminal;

/// As much is printed at once.
const LINES_BYTES: usize = 32 << 10;
/// How far it has got, in bytes or in callbacks.
const BYTES: &str = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} · {msg}";
const CALLS: &str = "{bar:30} {msg}";

/// Prints receipts as uploads end.
pub(crate) struct Teller {
    json: bool,
    /// Of callbacks that are sent again, not of uploads.
    calls: bool,
    bar: ProgressBar,
    worst: Verdict,
    /// What was printed, when somebody else may have to tell it again.
    printed: Option<HashSet<String>>,
    /// To be printed together: a thousand small files end in a second.
    lines: String,
}

impl Teller {
    pub(crate) fn new(json: bool) -> Teller {
        Teller { json, calls: false, bar: bar(BYTES), worst: Verdict::Fine, printed: None, lines: String::new() }
    }

    /// One that tells of callbacks that are sent again.
    pub(crate) fn of_calls(json: bool) -> Teller {
        Teller { calls: true, bar: bar(CALLS), ..Teller::new(json) }
    }

    /// Whether it was told of this upload, since another process does the work.
    pub(crate) fn has_told(&self, no: i64) -> bool {
        self.printed.as_ref().is_some_and(|printed| printed.contains(&no.to_string()))
    }

    /// Prints what is told while `work` goes on, and what is left of it at its end.
    pub(crate) async fn listen<T>(&mut self, words: &mut Receiver<Told>, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let ended = loop {
            tokio::select! {
                Some(word) = words.recv() => {
                    self.hear(word);
                    self.hear_all(words);
                }
                ended = &mut work => break ended,
            }
        };
        self.hear_all(words);
        ended
    }

    /// From now on another process does the work, which may end before it: then all is told once more.
    pub(crate) fn may_be_told_again(&mut self) {
        self.printed.get_or_insert_default();
    }

    /// Everything has been told.
    pub(crate) fn exit_code(&self) -> ExitCode {
        self.bar.finish_and_clear();
        ExitCode::from(match self.worst {
            Verdict::Fine => 0,
            Verdict::CallbackFailed => 2,
            Verdict::NotStored => 1,
        })
    }

    /// What has come meanwhile, printed together.
    fn hear_all(&mut self, words: &mut Receiver<Told>) {
        while let Ok(word) = words.try_recv() {
            self.hear(word);
        }
        self.print_lines();
    }

    fn hear(&mut self, word: Told) {
        match word {
            Told::Batch(_) => {}
            Told::Upload(details) => {
                let no = details.row.no.to_string();
                let receipt = if self.calls { Receipt::of_call(*details) } else { Receipt::of(*details) };
                self.print(&no, &receipt);
            }
            Told::Refused(path) => self.print(&path.path.clone(), &Receipt::refused(path)),
            Told::MoreRefused(more) => self.say(&format!("{more} more paths were refused")),
            Told::Waits(problem) => {
                self.say(&format!("{}; everything waits until that works again", problem.message));
            }
            Told::Progress { files_done, files, bytes_done, bytes } => {
                let natural = |bytes| u64::try_from(bytes).unwrap_or(0);
                self.bar.set_length(natural(bytes));
                let what = if self.calls { "callbacks" } else { "files" };
                self.bar.set_message(format!("{files_done}/{files} {what}"));
                self.bar.set_position(natural(bytes_done));
            }
        }
    }

    fn print(&mut self, what: &str, receipt: &Receipt) {
        if self.printed.as_mut().is_some_and(|printed| !printed.insert(what.to_owned())) {
            return;
        }
        self.worst = self.worst.max(receipt.verdict());
        let line = if self.json { json(receipt) } else { receipt.in_words() };
        self.lines.push_str(&line);
        self.lines.push('\n');
        if self.lines.len() >= LINES_BYTES {
            self.print_lines();
        }
    }

    fn print_lines(&mut self) {
        if !self.lines.is_empty() {
            // A reader that went away does not stop the upload.
            self.bar.suspend(|| terminal::result_lines(&self.lines));
            self.lines.clear();
        }
    }

    fn say(&self, message: &str) {
        self.bar.suspend(|| terminal::complain(message));
    }
}

fn bar(template: &str) -> ProgressBar {
    if !terminal::is_watched() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template);
    // Both templates are constants that parse; the default style is as good.
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
