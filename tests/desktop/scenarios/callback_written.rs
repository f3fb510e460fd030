//! A callback profile written without a mouse: seen before it is sent, sent with a dropped file, its answer read.

use serde_json::{Value, json};
use waybill_desktop_tests::{App, Drag, Keyboard, Session, until, until_ok};
use waybill_sandbox::{SandboxInfo, Verdict};

use crate::files::{bytes, write};
use crate::own_oss::{self, BUCKET, REGION};
use crate::rows::{row, wait_for_row};

#[test]
#[ignore = "needs a desktop session: cargo xtask test"]
fn profile_written_by_keyboard_is_previewed_and_sent_as_previewed_with_a_dropped_file() {
    let session = Session::start("callback-written");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let oss = runtime.block_on(own_oss::start(&session));
    let film = write(&session.home().join("outbox"), "film.mov", &bytes(11, 120_000));
    let app = App::start(&session);
    let keys = Keyboard::of(&session, &app);

    let preview = write_profile(&session, &app, &keys, &oss.info().callback_url);
    use_profile(&app, &keys, oss.info());
    keys.push("[data-testid=nav-transfers]");

    let drag = Drag::over(&session, &app, &[&film]);
    app.page.wait_for_text("[data-testid=drop-overlay]", |text| text.contains("night") && text.contains("/callback"));
    drag.drop_here();
    let no = wait_for_row(&app, "film.mov", "done");
    until("the callback's badge", || app.page.attribute(&row(&no), "data-callback").filter(|it| it == "answered"));

    let received = oss.callbacks();
    assert_eq!(received.len(), 1, "the server is called once: {received:?}");
    let (call, sent) = (&received[0], Preview::of(&preview));
    assert_eq!(call.verdict, Verdict::SignedBySandbox, "the call is signed by the sandbox");
    assert_eq!(format!("POST {} HTTP/1.1", call.path_and_query), sent.request_line, "sent as previewed");
    for (name, value) in &sent.headers {
        // The preview is of another file, whose name and so whose body has another length.
        if name != "content-length" {
            assert_eq!(call.headers.get(name), Some(value), "{name} is sent as previewed");
        }
    }
    let body: Value = serde_json::from_str(&call.body).expect("the body is JSON, as it was written");
    assert_eq!(
        (&body["key"], &body["bytes"], &body["by"]),
        (&json!("night/film.mov"), &json!(120_000), &json!("film-night"))
    );
    let names = |body: &Value| body.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>());
    assert_eq!(names(&sent.body), names(&body), "the previewed body has the fields of the sent one");

    // Taking the file up gave the keyboard to the other program's window.
    let keys = Keyboard::of(&session, &app);
    read_answer(&session, &app, &keys, &no, body["etag"].as_str().expect("an ETag is a text"));
    look_at_times(&session, &app, &keys);
}

/// Composes "night shift" and saves it; what the preview says at the end.
fn write_profile(session: &Session, app: &App<'_>, keys: &Keyboard<'_>, url: &str) -> String {
    keys.push("[data-testid=nav-callbacks]");
    keys.push("[data-testid=cb-first]");
    keys.fill("[data-testid=cb-name]", "night shift");
    app.page.wait_for("[data-testid=finding-emptyUrl]");
    keys.fill("[data-testid=cb-url-1]", url);
    keys.push("[data-testid=cb-query-add]");
    until("the new row's name", || keys.is_at("[data-testid=cb-query-name-1]").then_some(()));
    keys.replace("from");
    keys.fill("[data-testid=cb-query-value-1]", "waybill");

    // In the body: typed, but for the ETag, which is taken from the suggestions.
    keys.tab_to("[data-testid=cb-body]");
    keys.replace(r#"{"key":${object},"bytes":${size},"by":${x:shift},"etag":"#);
    keys.write("${");
    until_ok("the suggestion of etag", || {
        let chosen = app.page.text(".cm-tooltip-autocomplete [aria-selected]")?;
        if chosen.starts_with("${etag}") {
            return Ok(());
        }
        // The list takes no key in its first moments; on the last line the cursor then has nowhere to go.
        keys.press("Down");
        Err(chosen)
    });
    // Whole, with what is said about it, and not cut off by the editor's column.
    app.page.wait_for_text(".cm-completionInfo", |text| text.contains("ETag"));
    let cut = app.page.script(
        "return [...document.querySelectorAll('.cm-tooltip-autocomplete, .cm-completionInfo')].filter((box) => {
           const { left, right, top, bottom } = box.getBoundingClientRect();
           const at = (x, y) => box.contains(document.elementFromPoint(x, y));
           return !at(left + 3, top + 3) || !at(right - 3, bottom - 3);
         }).map((box) => box.className)",
        &[],
    );
    assert_eq!(cut, json!([]), "suggestions must be seen whole");
    session.shot("suggestions");
    keys.press("Return");
    app.page.wait_for_text("[data-testid=cb-body]", |text| text.ends_with("\"etag\":${etag}"));
    keys.write("}");
    // Nobody defines the variable yet: underlined where it stands, and gone once it is defined.
    app.page.wait_for("[data-testid=finding-undefinedVariable]");
    app.page.wait_for_text("[data-testid=cb-body] .cm-lintRange-warning", |text| text.contains("x:shift"));
    let underline = app.page.script(
        "return getComputedStyle(document.querySelector('[data-testid=cb-body] .cm-lintRange-warning')).textDecorationStyle",
        &[],
    );
    assert_eq!(underline, json!("wavy"), "the window's own style for it is let in and understood");
    session.shot("finding");
    keys.fill("[data-testid=cb-variable-name-1]", "x:shift");
    keys.fill("[data-testid=cb-variable-value-1]", "{stem}-night");
    until("the end of the finding", || (!app.page.has("[data-testid=finding-undefinedVariable]")).then_some(()));

    let preview = app.page.wait_for_text("[data-testid=cb-preview-request]", |text| {
        ["POST /callback?from=waybill HTTP/1.1", "-night", "\"etag\":"].iter().all(|part| text.contains(part))
    });
    keys.press("ctrl+s");
    app.page.wait_for("[data-testid=cb-profile]");
    until("the saved profile", || (!app.page.has("[data-testid=cb-unsaved]")).then_some(()));
    session.shot("room");
    preview
}

/// Makes a destination that asks for the only profile there is, and makes it the current one.
fn use_profile(app: &App<'_>, keys: &Keyboard<'_>, oss: &SandboxInfo) {
    keys.push("[data-testid=nav-destinations]");
    keys.push("[data-testid=dest-new]");
    for (field, text) in [
        ("dest-name", "night"),
        ("dest-endpoint", &oss.endpoint),
        ("dest-region", REGION),
        ("dest-bucket", BUCKET),
        ("dest-template", "night/{path}"),
        ("dest-key-id", &oss.access_key_id),
        ("dest-secret", &oss.access_key_secret),
    ] {
        keys.fill(&format!("[data-testid={field}]"), text);
    }
    keys.tab_to("[data-testid=dest-callback-toggle]");
    keys.press("space");
    keys.tab_to("[data-testid=dest-callback-profile]");
    keys.press("Down");
    until("the chosen profile", || {
        let chosen = app.page.script(
            "const select = document.querySelector('[data-testid=dest-callback-profile]');
             return select.selectedOptions[0].textContent",
            &[],
        );
        (chosen == json!("night shift")).then_some(())
    });
    keys.push("[data-testid=dest-save]");
    keys.push("[data-testid=dest-current]");
    until("the current destination", || {
        let all = app.page.invoke("list_destinations", &json!({})).expect("destinations can always be listed");
        all.as_array()?.iter().find(|one| one["current"] == json!(true) && one["name"] == json!("night")).map(|_| ())
    });
}

/// Opens the inspector and reads in it what the server answered.
fn read_answer(session: &Session, app: &App<'_>, keys: &Keyboard<'_>, no: &str, etag: &str) {
    keys.tab_to("[data-testid=transfers-list] [role=listbox]");
    keys.press("Down");
    keys.press("Return");
    app.page.wait_for(&format!("[data-testid=inspector][data-no=\"{no}\"]"));
    keys.tab_to("[role=tab][aria-selected=true]");
    until("the callback's tab", || {
        let there = keys.is_at("[data-testid=tab-callback]");
        if !there {
            keys.press("Right");
        }
        there.then_some(())
    });
    let answer = app.page.wait_for_text("[data-testid=callback-answer]", |text| text.contains("\"received\""));
    let answer: Value = serde_json::from_str(&answer).expect("the answer of the sandbox's receiver is JSON");
    assert_eq!((&answer["Status"], &answer["received"]["etag"]), (&json!("OK"), &json!(etag)));
    session.shot("answer");
}

/// How long the call took, drawn: a chart of the calls of this profile.
fn look_at_times(session: &Session, app: &App<'_>, keys: &Keyboard<'_>) {
    keys.push("[data-testid=nav-callbacks]");
    keys.tab_to("[data-testid=cb-view-form]");
    keys.press("Right");
    keys.press("Right");
    app.page.wait_for_text("[data-testid=times-facts]", |text| text.contains("Calls1"));
    app.page.wait_for("[data-testid=times-trend] canvas");
    app.page.wait_for("[data-testid=times-distribution] canvas");
    session.shot("times");
}

/// What the preview shows, taken apart.
struct Preview {
    request_line: String,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Preview {
    fn of(text: &str) -> Self {
        let (request_line, rest) = text.split_once('\n').expect("a request line and more");
        let (head, body) = rest.split_once("\n\n").expect("an empty line before the body");
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers: Vec<_> = head.lines().filter_map(header).collect();
        assert!(headers.iter().any(|(name, _)| name == "content-type"), "the preview shows headers: {text}");
        let body = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error} in the previewed body: {body}"));
        Self { request_line: request_line.to_owned(), headers, body }
    }
}
