//! The crash run: a program that uploads is killed again and again while the server misbehaves, and in the end every file
//! must be accounted for. `dice` throws, `files` are uploaded by `victim`, `weather` goes wrong, `ledger` and `accounts`
//! tell what came of it, `report` writes it down.

mod accounts;
mod dice;
mod files;
mod ledger;
mod report;
pub mod victim;
mod weather;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use waybill_sandbox::{Sandbox, Tuning};

use self::accounts::Books;
use self::dice::Dice;
use self::ledger::Ledger;
pub use self::report::Report;
use self::victim::Victim;
use crate::sandbox_in;

/// Part size of the victim.
const PART: u64 = 256 << 10;
/// A new set of files is added when fewer uploads than these are not final.
const ENOUGH: u32 = 12;
/// Longest wait for one thing.
const LIMIT: Duration = Duration::from_secs(60);
/// Longest wait for everything to become final, once nothing goes wrong any more.
const CALM: Duration = Duration::from_secs(300);

type Trouble = Box<dyn std::error::Error>;

/// What to do.
#[derive(Debug)]
pub struct Orders {
    /// The program that becomes the victim when its first argument is [`victim::VICTIM`].
    pub program: PathBuf,
    /// How often it is killed.
    pub kills: u32,
    /// What the dice throw.
    pub seed: u64,
    /// Files of up to 300 MB.
    pub long: bool,
}

/// Kills as ordered, lets everything become final, and checks the accounts. `tell` hears how it goes.
///
/// # Errors
/// What is not as it must be, in words; the folder is kept then.
pub async fn run(orders: &Orders, tell: impl Fn(&str)) -> Result<Report, Trouble> {
    let began = Instant::now();
    let mut scene = Scene::new(orders).await?;
    for kill in 1..=orders.kills {
        scene.round().await.map_err(|trouble| scene.in_words(&format!("kill {kill}: {trouble}")))?;
        if kill % 50 == 0 {
            tell(&format!("{kill} kills, {} sets, {} s", scene.sets.len(), began.elapsed().as_secs()));
        }
    }
    scene.become_final().await.map_err(|trouble| scene.in_words(&trouble.to_string()))?;
    let found = scene.accounts()?;
    if !found.is_empty() {
        return Err(scene.in_words(&found.join("\n")));
    }
    scene.report.took = began.elapsed();
    Ok(std::mem::take(&mut scene.report))
}

/// A seed for a run that need not be the same as another: the time.
pub fn any_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_nanos() as u64)
}

/// What a killed process has written is the system's already, so nothing is gained from waiting for a disk; and where
/// there is none to wait for, there is more to be killed in the same time.
fn in_memory() -> std::io::Result<TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }
}

struct Scene<'a> {
    orders: &'a Orders,
    dir: TempDir,
    /// The victim's database.
    data: TempDir,
    sandbox: Sandbox,
    /// The server that is called back: another one, so that it can be reached when the first cannot.
    application: Sandbox,
    dice: Dice,
    /// Every set, and whether the victim has said that it is queued.
    sets: Vec<(PathBuf, bool)>,
    report: Report,
}

impl<'a> Scene<'a> {
    async fn new(orders: &'a Orders) -> Result<Scene<'a>, Trouble> {
        let (dir, data) = (tempfile::tempdir()?, in_memory()?);
        // Some callbacks are never answered, and the next start waits until the sandbox is at rest.
        let hurried = |tuning: &mut Tuning| tuning.callback_limit = Duration::from_millis(500);
        let sandbox = sandbox_in(dir.path().join("sandbox"), hurried).await;
        let report = Report { seed: orders.seed, kills: orders.kills, ..Report::default() };
        let application = sandbox_in(dir.path().join("application"), |_| {}).await;
        Ok(Scene { orders, dir, data, sandbox, application, dice: Dice::new(orders.seed), sets: Vec::new(), report })
    }

    /// Starts the victim in new weather, and kills it at some moment.
    async fn round(&mut self) -> Result<(), Trouble> {
        self.add_what_is_missing()?;
        weather::change(self.sandbox.faults(), self.application.faults(), &mut self.dice);
        let wait = Duration::from_millis(self.dice.of(20..600));
        let aimed = self.dice.once_in(4).then(|| weather::trap(&mut self.dice));
        let mut victim = self.start().await?;
        match aimed {
            None => tokio::time::sleep(wait).await,
            Some(trap) => {
                self.sandbox.faults().add(trap.clone());
                let sprung = async {
                    while self.sandbox.faults().planned().contains(&trap) {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                };
                // It may have no use for that request now.
                if tokio::time::timeout(wait * 2, sprung).await.is_ok() {
                    self.report.aimed += 1;
                }
            }
        }
        while let Ok(Some(line)) = tokio::time::timeout(Duration::ZERO, victim.says()).await {
            self.hear(&line);
        }
        for line in victim.kill().await? {
            self.hear(&line);
        }
        self.until_idle().await?;
        for (phase, count) in Ledger::open(&self.data_dir())?.phases()? {
            if count > 0 {
                *self.report.hit.entry(phase).or_default() += 1;
            }
        }
        Ok(())
    }

    /// Lets the victim finish undisturbed, and the server forget what nobody needs.
    async fn become_final(&mut self) -> Result<(), Trouble> {
        self.sandbox.faults().clear();
        self.application.faults().clear();
        let mut victim = self.start().await?;
        let is_final = async {
            while let Some(line) = victim.says().await {
                if line == "final" {
                    return Ok(());
                }
                self.hear(&line);
            }
            Err("the program ended before everything was final")
        };
        tokio::time::timeout(CALM, is_final).await.map_err(|_| "not everything became final")??;
        let data_dir = self.data_dir();
        let nothing_left = async {
            while !self.open_uploads()?.is_empty() || Ledger::open(&data_dir)?.remembered()? != (0, 0) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok::<(), Trouble>(())
        };
        // What is still left then is told with the rest of the accounts.
        if let Ok(result) = tokio::time::timeout(LIMIT, nothing_left).await {
            result?;
        }
        let ended = tokio::time::timeout(LIMIT, victim.stop()).await.map_err(|_| "the program did not stop")??;
        if ended { Ok(()) } else { Err("the program did not end well".into()) }
    }

    fn accounts(&mut self) -> Result<Vec<String>, Trouble> {
        let (files, objects) = (self.dir.path().join("files"), self.dir.path().join("sandbox/objects/bucket"));
        let (log, callbacks, open_uploads) = (self.sandbox.log(), self.application.callbacks(), self.open_uploads()?);
        let data_dir = self.data_dir();
        let entries = Ledger::open(&data_dir)?.entries()?;
        self.report.count(&log, &callbacks);
        self.report.uploads = entries.len();
        self.report.told = entries.iter().filter(|entry| !files::is_untold(&entry.key)).count();
        self.report.settled = entries.iter().filter(|entry| entry.is_settled()).count();
        self.report.file_bytes = 0;
        for (_, path) in files::all(&files)? {
            self.report.file_bytes += path.metadata()?.len();
        }
        accounts::faults_found(&Books {
            files: &files,
            objects: &objects,
            data_dir: &data_dir,
            log: &log,
            callbacks: &callbacks,
            open_uploads: &open_uploads,
        })
    }

    fn add_what_is_missing(&mut self) -> Result<(), Trouble> {
        let left = match Ledger::open(&self.data_dir()) {
            Ok(ledger) => ledger.left().unwrap_or(0),
            // There is none before the first start.
            Err(_) => 0,
        };
        if left < ENOUGH && self.sets.iter().all(|(_, added)| *added) {
            let set = self.sets.len() as u32 + 1;
            self.sets.push((files::write_set(&self.dir.path().join("files"), set, self.orders.long)?, false));
        }
        Ok(())
    }

    async fn start(&mut self) -> Result<Victim, Trouble> {
        let missing: Vec<PathBuf> =
            self.sets.iter().filter(|(_, added)| !added).map(|(path, _)| path.clone()).collect();
        let (server, callback_url) = (self.sandbox.info(), &self.application.info().callback_url);
        let mut victim = Victim::start(&self.orders.program, &self.data_dir(), server, callback_url, &missing)?;
        let ready = tokio::time::timeout(LIMIT, victim.says()).await.map_err(|_| "the program was never ready")?;
        if ready.as_deref() == Some("ready") { Ok(victim) } else { Err("the program did not start".into()) }
    }

    fn hear(&mut self, line: &str) {
        if let Some(added) = line.strip_prefix("added ") {
            self.sets.iter_mut().filter(|(path, _)| path == Path::new(added)).for_each(|set| set.1 = true);
        }
    }

    /// What the dead had begun is over: what is not there now will not come later.
    async fn until_idle(&self) -> Result<(), Trouble> {
        let idle = async {
            while self.sandbox.under_way() > 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        Ok(tokio::time::timeout(LIMIT, idle).await.map_err(|_| "the sandbox never came to rest")?)
    }

    fn open_uploads(&self) -> std::io::Result<Vec<String>> {
        let entries = std::fs::read_dir(self.dir.path().join("sandbox/uploads"))?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn data_dir(&self) -> PathBuf {
        self.data.path().to_owned()
    }

    /// The words with the seed; the folder is kept for a look.
    fn in_words(&mut self, words: &str) -> Trouble {
        self.dir.disable_cleanup(true);
        self.data.disable_cleanup(true);
        let (seed, dir, data) = (self.orders.seed, self.dir.path().display(), self.data.path().display());
        format!("{words}\n(seed {seed}, kept in {dir}, the database in {data})").into()
    }
}
