//! What is over stays known: after a restart, after clearing, and for one process at a time.

use waybill_engine::view::{CallbackBadge, Phase, Scope};
use waybill_engine::{Code, Engine};
use waybill_sandbox::Operation::{Callback, PutObject};
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{MIB, TestBed};

#[tokio::test]
async fn after_a_restart_history_shows_what_was_stored_and_what_the_callback_server_answered() {
    let mut bed = TestBed::new().await;
    let good = bed.stored(&bed.file("clip.mov", 2 * MIB)).await;
    bed.fault(Fault::on(Callback, FaultKind::CallbackStatus { status: 502, body: "{}".into() }));
    let bad = bed.stored(&bed.file("a.jpg", 1000)).await;
    let refusal = FaultKind::Status { status: 403, code: "AccessDenied".into(), retry_after_seconds: None };
    bed.fault(Fault::on(PutObject, refusal));
    let failed = bed.upload(&bed.file("b.jpg", 1000)).await;
    let failed = bed.finished(failed).await;
    bed.stop().await;
    bed.start().await;
    let rows = bed.list(Scope::History).await;
    assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["b.jpg", "a.jpg", "clip.mov"]);
    // Word for word: object, callback request, answer, parts and log.
    for before in [&good, &bad, &failed] {
        assert_eq!(&bed.details(before.row.no).await, before);
    }
    let answer: serde_json::Value = serde_json::from_str(good.callback.answer.as_deref().unwrap()).unwrap();
    assert_eq!(answer["received"]["object"], "clip.mov");
    assert!(matches!(&rows[1].callback, CallbackBadge::Failed { message, .. } if message.contains("502")));
    assert_eq!(rows[0].problem.as_ref().map(|problem| problem.code), Some(Code::AccessDenied));
    bed.stop().await;
}

#[tokio::test]
async fn clearing_takes_what_is_over_out_of_transfers_and_history_keeps_it() {
    let mut bed = TestBed::new().await;
    let stored = bed.stored(&bed.file("a.jpg", 10)).await.row.no;
    let gone = bed.file("b.jpg", 10);
    bed.fault(Fault::on(
        PutObject,
        FaultKind::Status { status: 403, code: "AccessDenied".into(), retry_after_seconds: None },
    ));
    let failed = bed.upload(&gone).await;
    bed.finished(failed).await;
    bed.engine().clear_finished().await.unwrap();
    let left: Vec<i64> = bed.rows().await.iter().map(|row| row.no).collect();
    assert_eq!(left, [failed], "what failed wants to be seen");
    let kept: Vec<i64> = bed.list(Scope::History).await.iter().map(|row| row.no).collect();
    assert_eq!(kept, [failed, stored]);
    let counts = bed.engine().counts().await.unwrap();
    assert_eq!((counts.all, counts.stored, counts.failed), (1, 0, 1));
    bed.stop().await;
}

#[tokio::test]
async fn a_second_engine_on_the_same_data_folder_is_refused_and_told_who_has_it() {
    let mut bed = TestBed::new().await;
    let refused = Engine::start(bed.config.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::DataFolderInUse);
    assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
    // The first one has not suffered.
    assert_eq!(bed.stored(&bed.file("a.jpg", 10)).await.row.phase, Phase::Done);
    bed.stop().await;
    bed.start().await;
    bed.stop().await;
}
