//! A running command: what it says line by line, and how it ends.

use std::process::{ExitStatus, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::bed::LIMIT;

/// A started command; killed if the test ends first.
pub(crate) struct Running {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    said: mpsc::UnboundedReceiver<String>,
    stderr: JoinHandle<String>,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    status: ExitStatus,
    /// Lines of standard output that were not read before.
    pub(crate) lines: Vec<String>,
    pub(crate) stderr: String,
}

/// Runs a command to its end.
pub(crate) async fn run(command: Command) -> Ended {
    Running::start(command).end().await
}

/// Runs a command to its end with this on standard input.
pub(crate) async fn run_fed(command: Command, input: &[u8]) -> Ended {
    let mut running = Running::start_with(command, Stdio::piped());
    let (mut stdin, input) = (running.child.stdin.take().expect("piped"), input.to_vec());
    // Beside what it says: a command that refuses early does not read to the end.
    tokio::spawn(async move { stdin.write_all(&input).await });
    running.end().await
}

impl Running {
    pub(crate) fn start(command: Command) -> Running {
        Running::start_with(command, Stdio::null())
    }

    fn start_with(mut command: Command, stdin: Stdio) -> Running {
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the command starts");
        let (stdout, stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let (send, lines) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut stdout = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = stdout.next_line().await {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        // Both are read all the time: a command that nobody listens to would stop at a full pipe.
        let (say, said) = mpsc::unbounded_channel();
        let stderr = tokio::spawn(async move {
            let (mut stderr, mut whole) = (BufReader::new(stderr), String::new());
            let mut line = Vec::new();
            while stderr.read_until(b'\n', &mut line).await.expect("standard error is read") > 0 {
                let text = String::from_utf8_lossy(&line).into_owned();
                whole.push_str(&text);
                line.clear();
                // The test may have heard enough.
                let _ = say.send(text);
            }
            whole
        });
        Running { child, lines, said, stderr }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// The next line of standard output.
    pub(crate) async fn line(&mut self) -> String {
        match timeout(LIMIT, self.lines.recv()).await.expect("a line comes in time") {
            Some(line) => line,
            None => panic!("the command ended without another line"),
        }
    }

    /// What it has printed and nobody has read yet.
    #[cfg(target_os = "linux")]
    pub(crate) fn lines_so_far(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.lines.try_recv().ok()).collect()
    }

    /// Waits until it has said this on standard error.
    pub(crate) async fn until_says(&mut self, words: &str) {
        loop {
            match timeout(LIMIT, self.said.recv()).await.expect("it says something in time") {
                Some(line) if line.contains(words) => return,
                Some(_) => {}
                None => panic!("the command ended without saying \"{words}\""),
            }
        }
    }

    /// The next receipt.
    pub(crate) async fn receipt(&mut self) -> Value {
        serde_json::from_str(&self.line().await).expect("a line of JSON")
    }

    /// SIGKILL, in the middle of whatever it does.
    pub(crate) async fn kill(mut self) -> Ended {
        assert!(self.child.try_wait().expect("it can be asked").is_none(), "it has ended before it was killed");
        self.child.kill().await.expect("it is killed");
        self.end().await
    }

    /// SIGINT, as Ctrl-C sends it.
    #[cfg(unix)]
    pub(crate) async fn interrupt(self) -> Ended {
        let kill = format!("kill -INT {}", self.pid());
        assert!(Command::new("sh").args(["-c", &kill]).status().await.expect("sh runs").success());
        self.end().await
    }

    pub(crate) async fn end(mut self) -> Ended {
        let status = timeout(LIMIT, self.child.wait()).await.expect("it ends in time").expect("it can be waited for");
        let mut lines = Vec::new();
        while let Some(line) = self.lines.recv().await {
            lines.push(line);
        }
        Ended { status, lines, stderr: self.stderr.await.expect("standard error is read") }
    }
}

impl Ended {
    /// None if a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// The receipts, if it ended with this code.
    pub(crate) fn receipts(&self, code: i32) -> Vec<Value> {
        assert_eq!(self.code(), Some(code), "{self:#?}");
        self.lines.iter().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// Its one receipt, if it ended with this code.
    pub(crate) fn receipt(&self, code: i32) -> Value {
        let mut receipts = self.receipts(code);
        assert_eq!(receipts.len(), 1, "{self:#?}");
        receipts.remove(0)
    }

    /// What it said, if it refused to begin.
    pub(crate) fn refusal(&self) -> &str {
        assert_eq!((self.code(), self.lines.len()), (Some(1), 0), "{self:#?}");
        &self.stderr
    }
}
