//! The real window, from a drop to what is on the server's disk. Each scenario is one file and one desktop session.
#![cfg(target_os = "linux")]

mod callback_fails;
mod drop_files;
mod files;
mod folder_watched;
mod kill_and_restart;
mod rows;
mod secret_stays_secret;
