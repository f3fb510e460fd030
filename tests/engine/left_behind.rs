//! `Engine::stop` in any state leaves no task, no open file, no connection and no lock, and takes no time.
//!
//! The engine has a runtime of its own here, so whatever still runs there afterwards is its own.
#![cfg(target_os = "linux")]

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use waybill_engine::view::{Phase, ResendSelection, UploadDetails};
use waybill_engine::{Access, CredentialSource, Credentials};
use waybill_sandbox::Operation::{
    AbortMultipartUpload, Callback, CompleteMultipartUpload, InitiateMultipartUpload, ListMultipartUploads, ListParts,
    PutObject, UploadPart, UploadPartCopy,
};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{MIB, TestBed};

/// Three parts.
const LEN: usize = 2 * MIB + 9;
/// For everything to be gone after `stop` has returned.
const AT_ONCE: Duration = Duration::from_secs(5);

/// What the engine is at when it is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Nothing,
    WaitingForARetry,
    WaitingForItsDestination,
    FetchingKeys,
    Starting,
    SendingParts,
    SendingAPut,
    AwaitingTheCallback,
    Settling,
    Paused,
    Aborting,
    Sweeping,
    CallingAgain,
    SettlingACall,
    EndingAnEarlierCall,
    ReadingAFolder,
    WatchingAFolder,
}

fn answered(status: u16, code: &str, retry_after_seconds: Option<u64>) -> FaultKind {
    FaultKind::Status { status, code: code.into(), retry_after_seconds }
}

fn waits(details: &UploadDetails) -> bool {
    details.row.phase == Phase::Queued && details.row.retry_at_ms.is_some()
}

/// Brings the engine to where it is to be stopped.
async fn bring(bed: &mut TestBed, at: At) {
    bed.start().await;
    if at != At::AwaitingTheCallback {
        // The sandbox's own connections to its receiver would look like the engine's.
        bed.callback(None).await;
    }
    match at {
        At::Nothing => drop(bed.stored(&bed.file("clip.mov", LEN)).await),
        At::WaitingForARetry => {
            bed.fault(Fault::on(InitiateMultipartUpload, answered(503, "ServiceUnavailable", Some(600))));
            let no = bed.upload(&bed.file("clip.mov", LEN)).await;
            bed.until(no, "waiting", waits).await;
        }
        At::WaitingForItsDestination => {
            bed.fault(Fault::on(PutObject, answered(404, "NoSuchBucket", None)).times(u32::MAX));
            let no = bed.upload(&bed.file("a.jpg", 10)).await;
            bed.until(no, "waiting", waits).await;
        }
        At::FetchingKeys => {
            // Connections wait in its line and are never answered.
            let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
            let source = CredentialSource::Uri(format!("http://{}/keys", silent.local_addr().expect("an address")));
            let credentials = Credentials::from_source(source).expect("a source");
            bed.connect_with(Access { credentials, proxy_password: None }).await;
            bed.upload(&bed.file("clip.mov", LEN)).await;
            let asked = tokio::task::spawn_blocking(move || silent.accept().map(|(stream, _)| (stream, silent)));
            // Kept open: an end of the connection would be an answer.
            std::mem::forget(asked.await.expect("ends").expect("the engine asks for keys"));
        }
        At::Starting => {
            bed.hold(InitiateMultipartUpload);
            let no = bed.upload(&bed.file("clip.mov", LEN)).await;
            bed.met(1).await;
            bed.until_phase(no, Phase::Starting).await;
        }
        At::SendingParts => drop(bed.half_way(&bed.file("clip.mov", 6 * MIB)).await),
        At::SendingAPut => {
            bed.fault(Fault::on(PutObject, FaultKind::Throttle { bytes_per_second: 100_000 }));
            bed.upload(&bed.file("clip.mov", MIB)).await;
            bed.met(1).await;
        }
        At::AwaitingTheCallback => {
            bed.fault(Fault::on(Callback, FaultKind::CallbackTimeout));
            let no = bed.upload(&bed.file("clip.mov", LEN)).await;
            bed.met(1).await;
            bed.until_phase(no, Phase::Completing).await;
        }
        At::Settling => {
            bed.fault(Fault::on(CompleteMultipartUpload, FaultKind::LoseAnswer));
            bed.hold(ListParts);
            bed.upload(&bed.file("clip.mov", LEN)).await;
            bed.met(2).await;
        }
        At::Paused => {
            let no = bed.half_way(&bed.file("clip.mov", 6 * MIB)).await;
            bed.engine().pause(no).await.expect("it can be paused");
        }
        At::Aborting => {
            bed.fault(Fault::on(UploadPart, FaultKind::Stall).part(2));
            let no = bed.upload(&bed.file("clip.mov", LEN)).await;
            bed.met(1).await;
            bed.hold(AbortMultipartUpload);
            bed.engine().cancel(no).await.expect("it can be cancelled");
            bed.met(2).await;
        }
        At::Sweeping => {
            bed.fault(Fault::on(InitiateMultipartUpload, FaultKind::LoseAnswer));
            bed.stored(&bed.file("clip.mov", LEN)).await;
            bed.stop().await;
            bed.hold(ListMultipartUploads);
            bed.start().await;
            bed.met(2).await;
        }
        At::CallingAgain => {
            bad_callback(bed).await;
            bed.hold(UploadPartCopy);
            bed.engine().resend_callbacks(ResendSelection::AllBad).await.expect("it is asked for");
            bed.met(1).await;
        }
        At::SettlingACall | At::EndingAnEarlierCall => {
            bad_callback(bed).await;
            bed.fault(Fault::on(CompleteMultipartUpload, FaultKind::LoseAnswer));
            bed.hold(ListParts);
            bed.engine().resend_callbacks(ResendSelection::AllBad).await.expect("it is asked for");
            bed.met(2).await;
            if at == At::EndingAnEarlierCall {
                bed.stop().await;
                bed.hold(ListParts);
                bed.start().await;
                bed.met(3).await;
            }
        }
        At::ReadingAFolder => {
            let folder = bed.folder("many");
            for n in 0..3000 {
                std::fs::write(folder.join(n.to_string()), "").expect("a file");
            }
            let engine = bed.engine().clone();
            let adding = tokio::spawn(async move { engine.add_paths(vec![folder], None).await });
            bed.look_for("a queued file", async || bed.rows().await.into_iter().next()).await;
            drop(adding);
        }
        At::WatchingAFolder => {
            let folder = bed.folder("watched");
            let watched = bed.watch(&folder, true).await;
            bed.marker(&folder, "first").await;
            bed.until_folder(&watched.id, "watched", |_| true).await;
        }
    }
}

/// Stores a file whose callback leads to an address at which nobody answers: no connection of the sandbox to itself.
async fn bad_callback(bed: &mut TestBed) {
    bed.callback(Some(waybill_tests::callback_to("http://127.0.0.1:1/callback"))).await;
    assert!(bed.stored(&bed.file("clip.mov", LEN)).await.row.callback_bad);
}

fn stopped_at(at: At) {
    let server = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let engine = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let patient = |tuning: &mut waybill_sandbox::Tuning| tuning.callback_limit = Duration::from_secs(60);
    let swept = |config: &mut waybill_engine::EngineConfig| config.orphan_age = Duration::ZERO;
    let mut bed = server.block_on(TestBed::idle(swept, patient));
    engine.block_on(async {
        bring(&mut bed, at).await;
        bed.stop().await;
    });
    let lock = File::open(bed.config.data_dir.join("waybill.lock")).expect("the lock's file");
    assert!(lock.try_lock().is_ok(), "{at:?}: the data folder is still locked");
    drop(lock);
    let all_gone = async {
        while !left(&engine, &bed).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let gone = engine.block_on(async { tokio::time::timeout(AT_ONCE, all_gone).await });
    assert!(gone.is_ok(), "{at:?} leaves {:#?}", left(&engine, &bed));
}

/// What the engine has left, in words.
fn left(engine: &Runtime, bed: &TestBed) -> Vec<String> {
    let mut left = Vec::new();
    let tasks = engine.metrics().num_alive_tasks();
    if tasks > 0 {
        left.push(format!("{tasks} tasks"));
    }
    let port = bed.sandbox.info().endpoint.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let sockets = if bed.sandbox.callbacks().is_empty() { connections_to(port) } else { HashSet::new() };
    let ours = [bed.config.data_dir.clone(), bed.dir.path().join("files")];
    for entry in std::fs::read_dir("/proc/self/fd").expect("open files").flatten() {
        // One that has been closed meanwhile is not left.
        let Ok(open) = std::fs::read_link(entry.path()) else { continue };
        let is_ours = ours.iter().any(|folder| open.starts_with(folder));
        let is_connection = inode(&open).is_some_and(|inode| sockets.contains(&inode));
        if is_ours || is_connection {
            left.push(open.display().to_string());
        }
    }
    left
}

/// The inodes of all sockets on this machine that are connected to this port on loopback.
fn connections_to(port: u16) -> HashSet<u64> {
    let table = std::fs::read_to_string("/proc/self/net/tcp").expect("the table of sockets");
    let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let connected = rows.filter(|row| row[2].ends_with(&format!(":{port:04X}")));
    connected.filter_map(|row| row[9].parse().ok()).collect()
}

/// Of `socket:[n]`.
fn inode(open: &Path) -> Option<u64> {
    open.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[test]
fn stopped_while_nothing_is_under_way_nothing_is_left() {
    stopped_at(At::Nothing);
}

#[test]
fn stopped_while_a_retry_is_waited_for_nothing_is_left() {
    stopped_at(At::WaitingForARetry);
}

#[test]
fn stopped_while_a_destination_is_in_trouble_nothing_is_left() {
    stopped_at(At::WaitingForItsDestination);
}

#[test]
fn stopped_while_keys_are_being_fetched_nothing_is_left() {
    stopped_at(At::FetchingKeys);
}

#[test]
fn stopped_while_an_upload_is_being_begun_nothing_is_left() {
    stopped_at(At::Starting);
}

#[test]
fn stopped_while_parts_are_on_their_way_nothing_is_left() {
    stopped_at(At::SendingParts);
}

#[test]
fn stopped_while_a_put_is_on_its_way_nothing_is_left() {
    stopped_at(At::SendingAPut);
}

#[test]
fn stopped_while_the_callback_is_awaited_nothing_is_left() {
    stopped_at(At::AwaitingTheCallback);
}

#[test]
fn stopped_while_a_lost_answer_is_being_settled_nothing_is_left() {
    stopped_at(At::Settling);
}

#[test]
fn stopped_while_an_upload_is_paused_nothing_is_left() {
    stopped_at(At::Paused);
}

#[test]
fn stopped_while_an_abort_is_on_its_way_nothing_is_left() {
    stopped_at(At::Aborting);
}

#[test]
fn stopped_while_orphans_are_looked_for_nothing_is_left() {
    stopped_at(At::Sweeping);
}

#[test]
fn stopped_while_a_callback_is_being_sent_again_nothing_is_left() {
    stopped_at(At::CallingAgain);
}

#[test]
fn stopped_while_a_callback_that_was_sent_again_is_asked_about_nothing_is_left() {
    stopped_at(At::SettlingACall);
}

#[test]
fn stopped_while_a_callback_of_an_earlier_run_is_asked_about_nothing_is_left() {
    stopped_at(At::EndingAnEarlierCall);
}

#[test]
fn stopped_while_a_folder_is_being_read_nothing_is_left() {
    stopped_at(At::ReadingAFolder);
}

#[test]
fn stopped_while_a_folder_is_watched_nothing_is_left() {
    stopped_at(At::WatchingAFolder);
}
