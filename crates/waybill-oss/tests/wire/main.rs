//! What goes over the wire, and what is made of every kind of answer, against a scripted server on loopback.

mod multipart;
mod object;
mod server;
mod trouble;
