//! A server that is broken and mended: its callbacks are sent again, and no byte of a file travels twice.

use serde_json::json;
use waybill_desktop_tests::{App, Drag, Request, Session, until, until_ok};

use crate::files::{bytes, write};
use crate::rows::{inspect, row, wait_for_row};

/// One that goes in one piece, one that goes in parts, one with nothing in it; and how often each is copied onto itself.
const FILES: [(&str, u64, usize, usize); 3] =
    [("poster.tif", 21, 300_000, 1), ("film.mov", 22, 20 << 20, 1), ("empty.txt", 23, 0, 0)];

#[test]
#[ignore = "needs a desktop session: cargo xtask test"]
fn failed_callbacks_are_sent_again_once_the_server_is_mended_and_no_body_byte_is_sent_twice() {
    let session = Session::start("callback-again");
    let paths = FILES.map(|(name, seed, size, _)| write(&session.home().join("outbox"), name, &bytes(seed, size)));
    let app = App::start(&session);
    let sandbox = app.sandbox();
    let broken = json!({ "kind": "callbackStatus", "status": 500, "body": "<h1>the application is down</h1>" });
    sandbox.fault(&json!({ "operation": "Callback", "times": u32::MAX, "fault": broken }));

    let drag = Drag::over(&session, &app, &[&paths[0], &paths[1], &paths[2]]);
    app.page.wait_for("[data-testid=drop-overlay]");
    drag.drop_here();
    let nos = FILES.map(|(name, ..)| wait_for_row(&app, name, "done"));
    for no in &nos {
        wait_for_callback(&app, no, "failed");
        let progress = app.page.text(&format!("{} [data-testid=row-progress]", row(no))).expect("a row shows progress");
        assert!(progress.contains("Stored, verified"), "a failed callback is no failed upload: {progress}");
    }
    inspect(&app, &nos[0], "callback");
    app.page.wait_for_text("[data-testid=callback-answer]", |text| text.contains("Error status : 500."));
    app.page.wait_for_text("[data-testid=callback-advice]", |text| {
        text.contains("another status than 200") && text.contains("send the callback again")
    });
    session.shot("failed");

    sandbox.mend();
    let before = changes(&sandbox.requests());
    app.page.click("[data-testid=callback-send-again]");
    app.page.wait_for_text("[data-testid=confirm]", |text| {
        ["not uploaded again", "copies the object onto itself", "new Last-Modified", "new ETag", "Events"]
            .iter()
            .all(|part| text.contains(part))
    });
    session.shot("confirm");
    assert_eq!(changes(&sandbox.requests()), before, "nothing changes before the question is answered");
    app.page.click("[data-testid=confirm-yes]");
    app.page.wait_for_text("[data-testid=callback-answer]", |text| text.contains("poster.tif"));
    app.page.wait_for_text("[data-testid=callback-pill]", |text| text.contains("200"));
    app.page
        .wait_for_text("[data-testid=callback-call]", |text| text.contains("203") && text.contains("0007-00000203"));
    assert!(!app.page.has("[data-testid=callback-send-again]"), "what went well is not offered again");
    session.shot("green");
    app.page.click("[data-testid=inspector-close]");

    // Another one from the list of the failed, the last one with all that are left.
    app.page.click("[data-testid=nav-callbacks]");
    app.page.click("[data-testid=cb-tool-failed]");
    let film = format!("[data-testid=failed-row][data-no=\"{}\"]", nos[1]);
    app.page.wait_for_text(&film, |text| text.contains("500"));
    session.shot("list");
    app.page.click(&format!("{film} [data-testid=failed-send]"));
    app.page.click("[data-testid=confirm-yes]");
    until("the end of the film's", || (!app.page.has(&film)).then_some(()));
    app.page.click("[data-testid=failed-send-all]");
    app.page.wait_for_text("[data-testid=confirm]", |text| text.contains("Send 1 callback again?"));
    app.page.click("[data-testid=confirm-yes]");
    until("the end of the last", || (!app.page.has("[data-testid=failed-row]")).then_some(()));

    app.page.click("[data-testid=nav-transfers]");
    for ((name, seed, size, _), no) in FILES.iter().zip(&nos) {
        wait_for_callback(&app, no, "answered");
        let details = app.page.invoke("upload_details", &json!({ "no": no.parse::<i64>().expect("a number") }));
        let callback = details.expect("an upload has details")["callback"].clone();
        let statuses: Vec<_> = callback["calls"].as_array().into_iter().flatten().map(|call| &call["status"]).collect();
        assert_eq!(statuses, [&json!(203), &json!(200)], "{name} has both attempts: {callback}");
        if *size > 0 {
            assert_eq!(sandbox.objects_equal_to(&bytes(*seed, *size)).len(), 1, "{name} is what it was, byte for byte");
        }
    }
    let log = sandbox.requests();
    for (name, _, size, copies) in FILES {
        let own: Vec<_> = log.iter().filter(|one| one.key == name).collect();
        // All but the list of parts, which is no part of the file.
        let bodies = own.iter().filter(|one| one.operation != "CompleteMultipartUpload");
        let bytes: u64 = bodies.map(|one| one.bytes_received).sum();
        assert_eq!(bytes, size as u64, "no byte of {name} may be sent twice: {own:?}");
        let copied = own.iter().filter(|one| one.is_done("UploadPartCopy")).count();
        assert_eq!(copied, copies, "{name} is put together from itself: {own:?}");
    }
}

/// Requests that do more than look.
fn changes(requests: &[Request]) -> usize {
    let looks = |one: &Request| ["Head", "Get", "List"].iter().any(|look| one.operation.starts_with(look));
    requests.iter().filter(|one| !looks(one)).count()
}

fn wait_for_callback(app: &App<'_>, no: &str, kind: &str) {
    until_ok(&format!("No. {no} {kind}"), || {
        let now = app.page.attribute(&row(no), "data-callback").unwrap_or_default();
        if now == kind { Ok(()) } else { Err(now) }
    });
}
