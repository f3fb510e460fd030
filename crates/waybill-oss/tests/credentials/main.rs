//! Where keys come from and who fetches them when, against sources on this machine.

mod files;
#[cfg(unix)]
mod process;
mod server;
mod shared;
mod web;
