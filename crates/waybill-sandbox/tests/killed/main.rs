//! `kill -9` at any moment: every object is one whole version, and what was answered is there.
//!
//! A program of its own: a process that is being started holds, for a moment, the sockets and locks of the one that
//! starts it, and would disturb other tests there.

#[path = "../scenarios/ask.rs"]
mod ask;

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use crc_fast::{CrcAlgorithm, checksum};
use reqwest::Method;
use tokio::sync::watch;
use waybill_sandbox::Sandbox;

use crate::ask::{Ask, LONG, config};

/// Names the data folder to the process that is to be killed.
const FOLDER: &str = "WAYBILL_SANDBOX_TEST_FOLDER";
const ROUNDS: usize = 12;
const PART: usize = 100 * 1024;
/// The key that uploads are completed over.
const MULTIPART: &str = "multipart/a";
/// The key that is deleted again and again.
const DELETED: &str = "deleted/a";

/// Not a test but the other process: a sandbox over a folder that says where it listens.
#[tokio::test]
#[ignore = "runs in the process that the test below starts and kills"]
async fn the_process_that_is_killed() {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let sandbox = Sandbox::start(config(Path::new(&folder), 0)).await.expect("starts");
    writeln!(std::io::stderr(), "listening {}", sandbox.info().endpoint).expect("writes");
    std::future::pending::<()>().await;
}

/// What the client knows of one key: versions are counted from 1, 0 is no object.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    answered: u64,
    attempted: u64,
}

#[derive(Default)]
struct Client {
    http: reqwest::Client,
    keys: Mutex<BTreeMap<String, Known>>,
    /// Uploads that were begun and not completed, with the ETag of the part that was answered.
    open: Mutex<Vec<(String, String, String)>>,
    answers: watch::Sender<u64>,
    versions: AtomicU64,
}

impl Client {
    fn attempt(&self, key: &str) -> u64 {
        let version = self.versions.fetch_add(1, Ordering::Relaxed) + 1;
        self.keys.lock().expect("not poisoned").entry(key.to_owned()).or_default().attempted = version;
        version
    }

    fn answered(&self, key: &str, version: u64) {
        self.keys.lock().expect("not poisoned").entry(key.to_owned()).or_default().answered = version;
        self.answers.send_modify(|count| *count += 1);
    }

    fn ask(&self, endpoint: &str, method: Method, key: &str) -> Ask<'_> {
        Ask::new(&self.http, endpoint, method, key)
    }

    /// Puts new versions over a few keys until the server is gone.
    async fn put(&self, endpoint: &str, writer: usize) {
        for turn in 0.. {
            let key = format!("writer {writer}/{}", turn % 3);
            let version = self.attempt(&key);
            let ask = self.ask(endpoint, Method::PUT, &key).header("x-oss-meta-version", &version.to_string());
            match ask.body(content(&key, version)).try_send().await {
                Ok(got) if got.status == 200 => self.answered(&key, version),
                Ok(got) => panic!("{key}: {} {}", got.status, got.text()),
                Err(_) => return,
            }
        }
    }

    /// Completes uploads over one key until the server is gone, and leaves every other one open.
    async fn complete(&self, endpoint: &str) {
        for turn in 0.. {
            let begin = self.ask(endpoint, Method::POST, MULTIPART).query("uploads", "");
            let version = if turn % 2 == 0 { self.attempt(MULTIPART) } else { 0 };
            let Ok(begun) = begin.header("x-oss-meta-version", &version.to_string()).try_send().await else { return };
            let upload = begun.element("UploadId");
            let whole = content(MULTIPART, version);
            let (first, second) = whole.split_at(PART);
            let mut list = String::new();
            for (number, bytes) in [(1, vec![1; PART]), (1, first.to_vec()), (2, second.to_vec())] {
                // The first try at part 1 is replaced by the second.
                let ask = self.ask(endpoint, Method::PUT, MULTIPART).query("partNumber", &number.to_string());
                let Ok(got) = ask.query("uploadId", &upload).body(bytes.clone()).try_send().await else { return };
                if bytes != vec![1; PART] {
                    let etag = got.header("etag");
                    list += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
                }
            }
            if version == 0 {
                self.open.lock().expect("not poisoned").push((MULTIPART.to_owned(), upload, list));
                continue;
            }
            let body = format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>");
            match self.ask(endpoint, Method::POST, MULTIPART).query("uploadId", &upload).body(body).try_send().await {
                Ok(got) if got.status == 200 => self.answered(MULTIPART, version),
                Ok(got) => panic!("{MULTIPART}: {} {}", got.status, got.text()),
                Err(_) => return,
            }
        }
    }

    /// There are as many files as objects: no bytes without a description.
    async fn nothing_is_left_over(&self, endpoint: &str, folder: &Path) {
        let listed = self.ask(endpoint, Method::GET, "").query("max-keys", "1000").send().await;
        assert_eq!(files(&folder.join("objects")), listed.elements("Key").len(), "{}", listed.text());
    }

    /// Puts and deletes one key until the server is gone.
    async fn delete(&self, endpoint: &str) {
        loop {
            let version = self.attempt(DELETED);
            let put = self.ask(endpoint, Method::PUT, DELETED).header("x-oss-meta-version", &version.to_string());
            match put.body(content(DELETED, version)).try_send().await {
                Ok(got) => assert_eq!(got.status, 200, "{}", got.text()),
                Err(_) => return,
            }
            // From here on it may be gone or not.
            match self.ask(endpoint, Method::DELETE, DELETED).try_send().await {
                Ok(got) => assert_eq!(got.status, 204, "{}", got.text()),
                Err(_) => return,
            }
            self.keys.lock().expect("not poisoned").insert(DELETED.to_owned(), Known::default());
            self.answers.send_modify(|count| *count += 1);
        }
    }

    /// Every object is one version, not older than the last that was answered, in all that is said of it.
    async fn check(&self, endpoint: &str) {
        let listed = self.ask(endpoint, Method::GET, "").query("max-keys", "1000").send().await;
        assert_eq!(listed.status, 200, "{}", listed.text());
        let keys = self.keys.lock().expect("not poisoned").clone();
        for (key, known) in keys {
            let got = self.ask(endpoint, Method::GET, &key).send().await;
            if got.status == 404 {
                assert_eq!(known.answered, 0, "{key} was answered and is gone");
                assert!(!listed.elements("Key").contains(&key), "{key} is listed and is not there");
                self.keys.lock().expect("not poisoned").insert(key, Known::default());
                continue;
            }
            assert!(listed.elements("Key").contains(&key), "{key} is there and not listed");
            let version: u64 = got.header("x-oss-meta-version").parse().expect("a number");
            assert!((known.answered..=known.attempted).contains(&version), "{key}: version {version} of {known:?}");
            assert!(got.body == content(&key, version), "{key}: metadata of version {version}, other bytes");
            let crc = checksum(CrcAlgorithm::Crc64Xz, &got.body).to_string();
            assert_eq!(got.header("x-oss-hash-crc64ecma"), crc, "{key}");
            self.keys.lock().expect("not poisoned").insert(key, Known { answered: version, attempted: version });
        }
        let open = std::mem::take(&mut *self.open.lock().expect("not poisoned"));
        for (key, upload, list) in open {
            let got = self.ask(endpoint, Method::GET, &key).query("uploadId", &upload).send().await;
            assert_eq!((got.status, got.elements("PartNumber")), (200, vec!["1".to_owned(), "2".to_owned()]));
            for etag in got.elements("ETag") {
                assert!(list.contains(&etag.replace("&quot;", "\"")), "a part that was replaced is back");
            }
            self.ask(endpoint, Method::DELETE, &key).query("uploadId", &upload).send().await;
        }
    }
}

/// How many files there are below a folder.
fn files(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).expect("lists").flatten().map(|entry| entry.path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

/// The bytes of a version, of a size of its own; those of an upload fill more than one part.
fn content(key: &str, version: u64) -> Vec<u8> {
    let least = if key == MULTIPART { PART } else { 0 };
    let size = least + 1 + (version * 7919 % 200_000) as usize;
    version.to_le_bytes().iter().copied().cycle().take(size).collect()
}

/// Another process with a sandbox over the folder, and where it listens.
fn start(folder: &Path) -> (Child, String) {
    start_with(folder, &[])
}

fn start_with(folder: &Path, variables: &[(&str, &str)]) -> (Child, String) {
    let mut child = Command::new(env::current_exe().expect("has a path"))
        .args(["the_process_that_is_killed", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .envs(variables.iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let lines = BufReader::new(child.stderr.take().expect("is piped")).lines();
    let endpoint = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("listening ").map(str::to_owned));
    (child, endpoint.expect("says where it listens"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_every_object_is_whole_and_what_was_answered_is_there() {
    let folder = tempfile::tempdir().expect("temp dir");
    let client = Arc::new(Client::default());
    for round in 0..ROUNDS {
        let (mut child, endpoint) = start(folder.path());
        client.check(&endpoint).await;
        client.nothing_is_left_over(&endpoint, folder.path()).await;
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..3 {
            let (client, endpoint) = (Arc::clone(&client), endpoint.clone());
            writers.spawn(async move { client.put(&endpoint, writer).await });
        }
        let (writing, at) = (Arc::clone(&client), endpoint.clone());
        writers.spawn(async move { writing.complete(&at).await });
        let (deleting, at) = (Arc::clone(&client), endpoint.clone());
        writers.spawn(async move { deleting.delete(&at).await });
        // The moment: after some answers, with the next requests under way.
        let some = *client.answers.borrow() + 1 + uuid::Uuid::new_v4().as_u128() as u64 % 40;
        let mut answers = client.answers.subscribe();
        let enough = tokio::time::timeout(LONG, answers.wait_for(|count| *count >= some)).await;
        enough.unwrap_or_else(|_| panic!("round {round}: no answers")).expect("the client lives");
        child.kill().expect("kills");
        child.wait().expect("ends");
        while let Some(writer) = writers.join_next().await {
            writer.expect("sees no wrong answer");
        }
    }
    let (mut child, endpoint) = start(folder.path());
    client.check(&endpoint).await;
    client.nothing_is_left_over(&endpoint, folder.path()).await;
    let left = std::fs::read_dir(folder.path().join("tmp")).expect("lists").count();
    let pending = std::fs::read_dir(folder.path().join("meta/test-bucket")).expect("lists").flatten();
    let pending = pending.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "next")).count();
    assert_eq!((left, pending), (0, 0), "a crash's leftovers are still there");
    child.kill().expect("kills");
    child.wait().expect("ends");
}

#[tokio::test]
async fn callbacks_go_their_way_past_the_proxy_of_the_environment() {
    let folder = tempfile::tempdir().expect("temp dir");
    // Nobody listens there, so whoever asks the proxy gets nowhere.
    let proxy = "http://127.0.0.1:9";
    let names = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, proxy));
    let (mut child, endpoint) =
        start_with(folder.path(), &[names.as_slice(), &[("NO_PROXY", ""), ("no_proxy", "")]].concat());
    let http = reqwest::Client::builder().no_proxy().build().expect("client");
    let callback = format!(r#"{{"callbackUrl":"{endpoint}/callback","callbackBody":"a=1"}}"#);
    let ask = Ask::new(&http, &endpoint, Method::PUT, "k").header("x-oss-callback", &BASE64_STANDARD.encode(callback));
    let got = ask.body("x").send().await;
    child.kill().expect("kills");
    child.wait().expect("ends");
    assert_eq!(got.status, 200, "{}", got.text());
}
