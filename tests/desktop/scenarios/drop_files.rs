//! Files and a folder dragged in from another program's window.

use serde_json::{Value, json};
use waybill_desktop_tests::{App, Drag, Session, until};

use crate::files::{bytes, write};
use crate::rows::{inspect, row, wait_for_row};

#[test]
#[ignore = "needs a desktop session: cargo xtask test"]
fn files_really_dragged_reach_the_sandbox_and_the_inspector_shows_the_servers_json() {
    let session = Session::start("drop");
    let outbox = session.home().join("outbox");
    let poster = write(&outbox, "poster-4k.tif", &bytes(1, 300_000));
    let notes = write(&outbox, "发布会 & notes #1.txt", "发布会\n".as_bytes());
    write(&outbox, "shoot/day 1/a.jpg", &bytes(2, 70_000));
    write(&outbox, "shoot/b.jpg", &bytes(3, 1));
    let app = App::start(&session);

    let drag = Drag::over(&session, &app, &[&poster, &notes, &outbox.join("shoot")]);
    app.page.wait_for("[data-testid=drop-overlay]");
    app.page.wait_for_text("[data-testid=drop-overlay]", |text| {
        ["Sandbox", "{path}", "/callback"].iter().all(|part| text.contains(part))
    });
    session.shot("overlay");
    drag.drop_here();

    let contents = [
        ("poster-4k.tif", "poster-4k.tif", bytes(1, 300_000)),
        ("发布会 & notes #1.txt", "发布会 & notes #1.txt", "发布会\n".as_bytes().to_vec()),
        ("a.jpg", "shoot/day 1/a.jpg", bytes(2, 70_000)),
        ("b.jpg", "shoot/b.jpg", bytes(3, 1)),
    ];
    let sandbox = app.sandbox();
    for (name, key, content) in &contents {
        let no = wait_for_row(&app, name, "done");
        until("the callback's badge", || app.page.attribute(&row(&no), "data-callback").filter(|it| it == "answered"));
        let stored = sandbox.objects_equal_to(content);
        assert_eq!(stored.len(), 1, "{name} must lie in the sandbox once, byte for byte: {stored:?}");
        let puts = sandbox.requests().iter().filter(|one| one.is_done("PutObject") && one.key == *key).count();
        assert_eq!(puts, 1, "{key} must have been put once");
    }
    assert!(!app.page.has("[data-testid=drop-overlay]"), "the overlay must go with the drop");

    let no = wait_for_row(&app, "a.jpg", "done");
    inspect(&app, &no, "callback");
    let request = app.page.wait_for_text("[data-testid=callback-request]", |text| text.contains("${object}"));
    assert!(request.contains("/callback"), "the request names the server it goes to: {request}");
    let answer = app.page.wait_for_text("[data-testid=callback-answer]", |text| text.contains("shoot/day 1/a.jpg"));
    serde_json::from_str::<Value>(&answer).expect("the answer of the sandbox's receiver is JSON");
    assert!(answer.trim().lines().count() > 3, "JSON is shown pretty-printed, not on one line: {answer}");
    session.shot("callback");

    inspect(&app, &no, "overview");
    let details = app.page.invoke("upload_details", &json!({ "no": no.parse::<i64>().expect("a number") }));
    let object = details.expect("an upload has details")["object"].clone();
    for (part, field) in [("object-etag", "etag"), ("object-crc64", "crc64"), ("object-request-id", "requestId")] {
        let wanted = object[field].as_str().expect("a stored object has it").to_owned();
        app.page.wait_for_text(&format!("[data-testid={part}]"), |text| text.contains(&wanted));
    }
    for (part, wanted) in [("object-bucket", "sandbox"), ("object-key", "shoot/day 1/a.jpg"), ("object-size", "70,000")]
    {
        app.page.wait_for_text(&format!("[data-testid={part}]"), |text| text.contains(wanted));
    }
    assert_eq!((&object["sizeBytes"], &object["verified"]), (&json!(70_000), &json!(true)));
    session.shot("overview");
}
