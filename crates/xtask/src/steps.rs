//! Running programs: what they are called, how long they took, and one closing line for each.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One line for the person in front of the terminal.
pub(crate) fn say(line: &str) {
    // Nothing is left to be done when even the terminal is gone.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    // crates/xtask lies two folders below it, by the layout of the workspace.
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."))
}

/// The folder of the programs that cargo builds: xtask is one of them.
pub(crate) fn built(program: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("cannot find the target folder: {error}"))?;
    let file = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    Ok(own.with_file_name(file))
}

/// `cargo`, the one that started us, in the root of the repository.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// What a program says when it succeeds, or none.
pub(crate) fn answers(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program is on the PATH.
pub(crate) fn finds(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Runs a command to its end with our terminal.
pub(crate) fn must(command: &mut Command, what: &str) -> Result<(), String> {
    say(&format!("\n── {what}"));
    let status = command.status().map_err(|error| format!("{what}: cannot start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{what} failed ({status})")) }
}

/// The steps of a test run: goes on after a failure, and remembers it.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    lines: Vec<String>,
    failed: Vec<String>,
}

impl Steps {
    /// Runs one runner and closes with its line; true when it succeeded.
    pub(crate) fn run(&mut self, name: &str, command: &mut Command) -> bool {
        say(&format!("\n── {name}"));
        let start = Instant::now();
        let (outcome, tally) = outcome_of(command);
        self.close(name, outcome, &tally.words(), Some(start.elapsed()))
    }

    /// Like [`Steps::run`] for a runner that must have run so many tests: a filter that fits nothing is no success, nor are
    /// cases that were lost.
    pub(crate) fn run_tests(&mut self, name: &str, at_least: u32, command: &mut Command) -> bool {
        say(&format!("\n── {name}"));
        let start = Instant::now();
        let (outcome, tally) = outcome_of(command);
        let outcome = outcome.and_then(|()| tally.reaches(at_least));
        self.close(name, outcome, &tally.words(), Some(start.elapsed()))
    }

    /// Says that a step does not exist on this system. That is no failure, and not "ok" either.
    pub(crate) fn leave_out(&self, name: &str, reason: &str) {
        say(&format!("\n── {name}: not run ({reason})"));
    }

    /// Closes a step that is not a program of its own.
    pub(crate) fn check(&mut self, name: &str, outcome: Result<String, String>) -> bool {
        say(&format!("\n── {name}"));
        match outcome {
            Ok(words) => self.close(name, Ok(()), &words, None),
            Err(message) => self.close(name, Err(message), "", None),
        }
    }

    /// Says that a step could not run because of an earlier one. That is a failure.
    pub(crate) fn skip(&mut self, name: &str, reason: &str) {
        self.close(name, Err(format!("not run: {reason}")), "", None);
    }

    fn close(&mut self, name: &str, outcome: Result<(), String>, words: &str, took: Option<Duration>) -> bool {
        let ok = outcome.is_ok();
        say(&format!("── {}", self.remember(name, outcome, words, took)));
        ok
    }

    /// Adds a step and gives its closing line.
    fn remember(&mut self, name: &str, outcome: Result<(), String>, words: &str, took: Option<Duration>) -> &str {
        if outcome.is_err() {
            self.failed.push(name.to_owned());
        }
        let verdict = outcome.err().unwrap_or_else(|| "ok".into());
        let details = [words.to_owned(), took.map(in_words).unwrap_or_default()];
        let details = details.into_iter().filter(|detail| !detail.is_empty()).collect::<Vec<_>>().join(", ");
        let details = if details.is_empty() { details } else { format!(" ({details})") };
        self.lines.push(format!("{name}: {verdict}{details}"));
        self.lines.last().map_or("", String::as_str)
    }

    /// Says all closing lines again, and then the verdict: the error is the failed run's.
    pub(crate) fn end(self, took: Duration) -> Result<(), String> {
        say("\n══ Summary");
        self.lines.iter().for_each(|line| say(&format!("   {line}")));
        self.verdict(took).map(|passed| say(&passed))
    }

    fn verdict(&self, took: Duration) -> Result<String, String> {
        let (all, took) = (self.lines.len(), in_words(took));
        match self.failed.as_slice() {
            [] => Ok(format!("══ all {all} passed in {took}")),
            failed => Err(format!("══ {} of {all} failed in {took}: {}", failed.len(), failed.join(", "))),
        }
    }
}

fn outcome_of(command: &mut Command) -> (Result<(), String>, Tally) {
    match watch(command) {
        Ok((true, tally)) => (Ok(()), tally),
        Ok((false, tally)) => (Err("failed".to_owned()), tally),
        Err(message) => (Err(message), Tally::default()),
    }
}

/// Runs a command, passes its output on, and counts the tests it speaks of.
fn watch(command: &mut Command) -> Result<(bool, Tally), String> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| format!("cannot start: {error}"))?;
    let mut tally = Tally::default();
    if let Some(output) = child.stdout.take() {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let _ = std::io::stdout().write_all(&line);
            tally.read(&String::from_utf8_lossy(&line));
            line.clear();
        }
    }
    let status = child.wait().map_err(|error| format!("cannot wait for it: {error}"))?;
    Ok((status.success(), tally))
}

/// Tests counted from the closing lines of libtest and vitest.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u32,
    failed: u32,
}

impl Tally {
    fn read(&mut self, line: &str) {
        let plain = without_colours(line);
        let line = plain.trim();
        let counted = line.strip_prefix("test result:").or_else(|| line.strip_prefix("Tests  "));
        let Some(counted) = counted else { return };
        let words: Vec<&str> = counted.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            match (pair[0].parse::<u32>(), pair[1]) {
                (Ok(count), "passed") => self.passed += count,
                (Ok(count), "failed") => self.failed += count,
                _ => {}
            }
        }
    }

    fn reaches(&self, at_least: u32) -> Result<(), String> {
        match self.passed {
            0 => Err("ran no test".to_owned()),
            passed if passed < at_least => Err(format!("ran fewer than the {at_least} tests there are")),
            _ => Ok(()),
        }
    }

    fn words(&self) -> String {
        match (self.passed, self.failed) {
            (0, 0) => String::new(),
            (passed, failed) => format!("{passed} passed, {failed} failed"),
        }
    }
}

fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, text)| text);
    }
    plain + rest
}

fn in_words(took: Duration) -> String {
    match took.as_secs() {
        0..60 => format!("{:.1} s", took.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        lines.iter().for_each(|line| tally.read(line));
        tally
    }

    #[test]
    fn closing_lines_of_both_runners_are_counted() {
        let libtest =
            "test result: FAILED. 12 passed; 1 failed; 2 ignored; 0 measured; 3 filtered out; finished in 0.01s";
        assert_eq!(tally(&[libtest, libtest]), Tally { passed: 24, failed: 2 });
        let vitest = "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[31m1 failed\u{1b}[39m\u{1b}[22m | 7 passed (8)";
        assert_eq!(tally(&[vitest]), Tally { passed: 7, failed: 1 });
    }

    #[test]
    fn a_run_with_no_test_or_with_fewer_than_there_are_is_no_success() {
        let tally = |passed| Tally { passed, failed: 0 };
        assert_eq!(tally(40).reaches(40), Ok(()));
        assert_eq!(tally(39).reaches(40), Err("ran fewer than the 40 tests there are".into()));
        assert_eq!(tally(0).reaches(1), Err("ran no test".into()));
    }

    #[test]
    fn other_lines_that_speak_of_passing_are_not_counted() {
        assert_eq!(tally(&["3 passed the door", " Test Files  4 passed (4)"]), Tally::default());
    }

    #[test]
    fn one_step_that_failed_or_could_not_run_fails_the_whole() {
        let (mut steps, took) = (Steps::default(), Duration::from_secs(75));
        assert_eq!(steps.remember("clippy", Ok(()), "", Some(took)), "clippy: ok (1 min 15 s)");
        assert_eq!(steps.verdict(took), Ok("══ all 1 passed in 1 min 15 s".into()));
        assert_eq!(steps.remember("window", Err("not run: no UI".into()), "", None), "window: not run: no UI");
        assert_eq!(steps.verdict(took), Err("══ 1 of 2 failed in 1 min 15 s: window".into()));
    }
}
