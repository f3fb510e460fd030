//! Scenarios: a real engine before a real sandbox, one file for each kind of trouble.

mod batch;
mod connection;
mod destinations;
mod faults;
mod finishing;
mod history;
mod resume;
mod retry;
mod source;
mod stopping;
mod upload;
mod watch;
mod watch_trouble;
mod wishes;
