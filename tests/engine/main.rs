//! Scenarios: a real engine before a real sandbox, one file for each kind of trouble.

mod upload;
