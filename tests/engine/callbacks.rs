//! Callback profiles, and what their answers must say.

use waybill_engine::Code;
use waybill_engine::view::{
    AnswerColumn, CallbackBadge, CallbackProfileDraft, CallbackProfileForm, CallbackStudyForm, Comparison, Expectation,
    ResendSelection, Scope, UploadQuery, UploadRow, Variable, WatchedFolderForm,
};
use waybill_sandbox::Operation::Callback;
use waybill_sandbox::{Fault, FaultKind};
use waybill_tests::{DESTINATION, TestBed, callback_to};

/// To the sandbox's receiver.
fn form(bed: &TestBed) -> CallbackProfileForm {
    callback_to(&bed.sandbox.info().callback_url)
}

fn draft(name: &str, form: CallbackProfileForm) -> CallbackProfileDraft {
    CallbackProfileDraft { id: None, name: name.into(), form }
}

/// The receiver answers this once, well or not.
fn answers(bed: &TestBed, status: u16, body: &str) {
    bed.fault(Fault::on(Callback, FaultKind::CallbackStatus { status, body: body.into() }));
}

async fn listed(bed: &TestBed) -> Vec<UploadRow> {
    let query = UploadQuery {
        scope: Scope::Transfers,
        filter: waybill_engine::view::Filter::All,
        search: String::new(),
        after: None,
        limit: 10,
    };
    bed.engine().list_uploads(query).await.expect("a list").rows
}

fn picky(bed: &TestBed) -> CallbackProfileForm {
    let wants = Expectation { pointer: "/status".into(), comparison: Comparison::Equals, value: "ok".into() };
    let column = |title: &str, pointer: &str| AnswerColumn { title: title.into(), pointer: pointer.into() };
    CallbackProfileForm {
        expectations: vec![wants],
        columns: vec![column("Job", "/job/id"), column("Link", "/job/link")],
        ..form(bed)
    }
}

#[tokio::test]
async fn an_answer_that_is_not_as_expected_needs_somebody_until_it_is() {
    let mut bed = TestBed::new().await;
    bed.callback(Some(picky(&bed))).await;
    answers(&bed, 200, r#"{"status":"busy","job":{"id":7}}"#);
    let details = bed.stored(&bed.file("a.jpg", 10)).await;
    let CallbackBadge::NotAsExpected { status: 200, unmet, .. } = &details.row.callback else { panic!("{details:#?}") };
    assert_eq!((unmet.as_ref(), details.row.callback_bad), (picky(&bed).expectations.first(), true));
    assert_eq!(bed.engine().counts().await.expect("counts").callback_failed, 1);
    let rows = listed(&bed).await;
    assert_eq!((&rows[0].callback, &rows[0].columns), (&details.row.callback, &details.row.columns));
    answers(&bed, 200, r#"{"status":"ok","job":{"id":8,"link":"https://x/8"}}"#);
    bed.engine().resend_callbacks(ResendSelection::AllBad).await.expect("asked for");
    let well = bed.until(details.row.no, "called again", |details| details.callback.calls.len() == 2).await;
    let well = bed.until(well.row.no, "well", |details| !details.row.callback_bad).await;
    assert!(matches!(well.row.callback, CallbackBadge::Answered { .. }), "{well:#?}");
    let columns: Vec<_> = well.row.columns.iter().map(|column| (column.name.as_str(), column.value.as_str())).collect();
    assert_eq!(columns, [("Job", "8"), ("Link", "https://x/8")]);
    assert_eq!(listed(&bed).await[0].columns, well.row.columns);
    bed.stop().await;
}

#[tokio::test]
async fn a_callback_that_is_sent_again_bears_the_same_idempotency_variable() {
    let mut bed = TestBed::new().await;
    let variable = Variable { name: "x:upload_no".into(), value: "{uploadNo}-{uuid}".into() };
    let form = CallbackProfileForm { variables: vec![variable], ..form(&bed) };
    bed.engine().save_callback_profile(draft("Once", form.clone())).await.expect("saved");
    bed.callback(Some(form)).await;
    answers(&bed, 500, "{}");
    let no = bed.stored(&bed.file("a.jpg", 10)).await.row.no;
    bed.engine().resend_callbacks(ResendSelection::AllBad).await.expect("asked for");
    bed.until(no, "called again", |details| details.callback.calls.len() == 2).await;
    let told = |callback: &waybill_sandbox::ReceivedCallback| {
        let body: serde_json::Value = serde_json::from_str(&callback.body).expect("JSON");
        body["uploadNo"].as_str().expect("a text").to_owned()
    };
    let told: Vec<String> = bed.sandbox.callbacks().iter().map(told).collect();
    assert!(told.len() == 2 && told[0] == told[1] && told[0].starts_with(&format!("{no}-")), "{told:?}");
    assert_eq!(told[0].len(), format!("{no}-").len() + 36);
    bed.stop().await;
}

#[tokio::test]
async fn what_came_together_is_told_one_batch_number_and_the_preview_tells_the_next() {
    let mut bed = TestBed::new().await;
    let variable = Variable { name: "x:upload_no".into(), value: "{batch.no}".into() };
    let form = CallbackProfileForm { variables: vec![variable], ..form(&bed) };
    bed.callback(Some(form.clone())).await;
    bed.stored(&bed.file("before.jpg", 10)).await;
    let paths = vec![bed.file("a.jpg", 10), bed.file("b.jpg", 2 * waybill_tests::MIB)];
    let study = CallbackStudyForm { form, path: None, destination_id: None, resolve: false };
    let preview = bed.engine().study_callback(study).await.expect("studied").preview.expect("a preview");
    let batch = bed.engine().add_paths(paths, None).await.expect("queued").batch;
    for row in bed.batch(batch).await {
        bed.finished(row.no).await;
    }
    let told = |body: &str| {
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        body["uploadNo"].as_str().expect("a text").to_owned()
    };
    let all: Vec<String> = bed.sandbox.callbacks().iter().map(|callback| told(&callback.body)).collect();
    let batch = batch.to_string();
    assert_eq!((all.len(), &all[1], &all[2], told(&preview.body)), (3, &batch, &batch, batch.clone()));
    assert_ne!(all[0], batch);
    bed.stop().await;
}

#[tokio::test]
async fn a_best_effort_callback_that_fails_needs_nobody() {
    let mut bed = TestBed::new().await;
    bed.callback(Some(CallbackProfileForm { best_effort: true, ..picky(&bed) })).await;
    for (status, body) in [(500, "{}"), (200, "{}")] {
        answers(&bed, status, body);
        let details = bed.stored(&bed.file(&format!("{status}.jpg"), 10)).await;
        assert!(!matches!(details.row.callback, CallbackBadge::Answered { .. }), "{details:#?}");
        assert!(!details.row.callback_bad);
    }
    let counts = bed.engine().counts().await.expect("counts");
    assert_eq!((counts.stored, counts.callback_failed), (2, 0));
    bed.stop().await;
}

#[tokio::test]
async fn a_shared_profile_is_asked_for_by_name_and_kept_while_it_is() {
    let mut bed = TestBed::new().await;
    let engine = bed.engine().clone();
    assert!(engine.callback_profiles().await.expect("profiles").is_empty(), "a destination's own has no name");
    let saved = engine.save_callback_profile(draft(" Ingest ", form(&bed))).await.expect("saved");
    assert_eq!((saved.name.as_str(), saved.used_by.len()), ("Ingest", 0));
    for (bad, word) in [
        (draft(" ", form(&bed)), "name is missing"),
        (draft("ingest", form(&bed)), "already"),
        (draft("Other", CallbackProfileForm { body: String::new(), ..form(&bed) }), "body"),
        (CallbackProfileDraft { id: Some("gone".into()), ..draft("Gone", form(&bed)) }, "no such"),
    ] {
        let refused = engine.save_callback_profile(bad).await.expect_err(word);
        assert!(refused.code() == Code::Invalid && refused.to_string().contains(word), "{refused}");
    }
    let mut wanted = bed.form("test-secret");
    (wanted.callback, wanted.callback_profile_id) = (None, Some(saved.id.clone()));
    let destination = engine.save_destination(wanted).await.expect("a destination");
    assert_eq!(
        (destination.callback_profile_id.as_ref(), destination.callback.as_ref()),
        (Some(&saved.id), Some(&saved.form))
    );
    // What is changed counts for what is queued from now on.
    let changed = CallbackProfileForm { body: r#"{"object":${object},"v":2}"#.into(), variables: vec![], ..form(&bed) };
    let update = CallbackProfileDraft { id: Some(saved.id.clone()), ..draft("Ingest", changed.clone()) };
    let updated = engine.save_callback_profile(update).await.expect("changed");
    assert_eq!((updated.used_by, updated.form), (vec!["My bucket".to_owned()], changed));
    let no = bed.upload_to(&bed.file("a.jpg", 10), &destination.id).await;
    bed.finished(no).await;
    assert!(bed.sandbox.callbacks()[0].body.contains("\"v\":2"));
    let refused = engine.delete_callback_profile(&saved.id).await.expect_err("in use");
    assert!(refused.code() == Code::Refused && refused.to_string().contains("\"My bucket\""), "{refused}");
    engine.delete_destination(&destination.id).await.expect("deleted");
    assert_eq!(engine.callback_profiles().await.expect("profiles").len(), 1, "a shared one outlives its users");
    engine.delete_callback_profile(&saved.id).await.expect("deleted");
    assert!(engine.callback_profiles().await.expect("profiles").is_empty());
    bed.stop().await;
}

#[tokio::test]
async fn files_of_a_watched_folder_may_ask_for_a_profile_of_their_own() {
    let mut bed = TestBed::new().await;
    bed.callback(None).await;
    let engine = bed.engine().clone();
    let profile = bed.profile("Ingest", form(&bed)).await;
    let folder = bed.folder("inbox");
    let mut wanted = WatchedFolderForm {
        id: None,
        path: folder.to_str().expect("text").into(),
        destination_id: DESTINATION.into(),
        prefix: String::new(),
        callback_profile_id: Some("another".into()),
        include_existing: true,
    };
    let refused = engine.save_watched_folder(wanted.clone()).await.expect_err("no such profile");
    assert_eq!(refused.code(), Code::Invalid, "{refused}");
    wanted.callback_profile_id = Some(profile.clone());
    let watched = engine.save_watched_folder(wanted).await.expect("watched");
    assert_eq!(watched.callback_profile_id.as_ref(), Some(&profile));
    std::fs::write(folder.join("a.jpg"), "x").expect("a file");
    let answered = async || {
        let rows = listed(&bed).await;
        rows.into_iter().find(|row| matches!(row.callback, CallbackBadge::Answered { .. }))
    };
    bed.look_for("an answered file", answered).await;
    let refused = engine.delete_callback_profile(&profile).await.expect_err("in use");
    assert!(refused.to_string().contains("inbox"), "{refused}");
    engine.delete_watched_folder(&watched.id).await.expect("watched no longer");
    engine.delete_callback_profile(&profile).await.expect("deleted");
    bed.stop().await;
}

#[tokio::test]
async fn a_drop_may_ask_for_a_profile_and_its_times_are_told() {
    let mut bed = TestBed::new().await;
    bed.callback(None).await;
    let engine = bed.engine().clone();
    let profile = bed.profile("Ingest", form(&bed)).await;
    for (name, status) in [("a.jpg", 200), ("b.jpg", 500), ("c.jpg", 500)] {
        answers(&bed, status, r#"{"status":"ok"}"#);
        let added =
            engine.add_paths_asking(vec![bed.file(name, 10)], None, Some(profile.clone())).await.expect("queued");
        bed.finished(bed.batch(added.batch).await[0].no).await;
    }
    bed.stored(&bed.file("without.jpg", 10)).await;
    let times = engine.callback_times(Some(profile)).await.expect("times");
    let well: Vec<bool> = times.calls.iter().map(|call| call.ok).collect();
    assert_eq!(well, [true, false, false]);
    assert!(times.calls.iter().all(|call| call.took_ms >= 0 && call.at_ms > 0));
    let failures: Vec<_> = times.failures.iter().map(|of| (of.ec.as_str(), of.count)).collect();
    assert_eq!(failures, [("0007-00000203", 2)]);
    assert_eq!(engine.callback_times(Some("another".into())).await.expect("times").calls.len(), 0);
    assert_eq!(engine.callback_times(None).await.expect("times").calls.len(), 3);
    bed.stop().await;
}
