//! A desktop for one test: bus, screen, window manager, keychain, and the real window driven through WebDriver.
//!
//! Layout: `session` (everything around the window) · `app` (the window's process: start, kill, close) · `driver`
//! (WebDriver) · `keyboard` (keys really pressed) · `drag` (files from another window) · `sandbox` (what the app's own sandbox was asked and holds) ·
//! `ipc` (what crosses from the program to the page) · `process` and `wait`.
//!
//! Nothing outlives its test, and nothing touches the real session of whoever runs it: bus, screen, keychain and folders
//! are made for one test and end with it.
#![cfg(target_os = "linux")]

mod app;
mod drag;
mod driver;
mod ipc;
mod keyboard;
mod process;
mod sandbox;
mod session;
mod wait;

pub use app::App;
pub use drag::Drag;
pub use driver::Driver;
pub use keyboard::Keyboard;
pub use sandbox::{Request, Sandbox};
pub use session::{Session, waybill};
pub use wait::{LIMIT, until, until_ok};
