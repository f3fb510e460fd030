//! Where requests go: endpoints, addressing, and URLs that arrive exactly as they were signed.

mod network;
mod pasted;

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use crate::error::Error;
use crate::escape;
use crate::names::{BucketName, ObjectKey};

pub use network::Network;
pub use pasted::{Pasted, recognise};

use network::AlibabaHost;

/// Where the bucket's name stands in a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Addressing {
    /// `bucket.endpoint/key`, the form OSS takes at its own endpoints [RESTful API overview].
    VirtualHost,
    /// `domain/key`: a domain of one's own is bound to one bucket, which only the signature names
    /// [go2 `oss/client.go` buildURL].
    Cname,
    /// `endpoint/bucket/key`, for IP addresses and `localhost`, as the SDKs do.
    PathStyle,
}

/// Where plain http may lead. Over it the object, the callback's answer and a token pass in the open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// To this computer only.
    #[default]
    LoopbackOnly,
    /// Anywhere, because the destination says so in words.
    Allowed,
}

/// The address of an OSS region, of a domain bound to a bucket, or of a server that speaks like OSS.
///
/// It is printed as people type it: without `https://`, which goes without saying, and with `http://`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    scheme: String,
    /// As it stands in a URL: an IPv6 address keeps its brackets.
    host: String,
    port: Option<u16>,
    addressing: Addressing,
}

impl Endpoint {
    /// Takes an endpoint as people type it; without a scheme it is https, and a region alone (`cn-hangzhou`) is its
    /// public endpoint. Plain http is taken for this computer only; see [`Endpoint::parse_with`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Endpoint::parse_with(text, PlainHttp::LoopbackOnly)
    }

    /// [`Endpoint::parse`] with a word on plain http. [`Error::Invalid`] says what to change, and where a bucket came
    /// along with the endpoint it names both.
    pub fn parse_with(text: &str, plain: PlainHttp) -> Result<Self, Error> {
        if let Some(Pasted { bucket: Some(bucket), endpoint, .. }) = recognise(text) {
            let rest = endpoint.map(|endpoint| format!(" and {endpoint} here")).unwrap_or_default();
            return Err(refusal(text, &format!("it holds a bucket: write {bucket} into the bucket's own field{rest}")));
        }
        if let Some(endpoint) = network::of_word(text.trim()) {
            return Ok(endpoint);
        }
        let endpoint = Endpoint::read_url(text, plain)?;
        if AlibabaHost::read(&endpoint.host).is_some_and(|host| host.bucket.is_some()) {
            return Err(refusal(text, "leave out what stands before Alibaba's endpoint"));
        }
        Ok(endpoint)
    }

    /// A domain of one's own that is bound to the bucket (CNAME), over https. New accounts must upload through one to
    /// buckets in mainland China [Regions and endpoints].
    pub fn cname(text: &str) -> Result<Self, Error> {
        Endpoint::cname_with(text, PlainHttp::LoopbackOnly)
    }

    /// [`Endpoint::cname`] with a word on plain http.
    pub fn cname_with(text: &str, plain: PlainHttp) -> Result<Self, Error> {
        let endpoint = Endpoint::read_url(text, plain)?;
        if endpoint.addressing == Addressing::PathStyle {
            return Err(refusal(text, "an address is not a domain, write a name such as files.example.com"));
        }
        if AlibabaHost::read(&endpoint.host).is_some() {
            return Err(refusal(text, "this is an endpoint of Alibaba, not a domain of your own"));
        }
        Ok(Endpoint { addressing: Addressing::Cname, ..endpoint })
    }

    /// Scheme, host and port, and nothing else.
    fn read_url(text: &str, plain: PlainHttp) -> Result<Self, Error> {
        let refuse = |why: &str| Err(refusal(text, why));
        let text = text.trim();
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let Ok(url) = Url::parse(&whole) else {
            return refuse("this is not a web address");
        };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("it must begin with https://");
        }
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
            return refuse("the host is missing");
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("it must not hold a user name");
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return refuse("nothing may follow the host and port");
        }
        if url.scheme() == "http" && plain == PlainHttp::LoopbackOnly && !is_loopback(host) {
            return refuse("plain http is allowed to this computer only, use https");
        }
        let path_style = host == "localhost" || ip(host).is_some();
        let addressing = if path_style { Addressing::PathStyle } else { Addressing::VirtualHost };
        Ok(Endpoint { scheme: url.scheme().to_owned(), host: host.to_owned(), port: url.port(), addressing })
    }

    /// The same with the bucket's name elsewhere, for those who know better than the host's name tells.
    pub(crate) fn addressed(self, addressing: Addressing) -> Self {
        Endpoint { addressing, ..self }
    }

    /// Where the bucket's name goes.
    pub fn addressing(&self) -> Addressing {
        self.addressing
    }

    /// The URL of a bucket or an object, escaped as it is signed, the query in the order given.
    ///
    /// A key with a `.` or `..` between slashes is written with `%2F`: URL libraries would fold the segment away, and
    /// the server decodes the slash before it checks the signature.
    pub fn object_url(&self, bucket: &BucketName, key: Option<&ObjectKey>, query: &[(String, String)]) -> String {
        let bucket = bucket.as_str();
        let mut url = String::with_capacity(256);
        url.extend([&self.scheme, "://"]);
        if self.addressing == Addressing::VirtualHost {
            url.extend([bucket, "."]);
        }
        self.push_authority(&mut url);
        url.push('/');
        if self.addressing == Addressing::PathStyle {
            url.extend([bucket, "/"]);
        }
        if let Some(key) = key.map(ObjectKey::as_str) {
            match key.split('/').any(|segment| segment == "." || segment == "..") {
                true => url += &escape::component(key),
                false => escape::push_path(&mut url, key),
            }
        }
        with_query(url, query)
    }

    /// The URL without any bucket, for ListBuckets and DescribeRegions. A domain of one's own knows its bucket only and
    /// is refused [Use a custom domain name (Ruby SDK)].
    pub fn bare_url(&self, query: &[(String, String)]) -> Result<String, Error> {
        if self.addressing == Addressing::Cname {
            return Err(Error::Invalid(format!(
                "“{self}” is bound to one bucket and cannot list others: ask the region's own endpoint, such as \
                 oss-cn-hangzhou.aliyuncs.com."
            )));
        }
        Ok(with_query(format!("{}://{}/", self.scheme, self.authority()), query))
    }

    fn push_authority(&self, out: &mut String) {
        out.push_str(&self.host);
        if let Some(port) = self.port {
            out.extend([":", &port.to_string()]);
        }
    }

    fn authority(&self) -> String {
        let mut authority = String::new();
        self.push_authority(&mut authority);
        authority
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A host of one word could be taken for a region.
        let plain_to_see = self.scheme == "https" && (self.host.contains(['.', ':']) || self.host == "localhost");
        if !plain_to_see {
            write!(f, "{}://", self.scheme)?;
        }
        f.write_str(&self.authority())
    }
}

/// Whether a URL's host is this computer.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || ip(host).is_some_and(|ip| ip.is_loopback())
}

fn ip(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Host and port of a URL, as HTTP libraries write the Host header.
pub(crate) fn host_header(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn with_query(mut url: String, query: &[(String, String)]) -> String {
    if !query.is_empty() {
        url.push('?');
        url += &escape::query(query);
    }
    url
}

/// Names what was typed, but neither a password nor the signature of a pasted URL.
fn refusal(text: &str, why: &str) -> Error {
    let shown = text.trim().split(['?', '#']).next().unwrap_or_default();
    Error::Invalid(if text.contains('@') {
        format!("Endpoint: {why}.")
    } else {
        format!("Endpoint “{shown}”: {why}.")
    })
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
