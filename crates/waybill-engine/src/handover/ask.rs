//! The asking side: a command hands its work over and hears of it.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep, timeout};

use super::socket::{self, Stream};
use super::{Answer, CallAgain, PROTOCOL, Request};
use crate::engine::following::{Asked, Told};
use crate::error::{Code, Error};

/// A holder that is just starting, or has much to do, is given this long to take the work.
const PATIENCE: Duration = Duration::from_secs(5);

/// What became of work that was handed over.
#[derive(Debug)]
pub enum Handed {
    /// All of it has been told.
    Ended,
    /// The holder ended before its work did; the batch is known if it was begun.
    HolderEnded {
        /// The batch.
        batch: Option<i64>,
    },
    /// Nobody took it.
    NotTaken,
    /// These keys run out, so only the process that got them can go on with them.
    KeysRunOut,
}

/// Hands over to the process that holds this data folder. `taken` hears once that it is saved there; `told` hears
/// the rest.
///
/// # Errors
/// What the holder says: as [`crate::Engine::follow`].
pub async fn hand_over(
    data_dir: &Path,
    asked: &Asked,
    known: Option<i64>,
    taken: impl FnOnce(),
    told: &Sender<Told>,
) -> Result<Handed, Error> {
    let Some(request) = Request::of(asked, known).await? else { return Ok(Handed::KeysRunOut) };
    let line = serde_json::to_string(&request).map_err(|error| Error::Invalid(error.to_string()))? + "\n";
    drop(request);
    talk(data_dir, line, known, taken, told).await
}

/// Has the process that holds this data folder send callbacks again; it needs no keys but its own. `taken` and `told` as
/// in [`hand_over`].
///
/// # Errors
/// What the holder says: as [`crate::Engine::call_again`].
pub async fn hand_over_calls(
    data_dir: &Path,
    nos: &[i64],
    taken: impl FnOnce(),
    told: &Sender<Told>,
) -> Result<Handed, Error> {
    let request = CallAgain { protocol: PROTOCOL, call_again: nos.to_vec() };
    let line = serde_json::to_string(&request).map_err(|error| Error::Invalid(error.to_string()))? + "\n";
    talk(data_dir, line, None, taken, told).await
}

async fn talk(
    data_dir: &Path,
    line: String,
    known: Option<i64>,
    taken: impl FnOnce(),
    told: &Sender<Told>,
) -> Result<Handed, Error> {
    let until = Instant::now() + PATIENCE;
    let Some(mut stream) = connect(data_dir, until).await else { return Ok(Handed::NotTaken) };
    let mut answers = match timeout(PATIENCE, stream.write_all(line.as_bytes())).await {
        Ok(Ok(())) => BufReader::new(stream),
        _ => return Ok(Handed::NotTaken),
    };
    drop(line);
    match timeout(PATIENCE, next(&mut answers)).await {
        Ok(Some(Answer::Taken)) => {}
        Ok(Some(Answer::Refused { code, message })) => return Err(Error::Store { code, message }),
        _ => return Ok(Handed::NotTaken),
    }
    let (mut batch, mut taken) = (known, Some(taken));
    loop {
        match next(&mut answers).await {
            Some(Answer::Told(word)) => {
                // The first word says that it could be begun.
                if let Some(taken) = taken.take() {
                    taken();
                }
                if let Told::Batch(begun) = word {
                    batch = Some(begun);
                }
                // Whoever asked has gone when nobody listens; the holder goes on without a listener.
                if told.send(word).await.is_err() {
                    return Ok(Handed::Ended);
                }
            }
            Some(Answer::Ended) => return Ok(Handed::Ended),
            Some(Answer::Refused { code: Code::Refused, .. }) | None => return Ok(Handed::HolderEnded { batch }),
            Some(Answer::Refused { code, message }) => return Err(Error::Store { code, message }),
            Some(Answer::Taken) => {}
        }
    }
}

/// None at the end, and for what is no answer.
async fn next(answers: &mut BufReader<Stream>) -> Option<Answer> {
    let mut line = String::new();
    answers.read_line(&mut line).await.ok()?;
    serde_json::from_str(&line).ok()
}

async fn connect(data_dir: &Path, until: Instant) -> Option<Stream> {
    loop {
        match socket::connect(data_dir).await {
            Ok(stream) => return Some(stream),
            Err(error) if Instant::now() >= until => {
                tracing::debug!(%error, "nobody listens in the data folder");
                return None;
            }
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}
