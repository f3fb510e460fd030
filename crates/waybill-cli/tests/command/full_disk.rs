//! A disk that takes no more, and a data folder in which nothing may be written: nothing is lost and nothing is called done
//! that is not saved.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use tokio::process::Command;
use waybill_sandbox::Operation;

use crate::bed::{Bed, all, content, count};
use crate::running::{Running, run};

/// Two files that are sent whole, and OSS has not answered yet.
#[cfg(target_os = "linux")]
async fn both_sent(bed: &Bed) -> Running {
    let (a, b) = (bed.file("a.txt", 10), bed.file("b.txt", 20));
    bed.hold(Operation::PutObject, 0);
    let url = bed.sandbox.info().callback_url.clone();
    let running = Running::start(unimpressed(bed.upload(&[&a, &b], &["--callback-url", &url])));
    bed.until_held(2).await;
    running
}

/// The command, with the signal ignored that comes with a file that may not grow; what is left is an error to handle.
#[cfg(target_os = "linux")]
fn unimpressed(command: Command) -> Command {
    let command = command.as_std();
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
}

/// From now on the process may not write to any file, or may again.
#[cfg(target_os = "linux")]
async fn may_write(running: &Running, bytes: &str) {
    let pid = running.pid().to_string();
    let set = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:")]).status().await;
    assert!(set.expect("prlimit is a part of util-linux").success());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn while_nothing_can_be_saved_nothing_is_called_done_and_afterwards_everything_is_by_itself() {
    let bed = Bed::start().await;
    let mut running = both_sent(&bed).await;
    may_write(&running, "1").await;
    bed.sandbox.faults().clear();
    running.until_says("everything waits").await;
    let late = run(bed.upload(&[&bed.file("late.txt", 30)], &[])).await;
    assert!(late.refusal().contains("could not save"), "{late:#?}");
    bed.until_logged("both are stored", |log| count(log, Operation::PutObject) == 2).await;
    assert_eq!(running.lines_so_far(), [] as [String; 0], "nothing is called done that is not saved");
    may_write(&running, "unlimited").await;
    let receipts = running.end().await.receipts(0);
    assert_eq!(all(&receipts, "key"), ["a.txt", "b.txt"]);
    assert_eq!(all(&receipts, "state"), ["done", "done"]);
    let answered: Vec<_> = receipts.iter().map(|receipt| &receipt["callback"]["outcome"]).collect();
    assert_eq!(answered, ["answered", "answered"], "what was answered meanwhile is not lost");
    assert_eq!(bed.done(Operation::PutObject).len(), 2);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn stopped_while_nothing_can_be_saved_the_same_command_goes_on_and_sends_nothing_twice() {
    let bed = Bed::start().await;
    let mut running = both_sent(&bed).await;
    may_write(&running, "1").await;
    bed.sandbox.faults().clear();
    running.until_says("everything waits").await;
    assert_eq!(running.interrupt().await.code(), Some(130));
    let url = bed.sandbox.info().callback_url.clone();
    let files = [bed.dir.path().join("files/a.txt"), bed.dir.path().join("files/b.txt")];
    let again = bed.upload(&[&files[0], &files[1]], &["--callback-url", &url]);
    // Their answers were heard and could not be kept, so they count as lost.
    let receipts = run(again).await.receipts(2);
    assert_eq!(all(&receipts, "state"), ["done", "done"]);
    assert_eq!(bed.done(Operation::PutObject).len(), 2);
    assert_eq!(bed.object("a.txt"), Some(content(10)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_without_a_right_to_write_is_refused_in_words_and_left_as_it_is() {
    let bed = Bed::start().await;
    let file = bed.file("note.txt", 10);
    run(bed.upload(&[&file], &[])).await.receipt(0);
    for entry in std::fs::read_dir(bed.data_dir()).unwrap() {
        std::fs::set_permissions(entry.unwrap().path(), Permissions::from_mode(0o444)).unwrap();
    }
    std::fs::set_permissions(bed.data_dir(), Permissions::from_mode(0o555)).unwrap();
    let before = contents(&bed.data_dir());
    let ended = run(as_nobody(&bed, bed.upload(&[&bed.file("second.txt", 10)], &[]))).await;
    std::fs::set_permissions(bed.data_dir(), Permissions::from_mode(0o755)).unwrap();
    let words = ended.refusal();
    for part in ["data folder", "Permission denied", "Allow writing there", "untouched"] {
        assert!(words.contains(part), "{words}");
    }
    assert_eq!(contents(&bed.data_dir()), before);
    assert_eq!(bed.done(Operation::PutObject).len(), 1);
}

/// Rights do not bind root, so root runs the command as nobody.
fn as_nobody(bed: &Bed, command: Command) -> Command {
    let is_root = std::fs::metadata(bed.dir.path()).unwrap().uid() == 0;
    if !is_root {
        return command;
    }
    let program = bed.dir.path().join("waybill");
    std::fs::copy(command.as_std().get_program(), &program)
        .expect("the command is copied to where nobody can reach it");
    std::fs::set_permissions(bed.dir.path(), Permissions::from_mode(0o755)).unwrap();
    let mut copy = Command::new(program);
    copy.args(command.as_std().get_args()).env_clear().uid(65534).gid(65534);
    copy.envs(command.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
    copy
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}
