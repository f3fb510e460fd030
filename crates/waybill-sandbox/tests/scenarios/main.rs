//! The sandbox over real sockets, one file for each matter.

mod access;
mod ask;
mod bed;
mod bodies;
mod buckets;
mod callback_answers;
mod callback_tls;
mod callbacks;
mod copies;
mod faults;
mod forms;
mod listings;
mod multipart;
mod objects;
mod pace;
mod public;
mod reading;
mod receiver;
mod restart;
mod signature;
mod tags;
