//! The end of the window in the middle of a large file, and what the next start makes of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use waybill_desktop_tests::{App, Request, Session, until_ok};

use crate::files::{bytes, write};
use crate::rows::{row, wait_for_row};

const SIZE: usize = 64 << 20;

#[test]
#[ignore = "needs a desktop session: cargo xtask test"]
fn kill_9_during_a_64_mib_upload_then_restart_finishes_and_sends_no_stored_part_again() {
    goes_on_after("kill", |app| app.kill_9());
}

#[test]
#[ignore = "needs a desktop session: cargo xtask test"]
fn window_closed_during_a_64_mib_upload_goes_on_at_the_next_start() {
    goes_on_after("close", |app| app.close());
}

fn goes_on_after(name: &str, end: fn(App<'_>)) {
    let session = Session::start(name);
    let film = write(session.home(), "A001_C014_1120KX.mov", &bytes(5, SIZE));
    let app = App::start(&session);
    let sandbox = app.sandbox();
    // Two parts pass, the others crawl: the end falls in the middle of them. The fault dies with the process.
    let crawl = json!({ "kind": "throttle", "bytesPerSecond": 256 << 10 });
    sandbox.fault(&json!({ "operation": "UploadPart", "skip": 2, "times": u32::MAX, "fault": crawl }));
    app.page.invoke("add_paths", &json!({ "paths": [film], "destinationId": null })).expect("the file is taken");
    wait_for_row(&app, "A001_C014_1120KX.mov", "sending");
    until_ok("two stored parts", || {
        let stored = stored_parts(&sandbox.requests()).len();
        if stored >= 2 { Ok(()) } else { Err(format!("{stored}")) }
    });
    session.shot("before");
    end(app);
    let before = stored_parts(&sandbox.requests());
    assert!(sandbox.requests().iter().all(|one| one.operation != "CompleteMultipartUpload"), "ended too late");

    let app = App::start(&session);
    let no = wait_for_row(&app, "A001_C014_1120KX.mov", "done");
    let callback = app.page.attribute(&row(&no), "data-callback");
    assert_eq!(callback.as_deref(), Some("answered"), "the restarted receiver must be found where it was");
    session.shot("after");

    let requests = sandbox.requests();
    let started: BTreeSet<&str> = requests
        .iter()
        .filter(|one| one.is_done("InitiateMultipartUpload"))
        .map(|one| one.upload_id.as_str())
        .collect();
    assert_eq!(started.len(), 1, "the upload goes on under its UploadId, no second one is made: {started:?}");
    let mut sent: BTreeMap<(&str, u64), Vec<u64>> = BTreeMap::new();
    for one in requests.iter().filter(|one| one.operation == "UploadPart") {
        sent.entry((&one.upload_id, one.part_number)).or_default().push(one.status);
    }
    for (part, answers) in &sent {
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{part:?} was stored more than once");
    }
    for part in &before {
        let times = sent.iter().find(|((_, number), _)| number == part).map_or(0, |(_, answers)| answers.len());
        assert_eq!(times, 1, "part {part} was stored before the end and must not be sent again");
    }
    assert!(sent.len() > before.len(), "something was left to be sent after the restart");
    assert_eq!(sandbox.objects_equal_to(&bytes(5, SIZE)).len(), 1, "the object is whole, byte for byte");
    assert_eq!(requests.iter().filter(|one| one.is_done("CompleteMultipartUpload")).count(), 1);
}

fn stored_parts(requests: &[Request]) -> BTreeSet<u64> {
    requests.iter().filter(|one| one.is_done("UploadPart")).map(|one| one.part_number).collect()
}
