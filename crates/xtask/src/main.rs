//! `cargo xtask run`, `cargo xtask test` and `cargo xtask bench`: set-up and the commands, nothing clever.
//!
//! Layout: `run` · `first_light` (run without a display) · `test` · `packages` (the system's) · `node` · `window` (the UI) ·
//! `steps` (running programs, closing lines) · `sandbox` (one of our own) · `sdk` (Alibaba's SDKs against it) ·
//! `desktop` (the real-window tests) · `deny` (what we build on) · `bench` (how fast, beside whom) · `soak` (the long crash
//! run).

mod bench;
mod deny;
mod desktop;
mod first_light;
mod node;
mod packages;
mod run;
mod sandbox;
mod sdk;
mod soak;
mod steps;
mod test;
mod window;

use std::ffi::OsString;
use std::process::ExitCode;

use steps::say;

const HELP: &str = "\
cargo xtask run [-- ARGUMENTS]   sets up what is missing, builds Waybill and opens its window; without a display it uploads
                                 one file to a local sandbox instead and prints what the callback server answered
cargo xtask test                 rustfmt, svelte-check, vitest, clippy, cargo doc, cargo deny, every Rust test, the generated
                                 bindings, Alibaba's SDKs against the sandbox and the real-window tests
cargo xtask test sdk             only Alibaba's SDKs
cargo xtask test desktop [NAME]  only the real-window tests, or those whose name contains NAME
cargo xtask bench                Waybill, the barest client and its peers side by side: what each costs, whether the goals are
                                 reached; writes docs/performance.md. --quick: without the slow peers, and no page;
                                 --rounds N; --only NAME: a workload or a client, may be repeated; --page: the page is written even so
cargo xtask soak [--kills N] [--seed S]
                                 kills a program that uploads 1,000 times while the server misbehaves, checks that every file
                                 is accounted for, and writes docs/reliability.md; then has an object over 5 GB sent again";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<OsString> = arguments.collect();
    let done = match command.to_str() {
        Some("run") => run::run(&rest),
        Some("test") => test::test(&rest),
        Some("bench") => bench::bench(&rest),
        Some("soak") => soak::soak(&rest),
        _ => Err(HELP.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            say(&message);
            ExitCode::FAILURE
        }
    }
}
