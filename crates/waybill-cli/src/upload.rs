//! `waybill upload`: queues, follows the uploads to their end, and prints a receipt for each.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use waybill_engine::view::{Limit, OverwritePolicy};
use waybill_engine::{
    Access, Asked, BuiltIn, Callback, EngineConfig, KeyRule, Keychain, MemorySecrets, Place, SecretStore, Work,
};

use crate::callback_options::CallbackOptions;
use crate::connection::ConnectionArgs;
use crate::errand::{Errand, Wanted};
use crate::teller::Teller;
use crate::{history, size, terminal};

#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    /// Files and folders. A folder's own name is part of its files' keys.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A destination set up in the window; its secret comes from the keychain.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["bucket", "region", "endpoint"])]
    destination: Option<String>,
    /// Bucket.
    #[arg(long, required_unless_present = "destination")]
    bucket: Option<String>,
    /// Region, for instance cn-hangzhou.
    #[arg(long, required_unless_present = "destination")]
    region: Option<String>,
    /// Endpoint, for instance `https://oss-cn-hangzhou.aliyuncs.com`.
    #[arg(long, value_name = "URL", required_unless_present = "destination")]
    endpoint: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
    /// Put in front of every object key.
    #[arg(long, conflicts_with = "key")]
    prefix: Option<String>,
    /// The object key; for one file.
    #[arg(long)]
    key: Option<String>,
    /// A callback profile set up in the window, by its name.
    #[arg(long, value_name = "NAME", conflicts_with = "callback_url")]
    callback_profile: Option<String>,
    #[command(flatten)]
    callback: CallbackOptions,
    /// What becomes of objects that are there already. What the destination says unless told; without one they are
    /// overwritten.
    #[arg(long, value_enum, value_name = "POLICY")]
    overwrite: Option<Existing>,
    /// Size of a part, in bytes or with a unit; if not given, chosen for each file by its size and the line.
    #[arg(long, value_parser = size::parse)]
    part_size: Option<u64>,
    /// Requests in flight over all files at most; how many there are is found out by measuring.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    parallel: Option<u16>,
    /// Bytes per second at most, for instance 2MiB/s; instead of what is set in the window for all uploads together.
    #[arg(long, value_name = "RATE", value_parser = size::parse_rate)]
    limit: Option<i64>,
    /// Requests per second at most, repeats included; instead of what is set in the window.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=100_000))]
    requests_per_second: Option<i64>,
    /// One line of JSON for each finished upload.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Existing {
    /// Replace them.
    #[value(name = "overwrite")]
    Replace,
    /// Send nothing where size and CRC-64 are the same (one HeadObject per file).
    SkipIdentical,
    /// Fail; OSS itself refuses. Without effect in a bucket that keeps versions.
    Forbid,
    /// Take the next free name: "name (2).ext".
    Rename,
    /// Replace only what is older than the file.
    Newer,
}

impl From<Existing> for OverwritePolicy {
    fn from(chosen: Existing) -> Self {
        match chosen {
            Existing::Replace => OverwritePolicy::Overwrite,
            Existing::SkipIdentical => OverwritePolicy::SkipIdentical,
            Existing::Forbid => OverwritePolicy::Forbid,
            Existing::Rename => OverwritePolicy::Rename,
            Existing::Newer => OverwritePolicy::Newer,
        }
    }
}

/// Exit code 0: all stored, no callback failed. 2: all stored, a callback failed. 1: something was not stored.
pub(crate) async fn run(data_dir: PathBuf, args: UploadArgs) -> Result<ExitCode, String> {
    let callback = callback(&data_dir, &args).await?;
    let mut config = EngineConfig::new(data_dir);
    config.work = Work::OnlyAsked;
    // A command has to end: after some tries a dead line is a failure, and running it again continues.
    config.patience = Some(8);
    // Without a destination the credential comes from the environment, and the keychain need not even exist.
    config.secrets = match args.destination {
        Some(_) => Arc::new(Keychain) as Arc<dyn SecretStore>,
        None => Arc::new(MemorySecrets::default()),
    };
    config.part_size_bytes = args.part_size.unwrap_or(config.part_size_bytes);
    config.parallel = args.parallel.map_or(config.parallel, usize::from);
    config.limit = Limit { bytes_per_second: args.limit, requests_per_second: args.requests_per_second };
    let asked = asked(&args, callback).await?;
    let (wanted, teller) = (Wanted::Uploads(Box::new(asked)), Teller::new(args.json));
    Errand { config, wanted, batch: None, teller, its_own: its_own(&args) }.run().await
}

/// What is asked for, wherever it is done.
async fn asked(args: &UploadArgs, callback: Callback) -> Result<Asked, String> {
    let to = match &args.destination {
        Some(name) => Place::Named(name.clone()),
        None => Place::Described(Box::new(ad_hoc(args).await?)),
    };
    let paths: Vec<PathBuf> = args.paths.iter().map(named).collect();
    let key_rule = match (&args.key, &args.prefix, &args.destination) {
        (Some(key), _, _) => {
            if paths.len() != 1 || paths[0].is_dir() {
                return Err("--key names one object, so it goes with one file; use --prefix for more".into());
            }
            Some(KeyRule::Exact(key.clone()))
        }
        (None, Some(prefix), _) => Some(KeyRule::Prefix(prefix.clone())),
        (None, None, Some(_)) => None,
        (None, None, None) => Some(KeyRule::Prefix(String::new())),
    };
    Ok(Asked {
        to,
        paths,
        key_rule,
        callback,
        overwrite: args.overwrite.map(OverwritePolicy::from),
        progress: terminal::is_watched(),
    })
}

/// Which callback is asked for. A profile is looked up in the data folder, whoever holds it: its id means the same there.
async fn callback(data_dir: &Path, args: &UploadArgs) -> Result<Callback, String> {
    match (&args.callback_profile, args.callback.form()) {
        (Some(name), _) => {
            let records = history::records(data_dir.to_owned()).await?;
            let profile = records.callback_profile_named(name).map_err(|error| error.to_string())?;
            Ok(Callback::OfProfile(profile.id))
        }
        (None, None) if args.destination.is_some() => Ok(Callback::OfDestination),
        (None, described) => Ok(Callback::Given(described)),
    }
}

/// Options that count for this process alone, as they were given.
fn its_own(args: &UploadArgs) -> Vec<&'static str> {
    let given = [
        ("--part-size", args.part_size.is_some()),
        ("--parallel", args.parallel.is_some()),
        ("--limit", args.limit.is_some()),
        ("--requests-per-second", args.requests_per_second.is_some()),
    ];
    given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
}

/// A destination for this command line; its keys are in memory only.
async fn ad_hoc(args: &UploadArgs) -> Result<BuiltIn, String> {
    let given = |value: &Option<String>| value.clone().unwrap_or_default();
    let (endpoint, bucket) = (given(&args.endpoint), given(&args.bucket));
    let (access_key_id, credentials) = args.connection.keys().await?;
    Ok(BuiltIn {
        id: BuiltIn::command_line_id(&endpoint, &bucket),
        name: format!("{bucket} (command line)"),
        endpoint,
        region: given(&args.region),
        bucket,
        key_template: "{path}".into(),
        callback: None,
        connection: args.connection.connection(),
        access_key_id,
        access: Access { credentials, proxy_password: args.connection.proxy_password() },
    })
}

/// The absolute path; one that ends in `..` by its own name, since that name is part of the keys.
fn named(path: &PathBuf) -> PathBuf {
    // A path that is not there is told as such later, as it was typed.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
    match absolute.file_name() {
        Some(_) => absolute,
        None => absolute.canonicalize().unwrap_or(absolute),
    }
}
