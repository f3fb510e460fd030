//! Watched folders: the system's events are hints, the scanner decides, each settled file is queued once.

pub(crate) mod rules;
pub(crate) mod scanner;
pub(crate) mod watcher;
