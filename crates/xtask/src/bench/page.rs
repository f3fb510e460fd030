//! The tables and verdicts as Markdown, for the terminal and for `docs/performance.md`.

use std::fs;
use std::path::Path;

use super::figures::{Figure, Row, Table};
use super::goals::{Verdict, name, number};
use super::workload::Client;
use crate::steps::answers;

const BEGIN: &str = "<!-- measured by `cargo xtask bench`: what stands here is written anew by the next run -->";
const END: &str = "<!-- end of what was measured -->";

/// One workload: a line for each client.
pub(crate) fn table(table: &Table) -> String {
    let unit = table.workload.unit;
    let mut text = format!(
        "### {}\n\n| client | seconds | {} | {} | × bare | peak MiB | requests | at once | spread: time, CPU |\n|---|---|---|---|---|---|---|---|---|\n",
        table.workload.title,
        name(Figure::Rate, unit),
        match name(Figure::Cpu, unit) {
            "CPU per file" => "CPU µs per file",
            other => other,
        },
    );
    for row in &table.rows {
        text += &line(table, row);
    }
    text
}

fn line(table: &Table, row: &Row) -> String {
    let name = row.client.name();
    let Some(sample) = row.samples.last() else {
        return format!("| {name} | {} |\n", row.problems.join("; ").replace('|', "/"));
    };
    let figure = |figure| table.figure(row.client, figure).unwrap_or_default();
    let compared = table.figure(Client::Bare, Figure::Cpu).map(|bare| number(figure(Figure::Cpu) / bare));
    let requests: Vec<String> = sample.requests.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let percent = |figure| format!("{:.0} %", table.spread(row, figure) * 100.0);
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} | {} | {}, {} |\n",
        number(figure(Figure::Wall)),
        number(figure(Figure::Rate)),
        number(figure(Figure::Cpu)),
        compared.unwrap_or_default(),
        number(figure(Figure::Peak)),
        requests.join(", "),
        sample.busiest,
        percent(Figure::Wall),
        percent(Figure::Cpu),
    )
}

/// The goals, with what was reached.
pub(crate) fn goals(verdicts: &[Verdict]) -> String {
    let mut text = "| | goal | wanted | reached |\n|---|---|---|---|\n".to_owned();
    for Verdict { words, wanted, reached, is_reached } in verdicts {
        let mark = if *is_reached { "✓" } else { "✗" };
        text += &format!("| {mark} | {words} | {wanted} | {} |\n", reached.replace('|', "/"));
    }
    text
}

/// When, where and with what.
pub(crate) fn surroundings(versions: &[String], rounds: u32) -> String {
    let date = answers("date", &["-u", "+%Y-%m-%d"]).unwrap_or_default();
    let kernel = answers("uname", &["-sr"]).unwrap_or_default();
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpu = field(&read("/proc/cpuinfo"), "model name");
    let memory: u64 =
        field(&read("/proc/meminfo"), "MemTotal").split(' ').next().and_then(|kib| kib.parse().ok()).unwrap_or(0);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{}: {cores} cores of {cpu}, {} GiB, {}. Medians of {rounds} rounds.\n\nVersions: {}.\n",
        date.trim(),
        memory >> 20,
        kernel.trim(),
        versions.join("; ")
    )
}

/// The value of the first `name : value`.
fn field(text: &str, name: &str) -> String {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned()).next().unwrap_or_default()
}

/// Puts what was measured between the marks of the page.
pub(crate) fn write(page: &Path, measured: &str) -> Result<(), String> {
    fs::write(page, with(page, measured)?).map_err(|error| format!("{}: {error}", page.display()))
}

/// An error if the page could not be written: better before half an hour of measuring than after it.
pub(crate) fn check(page: &Path) -> Result<(), String> {
    with(page, "").map(drop)
}

fn with(page: &Path, measured: &str) -> Result<String, String> {
    let text = fs::read_to_string(page).map_err(|error| format!("{}: {error}", page.display()))?;
    renewed(&text, measured).ok_or_else(|| format!("{} has lost its marks: {BEGIN} and {END}", page.display()))
}

fn renewed(text: &str, measured: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", measured.trim()))
}

#[cfg(test)]
mod tests {
    use super::super::figures::tests::table as measured;
    use super::*;

    #[test]
    fn only_what_was_measured_is_written_anew() {
        let page = format!("# Speed\n\n{BEGIN}\nold\n{END}\n\nWords.\n");
        let once = renewed(&page, "new\n").expect("marks");
        assert_eq!(once, format!("# Speed\n\n{BEGIN}\n\nnew\n\n{END}\n\nWords.\n"));
        assert_eq!(renewed(&once, "new").as_deref(), Some(once.as_str()));
        assert_eq!(renewed("no marks", "new"), None);
    }

    #[test]
    fn a_client_without_a_good_round_has_its_reason_in_its_line() {
        let mut shown =
            measured("small", &[(Client::Waybill, &[500, 600]), (Client::Bare, &[400]), (Client::Rclone, &[])]);
        shown.rows[2].problems.push("round 1: it fell | over".to_owned());
        let text = table(&shown);
        assert!(text.contains("| waybill | 0.550 | 18333 | 55.0 | 1.38 | 20.0 |"), "{text}");
        assert!(text.contains("| rclone | round 1: it fell / over |"), "{text}");
    }
}
