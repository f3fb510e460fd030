//! Upload callbacks: what OSS is asked to tell an application server, and what came of it.

pub(crate) mod outcome;
mod rules;
pub mod signature;
pub mod snippet;
pub(crate) mod spec;
mod template;
pub(crate) mod warnings;
