//! A callback that fails although the object is stored: two facts, shown side by side.

use serde_json::json;
use waybill_desktop_tests::{App, Session, until};

use crate::files::{bytes, write};
use crate::rows::{inspect, row, wait_for_row};

#[test]
#[ignore = "needs a desktop session: cargo xtask test"]
fn failing_callback_shows_stored_and_callback_failed_at_once() {
    let session = Session::start("callback-fails");
    let film = write(session.home(), "interview-cut-03.mp4", &bytes(4, 200_000));
    let app = App::start(&session);
    let sandbox = app.sandbox();
    sandbox.fault(&json!({
        "operation": "Callback",
        "fault": { "kind": "callbackStatus", "status": 500, "body": "<h1>the application is down</h1>" },
    }));
    app.page.invoke("add_paths", &json!({ "paths": [film], "destinationId": null })).expect("the file is taken");

    let no = wait_for_row(&app, "interview-cut-03.mp4", "done");
    until("the callback's badge", || app.page.attribute(&row(&no), "data-callback").filter(|it| it == "failed"));
    let progress = app.page.text(&format!("{} [data-testid=row-progress]", row(&no))).expect("a row shows progress");
    assert!(progress.contains("Stored, verified"), "a failed callback must not look like a failed upload: {progress}");
    let callback = app.page.text(&format!("{} [data-testid=row-callback]", row(&no))).expect("a row shows a callback");
    assert!(callback.contains("500"), "the row says what the server answered: {callback}");
    assert_eq!(sandbox.objects_equal_to(&bytes(4, 200_000)).len(), 1, "the object is stored all the same");

    inspect(&app, &no, "callback");
    let answer = app.page.wait_for_text("[data-testid=callback-answer]", |text| text.contains("CallbackFailed"));
    assert!(answer.contains("Error status : 500."), "OSS's own words are shown whole: {answer}");
    session.shot("inspector");

    let counts = app.page.invoke("counts", &json!({})).expect("numbers can always be asked for");
    assert_eq!((&counts["stored"], &counts["callbackFailed"], &counts["failed"]), (&json!(1), &json!(1), &json!(0)));
}
