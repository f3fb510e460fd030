//! What people paste where a bucket, a key or an endpoint is asked for, taken apart.

use std::net::IpAddr;

use super::network::{AlibabaHost, Network, of_word};
use super::{Endpoint, PlainHttp};
use crate::escape;
use crate::names::{BucketName, ObjectKey};
use crate::region;

/// The parts of a pasted address; each may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pasted {
    /// The bucket.
    pub bucket: Option<BucketName>,
    /// The object's key, decoded; none too where it is no key that OSS takes.
    pub key: Option<ObjectKey>,
    /// Where the bucket is reached; of a domain of one's own, with [`Addressing::Cname`](super::Addressing::Cname).
    pub endpoint: Option<Endpoint>,
    /// The region id, such as `cn-hangzhou`.
    pub region: Option<String>,
}

/// Takes an address of OSS apart: a URL of an object, presigned or not, an endpoint with or without bucket, `oss://`,
/// a region, a page of OSS's console. None for what could be anything, such as `photos/a.jpg` or `files.example.com`.
///
/// Alibaba's hosts and own domains become https endpoints, also where http was pasted. A query is dropped, but for the
/// region that a V4 signature in it names.
pub fn recognise(text: &str) -> Option<Pasted> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("oss://") {
        return ossutil(rest);
    }
    if let Some(endpoint) = of_word(text) {
        return Some(Pasted { region: endpoint.region(), endpoint: Some(endpoint), ..Pasted::default() });
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
        None => (None, text),
    };
    if !matches!(scheme.as_deref(), None | Some("http" | "https")) {
        return None;
    }
    // By hand: a URL library would fold the dots in a key away.
    let rest = rest.split('#').next().unwrap_or_default();
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = place.split_once('/').unwrap_or((place, ""));
    let authority = authority.to_ascii_lowercase();
    if authority.contains('@') {
        return None;
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority.as_str(), None),
    };
    if let Some(alibaba) = AlibabaHost::read(host) {
        return of_alibaba(&alibaba, path, query);
    }
    if matches!(host, "oss.console.aliyun.com" | "oss.console.alibabacloud.com") {
        return of_console(path);
    }
    // `192.168.0.1/access.log` and `2024/a.jpg` are keys as well.
    let is_address = host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
    if is_address && (scheme.is_some() || port.is_some()) {
        let scheme = scheme.as_deref().unwrap_or("https");
        return of_path_style(&format!("{scheme}://{authority}"), path, query);
    }
    let is_signed = ["x-oss-signature=", "OSSAccessKeyId="].iter().any(|mark| query.contains(mark));
    is_signed.then(|| Pasted {
        bucket: None,
        key: key(path),
        endpoint: Endpoint::cname(&authority).ok(),
        region: signed_region(query),
    })
}

/// `bucket/key` as ossutil writes it: the key as it is, nothing escaped.
fn ossutil(rest: &str) -> Option<Pasted> {
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    Some(Pasted { bucket: Some(BucketName::named(bucket)?), key: ObjectKey::parse(key).ok(), ..Pasted::default() })
}

fn of_alibaba(host: &AlibabaHost<'_>, path: &str, query: &str) -> Option<Pasted> {
    let bucket = match host.bucket {
        Some(name) => Some(BucketName::named(name)?),
        None => None,
    };
    Some(Pasted {
        key: bucket.as_ref().and_then(|_| key(path)),
        bucket,
        endpoint: Some(Endpoint::alibaba("https", host.host())),
        region: host.region.clone().or_else(|| signed_region(query)),
    })
}

/// `/bucket/oss-cn-hangzhou/examplebucket/object…`, where the console shows a bucket.
fn of_console(path: &str) -> Option<Pasted> {
    let mut parts = path.split('/');
    let (page, region, bucket) = (parts.next()?, parts.next()?, parts.next()?);
    let region = region::of_word(region).filter(|_| page == "bucket")?;
    Some(Pasted {
        bucket: Some(BucketName::named(bucket)?),
        key: None,
        endpoint: Endpoint::of_region(&region, Network::Public).ok(),
        region: Some(region),
    })
}

/// `/bucket/key` below an IP address or `localhost`; whether plain http is allowed is asked when it is saved.
fn of_path_style(address: &str, path: &str, query: &str) -> Option<Pasted> {
    let endpoint = Endpoint::read_url(address, PlainHttp::Allowed).ok()?;
    let (bucket, rest) = path.split_once('/').unwrap_or((path, ""));
    let bucket = match bucket {
        "" => None,
        name => Some(BucketName::named(name)?),
    };
    let key = bucket.as_ref().and_then(|_| key(rest));
    Some(Pasted { bucket, key, endpoint: Some(endpoint), region: signed_region(query) })
}

fn key(path: &str) -> Option<ObjectKey> {
    ObjectKey::parse(&escape::decoded(path)?).ok()
}

/// From `x-oss-credential=id/20250314/cn-hangzhou/oss/aliyun_v4_request`.
fn signed_region(query: &str) -> Option<String> {
    let scope = query.split('&').find_map(|pair| pair.strip_prefix("x-oss-credential="))?;
    region::normalize_region(escape::decoded(scope)?.split('/').nth(2)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bucket, key, endpoint, region, each empty where there is none.
    fn parts(text: &str) -> Option<[String; 4]> {
        let pasted = recognise(text)?;
        Some([
            pasted.bucket.map(|bucket| bucket.to_string()).unwrap_or_default(),
            pasted.key.map(|key| key.to_string()).unwrap_or_default(),
            pasted.endpoint.map(|endpoint| endpoint.to_string()).unwrap_or_default(),
            pasted.region.unwrap_or_default(),
        ])
    }

    #[test]
    fn addresses_of_oss_are_taken_apart() {
        let hangzhou = "oss-cn-hangzhou.aliyuncs.com";
        for (text, wanted) in [
            ("photos.oss-cn-hangzhou.aliyuncs.com", ["photos", "", hangzhou, "cn-hangzhou"]),
            (" http://Photos.OSS-cn-hangzhou.aliyuncs.com/ ", ["photos", "", hangzhou, "cn-hangzhou"]),
            (
                "https://photos.oss-cn-hangzhou.aliyuncs.com/2024/a.jpg",
                ["photos", "2024/a.jpg", hangzhou, "cn-hangzhou"],
            ),
            (
                "https://photos.oss-cn-hangzhou.aliyuncs.com:443/a%20b/%E6%96%87+c%2F..%2Fd?x-oss-process=style%2Fx#top",
                ["photos", "a b/文+c/../d", hangzhou, "cn-hangzhou"],
            ),
            ("https://photos.oss-cn-hangzhou.aliyuncs.com/a/../b", ["photos", "a/../b", hangzhou, "cn-hangzhou"]),
            ("photos.oss-cn-hangzhou.aliyuncs.com/%zz", ["photos", "", hangzhou, "cn-hangzhou"]),
            (
                "photos.oss-cn-beijing-internal.aliyuncs.com/a",
                ["photos", "a", "oss-cn-beijing-internal.aliyuncs.com", "cn-beijing"],
            ),
            (
                "https://photos.cn-beijing.oss.aliyuncs.com/a",
                ["photos", "a", "cn-beijing.oss.aliyuncs.com", "cn-beijing"],
            ),
            ("https://photos.oss-accelerate.aliyuncs.com/a", ["photos", "a", "oss-accelerate.aliyuncs.com", ""]),
            (
                "https://photos.oss-accelerate-overseas.aliyuncs.com/a?x-oss-credential=ak%2F20250314%2Fus-west-1%2Foss%2F\
                 aliyun_v4_request&x-oss-signature=feed",
                ["photos", "a", "oss-accelerate-overseas.aliyuncs.com", "us-west-1"],
            ),
            ("https://oss-cn-hangzhou.aliyuncs.com/", ["", "", hangzhou, "cn-hangzhou"]),
            ("oss-cn-hangzhou", ["", "", hangzhou, "cn-hangzhou"]),
            ("cn-hangzhou", ["", "", hangzhou, "cn-hangzhou"]),
            ("oss-cn-hangzhou-internal", ["", "", "oss-cn-hangzhou-internal.aliyuncs.com", "cn-hangzhou"]),
            ("oss://photos", ["photos", "", "", ""]),
            ("oss://photos/2024/100%?.jpg", ["photos", "2024/100%?.jpg", "", ""]),
            ("http://127.0.0.1:9000/photos/a%20b", ["photos", "a b", "http://127.0.0.1:9000", ""]),
            ("127.0.0.1:9000/photos/a", ["photos", "a", "127.0.0.1:9000", ""]),
            ("http://[::1]:9000/photos", ["photos", "", "http://[::1]:9000", ""]),
            ("https://localhost/photos/a", ["photos", "a", "localhost", ""]),
            ("http://192.168.0.1", ["", "", "http://192.168.0.1", ""]),
            (
                "https://oss.console.aliyun.com/bucket/oss-cn-hangzhou/photos/object?path=a%2F",
                ["photos", "", hangzhou, "cn-hangzhou"],
            ),
            (
                "https://files.example.com/a.jpg?x-oss-credential=ak%2F20250314%2Fcn-beijing%2Foss%2Faliyun_v4_request\
                 &x-oss-signature=feed",
                ["", "a.jpg", "files.example.com", "cn-beijing"],
            ),
            ("http://files.example.com/a.jpg?OSSAccessKeyId=ak&Signature=feed", ["", "a.jpg", "files.example.com", ""]),
        ] {
            assert_eq!(parts(text), Some(wanted.map(str::to_owned)), "{text}");
        }
        let own = recognise("files.example.com/a?OSSAccessKeyId=ak").and_then(|pasted| pasted.endpoint);
        assert_eq!(own, Endpoint::cname("files.example.com").ok());
    }

    #[test]
    fn what_could_be_a_key_is_left_alone() {
        for text in [
            "",
            "photos",
            "photos/a.jpg",
            "2024",
            "2024/photos/a.jpg",
            "192.168.0.1/access.log",
            "localhost/photos/a.jpg",
            "oss-notes",
            "files.example.com/a.jpg",
            "https://example.com/a.jpg",
            "https://user:secret@photos.oss-cn-hangzhou.aliyuncs.com/a",
            "https://under_score.oss-cn-hangzhou.aliyuncs.com/a",
            "http://127.0.0.1:9000/a_b/c",
            "https://oss.console.aliyun.com/overview",
            "oss://",
            "oss:///a",
            "s3://photos/a",
            "photos.oss-cn-hangzhou.aliyuncs.com.example.com",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
    }
}
