//! Programs that a test starts: each ends with the test, by its own pid.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A child that is killed when this is dropped, and by the kernel when the test itself is killed.
#[derive(Debug)]
pub(crate) struct Owned {
    child: Child,
}

/// `program`, to be started by [`spawn`]; `setpriv` (util-linux) ties its life to ours and then becomes it, pid and all.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]).stdin(Stdio::null());
    command
}

/// Starts a command made by [`command`].
pub(crate) fn spawn(command: &mut Command) -> Owned {
    match command.spawn() {
        Ok(child) => Owned { child },
        Err(error) => panic!("cannot start {command:?}: {error}"),
    }
}

impl Owned {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The first line of its stdout, which must be piped.
    pub(crate) fn first_line(&mut self) -> String {
        let mut line = String::new();
        if let Some(output) = self.child.stdout.as_mut() {
            BufReader::new(output).read_line(&mut line).expect("the pipe of a child can be read");
        }
        line.trim().to_owned()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends SIGKILL to one process; false when it is gone already.
pub(crate) fn kill_9(pid: u32) -> bool {
    let sent = Command::new("kill").args(["-9", &pid.to_string()]).stderr(Stdio::null()).status();
    sent.is_ok_and(|status| status.success())
}

/// Whether a process runs. One that has ended but was not waited for does not, once its last thread is gone: until then it
/// holds its files and their locks.
pub(crate) fn runs(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    stat(pid).is_some_and(|(state, _)| state != "Z" || threads > 1)
}

/// Children of a process, by pid.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("/proc is there on Linux");
    let pids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| stat(*pid).is_some_and(|(_, its_parent)| its_parent == parent)).collect()
}

/// State and parent, from `/proc/PID/stat`.
fn stat(pid: u32) -> Option<(String, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in brackets and may hold anything, so what follows the last bracket counts.
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    Some((fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}
