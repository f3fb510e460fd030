//! Where requests go: endpoints, addressing, regions, and URLs that arrive exactly as they were signed.

use std::net::IpAddr;

use reqwest::Url;

use crate::error::Error;
use crate::escape;
use crate::names::{BucketName, ObjectKey};

/// Where the bucket's name stands in a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressing {
    /// `bucket.endpoint/key`, the only form OSS itself takes [RESTful API overview].
    VirtualHost,
    /// `endpoint/bucket/key`, for IP addresses and `localhost`, as the SDKs do.
    PathStyle,
}

/// The address of an OSS region, or of a server that speaks like one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    scheme: String,
    /// As it stands in a URL: an IPv6 address keeps its brackets.
    host: String,
    port: Option<u16>,
    addressing: Addressing,
}

impl Endpoint {
    /// Takes an endpoint as people type it; without a scheme it is https. Plain http is taken for this computer only,
    /// since a callback's answer and the object itself would pass in the open. [`Error::Invalid`] says why in words.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let refuse = |why: &str| Err(Error::Invalid(format!("Endpoint “{text}”: {why}.")));
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let Ok(url) = Url::parse(&whole) else {
            return refuse("this is not a web address");
        };
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
            return refuse("the host is missing");
        };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("it must begin with https://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("it must not hold a user name");
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return refuse("nothing may follow the host and port");
        }
        if host.ends_with(".aliyuncs.com") && host.contains(".oss-") {
            return refuse("leave out the bucket's name, it has a field of its own");
        }
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        let local_name = host == "localhost";
        if url.scheme() == "http" && !local_name && !ip.is_some_and(|ip| ip.is_loopback()) {
            return refuse("plain http is allowed to this computer only, use https");
        }
        let addressing = if ip.is_some() || local_name { Addressing::PathStyle } else { Addressing::VirtualHost };
        Ok(Endpoint { scheme: url.scheme().to_owned(), host: host.to_owned(), port: url.port(), addressing })
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
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let (scheme, host) = (&self.scheme, &self.host);
        let mut url = match self.addressing {
            Addressing::VirtualHost => format!("{scheme}://{bucket}.{host}{port}/"),
            Addressing::PathStyle => format!("{scheme}://{host}{port}/{bucket}/"),
        };
        if let Some(key) = key {
            let folds = key.as_str().split('/').any(|segment| segment == "." || segment == "..");
            url += &if folds { escape::component(key.as_str()) } else { escape::path(key.as_str()) };
        }
        if !query.is_empty() {
            url.push('?');
            url += &escape::query(query);
        }
        url
    }

    /// The URL of the endpoint itself, for what concerns the whole account.
    pub fn bare_url(&self, query: &[(String, String)]) -> Result<String, Error> {
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        let mut url = format!("{}://{}{port}/", self.scheme, self.host);
        if !query.is_empty() {
            url.push('?');
            url += &escape::query(query);
        }
        Ok(url)
    }

    /// The region an Alibaba endpoint names (`cn-hangzhou`), for the forms `oss-<id>[-internal].aliyuncs.com` and
    /// `<id>.oss.aliyuncs.com` [Regions and endpoints]. Accelerate endpoints and own domains name none.
    pub fn region(&self) -> Option<String> {
        let name = self.host.strip_suffix(".aliyuncs.com")?;
        let id = match name.strip_suffix(".oss") {
            Some(id) => id,
            None => {
                let id = name.strip_prefix("oss-")?;
                id.strip_suffix("-internal").unwrap_or(id)
            }
        };
        if matches!(id, "accelerate" | "accelerate-overseas") { None } else { normalize_region(id).ok() }
    }
}

/// The region id that signatures use: `oss-cn-hangzhou`, as API answers write it, becomes `cn-hangzhou`.
/// Any id of `a-z 0-9 -` is accepted, as new regions open [go2 `validation.go`].
pub fn normalize_region(text: &str) -> Result<String, Error> {
    let text = text.trim();
    let id = text.strip_prefix("oss-").unwrap_or(text);
    if id.is_empty() || !id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
        return Err(Error::Invalid(format!("Region “{text}”: write it like cn-hangzhou.")));
    }
    Ok(id.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn bucket() -> BucketName {
        BucketName::parse("examplebucket").expect("bucket")
    }

    fn url(endpoint: &str, key: &str) -> String {
        let key = ObjectKey::parse(key).expect("key");
        Endpoint::parse(endpoint).expect("endpoint").object_url(&bucket(), Some(&key), &[])
    }

    #[test]
    fn every_key_reaches_the_wire_as_the_sdks_escape_it() {
        let vectors: Value =
            serde_json::from_str(include_str!("../tests/fixtures/oss-key-encoding.json")).expect("json");
        let mut seen = 0;
        for vector in vectors.as_array().expect("vectors") {
            let key = vector["key"].as_str().expect("key");
            if key.starts_with(['/', '\\']) {
                assert!(ObjectKey::parse(key).is_err(), "{key}");
                continue;
            }
            let ours = url("https://oss-cn-hangzhou.aliyuncs.com", key);
            let folds = key.contains("../") || key.contains("./");
            let theirs = if folds { &vector["url_slash_encoded"] } else { &vector["url_slash_kept"] };
            assert_eq!(ours, theirs.as_str().expect("url"));
            assert_eq!(Url::parse(&ours).expect("url").as_str(), ours, "the URL library must not touch it");
            seen += 1;
        }
        assert!(seen > 20);
    }

    #[test]
    fn dot_segments_survive_the_url_library() {
        for key in ["a/../b", "a/./b", "../x", "x/..", "a/.", "./x/../y"] {
            for endpoint in ["https://oss-cn-hangzhou.aliyuncs.com", "http://127.0.0.1:9000"] {
                let url = url(endpoint, key);
                assert_eq!(Url::parse(&url).expect("url").as_str(), url);
            }
        }
    }

    proptest! {
        #[test]
        fn any_key_passes_the_url_library_untouched(key in "[./a%+ é\\u{0}\\\\?#]{1,12}|\\PC{1,40}") {
            if let Ok(key) = ObjectKey::parse(&key) {
                for endpoint in ["https://oss-cn-hangzhou.aliyuncs.com", "http://127.0.0.1:9000"] {
                    let url = url(endpoint, key.as_str());
                    let parsed = Url::parse(&url).expect("url");
                    prop_assert_eq!(parsed.as_str(), &url);
                }
            }
        }
    }

    #[test]
    fn addresses_and_localhost_are_path_style() {
        assert_eq!(url("http://127.0.0.1:9000", "a b"), "http://127.0.0.1:9000/examplebucket/a%20b");
        assert_eq!(url("http://[::1]:9000/", "a"), "http://[::1]:9000/examplebucket/a");
        assert_eq!(url("localhost:9000", "a"), "https://localhost:9000/examplebucket/a");
        assert_eq!(url("oss.example.com", "a"), "https://examplebucket.oss.example.com/a");
        let query = [("uploads".to_owned(), String::new())];
        let endpoint = Endpoint::parse("oss-cn-hangzhou.aliyuncs.com").expect("endpoint");
        assert_eq!(endpoint.addressing(), Addressing::VirtualHost);
        let bare = endpoint.object_url(&bucket(), None, &query);
        assert_eq!(bare, "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/?uploads");
    }

    #[test]
    fn plain_http_to_another_computer_is_refused() {
        for text in ["http://oss-cn-hangzhou.aliyuncs.com", "http://10.0.0.1", "http://localhost.example.com"] {
            assert!(matches!(Endpoint::parse(text), Err(Error::Invalid(_))), "{text}");
        }
        assert!(Endpoint::parse("http://localhost:80").is_ok());
    }

    #[test]
    fn what_is_not_an_endpoint_is_refused() {
        for text in [
            "",
            "https://",
            "ftp://oss-cn-hangzhou.aliyuncs.com",
            "https://user@oss-cn-hangzhou.aliyuncs.com",
            "https://oss-cn-hangzhou.aliyuncs.com/bucket",
            "https://oss-cn-hangzhou.aliyuncs.com?x",
            "examplebucket.oss-cn-hangzhou.aliyuncs.com",
        ] {
            assert!(matches!(Endpoint::parse(text), Err(Error::Invalid(_))), "{text}");
        }
    }

    #[test]
    fn the_region_is_read_off_alibaba_endpoints_only() {
        for (text, region) in [
            ("oss-cn-hangzhou.aliyuncs.com", Some("cn-hangzhou")),
            ("oss-cn-hangzhou-internal.aliyuncs.com", Some("cn-hangzhou")),
            ("https://ap-southeast-1.oss.aliyuncs.com", Some("ap-southeast-1")),
            ("oss-accelerate.aliyuncs.com", None),
            ("oss-accelerate-overseas.aliyuncs.com", None),
            ("http://127.0.0.1:9000", None),
            ("files.example.com", None),
        ] {
            assert_eq!(Endpoint::parse(text).expect(text).region().as_deref(), region, "{text}");
        }
        assert_eq!(normalize_region(" oss-cn-hangzhou ").expect("region"), "cn-hangzhou");
        assert!(normalize_region("Hangzhou!").is_err() && normalize_region("").is_err());
    }
}
