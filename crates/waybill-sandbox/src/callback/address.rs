//! The rule about private addresses, for those who want to hear what the real service would say.

use std::net::{IpAddr, Ipv4Addr};

use tokio::net::lookup_host;

use super::{Order, fields::no_ip};
use crate::{answer::OssError, config::Tuning};

/// Refuses names that have no IPv4 address and addresses that are not public, when the sandbox was told to
/// ([`Tuning::real_address_rules`]). OSS looks both up before it stores anything.
pub(super) async fn check(tuning: &Tuning, order: Option<&Order>) -> Result<(), OssError> {
    let Some(order) = order.filter(|_| tuning.real_address_rules) else { return Ok(()) };
    for url in &order.urls {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        let found = lookup_host((host, port)).await.map_err(|_| no_ip(url.as_str()))?;
        judge(url.as_str(), found.map(|address| address.ip()))?;
    }
    Ok(())
}

/// What a name's addresses mean for its URL.
fn judge(url: &str, found: impl Iterator<Item = IpAddr>) -> Result<(), OssError> {
    let addresses: Vec<Ipv4Addr> = found
        .filter_map(|address| match address {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        })
        .collect();
    if addresses.is_empty() {
        return Err(no_ip(url));
    }
    if addresses.into_iter().any(is_private) {
        let message = "Private address is forbidden to callback.";
        return Err(OssError::argument(message, "callbackUrl", url).ec("0007-00000008"));
    }
    Ok(())
}

/// Loopback, RFC 1918, link-local, carrier-grade NAT, and what is no address of anybody.
fn is_private(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    let shared = first == 100 && (64..128).contains(&second);
    first == 0 || ip.is_loopback() || ip.is_private() || ip.is_link_local() || shared || first >= 224
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_ipv4_has_no_ip_and_one_private_address_among_others_is_enough() {
        let ec = |found: &[&str]| {
            let found = found.iter().map(|ip| ip.parse().expect("an address"));
            judge("http://a/", found).err().and_then(|error| error.ec)
        };
        assert_eq!(ec(&["2400:3200::1", "::1"]), Some("0007-00000007"));
        assert_eq!(ec(&[]), Some("0007-00000007"));
        assert_eq!(ec(&["8.8.8.8", "10.0.0.1"]), Some("0007-00000008"));
        assert_eq!(ec(&["2400:3200::1", "8.8.8.8"]), None);
    }

    #[test]
    fn loopback_and_private_networks_are_told_from_public_ones() {
        for private in
            ["127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.1.1"]
        {
            assert!(is_private(private.parse().expect("address")), "{private}");
        }
        for private in ["0.0.0.0", "100.64.0.1", "100.127.255.255", "224.0.0.1", "255.255.255.255"] {
            assert!(is_private(private.parse().expect("address")), "{private}");
        }
        for public in ["8.8.8.8", "121.43.113.8", "172.32.0.1", "172.15.0.1", "100.128.0.1", "192.169.0.1", "11.0.0.1"]
        {
            assert!(!is_private(public.parse().expect("address")), "{public}");
        }
    }
}
