//! Alibaba's own endpoints: which network a host name belongs to, which region, and the way back.

use super::{Addressing, Endpoint};
use crate::error::Error;
use crate::region::{self, normalize_region};

const DOMAIN: &str = ".aliyuncs.com";

/// Through which of Alibaba's networks a bucket is reached [Regions and endpoints; go2 `oss/endpoints.go`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// `oss-<region>.aliyuncs.com`, from anywhere.
    Public,
    /// `oss-<region>-internal.aliyuncs.com`, only from inside the same region of the cloud; its traffic is free.
    Internal,
    /// `<region>.oss.aliyuncs.com`, IPv4 and IPv6, in some regions only.
    DualStack,
    /// `oss-accelerate.aliyuncs.com`, the nearest point of entry, once acceleration is switched on for the bucket.
    Accelerate,
    /// `oss-accelerate-overseas.aliyuncs.com`, the same outside mainland China.
    AccelerateOverseas,
}

/// A host below `aliyuncs.com` that speaks OSS, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AlibabaHost<'a> {
    /// What stands before the endpoint: the bucket, in a URL of one.
    pub(super) bucket: Option<&'a str>,
    /// None for the accelerate endpoints, which serve all of them.
    pub(super) region: Option<String>,
    pub(super) network: Network,
}

impl<'a> AlibabaHost<'a> {
    /// Reads a host in lower case; none if it is no endpoint of OSS.
    pub(super) fn read(host: &'a str) -> Option<Self> {
        let name = host.strip_suffix(DOMAIN)?;
        let (before, last) = split_last(name);
        let (bucket, region, network) = if last == "oss" {
            let (bucket, id) = split_last(before?);
            (bucket, Some(id), Network::DualStack)
        } else {
            match last.strip_prefix("oss-")? {
                "accelerate" => (before, None, Network::Accelerate),
                "accelerate-overseas" => (before, None, Network::AccelerateOverseas),
                id => match id.strip_suffix("-internal") {
                    Some(id) => (before, Some(id), Network::Internal),
                    None => (before, Some(id), Network::Public),
                },
            }
        };
        let region = match region {
            Some(id) => Some(normalize_region(id).ok()?),
            None => None,
        };
        Some(AlibabaHost { bucket, region, network })
    }

    /// The same host without the bucket.
    pub(super) fn host(&self) -> String {
        host(self.region.as_deref().unwrap_or_default(), self.network)
    }
}

/// The endpoint that a lone word names: `cn-hangzhou`, `oss-cn-hangzhou`, `oss-cn-hangzhou-internal`.
pub(super) fn of_word(word: &str) -> Option<Endpoint> {
    let (word, network) = match word.strip_suffix("-internal") {
        Some(word) => (word, Network::Internal),
        None => (word, Network::Public),
    };
    Endpoint::of_region(&region::of_word(word)?, network).ok()
}

/// The last label, and what stands before it.
fn split_last(name: &str) -> (Option<&str>, &str) {
    match name.rsplit_once('.') {
        Some((before, last)) => (Some(before), last),
        None => (None, name),
    }
}

fn host(region: &str, network: Network) -> String {
    match network {
        Network::Public => format!("oss-{region}{DOMAIN}"),
        Network::Internal => format!("oss-{region}-internal{DOMAIN}"),
        Network::DualStack => format!("{region}.oss{DOMAIN}"),
        Network::Accelerate => format!("oss-accelerate{DOMAIN}"),
        Network::AccelerateOverseas => format!("oss-accelerate-overseas{DOMAIN}"),
    }
}

impl Endpoint {
    /// The endpoint of a region, written with or without `oss-`, over https. The accelerate endpoints are the same for
    /// every region: a signature still names the bucket's own.
    pub fn of_region(region: &str, network: Network) -> Result<Endpoint, Error> {
        Ok(Endpoint::alibaba("https", host(&normalize_region(region)?, network)))
    }

    /// The region an Alibaba endpoint names (`cn-hangzhou`). Accelerate endpoints and own domains name none.
    pub fn region(&self) -> Option<String> {
        self.read()?.region
    }

    /// Through which network an Alibaba endpoint leads; none for own domains and other servers.
    pub fn network(&self) -> Option<Network> {
        Some(self.read()?.network)
    }

    /// The endpoint to offer after OSS answered 403 `AccessDenied`, "must be addressed using the specified endpoint":
    /// `answered` is what stood in the error's `Endpoint`, such as `oss-cn-beijing.aliyuncs.com`. The scheme is kept, and
    /// dual stack stays dual stack. An internal endpoint becomes the public one of the other region, since it leads
    /// nowhere from outside that region, unless OSS named an internal one itself.
    ///
    /// None if it is no endpoint of OSS, names no region, or is the one that was asked: nobody's answer may send
    /// signed requests to a stranger.
    pub fn offered(&self, answered: &str) -> Option<Endpoint> {
        let answered = answered.trim().to_ascii_lowercase();
        let answered = answered.strip_prefix("https://").or(answered.strip_prefix("http://")).unwrap_or(&answered);
        let mut right = AlibabaHost::read(answered.trim_end_matches('/'))?;
        let region = right.region.as_deref()?;
        if right.network == Network::Public && self.network() == Some(Network::DualStack) {
            right.network = Network::DualStack;
        }
        let offered = Endpoint::alibaba(&self.scheme, host(region, right.network));
        (offered != *self).then_some(offered)
    }

    fn read(&self) -> Option<AlibabaHost<'_>> {
        AlibabaHost::read(&self.host).filter(|host| host.bucket.is_none() && self.addressing != Addressing::Cname)
    }

    pub(super) fn alibaba(scheme: &str, host: String) -> Endpoint {
        Endpoint { scheme: scheme.to_owned(), host, port: None, addressing: Addressing::VirtualHost }
    }
}

#[cfg(test)]
mod tests {
    use super::super::PlainHttp;
    use super::*;
    use crate::region::Region;

    const NETWORKS: [Network; 5] =
        [Network::Public, Network::Internal, Network::DualStack, Network::Accelerate, Network::AccelerateOverseas];

    fn endpoint(text: &str) -> Endpoint {
        Endpoint::parse(text).expect(text)
    }

    #[test]
    fn the_region_is_read_off_alibaba_endpoints_only() {
        for (text, region, network) in [
            ("oss-cn-hangzhou.aliyuncs.com", Some("cn-hangzhou"), Some(Network::Public)),
            ("oss-cn-hangzhou-internal.aliyuncs.com", Some("cn-hangzhou"), Some(Network::Internal)),
            ("https://ap-southeast-1.oss.aliyuncs.com", Some("ap-southeast-1"), Some(Network::DualStack)),
            ("oss-accelerate.aliyuncs.com", None, Some(Network::Accelerate)),
            ("oss-accelerate-overseas.aliyuncs.com", None, Some(Network::AccelerateOverseas)),
            ("http://127.0.0.1:9000", None, None),
            ("files.example.com", None, None),
            ("oss-cn-hangzhou.aliyuncs.com.example.com", None, None),
        ] {
            assert_eq!(endpoint(text).region().as_deref(), region, "{text}");
            assert_eq!(endpoint(text).network(), network, "{text}");
        }
    }

    #[test]
    fn region_and_endpoint_lead_to_each_other() {
        for region in Region::all().iter().map(|region| region.id).chain(["mars-north-1", "cn-north-2-gov-1"]) {
            for network in NETWORKS {
                for spelling in [region.to_owned(), format!("oss-{region}")] {
                    let endpoint = Endpoint::of_region(&spelling, network).expect("endpoint");
                    assert_eq!(endpoint.network(), Some(network), "{endpoint}");
                    let accelerates = matches!(network, Network::Accelerate | Network::AccelerateOverseas);
                    assert_eq!(endpoint.region().is_none(), accelerates, "{endpoint}");
                    assert!(accelerates || endpoint.region().as_deref() == Some(region), "{endpoint}");
                }
            }
        }
        let internal = Endpoint::of_region("cn-beijing", Network::Internal).expect("endpoint");
        assert_eq!(internal.to_string(), "oss-cn-beijing-internal.aliyuncs.com");
        assert!(Endpoint::of_region("Beijing!", Network::Public).is_err());
    }

    #[test]
    fn a_wrong_region_is_answered_with_the_right_endpoint() {
        for (asked, answered, offered) in [
            ("oss-cn-hangzhou.aliyuncs.com", "oss-cn-beijing.aliyuncs.com", "oss-cn-beijing.aliyuncs.com"),
            ("oss-cn-hangzhou.aliyuncs.com", " http://OSS-cn-beijing.aliyuncs.com/ ", "oss-cn-beijing.aliyuncs.com"),
            ("oss-cn-hangzhou.aliyuncs.com", "mybucket.oss-cn-beijing.aliyuncs.com", "oss-cn-beijing.aliyuncs.com"),
            ("oss-cn-hangzhou-internal.aliyuncs.com", "oss-cn-beijing.aliyuncs.com", "oss-cn-beijing.aliyuncs.com"),
            (
                "oss-cn-hangzhou-internal.aliyuncs.com",
                "oss-cn-beijing-internal.aliyuncs.com",
                "oss-cn-beijing-internal.aliyuncs.com",
            ),
            ("cn-hangzhou.oss.aliyuncs.com", "oss-cn-beijing.aliyuncs.com", "cn-beijing.oss.aliyuncs.com"),
            ("oss-accelerate.aliyuncs.com", "oss-us-west-1.aliyuncs.com", "oss-us-west-1.aliyuncs.com"),
        ] {
            let found = endpoint(asked).offered(answered).expect(answered);
            assert_eq!(found.to_string(), offered, "{asked} answered with {answered}");
            assert_eq!(found, endpoint(offered));
        }
        let plain = Endpoint::parse_with("http://oss-cn-hangzhou.aliyuncs.com", PlainHttp::Allowed).expect("endpoint");
        let found = plain.offered("oss-cn-beijing.aliyuncs.com").expect("an offer");
        assert_eq!(found.to_string(), "http://oss-cn-beijing.aliyuncs.com");
        let own = Endpoint::cname("files.example.com").expect("endpoint");
        let found = own.offered("oss-cn-beijing.aliyuncs.com").expect("an offer");
        assert_eq!(found, endpoint("oss-cn-beijing.aliyuncs.com"));
    }

    #[test]
    fn a_stranger_or_the_same_endpoint_is_not_offered() {
        let asked = endpoint("oss-cn-hangzhou.aliyuncs.com");
        for answered in [
            "",
            "oss-cn-hangzhou.aliyuncs.com",
            "oss-accelerate.aliyuncs.com",
            "evil.example.com",
            "oss-cn-beijing.aliyuncs.com.evil.example.com",
            "oss-cn-beijing.aliyuncs.com@evil.example.com",
            "evil.example.com/oss-cn-beijing.aliyuncs.com",
            "oss-cn-beijing.aliyuncs.com:8080",
        ] {
            assert_eq!(asked.offered(answered), None, "{answered}");
        }
    }
}
