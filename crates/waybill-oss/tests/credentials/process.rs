//! Keys that a program prints, and programs that print something else.

use waybill_oss::{Advice, Credential, CredentialSource, Credentials, Error};

use super::server::{Time, surroundings};

async fn run(script: &str) -> Result<Credential, Error> {
    let args = vec!["-c".to_owned(), script.to_owned()];
    fetch(CredentialSource::Process { program: "/bin/sh".to_owned(), args }).await
}

async fn fetch(source: CredentialSource) -> Result<Credential, Error> {
    Credentials::from_source_in(source, surroundings(&Time::default()))?.current().await
}

#[tokio::test]
async fn what_a_program_prints_becomes_keys() {
    // Its standard error leads nowhere, for it may hold secrets.
    let credential =
        run(r#"[ /dev/fd/2 -ef /dev/null ] || exit 9; printf '\357\273\277{"AccessKeyId":"id","AccessKeySecret":"sk"}\r\n'"#).await;
    let credential = credential.expect("keys");
    assert_eq!((credential.access_key_id(), credential.access_key_secret()), ("id", "sk"));
    let source = CredentialSource::process(r#"/bin/sh -c "cat /dev/stdin; echo '{}'""#).expect("command");
    let error = fetch(source).await.expect_err("its input is empty, so it ends and prints no keys");
    assert!(error.to_string().ends_with("no AccessKeyId"), "{error}");
}

#[tokio::test]
async fn what_is_no_keys_is_refused_and_never_shown() {
    for (script, words) in [
        ("echo s3cr3t", "what it gave is not a JSON object"),
        ("true", "what it gave is not a JSON object"),
        ("head -c 3000 /dev/urandom", "what it gave is not a JSON object"),
        ("yes s3cr3t", "it printed more than 64 KB, so it is no keys"),
        ("echo s3cr3t >&2; echo s3cr3t; exit 3", "it failed (exit status: 3); run it in a terminal to see why"),
    ] {
        let error = run(script).await.expect_err(script);
        assert_eq!(error.to_string(), format!("no keys from the credential program: {words}"), "{script}");
        assert_eq!(error.advice(), Advice::Never);
        assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_program_that_hangs_is_stopped_after_fifteen_seconds() {
    let begun = tokio::time::Instant::now();
    let error = run("exec sleep 600").await.expect_err("hangs");
    assert_eq!(error.to_string(), "no keys from the credential program: it was stopped after 15 s");
    assert_eq!(begun.elapsed().as_secs(), 15);
    assert!(matches!(error.advice(), Advice::Later(_)));
}

#[tokio::test]
async fn a_program_that_nobody_waits_for_any_more_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    // It holds the pipe's other end until it dies, so the pipe's end says that it is dead.
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let script = format!("exec 3>'{}'; exec sleep 30", pipe.display());
    let program = tokio::spawn(async move { run(&script).await.map(drop) });
    let opened = tokio::task::spawn_blocking(move || std::fs::File::open(pipe).expect("the pipe"));
    let mut reading = opened.await.expect("opened by the program too");
    program.abort();
    assert!(program.await.expect_err("aborted").is_cancelled());
    let end = tokio::task::spawn_blocking(move || std::io::Read::read(&mut reading, &mut [0; 1]));
    let end = tokio::time::timeout(std::time::Duration::from_secs(15), end).await.expect("killed");
    assert_eq!(end.expect("read").expect("read"), 0);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named_without_its_arguments() {
    let source = CredentialSource::process("/nowhere/helper --password s3cr3t").expect("command");
    let error = fetch(source).await.expect_err("not there");
    let text = format!("{error} {error:?}");
    assert!(
        matches!(error, Error::Invalid(_)) && text.contains("/nowhere/helper") && !text.contains("s3cr3t"),
        "{text}"
    );
}

#[test]
fn a_blank_command_line_is_refused() {
    for line in ["", "  ", "''", "helper 'open"] {
        CredentialSource::process(line).expect_err(line);
    }
}
