//! `waybill sandbox`: its ready line, its end, and why it may not start.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::bed::{bare, content, fields};
use crate::running::{Running, run};

const SECRET: &str = "s3cr3t-of-the-sandbox";

fn sandbox(data: &Path, more: &[&str]) -> Command {
    let mut command = bare();
    command.args(["sandbox", "--region", "cn-test", "--access-key-id", "me"]);
    command.arg("--data").arg(data).args(more).env("OSS_ACCESS_KEY_SECRET", SECRET);
    command
}

async fn ready(running: &mut Running) -> Value {
    running.receipt().await
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn it_says_how_to_reach_it_takes_an_upload_and_ends_on_ctrl_c() {
    let dir = TempDir::new().unwrap();
    let mut running = Running::start(sandbox(&dir.path().join("sandbox"), &["--bucket", "pictures"]));
    let info = ready(&mut running).await;
    let names = ["accessKeyId", "accessKeySecret", "bucket", "callbackUrl", "endpoint", "region"];
    assert_eq!(fields(&info), names);
    let text = |name: &str| info[name].as_str().expect("text");
    assert!(text("endpoint").starts_with("http://127.0.0.1:"), "{info}");
    assert_eq!(text("callbackUrl"), format!("{}/callback", text("endpoint")));
    assert_eq!((text("region"), text("bucket")), ("cn-test", "pictures"));
    assert_eq!((text("accessKeyId"), text("accessKeySecret")), ("me", SECRET));

    let file = dir.path().join("note.txt");
    std::fs::write(&file, content(1000)).unwrap();
    let mut upload = bare();
    upload.arg("upload").arg(&file).args(["--json", "--bucket", "pictures", "--region", "cn-test"]);
    upload.args(["--endpoint", text("endpoint"), "--callback-url", text("callbackUrl")]);
    upload.arg("--data-dir").arg(dir.path().join("data"));
    upload.env("OSS_ACCESS_KEY_ID", text("accessKeyId")).env("OSS_ACCESS_KEY_SECRET", text("accessKeySecret"));
    let receipt = run(upload).await.receipt(0);
    assert_eq!((&receipt["key"], &receipt["callback"]["outcome"]), (&"note.txt".into(), &"answered".into()));
    let object = dir.path().join("sandbox/objects/pictures/note.txt");
    assert_eq!(std::fs::read(object).unwrap(), content(1000));

    let ended = running.interrupt().await;
    assert_eq!((ended.code(), ended.lines.len()), (Some(0), 0), "{ended:#?}");
    assert!(!ended.stderr.contains(SECRET), "{ended:#?}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_right_after_the_ready_line_ends_it_with_0_and_frees_the_folder() {
    let dir = TempDir::new().unwrap();
    for _ in 0..5 {
        let mut running = Running::start(sandbox(dir.path(), &[]));
        ready(&mut running).await;
        let ended = running.interrupt().await;
        assert_eq!(ended.code(), Some(0), "{ended:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_or_a_port_in_use_is_said_to_be_so() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("sandbox");
    let mut running = Running::start(sandbox(&data, &[]));
    let info = ready(&mut running).await;
    let ended = run(sandbox(&data, &[])).await;
    assert!(ended.refusal().contains("in use by another sandbox"), "{ended:#?}");

    let port = info["endpoint"].as_str().unwrap().rsplit(':').next().unwrap();
    let ended = run(sandbox(&dir.path().join("other"), &["--port", port])).await;
    assert!(ended.refusal().contains(&format!("127.0.0.1:{port}: ")), "the reason is missing: {ended:#?}");
    running.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_secret_it_does_not_start() {
    let dir = TempDir::new().unwrap();
    let mut command = sandbox(dir.path(), &[]);
    command.env_remove("OSS_ACCESS_KEY_SECRET");
    let ended = run(command).await;
    assert!(ended.refusal().contains("--access-key-secret"), "{ended:#?}");
    let ended = run(sandbox(dir.path(), &["--bucket", "No_Bucket"])).await;
    assert!(ended.refusal().contains("a bucket name is"), "{ended:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_real_address_rules_its_own_callback_address_is_refused_and_nothing_is_stored() {
    let dir = TempDir::new().unwrap();
    let mut running = Running::start(sandbox(&dir.path().join("sandbox"), &["--real-address-rules"]));
    let info = ready(&mut running).await;
    let text = |name: &str| info[name].as_str().expect("text");
    let file = dir.path().join("note.txt");
    std::fs::write(&file, content(10)).unwrap();
    let mut upload = bare();
    upload.arg("upload").arg(&file).args(["--json", "--bucket", "sandbox", "--region", "cn-test"]);
    upload.args(["--endpoint", text("endpoint"), "--callback-url", text("callbackUrl")]);
    upload.arg("--data-dir").arg(dir.path().join("data"));
    upload.env("OSS_ACCESS_KEY_ID", text("accessKeyId")).env("OSS_ACCESS_KEY_SECRET", text("accessKeySecret"));
    let ended = run(upload).await;
    assert_ne!(ended.code(), Some(0), "{ended:#?}");
    assert!(format!("{ended:#?}").contains("Private address is forbidden to callback"), "{ended:#?}");
    assert!(!dir.path().join("sandbox/objects/sandbox/note.txt").exists());
    running.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_says_how_to_order_an_answer() {
    let mut command = bare();
    command.args(["sandbox", "--help"]);
    let ended = run(command).await;
    let help = ended.lines.join("\n");
    for words in ["?answer=500", "?answer=slow&ms=6000", "--real-address-rules", "/callback"] {
        assert!(help.contains(words), "{words} is missing in {help}");
    }
}
