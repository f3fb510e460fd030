//! The way up when nothing goes wrong, and what the receipt says.

use waybill_engine::view::{CallbackBadge, Phase};
use waybill_tests::{TestBed, content};

#[tokio::test]
async fn a_multipart_upload_is_stored_verified_and_called_back_once() {
    let mut bed = TestBed::new().await;
    let details = bed.stored(&bed.file("clip.mov", (5 << 20) + 17)).await;
    assert!(details.row.verified, "{details:#?}");
    assert_eq!(details.parts.len(), 6);
    assert_eq!(bed.object("clip.mov"), Some(content((5 << 20) + 17)));
    assert!(matches!(details.row.callback, CallbackBadge::Answered { status: 200, .. }), "{details:#?}");
    let answer: serde_json::Value = serde_json::from_str(details.callback.answer.as_deref().unwrap()).unwrap();
    assert_eq!(answer["received"]["object"], "clip.mov");
    assert_eq!(answer["received"]["uploadNo"], details.row.no.to_string());
    assert_eq!(bed.sandbox.callbacks().len(), 1);
    bed.stop().await;
}

#[tokio::test]
async fn an_empty_file_and_a_small_one_go_up_in_one_request_each() {
    let mut bed = TestBed::new().await;
    for (name, len) in [("empty.txt", 0), ("small.bin", 1 << 20)] {
        let details = bed.stored(&bed.file(name, len)).await;
        assert_eq!((details.row.parts_total, details.row.verified), (0, true), "{details:#?}");
        assert_eq!(bed.object(name), Some(content(len)));
    }
    assert_eq!(bed.sandbox.log().len(), 2, "{:#?}", bed.sandbox.log());
    bed.stop().await;
}

#[tokio::test]
async fn a_folder_keeps_its_own_name_in_the_keys() {
    let mut bed = TestBed::new().await;
    bed.file("shoot/a/b.jpg", 10);
    bed.file("shoot/发布会 1+2%.txt", 20);
    let added = bed.add(&bed.dir.path().join("files/shoot")).await;
    assert_eq!(added.queued, 2);
    for row in bed.engine().batch_page(added.batch, 0, 10).await.unwrap() {
        assert_eq!(bed.finished(row.no).await.row.phase, Phase::Done);
    }
    assert_eq!(bed.object("shoot/a/b.jpg"), Some(content(10)));
    assert_eq!(bed.object("shoot/发布会 1+2%.txt"), Some(content(20)));
    bed.stop().await;
}

#[tokio::test]
async fn two_files_of_one_drop_for_one_key_are_not_both_called_stored() {
    let mut bed = TestBed::new().await;
    let (a, b) = (bed.file("cardA/DCIM/1.jpg", 10), bed.file("cardB/DCIM/1.jpg", 20));
    let folders = [a.parent().unwrap().to_owned(), b.parent().unwrap().to_owned()];
    let added = bed.engine().add_paths(folders.to_vec(), None).await.unwrap();
    assert_eq!((added.queued, added.refused_count), (1, 1));
    assert_eq!(added.refused[0].path, b.to_str().unwrap());
    let rows = bed.engine().batch_page(added.batch, 0, 10).await.unwrap();
    assert_eq!(bed.finished(rows[0].no).await.row.phase, Phase::Done);
    bed.expect_object("DCIM/1.jpg", &content(10));
    bed.stop().await;
}
