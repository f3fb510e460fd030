//! The program that is killed: an engine in its own process that uploads sets of files until nothing is left to do, or
//! sends the callback of one upload again.
//!
//! It says `ready` when the queue goes, `added PATH` for every set that is queued, and `final` when every upload is; it
//! ends when its standard input does.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use waybill_engine::view::{Connection, ResendSelection};
use waybill_engine::{BuiltIn, Callback, Credential, Engine, EngineConfig, Enqueue, MemorySecrets};
use waybill_sandbox::SandboxInfo;

use super::weather::LONGEST_DELAY_MS;
use super::{PART, files};
use crate::{DESTINATION, callback_to};

/// The first argument of a victim.
pub const VICTIM: &str = "victim";

/// Stands before the number of an upload whose callback is to be sent again, where sets would stand.
const AGAIN: &str = "--again";

/// A victim under way.
#[derive(Debug)]
pub struct Victim {
    child: Child,
    stdin: Option<ChildStdin>,
    said: mpsc::UnboundedReceiver<String>,
}

impl Victim {
    /// Starts `program` as a victim that adds these sets.
    pub fn start(
        program: &Path,
        data_dir: &Path,
        server: &SandboxInfo,
        callback_url: &str,
        sets: &[PathBuf],
    ) -> io::Result<Victim> {
        Victim::spawn(program, data_dir, server, callback_url, |command| command.args(sets))
    }

    /// Starts `program` as a victim that sends the callback of this upload again.
    pub fn calling_again(program: &Path, data_dir: &Path, server: &SandboxInfo, no: i64) -> io::Result<Victim> {
        Victim::spawn(program, data_dir, server, &server.callback_url, |command| command.args([AGAIN, &no.to_string()]))
    }

    fn spawn(
        program: &Path,
        data_dir: &Path,
        server: &SandboxInfo,
        callback_url: &str,
        work: impl FnOnce(&mut Command) -> &mut Command,
    ) -> io::Result<Victim> {
        let mut command = Command::new(program);
        command
            .arg(VICTIM)
            .arg(data_dir)
            .args([&server.endpoint, &server.region, &server.bucket, callback_url, &server.access_key_id])
            .env("OSS_ACCESS_KEY_SECRET", &server.access_key_secret)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = work(&mut command).spawn()?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (tell, said) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in stdout.into_iter().flat_map(|out| io::BufRead::lines(io::BufReader::new(out))) {
                // A victim that nobody listens to any more is about to end.
                let _ = line.map(|line| tell.send(line));
            }
        });
        Ok(Victim { child, stdin, said })
    }

    /// Its next line; none when it has ended.
    pub async fn says(&mut self) -> Option<String> {
        self.said.recv().await
    }

    /// `kill -9`; gives what it had said before.
    pub async fn kill(mut self) -> io::Result<Vec<String>> {
        self.child.kill()?;
        self.child.wait()?;
        let mut lines = Vec::new();
        while let Some(line) = self.said.recv().await {
            lines.push(line);
        }
        Ok(lines)
    }

    /// Asks it to stop and waits until it has; true if it ended well.
    pub async fn stop(mut self) -> io::Result<bool> {
        self.stdin = None;
        while self.said.recv().await.is_some() {}
        Ok(self.child.wait()?.success())
    }
}

/// The victim's own side; the arguments are those behind [`VICTIM`].
pub async fn live(arguments: &[String]) -> Result<(), String> {
    let [data_dir, endpoint, region, bucket, callback_url, access_key_id, sets @ ..] = arguments else {
        return Err("a victim needs a folder and a sandbox".into());
    };
    let words = |error: waybill_engine::Error| error.to_string();
    let mut config = EngineConfig::new(data_dir.into());
    config.secrets = Arc::new(MemorySecrets::default());
    config.part_size_bytes = PART;
    config.parallel = 8;
    config.stall = Duration::from_secs(1);
    // Whoever kills waits until the server is idle, so what is not there then is not on its way either. What is delayed while
    // all connections are cut is on its way for so long.
    config.finishing = Duration::from_millis(LONGEST_DELAY_MS + 100);
    config.orphan_age = Duration::ZERO;
    let engine = Engine::start(config).await.map_err(words)?;
    let secret = std::env::var("OSS_ACCESS_KEY_SECRET").map_err(|error| error.to_string())?;
    let built_in = BuiltIn {
        id: DESTINATION.into(),
        name: "Sandbox".into(),
        endpoint: endpoint.clone(),
        region: region.clone(),
        bucket: bucket.clone(),
        key_template: "{path}".into(),
        callback: Some(callback_to(callback_url)),
        connection: Connection::default(),
        access_key_id: access_key_id.clone(),
        access: Credential::new(access_key_id, &secret, None).into(),
    };
    engine.ensure_built_in(built_in).await.map_err(words)?;
    say("ready");
    let mut over = stdin_ends();
    let work = async {
        if let [again, no] = sets
            && again == AGAIN
        {
            let nos = vec![no.parse().map_err(|_| format!("{no} is no number"))?];
            engine.resend_callbacks(ResendSelection::These { nos }).await.map_err(words)?;
            return std::future::pending().await;
        }
        for set in sets {
            let enqueue = Enqueue {
                paths: vec![set.into()],
                destination_id: Some(DESTINATION.into()),
                key_rule: None,
                callback: if is_untold(set) { Callback::Given(None) } else { Callback::OfDestination },
                overwrite: None,
                fingerprint: Some(set.clone()),
            };
            engine.enqueue(enqueue).await.map_err(words)?;
            say(&format!("added {set}"));
        }
        loop {
            let counts = engine.counts().await.map_err(words)?;
            if counts.uploading + counts.waiting + counts.paused == 0 {
                say("final");
                std::future::pending::<()>().await;
            }
            engine.next_changes().await;
        }
    };
    let result = tokio::select! {
        result = work => result,
        _ = &mut over => Ok(()),
    };
    engine.stop().await;
    result
}

fn is_untold(set: &str) -> bool {
    let folder = Path::new(set).file_name().unwrap_or_default();
    files::is_untold(&folder.to_string_lossy())
}

fn stdin_ends() -> oneshot::Receiver<()> {
    let (ended, over) = oneshot::channel();
    std::thread::spawn(move || {
        // Nothing is ever written to it; an error is an end too.
        let _ = io::stdin().read(&mut [0]);
        let _ = ended.send(());
    });
    over
}

fn say(line: &str) {
    // Nobody is left to listen when it fails.
    let _ = writeln!(io::stdout().lock(), "{line}");
}
