//! What OSS refuses about a callback, said before it is sent and in words that say what to change.

use std::collections::BTreeMap;
use std::fmt::Display;

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
    urls.iter().try_for_each(|url| address(url))?;
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

/// Host and port of an address, whatever surrounds them; the scheme may be missing.
pub(super) fn authority(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    rest.rsplit_once('@').map_or(rest, |(_, host)| host)
}

fn address(url: &str) -> Result<(), Error> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    if scheme.is_some_and(|scheme| !matches!(scheme.as_str(), "http" | "https")) {
        return refuse(format!("“{url}” is neither http nor https"));
    }
    if url.contains(';') {
        return refuse(format!("“{url}” holds a semicolon, which separates addresses: give each one by itself"));
    }
    let authority = authority(url);
    if authority.starts_with('[') || authority.matches(':').count() > 1 {
        return refuse(format!("“{url}” is an IPv6 address, which OSS does not call: use a name or an IPv4 address"));
    }
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    if host.is_empty() {
        return refuse(format!("“{url}” has no host"));
    }
    if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) {
        return refuse(format!(
            "the host “{host}” may hold letters, digits, dots and hyphens only; write a name in another alphabet in its \
             xn-- form"
        ));
    }
    match port {
        Some(port) if port.bytes().any(|byte| !byte.is_ascii_digit()) || !matches!(port.parse::<u16>(), Ok(1..)) => {
            refuse(format!("the port “{port}” of “{url}” is not a number from 1 to 65535"))
        }
        _ => Ok(()),
    }
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

/// The Host header of the call.
pub(super) fn host_header(host: &str) -> Result<&str, Error> {
    if !host.bytes().all(|byte| byte.is_ascii_graphic()) || host.contains(['/', '?', '#', '@']) {
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

/// Headers that OSS adds to the call: at most ten (EC 0007-00000022), names of letters, digits and hyphens (-23, -24),
/// none of OSS's own (-26), no line breaks in values (-25).
pub(super) fn additional_headers(headers: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Error> {
    if headers.len() > 10 {
        return refuse(format!("there are {} additional headers, OSS takes ten at most", headers.len()));
    }
    let mut all = BTreeMap::new();
    for (name, value) in headers {
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
        if all.insert(lower, value.clone()).is_some() {
            return refuse(format!("the header “{name}” is given twice; upper and lower case are the same"));
        }
    }
    Ok(all)
}
