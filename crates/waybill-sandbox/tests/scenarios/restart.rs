//! What is left after the process has ended.

use std::path::{Path, PathBuf};

use reqwest::Method;
use waybill_sandbox::{Operation, Sandbox, SandboxError, read_request_log};

use crate::bed::{Bed, config};

#[tokio::test]
async fn uploads_survive_a_restart() {
    let bed = Bed::start().await;
    let upload = bed.initiate("dir/k").await;
    let one = bed.part("dir/k", &upload, 1, vec![1; 102_400]).await;
    let before = bed.ask_list("dir/k", &upload).send().await.text();
    let bed = bed.restart().await;
    assert_eq!(bed.ask_list("dir/k", &upload).send().await.text(), before);
    let two = bed.part("dir/k", &upload, 2, vec![2; 5]).await;
    assert_eq!(bed.ask_complete("dir/k", &upload, &[(1, &one), (2, &two)]).send().await.status, 200);
    assert_eq!(bed.get("dir/k").await.map(|body| body.len()), Some(102_405));
}

#[tokio::test]
async fn objects_survive_a_restart_with_their_headers() {
    let bed = Bed::start().await;
    bed.ask(Method::PUT, "k").header("x-oss-meta-a", "1").body("123456789").send().await;
    let bed = bed.restart().await;
    let head = bed.ask(Method::HEAD, "k").send().await;
    assert_eq!(
        (head.header("x-oss-meta-a").as_str(), head.header("x-oss-hash-crc64ecma").as_str()),
        ("1", "11051210869376104954")
    );
    assert_eq!(bed.get("k").await.as_deref(), Some(&b"123456789"[..]));
}

#[tokio::test]
async fn the_request_log_is_read_from_the_folder_after_a_restart() {
    let bed = Bed::start().await;
    let upload = bed.initiate("k").await;
    bed.part("k", &upload, 3, vec![1; 10]).await;
    let bed = bed.restart().await;
    bed.put("other", "x").await;
    let log = read_request_log(bed.dir.path()).expect("reads");
    let seen: Vec<_> =
        log.iter().map(|e| (e.operation, e.key.as_deref(), e.part_number, e.status, e.bytes_received)).collect();
    assert_eq!(
        seen,
        [
            (Operation::InitiateMultipartUpload, Some("k"), None, Some(200), 0),
            (Operation::UploadPart, Some("k"), Some(3), Some(200), 10),
            (Operation::PutObject, Some("other"), None, Some(200), 1),
        ]
    );
    assert_eq!((log[0].upload_id.as_deref(), log[1].upload_id.as_deref()), (Some(&*upload), Some(&*upload)));
    assert_eq!(bed.sandbox.log(), log[2..]);
}

#[tokio::test]
async fn a_second_sandbox_over_the_same_folder_is_refused() {
    let bed = Bed::start().await;
    let second = Sandbox::start(config(bed.dir.path(), 0)).await;
    assert!(matches!(second, Err(SandboxError::DataDirInUse { .. })), "{second:?}");
}

#[tokio::test]
async fn the_secret_is_in_no_debug_text_and_no_file() {
    let bed = Bed::start().await;
    let upload = bed.initiate("part").await;
    bed.part("part", &upload, 1, vec![1]).await;
    bed.put("k", "x").await;
    let mut wrong = bed.ask(Method::GET, "k");
    wrong.id = "nobody".into();
    wrong.send().await.refused(403, "InvalidAccessKeyId");
    assert!(!format!("{:?} {:?}", bed.sandbox, config(bed.dir.path(), 0)).contains(crate::bed::SECRET));
    let files = all_files(bed.dir.path());
    assert!(files.len() >= 4, "{files:?}");
    for (path, bytes) in &files {
        let holds = bytes.windows(crate::bed::SECRET.len()).any(|window| window == crate::bed::SECRET.as_bytes());
        assert!(!holds, "{path:?}");
    }
    let log = files.iter().find(|(path, _)| path.ends_with("requests.jsonl")).expect("a log");
    assert!(String::from_utf8_lossy(&log.1).contains("PutObject"));
}

/// Every file below a folder, with its bytes.
fn all_files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(dir).expect("lists").flatten().map(|entry| entry.path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                return all_files(&path);
            }
            let bytes = std::fs::read(&path).expect("reads");
            vec![(path, bytes)]
        })
        .collect()
}
