//! `waybill callback resend`: callbacks once more without the file, here or by whoever holds the data folder.

use std::sync::Arc;

use tokio::process::Command;
use waybill_engine::{Engine, EngineConfig, MemorySecrets};
use waybill_sandbox::Operation::{
    AbortMultipartUpload, Callback, CompleteMultipartUpload, PutObject, UploadPart, UploadPartCopy,
};
use waybill_sandbox::{Fault, FaultKind, LoggedRequest};

use crate::bed::{Bed, SECRET, all, content};
use crate::callback_profile::with_profiles;
use crate::handover::{destination, holder, was_taken_by};
use crate::running::{Running, run};

/// The receiver answers 502 as often as this.
fn broken(bed: &Bed, times: u32) {
    let fault = FaultKind::CallbackStatus { status: 502, body: String::new() };
    bed.sandbox.faults().add(Fault::on(Callback, fault).times(times));
}

/// Uploads a file whose callback fails; the file is gone then.
async fn failed(bed: &Bed, name: &str) {
    broken(bed, 1);
    let (file, url) = (bed.file(name, 1000), bed.sandbox.info().callback_url.clone());
    let receipt = run(bed.upload(&[&file], &["--callback-url", &url])).await.receipt(2);
    assert_eq!(receipt["callback"]["outcome"], "failed");
    std::fs::remove_file(file).expect("the file is there");
}

/// Has every Complete hang from now on; the number of the first that does.
fn hold_completes(bed: &Bed) -> u64 {
    let before = bed.sandbox.faults().taken();
    bed.hold(CompleteMultipartUpload, 0);
    before + 1
}

/// Lets later requests pass, once the held Complete has seen that its client is gone: nothing is done for it.
async fn release(bed: &Bed) {
    let ended = |entry: &LoggedRequest| entry.operation == CompleteMultipartUpload && entry.fault.is_some();
    bed.until_logged("the held Complete ends", |log| log.iter().any(ended)).await;
    bed.sandbox.faults().clear();
}

fn resend(bed: &Bed, arguments: &[&str]) -> Command {
    bed.waybill(&[&["callback", "resend", "--json"], arguments].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_callbacks_are_sent_again_without_their_files_after_saying_what_changes() {
    let bed = Bed::start().await;
    for name in ["a.txt", "b.txt"] {
        failed(&bed, name).await;
    }
    let mut command = resend(&bed, &["--failed", "--yes"]);
    command.env("WAYBILL_LOG", "trace");
    let ended = run(command).await;
    assert!(ended.stderr.contains("TRACE") && !ended.stderr.contains(SECRET) && !ended.lines.concat().contains(SECRET));
    for part in [
        "new Last-Modified",
        "new ETag",
        "one more version",
        "events fire again",
        "Where overwriting is forbidden (retention, WORM or an access rule), OSS refuses and nothing changes.",
        "No. 1 · oss://bucket/a.txt",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {ended:#?}");
    }
    assert!(ended.stderr.contains("1000 bytes · failed (0007-00000203)"), "{ended:#?}");
    let receipts = ended.receipts(0);
    assert_eq!(all(&receipts, "key"), ["a.txt", "b.txt"]);
    for receipt in &receipts {
        assert_eq!((&receipt["state"], &receipt["callback"]["outcome"]), (&"done".into(), &"answered".into()));
        assert!(receipt["callback"]["body"].is_string() && receipt.get("error").is_none(), "{receipt}");
    }
    let log = bed.sandbox.log();
    let carries = log.iter().filter(|entry| matches!(entry.operation, PutObject | UploadPart)).count();
    assert_eq!((bed.done(UploadPartCopy).len(), carries), (2, 2), "no file goes twice: {log:#?}");
    assert_eq!(bed.object("a.txt"), Some(content(1000)));
    let told = run(bed.waybill(&["history", "--json"])).await.receipts(0);
    assert!(told.iter().all(|receipt| receipt["callback"]["outcome"] == "answered"), "{told:#?}");

    let none = run(resend(&bed, &["--failed", "--yes"])).await;
    assert_eq!((none.code(), none.lines.len()), (Some(0), 0), "{none:#?}");
    assert!(none.stderr.contains("no callback failed"), "{none:#?}");
    // One that was answered may be wanted once more all the same.
    let again = run(bed.waybill(&["callback", "resend", "2", "2", "--yes"])).await;
    assert_eq!((again.code(), again.lines.len()), (Some(0), 1), "{again:#?}");
    assert!(again.lines[0].contains("b.txt · your server answered: "), "{again:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn those_of_one_profile_are_sent_again_by_its_name_and_no_others() {
    let bed = Bed::start().await;
    with_profiles(&bed, &["Orders", "Invoices"]).await;
    for (name, profile) in [("a.txt", "Orders"), ("b.txt", "Invoices"), ("c.txt", "Orders")] {
        broken(&bed, 1);
        let file = bed.file(name, 1000);
        run(bed.upload(&[&file], &["--callback-profile", profile])).await.receipt(2);
    }
    let receipts = run(resend(&bed, &["--named", "orders", "--yes"])).await.receipts(0);
    assert_eq!(all(&receipts, "key"), ["a.txt", "c.txt"]);
    let none = run(resend(&bed, &["--failed", "--named", "Orders", "--yes"])).await;
    assert_eq!((none.code(), none.lines.len()), (Some(0), 0), "{none:#?}");
    assert!(none.stderr.contains("no callback of \"Orders\" failed"), "{none:#?}");
    let unknown = run(resend(&bed, &["--named", "Nobody", "--yes"])).await;
    assert!(unknown.refusal().contains(r#"there is no callback profile "Nobody""#), "{unknown:#?}");
    let both = run(resend(&bed, &["1", "--named", "Orders", "--yes"])).await;
    assert!(both.refusal().contains("cannot be used with"), "{both:#?}");
    let left = run(resend(&bed, &["--failed", "--yes"])).await.receipt(0);
    assert_eq!(left["key"], "b.txt");
    assert_eq!(bed.done(UploadPartCopy).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_fails_again_or_cannot_be_made_ends_with_2() {
    let bed = Bed::start().await;
    failed(&bed, "a.txt").await;
    broken(&bed, 1);
    let receipt = run(resend(&bed, &["1", "--yes"])).await.receipt(2);
    assert_eq!((&receipt["callback"]["outcome"], receipt.get("error")), (&"failed".into(), None));
    // Somebody stores another object at the key.
    let other = bed.file("a.txt", 30);
    run(bed.upload(&[&other], &[])).await.receipt(0);
    let receipt = run(resend(&bed, &["1", "--yes"])).await.receipt(2);
    assert!(receipt["error"]["message"].as_str().expect("why").contains("changed since"), "{receipt}");
    assert_eq!(bed.object("a.txt"), Some(content(30)));
    let words = run(bed.waybill(&["callback", "resend", "1", "--yes"])).await;
    assert_eq!(words.code(), Some(2), "{words:#?}");
    assert!(words.lines[0].starts_with('✗') && words.lines[0].contains("changed since"), "{words:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_begun_for_what_is_not_there_or_without_a_yes() {
    let bed = Bed::start().await;
    failed(&bed, "a.txt").await;
    let plain = bed.file("plain.txt", 10);
    run(bed.upload(&[&plain], &[])).await.receipt(0);
    let denied = FaultKind::Status { status: 403, code: "AccessDenied".into(), retry_after_seconds: None };
    bed.sandbox.faults().add(Fault::on(PutObject, denied));
    let url = bed.sandbox.info().callback_url.clone();
    run(bed.upload(&[&bed.file("denied.txt", 10)], &["--callback-url", &url])).await.receipt(1);
    let before = bed.sandbox.log().len();
    for (arguments, part) in [
        (&["1", "9", "--yes"][..], "there is no upload 9"),
        (&["1", "2", "--yes"], "upload 2 asked for no callback"),
        (&["3", "--yes"], "upload 3 is not stored"),
        (&["1"], "--yes"),
        (&["--failed"], "--yes"),
        (&["--yes"], "required"),
        (&["one", "--yes"], "invalid value"),
        (&["1", "--yes", "--keys", "nowhere"], "there is no such source"),
    ] {
        let ended = run(resend(&bed, arguments)).await;
        assert!(ended.refusal().contains(part), "{arguments:?}: {ended:#?}");
    }
    let mut keyless = resend(&bed, &["1", "--yes"]);
    keyless.env_remove("OSS_ACCESS_KEY_SECRET");
    assert!(run(keyless).await.refusal().contains("OSS_ACCESS_KEY_SECRET"));
    assert_eq!(bed.sandbox.log().len(), before, "nobody was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_the_data_folder_sends_them_again_and_the_command_tells() {
    let bed = Bed::start().await;
    failed(&bed, "a.txt").await;
    let holder = holder(&bed).await;
    let ended = run(resend(&bed, &["--failed", "--yes"])).await;
    was_taken_by(&ended, &holder);
    assert_eq!(ended.receipt(0)["callback"]["outcome"], "answered");
    broken(&bed, 1);
    assert_eq!(run(resend(&bed, &["1", "--yes"])).await.receipt(2)["callback"]["outcome"], "failed");
    holder.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_sends_them_again_with_its_own_keys() {
    let bed = Bed::start().await;
    let config = EngineConfig { secrets: Arc::new(MemorySecrets::default()), ..EngineConfig::new(bed.data_dir()) };
    let window = Engine::start(config).await.unwrap();
    window.save_destination(destination(&bed)).await.unwrap();
    broken(&bed, 1);
    let mut upload = bed.waybill(&["upload", "--json", "--destination", "Mine"]);
    upload.arg(bed.file("note.txt", 20));
    assert_eq!(run(upload).await.receipt(2)["callback"]["outcome"], "failed");
    let mut command = resend(&bed, &["--failed", "--yes"]);
    command.env_remove("OSS_ACCESS_KEY_ID").env_remove("OSS_ACCESS_KEY_SECRET");
    let ended = run(command).await;
    assert!(ended.stderr.contains("which takes this over"), "{ended:#?}");
    let receipt = ended.receipt(0);
    assert_eq!((&receipt["key"], &receipt["callback"]["outcome"]), (&"from/note.txt".into(), &"answered".into()));
    window.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_takes_nothing_over_is_named() {
    let bed = Bed::start().await;
    failed(&bed, "a.txt").await;
    let holder = holder(&bed).await;
    std::fs::remove_file(bed.data_dir().join("waybill.sock")).expect("its socket");
    let ended = run(resend(&bed, &["1", "--yes"])).await;
    let words = format!("is in use by another Waybill (process {})", holder.pid());
    assert!(ended.refusal().contains(&words), "{ended:#?}");
    holder.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_holder_is_killed_the_command_goes_on_with_what_it_has_not_told() {
    let bed = Bed::start().await;
    for name in ["a.txt", "b.txt"] {
        failed(&bed, name).await;
    }
    let holder = holder(&bed).await;
    let before = bed.sandbox.faults().taken();
    bed.sandbox.faults().add(Fault::on(CompleteMultipartUpload, FaultKind::Stall).key("b.txt").times(u32::MAX));
    let mut second = Running::start(resend(&bed, &["--failed", "--yes"]));
    second.until_says("takes this over").await;
    assert_eq!(second.receipt().await["key"], "a.txt");
    bed.until_held(before + 1).await;
    holder.kill().await;
    release(&bed).await;
    let ended = second.end().await;
    assert!(ended.stderr.contains("going on here"), "{ended:#?}");
    let receipt = ended.receipt(0);
    assert_eq!((&receipt["key"], &receipt["callback"]["outcome"]), (&"b.txt".into(), &"answered".into()));
    assert_eq!(bed.done(CompleteMultipartUpload).len(), 2, "each is called once: {:#?}", bed.sandbox.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_the_same_command_ends_what_was_begun_and_calls_once() {
    let bed = Bed::start().await;
    failed(&bed, "a.txt").await;
    let held = hold_completes(&bed);
    let running = Running::start(resend(&bed, &["1", "--yes"]));
    bed.until_held(held).await;
    running.kill().await;
    release(&bed).await;
    assert_eq!(bed.object("a.txt"), Some(content(1000)), "as it was");
    let receipt = run(resend(&bed, &["1", "--yes"])).await.receipt(0);
    assert_eq!(receipt["callback"]["outcome"], "answered");
    assert_eq!(bed.object("a.txt"), Some(content(1000)));
    let log = bed.sandbox.log();
    let ids =
        |operation| log.iter().filter(move |entry| entry.operation == operation && entry.status.is_some()).count();
    assert_eq!((ids(CompleteMultipartUpload), ids(AbortMultipartUpload)), (1, 1), "{log:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_nobody_is_called_twice_where_oss_has_called() {
    let bed = Bed::start().await;
    failed(&bed, "a.txt").await;
    bed.sandbox.faults().add(Fault::on(CompleteMultipartUpload, FaultKind::HoldAnswer));
    let running = Running::start(resend(&bed, &["1", "--yes"]));
    let called = |entry: &LoggedRequest| entry.operation == CompleteMultipartUpload && entry.status == Some(200);
    bed.until_logged("OSS has called", |log| log.iter().any(called)).await;
    running.kill().await;
    let receipt = run(resend(&bed, &["1", "--yes"])).await.receipt(2);
    assert_eq!((&receipt["callback"]["outcome"], receipt.get("error")), (&"unknown".into(), None), "{receipt}");
    assert_eq!(bed.done(CompleteMultipartUpload).len(), 1, "{:#?}", bed.sandbox.log());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_the_objects_as_they_were_and_the_same_command_calls_for_all() {
    let bed = Bed::start().await;
    let names: Vec<String> = (0..6).map(|n| format!("{n}.txt")).collect();
    for name in &names {
        failed(&bed, name).await;
    }
    let before = bed.sandbox.faults().taken();
    bed.hold(UploadPartCopy, 0);
    let running = Running::start(resend(&bed, &["--failed", "--yes"]));
    bed.until_held(before + 4).await;
    let ended = running.interrupt().await;
    assert_eq!((ended.code(), ended.lines.len()), (Some(130), 0), "{ended:#?}");
    assert!(ended.stderr.contains("stopped; the objects are as they were"), "{ended:#?}");
    let given_up = |entry: &&LoggedRequest| entry.operation == UploadPartCopy && entry.fault.is_some();
    bed.until_logged("the held copies end", |log| log.iter().filter(given_up).count() == 4).await;
    bed.sandbox.faults().clear();
    assert_eq!(bed.sandbox.callbacks().len(), 6, "nobody was called");
    let receipts = run(resend(&bed, &["--failed", "--yes"])).await.receipts(0);
    assert_eq!(all(&receipts, "key"), names);
    assert_eq!(bed.sandbox.callbacks().len(), 12);
    assert!(names.iter().all(|name| bed.object(name) == Some(content(1000))));
}
