//! The disk under crashes, odd keys and other people's files.

use super::*;

fn new(key: &str) -> NewObject {
    NewObject {
        key: key.to_owned(),
        etag: "E".into(),
        crc64: 1,
        content_md5: None,
        kind: ObjectKind::Normal,
        about: About { content_type: "text/plain".into(), ..About::default() },
        forbid_overwrite: false,
    }
}

async fn sealed(store: &Store, bytes: &[u8]) -> Sealed {
    let mut incoming = store.incoming().await.expect("temp file");
    incoming.push(bytes).await.expect("writes");
    incoming.seal().await.expect("seals")
}

async fn put(store: &Store, key: &str, bytes: &[u8]) {
    let Sealed { content, crc64, .. } = sealed(store, bytes).await;
    assert!(store.commit(content, NewObject { crc64, ..new(key) }, None).expect("commits").is_some());
}

fn get(store: &Store, key: &str) -> Option<String> {
    let (_, file) = store.open(key).expect("opens")?;
    Some(io::read_to_string(file).expect("reads"))
}

fn crc_of(bytes: &[u8]) -> u64 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Xz, bytes)
}

fn files(dir: &Path) -> usize {
    fs::read_dir(dir).expect("lists").count()
}

#[tokio::test]
async fn a_key_is_a_file_a_person_can_open() {
    let dir = tempfile::tempdir().expect("temp dir");
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    put(&store, "目录/a b.txt", b"one").await;
    assert_eq!(fs::read_to_string(dir.path().join("objects/bucket/目录/a b.txt")).expect("reads"), "one");
    put(&store, "目录/a b.txt", b"two").await;
    assert_eq!(get(&store, "目录/a b.txt").as_deref(), Some("two"));
    store.delete("目录/a b.txt").expect("deletes");
    assert_eq!(get(&store, "目录/a b.txt"), None);
    assert_eq!(files(&dir.path().join("objects/bucket")), 0, "the empty folder is left");
}

#[tokio::test]
async fn a_key_below_another_key_and_keys_with_dots_live_side_by_side() {
    let dir = tempfile::tempdir().expect("temp dir");
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    let keys = ["a", "a/b", "a/../b", "b", "../escape", "a/", "x//y", "x/y", "x"];
    for key in keys {
        put(&store, key, key.as_bytes()).await;
    }
    for key in keys {
        assert_eq!(get(&store, key).as_deref(), Some(key));
    }
    assert_eq!(files(dir.path()), 4, "something left the folders");
}

#[tokio::test]
async fn somebody_elses_file_is_not_overwritten_and_a_removed_file_is_no_object() {
    let dir = tempfile::tempdir().expect("temp dir");
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    let own = dir.path().join("objects/bucket/notes.txt");
    fs::write(&own, "mine").expect("writes");
    put(&store, "notes.txt", b"object").await;
    assert_eq!(fs::read_to_string(&own).expect("reads"), "mine");
    assert_eq!(get(&store, "notes.txt").as_deref(), Some("object"));
    put(&store, "other.txt", b"object").await;
    fs::remove_file(dir.path().join("objects/bucket/other.txt")).expect("removes");
    assert_eq!(get(&store, "other.txt"), None);
}

#[tokio::test]
async fn a_body_that_is_never_sealed_leaves_no_file() {
    let dir = tempfile::tempdir().expect("temp dir");
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    let mut incoming = store.incoming().await.expect("temp file");
    incoming.push(b"half").await.expect("writes");
    assert_eq!(files(&dir.path().join("tmp")), 1);
    drop(incoming);
    assert_eq!(files(&dir.path().join("tmp")), 0);
}

#[tokio::test]
async fn a_crash_before_the_bytes_are_in_place_leaves_the_old_object() {
    let dir = tempfile::tempdir().expect("temp dir");
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    put(&store, "k", b"old").await;
    let meta = dir.path().join("meta/bucket").join(format!("{}.json", names::hash("k")));
    let stored: serde_json::Value = serde_json::from_slice(&fs::read(&meta).expect("reads")).expect("JSON");
    fs::write(dir.path().join("tmp/T"), "newer").expect("writes");
    let mut newer = stored.clone();
    newer["size"] = 5.into();
    let next = serde_json::json!({"tmp": "T", "uploadId": null, "stored": newer});
    fs::write(meta.with_extension("next"), next.to_string()).expect("writes");
    drop(store);
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    assert_eq!(get(&store, "k").as_deref(), Some("old"));
    assert_eq!((files(&dir.path().join("tmp")), files(&dir.path().join("meta/bucket"))), (0, 1));
}

#[tokio::test]
async fn a_crash_after_the_bytes_are_in_place_ends_in_the_new_object_and_no_upload() {
    let dir = tempfile::tempdir().expect("temp dir");
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    put(&store, "k", b"old").await;
    let info = UploadInfo {
        upload_id: "U".into(),
        key: "k".into(),
        about: About { content_type: "text/plain".into(), ..About::default() },
        initiated_ms: 0,
    };
    store.uploads.begin(info).expect("begins");
    let meta = dir.path().join("meta/bucket").join(format!("{}.json", names::hash("k")));
    let mut stored: serde_json::Value = serde_json::from_slice(&fs::read(&meta).expect("reads")).expect("JSON");
    stored["size"] = 5.into();
    stored["crc64"] = sealed(&store, b"newer").await.crc64.into();
    let next = serde_json::json!({"tmp": "T", "uploadId": "U", "stored": stored});
    fs::write(meta.with_extension("next"), next.to_string()).expect("writes");
    fs::write(dir.path().join("objects/bucket/k"), "newer").expect("writes");
    drop(store);
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    assert_eq!(get(&store, "k").as_deref(), Some("newer"));
    assert!(store.uploads.find("U").is_none(), "the upload is still open");
}

#[tokio::test]
async fn a_commit_whose_bytes_are_nowhere_leaves_the_old_object() {
    let dir = tempfile::tempdir().expect("temp dir");
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    put(&store, "k", b"olden").await;
    let meta = dir.path().join("meta/bucket").join(format!("{}.json", names::hash("k")));
    let mut stored: serde_json::Value = serde_json::from_slice(&fs::read(&meta).expect("reads")).expect("JSON");
    stored["crc64"] = sealed(&store, b"newer").await.crc64.into();
    let next = serde_json::json!({"tmp": "T", "uploadId": null, "stored": stored});
    fs::write(meta.with_extension("next"), next.to_string()).expect("writes");
    drop(store);
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    let (stored, _) = store.open("k").expect("opens").expect("there");
    assert_eq!((get(&store, "k").as_deref(), stored.crc64), (Some("olden"), crc_of(b"olden")));
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_delete_ends_in_no_object_and_nothing_left() {
    let dir = tempfile::tempdir().expect("temp dir");
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    put(&store, "k", b"old").await;
    fs::rename(dir.path().join("objects/bucket/k"), dir.path().join("tmp/T")).expect("renames");
    drop(store);
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    assert_eq!(get(&store, "k"), None);
    assert_eq!((files(&dir.path().join("tmp")), files(&dir.path().join("meta/bucket"))), (0, 0));
}

#[tokio::test]
async fn an_object_whose_bytes_cannot_be_taken_away_is_there_whole_after_a_restart() {
    let dir = tempfile::tempdir().expect("temp dir");
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    put(&store, "k", b"bytes").await;
    // The bytes go to this folder first.
    fs::remove_dir(dir.path().join("tmp")).expect("removes");
    fs::write(dir.path().join("tmp"), "no folder").expect("writes");
    store.delete("k").expect_err("cannot be done");
    assert_eq!(get(&store, "k").as_deref(), Some("bytes"));
    drop(store);
    fs::remove_file(dir.path().join("tmp")).expect("removes");
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    assert_eq!(get(&store, "k").as_deref(), Some("bytes"));
}

#[tokio::test]
async fn a_part_that_replaces_another_is_later_even_when_the_clock_was_set_back() {
    let dir = tempfile::tempdir().expect("temp dir");
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    let info = UploadInfo { upload_id: "U".into(), key: "k".into(), about: About::default(), initiated_ms: 0 };
    store.uploads.begin(info).expect("begins");
    let future = format!("00007-{:020}-{}-1", i64::MAX, "A".repeat(32));
    fs::write(dir.path().join("uploads/U").join(&future), "first").expect("writes");
    drop(store);
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    let second = store.uploads.add_part("U", 7, sealed(&store, b"second!").await).expect("adds").expect("open");
    assert!(second.file > future, "{}", second.file);
}

#[tokio::test]
async fn of_two_parts_with_one_number_the_later_counts_after_a_restart() {
    let dir = tempfile::tempdir().expect("temp dir");
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    let info = UploadInfo {
        upload_id: "U".into(),
        key: "k".into(),
        about: About { content_type: "text/plain".into(), ..About::default() },
        initiated_ms: 0,
    };
    store.uploads.begin(info).expect("begins");
    let first = store.uploads.add_part("U", 7, sealed(&store, b"first").await).expect("adds").expect("open");
    let second = store.uploads.add_part("U", 7, sealed(&store, b"second!").await).expect("adds").expect("open");
    assert_eq!(files(&dir.path().join("uploads/U")), 2, "the first part is still there");
    fs::write(dir.path().join("uploads/U").join(&first.file), "first").expect("writes");
    drop(store);
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    let upload = store.uploads.find("U").expect("still open");
    assert_eq!(upload.parts_after(0, 10), [second]);
}

#[test]
fn one_folder_serves_one_sandbox() {
    let dir = tempfile::tempdir().expect("temp dir");
    let lock = DirLock::take(dir.path()).expect("free");
    assert!(matches!(DirLock::take(dir.path()), Err(SandboxError::DataDirInUse { .. })));
    drop(lock);
    assert!(DirLock::take(dir.path()).is_ok());
}

#[tokio::test]
async fn a_description_that_cannot_be_read_costs_its_own_object_and_is_put_aside() {
    let dir = tempfile::tempdir().expect("temp dir");
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    for key in ["a", "b", "c"] {
        put(&store, key, key.as_bytes()).await;
    }
    let (empty, folder) = (store.meta_path("a", "json"), store.meta_path("b", "json"));
    drop(store);
    fs::write(&empty, "").expect("writes");
    fs::remove_file(&folder).expect("removes");
    fs::create_dir(&folder).expect("makes a folder that no one can read as a file");
    fs::create_dir_all(dir.path().join("uploads/U/upload.json")).expect("makes another");
    for _ in 0..2 {
        let store = Store::open_dir(dir.path(), "bucket").expect("opens all the same");
        assert_eq!(["a", "b", "c"].map(|key| get(&store, key)), [None, None, Some("c".to_owned())]);
    }
    assert!(empty.with_extension("broken").is_file() && folder.with_extension("broken").is_dir());
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    put(&store, "a", b"new").await;
    assert_eq!(get(&store, "a").as_deref(), Some("new"));
}

/// A description whose bytes somebody took away.
fn described(store: &Store, key: &str) {
    let stored = serde_json::json!({"key": key, "file": key, "size": 1, "etag": "E", "crc64": 1, "contentMd5": null,
        "kind": "Normal", "contentType": "text/plain", "headers": {}, "lastModifiedMs": 0});
    store.index().insert(key.to_owned(), serde_json::from_value(stored).expect("a description"));
}

#[tokio::test]
async fn a_listing_goes_over_more_keys_than_it_takes_at_once_and_past_what_is_folded() {
    let dir = tempfile::tempdir().expect("temp dir");
    let store = Store::open_dir(dir.path(), "bucket").expect("opens");
    for n in 0..700 {
        put(&store, &format!("d{}/{n:03}", n / 300), b"x").await;
    }
    put(&store, "e", b"x").await;
    described(&store, "d1/gone");
    let list = |after: &str, delimiter: &str, at_most| {
        let found = store.list(&crate::page::Wanted { prefix: "", delimiter, after, at_most });
        (found.items.iter().map(|stored| stored.key.clone()).collect::<Vec<_>>(), found.prefixes, found.truncated)
    };
    let (keys, _, truncated) = list("", "", 1000);
    assert!(keys.len() == 701 && keys.is_sorted() && !truncated);
    assert_eq!(list("", "/", 10), (vec!["e".to_owned()], ["d0/", "d1/", "d2/"].map(str::to_owned).to_vec(), false));
    assert_eq!(list("d0/", "/", 1), (Vec::new(), vec!["d1/".to_owned()], true));
    assert_eq!(list("d2/", "/", 1), (vec!["e".to_owned()], Vec::new(), false));
    assert_eq!(store.totals(), (701, 701));
}
