//! What the names in a callback's addresses resolve to, as seen from here.

use std::net::IpAddr;
use std::time::Duration;

/// Names that take longer to look up are not looked at.
const RESOLVING: Duration = Duration::from_secs(1);

/// What the names in these addresses resolve to here, as far as that is quickly told.
pub(crate) async fn resolved(urls: &[String]) -> Vec<(String, Vec<IpAddr>)> {
    let mut found = Vec::new();
    let looking = async {
        for host in urls.iter().filter_map(|url| host_of(url)).filter(|host| host.parse::<IpAddr>().is_err()) {
            if let Ok(addresses) = tokio::net::lookup_host((host, 80)).await {
                found.push((host.to_owned(), addresses.map(|address| address.ip()).collect()));
            }
        }
    };
    // What is not known yet is not linted.
    let _ = tokio::time::timeout(RESOLVING, looking).await;
    found
}

/// The host of an address, its port left out.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.trim().split_once("://").map_or(url.trim(), |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty() && !host.starts_with('[')).then_some(host)
}
