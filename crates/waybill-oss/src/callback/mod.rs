//! Upload callbacks: what OSS is asked to tell an application server, and what came of it.

pub(crate) mod outcome;
pub(crate) mod outside;
mod rules;
pub mod signature;
pub(crate) mod spec;
mod template;
pub(crate) mod warnings;
