//! The receiver inside the window: a profile is tried on it before it goes to a server of one's own.

use std::net::TcpListener;

use serde_json::json;
use waybill_desktop_tests::{App, Session, until};

#[test]
#[ignore = "needs a desktop session: cargo xtask test"]
fn profile_tested_on_the_lab_shows_the_sandboxs_signed_request_and_the_answer_as_told() {
    let session = Session::start("callback-lab");
    let app = App::start(&session);
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let port = listener.expect("loopback has a free port").port().to_string();
    app.page.click("[data-testid=nav-callbacks]");
    app.page.click("[data-testid=cb-tool-lab]");
    app.page.type_into("[data-testid=lab-port]", &port);
    app.page.click("[data-testid=lab-start]");
    let url = app.page.wait_for_text("[data-testid=lab-url]", |text| text.contains(&port));
    app.page.click("[data-testid=lab-sample-error]");
    app.page.click("[data-testid=lab-set]");
    until("the answer that is set", || {
        let lab = app.page.invoke("lab", &json!({})).expect("the lab can always be asked for");
        (lab["answer"]["status"] == json!(502)).then_some(())
    });

    let form = json!({
        "urls": [format!("{}?from=test", url)], "host": "", "bodyType": "form", "sni": false,
        "body": "object=${object}&size=${size}", "variables": [], "query": [], "headers": [], "bestEffort": false,
        "expectations": [], "columns": [],
    });
    app.page
        .invoke("save_callback_profile", &json!({ "draft": { "id": null, "name": "trial", "form": form } }))
        .expect("saved");
    app.page.click("[data-testid=cb-profile]");
    app.page.click("[data-testid=cb-test]");
    app.page.wait_for_text("[data-testid=cb-trial]", |text| text.contains("203") && text.contains("502"));
    session.shot("trial");

    app.page.click("[data-testid=cb-tool-lab]");
    app.page.wait_for_text("[data-testid=lab-request]", |text| {
        text.contains("POST /callback?from=test") && text.contains("502")
    });
    app.page.wait_for("[data-testid=lab-detail] [data-testid=verdict][data-kind=sandbox]");
    app.page
        .wait_for_text("[data-testid=lab-request-body]", |text| text.contains("object=") && text.contains("size=1"));
    app.page.wait_for_text("[data-testid=verdict-signed]", |text| text.starts_with("/callback?from=test\nobject="));
    session.shot("request");

    // Mended: the same profile is answered as told from now on, and the probe object is gone.
    app.page.click("[data-testid=lab-sample-ok]");
    app.page.click("[data-testid=lab-set]");
    until("the mended answer", || {
        let lab = app.page.invoke("lab", &json!({})).expect("the lab can always be asked for");
        (lab["answer"]["status"] == json!(200)).then_some(())
    });
    app.page.click("[data-testid=cb-profile]");
    app.page.click("[data-testid=cb-test]");
    app.page.wait_for_text("[data-testid=cb-trial-answer]", |text| text.contains("\"ok\""));
    let log = app.sandbox().requests();
    let count = |operation: &str| log.iter().filter(|one| one.operation == operation).count();
    assert_eq!((count("PutObject"), count("DeleteObject")), (2, 2), "each probe object is taken away: {log:?}");
}
