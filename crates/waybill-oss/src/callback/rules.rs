//! What OSS refuses about a callback, said before it is sent and in words that say what to change.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::net::Ipv4Addr;
use std::ops::Range;

use reqwest::Url;

use super::template;
use crate::error::Error;
use crate::escape;

pub(super) fn refuse<T>(why: impl Display) -> Result<T, Error> {
    Err(Error::Invalid(format!("Callback: {why}.")))
}

/// The addresses as OSS wants them: with the query, percent-encoded, joined by semicolons (EC 0007-00000004 and -05).
pub(super) fn joined_urls(urls: &[String], query: &[(String, String)]) -> Result<String, Error> {
    let urls: Vec<&str> = urls.iter().map(|url| url.trim()).filter(|url| !url.is_empty()).collect();
    if urls.is_empty() {
        return refuse("the address to call is missing");
    }
    if urls.len() > 5 {
        return refuse(format!("there are {} addresses, OSS takes five at most", urls.len()));
    }
    for url in &urls {
        if let Err(fault) = address(url) {
            return refuse(format!("“{url}” {fault}"));
        }
    }
    Ok(urls.into_iter().map(|url| with_query(url, query)).collect::<Vec<_>>().join(";"))
}

/// An address with more pairs behind its `?`, percent-encoded. A fragment is never sent, so nothing is put behind it.
pub(super) fn with_query(url: &str, query: &[(String, String)]) -> String {
    let (address, fragment) = url.find('#').map_or((url, ""), |at| url.split_at(at));
    let mut out = encoded_once(address);
    for (name, value) in query.iter().filter(|(name, _)| !name.is_empty()) {
        match out.find('?') {
            None => out.push('?'),
            Some(at) if at + 1 == out.len() || out.ends_with('&') => {}
            Some(_) => out.push('&'),
        }
        out.push_str(&escape::component(name));
        out.push('=');
        out.push_str(&escape::component(value));
    }
    out + &encoded_once(fragment)
}

/// What is wrong with an address. The words go on behind the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UrlFault<'a> {
    /// Neither http nor https.
    Scheme,
    /// A semicolon, which separates addresses.
    Semicolon,
    /// An IPv6 address.
    Ipv6,
    /// There is no host.
    NoHost,
    /// This host holds other characters than a host may.
    Host(&'a str),
    /// This host is a number, but no IPv4 address (EC 0007-00000007).
    Number(&'a str),
    /// This port is none.
    Port(&'a str),
    /// Something else that no URL library reads.
    Unreadable,
}

impl Display for UrlFault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UrlFault::Scheme => write!(f, "is neither http nor https"),
            UrlFault::Semicolon => write!(f, "holds a semicolon, which separates addresses: give each one by itself"),
            UrlFault::Ipv6 => {
                write!(f, "is an IPv6 address, which OSS does not call: use a name or an IPv4 address")
            }
            UrlFault::NoHost => write!(f, "has no host"),
            UrlFault::Host(host) => write!(
                f,
                "has the host “{host}”, which may hold letters, digits, dots and hyphens only; write a name in another \
                 alphabet in its xn-- form"
            ),
            UrlFault::Number(host) => write!(f, "has the host “{host}”, which is neither a name nor an IPv4 address"),
            UrlFault::Port(port) => write!(f, "has the port “{port}”, which is not a number from 1 to 65535"),
            UrlFault::Unreadable => write!(f, "is not an address"),
        }
    }
}

/// The scheme, if one stands at the beginning, and what comes behind it; `://` may stand in a query too.
pub(super) fn scheme(url: &str) -> (Option<&str>, &str) {
    match url.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?', '#']) => (Some(scheme), rest),
        _ => (None, url),
    }
}

/// Where host and port stand in an address, whatever surrounds them; the scheme may be missing.
pub(super) fn authority(url: &str) -> Range<usize> {
    let (_, rest) = scheme(url);
    let from = url.len() - rest.len();
    let rest = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let user = rest.rfind('@').map_or(0, |at| at + 1);
    from + user..from + rest.len()
}

/// Where the host stands.
pub(super) fn host(url: &str) -> Range<usize> {
    let Range { start, end } = authority(url);
    start..url[start..end].find(':').map_or(end, |at| start + at)
}

/// An address as a URL library reads it once it is encoded; the scheme may be missing.
pub(super) fn parsed(url: &str) -> Option<Url> {
    let url = if scheme(url).0.is_some() { url.to_owned() } else { format!("http://{url}") };
    Url::parse(&url).ok()
}

/// Whether OSS takes an address (EC 0007-00000004 and -07).
pub(super) fn address(url: &str) -> Result<(), UrlFault<'_>> {
    let scheme = scheme(url).0.map(str::to_ascii_lowercase);
    if scheme.is_some_and(|scheme| !matches!(scheme.as_str(), "http" | "https")) {
        return Err(UrlFault::Scheme);
    }
    if url.contains(';') {
        return Err(UrlFault::Semicolon);
    }
    let authority = &url[authority(url)];
    if authority.starts_with('[') || authority.matches(':').count() > 1 {
        return Err(UrlFault::Ipv6);
    }
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    if host.is_empty() {
        return Err(UrlFault::NoHost);
    }
    if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) {
        return Err(UrlFault::Host(host));
    }
    if ends_in_number(host) && host.parse::<Ipv4Addr>().is_err() {
        return Err(UrlFault::Number(host));
    }
    match port {
        Some(port) if port.bytes().any(|byte| !byte.is_ascii_digit()) || !matches!(port.parse::<u16>(), Ok(1..)) => {
            Err(UrlFault::Port(port))
        }
        _ if parsed(&encoded_once(url)).is_none() => Err(UrlFault::Unreadable),
        _ => Ok(()),
    }
}

/// No name ends in a number, so URL libraries take what does for an IPv4 address (URL Standard, *ends in a number*).
fn ends_in_number(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let hex = last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hex || !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
}

/// Percent-encodes what may not stand in a URL and leaves what is encoded already.
pub(super) fn encoded_once(url: &str) -> String {
    let bytes = url.as_bytes();
    let mut out = String::with_capacity(bytes.len());
    for (at, &byte) in bytes.iter().enumerate() {
        let fits = match byte {
            b'%' => bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)),
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
            _ => byte.is_ascii_graphic(),
        };
        if fits { out.push(char::from(byte)) } else { escape::push_hex(&mut out, byte) }
    }
    out
}

/// The Host header of the call: a domain name or an IP address (EC 0007-00000009), with a port if need be.
pub(super) fn host_header(host: &str) -> Result<&str, Error> {
    if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':')) {
        return refuse(format!("“{host}” is not a host: write a name and, where needed, a port, nothing else"));
    }
    Ok(host)
}

/// The body: there must be one (EC 0007-00000011), and every `$` begins a `${variable}` (EC 0007-00000105).
pub(super) fn body(body: &str) -> Result<&str, Error> {
    if body.trim().is_empty() {
        return refuse("the body is empty: write what your server is to be told, such as “object=${object}”");
    }
    match template::variables(body) {
        Ok(_) => Ok(body),
        Err(why) => refuse(why),
    }
}

/// `x:name`. OSS wants the prefix and lower case (EC 0007-00000105); which other characters it takes is not known, so only
/// those are refused that would break the `${…}` they stand in.
pub(super) fn variable_name(name: &str) -> Result<String, Error> {
    let bare = name.strip_prefix("x:").unwrap_or(name);
    let unfit = |c: char| c.is_uppercase() || c.is_whitespace() || c.is_control() || matches!(c, '$' | '{' | '}' | ':');
    if bare.is_empty() || bare.contains(unfit) {
        return refuse(format!("the variable name “{name}” must be lower-case letters, digits and underscores"));
    }
    Ok(format!("x:{bare}"))
}

/// Headers that the call has anyway [Callback, *Initiate callback requests*], so an additional one of this name cannot
/// count. Which of the two wins is not established; the Sandbox keeps OSS's.
pub(super) const HEADERS_OF_OSS: [&str; 8] = [
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "transfer-encoding",
    "user-agent",
];

/// Headers that OSS adds to the call: at most ten (EC 0007-00000022), names of letters, digits and hyphens (-23, -24),
/// none of OSS's own (-26), no line breaks in values (-25).
pub(super) fn additional_headers(headers: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Error> {
    if headers.len() > 10 {
        return refuse(format!("there are {} additional headers, OSS takes ten at most", headers.len()));
    }
    let mut all = BTreeMap::new();
    for (name, value) in headers {
        let lower = header(name, value)?;
        if all.insert(lower, value.clone()).is_some() {
            return refuse(format!("the header “{name}” is given twice; upper and lower case are the same"));
        }
    }
    Ok(all)
}

/// The name of one additional header in lower case.
pub(super) fn header(name: &str, value: &str) -> Result<String, Error> {
    let lower = name.trim().to_ascii_lowercase();
    if lower.is_empty() || !lower.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return refuse(format!("the header name “{name}” may hold letters, digits and hyphens only"));
    }
    if lower.starts_with("x-oss-") {
        return refuse(format!("the header “{name}” begins with “x-oss-”, which OSS keeps for itself: rename it"));
    }
    if value.chars().any(char::is_control) {
        return refuse(format!("the value of the header “{name}” has a line break or another control character"));
    }
    Ok(lower)
}
