//! The sandbox inside the app: told to misbehave, and asked what it was sent and what it holds.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Driver;

/// A running sandbox, found through the destination that it is.
#[derive(Clone, Debug)]
pub struct Sandbox {
    endpoint: String,
    folder: PathBuf,
}

/// One line of its request log (`requests.jsonl`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// OSS's name of it, for instance `UploadPart`.
    pub operation: String,
    /// Object key.
    pub key: String,
    /// Empty when it has none.
    pub upload_id: String,
    /// 0 when it has none.
    pub part_number: u64,
    /// 0 when the connection ended before there was one.
    pub status: u64,
    /// Bytes of the request's body.
    pub bytes_received: u64,
}

impl Sandbox {
    pub(crate) fn of(page: &Driver, data_dir: &Path) -> Self {
        let all = page.invoke("list_destinations", &json!({})).expect("destinations can always be listed");
        let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
        let own = all.as_array().and_then(|all| all.iter().find(|one| one["builtIn"] == json!(true)));
        let own = own.unwrap_or_else(|| panic!("the sandbox is no destination: {all}"));
        Self { endpoint: text(own, "endpoint"), folder: data_dir.join("sandbox") }
    }

    /// Plans a fault (see `waybill_sandbox::Fault` for its JSON).
    pub fn fault(&self, fault: &Value) {
        let json = |request: reqwest::RequestBuilder| {
            request.header("content-type", "application/json").body(fault.to_string())
        };
        self.faults(reqwest::Method::POST, json);
    }

    /// Takes back every fault that is left.
    pub fn mend(&self) {
        self.faults(reqwest::Method::DELETE, |request| request);
    }

    fn faults(&self, method: reqwest::Method, say: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("a client");
        let request = say(http.request(method, format!("{}/_sandbox/faults", self.endpoint)));
        // Inside the runtime: the client starts its timer when it is told to send.
        let answer = runtime.block_on(async { request.send().await }).expect("the sandbox answers");
        assert!(answer.status().is_success(), "the sandbox refused: {}", answer.status());
    }

    /// Everything it was asked, since the first start on this data folder.
    pub fn requests(&self) -> Vec<Request> {
        let log = fs::read_to_string(self.folder.join("requests.jsonl")).unwrap_or_default();
        // The last line may be half written when the app was killed.
        log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).map(|line| Request::of(&line)).collect()
    }

    /// Files below its folder whose content is exactly this: the objects that are stored whole.
    pub fn objects_equal_to(&self, content: &[u8]) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if fs::metadata(&path).is_ok_and(|data| data.len() == content.len() as u64)
                    && fs::read(&path).is_ok_and(|bytes| bytes == content)
                {
                    found.push(path);
                }
            }
        }
        found
    }
}

impl Request {
    fn of(line: &Value) -> Self {
        let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
        let number = |field: &str| line[field].as_u64().unwrap_or_default();
        Self {
            operation: text("operation"),
            key: text("key"),
            upload_id: text("uploadId"),
            part_number: number("partNumber"),
            status: number("status"),
            bytes_received: number("bytesReceived"),
        }
    }

    /// The server has done it.
    pub fn is_done(&self, operation: &str) -> bool {
        self.operation == operation && self.status == 200
    }
}
