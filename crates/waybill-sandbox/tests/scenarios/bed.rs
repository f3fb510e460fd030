//! A sandbox in a temporary folder, and what tests in its own process ask of it.

use std::path::Path;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use waybill_sandbox::{Sandbox, Tuning};

pub(crate) use crate::ask::{Ask, BUCKET, Got, ID, LONG, REGION, SECRET, config, hex, hmac};

pub(crate) struct Bed {
    pub(crate) dir: TempDir,
    pub(crate) sandbox: Sandbox,
    http: reqwest::Client,
}

impl Bed {
    pub(crate) async fn start() -> Self {
        Self::tuned(Tuning::default()).await
    }

    pub(crate) async fn tuned(tuning: Tuning) -> Self {
        Self::over(tempfile::tempdir().expect("temp dir"), 0, tuning).await
    }

    /// One over a folder in which another was before.
    pub(crate) async fn over(dir: TempDir, port: u16, tuning: Tuning) -> Self {
        let sandbox = Sandbox::start_with(config(dir.path(), port), tuning).await.expect("starts");
        let http = reqwest::Client::builder().no_proxy().build().expect("client");
        Self { dir, sandbox, http }
    }

    /// Stops and starts again over the same folder, on the same port.
    pub(crate) async fn restart(self) -> Self {
        let port = self.port();
        self.sandbox.stop().await;
        let sandbox = Sandbox::start(config(self.dir.path(), port)).await.expect("starts again");
        Self { sandbox, ..self }
    }

    pub(crate) fn port(&self) -> u16 {
        self.sandbox.info().endpoint.rsplit(':').next().expect("has a port").parse().expect("a number")
    }

    pub(crate) fn ask(&self, method: Method, key: &str) -> Ask<'_> {
        Ask::new(&self.http, &self.sandbox.info().endpoint, method, key)
    }

    /// A request about the bucket.
    pub(crate) fn ask_bucket(&self, method: Method) -> Ask<'_> {
        self.ask(method, "")
    }

    pub(crate) async fn put(&self, key: &str, body: impl Into<Vec<u8>>) -> Got {
        self.ask(Method::PUT, key).body(body).send().await
    }

    /// The object's bytes, `None` when it is not there.
    pub(crate) async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let got = self.ask(Method::GET, key).send().await;
        match got.status {
            200 => Some(got.body),
            404 => None,
            other => panic!("GET {key}: {other} {}", got.text()),
        }
    }

    pub(crate) async fn initiate(&self, key: &str) -> String {
        let got = self.ask(Method::POST, key).query("uploads", "").send().await;
        assert_eq!(got.status, 200, "{}", got.text());
        got.element("UploadId")
    }

    /// Sends a part and gives its ETag.
    pub(crate) async fn part(&self, key: &str, upload: &str, number: u32, body: Vec<u8>) -> String {
        let got = self.ask_part(key, upload, number, body).send().await;
        assert_eq!(got.status, 200, "{}", got.text());
        got.header("etag")
    }

    pub(crate) fn ask_part(&self, key: &str, upload: &str, number: u32, body: Vec<u8>) -> Ask<'_> {
        self.ask(Method::PUT, key).query("partNumber", &number.to_string()).query("uploadId", upload).body(body)
    }

    pub(crate) fn ask_complete(&self, key: &str, upload: &str, parts: &[(u32, &str)]) -> Ask<'_> {
        let parts: String = parts
            .iter()
            .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
            .collect();
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        self.ask(Method::POST, key).query("uploadId", upload).body(body)
    }

    pub(crate) fn ask_list(&self, key: &str, upload: &str) -> Ask<'_> {
        self.ask(Method::GET, key).query("uploadId", upload)
    }

    /// Files under a folder of the data dir, at any depth.
    pub(crate) fn files(&self, under: &str) -> usize {
        fn count(dir: &Path) -> usize {
            std::fs::read_dir(dir).map_or(0, |entries| {
                entries.flatten().map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
            })
        }
        count(&self.dir.path().join(under))
    }
}

impl Ask<'_> {
    pub(crate) fn callback(self, callback: Value) -> Self {
        self.header("x-oss-callback", &BASE64_STANDARD.encode(callback.to_string()))
    }

    /// Signs these headers too.
    pub(crate) fn additional(mut self, names: &[&'static str]) -> Self {
        self.additional = names.to_vec();
        self
    }

    /// The request line and headers for a socket, with the announced length given.
    pub(crate) fn head(&self, content_length: usize) -> String {
        let mut head =
            format!("{} {} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n", self.method, self.target());
        for (name, value) in self.signed() {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {content_length}\r\n\r\n"));
        head
    }

    /// Sends over a bare socket, so that nothing folds the target, and reads to the end.
    pub(crate) async fn send_raw(self) -> String {
        let mut socket = TcpStream::connect(self.endpoint.trim_start_matches("http://")).await.expect("connects");
        socket.write_all(self.head(self.body.len()).as_bytes()).await.expect("writes");
        socket.write_all(&self.body).await.expect("writes");
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.expect("reads");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Got {
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.element("Code").as_str()), (status, code), "{}", self.text());
    }
}
