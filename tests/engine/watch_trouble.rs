//! Watched folders that go away, are paused, overlap, or hold what cannot be uploaded.

use std::time::Duration;

use waybill_engine::Code;
use waybill_engine::view::WatchedFolderForm;
use waybill_tests::{DESTINATION, TestBed, content};

#[tokio::test]
async fn a_folder_that_is_removed_and_made_again_recovers_by_itself() {
    let mut bed = TestBed::with(|config| config.rescan = Duration::from_millis(300)).await;
    let folder = bed.folder("stick");
    let watched = bed.watch(&folder, false).await;
    bed.marker(&folder, "first.txt").await;
    std::fs::remove_dir_all(&folder).unwrap();
    let gone = bed.until_folder(&watched.id, "unreachable", |folder| !folder.reachable).await;
    assert_eq!(gone.problem.map(|problem| problem.code), Some(Code::Watch));
    std::fs::create_dir(&folder).unwrap();
    bed.marker(&folder, "second.txt").await;
    let back = bed.until_folder(&watched.id, "reachable", |folder| folder.reachable).await;
    assert_eq!(back.problem, None);
    assert_eq!(bed.queued_names().await, ["first.txt", "second.txt"]);
    bed.stop().await;
}

#[tokio::test]
async fn a_folder_that_is_away_at_the_start_is_watched_when_it_comes() {
    let mut bed = TestBed::with(|config| config.rescan = Duration::from_millis(300)).await;
    let folder = bed.folder("stick");
    let watched = bed.watch(&folder, false).await;
    bed.stop().await;
    std::fs::remove_dir(&folder).unwrap();
    bed.start().await;
    bed.until_folder(&watched.id, "unreachable", |folder| !folder.reachable).await;
    std::fs::create_dir(&folder).unwrap();
    bed.marker(&folder, "file.txt").await;
    bed.stop().await;
}

#[tokio::test]
async fn a_paused_folder_uploads_nothing_until_it_goes_on() {
    let mut bed = TestBed::new().await;
    let (paused, other) = (bed.folder("paused"), bed.folder("other"));
    let watched = bed.watch(&paused, false).await;
    bed.watch(&other, false).await;
    bed.engine().pause_watched_folder(&watched.id, true).await.unwrap();
    let path = bed.file("paused/clip.mov", 80);
    bed.marker(&other, "one.txt").await;
    bed.marker(&other, "two.txt").await;
    assert_eq!(bed.queued_names().await, ["one.txt", "two.txt"]);
    // Also after a restart.
    bed.stop().await;
    bed.start().await;
    bed.marker(&other, "three.txt").await;
    assert_eq!(bed.queued_names().await, ["one.txt", "three.txt", "two.txt"]);
    bed.engine().pause_watched_folder(&watched.id, false).await.unwrap();
    bed.arrived(&path, 1).await;
    bed.expect_object("paused/clip.mov", &content(80));
    bed.stop().await;
}

#[tokio::test]
async fn a_folder_no_longer_watched_uploads_nothing_and_its_uploads_stay() {
    let mut bed = TestBed::new().await;
    let (dropped, other) = (bed.folder("dropped"), bed.folder("other"));
    let watched = bed.watch(&dropped, false).await;
    bed.watch(&other, false).await;
    bed.marker(&dropped, "one.txt").await;
    bed.engine().delete_watched_folder(&watched.id).await.unwrap();
    bed.file("dropped/two.txt", 10);
    bed.marker(&other, "three.txt").await;
    assert_eq!(bed.queued_names().await, ["one.txt", "three.txt"]);
    assert_eq!(bed.engine().watched_folders().await.unwrap().len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn a_folder_inside_a_watched_one_is_refused_since_its_files_would_go_up_twice() {
    let mut bed = TestBed::new().await;
    let (outer, inner) = (bed.folder("outer"), bed.folder("outer/inner"));
    let watched = bed.watch(&inner, false).await;
    let form = |path: &std::path::Path| WatchedFolderForm {
        id: None,
        path: path.to_str().unwrap().into(),
        destination_id: DESTINATION.into(),
        prefix: String::new(),
        callback_profile_id: None,
        include_existing: false,
    };
    for path in [&inner, &outer, &bed.folder("outer/inner/most")] {
        let refused = bed.engine().save_watched_folder(form(path)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Invalid, "{refused}");
    }
    bed.engine().delete_watched_folder(&watched.id).await.unwrap();
    bed.engine().save_watched_folder(form(&outer)).await.unwrap();
    bed.stop().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_name_that_cannot_be_a_key_keeps_its_problem_in_sight_and_does_not_hold_up_the_rest() {
    use std::os::unix::ffi::OsStrExt;
    let often = |config: &mut waybill_engine::EngineConfig| {
        (config.quiet, config.rescan) = (Duration::from_millis(100), Duration::from_millis(100));
    };
    let mut bed = TestBed::with(often).await;
    let folder = bed.folder("inbox");
    let watched = bed.watch(&folder, false).await;
    std::fs::write(folder.join(std::ffi::OsStr::from_bytes(b"caf\xe9.txt")), "latin-1").unwrap();
    for name in ["one.txt", "two.txt"] {
        bed.marker(&folder, name).await;
    }
    let mut last = None;
    for _ in 0..6 {
        let again = |folder: &waybill_engine::view::WatchedFolderView| folder.last_scan_ms > last;
        let looked_at = bed.until_folder(&watched.id, "looked at again", again).await;
        assert_eq!(looked_at.problem.map(|problem| problem.code), Some(waybill_engine::Code::Invalid));
        last = looked_at.last_scan_ms;
    }
    assert_eq!(bed.queued_names().await, ["one.txt", "two.txt"]);
    bed.stop().await;
    // One for each marker: a batch without a file in it would be one more at every second look.
    assert_eq!(bed.batches(), (2, 2));
}

#[tokio::test]
async fn a_folder_that_holds_the_data_or_a_prefix_that_cannot_be_a_key_is_refused() {
    let mut bed = TestBed::new().await;
    let form = |path: &std::path::Path, prefix: &str| waybill_engine::view::WatchedFolderForm {
        id: None,
        path: path.to_str().unwrap().to_owned(),
        destination_id: waybill_tests::DESTINATION.into(),
        prefix: prefix.into(),
        callback_profile_id: None,
        include_existing: false,
    };
    let error = bed.engine().save_watched_folder(form(bed.dir.path(), "")).await.unwrap_err();
    assert!(error.to_string().contains("Waybill's own data"), "{error}");
    let folder = bed.folder("inbox");
    for prefix in ["/photos/", "{year}/"] {
        let error = bed.engine().save_watched_folder(form(&folder, prefix)).await.unwrap_err();
        assert_eq!(error.code(), waybill_engine::Code::Invalid, "{error}");
    }
    assert!(bed.engine().watched_folders().await.unwrap().is_empty());
    bed.stop().await;
}
