//! Files dragged from another program's window, as from a file manager: a GTK source and a pointer that really moves.

use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::process::{Owned, command};
use crate::{App, Session, until};

/// Pauses between the pointer's steps: GTK takes faster ones for one jump and starts no drag.
const NEAR: Duration = Duration::from_millis(100);
const FAR: Duration = Duration::from_millis(200);

/// Files held over the window: the button is down, and nothing is dropped yet.
#[derive(Debug)]
pub struct Drag<'a> {
    session: &'a Session,
    _source: Owned,
}

impl<'a> Drag<'a> {
    /// Takes `paths` up in another window and carries them to the middle of the app's.
    pub fn over(session: &'a Session, app: &App<'_>, paths: &[&Path]) -> Self {
        let source = start_source(session, paths);
        let from = until("the drag source", || {
            let found = session.run("xdotool", &["search", "--onlyvisible", "--name", "^Waybill drag source$"])?;
            found.lines().last().map(str::to_owned)
        });
        // Side by side: what lies under another window can neither be taken nor dropped on.
        place(session, &from, 0, 0);
        place(session, &app.window(), 280, 0);
        let (x, y) = middle(session, &from);
        move_to(session, x, y, NEAR);
        session.xdotool(&["mousedown", "1"]);
        for step in 1..=8 {
            move_to(session, x + 4 * step, y + 2 * step, NEAR);
        }
        let (to_x, to_y) = middle(session, &app.window());
        for step in 1..=4 {
            move_to(session, x + (to_x - x) * step / 4, y + (to_y - y) * step / 4, FAR);
        }
        // The last position once more: the window that is entered hears of the pointer only when it moves again.
        move_to(session, to_x - 1, to_y, FAR);
        move_to(session, to_x, to_y, FAR);
        Self { session, _source: source }
    }

    /// Lets go. The source hands over its list after the button is up: keep the drag until what was dropped has arrived.
    pub fn drop_here(&self) {
        self.session.xdotool(&["mouseup", "1"]);
    }
}

fn start_source(session: &Session, paths: &[&Path]) -> Owned {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/drag_source.py");
    // The system's Python has GTK; another one on the PATH may not.
    let mut command = command("/usr/bin/python3");
    session.spawn(command.arg(script).args(paths).stdout(Stdio::null()).stderr(session.log()))
}

fn place(session: &Session, window: &str, x: i32, y: i32) {
    session.xdotool(&["windowmove", "--sync", window, &x.to_string(), &y.to_string()]);
}

fn move_to(session: &Session, x: i32, y: i32, pause: Duration) {
    session.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
    sleep(pause);
}

fn middle(session: &Session, window: &str) -> (i32, i32) {
    let shell = session.xdotool(&["getwindowgeometry", "--shell", window]);
    let value = |name: &str| {
        let line = shell.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')?.parse::<i32>().ok());
        line.unwrap_or_else(|| panic!("xdotool says no {name}: {shell}"))
    };
    (value("X") + value("WIDTH") / 2, value("Y") + value("HEIGHT") / 2)
}
