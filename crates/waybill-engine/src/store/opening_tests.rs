//! Damaged databases, and those that are not.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};

use tempfile::TempDir;

use super::*;
use crate::store::{Store, settings};

/// Enough rows for many pages.
async fn filled() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let fill =
        |c: &Connection| (0..2_000).try_for_each(|n| settings::set(c, &format!("name {n:08}"), &"x".repeat(100)));
    store.write(fill).await.unwrap();
    store.close().await;
    dir
}

/// Spoils pages in the middle of the file.
fn spoil(dir: &TempDir) {
    let path = dir.path().join("waybill.db");
    let middle = size_of(&path) / 2;
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(middle)).unwrap();
    file.write_all(&[0xA5; 3 * 4096]).unwrap();
}

/// As a process that was killed leaves it.
fn unclean(dir: &TempDir) {
    fs::write(dir.path().join("waybill.pid"), "1").unwrap();
}

fn names(dir: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(dir.path()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.starts_with("waybill.db"));
    names.sort_unstable();
    names
}

#[tokio::test]
async fn after_a_crash_a_spoiled_page_is_found_and_the_database_set_aside_untouched() {
    let dir = filled().await;
    spoil(&dir);
    fs::write(dir.path().join("waybill.db.before-v2"), "an older copy").unwrap();
    unclean(&dir);
    let before = fs::read(dir.path().join("waybill.db")).unwrap();
    let error = Store::open(dir.path()).unwrap_err();
    assert_eq!(error.code(), Code::Damaged);
    let names: Vec<String> =
        names(&dir).into_iter().filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect();
    let [backup, aside] = names.as_slice() else { panic!("{names:?}") };
    assert!(aside.starts_with("waybill.db.damaged-20"), "{names:?}");
    assert_eq!(fs::read(dir.path().join(aside)).unwrap(), before);
    let words = error.to_string();
    assert!(words.contains(aside) && words.contains(backup) && words.contains("Your files are safe"), "{words}");
}

#[tokio::test]
async fn the_start_after_that_begins_with_an_empty_record_and_leaves_the_old_one_where_it_is() {
    let dir = filled().await;
    spoil(&dir);
    unclean(&dir);
    let words = Store::open(dir.path()).unwrap_err().to_string();
    assert!(words.contains("There is no backup"), "{words}");
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.read(|c| settings::get(c, "name 00000000")).await.unwrap(), None);
    store.close().await;
    let names = names(&dir);
    assert!(names[0] == "waybill.db" && names[1].starts_with("waybill.db.damaged-"), "{names:?}");
}

#[tokio::test]
async fn what_is_no_database_is_set_aside_with_its_log_even_after_a_clean_end() {
    let dir = filled().await;
    fs::write(dir.path().join("waybill.db"), "not a database at all, but long enough to be looked at").unwrap();
    fs::write(dir.path().join("waybill.db-wal"), "nor this a log").unwrap();
    assert_eq!(Store::open(dir.path()).unwrap_err().code(), Code::Damaged);
    let names = names(&dir);
    assert!(names.len() >= 2 && names.iter().all(|name| name.starts_with("waybill.db.damaged-")), "{names:?}");
    assert!(names[1..].iter().any(|name| *name == format!("{}-wal", names[0])), "{names:?}");
}

#[tokio::test]
async fn a_database_that_is_gone_while_its_log_is_left_is_not_begun_anew_in_silence() {
    let dir = filled().await;
    fs::remove_file(dir.path().join("waybill.db")).unwrap();
    fs::write(dir.path().join("waybill.db-wal"), "the last writes").unwrap();
    assert_eq!(Store::open(dir.path()).unwrap_err().code(), Code::Damaged);
    let names = names(&dir);
    assert!(matches!(names.as_slice(), [log] if log.ends_with("-wal")), "{names:?}");
    assert_eq!(fs::read(dir.path().join(&names[0])).unwrap(), b"the last writes");
}

#[tokio::test]
async fn after_a_clean_end_only_the_head_is_looked_at_and_the_log_is_gone() {
    let dir = filled().await;
    assert_eq!(names(&dir), ["waybill.db"], "a closed database has no log");
    spoil(&dir);
    let store = Store::open(dir.path()).expect("reading all of a large database at every start would take its time");
    let read = store.read(|c| c.query_row("SELECT count(*) FROM settings WHERE value <> ''", [], |_| Ok(()))).await;
    assert_eq!(read.unwrap_err().code(), Code::Damaged);
    store.close().await;
    // What was found out on the way is not forgotten.
    assert_eq!(Store::open(dir.path()).unwrap_err().code(), Code::Damaged);
}
