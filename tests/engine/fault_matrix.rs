//! Every call × every fault × one PutObject or parts: how the upload ends, how many bytes go over the line a second time,
//! how often the call is made, and how many callbacks the application gets.

use std::panic::catch_unwind;
use std::sync::Mutex;
use std::time::Duration;

use tokio::runtime::Builder;
use waybill_engine::view::{CallbackBadge, Phase};
use waybill_engine::{Access, Code, CredentialSource, Credentials};
use waybill_oss::ObjectKey;
use waybill_sandbox::Operation::{
    self, AbortMultipartUpload as Abort, CompleteMultipartUpload as Complete, HeadObject,
    InitiateMultipartUpload as Initiate, ListParts, PutObject, UploadPart,
};
use waybill_sandbox::{Fault, FaultKind, LoggedRequest};
use waybill_tests::{TestBed, content};

use self::Ends::{Cancelled, Failed, Stored, Unheard};
use self::Fails::{Busy, Cut, DeadKeys, Error500, Expired, Lost, Refused, Reset, Skewed, Stalled, WrongCrc, WrongEtag};
use self::Way::{Cancelling, Parts, Resumed, Settling, Simple, SimpleSettling};

/// A file of one PutObject.
const WHOLE: u64 = 100_000;
/// One part, and a file of two and a bit.
const PART: u64 = 128 << 10;
const THREE: u64 = 2 * PART + 1000;
/// Of a body that is reset.
const HALF: u64 = 50_000;
/// Rows under way at once: most of their time they wait.
const AT_ONCE: usize = 16;

/// How the call comes to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// One PutObject.
    Simple,
    /// One PutObject whose answer is lost, so that the object is asked for.
    SimpleSettling,
    /// A multipart upload; UploadPart means its second part.
    Parts,
    /// One whose Complete is carried out and not answered.
    Settling,
    /// One that is taken up by the next run with one part stored.
    Resumed,
    /// One that is cancelled with one part stored.
    Cancelling,
}

/// What goes wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fails {
    /// Connection refused, until the server is back.
    Refused,
    /// Reset at byte [`HALF`] of a body; at once where there is none.
    Reset,
    /// Nothing moves.
    Stalled,
    /// 500 InternalError.
    Error500,
    /// 503 with Retry-After of one second.
    Busy,
    /// 403 RequestTimeTooSkewed: the server's clock jumped.
    Skewed,
    /// 403 SecurityTokenExpired, and there are new keys where the old ones came from.
    Expired,
    /// The same, and there are none until somebody gives them.
    DeadKeys,
    /// The answer ends in its middle.
    Cut,
    /// The answer never comes, the work is done.
    Lost,
    /// The answer has another CRC-64.
    WrongCrc,
    /// The answer has another ETag.
    WrongEtag,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// Stored, and the callback's answer is known.
    Stored,
    /// Stored, and nobody heard what the callback's answer was.
    Unheard,
    Failed(Code),
    Cancelled,
}

type Row = (Way, Operation, Fails, Ends, u64, usize, usize);

// Left out, since there is no such thing:
//   Cut         of answers without a body (UploadPart, HeadObject, Abort): that is Lost
//   WrongCrc,   of answers without one (Initiate, Abort, a list of parts that says NoSuchUpload)
//   WrongEtag
#[rustfmt::skip]
const TABLE: &[Row] = &[
    // way            call        fails      ends               again  tries  callbacks
    (Simple,          PutObject,  Stalled,   Stored,            WHOLE,     2, 1),
    (Parts,           Complete,   Stalled,   Stored,                0,     2, 1),
    (Simple,          PutObject,  Refused,   Stored,                0,     1, 1),
    (Simple,          PutObject,  Reset,     Stored,             HALF,     2, 1),
    (Simple,          PutObject,  Error500,  Stored,            WHOLE,     2, 1),
    (Simple,          PutObject,  Busy,      Stored,            WHOLE,     2, 1),
    (Simple,          PutObject,  Skewed,    Stored,            WHOLE,     2, 1),
    (Simple,          PutObject,  Expired,   Stored,            WHOLE,     2, 1),
    (Simple,          PutObject,  DeadKeys,  Stored,            WHOLE,     2, 1),
    (Simple,          PutObject,  Cut,       Unheard,               0,     1, 1),
    (Simple,          PutObject,  Lost,      Unheard,               0,     1, 1),
    // A whole that differs is sent once more, so the application is told twice.
    (Simple,          PutObject,  WrongCrc,  Stored,            WHOLE,     2, 2),
    (Simple,          PutObject,  WrongEtag, Stored,                0,     1, 1),

    (SimpleSettling,  HeadObject, Refused,   Unheard,               0,     1, 1),
    (SimpleSettling,  HeadObject, Reset,     Unheard,               0,     2, 1),
    (SimpleSettling,  HeadObject, Stalled,   Unheard,               0,     2, 1),
    (SimpleSettling,  HeadObject, Error500,  Unheard,               0,     2, 1),
    (SimpleSettling,  HeadObject, Busy,      Unheard,               0,     2, 1),
    (SimpleSettling,  HeadObject, Skewed,    Unheard,               0,     2, 1),
    (SimpleSettling,  HeadObject, Expired,   Unheard,               0,     2, 1),
    (SimpleSettling,  HeadObject, DeadKeys,  Unheard,               0,     2, 1),
    (SimpleSettling,  HeadObject, Lost,      Unheard,               0,     2, 1),
    // Not the file yet, as far as one can see; so it is looked at again.
    (SimpleSettling,  HeadObject, WrongCrc,  Unheard,               0,     2, 1),
    (SimpleSettling,  HeadObject, WrongEtag, Unheard,               0,     1, 1),

    (Parts,           Initiate,   Refused,   Stored,                0,     1, 1),
    (Parts,           Initiate,   Reset,     Stored,                0,     2, 1),
    (Parts,           Initiate,   Stalled,   Stored,                0,     2, 1),
    (Parts,           Initiate,   Error500,  Stored,                0,     2, 1),
    (Parts,           Initiate,   Busy,      Stored,                0,     2, 1),
    (Parts,           Initiate,   Skewed,    Stored,                0,     2, 1),
    (Parts,           Initiate,   Expired,   Stored,                0,     2, 1),
    (Parts,           Initiate,   DeadKeys,  Stored,                0,     2, 1),
    (Parts,           Initiate,   Cut,       Stored,                0,     2, 1),
    (Parts,           Initiate,   Lost,      Stored,                0,     2, 1),

    (Parts,           UploadPart, Refused,   Stored,                0,     3, 1),
    (Parts,           UploadPart, Reset,     Stored,             HALF,     4, 1),
    (Parts,           UploadPart, Stalled,   Stored,             PART,     4, 1),
    (Parts,           UploadPart, Error500,  Stored,             PART,     4, 1),
    (Parts,           UploadPart, Busy,      Stored,             PART,     4, 1),
    (Parts,           UploadPart, Skewed,    Stored,             PART,     4, 1),
    (Parts,           UploadPart, Expired,   Stored,             PART,     4, 1),
    (Parts,           UploadPart, DeadKeys,  Stored,             PART,     4, 1),
    (Parts,           UploadPart, Lost,      Stored,             PART,     4, 1),
    (Parts,           UploadPart, WrongCrc,  Stored,             PART,     4, 1),
    // Complete is refused with InvalidPart; the server's list of parts says the right one.
    (Parts,           UploadPart, WrongEtag, Stored,                0,     3, 1),

    (Resumed,         ListParts,  Refused,   Stored,                0,     1, 1),
    (Resumed,         ListParts,  Reset,     Stored,                0,     2, 1),
    (Resumed,         ListParts,  Stalled,   Stored,                0,     2, 1),
    (Resumed,         ListParts,  Error500,  Stored,                0,     2, 1),
    (Resumed,         ListParts,  Busy,      Stored,                0,     2, 1),
    (Resumed,         ListParts,  Skewed,    Stored,                0,     2, 1),
    (Resumed,         ListParts,  Expired,   Stored,                0,     2, 1),
    (Resumed,         ListParts,  DeadKeys,  Stored,                0,     2, 1),
    (Resumed,         ListParts,  Cut,       Stored,                0,     2, 1),
    (Resumed,         ListParts,  Lost,      Stored,                0,     2, 1),
    // A part with our own ETag needs no other proof.
    (Resumed,         ListParts,  WrongCrc,  Stored,                0,     1, 1),
    // InvalidPart again, and another look.
    (Resumed,         ListParts,  WrongEtag, Stored,                0,     2, 1),

    (Parts,           Complete,   Refused,   Stored,                0,     1, 1),
    (Parts,           Complete,   Reset,     Stored,                0,     2, 1),
    (Parts,           Complete,   Error500,  Stored,                0,     2, 1),
    (Parts,           Complete,   Busy,      Stored,                0,     2, 1),
    (Parts,           Complete,   Skewed,    Stored,                0,     2, 1),
    (Parts,           Complete,   Expired,   Stored,                0,     2, 1),
    (Parts,           Complete,   DeadKeys,  Stored,                0,     2, 1),
    (Parts,           Complete,   Cut,       Unheard,               0,     1, 1),
    (Parts,           Complete,   Lost,      Unheard,               0,     1, 1),
    (Parts,           Complete,   WrongCrc,  Stored,            THREE,     2, 2),
    (Parts,           Complete,   WrongEtag, Stored,                0,     1, 1),

    (Settling,        ListParts,  Refused,   Unheard,               0,     1, 1),
    (Settling,        ListParts,  Reset,     Unheard,               0,     2, 1),
    (Settling,        ListParts,  Stalled,   Unheard,               0,     2, 1),
    (Settling,        ListParts,  Error500,  Unheard,               0,     2, 1),
    (Settling,        ListParts,  Busy,      Unheard,               0,     2, 1),
    (Settling,        ListParts,  Skewed,    Unheard,               0,     2, 1),
    (Settling,        ListParts,  Expired,   Unheard,               0,     2, 1),
    (Settling,        ListParts,  DeadKeys,  Unheard,               0,     2, 1),
    (Settling,        ListParts,  Cut,       Unheard,               0,     2, 1),
    (Settling,        ListParts,  Lost,      Unheard,               0,     2, 1),

    // Refused: the list of parts answers before, and shuts the door.
    (Settling,        HeadObject, Refused,   Unheard,               0,     1, 1),
    (Settling,        HeadObject, Reset,     Unheard,               0,     2, 1),
    (Settling,        HeadObject, Stalled,   Unheard,               0,     2, 1),
    (Settling,        HeadObject, Error500,  Unheard,               0,     2, 1),
    (Settling,        HeadObject, Busy,      Unheard,               0,     2, 1),
    (Settling,        HeadObject, Skewed,    Unheard,               0,     2, 1),
    (Settling,        HeadObject, Expired,   Unheard,               0,     2, 1),
    (Settling,        HeadObject, DeadKeys,  Unheard,               0,     2, 1),
    (Settling,        HeadObject, Lost,      Unheard,               0,     2, 1),
    // The UploadId is gone and the object is another, as far as anybody can see: for a person to look at.
    (Settling,        HeadObject, WrongCrc,  Failed(Code::NotStored), 0,   1, 1),
    (Settling,        HeadObject, WrongEtag, Unheard,               0,     1, 1),

    (Cancelling,      Abort,      Refused,   Cancelled,             0,     1, 0),
    (Cancelling,      Abort,      Reset,     Cancelled,             0,     2, 0),
    (Cancelling,      Abort,      Stalled,   Cancelled,             0,     2, 0),
    (Cancelling,      Abort,      Error500,  Cancelled,             0,     2, 0),
    (Cancelling,      Abort,      Busy,      Cancelled,             0,     2, 0),
    (Cancelling,      Abort,      Skewed,    Cancelled,             0,     2, 0),
    (Cancelling,      Abort,      Expired,   Cancelled,             0,     2, 0),
    (Cancelling,      Abort,      DeadKeys,  Cancelled,             0,     2, 0),
    (Cancelling,      Abort,      Lost,      Cancelled,             0,     2, 0),
];

#[test]
fn every_call_survives_every_fault_and_sends_no_byte_more_than_it_must() {
    let (rows, wrong) = (Mutex::new(TABLE.iter()), Mutex::new(Vec::new()));
    let live = || {
        loop {
            let Some(row) = rows.lock().expect("no panic holds it").next() else { return };
            let life = || Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(lived(*row));
            // A row that panics is named, too.
            let told = catch_unwind(life).unwrap_or_else(|_| Some(format!("{row:?}\n   panicked, see above")));
            wrong.lock().expect("no panic holds it").extend(told);
        }
    };
    std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(live))));
    let wrong = wrong.into_inner().expect("no panic held it");
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), TABLE.len(), wrong.join("\n"));
}

/// Lives through one row; what came of it, if that is not as the row says.
async fn lived(row: Row) -> Option<String> {
    let (way, call, fails, ends, again, tries, callbacks) = row;
    let mut bed = TestBed::with(|config| {
        // One after the other, so that nothing is under way beside the call.
        config.parallel = 1;
        config.part_size_bytes = PART;
        config.finishing = Duration::from_millis(200);
        if fails == Stalled {
            config.stall = Duration::from_secs(2);
        }
    })
    .await;
    if fails == Expired {
        fetched_keys(&bed).await;
    }
    let len = if matches!(way, Simple | SimpleSettling) { WHOLE } else { THREE };
    let path = bed.file("clip.mov", len as usize);
    let mut stored = 0;
    let half_way = matches!(way, Resumed | Cancelling);
    if half_way {
        bed.hold_part(2)
    } else {
        plan(&bed, row).await
    }
    let no = bed.upload(&path).await;
    if half_way {
        bed.met(1).await;
        bed.until(no, "one part stored", |details| details.row.parts_done == 1).await;
        stored = PART;
    }
    let mark = match way {
        Resumed => {
            bed.stop().await;
            bed.release_given_up(1).await;
            plan(&bed, row).await;
            let mark = bed.sandbox.log().len();
            bed.start_bare().await;
            if fails == Expired {
                fetched_keys(&bed).await
            } else {
                bed.connect().await
            }
            mark
        }
        Cancelling => {
            plan(&bed, row).await;
            bed.engine().cancel(no).await.expect("it can be cancelled");
            let given_up = |entry: &LoggedRequest| is_data(entry) && entry.fault.as_deref() == Some("stall");
            bed.logged("the part given up", |log| log.iter().any(given_up)).await;
            bed.sandbox.log().len()
        }
        _ => 0,
    };
    if way != Cancelling {
        mended(&bed, no, fails).await;
    }
    let details = bed.finished(no).await;
    if ends == Cancelled {
        if fails == DeadKeys {
            bed.met(2).await;
            bed.connect().await;
        }
        let aborts = |log: &[LoggedRequest]| log.iter().filter(|entry| entry.operation == Abort).count();
        bed.logged("every abort", |log| aborts(log) >= tries).await;
        bed.until_no_open_uploads().await;
    }
    bed.stop().await;
    let log = bed.sandbox.log();
    let of_call: Vec<_> = log.iter().filter(|entry| is_ours(entry) && entry.operation == call).collect();
    let sent: u64 = log[mark..].iter().filter(|entry| is_data(entry)).map(|entry| entry.bytes_received).sum();
    let ended = match (details.row.phase, &details.row.callback, &details.row.problem) {
        (Phase::Done, CallbackBadge::Answered { status: 200, .. }, None) if details.row.verified => Some(Stored),
        (Phase::Done, CallbackBadge::Unknown, None) if details.row.verified => Some(Unheard),
        (Phase::Failed, _, Some(problem)) => Some(Failed(problem.code)),
        (Phase::Cancelled, ..) => Some(Cancelled),
        _ => None,
    };
    let due = if ends == Cancelled { 0 } else { len - stored };
    let refused = of_call.iter().position(|entry| entry.status == Some(503));
    let waited = refused.is_none_or(|at| of_call[at + 1].at_ms - of_call[at].at_ms >= 1000);
    let whole = ends == Cancelled || bed.object("clip.mov") == Some(content(len as usize));
    let came = (ended, sent.wrapping_sub(due) as i64, of_call.len(), bed.callbacks_for("clip.mov"), waited, whole);
    let expected = (Some(ends), again as i64, tries, callbacks, true, true);
    (came != expected).then(|| format!("{row:?}\n   came out as {came:?}\n   {:?}", requests(&log)))
}

/// Plans the row's fault, and what leads to its call.
async fn plan(bed: &TestBed, (way, call, fails, ..): Row) {
    match (way, fails, call) {
        // The request before takes the fault that shuts the door.
        (SimpleSettling, Refused, _) => bed.fault(Fault::on(PutObject, shut(false))),
        (Settling, Refused, ListParts) => bed.fault(Fault::on(Complete, shut(false))),
        (Settling, Refused, _) => {
            bed.fault(Fault::on(Complete, FaultKind::LoseAnswer));
            bed.fault(Fault::on(ListParts, shut(true)));
        }
        (Parts, Refused, UploadPart) => bed.fault(Fault::on(UploadPart, shut(true)).part(1)),
        (Parts, Refused, Complete) => bed.fault(Fault::on(UploadPart, shut(true)).part(3)),
        (Cancelling, Refused, _) => shut_the_door(bed, FaultKind::RefuseConnections { ms: 1500, answered: true }).await,
        (_, Refused, _) => shut_the_door(bed, shut(true)).await,
        (way, ..) => {
            match way {
                SimpleSettling => bed.fault(Fault::on(PutObject, FaultKind::LoseAnswer)),
                Settling => bed.fault(Fault::on(Complete, FaultKind::LoseAnswer)),
                _ => {}
            }
            let fault = Fault::on(call, kind(call, fails));
            bed.fault(if call == UploadPart { fault.part(2) } else { fault });
        }
    }
}

/// Does what ends the trouble, where it does not end by itself.
async fn mended(bed: &TestBed, no: i64, fails: Fails) {
    if !matches!(fails, Refused | DeadKeys) {
        return;
    }
    bed.until(no, "in trouble", |details| details.row.problem.is_some()).await;
    match fails {
        Refused => bed.release(),
        _ => bed.connect().await,
    }
    // It may go on by itself already.
    let _ = bed.engine().retry(no).await;
}

fn kind(call: Operation, fails: Fails) -> FaultKind {
    let status =
        |status, code: &str, retry_after_seconds| FaultKind::Status { status, code: code.into(), retry_after_seconds };
    match fails {
        Refused => shut(true),
        Reset if matches!(call, PutObject | UploadPart) => FaultKind::CloseAfterBytes { bytes: HALF },
        Reset => FaultKind::CloseAfterBytes { bytes: 0 },
        Stalled => FaultKind::Stall,
        Error500 => status(500, "InternalError", None),
        Busy => status(503, "ServiceUnavailable", Some(1)),
        Skewed => FaultKind::ClockAhead { seconds: 7200 },
        Expired | DeadKeys => status(403, "SecurityTokenExpired", None),
        Cut => FaultKind::CutAnswer,
        Lost => FaultKind::LoseAnswer,
        WrongCrc => FaultKind::CorruptCrc,
        WrongEtag => FaultKind::WrongEtag,
    }
}

/// Refuses connections until the faults are cleared.
fn shut(answered: bool) -> FaultKind {
    FaultKind::RefuseConnections { ms: 600_000, answered }
}

/// By a request that is not the engine's.
async fn shut_the_door(bed: &TestBed, kind: FaultKind) {
    bed.fault(Fault::on(HeadObject, kind).key("door"));
    let found = bed.client().head_object(&ObjectKey::parse("door").expect("a key")).await;
    assert_eq!(found.expect("an answer"), None);
}

/// Keys that end, from a place that has new ones.
async fn fetched_keys(bed: &TestBed) {
    let source = CredentialSource::Uri(format!("{}/_sandbox/tokens", bed.sandbox.info().endpoint));
    let credentials = Credentials::from_source(source).expect("a source");
    bed.connect_with(Access { credentials, proxy_password: None }).await;
}

fn is_ours(entry: &LoggedRequest) -> bool {
    entry.key.as_deref() == Some("clip.mov")
}

fn is_data(entry: &LoggedRequest) -> bool {
    is_ours(entry) && matches!(entry.operation, PutObject | UploadPart)
}

/// What was asked, in short.
fn requests(log: &[LoggedRequest]) -> Vec<String> {
    let words = |entry: &LoggedRequest| {
        let fault = entry.fault.as_deref().unwrap_or_default();
        format!("{:?} {:?} {} {fault}", entry.operation, entry.status, entry.bytes_received)
    };
    log.iter().map(words).collect()
}
