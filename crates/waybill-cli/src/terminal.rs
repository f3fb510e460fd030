//! The two streams: results on standard output, everything said about them on standard error.
#![allow(clippy::print_stdout, clippy::print_stderr)] // the one room of the command that may print

use std::io::{IsTerminal, Write};

/// One line of result. False if nobody reads it any more (a closed pipe).
pub(crate) fn result_line(line: &str) -> bool {
    writeln!(std::io::stdout(), "{line}").is_ok()
}

/// Lines of result, each with its end.
pub(crate) fn result_lines(lines: &str) -> bool {
    let mut out = std::io::stdout().lock();
    out.write_all(lines.as_bytes()).and_then(|()| out.flush()).is_ok()
}

/// One line about what is going on or wrong.
pub(crate) fn complain(message: &str) {
    eprintln!("waybill: {message}");
}

/// A question whose answer is typed behind it.
pub(crate) fn ask(question: &str) {
    eprint!("{question}");
    // Whoever does not see it does not answer it.
    let _ = std::io::stderr().flush();
}

/// Whether a person watches.
pub(crate) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}
