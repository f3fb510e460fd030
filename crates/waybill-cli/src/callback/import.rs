//! `waybill callback import`: from somebody's program to a profile.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use waybill_engine::callback_desk;

use super::{text_of, words};
use crate::terminal;
use crate::visible::one_line;

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// A program in Java, PHP, Node.js, Python, C#, Android, iOS, C++, C or Ruby, or headers, JSON or Base64; - for
    /// standard input. What was mended is said on standard error.
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
}

pub(crate) fn run(args: &ImportArgs) -> Result<ExitCode, String> {
    let text = text_of(&args.file, "a program with a callback")?;
    let imported = callback_desk::import(&text).map_err(|error| error.to_string())?;
    terminal::result_line(&serde_json::to_string_pretty(&imported.form).map_err(|error| error.to_string())?);
    for note in &imported.notes {
        terminal::complain(&one_line(&words::note(note)));
    }
    Ok(ExitCode::SUCCESS)
}
