//! What a command asks for, done here or, when another process holds the data folder, handed to that one.

use std::process::ExitCode;

use tokio::sync::mpsc;
use waybill_engine::{Access, Asked, Code, Engine, EngineConfig, Handed, hand_over, hand_over_calls};

use crate::teller::Teller;
use crate::terminal;

/// Holders that may end under our hands before we give up.
const MOST_HOLDERS: u32 = 20;

/// What it asks for.
pub(crate) enum Wanted {
    /// Uploads.
    Uploads(Box<Asked>),
    /// Callbacks of these uploads once more, and the keys for those that earlier command lines stored.
    Calls(Vec<i64>, Option<Access>),
}

/// One command's uploads or callbacks.
pub(crate) struct Errand {
    pub(crate) config: EngineConfig,
    pub(crate) wanted: Wanted,
    /// Known once it was begun.
    pub(crate) batch: Option<i64>,
    pub(crate) teller: Teller,
    /// Options that another process cannot follow.
    pub(crate) its_own: Vec<&'static str>,
}

impl Errand {
    pub(crate) async fn run(mut self) -> Result<ExitCode, String> {
        for _ in 0..MOST_HOLDERS {
            match Engine::start(self.config.clone()).await {
                Ok(engine) => return self.here(engine).await,
                Err(error) if error.code() == Code::DataFolderInUse => {
                    if let Some(code) = self.elsewhere(&error.to_string()).await? {
                        return Ok(code);
                    }
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        Err("the data folder goes from one Waybill to the next; run the same command again".into())
    }

    /// Without the callbacks of which it has been told what came of them: they are not made twice.
    fn still_wanted(&self) -> Wanted {
        match &self.wanted {
            Wanted::Uploads(asked) => Wanted::Uploads(asked.clone()),
            Wanted::Calls(nos, lent) => {
                let left = nos.iter().copied().filter(|no| !self.teller.has_told(*no));
                Wanted::Calls(left.collect(), lent.clone())
            }
        }
    }

    async fn here(mut self, engine: Engine) -> Result<ExitCode, String> {
        let (told, mut words) = mpsc::channel(64);
        let still = self.still_wanted();
        let following = async {
            match still {
                Wanted::Uploads(asked) => engine.follow(*asked, self.batch, told).await,
                Wanted::Calls(nos, lent) => engine.call_again(nos, lent, told).await,
            }
        };
        let work = async {
            let ended = self.teller.listen(&mut words, following).await;
            if engine.handed_over() > 0 {
                terminal::complain(
                    "goes on with what another command has handed over; Ctrl-C leaves that to the other",
                );
                engine.until_nothing_is_handed_over().await;
            }
            ended.map(|()| self.teller.exit_code()).map_err(|error| error.to_string())
        };
        let result = tokio::select! {
            result = work => result,
            _ = tokio::signal::ctrl_c() => {
                terminal::complain(match self.wanted {
                    Wanted::Uploads(_) => "stopped; the same command goes on where this one ended",
                    Wanted::Calls(..) => "stopped; the objects are as they were, or finished, and the history will tell",
                });
                Ok(ExitCode::from(130))
            }
        };
        engine.stop().await;
        result
    }

    /// None if the holder has ended, so that it is our turn. `in_use` says who holds the data folder.
    async fn elsewhere(&mut self, in_use: &str) -> Result<Option<ExitCode>, String> {
        self.teller.may_be_told_again();
        let (told, mut words) = mpsc::channel(64);
        let taken = || {
            terminal::complain(&format!("{in_use}, which takes this over"));
            if !self.its_own.is_empty() {
                terminal::complain(&format!(
                    "{} count only for a process of its own, so not there",
                    self.its_own.join(", ")
                ));
            }
        };
        let still = self.still_wanted();
        let handing = async {
            match &still {
                Wanted::Uploads(asked) => hand_over(&self.config.data_dir, asked, self.batch, taken, &told).await,
                Wanted::Calls(nos, _) => hand_over_calls(&self.config.data_dir, nos, taken, &told).await,
            }
        };
        let handed = tokio::select! {
            handed = self.teller.listen(&mut words, handing) => handed,
            _ = tokio::signal::ctrl_c() => {
                terminal::complain("the other Waybill goes on with it; the same command tells how it ends");
                return Ok(Some(ExitCode::from(130)));
            }
        };
        match handed.map_err(|error| error.to_string())? {
            Handed::Ended => Ok(Some(self.teller.exit_code())),
            Handed::HolderEnded { batch } => {
                terminal::complain("the other Waybill has ended; going on here");
                self.batch = batch;
                Ok(None)
            }
            Handed::NotTaken => Err(in_use.to_owned()),
            Handed::KeysRunOut => Err(format!(
                "{in_use}, and these keys cannot be handed to it: it could not renew them. Run this again when it has ended, \
                 or use a destination set up in the window"
            )),
        }
    }
}
