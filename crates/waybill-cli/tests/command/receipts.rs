//! The receipt of what went well: its fields, and that they are true.

use serde_json::{Value, json};
use waybill_sandbox::{Fault, FaultKind, Operation};

use crate::bed::{Bed, all, content, crc64, fields};
use crate::running::run;

const FIELDS: [&str; 9] = ["bucket", "callback", "crc64", "etag", "key", "path", "requestId", "size", "state"];

#[tokio::test(flavor = "multi_thread")]
async fn a_small_file_comes_back_with_its_receipt() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 1000);
    let ended = run(bed.upload(&[&file], &[])).await;
    let receipt = ended.receipt(0);
    assert_eq!(fields(&receipt), FIELDS);
    let log = bed.sandbox.log();
    assert_eq!(log.len(), 1, "{log:#?}");
    assert_eq!(receipt["path"], file.to_str().unwrap());
    assert_eq!(receipt["bucket"], "bucket");
    assert_eq!(receipt["key"], "note.txt");
    assert_eq!(receipt["size"], 1000);
    assert_eq!(receipt["crc64"], crc64(&content(1000)));
    assert_eq!(receipt["etag"].as_str().map(str::len), Some(32), "{receipt}");
    assert_eq!(receipt["requestId"], log[0].request_id);
    assert_eq!(receipt["state"], "done");
    assert_eq!(receipt["callback"], json!({"outcome": "notRequested", "status": null, "ec": null, "body": null}));
    assert_eq!(bed.object("note.txt"), Some(content(1000)));
    assert_eq!(ended.stderr, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_multipart_upload_passes_body_and_variables_on_and_the_whole_answer_back() {
    let bed = Bed::start().await;
    let len = (5 << 20) + 1;
    let file = bed.file("clip.mp4", len);
    let url = bed.sandbox.info().callback_url.clone();
    let body = r#"{"object":${object},"size":${size},"etag":${etag},"crc64":${crc64},"job":${x:job},"who":${x:who}}"#;
    let more = ["--part-size", "1MiB", "--callback-url", &url, "--callback-body", body, "--callback-body-type", "json"];
    let mut command = bed.upload(&[&file], &more);
    command.args(["--var", "job=a=b \"c\"", "--var", "x:who=发布会"]);
    let receipt = run(command).await.receipt(0);

    assert_eq!(fields(&receipt), FIELDS);
    assert_eq!(fields(&receipt["callback"]), ["body", "ec", "outcome", "status"]);
    let complete = bed.done(Operation::CompleteMultipartUpload);
    assert_eq!(complete.len(), 1);
    assert_eq!(receipt["requestId"], complete[0].request_id);
    assert_eq!((&receipt["key"], &receipt["size"]), (&json!("clip.mp4"), &json!(len)));
    assert_eq!(receipt["crc64"], crc64(&content(len)));
    assert_eq!(receipt["callback"]["outcome"], "answered");
    assert_eq!(receipt["callback"]["status"], 200);
    assert_eq!(receipt["callback"]["ec"], Value::Null);
    let answer: Value = serde_json::from_str(receipt["callback"]["body"].as_str().unwrap()).unwrap();
    let received = json!({
        "object": "clip.mp4", "size": len, "etag": receipt["etag"], "crc64": receipt["crc64"],
        "job": "a=b \"c\"", "who": "发布会",
    });
    assert_eq!(answer, json!({"Status": "OK", "no": 1, "received": received}));
    assert_eq!(bed.sandbox.callbacks().len(), 1);
    assert_eq!(bed.parts(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(bed.object("clip.mp4"), Some(content(len)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_arrives_byte_for_byte() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 10);
    let answer = json!({"lines": "订单 \"42\"\n".repeat(20_000)}).to_string();
    let fault = FaultKind::CallbackStatus { status: 200, body: answer.clone() };
    bed.sandbox.faults().add(Fault::on(Operation::Callback, fault));
    let url = bed.sandbox.info().callback_url.clone();
    let receipt = run(bed.upload(&[&file], &["--callback-url", &url])).await.receipt(0);
    assert!(receipt["callback"]["body"] == answer, "the answer was changed on its way");
    let told = &bed.sandbox.callbacks()[0];
    assert_eq!(told.headers["content-type"], "application/x-www-form-urlencoded");
    let etag = receipt["etag"].as_str().unwrap();
    let form = told.body.replace("%2F", "/");
    assert_eq!(form, format!("bucket=bucket&object=note.txt&etag={etag}&size=10&mimeType=text/plain"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folders_own_name_is_part_of_the_keys_however_it_is_written() {
    let bed = Bed::start().await;
    bed.file("shoot/a/b.jpg", 10);
    bed.file("shoot/发布会 1+2%.txt", 20);
    bed.file("shoot/empty", 0);
    let keys = |prefix: &str| {
        let names = ["a/b.jpg", "empty", "发布会 1+2%.txt"];
        names.map(|name| format!("{prefix}shoot/{name}"))
    };
    let shoot = bed.dir.path().join("files/shoot");

    let receipts = run(bed.upload(&[&shoot], &[])).await.receipts(0);
    assert_eq!(all(&receipts, "key"), keys(""));
    assert_eq!(bed.object("shoot/a/b.jpg"), Some(content(10)));
    assert_eq!(bed.object("shoot/发布会 1+2%.txt"), Some(content(20)));
    assert_eq!(bed.object("shoot/empty"), Some(Vec::new()));

    let receipts = run(bed.upload(&[&shoot.join("")], &["--prefix", "2026/"])).await.receipts(0);
    assert_eq!(all(&receipts, "key"), keys("2026/"));

    let mut inside = bed.upload(&[".".as_ref()], &["--prefix", "in/"]);
    inside.current_dir(&shoot);
    assert_eq!(all(&run(inside).await.receipts(0), "key"), keys("in/"));

    let mut below = bed.upload(&["..".as_ref()], &["--prefix", "up/"]);
    below.current_dir(shoot.join("a"));
    assert_eq!(all(&run(below).await.receipts(0), "key"), keys("up/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_takes_the_key_it_is_given() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 10);
    let receipt = run(bed.upload(&[&file], &["--key", "any/where else.md"])).await.receipt(0);
    assert_eq!(receipt["key"], "any/where else.md");
    assert_eq!(bed.object("any/where else.md"), Some(content(10)));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_json_a_person_reads_where_the_file_is_and_what_the_server_said() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 10);
    let url = bed.sandbox.info().callback_url.clone();
    let info = bed.sandbox.info();
    let mut command = bed.waybill(&["upload", "--bucket", "bucket", "--region", "cn-test", "--callback-url", &url]);
    command.args(["--endpoint", &info.endpoint]).arg(&file);
    let ended = run(command).await;
    assert_eq!((ended.code(), ended.lines.len()), (Some(0), 1), "{ended:#?}");
    assert!(ended.lines[0].contains("oss://bucket/note.txt"), "{ended:#?}");
    assert!(ended.lines[0].contains(r#""Status":"OK""#), "{ended:#?}");
}
