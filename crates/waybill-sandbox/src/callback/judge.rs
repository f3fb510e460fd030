//! What an application's answer is worth, and the words for an answer that is worth nothing.
//!
//! Sources: *Troubleshoot upload callback errors*, *HTTP 203 status code*, the pages of the ECs named.

use std::time::Duration;

use reqwest::{Response, Url};
use serde::de::IgnoredAny;

use crate::xml;

/// What the application answered, to be passed on.
pub(super) struct Answered {
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// Why there is no such answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) ec: &'static str,
    pub(super) message: String,
}

/// Over the time limit.
const EC_TIMEOUT: &str = "0007-00000202";
/// No connection, or not the status that is wanted.
const EC_STATUS: &str = "0007-00000203";
/// Not JSON.
const EC_BODY: &str = "0007-00000205";

impl Failure {
    fn status(what: &str) -> Self {
        Self { ec: EC_STATUS, message: format!("Error status : {what}") }
    }

    /// Also for a broken connection and a certificate that is not trusted.
    pub(super) fn cannot_connect() -> Self {
        Self::status("-1.OSS can not connect to your callbackUrl, please check it.")
    }

    /// The numbers in brackets stand so on the page and mean nothing to us.
    pub(super) fn too_late(url: &Url, cost: Duration, limit: Duration) -> Self {
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        let (cost, limit) = (cost.as_millis(), limit.as_millis());
        let message = format!(
            "Error status : -1 {host}:{port} reply timeout, cost:{cost}ms, timeout:{limit}ms (err -4, errno115)."
        );
        Self { ec: EC_TIMEOUT, message }
    }
}

/// Reads the whole answer: 200 exactly, announced in length, not too long, JSON.
pub(super) async fn judge(mut response: Response, limit: u64) -> Result<Answered, Failure> {
    let status = response.status().as_u16();
    if status != 200 {
        return Err(Failure::status(&format!("{status}.")));
    }
    let text = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    let content_type = text("content-type").unwrap_or_else(|| "application/json".to_owned());
    match text("content-length").and_then(|length| length.parse::<u64>().ok()) {
        None => return Err(Failure::status("400.User server return missing content-length value.")),
        Some(length) if length > limit => {
            return Err(Failure::status("400.User server return too long content-length value."));
        }
        Some(_) => {}
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|_| Failure::cannot_connect())? {
        body.extend_from_slice(&piece);
    }
    if is_wanted(&content_type, &body) {
        return Ok(Answered { content_type, body });
    }
    Err(Failure { ec: EC_BODY, message: "Response body is not valid json format.".to_owned() })
}

/// JSON without a byte-order mark; the current Chinese page also allows XML that says so.
fn is_wanted(content_type: &str, body: &[u8]) -> bool {
    let says_xml =
        content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/xml"));
    serde_json::from_slice::<IgnoredAny>(body).is_ok() || says_xml && xml::is_well_formed(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_passes_and_text_a_byte_order_mark_or_nothing_fails() {
        for body in [r#"{"Status":"OK"}"#, "[1]", " null "] {
            assert!(is_wanted("text/html", body.as_bytes()), "{body}");
        }
        for body in ["OK", "", "\u{feff}{}", "{} {}", "<a/>"] {
            assert!(!is_wanted("application/json", body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn xml_passes_only_when_it_says_so_and_is_whole() {
        assert!(is_wanted("application/xml; charset=utf-8", b"<a><b/></a>"));
        assert!(!is_wanted("application/xml", b"<a>"));
        assert!(!is_wanted("text/xml", b"<a/>"));
    }

    #[test]
    fn a_late_answer_names_the_address_and_both_times() {
        let url = Url::parse("http://127.0.0.1:8080/cb?x").expect("URL");
        let failure = Failure::too_late(&url, Duration::from_millis(5001), Duration::from_secs(5));
        assert!(
            failure.message.contains("-1 127.0.0.1:8080 reply timeout, cost:5001ms, timeout:5000ms"),
            "{failure:?}"
        );
        assert_eq!(failure.ec, "0007-00000202");
    }
}
