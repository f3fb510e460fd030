//! `--overwrite`: what becomes of objects that are there already.

use waybill_sandbox::Operation;

use crate::bed::{Bed, content};
use crate::running::run;

#[tokio::test(flavor = "multi_thread")]
async fn an_identical_file_is_called_already_there_and_nothing_is_sent() {
    let bed = Bed::start().await;
    let file = bed.file("a.jpg", 1000);
    assert_eq!(
        run(bed.upload(&[&file], &["--key", "a.jpg"])).await.receipt(0)["alreadyThere"],
        serde_json::Value::Null
    );
    let receipt = run(bed.upload(&[&file], &["--key", "a.jpg", "--overwrite", "skip-identical"])).await.receipt(0);
    assert_eq!((&receipt["state"], &receipt["alreadyThere"]), (&"done".into(), &"identical".into()));
    assert_eq!(receipt["callback"]["outcome"], "notRequested");
    assert_eq!(bed.done(Operation::PutObject).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_may_not_be_overwritten_ends_the_command_with_1_and_stays() {
    let bed = Bed::start().await;
    run(bed.upload(&[&bed.file("a.jpg", 1000)], &["--key", "a.jpg"])).await.receipt(0);
    let receipt =
        run(bed.upload(&[&bed.file("b.jpg", 20)], &["--key", "a.jpg", "--overwrite", "forbid"])).await.receipt(1);
    assert_eq!(receipt["error"]["code"], "alreadyThere");
    assert_eq!(bed.object("a.jpg"), Some(content(1000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_name_gets_a_number_and_the_receipt_has_it() {
    let bed = Bed::start().await;
    let file = bed.file("a.jpg", 1000);
    run(bed.upload(&[&file], &["--key", "a.jpg"])).await.receipt(0);
    let receipt = run(bed.upload(&[&file], &["--key", "a.jpg", "--overwrite", "rename"])).await.receipt(0);
    assert_eq!(receipt["key"], "a (2).jpg");
}
