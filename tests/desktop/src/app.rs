//! The window's own process, started by WebKitWebDriver with the real backend.

use std::net::TcpListener;

use serde_json::json;

use crate::process::{Owned, children, command, kill_9, runs, spawn};
use crate::session::target_folder;
use crate::{Driver, Sandbox, Session, until, until_ok};

/// One running window. It can be started again on the same data folder.
#[derive(Debug)]
pub struct App<'a> {
    /// Drives the page.
    pub page: Driver,
    server: Server<'a>,
    pid: u32,
}

impl<'a> App<'a> {
    /// Opens the window and waits until its page shows what the engine has told it: the destinations on the left.
    pub fn start(session: &'a Session) -> Self {
        let binary = target_folder().join("waybill-app");
        assert!(binary.is_file(), "{} is not built; `cargo xtask test` builds it", binary.display());
        let server = Server::start(session);
        let page = until_ok("the window", || Driver::open(&server.address, &json!({ "binary": binary, "args": [] })));
        let pid = until("the window's process", || children(server.process.id()).first().copied());
        page.wait_for("[data-testid=nav-destination]");
        Self { page, server, pid }
    }

    /// The app's own pid.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The sandbox inside the app.
    pub fn sandbox(&self) -> Sandbox {
        Sandbox::of(&self.page, &self.server.session.data_dir())
    }

    /// `kill -9`, and waits until the process is gone.
    pub fn kill_9(self) {
        assert!(kill_9(self.pid), "the window has ended by itself");
        until("the end of the killed process", || (!runs(self.pid)).then_some(()));
    }

    /// Closes the window as its user does, with Alt+F4, and waits until the process has ended.
    pub fn close(self) {
        let window = self.window();
        let close = ["windowactivate", "--sync", &window, "key", "--clearmodifiers", "alt+F4"];
        until("the end of the closed window", || {
            // Again and again, like a user: a window manager that has just come may miss a key. A window that is on its
            // way out can no longer be activated, which is fine.
            let gone = !runs(self.pid);
            if !gone {
                let _ = self.server.session.run("xdotool", &close);
            }
            gone.then_some(())
        });
    }

    /// The X window's id.
    pub fn window(&self) -> String {
        let pid = self.pid.to_string();
        until("the window on the screen", || {
            let search = ["search", "--onlyvisible", "--pid", &pid, "--name", "^Waybill$"];
            let found = self.server.session.run("xdotool", &search)?;
            found.lines().last().map(str::to_owned)
        })
    }
}

/// WebKitWebDriver: it starts the window, so the window is its child and not ours.
#[derive(Debug)]
struct Server<'a> {
    session: &'a Session,
    process: Owned,
    address: String,
}

impl<'a> Server<'a> {
    /// What driver and window write goes to `app.log` in the session's folder.
    fn start(session: &'a Session) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = listener.expect("loopback has a free port").port();
        let mut command = command("WebKitWebDriver");
        session.apply(&mut command);
        command
            .arg(format!("--port={port}"))
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("RUST_BACKTRACE", "1")
            .env("WAYBILL_DATA_DIR", session.data_dir())
            .stdout(session.log())
            .stderr(session.log());
        Self { session, process: spawn(&mut command), address: format!("http://127.0.0.1:{port}") }
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.session.keep();
        }
        for window in children(self.process.id()) {
            kill_9(window);
        }
    }
}
