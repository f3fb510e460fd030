//! `waybill callback`: the callback studio without a window.

mod export;
mod import;
mod lint;
mod preview;
mod profile;
mod receive;
mod resend;
mod verify;
mod words;

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use waybill_engine::Records;

use crate::terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum CallbackCommand {
    /// Say what is wrong or odd about a callback profile before OSS does.
    Lint(lint::LintArgs),
    /// Show the request that OSS would make for a file, byte for byte, without sending anything.
    Preview(preview::PreviewArgs),
    /// Read a callback out of a program, headers, JSON or Base64, and print it as a profile in JSON.
    Import(import::ImportArgs),
    /// Write a profile as a program for one of the SDKs, or as headers.
    Export(export::ExportArgs),
    /// Have OSS make callbacks again, without sending the files.
    Resend(resend::ResendArgs),
    /// Say whether a request that your server got was signed by OSS, and why not.
    Verify(verify::VerifyArgs),
    /// Receive callbacks on this computer, and print each with whose signature it bears.
    Receive(receive::ReceiveArgs),
}

pub(crate) async fn run(data_dir: PathBuf, command: CallbackCommand) -> Result<ExitCode, String> {
    match command {
        CallbackCommand::Lint(args) => lint::run(data_dir, args).await,
        CallbackCommand::Preview(args) => preview::run(data_dir, args).await,
        CallbackCommand::Import(args) => import::run(&args),
        CallbackCommand::Export(args) => export::run(data_dir, args).await,
        CallbackCommand::Resend(args) => resend::run(data_dir, args).await,
        CallbackCommand::Verify(args) => verify::run(&data_dir, args).await,
        CallbackCommand::Receive(args) => receive::run(&data_dir, args).await,
    }
}

/// A file's bytes, or those of standard input for `-`; `what` is read from there.
fn bytes_of(path: &Path, what: &str) -> Result<Vec<u8>, String> {
    if path != Path::new("-") {
        return std::fs::read(path).map_err(|error| format!("could not read \"{}\": {error}", path.display()));
    }
    if std::io::stdin().is_terminal() {
        terminal::complain(&format!("reading {what} from standard input; Ctrl-D ends it"));
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().read_to_end(&mut bytes);
    read.map_err(|error| format!("{what} on standard input could not be read: {error}"))?;
    Ok(bytes)
}

fn text_of(path: &Path, what: &str) -> Result<String, String> {
    let text = String::from_utf8(bytes_of(path, what)?);
    text.map_err(|_| format!("{what} in \"{}\" is no text in UTF-8", path.display()))
}

/// Where keys of sandboxes lie: those that the data folder knows, and those that were named. A data folder that cannot be
/// read only knows none.
fn sandbox_keys(data_dir: &Path, named: &[String]) -> Vec<String> {
    let known = Records::open(data_dir).ok().flatten().and_then(|records| records.sandbox_keys().ok());
    known.unwrap_or_default().into_iter().chain(named.iter().cloned()).collect()
}

/// `http://127.0.0.1:PORT`, with whatever behind it; a key from another computer proves nothing.
fn sandbox(text: &str) -> Result<String, String> {
    let place = text.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split('/').next());
    match place.filter(|port| port.parse::<u16>().is_ok()) {
        Some(port) => Ok(format!("http://127.0.0.1:{port}/")),
        None => Err("a sandbox is on this computer: http://127.0.0.1:PORT".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_is_on_this_computer_and_its_keys_lie_below_its_port() {
        for good in ["http://127.0.0.1:28100", "http://127.0.0.1:28100/", "http://127.0.0.1:28100/callback?x"] {
            assert_eq!(sandbox(good).as_deref(), Ok("http://127.0.0.1:28100/"));
        }
        for bad in
            ["http://127.0.0.1", "http://127.0.0.1:1@evil.example", "http://127.0.0.1.evil:1/", "http://10.0.0.1:1"]
        {
            assert!(sandbox(bad).is_err(), "{bad}");
        }
    }
}
