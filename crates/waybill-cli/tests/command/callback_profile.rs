//! `waybill upload --callback-profile`: the callback of a profile that was set up in the window.

use std::sync::Arc;

use serde_json::{Value, json};
use waybill_engine::view::{BodyKind, CallbackProfileDraft, CallbackProfileForm};
use waybill_engine::{Engine, EngineConfig, MemorySecrets, Work};
use waybill_sandbox::Operation;

use crate::bed::Bed;
use crate::handover::destination;
use crate::running::{Running, run};

/// The data folder as a window holds it.
async fn window(bed: &Bed) -> Engine {
    let config = EngineConfig { secrets: Arc::new(MemorySecrets::default()), ..EngineConfig::new(bed.data_dir()) };
    Engine::start(config).await.expect("the window starts")
}

/// Saves a profile whose callback says the profile's name; answers with its id.
async fn save(engine: &Engine, bed: &Bed, name: &str) -> String {
    let form = CallbackProfileForm {
        urls: vec![bed.sandbox.info().callback_url.clone()],
        body: json!({ "profile": name }).to_string(),
        body_type: BodyKind::Json,
        ..CallbackProfileForm::default()
    };
    let draft = CallbackProfileDraft { id: None, name: name.into(), form };
    engine.save_callback_profile(draft).await.expect("it is saved").id
}

/// The data folder with these profiles, left by a window that was closed.
pub(crate) async fn with_profiles(bed: &Bed, names: &[&str]) {
    let config = EngineConfig { work: Work::OnlyAsked, ..EngineConfig::new(bed.data_dir()) };
    let engine = Engine::start(config).await.expect("it starts");
    for name in names {
        save(&engine, bed, name).await;
    }
    engine.stop().await;
}

/// What the receiver was told, as it was told.
fn received(receipt: &Value) -> Value {
    let answer = receipt["callback"]["body"].as_str().unwrap_or_else(|| panic!("no answer: {receipt:#?}"));
    serde_json::from_str::<Value>(answer).expect("JSON")["received"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_asks_for_the_callback_of_a_profile_and_is_remembered_with_it() {
    let bed = Bed::start().await;
    with_profiles(&bed, &["Orders 订单", "Other"]).await;
    let file = bed.file("note.txt", 10);
    let receipt = run(bed.upload(&[&file], &["--callback-profile", "orders 订单"])).await.receipt(0);
    assert_eq!(received(&receipt), json!({ "profile": "Orders 订单" }));

    let window = window(&bed).await;
    let profiles = window.callback_profiles().await.expect("profiles");
    let id = profiles.into_iter().find(|profile| profile.name == "Orders 订单").expect("it is there").id;
    let times = window.callback_times(Some(id)).await.expect("times");
    assert_eq!(times.calls.len(), 1, "the call is counted with its profile");
    window.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_window_is_handed_the_profile_with_the_upload_and_it_stands_before_the_destinations_callback() {
    let bed = Bed::start().await;
    let window = window(&bed).await;
    window.save_destination(destination(&bed)).await.expect("a destination");
    let id = save(&window, &bed, "Orders").await;
    let file = bed.file("note.txt", 10);
    let described = run(bed.upload(&[&file], &["--callback-profile", "Orders"])).await;
    assert!(described.stderr.contains("takes this over"), "{described:#?}");
    assert_eq!(received(&described.receipt(0)), json!({ "profile": "Orders" }));

    let mut to_destination =
        bed.waybill(&["upload", "--json", "--destination", "Mine", "--callback-profile", "Orders"]);
    to_destination.arg(&file);
    assert_eq!(received(&run(to_destination).await.receipt(0)), json!({ "profile": "Orders" }));
    assert_eq!(window.callback_times(Some(id)).await.expect("times").calls.len(), 2);
    window.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_is_not_there_is_told_with_those_that_are_and_nothing_is_queued() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 10);
    let upload = |more: &[&str]| run(bed.upload(&[&file], more));
    let none = upload(&["--callback-profile", "Orders"]).await;
    assert!(none.refusal().contains("there is no callback profile \"Orders\" in this data folder"), "{none:#?}");
    assert!(none.stderr.contains("there is none with a name"), "{none:#?}");

    let window = window(&bed).await;
    save(&window, &bed, "Invoices").await;
    save(&window, &bed, "Other").await;
    let beside = upload(&["--callback-profile", "Orders"]).await;
    assert!(beside.refusal().contains(r#"("Invoices", "Other")"#), "{beside:#?}");
    window.stop().await;
    let alone = upload(&["--callback-profile", "Orders"]).await;
    assert!(alone.refusal().contains(r#"("Invoices", "Other")"#), "{alone:#?}");
    let both = upload(&["--callback-profile", "Other", "--callback-url", "http://a.example.com"]).await;
    assert!(both.refusal().contains("cannot be used with"), "{both:#?}");
    assert_eq!(bed.sandbox.log().len(), 0, "OSS was asked for something: {:#?}", bed.sandbox.log());
    assert_eq!(run(bed.waybill(&["history"])).await.lines, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_command_goes_on_after_a_kill_and_one_with_another_profile_does_not() {
    let bed = Bed::start().await;
    with_profiles(&bed, &["One", "Two"]).await;
    let file = bed.file("clip.mov", 3 << 20);
    let upload = |name: &str| bed.upload(&[&file], &["--part-size", "1MiB", "--callback-profile", name]);
    bed.hold(Operation::UploadPart, 1);
    let running = Running::start(upload("One"));
    bed.until_held(1).await;
    running.kill().await;
    bed.release().await;
    assert_eq!(received(&run(upload("Two")).await.receipt(0)), json!({ "profile": "Two" }));
    assert_eq!(received(&run(upload("One")).await.receipt(0)), json!({ "profile": "One" }));
    let told = run(bed.waybill(&["history", "--json"])).await.receipts(0);
    assert_eq!(told.len(), 2, "the second command with One is the first, gone on with: {told:#?}");
}
