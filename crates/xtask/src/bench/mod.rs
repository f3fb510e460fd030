//! `cargo xtask bench`: Waybill, the barest client there can be and its peers, side by side against a server that keeps
//! nothing; what each cost, and whether Waybill reaches its goals.
//!
//! `workload` says what is uploaded, `programs` gets the clients, `client` knows their command lines, `server` starts the
//! server, `measure` runs one, `check` looks at what arrived, `figures` and `goals` judge, `page` writes, `local` is what
//! needs no server.

mod check;
mod client;
mod figures;
mod goals;
mod local;
mod measure;
mod page;
mod programs;
mod server;
mod workload;

use std::ffi::OsString;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use check::Manifest;
use client::Errand;
use figures::{Row, Sample, Table};
use programs::Programs;
use server::Server;
use workload::{CLIENTS, Client, WORKLOADS, Workload};

use crate::steps::{must, root, say};

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    rounds: u32,
    /// Workloads and clients by name; of each kind all, when none is named.
    only: Vec<String>,
    /// Only what takes seconds, and no page.
    quick: bool,
    /// The page is written though not everything is measured.
    page: bool,
}

/// Left out of a quick run: the peers, but for the fastest one.
const QUICK: [Client; 3] = [Client::Waybill, Client::Bare, Client::OpenDal];

impl Options {
    fn read(arguments: &[OsString]) -> Result<Self, String> {
        let mut options = Options { rounds: 3, only: Vec::new(), quick: false, page: false };
        let mut arguments = arguments.iter().map(|argument| argument.to_string_lossy());
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_ref() {
                "--quick" => options.quick = true,
                "--page" => options.page = true,
                "--rounds" => {
                    let number = value()?.parse().ok().filter(|rounds| *rounds > 0);
                    options.rounds = number.ok_or("--rounds needs a number")?;
                }
                "--only" => {
                    let name = value()?.into_owned();
                    let known =
                        WORKLOADS.iter().map(|workload| workload.name).chain(CLIENTS.map(Client::name)).chain([SCAN]);
                    let known: Vec<&str> = known.collect();
                    if !known.contains(&name.as_str()) {
                        return Err(format!("--only knows {}; not {name}", known.join(", ")));
                    }
                    options.only.push(name);
                }
                other => return Err(format!("`cargo xtask bench` does not know {other}")),
            }
        }
        Ok(options)
    }

    fn wants_workload(&self, name: &str) -> bool {
        let is_workload = |name: &String| CLIENTS.iter().all(|client| client.name() != name.as_str());
        !self.only.iter().any(is_workload) || self.only.iter().any(|only| only == name)
    }

    fn wants_client(&self, client: Client) -> bool {
        let is_client = |name: &String| CLIENTS.iter().any(|client| client.name() == name.as_str());
        let named = self.only.iter().any(|only| only == client.name());
        named || !self.only.iter().any(is_client) && (!self.quick || QUICK.contains(&client))
    }

    /// Only a whole run is worth a page, unless one is asked for.
    fn writes_page(&self) -> bool {
        self.page || self.only.is_empty() && !self.quick && self.rounds >= 3
    }
}

/// The name of the local row behind `--only`.
const SCAN: &str = "scan";

/// Measures, prints, and after a whole run writes the page. An error when a goal is missed or a run failed.
pub(crate) fn bench(arguments: &[OsString]) -> Result<(), String> {
    let options = Options::read(arguments)?;
    if !cfg!(target_os = "linux") {
        return Err("`cargo xtask bench` reads processor time and memory from /proc, which only Linux has.".into());
    }
    let page = root().join("docs/performance.md");
    if options.writes_page() {
        page::check(&page)?;
    }
    fs::create_dir_all(programs::folder()).map_err(|error| error.to_string())?;
    let wanted: Vec<Client> = CLIENTS.into_iter().filter(|client| options.wants_client(*client)).collect();
    let programs = programs::prepare(&wanted)?;
    let certificate = programs::folder().join("tls");
    must(Command::new(&programs.bench).arg("certificate").arg(&certificate), "a certificate for the server")?;
    let (mut measured, mut verdicts) = (String::new(), Vec::new());
    for workload in WORKLOADS.iter().filter(|workload| options.wants_workload(workload.name)) {
        let table = run(workload, &programs, &wanted, options.rounds, &certificate)?;
        let text = page::table(&table);
        say(&format!("\n{text}"));
        measured += &format!("{text}\n");
        verdicts.extend(goals::verdicts(&table));
    }
    let mut local = String::new();
    if options.wants_workload(SCAN) {
        let tree = data("tree", &programs)?;
        let (scan, reached) = local::scan_of_200_000(&programs, &tree, options.rounds)?;
        let (queue, of_queue) = local::queue_of_a_million(&programs)?;
        verdicts.push(reached);
        verdicts.extend(of_queue);
        local = format!("{scan}\n{queue}");
        say(&format!("\n{local}"));
    }
    let goals = page::goals(&verdicts);
    say(&format!("\n{goals}"));
    if options.writes_page() {
        let surroundings = page::surroundings(&programs.versions, options.rounds);
        let all =
            format!("{surroundings}\n## Goals\n\n{goals}\n## Figures\n\n{measured}### Without a server\n\n{local}\n");
        page::write(&page, &all)?;
    }
    match verdicts.iter().filter(|verdict| !verdict.is_reached).count() {
        0 => Ok(()),
        missed => Err(format!("══ {missed} of {} goals are missed", verdicts.len())),
    }
}

/// All rounds of a workload, the clients one after another in each and in another order every time.
fn run(
    workload: &'static Workload,
    programs: &Programs,
    wanted: &[Client],
    rounds: u32,
    certificate: &Path,
) -> Result<Table, String> {
    let folder = data(workload.set, programs)?;
    let manifest = Manifest::read(&folder)?;
    let clients = workload.clients.iter().filter(|client| wanted.contains(client));
    let row = |client: &Client| Row { client: *client, samples: Vec::new(), problems: Vec::new() };
    let mut table = Table { workload, files: manifest.len(), bytes: manifest.bytes, rows: clients.map(row).collect() };
    let clients = table.rows.len().max(1);
    say(&format!("\n── {}", workload.title));
    for round in 0..rounds {
        for turn in 0..table.rows.len() {
            let row = &mut table.rows[(turn + round as usize) % clients];
            match once(workload, row.client, programs, &folder, &manifest, certificate) {
                Ok(None) => {}
                Ok(Some(sample)) => {
                    say(&format!(
                        "   {}: {:.2} s, {:.2} s of processor, {} MiB, {} at once",
                        row.client.name(),
                        sample.cost.wall.as_secs_f64(),
                        sample.cost.cpu.as_secs_f64(),
                        sample.cost.peak_kib / 1024,
                        sample.busiest
                    ));
                    row.samples.push(sample);
                }
                Err(message) => {
                    say(&format!("   {}: {message}", row.client.name()));
                    row.problems.push(format!("round {}: {message}", round + 1));
                }
            }
        }
    }
    Ok(table)
}

/// One run of one client against a server of its own; none if the client is not there.
fn once(
    workload: &Workload,
    client: Client,
    programs: &Programs,
    data: &Path,
    manifest: &Manifest,
    certificate: &Path,
) -> Result<Option<Sample>, String> {
    // Each time: this may be a machine that gives memory back after a while.
    warm(data).map_err(|error| format!("cannot read {}: {error}", data.display()))?;
    let scratch = programs::folder().join("scratch");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    let server = Server::start(&programs.waybill, workload.latency_ms, workload.tls.then_some(certificate))?;
    let errand = Errand { workload, endpoint: &server.endpoint, data, scratch: &scratch, certificate };
    let Some(mut command) = client::command(client, programs, &errand) else { return Ok(None) };
    let output = programs::folder().join(format!("{}.log", client.name()));
    let cost = measure::measure(&mut command, &output)?;
    let received = server.received()?;
    check::check(&received, manifest)?;
    if matches!(client, Client::Waybill | Client::Bare) {
        check::check_lean(&received, manifest)?;
    }
    let busiest = received["busiest"].as_u64().unwrap_or_default();
    Ok(Some(Sample { cost, requests: check::requests(&received), busiest }))
}

/// The folder of a set, which is made the first time.
fn data(set: &str, programs: &Programs) -> Result<PathBuf, String> {
    let folder = programs::folder().join("data").join(set);
    if !folder.with_extension("tsv").exists() {
        let mut make = Command::new(&programs.bench);
        must(make.arg("data").arg(set).arg(&folder), &format!("the files of \"{set}\" (once)"))?;
        // What is still to be written to disk would be written while something is measured.
        must(&mut Command::new("sync"), "sync")?;
    }
    Ok(folder)
}

/// Reads everything once, so that no client is the one that waits for the disk.
fn warm(folder: &Path) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 20];
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            warm(&path)?;
        } else {
            let mut file = fs::File::open(path)?;
            while file.read(&mut buffer)? > 0 {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Result<Options, String> {
        Options::read(&arguments.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn names_choose_among_their_own_kind() -> Result<(), String> {
        let both = options(&["--only", "small", "--only", "waybill"])?;
        assert!(both.wants_workload("small") && !both.wants_workload("tiny"));
        assert!(both.wants_client(Client::Waybill) && !both.wants_client(Client::Bare));
        let client = options(&["--only", "rclone", "--quick"])?;
        assert!(client.wants_workload("tiny") && client.wants_client(Client::Rclone));
        let quick = options(&["--quick", "--rounds", "5"])?;
        assert!(quick.wants_client(Client::Bare) && !quick.wants_client(Client::Rclone));
        assert_eq!(quick.rounds, 5);
        Ok(())
    }

    #[test]
    fn a_page_is_written_of_a_whole_run_only() -> Result<(), String> {
        assert!(options(&[])?.writes_page());
        for part in [&["--quick"][..], &["--only", "small"], &["--rounds", "1"]] {
            assert!(!options(part)?.writes_page(), "{part:?}");
        }
        for wrong in [&["--only", "smaller"][..], &["--rounds", "0"], &["--rounds"], &["fast"]] {
            assert!(options(wrong).is_err(), "{wrong:?}");
        }
        Ok(())
    }
}
