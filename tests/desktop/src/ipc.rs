//! What crosses from the program to the page: every answer and every event, recorded in the page itself.

use serde_json::Value;

use crate::Driver;

/// Answers come through `fetch`, events through callbacks that the program calls by name; both are looked up at the
/// moment of use, so wrapping them here catches all that follow.
const RECORD: &str = r#"
const seen = (window.__waybill_seen = []);
const fetch = window.fetch;
window.fetch = async (...request) => {
  const answer = await fetch(...request);
  seen.push(`answer ${request[0]?.url ?? request[0]} ${await answer.clone().text()}`);
  return answer;
};
const internals = window.__TAURI_INTERNALS__;
internals.invoke("plugin:event|listen", {
  event: "changes",
  target: { kind: "Any" },
  handler: internals.transformCallback((event) => seen.push(`event ${JSON.stringify(event)}`)),
});
"#;

impl Driver {
    /// Records from now on, until the page is loaded anew.
    pub fn record_ipc(&self) {
        self.script(RECORD, &[]);
    }

    /// What was recorded so far, as text, oldest first.
    pub fn recorded_ipc(&self) -> Vec<String> {
        let seen = self.script("return window.__waybill_seen", &[]);
        let lines = seen.as_array().map(Vec::as_slice).unwrap_or_default();
        lines.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }
}
