//! The window's own process, started by WebKitWebDriver with the real backend.

use std::net::TcpListener;

use serde_json::json;

use crate::process::{Owned, children, command, runs, signal};
use crate::session::target_folder;
use crate::{Driver, Sandbox, Session, until, until_ok};

/// One running window. It can be started again on the same data folder.
#[derive(Debug)]
pub struct App<'a> {
    session: &'a Session,
    /// Drives the page.
    pub page: Driver,
    _server: Owned,
    pid: u32,
}

impl<'a> App<'a> {
    /// Opens the window and waits until its page shows what the engine has told it: the destinations on the left.
    pub fn start(session: &'a Session) -> Self {
        let binary = target_folder().join("waybill-app");
        assert!(binary.is_file(), "{} is not built; `cargo xtask test` builds it", binary.display());
        let (mut server, address) = start_server(session);
        let page = until_ok("the window", || {
            assert!(server.runs(), "WebKitWebDriver ended; see app.log in {}", session.home().display());
            Driver::open(&address, &json!({ "binary": binary, "args": [] }))
        });
        let pid = until("the window's process", || children(server.id()).first().copied());
        let app = Self { session, page, _server: server, pid };
        app.page.wait_for("[data-testid=nav-destination]");
        app
    }

    /// The app's own pid.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The sandbox inside the app.
    pub fn sandbox(&self) -> Sandbox {
        Sandbox::of(&self.page, &self.session.data_dir())
    }

    /// `kill -9`, and waits until the process is gone.
    pub fn kill_9(mut self) {
        let pid = self.pid;
        signal("KILL", pid);
        until("the end of the killed process", || (!runs(pid)).then_some(()));
        // Nothing is left for the driver to close.
        self.pid = 0;
    }

    /// Closes the window as its user does, and waits until the process has ended.
    pub fn close(mut self) {
        let pid = self.pid;
        let window = self.window();
        self.session.xdotool(&["windowactivate", "--sync", &window, "key", "--clearmodifiers", "alt+F4"]);
        until("the end of the closed window", || (!runs(pid)).then_some(()));
        self.pid = 0;
    }

    /// The X window's id.
    pub fn window(&self) -> String {
        let pid = self.pid.to_string();
        until("the window on the screen", || {
            let found =
                self.session.run("xdotool", &["search", "--onlyvisible", "--pid", &pid, "--name", "^Waybill$"])?;
            found.lines().last().map(str::to_owned)
        })
    }
}

impl Drop for App<'_> {
    fn drop(&mut self) {
        if self.pid == 0 {
            return;
        }
        if std::thread::panicking() {
            self.session.keep();
        }
        // The driver ends with `server`; the window is its child, not ours.
        if runs(self.pid) {
            signal("KILL", self.pid);
        }
    }
}

/// The driver's log, and the window's stderr, go to `app.log` in the session's folder.
fn start_server(session: &Session) -> (Owned, String) {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
    let (log, errors) = (session.log(), session.log());
    let mut command = command("WebKitWebDriver");
    command
        .arg(format!("--port={port}"))
        .env("TAURI_WEBVIEW_AUTOMATION", "true")
        .env("RUST_BACKTRACE", "1")
        .stdout(log)
        .stderr(errors);
    session.apply(&mut command);
    command.env("WAYBILL_DATA_DIR", session.data_dir());
    (crate::process::spawn(&mut command), format!("http://127.0.0.1:{port}"))
}
