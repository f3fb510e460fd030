//! `waybill callback resend`: callbacks once more, without the files.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use waybill_engine::view::{CallbackBadge, Phase, UploadRow};
use waybill_engine::{Access, EngineConfig, Records, Work};

use super::words;
use crate::connection::{keys_from, proxy_password};
use crate::errand::{Errand, Wanted};
use crate::teller::Teller;
use crate::visible::one_line;
use crate::{history, terminal};

/// Uploads that are named one by one before it begins.
const NAMED: usize = 20;

/// Said before anything is begun.
const WHAT_CHANGES: &str = "OSS copies each object onto itself and calls; no file is sent. The content stays. What changes: a \
     new Last-Modified, a new ETag, one more version where the bucket keeps versions, and the bucket's events fire again. \
     Where overwriting is forbidden (retention, WORM or an access rule), OSS refuses and nothing changes. \
     An object that somebody replaces in the very moment OSS finishes is replaced by this one.";

/// Below the options in `--help`.
const EXIT_CODES: &str = "\
OSS copies each object onto itself and makes its callback then. The content stays, as do its type, metadata, ACL, tags and
storage class. What changes: a new Last-Modified, a new ETag, one more version where the bucket keeps versions, and the
bucket's events fire again. Where overwriting is forbidden (retention, WORM or an access rule), OSS refuses and nothing
changes. An object that was changed since, or is archived, is left alone; one that somebody replaces in the very moment
OSS finishes is replaced by this one.
Exit code, as of `waybill upload`:
  0    every callback was answered
  2    a callback failed again, or was not made; the objects are stored
  1    nothing was begun
  130  stopped by Ctrl-C";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ResendArgs {
    /// Numbers of uploads, as the window shows them.
    #[arg(value_name = "NO", required_unless_present_any = ["failed", "profile"])]
    nos: Vec<i64>,
    /// All whose callback failed, is unknown or was not as expected, and that nobody has settled.
    #[arg(long, conflicts_with = "nos")]
    failed: bool,
    /// Of those only the ones that ask for the callback of this profile, by its name.
    #[arg(long = "named", value_name = "NAME", conflicts_with = "nos")]
    profile: Option<String>,
    /// Do not ask first.
    #[arg(long)]
    yes: bool,
    /// One line of JSON for each upload.
    #[arg(long)]
    json: bool,
    /// Keys for uploads that were made with `waybill upload --bucket`; see `waybill upload --help`. Destinations set up in
    /// the window have their own.
    #[arg(long, value_name = "SOURCE", default_value = "env")]
    keys: String,
}

pub(crate) async fn run(data_dir: PathBuf, args: ResendArgs) -> Result<ExitCode, String> {
    let records = history::records(data_dir.clone()).await?;
    let rows = match args.nos.is_empty() {
        true => failed(&records, args.profile.as_deref()),
        false => named(&records, &args.nos),
    }?;
    drop(records);
    if rows.is_empty() {
        let of = args.profile.map_or(String::new(), |name| format!(" of \"{name}\""));
        terminal::complain(&format!("no callback{of} failed, so there is nothing to be sent again"));
        return Ok(ExitCode::SUCCESS);
    }
    let lent = lent(&args.keys, &rows).await?;
    say_what_changes(&rows);
    if !args.yes && !agreed(rows.len())? {
        terminal::complain("nothing was begun");
        return Ok(ExitCode::from(1));
    }
    let mut config = EngineConfig::new(data_dir);
    config.work = Work::OnlyAsked;
    config.patience = Some(8);
    let wanted = Wanted::Calls(rows.iter().map(|row| row.no).collect(), lent);
    Errand { config, wanted, batch: None, teller: Teller::of_calls(args.json), its_own: Vec::new() }.run().await
}

/// Those with these numbers, each once; or why one of them cannot be sent again.
fn named(records: &Records, nos: &[i64]) -> Result<Vec<UploadRow>, String> {
    let each_once: BTreeSet<i64> = nos.iter().copied().collect();
    let fit = |no: i64| {
        let row = records.upload_details(no).map_err(|error| error.to_string())?.row;
        match (row.phase, &row.callback) {
            (Phase::Done, CallbackBadge::NotRequested) => Err(format!("upload {no} asked for no callback")),
            (Phase::Done, CallbackBadge::NotSent) => {
                Err(format!("upload {no} sent nothing, since the object was there already, so it made no callback"))
            }
            (Phase::Done, _) => Ok(row),
            _ => Err(format!("upload {no} is not stored; its callback comes when it is")),
        }
    };
    each_once.into_iter().map(fit).collect()
}

/// All that failed, of the profile with this name or of all.
fn failed(records: &Records, profile: Option<&str>) -> Result<Vec<UploadRow>, String> {
    let id = profile.map(|name| records.callback_profile_named(name).map(|profile| profile.id)).transpose();
    let rows = id.and_then(|id| records.bad_callbacks(id.as_deref()));
    rows.map_err(|error| error.to_string())
}

/// Keys for what earlier command lines stored. Without any, other uploads can be called for all the same.
async fn lent(keys: &str, rows: &[UploadRow]) -> Result<Option<Access>, String> {
    match keys_from(keys).await {
        Ok((_, credentials)) => Ok(Some(Access { credentials, proxy_password: proxy_password() })),
        Err(why) if keys != "env" || rows.iter().any(|row| row.destination.ends_with("(command line)")) => Err(why),
        Err(_) => Ok(None),
    }
}

fn say_what_changes(rows: &[UploadRow]) {
    terminal::complain(WHAT_CHANGES);
    for row in rows.iter().take(NAMED) {
        let came = match &row.callback {
            CallbackBadge::Failed { ec, .. } => format!("failed ({})", ec.as_deref().unwrap_or("no EC")),
            CallbackBadge::Unknown => "answer lost".into(),
            CallbackBadge::NotAsExpected { unmet, .. } => format!("not as expected: {}", words::unmet(unmet.as_ref())),
            CallbackBadge::Answered { .. } => "answered before".into(),
            _ => "under way".into(),
        };
        let place = format!("oss://{}/{}", row.bucket, row.key);
        terminal::complain(&one_line(&format!("No. {} · {place} · {} bytes · {came}", row.no, row.size_bytes)));
    }
    if rows.len() > NAMED {
        terminal::complain(&format!("and {} more", rows.len() - NAMED));
    }
}

/// Asks a person. Nobody else can say yes but by `--yes`.
fn agreed(callbacks: usize) -> Result<bool, String> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() || !terminal::is_watched() {
        return Err("nobody is there to be asked; --yes says that this is wanted".into());
    }
    terminal::ask(&format!("Send {callbacks} {} again? [y/N] ", if callbacks == 1 { "callback" } else { "callbacks" }));
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).map_err(|error| format!("the answer could not be read: {error}"))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
