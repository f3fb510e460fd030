//! One upload: its states, its plan, its source file, and the driver that carries it out.

pub(crate) mod abort;
pub(crate) mod driver;
pub(crate) mod orphans;
pub(crate) mod overwrite;
pub(crate) mod parts;
pub(crate) mod plan;
pub(crate) mod put;
pub(crate) mod retry;
pub(crate) mod settle;
pub(crate) mod source;
pub(crate) mod state;
