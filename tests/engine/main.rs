//! Scenarios: a real engine before a real sandbox, one file for each kind of trouble.

mod batch;
mod callbacks;
mod connection;
mod destinations;
mod fault_matrix;
mod faults;
mod finishing;
mod history;
mod lab;
mod left_behind;
mod orphans;
mod overwrite;
mod resend;
mod resend_guard;
mod resend_huge;
mod resume;
mod retry;
mod source;
mod stopping;
mod throttle;
mod trouble;
mod turns;
mod upload;
mod watch;
mod watch_trouble;
mod wishes;
