//! Which callback an upload asks for: a chosen profile's before the destination's, and its calls are counted under it.

use waybill_engine::Code;
use waybill_engine::view::{CallbackProfileForm, UploadRow, WatchedFolderForm};
use waybill_tests::{DESTINATION, TestBed, callback_to};

/// A callback whose calls carry this word.
fn saying(bed: &TestBed, word: &str) -> CallbackProfileForm {
    let body = format!(r#"{{"object":${{object}},"word":"{word}"}}"#);
    CallbackProfileForm { body, variables: Vec::new(), ..callback_to(&bed.sandbox.info().callback_url) }
}

/// The word of the only call for this object.
fn word_for(bed: &TestBed, key: &str) -> String {
    let bodies = bed.sandbox.callbacks().into_iter();
    let bodies = bodies.map(|callback| serde_json::from_str::<serde_json::Value>(&callback.body).expect("JSON"));
    let words: Vec<String> = bodies
        .filter(|body| body["object"] == key)
        .map(|body| body["word"].as_str().expect("a word").to_owned())
        .collect();
    assert_eq!(words.len(), 1, "{key}: {words:?}");
    words[0].clone()
}

/// How many calls are counted under a profile.
async fn counted(bed: &TestBed, profile: &str) -> usize {
    bed.engine().callback_times(Some(profile.to_owned())).await.expect("times").calls.len()
}

#[tokio::test]
async fn a_drop_asks_for_the_chosen_profile_instead_of_the_destinations_and_the_next_one_does_not() {
    let mut bed = TestBed::new().await;
    bed.callback(Some(saying(&bed, "destination"))).await;
    let chosen = bed.profile("chosen", saying(&bed, "chosen")).await;
    let paths = vec![bed.file("a.jpg", 10)];
    let added = bed.engine().add_paths_asking(paths, None, Some(chosen.clone())).await.expect("queued");
    bed.finished(bed.batch(added.batch).await[0].no).await;
    bed.stored(&bed.file("b.jpg", 10)).await;
    assert_eq!((word_for(&bed, "a.jpg").as_str(), word_for(&bed, "b.jpg").as_str()), ("chosen", "destination"));
    assert_eq!(counted(&bed, &chosen).await, 1);
    let gone = Some("gone".to_owned());
    let refused = bed.engine().add_paths_asking(vec![bed.file("c.jpg", 10)], None, gone).await.expect_err("refused");
    assert_eq!(refused.code(), Code::Invalid, "{refused}");
    assert_eq!(bed.queued_names().await, ["a.jpg", "b.jpg"]);
    bed.stop().await;
}

#[tokio::test]
async fn calls_for_a_destination_with_a_named_profile_are_counted_under_it_also_when_sent_again() {
    let mut bed = TestBed::new().await;
    let named = bed.profile("named", saying(&bed, "named")).await;
    let mut wanted = bed.form("test-secret");
    (wanted.callback, wanted.callback_profile_id) = (None, Some(named.clone()));
    let destination = bed.engine().save_destination(wanted).await.expect("a destination");
    let no = bed.upload_to(&bed.file("a.jpg", 10), &destination.id).await;
    bed.finished(no).await;
    assert_eq!((word_for(&bed, "a.jpg").as_str(), counted(&bed, &named).await), ("named", 1));
    crate::resend::ask(&bed, no).await;
    bed.calls(no, 2).await;
    assert_eq!(counted(&bed, &named).await, 2);
    bed.stop().await;
}

#[tokio::test]
async fn a_watched_folder_asks_for_its_profile_also_after_a_new_start_until_another_is_chosen() {
    let mut bed = TestBed::new().await;
    bed.callback(Some(saying(&bed, "destination"))).await;
    let first = bed.profile("first", saying(&bed, "first")).await;
    let second = bed.profile("second", saying(&bed, "second")).await;
    let folder = bed.folder("inbox");
    let form = |id: Option<&str>, profile: Option<&str>| WatchedFolderForm {
        id: id.map(str::to_owned),
        path: folder.to_str().expect("text").into(),
        destination_id: DESTINATION.into(),
        prefix: String::new(),
        callback_profile_id: profile.map(str::to_owned),
        include_existing: true,
    };
    let choose = async |bed: &TestBed, id: Option<&str>, profile: Option<&str>| {
        bed.engine().save_watched_folder(form(id, profile)).await.expect("watched").id
    };
    let add = async |bed: &TestBed, name: &str| {
        std::fs::write(folder.join(name), name).expect("a file");
        let there = |row: &UploadRow| row.name == name;
        let no = bed.look_for(name, async || bed.rows().await.into_iter().find(there)).await.no;
        bed.finished(no).await;
        word_for(bed, &format!("inbox/{name}"))
    };
    let id = choose(&bed, None, Some(&first)).await;
    assert_eq!(add(&bed, "a.jpg").await, "first");
    bed.stop().await;
    bed.start().await;
    assert_eq!(add(&bed, "b.jpg").await, "first");
    choose(&bed, Some(&id), Some(&second)).await;
    assert_eq!(add(&bed, "c.jpg").await, "second");
    assert_eq!((counted(&bed, &first).await, counted(&bed, &second).await), (2, 1));
    bed.engine().delete_callback_profile(&first).await.expect("nobody asks for it any more");
    choose(&bed, Some(&id), None).await;
    assert_eq!(add(&bed, "d.jpg").await, "destination");
    bed.stop().await;
}
