//! What `cargo xtask bench` measures waybill against: the barest client and walk there can be, and the files to upload.
//!
//! `put` with its `body` and `sign` is the client: no database, no queue, no window, nothing tried twice. `walk` goes
//! through a folder. `data` makes the files, `certificate` lets a server speak TLS.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a command line without anybody to tell it to

mod body;
mod certificate;
mod data;
mod put;
mod scale;
mod sign;
mod walk;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Upload a file or folder, keys beginning with its own name; the AccessKey pair is in the environment.
    Put(put::PutArgs),
    /// Count the files and bytes below a folder.
    Walk { folder: PathBuf },
    /// Make a set of files in a folder, and beside it the list of what is in it.
    Data { set: data::Set, folder: PathBuf },
    /// Enqueue many files with Waybill's engine and say what looking at them and changing them costs.
    Scale(scale::ScaleArgs),
    /// Make ca.pem, chain.pem and key.pem for 127.0.0.1 in a folder.
    Certificate { folder: PathBuf },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Put(args) => put::run(args),
        Command::Scale(args) => scale::run(&args),
        Command::Walk { folder } => walk::run(&folder),
        Command::Data { set, folder } => data::make(set, &folder),
        Command::Certificate { folder } => certificate::make(&folder),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("waybill-bench: {message}");
            ExitCode::FAILURE
        }
    }
}
