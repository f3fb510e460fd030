//! Scenarios: the OSS client before a real sandbox: every call, either signature, callbacks, clocks, keys that end; over
//! TLS, through proxies, under every kind of address.

mod addressing;
mod bed;
mod buckets;
mod callbacks;
mod clock;
mod copies;
mod discard;
mod explained;
mod forms;
mod keys;
mod lab;
mod listing;
mod multipart;
mod objects;
mod presigned;
mod preview;
mod proxies;
mod proxy;
mod tls;
mod tokens;
mod wire;
