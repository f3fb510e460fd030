//! What was asked of the sandbox: in memory for those who hold it, in `requests.jsonl` for those who come later.

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::operation::Operation;

/// Entries kept in memory; the file keeps more.
const KEPT: usize = 100_000;
/// A file longer than this is put aside, in the place of the one before.
const FILE_LIMIT: u64 = 64 * 1024 * 1024;
/// The file's name in the data folder.
const FILE: &str = "requests.jsonl";
/// The name of the one put aside.
const OLD_FILE: &str = "requests.old.jsonl";

/// One request to the OSS side, written when it has ended and before its answer goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedRequest {
    /// When it came, in milliseconds since 1970 (UTC).
    pub at_ms: i64,
    /// What was asked.
    pub operation: Operation,
    /// Object key, decoded.
    pub key: Option<String>,
    /// `uploadId` parameter, or the id that InitiateMultipartUpload gave out.
    pub upload_id: Option<String>,
    /// `partNumber` parameter.
    pub part_number: Option<u32>,
    /// HTTP status of the answer, also of one that was made and then lost on command; `None` when the connection
    /// ended before there was one.
    pub status: Option<u16>,
    /// `Code` of an error answer.
    pub code: Option<String>,
    /// Bytes of the request body that were read.
    pub bytes_received: u64,
    /// `x-oss-request-id`.
    pub request_id: String,
    /// Name of the fault that was applied.
    pub fault: Option<String>,
}

/// Reads the log file of a data folder, oldest first; a line cut short by a crash is left out.
pub fn read_request_log(data_dir: &Path) -> io::Result<Vec<LoggedRequest>> {
    let file = match File::open(data_dir.join(FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut entries = Vec::new();
    for line in BufReader::new(file).lines() {
        if let Ok(entry) = serde_json::from_str(&line?) {
            entries.push(entry);
        }
    }
    Ok(entries)
}

#[derive(Debug)]
pub(crate) struct RequestLog {
    inner: Mutex<Inner>,
    version: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    entries: VecDeque<LoggedRequest>,
    file: LogFile,
}

/// The file that entries are written to, and how long it is.
#[derive(Debug)]
struct LogFile {
    dir: PathBuf,
    file: File,
    bytes: u64,
    limit: u64,
}

impl LogFile {
    fn open(dir: &Path, limit: u64) -> io::Result<Self> {
        let path = dir.join(FILE);
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
        if !ends_with_newline(&path)? {
            file.write_all(b"\n")?;
        }
        let bytes = file.metadata()?.len();
        Ok(Self { dir: dir.to_owned(), file, bytes, limit })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.bytes > self.limit {
            fs::rename(self.dir.join(FILE), self.dir.join(OLD_FILE))?;
            *self = Self::open(&self.dir, self.limit)?;
        }
        self.bytes += line.len() as u64;
        self.file.write_all(line)
    }
}

impl RequestLog {
    pub(crate) fn open(data_dir: &Path) -> io::Result<Self> {
        Self::open_with(data_dir, FILE_LIMIT)
    }

    fn open_with(data_dir: &Path, limit: u64) -> io::Result<Self> {
        let inner = Inner { entries: VecDeque::new(), file: LogFile::open(data_dir, limit)? };
        Ok(Self { inner: Mutex::new(inner), version: watch::Sender::new(0) })
    }

    pub(crate) fn push(&self, entry: LoggedRequest) {
        let mut inner = self.inner();
        if let Ok(mut line) = serde_json::to_vec(&entry) {
            line.push(b'\n');
            if let Err(error) = inner.file.write(&line) {
                tracing::warn!(%error, "writing the sandbox request log");
            }
        }
        if inner.entries.len() == KEPT {
            inner.entries.pop_front();
        }
        inner.entries.push_back(entry);
        drop(inner);
        self.version.send_modify(|version| *version += 1);
    }

    pub(crate) fn entries(&self) -> Vec<LoggedRequest> {
        self.inner().entries.iter().cloned().collect()
    }

    pub(crate) async fn wait(
        &self,
        enough: impl Fn(&[LoggedRequest]) -> bool,
        limit: Duration,
    ) -> Result<Vec<LoggedRequest>, Vec<LoggedRequest>> {
        let mut version = self.version.subscribe();
        let satisfied = async { version.wait_for(|_| enough(self.inner().entries.make_contiguous())).await.is_ok() };
        match tokio::time::timeout(limit, satisfied).await {
            Ok(true) => Ok(self.entries()),
            Ok(false) | Err(_) => Err(self.entries()),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ends_with_newline(path: &Path) -> io::Result<bool> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = File::open(path)?;
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: i64) -> LoggedRequest {
        LoggedRequest {
            at_ms: n,
            operation: Operation::UploadPart,
            key: Some("k".into()),
            upload_id: Some("U".into()),
            part_number: Some(1),
            status: Some(200),
            code: None,
            bytes_received: 5,
            request_id: "R".into(),
            fault: None,
        }
    }

    #[test]
    fn a_line_cut_by_a_crash_is_left_out_and_the_next_stands_alone() {
        let dir = tempfile::tempdir().expect("temp dir");
        RequestLog::open(dir.path()).expect("opens").push(entry(1));
        let mut file = OpenOptions::new().append(true).open(dir.path().join(FILE)).expect("opens");
        file.write_all(b"{\"atMs\":2,\"oper").expect("writes");
        RequestLog::open(dir.path()).expect("opens").push(entry(3));
        assert_eq!(read_request_log(dir.path()).expect("reads"), [entry(1), entry(3)]);
    }

    #[test]
    fn a_file_that_has_grown_too_long_is_put_aside_and_takes_the_place_of_the_one_before() {
        let dir = tempfile::tempdir().expect("temp dir");
        let log = RequestLog::open_with(dir.path(), 1000).expect("opens");
        for n in 1..=40 {
            log.push(entry(n));
        }
        let kept = |name: &str| fs::read_to_string(dir.path().join(name)).expect("reads");
        let line = serde_json::to_string(&entry(1)).expect("JSON").len() + 1;
        assert!(kept(FILE).len() < 1000 + 2 * line && kept(OLD_FILE).len() < 1000 + 2 * line);
        assert_eq!(read_request_log(dir.path()).expect("reads").last(), Some(&entry(40)));
        drop(log);
        RequestLog::open_with(dir.path(), 1).expect("opens").push(entry(41));
        assert_eq!(read_request_log(dir.path()).expect("reads"), [entry(41)]);
        assert!(kept(OLD_FILE).contains("\"atMs\":40,"));
    }

    #[test]
    fn only_the_last_entries_are_kept_in_memory() {
        let dir = tempfile::tempdir().expect("temp dir");
        let log = RequestLog::open(dir.path()).expect("opens");
        for n in 0..KEPT as i64 + 2 {
            log.push(entry(n));
        }
        let all = log.entries();
        assert_eq!((all.len(), all[0].at_ms), (KEPT, 2));
    }

    #[tokio::test]
    async fn waiting_ends_with_the_entry_and_not_before() {
        let dir = tempfile::tempdir().expect("temp dir");
        let log = RequestLog::open(dir.path()).expect("opens");
        assert_eq!(log.wait(|all| !all.is_empty(), Duration::ZERO).await, Err(Vec::new()));
        let (waited, ()) = tokio::join!(log.wait(|all| all.len() == 2, Duration::from_secs(10)), async {
            log.push(entry(1));
            tokio::task::yield_now().await;
            log.push(entry(2));
        });
        assert_eq!(waited, Ok(vec![entry(1), entry(2)]));
    }
}
