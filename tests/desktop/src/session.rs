//! A desktop session for one test: message bus, screen, window manager and keychain, all of its own.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::process::{Owned, command, spawn};
use crate::until;

/// The bus starts nothing of its own accord: no portals, no second keychain, no accessibility helpers.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>"#;

/// The running session. Fields end in the order they stand in; the folder goes last.
#[derive(Debug)]
pub struct Session {
    name: String,
    environment: Vec<(&'static str, String)>,
    keychain: Option<Owned>,
    manager: Option<Owned>,
    screen: Option<Owned>,
    bus: Option<Owned>,
    kept: Cell<bool>,
    home: TempDir,
}

impl Session {
    /// Starts everything; `name` is the scenario's, for screenshots.
    ///
    /// # Panics
    /// When a program is missing or does not get ready: `cargo xtask test` installs them.
    pub fn start(name: &str) -> Self {
        let home = tempfile::Builder::new().prefix("waybill-desktop-").tempdir().expect("a temp folder");
        let mut session = Self {
            name: name.to_owned(),
            environment: environment(home.path()),
            keychain: None,
            manager: None,
            screen: None,
            bus: None,
            kept: Cell::new(false),
            home,
        };
        session.forget_pictures();
        session.start_bus();
        session.start_screen();
        session.start_window_manager();
        session.start_keychain();
        session
    }

    /// A folder for the test's own files; everything else of the session lies below it too.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The data folder of the window.
    pub fn data_dir(&self) -> PathBuf {
        self.home().join("waybill")
    }

    /// A command that sees this session and not the developer's.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        self.apply(&mut command);
        command
    }

    /// Runs a program to its end; its stdout when it succeeded.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Option<String> {
        let output = self.command(program).args(arguments).stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Like [`Session::run`] for `xdotool`.
    ///
    /// # Panics
    /// When xdotool fails.
    pub fn xdotool(&self, arguments: &[&str]) -> String {
        self.run("xdotool", arguments).unwrap_or_else(|| panic!("xdotool {} failed", arguments.join(" ")))
    }

    /// Pictures of an earlier run would pass for this one's.
    fn forget_pictures(&self) {
        let folder = target_folder().with_file_name("desktop-shots");
        let own = format!("{}-", self.name);
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&own) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Takes a picture of the whole screen into `target/desktop-shots/SCENARIO-WHAT.png`.
    pub fn shot(&self, what: &str) {
        let folder = target_folder().with_file_name("desktop-shots");
        let file = folder.join(format!("{}-{what}.png", self.name));
        let taken = fs::create_dir_all(&folder).is_ok()
            && self.run("import", &["-window", "root", &file.to_string_lossy()]).is_some();
        if !taken {
            // A picture is for people; its absence fails no test.
            tell(&format!("no screenshot at {}", file.display()));
        }
    }

    /// `app.log`, for programs to append to.
    pub(crate) fn log(&self) -> fs::File {
        let file = self.home().join("app.log");
        fs::File::options().create(true).append(true).open(file).expect("the session's folder can be written")
    }

    /// For a scenario that has failed: a picture, and the session's folder as it is, in `target/desktop-failed/SCENARIO`.
    pub(crate) fn keep(&self) {
        if self.kept.replace(true) {
            return;
        }
        self.shot("failed");
        let kept = target_folder().with_file_name("desktop-failed").join(&self.name);
        let _ = fs::remove_dir_all(&kept);
        // Sockets cannot be copied, which `cp` takes for an error; everything else is there.
        let _ = fs::create_dir_all(&kept);
        let _ = Command::new("cp").arg("-r").arg(self.home().join(".")).arg(&kept).stderr(Stdio::null()).status();
        tell(&format!("what the session left is in {}", kept.display()));
    }

    /// Starts a program that ends with the session's owner.
    pub(crate) fn spawn(&self, command: &mut Command) -> Owned {
        self.apply(command);
        spawn(command)
    }

    pub(crate) fn apply(&self, command: &mut Command) {
        for name in ["WAYLAND_DISPLAY", "WAYBILL_DATA_DIR", "GNOME_KEYRING_CONTROL", "SSH_AUTH_SOCK", "http_proxy"] {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (*name, value.as_str())));
    }

    fn start_bus(&mut self) {
        let file = self.home().join("bus.conf");
        // In the session's own folder, so that the socket goes with it.
        let config = BUS.replace("SOCKET", &self.home().join("bus").to_string_lossy());
        fs::write(&file, config).expect("the session's folder can be written");
        let mut command = command("dbus-daemon");
        command.arg("--config-file").arg(&file).args(["--nofork", "--nopidfile", "--print-address=1"]);
        let mut bus = self.spawn(command.stdout(Stdio::piped()).stderr(self.log()));
        let address = bus.first_line();
        assert!(!address.is_empty(), "dbus-daemon ended before it was ready");
        self.environment.push(("DBUS_SESSION_BUS_ADDRESS", address));
        self.bus = Some(bus);
    }

    fn start_screen(&mut self) {
        let mut command = command("Xvfb");
        // Without `-noreset` the screen starts over, and throws everybody out, when its last client goes: a quick look by
        // xdotool before the window manager has come would do it.
        command.args(["-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-noreset"]);
        let mut screen = self.spawn(command.stdout(Stdio::piped()).stderr(self.log()));
        let number = screen.first_line();
        assert!(!number.is_empty(), "Xvfb ended before it was ready");
        self.environment.push(("DISPLAY", format!(":{number}")));
        self.screen = Some(screen);
    }

    fn start_window_manager(&mut self) {
        let manager = self.spawn(command("openbox").stdout(self.log()).stderr(self.log()));
        self.manager = Some(manager);
        // Without a window manager nobody has set the number of desktops, and drag and drop does not work.
        until("openbox", || self.run("xdotool", &["get_num_desktops"]));
    }

    fn start_keychain(&mut self) {
        let empty_line = self.home().join("password");
        fs::write(&empty_line, "\n").expect("the session's folder can be written");
        let password = fs::File::open(&empty_line).expect("was just written");
        let mut command = command("gnome-keyring-daemon");
        command.args(["--foreground", "--unlock", "--components=secrets"]).stdin(password);
        let keychain = self.spawn(command.stdout(Stdio::null()).stderr(self.log()));
        self.keychain = Some(keychain);
        let ask =
            ["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.NameHasOwner"];
        let ask = [ask.as_slice(), &["string:org.freedesktop.secrets"]].concat();
        until("the Secret Service", || self.run("dbus-send", &ask).filter(|answer| answer.contains("true")));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep();
        }
    }
}

/// What every program of the session is told. Made here, so that a program started by hand sees the same.
fn environment(home: &Path) -> Vec<(&'static str, String)> {
    let folders = [
        ("HOME", "home"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_RUNTIME_DIR", "run"),
    ];
    let mut environment: Vec<(&str, String)> = Vec::new();
    for (name, folder) in folders {
        let folder = home.join(folder);
        fs::create_dir(&folder).expect("the session's folder can be written");
        // Programs insist on a private runtime folder.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("our own folder");
        environment.push((name, folder.to_string_lossy().into_owned()));
    }
    for (name, value) in [
        ("GDK_BACKEND", "x11"),
        ("GIO_USE_VFS", "local"),
        ("GSETTINGS_BACKEND", "memory"),
        ("GTK_A11Y", "none"),
        ("NO_AT_BRIDGE", "1"),
        ("LANG", "C.UTF-8"),
        ("LC_ALL", "C.UTF-8"),
        ("LIBGL_ALWAYS_SOFTWARE", "1"),
        // Without it the picture stays empty on a screen that has no graphics card.
        ("WEBKIT_DISABLE_COMPOSITING_MODE", "1"),
    ] {
        environment.push((name, value.to_owned()));
    }
    environment
}

fn tell(text: &str) {
    use std::io::Write as _;
    // Nothing is left to be done when even stderr is gone.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Where the `waybill` command lies.
pub fn waybill() -> String {
    target_folder().join("waybill").to_string_lossy().into_owned()
}

/// `target/debug` (or the profile in use): the tests themselves lie in its `deps`.
pub(crate) fn target_folder() -> PathBuf {
    let own = std::env::current_exe().expect("a test knows where it lies");
    own.ancestors().nth(2).expect("cargo puts tests into target/PROFILE/deps").to_path_buf()
}
