//! What a run that goes on does with uploads that were given up or paused meanwhile.

use std::sync::Arc;

use waybill_engine::view::{Filter, Phase, Scope, UploadQuery};
use waybill_engine::{Engine, EngineConfig, MemorySecrets, Work};
use waybill_sandbox::{Fault, FaultKind, Operation};

use crate::bed::{Bed, all, content};
use crate::running::{Running, run};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_failed_before_the_kill_is_tried_again() {
    let bed = Bed::start().await;
    let (one, two) = (bed.file("a.txt", 10), bed.file("b.txt", 20));
    let upload = || bed.upload(&[&one, &two], &[]);
    let denied = FaultKind::Status { status: 403, code: "AccessDenied".into(), retry_after_seconds: None };
    bed.sandbox.faults().add(Fault::on(Operation::PutObject, denied).key("a.txt"));
    bed.sandbox.faults().add(Fault::on(Operation::PutObject, FaultKind::Stall).key("b.txt"));
    let mut running = Running::start(upload());
    let failed = running.receipt().await;
    assert_eq!((&failed["key"], &failed["state"]), (&"a.txt".into(), &"failed".into()));
    assert_eq!(failed["error"]["code"], "accessDenied");
    bed.until_held(2).await;
    running.kill().await;
    bed.release().await;

    let receipts = run(upload()).await.receipts(0);
    assert_eq!(all(&receipts, "key"), ["a.txt", "b.txt"]);
    assert_eq!(all(&receipts, "state"), ["done", "done"]);
    assert_eq!(bed.object("a.txt"), Some(content(10)));
    assert_eq!(bed.done(Operation::PutObject).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_paused_in_the_window_goes_on() {
    let bed = Bed::start().await;
    let big = bed.file("clip.mov", 6 << 20);
    let upload = || bed.upload(&[&big], &["--part-size", "1MiB", "--parallel", "2"]);
    bed.hold(Operation::UploadPart, 2);
    let running = Running::start(upload());
    bed.until_held(2).await;
    running.kill().await;
    bed.release().await;
    pause_all_as_the_window_does(&bed).await;

    assert_eq!(run(upload()).await.receipt(0)["state"], "done");
    assert_eq!(bed.parts(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(bed.done(Operation::InitiateMultipartUpload).len(), 1);
}

async fn pause_all_as_the_window_does(bed: &Bed) {
    let config = EngineConfig {
        secrets: Arc::new(MemorySecrets::default()),
        work: Work::OnlyAsked,
        ..EngineConfig::new(bed.data_dir())
    };
    let engine = Engine::start(config).await.expect("the engine starts");
    engine.pause_all().await.expect("all are paused");
    let query =
        UploadQuery { scope: Scope::Transfers, filter: Filter::All, search: String::new(), after: None, limit: 10 };
    let rows = engine.list_uploads(query).await.expect("a page").rows;
    assert_eq!(rows.iter().map(|row| row.phase).collect::<Vec<_>>(), [Phase::Paused]);
    engine.stop().await;
}
