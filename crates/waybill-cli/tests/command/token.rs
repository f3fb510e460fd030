//! The STS token goes with every request, and only when there is one.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::bed::{Bed, KEY_ID, LIMIT, SECRET, bare, content};
use crate::running::run;

const DENIED: &str = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>No.</Message>\
    <RequestId>65A1</RequestId></Error>";

#[tokio::test(flavor = "multi_thread")]
async fn a_session_token_is_sent_as_a_header_and_without_one_there_is_none() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 10);
    for token in [Some("the-session-token"), None] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let mut command = bare();
        command.args(["upload", "--json", "--bucket", "bucket", "--region", "cn-test", "--endpoint", &endpoint]);
        command.arg("--data-dir").arg(bed.data_dir()).arg(&file);
        command.env("OSS_ACCESS_KEY_ID", KEY_ID).env("OSS_ACCESS_KEY_SECRET", SECRET);
        if let Some(token) = token {
            command.env("OSS_SESSION_TOKEN", token);
        }
        let (ended, head) = tokio::join!(run(command), answer_denied(&listener));
        let receipt = ended.receipt(1);
        assert_eq!((&receipt["error"]["code"], &receipt["requestId"]), (&"accessDenied".into(), &"65A1".into()));
        assert!(head.starts_with("put /bucket/note.txt http/1.1\r\n"), "{head}");
        let sent = head.lines().find_map(|line| line.strip_prefix("x-oss-security-token: "));
        assert_eq!(sent, token, "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_over_a_session_token_is_accepted() {
    let bed = Bed::start().await;
    let file = bed.file("clip.mov", 3 << 20);
    let mut command = bed.upload(&[&file], &["--part-size", "1MiB"]);
    bed.sign_with(&bed.sandbox.issue_token(LIMIT), &mut command);
    assert_eq!(run(command).await.receipt(0)["state"], "done");
    assert_eq!(bed.object("clip.mov"), Some(content(3 << 20)));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_from_a_server_a_file_or_a_program_upload_as_those_of_the_environment_do() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 10);
    let home = bed.dir.path().join("home");
    std::fs::create_dir_all(&home).unwrap();
    let ossutil = format!("[Credentials]\naccessKeyID={KEY_ID}\naccessKeySecret={SECRET}\n");
    std::fs::write(home.join(".ossutilconfig"), ossutil).unwrap();
    let server = format!("server:{}/_sandbox/tokens", bed.sandbox.info().endpoint);
    let printed = serde_json::json!({ "AccessKeyId": KEY_ID, "AccessKeySecret": SECRET });
    std::fs::write(home.join("keys.json"), printed.to_string()).unwrap();
    let program = format!("process:cat {}", home.join("keys.json").display());
    for (round, source) in [server.as_str(), "ossutil", &program].into_iter().enumerate() {
        let key = format!("note-{round}.txt");
        let mut command = bed.upload(&[&file], &["--key", &key, "--keys", source]);
        command.env_remove("OSS_ACCESS_KEY_ID").env_remove("OSS_ACCESS_KEY_SECRET").env("HOME", &home);
        assert_eq!(run(command).await.receipt(0)["state"], "done", "{source}");
        assert_eq!(bed.object(&key), Some(content(10)));
    }
    for (source, words) in [("server", "an address must follow"), ("nobody", "there is no such source")] {
        let ended = run(bed.upload(&[&file], &["--keys", source])).await;
        assert!(ended.refusal().contains(words), "{ended:#?}");
    }
}

/// Reads one request, answers 403, and gives the request's head in lower case.
async fn answer_denied(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let head = head(&mut stream).await;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let mut body = vec![0; length.parse().expect("a number")];
    stream.read_exact(&mut body).await.unwrap();
    let answer =
        format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{DENIED}", DENIED.len());
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    head
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_ascii_lowercase()
}
