//! The sandbox over real sockets, one file for each matter.

mod access;
mod bed;
mod callbacks;
mod faults;
mod multipart;
mod objects;
mod restart;
mod signature;
