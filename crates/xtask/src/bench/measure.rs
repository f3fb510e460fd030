//! What a program costs: time, processor time and peak memory of itself and all that it starts.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// `/proc` counts processor time in hundredths of a second, on every Linux.
const TICK: Duration = Duration::from_millis(10);
/// How often memory is looked at. The peak is kept by the system, so only the last moment before the end can be missed.
const GLANCE: Duration = Duration::from_millis(30);

/// What one run cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    /// User and system.
    pub(crate) cpu: Duration,
    pub(crate) peak_kib: u64,
}

/// Runs a command to its end; its output goes to a file, whose end is told when it fails.
pub(crate) fn measure(command: &mut Command, output: &std::path::Path) -> Result<Cost, String> {
    let file = fs::File::create(output).map_err(|error| format!("{}: {error}", output.display()))?;
    let errors = file.try_clone().map_err(|error| error.to_string())?;
    command.stdin(Stdio::null()).stdout(file).stderr(errors);
    let before = waited_for()?;
    let start = Instant::now();
    let child = command.spawn().map_err(|error| format!("cannot start {:?}: {error}", command.get_program()))?;
    let (status, peak_kib) = watch(child)?;
    let wall = start.elapsed();
    let cpu = waited_for()?.saturating_sub(before);
    if status.success() {
        return Ok(Cost { wall, cpu, peak_kib });
    }
    let said = fs::read_to_string(output).unwrap_or_default();
    let last: Vec<&str> = said.lines().rev().take(5).collect();
    Err(format!("{status}: {}", last.into_iter().rev().collect::<Vec<_>>().join(" / ")))
}

fn watch(mut child: Child) -> Result<(std::process::ExitStatus, u64), String> {
    let (ended, id) = (AtomicBool::new(false), child.id());
    thread::scope(|scope| {
        let peak = scope.spawn(|| {
            let mut peak = 0;
            while !ended.load(Ordering::Relaxed) {
                peak = peak.max(memory_kib(id));
                thread::sleep(GLANCE);
            }
            peak
        });
        let status = child.wait();
        ended.store(true, Ordering::Relaxed);
        let peak = peak.join().map_err(|_| "looking at the memory failed".to_owned())?;
        Ok((status.map_err(|error| error.to_string())?, peak))
    })
}

/// Processor time of all our children that have ended, and of theirs.
fn waited_for() -> Result<Duration, String> {
    let stat = fs::read_to_string("/proc/self/stat").map_err(|error| format!("/proc/self/stat: {error}"))?;
    ticks_of_children(&stat).map(|ticks| TICK * ticks).ok_or_else(|| format!("cannot read /proc/self/stat: {stat}"))
}

/// `cutime` and `cstime`, the 16th and 17th field. The 2nd is a name in parentheses, which may hold anything.
fn ticks_of_children(stat: &str) -> Option<u32> {
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(13);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(ticks()? + ticks()?)
}

/// Peaks of a process and of all below it.
fn memory_kib(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let below = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    let children = below.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let children =
        children.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>());
    peak_of(&status) + children.map(memory_kib).sum::<u64>()
}

fn peak_of(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_children_is_found_behind_any_name() {
        let stat = "42 (a ) b) S 1 2 3 4 5 6 7 8 9 10 11 12 700 30 20 0 1";
        assert_eq!(ticks_of_children(stat), Some(730));
        assert_eq!(ticks_of_children("42 (x) S 1"), None);
    }

    #[test]
    fn the_peak_is_read_and_a_process_that_is_gone_has_none() {
        assert_eq!(peak_of("Name:\tx\nVmPeak:\t  99 kB\nVmHWM:\t    1234 kB\nVmRSS:\t 5 kB\n"), 1234);
        assert_eq!(peak_of(""), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_child_of_the_child_counts_and_a_failure_is_told() -> Result<(), String> {
        let output = std::env::temp_dir().join(format!("xtask-measure-{}", std::process::id()));
        let spin = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        let cost = measure(Command::new("sh").args(["-c", &format!("sh -c '{spin}'; true")]), &output)?;
        assert!(cost.cpu >= TICK && cost.peak_kib > 100, "{cost:?}");
        let told = measure(Command::new("sh").args(["-c", "echo out of paper; exit 3"]), &output).unwrap_err();
        assert!(told.contains("3") && told.contains("out of paper"), "{told}");
        fs::remove_file(output).map_err(|error| error.to_string())
    }
}
