//! The sandbox over real sockets, one file for each matter.

mod access;
mod bed;
mod callback_answers;
mod callback_tls;
mod callbacks;
mod faults;
mod multipart;
mod objects;
mod receiver;
mod restart;
mod signature;
