//! `waybill history`: what was uploaded before, newest first.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use waybill_engine::view::{Filter, Scope, UploadQuery};
use waybill_engine::{Engine, EngineConfig, Records, Work};

use crate::receipt::Receipt;
use crate::terminal;

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// One line of JSON for each upload.
    #[arg(long)]
    json: bool,
    /// At most this many.
    #[arg(long, default_value_t = 100)]
    limit: i64,
    /// Only those with this in their path or key.
    #[arg(long, default_value = "")]
    search: String,
}

pub(crate) async fn run(data_dir: PathBuf, args: HistoryArgs) -> Result<ExitCode, String> {
    let records = records(data_dir).await?;
    print(&records, args).map_err(|error| error.to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// The data folder to be read, whoever holds it.
pub(crate) async fn records(data_dir: PathBuf) -> Result<Records, String> {
    match Records::open(&data_dir).map_err(|error| error.to_string())? {
        Some(records) => Ok(records),
        None => brought_up_to_date(data_dir).await,
    }
}

/// A new data folder, or that of an older version, is opened once as an upload would open it.
async fn brought_up_to_date(data_dir: PathBuf) -> Result<Records, String> {
    let config = EngineConfig { work: Work::OnlyAsked, ..EngineConfig::new(data_dir.clone()) };
    let engine = Engine::start(config).await.map_err(|error| error.to_string())?;
    engine.stop().await;
    let records = Records::open(&data_dir).map_err(|error| error.to_string())?;
    records.ok_or_else(|| "the data folder was changed by another version of Waybill meanwhile".into())
}

fn print(records: &Records, args: HistoryArgs) -> Result<(), waybill_engine::Error> {
    let mut query = UploadQuery {
        scope: Scope::History,
        filter: Filter::All,
        search: args.search,
        after: None,
        limit: args.limit.clamp(1, 500),
    };
    let mut left = args.limit;
    while left > 0 {
        let page = records.list_uploads(&query)?;
        for row in page.rows.into_iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            left -= 1;
            let receipt = Receipt::of(records.upload_details(row.no)?);
            let line = if args.json { json(&receipt) } else { receipt.in_words() };
            if !terminal::result_line(&line) {
                return Ok(());
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    Ok(())
}

/// A receipt holds only text and numbers, so it always has a JSON form.
pub(crate) fn json(receipt: &Receipt) -> String {
    serde_json::to_string(receipt).unwrap_or_default()
}
