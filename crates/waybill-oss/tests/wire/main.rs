//! What goes over the wire, and what is made of every kind of answer, against a scripted server on loopback.

mod anew;
mod copy;
mod download;
mod form;
mod kept;
mod listing;
mod multipart;
mod object;
mod patience;
mod presigned;
mod server;
mod signing;
mod trouble;
