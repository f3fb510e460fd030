//! What the window and the command line are shown: plain data, no secrets, generated for TypeScript by ts-rs.
//!
//! Sizes are bytes, times are UTC milliseconds since 1970. 64-bit numbers that may exceed 2^53 (CRC-64) are text.

mod app;
mod callbacks;
mod connection;
mod lab;
mod limits;
mod list;
mod place;
mod upload;

pub use app::*;
pub use callbacks::*;
pub use connection::*;
pub use lab::*;
pub use limits::*;
pub use list::*;
pub use place::*;
pub use upload::*;
