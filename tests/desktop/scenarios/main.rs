//! The real window, from a drop to what is on the server's disk. Each scenario is one file and one desktop session.
#![cfg(target_os = "linux")]

mod callback_fails;
mod callback_lab;
mod callback_sent_again;
mod callback_written;
mod drop_files;
mod files;
mod folder_watched;
mod kill_and_restart;
mod own_oss;
mod rows;
mod secret_stays_secret;
