//! The `waybill` command: the same engine without a window.

mod callback;
mod callback_options;
mod connection;
mod errand;
mod history;
mod receipt;
mod sandbox;
mod sign;
mod size;
mod teller;
mod terminal;
mod time;
mod upload;
mod visible;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::Builder;

/// Uploads to Alibaba Cloud OSS that come back with their receipt.
#[derive(Debug, Parser)]
#[command(name = "waybill", version, about)]
struct Cli {
    /// Where waybill.db lies. If not given: WAYBILL_DATA_DIR from the environment, else the window's own folder.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Upload files and folders, and show what your server answered to each callback.
    Upload(Box<upload::UploadArgs>),
    /// Show what was uploaded before, newest first.
    History(history::HistoryArgs),
    /// Run a local OSS and callback receiver on loopback.
    Sandbox(sandbox::SandboxArgs),
    /// Check, preview, convert, send again, verify and receive upload callbacks.
    #[command(subcommand)]
    Callback(Box<callback::CallbackCommand>),
    /// Explain the signature of a request step by step, to find why OSS disagrees with yours.
    Sign(sign::SignArgs),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            // A closed pipe has nobody to tell. Not clap's own exit code 2: that says "stored, but a callback failed".
            let _ = told.print();
            return ExitCode::from(u8::from(told.use_stderr()));
        }
    };
    // Diagnostics only; what the user asked for goes to standard output. Credentials have no printable form.
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("WAYBILL_LOG").unwrap_or_else(|_| "warn".into()))
        .init();
    run(cli).unwrap_or_else(|message| {
        terminal::complain(&message);
        ExitCode::from(1)
    })
}

fn run(cli: Cli) -> Result<ExitCode, String> {
    // The engine has a thread of its own; a server has many who ask.
    let mut builder = match cli.command {
        Command::Sandbox(_) => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    let runtime = builder.enable_all().build().map_err(|error| format!("no thread could be started: {error}"))?;
    let data_dir = cli.data_dir.unwrap_or_else(waybill_engine::default_data_dir);
    runtime.block_on(async {
        match cli.command {
            Command::Upload(args) => upload::run(data_dir, *args).await,
            Command::History(args) => history::run(data_dir, args).await,
            Command::Sandbox(args) => sandbox::run(args).await,
            Command::Callback(command) => callback::run(data_dir, *command).await,
            Command::Sign(args) => sign::run(&args),
        }
    })
}
