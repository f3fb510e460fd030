//! The long crash run, started by `cargo xtask soak`, and the program that crash runs kill.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use waybill_tests::crash::victim::{self, VICTIM};
use waybill_tests::crash::{self, Orders};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, rest)) if first == VICTIM => victim::live(rest).await,
        _ => soak(&arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            say(&message);
            ExitCode::FAILURE
        }
    }
}

/// `--kills N --seed S --report FILE`.
async fn soak(arguments: &[String]) -> Result<(), String> {
    let (mut kills, mut seed, mut report) = (1_000, None, None);
    for pair in arguments.chunks(2) {
        let number = || pair.get(1).and_then(|value| value.parse().ok()).ok_or_else(|| format!("{pair:?}: a number?"));
        match (pair[0].as_str(), pair.get(1)) {
            ("--kills", _) => kills = number()? as u32,
            ("--seed", _) => seed = Some(number()?),
            ("--report", Some(path)) => report = Some(PathBuf::from(path)),
            _ => return Err(format!("`cargo xtask soak` does not know {pair:?}; it knows --kills N and --seed S")),
        }
    }
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let seed = seed.unwrap_or_else(crash::any_seed);
    say(&format!("{kills} kills, seed {seed}"));
    let orders = Orders { program, kills, seed, long: true };
    let told = crash::run(&orders, say).await.map_err(|trouble| trouble.to_string())?;
    let page = told.page(&jiff::Zoned::now().date().to_string());
    say(&page);
    match report {
        Some(path) => std::fs::write(&path, page).map_err(|error| format!("{}: {error}", path.display())),
        None => Ok(()),
    }
}

fn say(line: &str) {
    // A terminal that is gone is no reason to stop.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
