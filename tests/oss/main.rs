//! Scenarios: the OSS client before a real sandbox, over TLS, through proxies, under every kind of address.

mod addressing;
mod bed;
mod proxies;
mod proxy;
mod tls;
mod wire;
