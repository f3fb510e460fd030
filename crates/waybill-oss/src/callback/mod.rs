//! Upload callbacks: what OSS is asked to tell an application server, and what came of it.

pub mod catalogue;
pub mod lint;
pub(crate) mod outcome;
pub(crate) mod outside;
pub mod preview;
pub(crate) mod regions;
mod rules;
pub mod signature;
pub mod snippet;
pub(crate) mod spec;
mod template;
