//! The server under the clients: a sandbox that keeps nothing, a new one for each run, and what it says it was sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

pub(crate) const BUCKET: &str = "sandbox";
pub(crate) const REGION: &str = "local";
pub(crate) const KEY_ID: &str = "bench";
/// Opens nothing but a server that keeps nothing.
pub(crate) const SECRET: &str = "the-bench-has-no-secrets";

/// A running server, which ends with us.
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT` or `https://…`.
    pub(crate) endpoint: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts one on a free port; `tls` is a folder with `chain.pem` and `key.pem`.
    pub(crate) fn start(waybill: &Path, latency_ms: u32, tls: Option<&Path>) -> Result<Self, String> {
        let mut command = Command::new(waybill);
        command.args(["sandbox", "--discard", "--port", "0", "--region", REGION, "--bucket", BUCKET]);
        command.args(["--access-key-id", KEY_ID, "--latency", &format!("{latency_ms}ms")]);
        if let Some(folder) = tls {
            command.arg("--tls-cert").arg(folder.join("chain.pem")).arg("--tls-key").arg(folder.join("key.pem"));
        }
        let command = command.env("OSS_ACCESS_KEY_SECRET", SECRET).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("cannot start the server: {error}"))?;
        let output = child.stdout.take();
        let mut server = Self { child, endpoint: String::new() };
        let mut line = String::new();
        if let Some(output) = output {
            BufReader::new(output).read_line(&mut line).map_err(|error| format!("cannot hear the server: {error}"))?;
        }
        let info: Value = serde_json::from_str(&line).map_err(|_| "the server ended before it was ready")?;
        server.endpoint = info["endpoint"].as_str().unwrap_or_default().to_owned();
        Ok(server)
    }

    /// What came since the start.
    pub(crate) fn received(&self) -> Result<Value, String> {
        let problem = |error: std::io::Error| format!("cannot ask the server what it received: {error}");
        let (_, address) = self.endpoint.split_once("://").unwrap_or_default();
        let mut stream = TcpStream::connect(address).map_err(problem)?;
        stream.write_all(b"GET /_sandbox/received HTTP/1.0\r\nhost: bench\r\n\r\n").map_err(problem)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(problem)?;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str(body).map_err(|error| format!("what the server received is not JSON: {error}"))
    }
}
