//! The local file vanishes, changes, grows or shrinks: never a mixture at the server, never a callback for one.

use std::io::Write;
use std::path::Path;

use waybill_engine::Code;
use waybill_engine::view::{CallbackBadge, Phase};
use waybill_sandbox::Operation::{
    AbortMultipartUpload, CompleteMultipartUpload, InitiateMultipartUpload, PutObject, UploadPart,
};
use waybill_sandbox::{Fault, FaultKind, Operation};
use waybill_tests::{MIB, TestBed, content};

/// Six parts.
const LEN: usize = 5 * MIB + 77;

fn reversed(len: usize) -> Vec<u8> {
    content(len).into_iter().rev().collect()
}

#[tokio::test]
async fn a_file_deleted_while_queued_fails_as_gone_and_nothing_is_asked_of_the_server() {
    let mut bed = TestBed::with(|config| config.parallel = 1).await;
    // One request at once, so three uploads under way: these keep the fourth waiting.
    bed.fault(Fault::on(PutObject, FaultKind::Stall));
    for n in 0..3 {
        bed.upload(&bed.file(&format!("{n}.jpg"), 10)).await;
    }
    bed.met(1).await;
    let path = bed.file("gone.jpg", 10);
    let no = bed.upload(&path).await;
    assert_eq!(bed.details(no).await.row.phase, Phase::Queued);
    std::fs::remove_file(&path).unwrap();
    bed.release();
    let details = bed.finished(no).await;
    assert_eq!((details.row.phase, &details.row.callback), (Phase::Failed, &CallbackBadge::NotSent));
    assert_eq!(details.row.problem.map(|problem| problem.code), Some(Code::SourceGone));
    assert_eq!(details.row.attempts, 1);
    bed.logged("the other three", |log| log.len() == 3).await;
    assert!(bed.sandbox.log().iter().all(|entry| entry.key.as_deref() != Some("gone.jpg")));
    bed.stop().await;
}

#[tokio::test]
async fn a_file_changed_while_sending_is_uploaded_anew_and_the_old_upload_id_is_aborted() {
    let mut bed = TestBed::new().await;
    let path = bed.file("clip.mov", LEN);
    let no = bed.half_way(&path).await;
    std::fs::write(&path, reversed(LEN)).unwrap();
    bed.release();
    let details = bed.answered(no, &reversed(LEN)).await;
    assert!(details.log.iter().any(|line| line.what == "retry" && line.detail.contains("changed")), "{details:#?}");
    let ids = bed.upload_ids();
    assert_eq!(ids.len(), 2);
    assert_eq!(bed.requests(AbortMultipartUpload)[0].upload_id.as_ref(), Some(&ids[0]));
    assert_eq!(
        bed.tally(),
        [(InitiateMultipartUpload, 2), (UploadPart, 12), (CompleteMultipartUpload, 1), (AbortMultipartUpload, 1)]
    );
    bed.stop().await;
}

#[tokio::test]
async fn a_file_replaced_while_sending_by_one_of_the_same_size_is_noticed() {
    let mut bed = TestBed::new().await;
    let path = bed.file("clip.mov", LEN);
    let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
    let no = bed.half_way(&path).await;
    let other = bed.dir.path().join("other");
    std::fs::write(&other, reversed(LEN)).unwrap();
    std::fs::File::options().write(true).open(&other).unwrap().set_modified(modified).unwrap();
    std::fs::rename(&other, &path).unwrap();
    bed.release();
    bed.answered(no, &reversed(LEN)).await;
    assert_eq!(bed.requests(CompleteMultipartUpload).len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn a_file_that_keeps_growing_is_uploaded_once_and_with_all_it_has_in_the_end() {
    let mut bed = TestBed::new().await;
    let path = bed.file("take.wav", 2 * MIB + 1);
    bed.hold_part(3);
    let no = bed.upload(&path).await;
    let mut wanted = content(2 * MIB + 1);
    for round in 1..=2 {
        bed.met(round).await;
        let piece = vec![round as u8; 100_000];
        let mut file = std::fs::File::options().append(true).open(&path).unwrap();
        file.write_all(&piece).unwrap();
        wanted.extend(piece);
        bed.release();
        if round == 1 {
            bed.hold_part(3);
        }
    }
    bed.answered(no, &wanted).await;
    assert_eq!(bed.upload_ids().len(), 3);
    assert_eq!(bed.requests(CompleteMultipartUpload).len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn a_small_file_changed_before_its_last_byte_is_sent_is_sent_as_it_is_then() {
    let mut bed = TestBed::with(|config| config.parallel = 1).await;
    // The second waits for the one permit: its file is read already, and not yet sent.
    bed.hold(PutObject);
    bed.upload(&bed.file("first.jpg", 10)).await;
    bed.met(1).await;
    let path = bed.file("second.jpg", 1000);
    let no = bed.upload(&path).await;
    bed.until_phase(no, Phase::Starting).await;
    std::fs::write(&path, reversed(500)).unwrap();
    bed.release();
    bed.answered(no, &reversed(500)).await;
    bed.stop().await;
}

#[tokio::test]
async fn a_small_file_that_became_larger_while_it_was_queued_is_listed_with_the_size_that_was_stored() {
    let mut bed = TestBed::with(|config| config.parallel = 1).await;
    bed.callback(None).await;
    bed.hold(PutObject);
    for n in 0..3 {
        bed.upload(&bed.file(&format!("{n}.jpg"), 10)).await;
    }
    bed.met(1).await;
    let path = bed.file("scan.tif", 10);
    let no = bed.upload(&path).await;
    assert_eq!(bed.details(no).await.row.phase, Phase::Queued);
    std::fs::write(&path, content(5000)).unwrap();
    bed.release();
    let details = bed.finished(no).await;
    assert_eq!((details.row.phase, details.row.size_bytes), (Phase::Done, 5000));
    bed.expect_object("scan.tif", &content(5000));
    bed.stop().await;
}

/// Makes the file shorter while a request of this operation is reading it.
async fn truncated_under_way(part_size: usize, operation: Operation) {
    let mut bed = TestBed::with(|config| config.part_size_bytes = part_size as u64).await;
    let path = bed.file("clip.mov", 32 * MIB);
    // Slower than the line by so much that the socket's buffers are full long before the file is read.
    bed.fault(Fault::on(operation, FaultKind::Throttle { bytes_per_second: 2_000_000 }).times(1));
    let no = bed.upload(&path).await;
    bed.met(1).await;
    shorten(&path, 700_000);
    let details = bed.answered(no, &content(700_000)).await;
    assert!(details.log.iter().any(|line| line.what == "retry" && line.detail.contains("changed")), "{details:#?}");
    assert!(details.log.iter().all(|line| line.what != "failed"), "{details:#?}");
    bed.stop().await;
}

fn shorten(path: &Path, len: u64) {
    std::fs::File::options().write(true).open(path).unwrap().set_len(len).unwrap();
}

#[tokio::test]
async fn a_file_cut_short_while_its_put_is_under_way_is_uploaded_as_it_is_then() {
    truncated_under_way(64 * MIB, PutObject).await;
}

#[tokio::test]
async fn a_file_cut_short_while_a_part_is_under_way_is_uploaded_as_it_is_then() {
    truncated_under_way(30 * MIB, UploadPart).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_may_not_be_read_fails_as_unreadable() {
    use std::os::unix::fs::PermissionsExt;
    let mut bed = TestBed::new().await;
    let path = bed.file("secret.pdf", 10);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything; there is nothing to see then.
    if std::fs::File::open(&path).is_err() {
        let no = bed.upload(&path).await;
        let details = bed.finished(no).await;
        assert_eq!(details.row.phase, Phase::Failed);
        assert_eq!(details.row.problem.map(|problem| problem.code), Some(Code::SourceUnreadable));
        assert_eq!(bed.tally(), []);
    }
    bed.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_with_a_broken_link_names_it_and_uploads_the_rest() {
    let mut bed = TestBed::new().await;
    bed.file("shoot/a.jpg", 10);
    let folder = bed.folder("shoot");
    std::os::unix::fs::symlink("nowhere", folder.join("broken.jpg")).unwrap();
    let added = bed.add(&folder).await;
    assert_eq!((added.queued, added.refused_count, added.refused.len()), (1, 1, 1));
    assert_eq!(added.refused[0].path, folder.join("broken.jpg").to_str().unwrap());
    assert_eq!(added.refused[0].problem.code, Code::SourceGone);
    let no = bed.batch(added.batch).await[0].no;
    bed.answered(no, &content(10)).await;
    assert_eq!(bed.tally(), [(PutObject, 1)]);
    bed.stop().await;
}

#[tokio::test]
async fn a_file_of_exactly_three_parts_and_one_that_is_mostly_holes_arrive_whole() {
    let mut bed = TestBed::new().await;
    let no = bed.upload(&bed.file("exact.mov", 3 * MIB)).await;
    let details = bed.answered(no, &content(3 * MIB)).await;
    assert_eq!((details.row.parts_done, details.row.parts_total), (3, 3));
    let sparse = bed.file("sparse.img", 10);
    std::fs::File::options().write(true).open(&sparse).unwrap().set_len(3 * MIB as u64 + 5).unwrap();
    let mut wanted = content(10);
    wanted.resize(3 * MIB + 5, 0);
    let no = bed.upload(&sparse).await;
    bed.answered(no, &wanted).await;
    bed.stop().await;
}

#[tokio::test]
async fn a_disk_that_vanishes_half_way_fails_as_gone_and_the_stored_parts_serve_when_it_is_back() {
    let mut bed = TestBed::new().await;
    let path = bed.file("disk/clip.mov", LEN);
    let no = bed.half_way(&path).await;
    let (disk, away) = (path.parent().unwrap().to_owned(), bed.dir.path().join("away"));
    std::fs::rename(&disk, &away).unwrap();
    bed.release();
    let details = bed.finished(no).await;
    assert_eq!(details.row.problem.map(|problem| problem.code), Some(Code::SourceGone));
    assert_eq!(bed.requests(CompleteMultipartUpload).len(), 0);
    std::fs::rename(&away, &disk).unwrap();
    bed.engine().retry(no).await.unwrap();
    bed.answered(no, &content(LEN)).await;
    assert_eq!(bed.parts_stored(), waybill_tests::each_once(6));
    assert_eq!(bed.requests(InitiateMultipartUpload).len(), 1);
    bed.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn sockets_and_devices_are_refused_by_name_and_the_rest_goes_up() {
    let mut bed = TestBed::new().await;
    bed.file("shoot/a.jpg", 10);
    let folder = bed.folder("shoot");
    let socket = folder.join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let added = bed.engine().add_paths(vec![folder, "/dev/null".into()], None).await.unwrap();
    assert_eq!((added.queued, added.refused_count), (1, 2));
    let refused: Vec<&str> = added.refused.iter().map(|refused| refused.path.as_str()).collect();
    assert_eq!(refused, [socket.to_str().unwrap(), "/dev/null"]);
    assert!(added.refused.iter().all(|refused| refused.problem.code == Code::NotAFile), "{added:?}");
    let no = bed.batch(added.batch).await[0].no;
    bed.answered(no, &content(10)).await;
    bed.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_queued_file_that_becomes_a_pipe_is_refused_instead_of_waited_for() {
    let mut bed = TestBed::new().await;
    let path = bed.file("a.log", 10);
    let denied = FaultKind::Status { status: 403, code: "AccessDenied".into(), retry_after_seconds: None };
    bed.fault(Fault::on(PutObject, denied));
    let no = bed.upload(&path).await;
    bed.finished(no).await;
    std::fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    bed.engine().retry(no).await.unwrap();
    let not_a_file = |details: &waybill_engine::view::UploadDetails| {
        details.row.problem.as_ref().is_some_and(|problem| problem.code == Code::NotAFile)
    };
    let details = bed.until(no, "refused", not_a_file).await;
    assert_eq!(details.row.phase, Phase::Failed);
    bed.stop().await;
}
