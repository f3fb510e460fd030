//! Keys that are really pressed in the window: what somebody does who has no mouse.

use serde_json::json;

use crate::{App, Session, until, until_ok};

/// More stops than any page of the window has: who has not arrived by then goes round in circles.
const MOST_STOPS: usize = 120;

/// The keyboard, given to one window.
#[derive(Debug)]
pub struct Keyboard<'a> {
    session: &'a Session,
    app: &'a App<'a>,
}

impl<'a> Keyboard<'a> {
    /// Has the window manager give the window the keyboard, as Alt+Tab does.
    pub fn of(session: &'a Session, app: &'a App<'a>) -> Self {
        session.xdotool(&["windowactivate", "--sync", &app.window()]);
        until("the keyboard in the window", || {
            app.page.script("return document.hasFocus()", &[]).as_bool().filter(|it| *it)
        });
        Self { session, app }
    }

    /// Presses one key or one combination, in xdotool's words: `Return`, `ctrl+s`.
    pub fn press(&self, key: &str) {
        self.session.xdotool(&["key", "--clearmodifiers", key]);
    }

    /// Types into whatever has the focus. ASCII only: what the screen's keyboard has no key for cannot be pressed.
    pub fn write(&self, text: &str) {
        assert!(text.is_ascii(), "{text} has characters without a key");
        self.session.xdotool(&["type", "--clearmodifiers", "--delay", "4", "--", text]);
    }

    /// Goes with Tab, stop by stop, to the element.
    ///
    /// # Panics
    /// When Tab does not lead there: it is no stop, or another one keeps the keyboard.
    pub fn tab_to(&self, css: &str) {
        self.app.page.wait_for(css);
        for _ in 0..MOST_STOPS {
            if self.is_at(css) {
                return;
            }
            self.app.page.script("window.__waybill_stop = document.activeElement", &[]);
            self.press("Tab");
            until_ok("the next stop of Tab", || {
                let script =
                    "return document.activeElement === window.__waybill_stop ? document.activeElement.outerHTML : ''";
                let stuck = self.app.page.script(script, &[]);
                if stuck == json!("") { Ok(()) } else { Err(format!("Tab stays at {stuck}")) }
            });
        }
        panic!("Tab does not lead to {css}");
    }

    /// Goes to a field, puts a text in the place of its own, and waits until it stands there.
    pub fn fill(&self, css: &str, text: &str) {
        self.tab_to(css);
        self.replace(text);
    }

    /// Like [`Keyboard::fill`] for the field that has the focus.
    pub fn replace(&self, text: &str) {
        self.press("ctrl+a");
        self.write(text);
        until_ok(&format!("{text} in the field"), || {
            let found =
                self.app.page.script("return document.activeElement.value ?? document.activeElement.textContent", &[]);
            if found == json!(text) { Ok(()) } else { Err(found.to_string()) }
        });
    }

    /// Goes to a button and presses it.
    pub fn push(&self, css: &str) {
        self.tab_to(css);
        self.press("Return");
    }

    /// Whether the element has the focus.
    pub fn is_at(&self, css: &str) -> bool {
        self.app.page.script("return document.activeElement.matches(arguments[0])", &[json!(css)]) == json!(true)
    }
}
