//! The holder's side of a handover: commands of other processes on this data folder are carried out here.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Engine;
use super::following::{Asked, Place};
use crate::error::Error;
use crate::handover::socket::Listener;
use crate::handover::{Answer, Wanted};

/// How long a request or an answer may take on its way. The other process is on this computer.
const PATIENCE: Duration = Duration::from_secs(10);
/// No command line is longer.
const LONGEST_REQUEST: u64 = 16 << 20;

impl Engine {
    /// Lets other processes hand their work over until the engine stops. Without a socket they are told who holds the
    /// folder, and no more.
    pub(super) fn listen_for_other_processes(&self, data_dir: &Path) {
        let bound = self.tasks.make(|| Listener::bind(data_dir)).and_then(|(listener, announce)| {
            announce.map_or(Ok(()), |name| self.store.announce(&name))?;
            Ok(listener)
        });
        let mut listener = match bound {
            Ok(listener) => listener,
            Err(error) => return tracing::warn!(%error, "no other process can hand its work over"),
        };
        let (engine, stop) = (self.clone(), self.tasks.token().clone());
        self.tasks.spawn("listen", async move {
            loop {
                let accepted = tokio::select! {
                    () = stop.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                match accepted {
                    Ok(stream) => {
                        let serving = engine.clone();
                        engine.tasks.spawn("handover", async move { serving.serve(stream).await });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "could not hear another process");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        });
    }

    /// Returns when nothing that other processes handed over is under way.
    pub async fn until_nothing_is_handed_over(&self) {
        // The sender is as old as the engine, so waiting ends only one way.
        let _ = self.handed_over.subscribe().wait_for(|under_way| *under_way == 0).await;
    }

    /// How many commands of other processes are under way here.
    pub fn handed_over(&self) -> usize {
        *self.handed_over.borrow()
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let (reader, writer) = tokio::io::split(stream);
        let mut answers = Answers { writer, gone: false };
        let mut line = String::new();
        let mut reader = BufReader::new(reader.take(LONGEST_REQUEST));
        let stop = self.tasks.token().clone();
        let read = tokio::select! {
            () = stop.cancelled() => return,
            read = timeout(PATIENCE, reader.read_line(&mut line)) => read,
        };
        if !matches!(read, Ok(Ok(1..))) {
            return;
        }
        let asked = match Wanted::read(&line) {
            Ok(Wanted::Uploads(asked, batch)) => self.may_serve(&asked).await.map(|()| Wanted::Uploads(asked, batch)),
            other => other,
        };
        drop(line);
        match asked {
            Err(error) => answers.refuse(&error).await,
            Ok(wanted) => {
                self.handed_over.send_modify(|under_way| *under_way += 1);
                tokio::select! {
                    // The connection breaks without an end, so whoever asked goes on by itself.
                    () = stop.cancelled() => {}
                    () = self.carry_out(wanted, &mut answers) => {}
                }
                self.handed_over.send_modify(|under_way| *under_way -= 1);
            }
        }
    }

    /// Goes on to the end even when whoever asked has gone: the work is ours now.
    async fn carry_out(&self, wanted: Wanted, answers: &mut Answers<impl AsyncWrite + Unpin>) {
        answers.say(&Answer::Taken).await;
        let (told, mut words) = mpsc::channel(64);
        let mut following = std::pin::pin!(async {
            match wanted {
                Wanted::Uploads(asked, batch) => self.follow(*asked, batch, told).await,
                Wanted::Calls(nos) => self.call_again(nos, None, told).await,
            }
        });
        let ended = loop {
            tokio::select! {
                Some(word) = words.recv() => answers.say(&Answer::Told(word)).await,
                ended = &mut following => break ended,
            }
        };
        while let Ok(word) = words.try_recv() {
            answers.say(&Answer::Told(word)).await;
        }
        match ended {
            Ok(()) => answers.say(&Answer::Ended).await,
            // The end of ours is not the end of theirs.
            Err(_) if self.tasks.token().is_cancelled() => {}
            Err(error) => answers.refuse(&error).await,
        }
    }

    /// Other keys must not be put under uploads that are on their way with theirs.
    async fn may_serve(&self, asked: &Asked) -> Result<(), Error> {
        let Place::Described(built_in) = &asked.to else { return Ok(()) };
        if self.troubles.of(&built_in.id).is_none() && self.destinations.is_busy_with_other_keys(built_in).await? {
            return Err(Error::Invalid(format!(
                "the Waybill that holds the data folder is uploading to \"{}\" with other keys; run this again when it has \
                 ended",
                built_in.bucket
            )));
        }
        Ok(())
    }
}

struct Answers<W> {
    writer: W,
    /// Nobody hears them any more.
    gone: bool,
}

impl<W: AsyncWrite + Unpin> Answers<W> {
    async fn say(&mut self, answer: &Answer) {
        let Ok(line) = serde_json::to_string(answer) else { return };
        if !self.gone {
            let said = timeout(PATIENCE, self.writer.write_all((line + "\n").as_bytes())).await;
            self.gone = !matches!(said, Ok(Ok(())));
        }
    }

    async fn refuse(&mut self, error: &Error) {
        self.say(&Answer::Refused { code: error.code(), message: error.to_string() }).await;
    }
}
