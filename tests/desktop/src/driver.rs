//! A client for W3C WebDriver, as far as the scenarios need it: scripts, clicks and typing.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::until_ok;

/// The name under which WebDriver hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One page under control. Every call waits for its answer.
pub struct Driver {
    http: reqwest::Client,
    runtime: Runtime,
    session: String,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Driver {
    /// Asks the driver at `address` to start a browser (`webkitgtk:browserOptions`).
    pub(crate) fn open(address: &str, browser: &Value) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(90)).build();
        let mut driver = Self { http: http.map_err(|error| error.to_string())?, runtime, session: address.to_owned() };
        let wanted = json!({ "capabilities": { "alwaysMatch": { "webkitgtk:browserOptions": browser } } });
        let answer = driver.post("/session", &wanted)?;
        let id = answer["sessionId"].as_str().ok_or("the driver gave no session id")?;
        driver.session = format!("{address}/session/{id}");
        driver.post("/timeouts", &json!({ "script": 60_000, "pageLoad": 60_000, "implicit": 0 }))?;
        Ok(driver)
    }

    /// Runs a function body in the page; `arguments` are its arguments.
    ///
    /// # Panics
    /// When the script throws.
    pub fn script(&self, body: &str, arguments: &[Value]) -> Value {
        let answer = self.post("/execute/sync", &json!({ "script": body, "args": arguments }));
        answer.unwrap_or_else(|error| panic!("script failed: {error}\n{body}"))
    }

    /// Calls a command of the program as the page does. The error is the program's answer.
    ///
    /// # Errors
    /// What the command was refused with.
    ///
    /// # Panics
    /// When the page cannot run the call at all.
    pub fn invoke(&self, command: &str, arguments: &Value) -> Result<Value, Value> {
        const CALL: &str = "const [command, args, done] = arguments;
            window.__TAURI_INTERNALS__.invoke(command, args).then((ok) => done({ ok }), (err) => done({ err }));";
        let answer = self.post("/execute/async", &json!({ "script": CALL, "args": [command, arguments] }));
        let answer = answer.unwrap_or_else(|error| panic!("cannot invoke {command}: {error}"));
        match answer.get("err") {
            Some(error) => Err(error.clone()),
            None => Ok(answer["ok"].clone()),
        }
    }

    /// Whether an element is in the page.
    pub fn has(&self, css: &str) -> bool {
        self.find(css).is_ok()
    }

    /// Waits until an element is in the page.
    pub fn wait_for(&self, css: &str) {
        until_ok(css, || self.find(css));
    }

    /// Waits until an element's text fulfils a condition, and returns the text.
    pub fn wait_for_text(&self, css: &str, fits: impl Fn(&str) -> bool) -> String {
        until_ok(css, || {
            let text = self.text(css)?;
            if fits(&text) { Ok(text) } else { Err(text) }
        })
    }

    /// What an element shows, whole, also where it is scrolled out of sight.
    ///
    /// # Errors
    /// When there is no such element.
    pub fn text(&self, css: &str) -> Result<String, String> {
        let text = self.script("return document.querySelector(arguments[0])?.textContent ?? null", &[json!(css)]);
        text.as_str().map(str::to_owned).ok_or_else(|| format!("no {css}"))
    }

    /// An attribute of the first element that fits.
    pub fn attribute(&self, css: &str, name: &str) -> Option<String> {
        let script = "return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? null";
        self.script(script, &[json!(css), json!(name)]).as_str().map(str::to_owned)
    }

    /// Clicks as a user does: the element must be in sight and nothing may lie over it.
    pub fn click(&self, css: &str) {
        until_ok(&format!("a click on {css}"), || {
            let element = self.find(css)?;
            self.post(&format!("/element/{element}/click"), &json!({}))
        });
    }

    /// Empties a field and types into it.
    pub fn type_into(&self, css: &str, text: &str) {
        until_ok(&format!("typing into {css}"), || {
            let element = self.find(css)?;
            self.post(&format!("/element/{element}/clear"), &json!({}))?;
            self.post(&format!("/element/{element}/value"), &json!({ "text": text }))
        });
    }

    fn find(&self, css: &str) -> Result<String, String> {
        let answer = self.post("/element", &json!({ "using": "css selector", "value": css }))?;
        answer[ELEMENT].as_str().map(str::to_owned).ok_or_else(|| format!("no {css}"))
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        let request = self.http.post(format!("{}{path}", self.session)).body(body.to_string());
        let text = self.runtime.block_on(async { request.send().await?.text().await });
        let text = text.map_err(|error| format!("the driver does not answer: {error}"))?;
        let mut answer: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
        let value = answer["value"].take();
        match value["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", value["message"].as_str().unwrap_or_default())),
            None => Ok(value),
        }
    }
}
