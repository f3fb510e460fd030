//! Carries out one upload and reports to the queue; it never touches the store.
//!
//! Robust against, in the order it can happen: the source gone or changed before we start; an UploadId that OSS no longer
//! knows; parts stored by an earlier run whose record was lost; a part whose CRC-64 differs; a source that changes while
//! parts are on their way; the user stopping at any moment; a finishing request whose answer is lost (see `settle`).

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use waybill_oss::{Advice, CallbackSpec, Client, ObjectHeaders, ObjectKey, RetryPolicy, Stored};

use super::overwrite::{self, Choice};
use super::parts::{self, PartsTrip};
use super::plan::{Plan, part_size};
use super::put;
use super::settle;
use super::source::{self, SourceStamp};
use super::state::{Forget, ObjectFacts, Session};
use crate::callback_profile::{self, CalledFor};
use crate::clock::now_ms;
use crate::error::{Code, Error};
use crate::progress::Gauge;
use crate::throttle::{Lane, Permit};
use crate::upload::plan::StoredPart;
use crate::view::{CallbackProfileForm, OverwritePolicy};

/// Longest wait that OSS may ask for before an Initiate is repeated with its permit held.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What a driver tells the queue. Those that need the queue's consent wait for it.
#[derive(Debug)]
pub(crate) enum Report {
    /// Another key is taken, since the wanted one is in use.
    Renamed(ObjectKey),
    /// The object at the key stays, and nothing is sent.
    AlreadyThere(ObjectFacts),
    /// An Initiate is about to be sent; the server's time.
    Initiating { server_ms: i64 },
    /// Its answer was lost: OSS may hold an upload that nobody knows.
    InitiateLost,
    /// OSS certainly did not begin an upload.
    NotInitiated,
    /// The earlier session is of no use.
    StartedAnew { abort: bool },
    /// The plan, and the parts that ListParts and the file agreed on.
    Planned(Session, Vec<StoredPart>),
    /// One more part is stored.
    Part(StoredPart),
    /// Everything is sent and checked.
    Finishing { crc64: u64 },
    /// All of a small file is read and checked, and is about to be sent in one request.
    Whole(Session, u64),
    /// OSS has the object.
    Stored(ObjectFacts, waybill_oss::CallbackOutcome),
    /// It did not work.
    Trouble(Error, Forget),
    /// What became of the finishing request could not be found out.
    Unsettled(Error),
    /// The PutObject of an earlier run has stored nothing.
    NotCarriedOut,
}

/// The driver's line to the queue.
#[derive(Clone)]
pub(crate) struct Reports {
    pub(crate) send: tokio::sync::mpsc::Sender<crate::queue_line::Message>,
    pub(crate) no: i64,
    pub(crate) run: u64,
}

/// The queue said stop, or it is gone; the driver ends without another word.
#[derive(Debug)]
pub(crate) struct Stopped;

impl Reports {
    /// Reports and waits until the queue agrees: where a crash would do harm, until it is saved.
    pub(crate) async fn consent(&self, report: Report) -> Result<(), Stopped> {
        let (answer, saved) = oneshot::channel();
        self.post(report, Some(answer)).await?;
        match saved.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Stopped),
        }
    }

    /// Reports without waiting; later reports are saved after it.
    pub(crate) async fn tell(&self, report: Report) -> Result<(), Stopped> {
        self.post(report, None).await
    }

    async fn post(&self, report: Report, answer: Option<oneshot::Sender<Result<(), Error>>>) -> Result<(), Stopped> {
        let message = crate::queue_line::Message::Report { no: self.no, run: self.run, report, answer };
        self.send.send(message).await.map_err(|_| Stopped)
    }
}

/// Everything one driver needs.
pub(crate) struct Trip {
    pub(crate) path: PathBuf,
    pub(crate) key: ObjectKey,
    pub(crate) content_type: Option<String>,
    pub(crate) callback: Option<CallbackSpec>,
    /// What the callback is made of, for a key that changes.
    pub(crate) profile: Option<CallbackProfileForm>,
    pub(crate) batch: i64,
    pub(crate) created_ms: i64,
    /// As it was queued.
    pub(crate) size_bytes: i64,
    /// What becomes of an object that is there already, as far as it is still to be asked.
    pub(crate) overwrite: OverwritePolicy,
    pub(crate) wanted_key: Option<String>,
    pub(crate) client: Client,
    pub(crate) throttle: Lane,
    pub(crate) gauge: Arc<Gauge>,
    /// None: chosen for the file.
    pub(crate) part_size_bytes: Option<u64>,
    /// How long OSS may go on with a finishing request whose connection is lost.
    pub(crate) finishing: Duration,
    pub(crate) reports: Reports,
    pub(crate) stop: CancellationToken,
}

impl Trip {
    /// What is said about the object.
    pub(crate) fn headers(&self) -> ObjectHeaders {
        ObjectHeaders {
            forbid_overwrite: self.overwrite.forbids(),
            ..ObjectHeaders::of_type(self.content_type.as_deref())
        }
    }

    /// Goes to another key from now on; the callback may name it.
    pub(crate) fn rename(&mut self, key: ObjectKey) -> Result<(), Error> {
        self.key = key;
        self.tell_anew()
    }

    /// The file has this many bytes, which are not those that it was queued with.
    fn resize(&mut self, size_bytes: u64) -> Result<(), Error> {
        self.size_bytes = i64::try_from(size_bytes).unwrap_or(i64::MAX);
        self.tell_anew()
    }

    fn tell_anew(&mut self) -> Result<(), Error> {
        let told = CalledFor {
            key: self.key.as_str(),
            no: self.reports.no,
            batch: self.batch,
            queued_ms: self.created_ms,
            size_bytes: self.size_bytes,
        };
        self.callback = callback_profile::checked_spec(self.profile.as_ref(), told)?;
        Ok(())
    }
}

/// What the driver sets out to do.
pub(crate) enum Errand {
    /// Plan or resume, and send; a small file that an earlier run may have sent is asked for first.
    Send { session: Option<Session>, known: Vec<StoredPart>, perhaps_sent: bool },
    /// Find out what became of a finishing request.
    Settle { session: Session, crc64: u64, known: Vec<StoredPart> },
}

/// Runs until the upload is stored, in trouble, or stopped. Stopping drops every request at once.
pub(crate) async fn run(mut trip: Box<Trip>, errand: Errand) {
    let (stop, reports) = (trip.stop.clone(), trip.reports.clone());
    let renames = trip.overwrite == OverwritePolicy::Rename;
    tokio::select! {
        () = stop.cancelled() => {}
        result = drive(&mut trip, errand) => {
            let report = match result {
                Ok(()) | Err(Ended::Stopped) => return,
                // The parts belong to a name that somebody else has taken meanwhile.
                Err(Ended::Trouble(error, _)) if renames && error.code() == Code::AlreadyThere => {
                    Report::Trouble(error, Forget::AndAbort)
                }
                Err(Ended::Trouble(error, forget)) => Report::Trouble(error, forget),
                Err(Ended::Unsettled(error)) => Report::Unsettled(error),
            };
            // A queue that is gone has nobody to tell.
            let _ = reports.consent(report).await;
        }
    }
}

/// Why a drive ended early.
#[derive(Debug)]
pub(crate) enum Ended {
    Stopped,
    Trouble(Error, Forget),
    Unsettled(Error),
}

impl From<Stopped> for Ended {
    fn from(_: Stopped) -> Self {
        Ended::Stopped
    }
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        // A source that changed makes every stored part worthless; anything else leaves them good.
        let forget = if error.code() == Code::SourceChanged { Forget::AndAbort } else { Forget::Nothing };
        Ended::Trouble(error, forget)
    }
}

impl From<waybill_oss::Error> for Ended {
    fn from(error: waybill_oss::Error) -> Self {
        Ended::from(Error::Oss(error))
    }
}

async fn drive(trip: &mut Trip, errand: Errand) -> Result<(), Ended> {
    match errand {
        Errand::Settle { session, crc64, known } => {
            // All of it was sent, by an earlier run.
            trip.gauge.set(i64::try_from(session.plan.size_bytes).unwrap_or(i64::MAX));
            Box::pin(settle::settle(trip, &session, crc64, &known, None)).await
        }
        Errand::Send { session, known, perhaps_sent } => send(trip, session, known, perhaps_sent).await,
    }
}

/// What a small file does not need is boxed: it would be carried, and copied, with each of ten thousand.
async fn send(
    trip: &mut Trip,
    earlier: Option<Session>,
    known: Vec<StoredPart>,
    perhaps_sent: bool,
) -> Result<(), Ended> {
    let ((file, stamp), permit) = open(trip, earlier.is_none()).await?;
    let file = Arc::new(file);
    if trip.profile.is_some() && i64::try_from(stamp.size_bytes) != Ok(trip.size_bytes) {
        trip.resize(stamp.size_bytes)?;
    }
    if let Some(session) = earlier {
        let usable = session.stamp == stamp && session.plan.size_bytes == stamp.size_bytes;
        if let (true, Some(upload_id)) = (usable, session.upload_id.clone()) {
            let kept = Box::pin(parts::take_up(trip, &file, &session.plan, &upload_id, &known)).await?;
            if let Some(kept) = kept {
                let sending = PartsTrip { trip, file, session, upload_id };
                return Box::pin(sending.send_all(kept)).await;
            }
            if known.len() == session.plan.parts() as usize {
                // Every part was stored and the UploadId is gone: an earlier try may have been finished after all.
                let crc64 = parts::whole_crc64(&known);
                if let Some(object) = Box::pin(settle::ours(trip, &session, crc64)).await? {
                    trip.reports.consent(Report::Planned(session, known)).await?;
                    trip.reports.consent(Report::Finishing { crc64 }).await?;
                    return settle::stored_without_answer(trip, object).await;
                }
            }
            trip.reports.consent(Report::StartedAnew { abort: false }).await?;
        } else if session.upload_id.is_some() {
            trip.reports.consent(Report::StartedAnew { abort: true }).await?;
        }
    }
    let wanted = trip.part_size_bytes.unwrap_or_else(|| part_size(stamp.size_bytes, trip.throttle.seen()));
    let plan = Plan::new(stamp.size_bytes, wanted).ok_or_else(|| source::too_large(&trip.path, stamp.size_bytes))?;
    if let Choice::Leave(object) = Box::pin(overwrite::choose(trip, &file, stamp)).await? {
        return Ok(trip.reports.consent(Report::AlreadyThere(object)).await?);
    }
    if plan.is_single() {
        return put::put(trip, file, plan, stamp, perhaps_sent, permit).await;
    }
    drop(permit);
    let upload_id = Box::pin(initiate(trip)).await?;
    let session = Session { upload_id: Some(upload_id.clone()), plan, stamp };
    Box::pin(PartsTrip { trip, file, session, upload_id }.send_all(Vec::new())).await
}

/// Begins a multipart upload. The request is saved before it is sent; each repeat is made here rather than in the client,
/// so that it is known whether OSS may hold an upload whose UploadId was never heard.
async fn initiate(trip: &Trip) -> Result<String, Ended> {
    let server_ms = now_ms().saturating_add(trip.client.clock().skew().as_millis() as i64);
    trip.reports.consent(Report::Initiating { server_ms }).await?;
    let _permit = trip.throttle.permit().await;
    let (once, headers) = (trip.client.clone().with_retry(RetryPolicy::none()), trip.headers());
    let (mut lost, mut made) = (false, 0);
    loop {
        made += 1;
        let error = match once.initiate_multipart(&trip.key, &headers).await {
            // Forgotten with the plan, which holds the UploadId.
            Ok(upload_id) => return Ok(upload_id),
            Err(error) => error,
        };
        if error.answer_lost() && !lost {
            lost = true;
            trip.reports.tell(Report::InitiateLost).await?;
        }
        match between_initiates(&error, made) {
            Some(wait) => tokio::time::sleep(wait).await,
            None if lost => return Err(Ended::from(error)),
            None => {
                trip.reports.tell(Report::NotInitiated).await?;
                return Err(Ended::from(error));
            }
        }
    }
}

/// The wait before Initiate is repeated, as the client would repeat it; longer ones are the queue's.
pub(crate) fn between_initiates(error: &waybill_oss::Error, made: u32) -> Option<Duration> {
    let policy = RetryPolicy::default();
    if made >= policy.attempts || error.advice() == Advice::Never {
        return None;
    }
    let asked = match error {
        waybill_oss::Error::Service(answer) => answer.retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    };
    let spread = (policy.base * made).mul_f64(rand::random());
    (asked <= LONGEST_WAIT).then_some(spread.max(asked))
}

/// Compares what OSS stored with what we sent, and reports the outcome.
pub(crate) async fn finished(trip: &Trip, stored: Stored, crc64: u64, size_bytes: u64) -> Result<(), Ended> {
    if let Some(server) = stored.crc64
        && server != crc64
    {
        let error = waybill_oss::Error::Integrity {
            operation: "CompleteMultipartUpload",
            local: crc64,
            server,
            request_id: Some(stored.request_id),
        };
        // The parts are used up. The object stays: what OSS holds is nobody's to delete unasked.
        return Err(Ended::Trouble(Error::Oss(error), Forget::Gone));
    }
    let object = ObjectFacts {
        size_bytes,
        etag: stored.etag,
        crc64: stored.crc64,
        verified: stored.crc64.is_some(),
        request_id: stored.request_id,
        version_id: stored.version_id,
        finishing_ms: i64::try_from(stored.elapsed.as_millis()).unwrap_or(i64::MAX),
        already_there: None,
    };
    Ok(trip.reports.consent(Report::Stored(object, stored.callback)).await?)
}

/// Counts a request's bytes on the upload's gauge.
pub(crate) fn progress(gauge: &Arc<Gauge>) -> waybill_oss::Progress {
    let gauge = Arc::clone(gauge);
    Arc::new(move |bytes| gauge.add(bytes))
}

/// Opens and stamps, off the runtime's thread where that may take its time.
///
/// What is small is opened with the permit in hand that its one request needs: read at once, it need not be looked for by its
/// name again. Not where requests are counted, since what cannot be opened makes none.
async fn open(trip: &Trip, anew: bool) -> Result<((File, SourceStamp), Option<Permit>), Error> {
    let small = trip.size_bytes <= put::SMALL_BYTES as i64 && anew && trip.overwrite == OverwritePolicy::Overwrite;
    let permit = match small && source::OPENS_NOW && !trip.throttle.counts_requests() {
        true => Some(trip.throttle.permit().await),
        false => None,
    };
    if let Some(opened) = source::open_now(&trip.path) {
        return Ok((opened, permit));
    }
    // Others need it meanwhile.
    drop(permit);
    let path = trip.path.clone();
    Ok((blocking(move || source::open(&path)).await?, None))
}

/// Checks the stamp, off the runtime's thread where that may take its time.
pub(crate) async fn check(path: PathBuf, stamp: SourceStamp) -> Result<(), Error> {
    if source::is_unchanged_now(&path, stamp) {
        return Ok(());
    }
    blocking(move || source::check(&path, stamp)).await
}

/// A file that cannot be read on because it changed under our hands is a changed file: waited for, not given up.
pub(crate) async fn source_first(path: PathBuf, stamp: SourceStamp, error: waybill_oss::Error) -> Error {
    match error {
        waybill_oss::Error::Source(_) => check(path, stamp).await.err().unwrap_or(Error::Oss(error)),
        other => Error::Oss(other),
    }
}

/// Runs file work on the blocking pool.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Error::Source { code: Code::SourceUnreadable, message: "reading the file was interrupted".into() })
    })
}
