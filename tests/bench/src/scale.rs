//! A queue of a million: what enqueueing, looking, searching and changing states cost, and whether it stays flat.
//!
//! The engine itself, without a window. Its destination is first one that nobody serves, so that nothing starts; then, if
//! there is an endpoint, uploads are let go and watched.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use waybill_engine::view::{Connection, Filter, Scope, UploadQuery, UploadSelection, Wish};
use waybill_engine::{BuiltIn, Credential, Engine, EngineConfig, MemorySecrets};

const DESTINATION: &str = "scale";
/// Files of one folder.
const IN_FOLDER: u64 = 1_000;
/// How often each look is repeated; the median counts.
const LOOKS: usize = 15;

#[derive(Debug, Args)]
pub(crate) struct ScaleArgs {
    /// How many files; those that are missing are made below the folder.
    #[arg(long)]
    files: u64,
    /// They are there already, whatever they are called.
    #[arg(long)]
    as_they_are: bool,
    /// Where the files are.
    folder: PathBuf,
    /// An empty folder for the engine's data.
    #[arg(long)]
    data_dir: PathBuf,
    /// A server to upload to; the AccessKey pair is in the environment.
    #[arg(long)]
    endpoint: Option<String>,
    /// How many are uploaded to it.
    #[arg(long, default_value_t = 0)]
    upload: u64,
}

/// Prints one JSON object per step.
pub(crate) fn run(args: &ScaleArgs) -> Result<(), String> {
    if !args.as_they_are {
        make(&args.folder, args.files)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(measure(args))
}

async fn measure(args: &ScaleArgs) -> Result<(), String> {
    let words = |error: waybill_engine::Error| error.to_string();
    let config = || {
        let mut config = EngineConfig::new(args.data_dir.clone());
        config.secrets = Arc::new(MemorySecrets::default());
        config
    };
    let engine = Engine::start(config()).await.map_err(words)?;
    engine.ensure_built_in(destination(args)).await.map_err(words)?;
    engine.stop().await;
    // From now on the destination is known, and nobody serves it.
    let engine = Engine::start(config()).await.map_err(words)?;

    let (began, cpu) = (Instant::now(), cpu_seconds());
    let added = engine.add_paths(vec![args.folder.clone()], Some(DESTINATION.into())).await.map_err(words)?;
    let took = began.elapsed().as_secs_f64();
    if added.queued != args.files as i64 {
        return Err(format!(
            "{} files were queued, {} refused: {:?}",
            added.queued,
            added.refused_count,
            added.refused.first()
        ));
    }
    say(
        "enqueue",
        &[
            ("files", args.files as f64),
            ("seconds", took),
            ("cpu_seconds", cpu_seconds() - cpu),
            ("rss_mib", rss_mib()),
        ],
    );

    let query =
        UploadQuery { scope: Scope::Transfers, filter: Filter::All, search: String::new(), after: None, limit: 100 };
    let page = median(async || engine.list_uploads(query.clone()).await.map(drop)).await.map_err(words)?;
    let after = middle(&engine, args.files).await.map_err(words)?;
    let deep = UploadQuery { after, ..query.clone() };
    let deep = median(async || engine.list_uploads(deep.clone()).await.map(drop)).await.map_err(words)?;
    let counts = median(async || engine.counts().await.map(drop)).await.map_err(words)?;
    let search = UploadQuery { search: "no such name".into(), ..query };
    let search = median(async || engine.list_uploads(search.clone()).await.map(drop)).await.map_err(words)?;
    say(
        "look",
        &[
            ("page_ms", page),
            ("deep_page_ms", deep),
            ("counts_ms", counts),
            ("search_ms", search),
            ("rss_mib", rss_mib()),
        ],
    );

    for wish in [Wish::Pause, Wish::Resume] {
        let (began, cpu) = (Instant::now(), cpu_seconds());
        engine.wish_many(UploadSelection::all(), wish).await.map_err(words)?;
        let (took, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
        let each_us = cpu * 1e6 / args.files as f64;
        // What 5,000 of them in a second take of one core.
        let share = each_us * 5_000.0 / 1e4;
        say(
            "states",
            &[
                ("changes", args.files as f64),
                ("seconds", took),
                ("cpu_us_each", each_us),
                ("percent_of_a_core_at_5000_s", share),
                ("rss_mib", rss_mib()),
            ],
        );
    }

    if args.upload > 0 {
        upload(&engine, args).await?;
    }
    engine.stop().await;
    Ok(())
}

async fn upload(engine: &Engine, args: &ScaleArgs) -> Result<(), String> {
    let words = |error: waybill_engine::Error| error.to_string();
    engine.ensure_built_in(destination(args)).await.map_err(words)?;
    let mut began = Instant::now();
    let (mut seen, mut next) = (0, 1_000);
    while seen < args.upload as i64 {
        let Some(changes) = engine.next_changes().await else { break };
        let stored = changes.counts.stored;
        if stored >= next {
            let rate = (stored - seen) as f64 / began.elapsed().as_secs_f64();
            say("upload", &[("stored", stored as f64), ("files_per_second", rate), ("rss_mib", rss_mib())]);
            (seen, next, began) = (stored, next * 10, Instant::now());
        }
        if changes.counts.failed > 0 {
            return Err(format!("{} uploads failed", changes.counts.failed));
        }
        next = next.min(args.upload as i64);
    }
    Ok(())
}

/// The cursor before the page in the middle.
async fn middle(engine: &Engine, files: u64) -> Result<Option<waybill_engine::view::Cursor>, waybill_engine::Error> {
    let first =
        UploadQuery { scope: Scope::Transfers, filter: Filter::All, search: String::new(), after: None, limit: 1 };
    let page = engine.list_uploads(first).await?;
    Ok(page.rows.first().map(|row| waybill_engine::view::Cursor { batch: row.batch, no: row.no + files as i64 / 2 }))
}

async fn median<E>(mut look: impl AsyncFnMut() -> Result<(), E>) -> Result<f64, E> {
    let mut took = Vec::new();
    for _ in 0..LOOKS {
        let began = Instant::now();
        look().await?;
        took.push(began.elapsed());
    }
    took.sort();
    Ok(took[LOOKS / 2].as_secs_f64() * 1e3)
}

fn destination(args: &ScaleArgs) -> BuiltIn {
    let key = |name| std::env::var(name).unwrap_or_else(|_| "none".into());
    let access_key_id = key("OSS_ACCESS_KEY_ID");
    BuiltIn {
        id: DESTINATION.into(),
        name: "Scale".into(),
        endpoint: args.endpoint.clone().unwrap_or_else(|| "http://127.0.0.1:9".into()),
        region: "local".into(),
        bucket: "sandbox".into(),
        key_template: "{path}".into(),
        callback: None,
        connection: Connection::default(),
        access: Credential::new(&access_key_id, key("OSS_ACCESS_KEY_SECRET"), None).into(),
        access_key_id,
    }
}

/// Makes files of a few bytes, a thousand to a folder.
fn make(folder: &Path, files: u64) -> Result<(), String> {
    for at in 0..files.div_ceil(IN_FOLDER) {
        let below = folder.join(format!("d{at:04}"));
        let here = IN_FOLDER.min(files - at * IN_FOLDER);
        if below.join(format!("f{:04}.bin", here - 1)).exists() {
            continue;
        }
        std::fs::create_dir_all(&below).map_err(|error| error.to_string())?;
        for n in 0..here {
            std::fs::write(below.join(format!("f{n:04}.bin")), n.to_le_bytes()).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn say(step: &str, figures: &[(&str, f64)]) {
    let figures: Vec<String> = figures.iter().map(|(name, figure)| format!("\"{name}\":{figure:.3}")).collect();
    println!("{{\"step\":\"{step}\",{}}}", figures.join(","));
}

/// Resident memory of this process now.
fn rss_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Processor time of this process so far.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold spaces: user time is the 12th field, system time the 13th, in hundredths.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    Duration::from_millis(((ticks(11) + ticks(12)) * 10.0) as u64).as_secs_f64()
}
