//! A server that answers from a script, records what it was sent, and checks every signature by its own reading.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use waybill_oss::{
    BucketName, Client, Crc64, Credential, Credentials, Endpoint, FileSlice, HttpOptions, ObjectHeaders, ObjectKey,
    Progress, http_client,
};

use crate::signing;

pub(crate) const SECRET: &str = "wire-secret-4711";
pub(crate) const TOKEN: &str = "wire-token-0815";

/// What the server does with the next request.
pub(crate) enum Reply {
    /// Reads it whole and answers.
    Answer(String),
    /// Reads it whole and hangs up without a word.
    Lost,
    /// Reads its head, then holds the line and does nothing.
    Stall,
    /// Reads its head and hangs up.
    HangUp,
    /// Reads its head, answers, and reads nothing further.
    Early(String),
    /// Reads it whole and answers after so long.
    Late(Duration, String),
    /// Answers with this head, and bytes behind it for as long as anybody reads them, 64 MiB at most.
    Endless(String),
    /// Answers so many bytes of this answer and hangs up.
    Cut(String, usize),
}

/// An answer with the headers every answer of OSS has.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    Reply::Answer(text(status, headers, body))
}

pub(crate) fn text(status: u16, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("HTTP/1.1 {status} Status\r\nx-oss-request-id: 65A1B2\r\nServer: AliyunOSS\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) && status != 204 {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    text + "\r\n" + body
}

pub(crate) fn refusal(status: u16, code: &str, ec: &str) -> Reply {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>Words about {code}.</Message>\
         <RequestId>65A1B2</RequestId><HostId>h</HostId><EC>{ec}</EC></Error>"
    );
    answer(status, &[("Content-Type", "application/xml"), ("x-oss-ec", ec)], &body)
}

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    pub(crate) signed: bool,
    pub(crate) presigned: bool,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

struct Script {
    replies: VecDeque<Reply>,
    seen: Vec<Seen>,
    /// Connections kept open until the test ends.
    held: Vec<TcpStream>,
}

pub(crate) struct Server {
    pub(crate) address: String,
    script: Arc<Mutex<Script>>,
}

impl Server {
    pub(crate) async fn start(replies: Vec<Reply>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = format!("http://{}", listener.local_addr().expect("address"));
        let script = Arc::new(Mutex::new(Script { replies: replies.into(), seen: Vec::new(), held: Vec::new() }));
        let shared = Arc::clone(&script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&shared)));
            }
        });
        Server { address, script }
    }

    /// The same script behind another address.
    pub(crate) fn at(self, address: String) -> Server {
        Server { address, ..self }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(None)
    }

    pub(crate) fn client_with(&self, token: Option<&str>) -> Client {
        self.client_of(Credential::new("ak", SECRET, token.map(str::to_owned)))
    }

    pub(crate) fn client_of(&self, credentials: impl Into<Credentials>) -> Client {
        Client::new(
            http_client(&HttpOptions::default()).expect("http"),
            Endpoint::parse(&self.address).expect("endpoint"),
            "cn-hangzhou".to_owned(),
            BucketName::parse("examplebucket").expect("bucket"),
            credentials,
        )
    }

    /// Every request so far; none may have been signed.
    pub(crate) fn unsigned(&self) -> Vec<Seen> {
        let seen = self.script.lock().expect("script").seen.clone();
        assert!(seen.iter().all(|request| request.header("authorization").is_empty()), "signed: {seen:?}");
        seen
    }

    /// Every request so far, also one the script had no answer for; each must have been signed rightly.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        let seen = self.script.lock().expect("script").seen.clone();
        for request in &seen {
            assert!(request.signed, "the signature is wrong: {request:?}");
        }
        seen
    }
}

async fn converse(mut stream: TcpStream, script: Arc<Mutex<Script>>) {
    let mut buffer = Vec::new();
    loop {
        let head_end = loop {
            if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let head = String::from_utf8(buffer.drain(..head_end).collect()).expect("head");
        let mut request = parse(&head);
        let next = script.lock().expect("script").replies.pop_front();
        let Some(reply) = next else {
            // Recorded all the same, so that a test which counts requests sees the one too many.
            script.lock().expect("script").seen.push(request);
            return;
        };
        let length = request.headers.get("content-length").map_or(0, |text| text.parse::<usize>().expect("length"));
        if !matches!(reply, Reply::Stall | Reply::HangUp | Reply::Early(_)) {
            while buffer.len() < length {
                if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            request.body = buffer.drain(..length.min(buffer.len())).collect();
        }
        script.lock().expect("script").seen.push(request);
        match reply {
            Reply::Answer(text) => stream.write_all(text.as_bytes()).await.expect("answer"),
            Reply::Late(wait, text) => {
                tokio::time::sleep(wait).await;
                // Whoever asked may have gone.
                if stream.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
            }
            Reply::Endless(head) => {
                stream.write_all(head.as_bytes()).await.expect("answer");
                for _ in 0..1024 {
                    if stream.write_all(&[b'x'; 1 << 16]).await.is_err() {
                        break;
                    }
                }
                return;
            }
            Reply::Lost | Reply::HangUp => return,
            Reply::Early(text) => {
                stream.write_all(text.as_bytes()).await.expect("answer");
                return script.lock().expect("script").held.push(stream);
            }
            Reply::Stall => return script.lock().expect("script").held.push(stream),
            Reply::Cut(text, at) => return stream.write_all(&text.as_bytes()[..at]).await.expect("answer"),
        }
    }
}

fn parse(head: &str) -> Seen {
    let mut lines = head.lines();
    let mut first = lines.next().expect("request line").split(' ');
    let (method, target) = (first.next().expect("method").to_owned(), first.next().expect("target").to_owned());
    let pair = |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let headers: BTreeMap<String, String> = lines.filter_map(pair).collect();
    let mut seen = Seen { method, target, headers, body: Vec::new(), signed: false, presigned: false };
    seen.signed = signing::in_header(&seen);
    seen.presigned = signing::in_url(&seen);
    seen
}

pub(crate) fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).expect("key")
}

/// Nothing said about the object.
pub(crate) fn plain() -> ObjectHeaders {
    ObjectHeaders::default()
}

pub(crate) fn slice(bytes: &[u8]) -> FileSlice {
    let mut file = tempfile::tempfile().expect("file");
    file.write_all(bytes).expect("write");
    FileSlice { file: Arc::new(file), offset: 0, len: bytes.len() as u64 }
}

pub(crate) fn crc64(bytes: &[u8]) -> String {
    let mut crc = Crc64::new();
    crc.update(bytes);
    crc.finish().to_string()
}

/// A sum that follows the progress reports.
#[derive(Clone, Default)]
pub(crate) struct Sum(Arc<[AtomicI64; 2]>);

impl Sum {
    pub(crate) fn progress(&self) -> Progress {
        let inner = Arc::clone(&self.0);
        Arc::new(move |bytes| {
            inner[0].fetch_add(bytes, Ordering::SeqCst);
            inner[1].fetch_add(bytes.max(0), Ordering::SeqCst);
        })
    }

    /// What is counted now.
    pub(crate) fn now(&self) -> i64 {
        self.0[0].load(Ordering::SeqCst)
    }

    /// What was ever counted, before anything was taken back.
    pub(crate) fn ever(&self) -> i64 {
        self.0[1].load(Ordering::SeqCst)
    }
}
