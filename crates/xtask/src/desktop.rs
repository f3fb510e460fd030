//! The real-window tests: where they run, and how.

use crate::steps::{Steps, cargo};

const NAME: &str = "real window";

/// Runs the scenarios of `tests/desktop` one after another, all or those whose name contains `filter`. Each makes a
/// desktop session of its own and ends it; they are ignored by `cargo test` because they need programs that only we install.
pub(crate) fn test(steps: &mut Steps, filter: Option<&str>) {
    if !cfg!(target_os = "linux") {
        // WebKitWebDriver and Xvfb exist nowhere else; CI runs the scenarios on Linux.
        steps.leave_out(NAME, "WebKitWebDriver runs only on Linux");
        return;
    }
    // The same packages as in the other steps, so that cargo builds nothing anew.
    let mut command = cargo(&["test", "--workspace", "--test", "desktop", "--", "--ignored", "--test-threads=1"]);
    steps.run_tests(NAME, 1, command.args(filter));
}
