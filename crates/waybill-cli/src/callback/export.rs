//! `waybill callback export`: from a profile to a program.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use waybill_engine::callback_desk;
use waybill_engine::view::SnippetLanguage;

use super::profile::ProfileOptions;
use crate::terminal;

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// What is written. Templates of variables, such as {name}, are written as they stand.
    #[arg(long, value_enum)]
    language: Written,
    #[command(flatten)]
    profile: ProfileOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Written {
    Java,
    Php,
    #[value(name = "nodejs", alias = "node")]
    NodeJs,
    Python,
    #[value(name = "csharp", alias = "c#")]
    CSharp,
    Android,
    Ios,
    #[value(name = "cpp", alias = "c++")]
    Cpp,
    C,
    Ruby,
    /// The headers by themselves.
    Rest,
}

impl From<Written> for SnippetLanguage {
    fn from(written: Written) -> Self {
        match written {
            Written::Java => SnippetLanguage::Java,
            Written::Php => SnippetLanguage::Php,
            Written::NodeJs => SnippetLanguage::NodeJs,
            Written::Python => SnippetLanguage::Python,
            Written::CSharp => SnippetLanguage::CSharp,
            Written::Android => SnippetLanguage::Android,
            Written::Ios => SnippetLanguage::Ios,
            Written::Cpp => SnippetLanguage::Cpp,
            Written::C => SnippetLanguage::C,
            Written::Ruby => SnippetLanguage::Ruby,
            Written::Rest => SnippetLanguage::Rest,
        }
    }
}

pub(crate) async fn run(data_dir: PathBuf, args: ExportArgs) -> Result<ExitCode, String> {
    let form = args.profile.form(data_dir).await?;
    let program = callback_desk::export(&form, args.language.into()).map_err(|error| error.to_string())?;
    terminal::result_line(program.trim_end());
    Ok(ExitCode::SUCCESS)
}
