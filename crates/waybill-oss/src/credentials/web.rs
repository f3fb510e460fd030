//! Asking for keys over HTTP: which addresses may be asked, and how an answer is read.

use std::net::Ipv4Addr;
use std::time::Duration;

use reqwest::{RequestBuilder, Url};

use super::failure::Failure;

/// As much of an answer, a file or a program's output as is read; keys take up a few kilobytes.
pub(super) const LIMIT: usize = 64 * 1024;
/// The longest a request may take in all.
const PATIENCE: Duration = Duration::from_secs(15);
const METADATA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);

/// Status and body, whatever the status.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the same question may get another answer later.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.status, 408 | 429 | 500..)
    }
}

/// The address, if it may be asked: https, or plain http where nobody can listen in, which is this machine and the
/// metadata service.
pub(super) fn address(text: &str, what: &'static str) -> Result<Url, Failure> {
    let url = Url::parse(text.trim())
        .map_err(|error| Failure::Setup(format!("The address of {what} is not a URL: {error}.")))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_near(&url) => Ok(url),
        "http" => Err(Failure::Setup(format!(
            "The address of {what} must begin with https://, since the keys would pass the network in the open. Plain \
             http is for this machine (127.0.0.1) and the ECS metadata service only."
        ))),
        _ => Err(Failure::Setup(format!("The address of {what} must begin with https://."))),
    }
}

/// Whether it is on this machine or the metadata service.
pub(super) fn is_near(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback() || ip == METADATA)
        }
        None => false,
    }
}

/// The address as it may be shown: without user, path and query, any of which may hold a secret.
pub(super) fn shown(text: &str) -> String {
    match Url::parse(text.trim()) {
        Ok(url) => url.origin().ascii_serialization(),
        Err(_) => "***".to_owned(),
    }
}

/// Sends the request and reads the answer, up to [`LIMIT`].
pub(super) async fn ask(origin: &'static str, request: RequestBuilder) -> Result<Reply, Failure> {
    let broken = |error: reqwest::Error| {
        if error.is_builder() {
            return Failure::Setup(
                "A header for the source of the keys cannot be sent: check its name and value.".to_owned(),
            );
        }
        let words = if error.is_timeout() {
            "no answer in time"
        } else if error.is_connect() {
            "no connection"
        } else {
            "the connection broke"
        };
        Failure::passing(origin, format!("{words} ({})", root_cause(&error.without_url())))
    };
    let mut response = request.timeout(PATIENCE).send().await.map_err(broken)?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > LIMIT {
            return Err(Failure::lasting(
                origin,
                format!("the answer is longer than {} KB, so it is no keys", LIMIT / 1024),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, body })
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_refused_except_to_this_machine_and_the_metadata_service() {
        for good in [
            "https://keys.example.com/sts",
            "http://127.0.0.1:8080/keys",
            "http://127.8.9.1/",
            "http://[::1]:80/",
            "http://LOCALHOST:1/",
            "http://100.100.100.200/latest/meta-data/ram/security-credentials/role",
        ] {
            assert!(address(good, "the server").is_ok(), "{good}");
        }
        for bad in [
            "http://keys.example.com/sts?token=s3cr3t",
            "http://100.100.100.201/",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com/",
            "ftp://127.0.0.1/s3cr3t",
            "keys.example.com",
        ] {
            let words = address(bad, "the server").expect_err(bad).to_string();
            assert!(words.contains("the server") && !words.contains("s3cr3t"), "{words}");
        }
    }

    #[test]
    fn an_address_is_shown_without_what_may_be_secret() {
        assert_eq!(
            shown("https://me:s3cr3t@keys.example.com:8443/s3cr3t?k=s3cr3t#s3cr3t"),
            "https://keys.example.com:8443"
        );
        assert_eq!(shown("s3cr3t"), "***");
    }
}
