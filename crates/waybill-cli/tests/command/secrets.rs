//! The secret and the token: in no file, on no stream, in no argument.

use std::path::Path;

use waybill_sandbox::Operation;

use crate::bed::{Bed, LIMIT, SECRET};
use crate::running::{Ended, Running, run};

#[tokio::test(flavor = "multi_thread")]
async fn secret_and_token_are_nowhere_but_in_the_environment() {
    let bed = Bed::start().await;
    let big = bed.file("clip.mov", 4 << 20);
    let url = bed.sandbox.info().callback_url.clone();
    let token = bed.sandbox.issue_token(LIMIT);
    let secrets = [SECRET, token.access_key_secret.as_str(), token.security_token.as_str()];
    let upload = || {
        let mut command = bed.upload(&[&big], &["--part-size", "1MiB", "--parallel", "2", "--callback-url", &url]);
        bed.sign_with(&token, &mut command);
        command.env("WAYBILL_LOG", "trace");
        command
    };
    bed.hold(Operation::UploadPart, 2);
    let running = Running::start(upload());
    bed.until_held(2).await;
    #[cfg(target_os = "linux")]
    {
        let arguments = std::fs::read(format!("/proc/{}/cmdline", running.pid())).expect("its arguments");
        assert!(has(&arguments, "clip.mov"), "the arguments are not there to be looked at");
        assert!(!secrets.iter().any(|secret| has(&arguments, secret)));
    }
    let killed = running.kill().await;
    // With the write-ahead log as a crash leaves it.
    assert_silent(&killed, &bed.data_dir(), &secrets);
    bed.release().await;

    let ended = run(upload()).await;
    assert_eq!(ended.receipt(0)["state"], "done");
    assert_silent(&ended, &bed.data_dir(), &secrets);

    let mut history = bed.waybill(&["history", "--json"]);
    history.env("WAYBILL_LOG", "trace");
    let ended = run(history).await;
    assert_eq!(ended.receipts(0).len(), 1);
    assert!(!ended.lines.concat().contains(SECRET) && !ended.stderr.contains(SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_handed_over_stay_in_memory() {
    let bed = Bed::start().await;
    let (first, second) = (bed.file("first.txt", 10), bed.file("second.txt", 20));
    let token = bed.sandbox.issue_token(LIMIT);
    let secrets = [SECRET, token.access_key_secret.as_str(), token.security_token.as_str()];
    let traced = |mut command: tokio::process::Command| {
        bed.sign_with(&token, &mut command);
        command.env("WAYBILL_LOG", "trace");
        command
    };
    bed.hold_key("first.txt");
    let holder = Running::start(traced(bed.upload(&[&first], &[])));
    bed.until_held(1).await;
    let ended = run(traced(bed.upload(&[&second], &[]))).await;
    assert!(ended.stderr.contains("takes this over"), "{}", ended.stderr);
    assert_eq!(ended.receipt(0)["state"], "done");
    assert_silent(&ended, &bed.data_dir(), &secrets);
    assert_silent(&holder.kill().await, &bed.data_dir(), &secrets);
}

fn assert_silent(ended: &Ended, data_dir: &Path, secrets: &[&str]) {
    assert!(ended.stderr.contains("TRACE"), "there is no trace to look at: {}", ended.stderr);
    let mut looked_at = Vec::new();
    files(data_dir, &mut looked_at);
    assert!(looked_at.iter().any(|path| path.ends_with("waybill.db")), "{looked_at:?}");
    for &word in secrets {
        assert!(!ended.lines.concat().contains(word), "on standard output: {:#?}", ended.lines);
        let line = ended.stderr.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "on standard error");
        for path in &looked_at {
            assert!(!has(&std::fs::read(path).expect("a file"), word), "in {}", path.display());
        }
    }
}

fn files(dir: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.metadata().expect("it can be looked at") {
            kind if kind.is_dir() => files(&path, found),
            kind if kind.is_file() => found.push(path),
            // A socket holds nothing.
            _ => {}
        }
    }
}

fn has(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}
