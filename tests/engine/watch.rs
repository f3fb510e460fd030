//! Watched folders when nothing goes wrong with the folder: each settled file goes up once, and only then.

use std::io::Write;
use std::time::Duration;

use waybill_sandbox::Operation::PutObject;
use waybill_tests::{TestBed, content};

#[tokio::test]
async fn a_file_written_in_pieces_arrives_once_and_whole() {
    let mut bed = TestBed::with(|config| config.quiet = Duration::from_secs(2)).await;
    let folder = bed.folder("inbox");
    let watched = bed.watch(&folder, false).await;
    let path = folder.join("take.wav");
    let whole = content(30_000);
    for piece in whole.chunks(10_000) {
        let before = bed.until_folder(&watched.id, "looked at", |folder| folder.last_scan_ms.is_some()).await;
        std::fs::File::options().create(true).append(true).open(&path).unwrap().write_all(piece).unwrap();
        // Written on only when the scanner has seen what is there so far.
        let seen = |folder: &waybill_engine::view::WatchedFolderView| {
            folder.settling == 1 && folder.last_scan_ms > before.last_scan_ms
        };
        bed.until_folder(&watched.id, "settling", seen).await;
        assert_eq!(bed.rows().await.len(), 0, "queued while it was still growing");
    }
    let details = bed.arrived(&path, 1).await;
    assert_eq!(details.row.key, "inbox/take.wav");
    bed.expect_object("inbox/take.wav", &whole);
    bed.marker(&folder, "later.txt").await;
    assert_eq!(bed.queued_names().await, ["later.txt", "take.wav"]);
    assert_eq!(bed.tally(), [(PutObject, 2)]);
    let view = bed.until_folder(&watched.id, "counted", |folder| folder.uploaded == 2).await;
    assert_eq!((view.settling, view.problem), (0, None));
    bed.stop().await;
}

#[tokio::test]
async fn what_is_in_the_folder_before_is_left_alone_unless_it_is_asked_for() {
    let mut bed = TestBed::new().await;
    bed.file("old/before.txt", 10);
    bed.file("both/before.txt", 10);
    let (old, both) = (bed.folder("old"), bed.folder("both"));
    bed.watch(&old, false).await;
    bed.watch(&both, true).await;
    bed.marker(&old, "after.txt").await;
    bed.arrived(&both.join("before.txt"), 1).await;
    assert_eq!(bed.queued_names().await, ["after.txt", "before.txt"]);
    assert_eq!(bed.object("old/before.txt"), None);
    bed.expect_object("both/before.txt", &content(10));
    bed.stop().await;
}

#[tokio::test]
async fn an_unchanged_file_is_not_uploaded_again_after_a_restart_and_a_new_one_is_found() {
    let mut bed = TestBed::new().await;
    let folder = bed.folder("inbox");
    bed.watch(&folder, false).await;
    bed.marker(&folder, "first.txt").await;
    bed.stop().await;
    // Written while nobody watched.
    std::fs::write(folder.join("second.txt"), content(20)).unwrap();
    bed.start().await;
    bed.arrived(&folder.join("second.txt"), 1).await;
    bed.marker(&folder, "third.txt").await;
    assert_eq!(bed.queued_names().await, ["first.txt", "second.txt", "third.txt"]);
    assert_eq!(bed.tally(), [(PutObject, 3)]);
    bed.stop().await;
}

#[tokio::test]
async fn a_modified_file_is_uploaded_again() {
    let mut bed = TestBed::new().await;
    let folder = bed.folder("inbox");
    bed.watch(&folder, false).await;
    let path = folder.join("report.txt");
    std::fs::write(&path, content(100)).unwrap();
    bed.arrived(&path, 1).await;
    std::fs::write(&path, content(60)).unwrap();
    bed.arrived(&path, 2).await;
    bed.expect_object("inbox/report.txt", &content(60));
    bed.marker(&folder, "later.txt").await;
    assert_eq!(bed.queued_names().await, ["later.txt", "report.txt", "report.txt"]);
    bed.stop().await;
}

#[tokio::test]
async fn a_file_under_a_temporary_name_goes_up_when_it_gets_its_real_one() {
    let mut bed = TestBed::new().await;
    let folder = bed.folder("inbox");
    bed.watch(&folder, false).await;
    std::fs::write(folder.join("clip.mov.part"), content(50)).unwrap();
    std::fs::write(folder.join(".hidden"), content(50)).unwrap();
    bed.marker(&folder, "later.txt").await;
    assert_eq!(bed.queued_names().await, ["later.txt"]);
    std::fs::rename(folder.join("clip.mov.part"), folder.join("clip.mov")).unwrap();
    bed.arrived(&folder.join("clip.mov"), 1).await;
    bed.expect_object("inbox/clip.mov", &content(50));
    assert_eq!(bed.queued_names().await, ["clip.mov", "later.txt"]);
    bed.stop().await;
}

#[tokio::test]
async fn a_file_in_a_new_subfolder_goes_up_under_its_path() {
    let mut bed = TestBed::new().await;
    let folder = bed.folder("inbox");
    bed.watch(&folder, false).await;
    let path = bed.file("inbox/day 1/cam a/clip.mov", 70);
    bed.arrived(&path, 1).await;
    bed.expect_object("inbox/day 1/cam a/clip.mov", &content(70));
    bed.stop().await;
}

#[tokio::test]
async fn reading_in_a_watched_folder_does_not_make_it_be_looked_at_again() {
    let mut bed = TestBed::new().await;
    let (idle, busy) = (bed.folder("idle"), bed.folder("busy"));
    let watched = bed.watch(&idle, false).await;
    bed.watch(&busy, false).await;
    bed.marker(&idle, "here.txt").await;
    // Whatever the marker's own events lead to has come by the time another folder's file has settled and gone up.
    bed.marker(&busy, "first.txt").await;
    let last = |folders: Vec<waybill_engine::view::WatchedFolderView>| {
        folders.into_iter().find(|folder| folder.id == watched.id).and_then(|folder| folder.last_scan_ms)
    };
    let before = last(bed.engine().watched_folders().await.unwrap());
    assert_eq!(std::fs::read_to_string(idle.join("here.txt")).unwrap(), "here.txt");
    bed.marker(&busy, "second.txt").await;
    assert_eq!(last(bed.engine().watched_folders().await.unwrap()), before, "looked at without a change");
    bed.stop().await;
}
