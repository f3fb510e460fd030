//! A command that finds its data folder in use hands its work to the process that holds it.

use std::sync::Arc;

use waybill_engine::view::{BodyKind, CallbackProfileForm, Connection, DestinationForm, OverwritePolicy};
use waybill_engine::{Engine, EngineConfig, MemorySecrets};
use waybill_sandbox::{Fault, FaultKind, Operation};

use crate::bed::{Bed, KEY_ID, SECRET, all, content};
use crate::running::{Ended, Running, run};

/// A command that holds the data folder until `first.txt` may be stored.
pub(crate) async fn holder(bed: &Bed) -> Running {
    let first = bed.file("first.txt", 10);
    let before = bed.sandbox.faults().taken();
    bed.hold_key("first.txt");
    let holder = Running::start(bed.upload(&[&first], &[]));
    bed.until_held(before + 1).await;
    holder
}

pub(crate) fn was_taken_by(ended: &Ended, holder: &Running) {
    let words = format!("in use by another Waybill (process {}), which takes this over", holder.pid());
    assert!(ended.stderr.contains(&words), "{ended:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_upload_is_done_by_the_first_and_told_by_the_second() {
    let bed = Bed::start().await;
    let holder = holder(&bed).await;
    bed.file("shoot/a.txt", 20);
    bed.file("shoot/b.txt", 30);
    let second = run(bed.upload(&[&bed.dir.path().join("files/shoot")], &["--prefix", "p/", "--parallel", "1"])).await;
    was_taken_by(&second, &holder);
    assert!(second.stderr.contains("--parallel count only for a process of its own"), "{second:#?}");
    let receipts = second.receipts(0);
    assert_eq!(all(&receipts, "key"), ["p/shoot/a.txt", "p/shoot/b.txt"]);
    assert!(receipts.iter().all(|receipt| receipt["state"] == "done" && receipt["requestId"].is_string()));
    assert_eq!(bed.object("p/shoot/b.txt"), Some(content(30)));
    bed.sandbox.faults().clear();
    let first = holder.end().await.receipts(0);
    assert_eq!(all(&first, "key"), ["first.txt"], "each tells its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_and_answers_are_the_same_as_without_a_handover() {
    let bed = Bed::start().await;
    let holder = holder(&bed).await;
    let (good, bad) = (bed.file("good.txt", 20), bed.file("bad.txt", 30));
    let url = bed.sandbox.info().callback_url.clone();
    let answered = run(bed.upload(&[&good], &["--callback-url", &url])).await.receipt(0);
    assert_eq!(answered["callback"]["outcome"], "answered");
    assert!(answered["callback"]["body"].as_str().unwrap().contains("good.txt"), "{answered:#?}");
    bed.sandbox
        .faults()
        .add(Fault::on(Operation::Callback, FaultKind::CallbackStatus { status: 502, body: String::new() }));
    assert_eq!(run(bed.upload(&[&bad], &["--callback-url", &url])).await.receipt(2)["callback"]["outcome"], "failed");
    let denied = FaultKind::Status { status: 403, code: "AccessDenied".into(), retry_after_seconds: None };
    bed.sandbox.faults().add(Fault::on(Operation::PutObject, denied).key("bad.txt"));
    assert_eq!(run(bed.upload(&[&bad], &[])).await.receipt(1)["error"]["code"], "accessDenied");
    let missing = run(bed.upload(&[&bed.dir.path().join("nowhere")], &[])).await.receipt(1);
    assert_eq!((&missing["state"], &missing["error"]["code"]), (&"refused".into(), &"sourceGone".into()));
    holder.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_command_twice_at_once_stores_once_and_both_tell() {
    let bed = Bed::start().await;
    let holder = holder(&bed).await;
    let mut second = Running::start(bed.upload(&[&bed.dir.path().join("files/first.txt")], &[]));
    second.until_says("takes this over").await;
    bed.sandbox.faults().clear();
    assert_eq!(holder.end().await.receipt(0), second.end().await.receipt(0));
    assert_eq!(bed.done(Operation::PutObject).len(), 1);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_of_the_second_leaves_its_work_to_the_first_which_ends_after_it() {
    let bed = Bed::start().await;
    let file = bed.file("first.txt", 10);
    bed.hold_key("first.txt");
    // So slow that its own file is long stored when the other's is still on its way.
    let first = Running::start(bed.upload(&[&file], &["--limit", "1MiB/s"]));
    bed.until_held(1).await;
    let mut second = Running::start(bed.upload(&[&bed.file("second.txt", 3 << 20)], &[]));
    second.until_says("takes this over").await;
    let second = second.interrupt().await;
    assert_eq!(second.code(), Some(130), "{second:#?}");
    assert!(second.stderr.contains("goes on with it"), "{second:#?}");
    bed.sandbox.faults().clear();
    let first = first.end().await;
    assert_eq!(first.receipt(0)["key"], "first.txt");
    assert_eq!(bed.object("second.txt"), Some(content(3 << 20)), "{first:#?}");
    let told = run(bed.waybill(&["history", "--json"])).await.receipts(0);
    assert_eq!(all(&told, "state"), ["done", "done"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_first_is_killed_the_second_goes_on_by_itself_and_tells_each_file_once() {
    let bed = Bed::start().await;
    let holder = holder(&bed).await;
    for n in 0..4 {
        bed.file(&format!("shoot/{n}.txt"), 100 + n);
    }
    bed.hold_key("shoot/3.txt");
    let mut second = Running::start(bed.upload(&[&bed.dir.path().join("files/shoot")], &[]));
    let mut receipts = Vec::new();
    for _ in 0..3 {
        receipts.push(second.receipt().await);
    }
    bed.until_held(2).await;
    holder.kill().await;
    bed.release().await;
    let ended = second.end().await;
    assert!(ended.stderr.contains("going on here"), "{ended:#?}");
    receipts.extend(ended.receipts(0));
    assert_eq!(all(&receipts, "key"), ["shoot/0.txt", "shoot/1.txt", "shoot/2.txt", "shoot/3.txt"]);
    assert_eq!(all(&receipts, "state"), ["done"; 4]);
    assert_eq!(bed.done(Operation::PutObject).len(), 4, "none is stored twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_keys_are_not_put_under_what_the_first_is_uploading() {
    let bed = Bed::start().await;
    let holder = holder(&bed).await;
    let mut second = bed.upload(&[&bed.file("second.txt", 20)], &[]);
    second.env("OSS_ACCESS_KEY_SECRET", "wrong");
    let ended = run(second).await;
    assert!(ended.refusal().contains("with other keys"), "{ended:#?}");
    bed.sandbox.faults().clear();
    assert_eq!(holder.end().await.receipt(0)["state"], "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_takes_over_what_goes_to_its_destination() {
    let bed = Bed::start().await;
    let config = EngineConfig { secrets: Arc::new(MemorySecrets::default()), ..EngineConfig::new(bed.data_dir()) };
    let window = Engine::start(config).await.unwrap();
    window.save_destination(destination(&bed)).await.unwrap();
    let file = bed.file("note.txt", 20);
    let upload = |name: &'static str| {
        let mut command = bed.waybill(&["upload", "--json", "--destination", name]);
        command.arg(&file);
        run(command)
    };
    let receipt = upload("Mine").await.receipt(0);
    assert_eq!((&receipt["key"], &receipt["callback"]["outcome"]), (&"from/note.txt".into(), &"answered".into()));
    let refused = upload("Nowhere").await;
    assert!(refused.refusal().contains("there is no destination \"Nowhere\""), "{refused:#?}");
    window.stop().await;
    assert!(!bed.data_dir().join("waybill.sock").exists());
}

pub(crate) fn destination(bed: &Bed) -> DestinationForm {
    let info = bed.sandbox.info();
    DestinationForm {
        id: None,
        name: "Mine".into(),
        endpoint: info.endpoint.clone(),
        region: info.region.clone(),
        bucket: info.bucket.clone(),
        key_template: "from/{name}".into(),
        access_key_id: KEY_ID.into(),
        access_key_secret: Some(SECRET.into()),
        security_token: None,
        callback: Some(CallbackProfileForm {
            urls: vec![info.callback_url.clone()],
            host: String::new(),
            body: r#"{"object":${object}}"#.into(),
            body_type: BodyKind::Json,
            sni: false,
            variables: Vec::new(),
            ..CallbackProfileForm::default()
        }),
        callback_profile_id: None,
        connection: Connection::default(),
        proxy_password: None,
        overwrite: OverwritePolicy::default(),
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_first_that_does_not_answer_is_named_and_nothing_waits_for_it() {
    let bed = Bed::start().await;
    let holder = holder(&bed).await;
    signal(&holder, "STOP").await;
    let ended = run(bed.upload(&[&bed.file("second.txt", 20)], &[])).await;
    let words = format!("in use by another Waybill (process {})", holder.pid());
    assert!(ended.refusal().contains(&words) && !ended.stderr.contains("takes this over"), "{ended:#?}");
    signal(&holder, "CONT").await;
    holder.kill().await;
}

#[cfg(unix)]
async fn signal(running: &Running, name: &str) {
    let kill = format!("kill -{name} {}", running.pid());
    let sent = tokio::process::Command::new("sh").args(["-c", &kill]).status().await;
    assert!(sent.expect("sh runs").success());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_the_users_alone_and_one_that_a_crash_left_is_replaced_and_removed() {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
    let bed = Bed::start().await;
    let socket = bed.data_dir().join("waybill.sock");
    let first = holder(&bed).await;
    let metadata = std::fs::metadata(&socket).unwrap();
    assert!(metadata.file_type().is_socket());
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    first.kill().await;
    assert!(socket.exists(), "a killed process removes nothing");
    bed.release().await;
    bed.hold_key("first.txt");
    let first = Running::start(bed.upload(&[&bed.dir.path().join("files/first.txt")], &[]));
    bed.until_held(2).await;
    let second = run(bed.upload(&[&bed.file("second.txt", 20)], &[])).await;
    was_taken_by(&second, &first);
    assert_eq!(second.receipt(0)["key"], "second.txt");
    bed.sandbox.faults().clear();
    first.end().await.receipt(0);
    assert!(!socket.exists());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_with_a_long_name_is_met_at_the_address_in_its_pid_file() {
    let mut bed = Bed::start().await;
    bed.data = format!("{}/{}", "d".repeat(90), "e".repeat(90));
    let holder = holder(&bed).await;
    let announced = std::fs::read_to_string(bed.data_dir().join("waybill.pid")).unwrap();
    let socket = std::path::PathBuf::from(announced.lines().nth(1).expect("an address below the pid"));
    assert!(!socket.starts_with(bed.data_dir()) && socket.exists(), "{}", socket.display());
    let second = run(bed.upload(&[&bed.file("second.txt", 20)], &[])).await;
    was_taken_by(&second, &holder);
    assert_eq!(second.receipt(0)["key"], "second.txt");
    bed.sandbox.faults().clear();
    holder.end().await.receipt(0);
    assert!(!socket.exists() && !socket.parent().unwrap().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_run_out_stay_where_they_can_be_renewed() {
    let bed = Bed::start().await;
    let holder = holder(&bed).await;
    let server = format!("server:{}/_sandbox/tokens", bed.sandbox.info().endpoint);
    let second = run(bed.upload(&[&bed.file("second.txt", 20)], &["--keys", &server])).await;
    assert!(second.refusal().contains("could not renew them"), "{second:#?}");
    holder.kill().await;
}
