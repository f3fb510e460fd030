//! `waybill callback verify` and `receive`: whose signature a request bears, pasted or as it comes in.

use std::io::{Read, Write};

use serde_json::Value;
use tempfile::TempDir;

use crate::bed::{Bed, bare};
use crate::running::{Ended, Running, run, run_fed};

/// Captured callbacks of OSS, and made ones with the key they are signed with.
fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../waybill-oss/tests/fixtures/callback-signature.json")).expect("JSON")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

/// A request as a proxy logs it.
fn request(target: &str, headers: &[(&str, &str)], body: &str) -> String {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("POST {target} HTTP/1.1\r\n{headers}\r\n{body}")
}

/// `waybill callback verify` with a data folder that is not there.
async fn verify(input: &str, more: &[&str]) -> Ended {
    let dir = tempfile::tempdir().expect("a temp folder");
    let mut command = bare();
    command.arg("--data-dir").arg(dir.path().join("none")).args(["callback", "verify"]).args(more);
    let ended = run_fed(command, input.as_bytes()).await;
    assert!(!dir.path().join("none").exists(), "nothing is made to look at a request");
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_that_oss_made_are_told_from_changed_ones_without_asking_anybody() {
    let vectors = vectors();
    let key_url = text(&vectors["published_by_alibaba"], "public_key_url_base64");
    for vector in vectors["captured"].as_array().expect("captured callbacks") {
        let headers = [("authorization", text(vector, "authorization")), ("X-Oss-Pub-Key-Url", key_url)];
        let (target, body) = (text(vector, "request_target"), text(vector, "body"));
        for (input, code, part) in [
            (request(target, &headers, body), 0, "✓ signed by OSS (key http"),
            (request(target, &headers, &format!("{body}\n")), 0, "✓ signed by OSS"),
            (request(target, &headers, &format!("{body}x")), 1, "✗ the signature does not fit"),
            (request(target, &headers[..1], body), 1, "✗ no proof: x-oss-pub-key-url"),
            (request(target, &headers[1..], body), 1, "✗ not signed"),
        ] {
            let ended = verify(&input, &[]).await;
            assert_eq!(ended.code(), Some(code), "{ended:#?}");
            assert!(ended.lines[0].starts_with(part), "{ended:#?}");
            assert!(ended.lines.iter().any(|line| line.contains(body)), "the text that was signed: {ended:#?}");
        }
        let told = verify(&request(target, &headers, body), &["--json"]).await.receipt(0);
        assert_eq!(fields(&told), ["keyUrl", "kind", "signed"]);
        assert_eq!((text(&told, "kind"), text(&told, "signed")), ("oss", format!("{target}\n{body}").as_str()));
        let short = [("Content-Length", "9999"), headers[0], headers[1]];
        let cut = verify(&request(target, &short, &body[1..]), &[]).await;
        assert!(cut.code() == Some(1) && cut.stderr.contains("cut off"), "{cut:#?}");
    }
}

fn fields(value: &Value) -> Vec<&str> {
    crate::bed::fields(value)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_at_hand_is_taken_instead_of_fetching_one_and_foreign_places_prove_nothing() {
    let (vectors, dir) = (vectors(), TempDir::new().expect("a temp folder"));
    let key = dir.path().join("key.pem");
    std::fs::write(&key, text(&vectors, "public_key_pem")).expect("a file");
    let key = key.to_str().expect("text");
    // http://127.0.0.1:1/key.pem, where nobody listens; http://evil.example.com/
    let (here, foreign) = ("aHR0cDovLzEyNy4wLjAuMToxL2tleS5wZW0=", "aHR0cDovL2V2aWwuZXhhbXBsZS5jb20v");
    let vector =
        vectors["vectors"].as_array().expect("made ones").iter().find(|vector| text(vector, "body_hex").is_empty());
    let vector = vector.expect("one without a body");
    let with = |place| {
        request(
            text(vector, "request_target"),
            &[("authorization", text(vector, "authorization")), ("x-oss-pub-key-url", place)],
            "",
        )
    };
    for (input, more, code, part) in [
        (with(here), &["--key", key][..], 0, "✓ signed by the sandbox, not by OSS"),
        (with(here), &[], 1, "✗ no proof: anybody could have put the key at http://127.0.0.1:1/key.pem"),
        (with(here), &["--sandbox", "http://127.0.0.1:1"], 1, "✗ not known: the key at http://127.0.0.1:1/key.pem"),
        (with(foreign), &["--key", key], 1, "✗ no proof: anybody could have put the key at http://evil.example.com/"),
    ] {
        let ended = verify(&input, more).await;
        assert_eq!(ended.code(), Some(code), "{ended:#?}");
        assert!(ended.lines[0].starts_with(part), "{ended:#?}");
    }
    for (input, more, part) in [
        ("bucket=a&object=b", &[][..], "no request line"),
        ("POST / HTTP/1.1\nHost: h\nbucket=a", &[], "no header"),
        ("", &[], "no request line"),
        ("POST /", &["--key", "nowhere.pem"], "could not read \"nowhere.pem\""),
        ("POST /", &["--key", "/dev/null"], "the public key cannot be read"),
        ("POST /", &["--sandbox", "http://evil.example.com:80"], "on this computer"),
    ] {
        if cfg!(windows) && more.contains(&"/dev/null") {
            continue;
        }
        let ended = verify(input, more).await;
        assert!(ended.refusal().contains(part), "{ended:#?}");
    }
}

/// `waybill callback receive` on a free port.
async fn receiver(bed: &Bed, more: &[&str]) -> (Running, String) {
    let mut running = Running::start(bed.waybill(&[&["callback", "receive", "--port", "0", "--json"], more].concat()));
    let url = running.receipt().await["url"].as_str().expect("an address").to_owned();
    (running, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_is_received_with_its_verdict_answered_as_told_and_verifies_again_when_pasted() {
    let bed = Bed::start().await;
    let sandbox = bed.sandbox.info().endpoint.clone();
    let (mut receiver, url) =
        receiver(&bed, &["--body", "{\"seen\":1}", "--delay", "10ms", "--sandbox", &sandbox]).await;
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    let file = bed.file("note.txt", 10);
    let upload = run(bed.upload(&[&file], &["--callback-url", &format!("{url}?from=a%20b")])).await.receipt(0);
    assert_eq!(upload["callback"]["body"], "{\"seen\":1}");
    let got = receiver.receipt().await;
    assert_eq!((text(&got, "method"), text(&got, "target")), ("POST", "/callback?from=a%20b"));
    assert_eq!((text(&got["signature"], "kind"), &got["answered"]), ("sandbox", &200.into()));
    let headers: Vec<_> =
        got["headers"].as_array().expect("headers").iter().map(|row| (text(row, "name"), text(row, "value"))).collect();
    let pasted = request(text(&got, "target"), &headers, text(&got, "body"));
    let ended = verify(&pasted, &["--sandbox", &sandbox]).await;
    assert_eq!(ended.code(), Some(0), "{ended:#?}");
    assert!(ended.lines[0].starts_with("✓ signed by the sandbox"), "{ended:#?}");
    // The data folder knows the sandbox by now.
    assert_eq!(run_fed(bed.waybill(&["callback", "verify"]), pasted.as_bytes()).await.code(), Some(0));
    assert_eq!(verify(&pasted.replace("note.txt", "nope.txt"), &["--sandbox", &sandbox]).await.code(), Some(1));
    receiver.kill().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_oss_does_not_take_fails_the_callback_and_ctrl_c_ends_the_receiver() {
    let bed = Bed::start().await;
    let (mut receiving, url) = receiver(&bed, &["--status", "503"]).await;
    let port = url.split([':', '/']).nth(4).expect("a port").to_owned();
    let file = bed.file("note.txt", 10);
    let upload = run(bed.upload(&[&file], &["--callback-url", &url])).await.receipt(2);
    assert_eq!(upload["callback"]["ec"], "0007-00000203");
    assert_eq!(receiving.receipt().await["answered"], 503);
    let taken = run(bed.waybill(&["callback", "receive", "--port", &port])).await;
    assert!(taken.refusal().contains(&format!("port {port} cannot be listened on")), "{taken:#?}");
    let ended = receiving.interrupt().await;
    assert_eq!((ended.code(), ended.lines.len()), (Some(0), 0), "{ended:#?}");
    // In words, on the port that is free again; what a terminal would obey is shown and not done.
    let mut words = Running::start(bed.waybill(&["callback", "receive", "--port", &port]));
    assert_eq!(words.line().await, format!("receiving at http://127.0.0.1:{port}/callback (Ctrl-C ends it)"));
    let address = format!("127.0.0.1:{port}");
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).expect("it listens");
        let sent = b"GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 4\r\n\r\n\x1b[0m";
        stream.write_all(sent).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    });
    let answer = answer.await.expect("it ends").expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("{\"Status\":\"OK\"}"), "{answer}");
    let mut page = Vec::new();
    while page.last().is_none_or(|line: &String| !line.starts_with('→')) {
        page.push(words.line().await);
    }
    let page = page.join("\n");
    assert!(page.starts_with("\nGET /x\nhost: h\n") && page.ends_with("→ answered with 200"), "{page}");
    assert!(page.contains("\n␛[0m\n✗ not signed: there is no authorization header"), "{page}");
    words.kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_answered_is_refused() {
    let bed = Bed::start().await;
    for (more, part) in [
        (&["--status", "99"][..], "99"),
        (&["--delay", "2h"], "is not a time"),
        (&["--delay", "61s"], "60000 ms at most"),
        (&["--content-type", "a\nb"], "control character"),
        (&["--port", "70000"], "70000"),
    ] {
        let ended = run(bed.waybill(&[&["callback", "receive"], more].concat())).await;
        assert!(ended.refusal().contains(part), "{ended:#?}");
    }
    assert!(!bed.data_dir().exists(), "a receiver needs no data folder");
}
