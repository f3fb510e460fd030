//! Which bucket a Host names: virtual-hosted style, a domain of the bucket's own, or none (path style).

use std::net::{Ipv4Addr, Ipv6Addr};

/// The bucket that `host` stands for; `None` means that the path begins with the bucket.
///
/// `domains` are the bucket's own domains (CNAME), with or without port. Addresses, names of one label as `localhost` and
/// the service's own endpoints name no bucket; of any other name it is the first label.
pub(crate) fn bucket_of(host: &str, path: &str, domains: &[String], bucket: &str) -> Option<String> {
    let name = without_port(host);
    if domains.iter().any(|own| own.eq_ignore_ascii_case(host) || own.eq_ignore_ascii_case(name)) {
        return Some(bucket.to_owned());
    }
    let (label, rest) = name.split_once('.')?;
    let rest = rest.to_ascii_lowercase();
    let is_endpoint = is_address(name)
        || (label.starts_with("oss-") && rest == "aliyuncs.com")
        || rest == "oss.aliyuncs.com"
        || rest.is_empty();
    if is_endpoint || (rest.ends_with("aliyuncs.com") && is_under(path, label)) { None } else { Some(label.to_owned()) }
}

/// ali-oss, pointed at an address, writes the bucket into the path and the real service's name into Host all the same
/// (`lib/common/client`, seen in the vectors `endpoint-ip-path`). Only there can a request to an aliyuncs.com name that
/// repeats its bucket in the path have come from, so the path is believed.
fn is_under(path: &str, bucket: &str) -> bool {
    path.strip_prefix('/')
        .and_then(|path| path.strip_prefix(bucket))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// `127.0.0.1`, `[::1]`, and an address under one of the two domains that lead to the address before them. Nothing else
/// that begins with one: such a name may be anybody's.
fn is_address(name: &str) -> bool {
    let bare = [".nip.io", ".sslip.io"].iter().find_map(|domain| name.strip_suffix(domain)).unwrap_or(name);
    let v6 = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bare.parse::<Ipv4Addr>().is_ok() || v6.is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(host: &str, path: &str) -> Option<String> {
        bucket_of(host, path, &["static.example.com".into(), "own.example.com:8080".into()], "mine")
    }

    #[test]
    fn addresses_single_names_and_endpoints_name_no_bucket() {
        for host in [
            "",
            "127.0.0.1",
            "127.0.0.1:8080",
            "[::1]:8080",
            "localhost",
            "localhost:80",
            "sandbox:1",
            "127.0.0.1.nip.io:80",
            "oss-cn-hangzhou.aliyuncs.com",
            "oss-accelerate.aliyuncs.com",
            "cn-hangzhou.oss.aliyuncs.com",
            "localhost.",
        ] {
            assert_eq!(bucket(host, "/"), None, "{host}");
        }
    }

    #[test]
    fn the_first_label_of_any_other_name_is_the_bucket() {
        for host in [
            "b-1.localhost:8080",
            "b-1.127.0.0.1.nip.io:80",
            "b-1.oss-cn-hangzhou.aliyuncs.com",
            "b-1.cn-hangzhou.oss.aliyuncs.com",
            "b-1.oss.example",
        ] {
            assert_eq!(bucket(host, "/k").as_deref(), Some("b-1"), "{host}");
        }
    }

    #[test]
    fn a_name_that_only_begins_with_an_address_is_no_address() {
        for host in ["127.0.0.1.evil.example", "127.0.0.1.localhost:80", "127.0.0.1.evil.nip.io"] {
            assert_eq!(bucket(host, "/_sandbox/tokens").as_deref(), Some("127"), "{host}");
        }
        assert_eq!(bucket("[::1].evil.example", "/k").as_deref(), Some("[::1]"));
    }

    #[test]
    fn an_own_domain_is_the_sandbox_bucket_with_and_without_port() {
        for host in ["static.example.com", "Static.Example.com:99", "own.example.com:8080"] {
            assert_eq!(bucket(host, "/b/k").as_deref(), Some("mine"), "{host}");
        }
        assert_eq!(bucket("own.example.com:1", "/k").as_deref(), Some("own"));
    }

    #[test]
    fn the_path_is_believed_where_ali_oss_says_the_bucket_twice() {
        let host = "b-1.oss-cn-hangzhou.aliyuncs.com";
        for path in ["/b-1/k", "/b-1", "/b-1?uploads"] {
            assert_eq!(bucket(host, path), None, "{path}");
        }
        assert_eq!(bucket(host, "/b-12/k").as_deref(), Some("b-1"));
        assert_eq!(bucket("b-1.localhost", "/b-1/k").as_deref(), Some("b-1"));
    }
}
