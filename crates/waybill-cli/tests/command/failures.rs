//! What goes wrong: the exit code, and words that say what to do.

use waybill_sandbox::{Fault, FaultKind, Operation};

use crate::bed::{Bed, all, bare, content};
use crate::running::run;

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_callback_is_exit_code_2_and_the_file_is_stored() {
    let bed = Bed::start().await;
    let (file, big) = (bed.file("note.txt", 10), bed.file("clip.bin", 3 << 20));
    let fault = FaultKind::CallbackStatus { status: 500, body: "{}".into() };
    bed.sandbox.faults().add(Fault::on(Operation::Callback, fault).times(2));
    let url = bed.sandbox.info().callback_url.clone();
    let ended = run(bed.upload(&[&file, &big], &["--part-size", "1MiB", "--callback-url", &url])).await;
    let receipts = ended.receipts(2);
    assert_eq!(all(&receipts, "key"), ["clip.bin", "note.txt"]);
    for receipt in &receipts {
        let callback = &receipt["callback"];
        assert_eq!(receipt["state"], "done");
        assert_eq!(callback["outcome"], "failed");
        assert_eq!(callback["status"], 203);
        assert_eq!(callback["ec"], "0007-00000203");
        assert!(callback["body"].as_str().unwrap().contains("<Code>CallbackFailed</Code>"), "{receipt}");
        assert!(receipt.get("error").is_none(), "{receipt}");
    }
    assert_eq!(bed.object("note.txt"), Some(content(10)));
    assert_eq!(bed.object("clip.bin"), Some(content(3 << 20)));
    assert_eq!(bed.sandbox.callbacks().len(), 2, "a failed callback is not asked for again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_exit_code_1_and_the_others_are_stored() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 10);
    let missing = bed.dir.path().join("files/missing.txt");
    let receipts = run(bed.upload(&[&missing, &file], &[])).await.receipts(1);
    assert_eq!(receipts.len(), 2);
    let of =
        |path: &std::path::Path| receipts.iter().find(|receipt| receipt["path"] == path.to_str().unwrap()).unwrap();
    assert_eq!(of(&file)["state"], "done");
    assert_eq!(of(&missing)["state"], "refused");
    assert_eq!(of(&missing)["error"]["code"], "sourceGone");
    let message = of(&missing)["error"]["message"].as_str().unwrap();
    assert!(message.contains("missing.txt"), "{message}");
    assert_eq!(bed.object("note.txt"), Some(content(10)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_exit_code_1_with_what_oss_said() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 10);
    let mut command = bed.upload(&[&file], &[]);
    command.env("OSS_ACCESS_KEY_SECRET", "not-the-secret");
    let ended = run(command).await;
    let receipt = ended.receipt(1);
    assert_eq!(receipt["state"], "failed");
    assert_eq!(receipt["error"]["code"], "credentials");
    assert_eq!(receipt["requestId"], bed.sandbox.log()[0].request_id);
    let message = receipt["error"]["message"].as_str().unwrap();
    assert!(message.contains("SignatureDoesNotMatch"), "{message}");
    assert_eq!(bed.sandbox.log().len(), 1, "a wrong secret is not tried again");
    assert_eq!(bed.object("note.txt"), None);
    assert!(!ended.lines.concat().contains("not-the-secret") && !ended.stderr.contains("not-the-secret"), "{ended:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_goes_with_one_file_only() {
    let bed = Bed::start().await;
    let (one, two) = (bed.file("shoot/a.txt", 10), bed.file("shoot/b.txt", 10));
    let folder = bed.dir.path().join("files/shoot");
    for paths in [vec![folder.as_path()], vec![one.as_path(), two.as_path()]] {
        let ended = run(bed.upload(&paths, &["--key", "one.txt"])).await;
        assert!(ended.refusal().contains("--key names one object"), "{ended:#?}");
    }
    let ended = run(bed.upload(&[&one], &["--key", "one.txt", "--prefix", "p/"])).await;
    assert!(ended.refusal().contains("cannot be used with"), "{ended:#?}");
    assert_eq!(bed.sandbox.log(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_files_that_would_become_one_object_the_second_is_refused() {
    let bed = Bed::start().await;
    let (one, two) = (bed.file("a/note.txt", 10), bed.file("b/note.txt", 20));
    let ended = run(bed.upload(&[&one, &two], &[])).await;
    let receipts = ended.receipts(1);
    assert_eq!(receipts.len(), 2, "{receipts:#?}");
    let refused = receipts.into_iter().find(|receipt| receipt["state"] == "refused").expect("a refusal");
    assert_eq!(refused["path"], two.to_str().expect("text"));
    assert_eq!(bed.object("note.txt"), Some(content(10)), "the first is stored, and stays what it is");
    let receipt = run(bed.upload(&[&one, &one], &[])).await.receipt(0);
    assert_eq!(receipt["key"], "note.txt", "the same file twice is one upload");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_the_variable_to_set_is_named() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 10);
    for name in ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET"] {
        let mut unset = bed.upload(&[&file], &[]);
        unset.env_remove(name);
        let mut empty = bed.upload(&[&file], &[]);
        empty.env(name, " ");
        for command in [unset, empty] {
            let ended = run(command).await;
            assert!(ended.refusal().contains(name) && ended.refusal().contains("--keys"), "{ended:#?}");
        }
    }
    assert_eq!(bed.sandbox.log(), []);
}

/// Exit code 2 says that everything is stored, so a command line that cannot be read must not end with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_line_that_cannot_be_read_is_exit_code_1() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 10);
    let refused: [(&[&str], &str); 10] = [
        (&["--part-size", "8 parsecs"], "not a size"),
        (&["--parallel", "0"], "0 is not in 1..=512"),
        (&["--limit", "fast"], "is not a speed"),
        (&["--requests-per-second", "0"], "0 is not in 1..=100000"),
        (&["--no-such-option"], "--no-such-option"),
        (&["--callback-body", "a=1"], "--callback-url"),
        (&["--callback-url", "http://127.0.0.1:1/", "--var", "job"], "not name=value"),
        (&["--destination", "Home"], "cannot be used with"),
        (&["--callback-url", "ftp://example.com/"], "ftp://example.com/"),
        (&["--prefix", "/"], "note.txt"),
    ];
    for (more, words) in refused {
        let ended = run(bed.upload(&[&file], more)).await;
        assert_eq!(ended.code(), Some(1), "{more:?}: {ended:#?}");
        let said = format!("{}{}", ended.lines.concat(), ended.stderr);
        assert!(said.contains(words), "{more:?}: {ended:#?}");
    }
    let ended = run(bed.waybill(&["upload"])).await;
    assert!(ended.refusal().contains("Usage:"), "{ended:#?}");
    let mut help = bare();
    help.arg("--help");
    assert_eq!(run(help).await.code(), Some(0));
    assert_eq!(bed.sandbox.log(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_is_not_there_and_an_empty_folder_are_said_to_be_so() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 10);
    let mut command = bed.waybill(&["upload", "--json", "--destination", "Holiday pictures"]);
    command.arg(&file);
    let ended = run(command).await;
    assert!(ended.refusal().contains("no destination \"Holiday pictures\""), "{ended:#?}");

    let empty = bed.dir.path().join("files/empty");
    std::fs::create_dir(&empty).unwrap();
    let ended = run(bed.upload(&[&empty], &[])).await;
    assert!(ended.refusal().contains("no file to upload"), "{ended:#?}");
}
