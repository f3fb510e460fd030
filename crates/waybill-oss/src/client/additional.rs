//! Headers that are signed because somebody wants them to be: which can be, and those that are else written too late.

use reqwest::Url;

use super::request::{Call, Site};
use crate::endpoint::host_header;
use crate::error::Error;
use crate::headers::Pair;
use crate::http::USER_AGENT;
use crate::sign::SignatureVersion;

/// What the HTTP library, or a proxy on the way, writes or changes after the request was signed.
const LATE: [&str; 12] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The names in lower case, if all of them can be signed.
pub(super) fn checked(names: Vec<String>) -> Result<Vec<String>, Error> {
    let checked = |name: String| {
        let name = name.trim().to_ascii_lowercase();
        if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(Error::Invalid(format!("“{}” is not the name of a header.", name.escape_debug())));
        }
        if LATE.contains(&name.as_str()) {
            return Err(Error::Invalid(format!(
                "The header “{name}” cannot be signed, since it is written after that: take it off the list."
            )));
        }
        Ok(name)
    };
    names.into_iter().map(checked).collect()
}

impl Site {
    /// Adds what a request is sent with anyway, as far as it is to be signed.
    pub(super) fn supply(&self, headers: &mut Vec<Pair>, url: &Url, call: &Call<'_>) {
        self.supply_host(headers, url);
        self.add(headers, "user-agent", || USER_AGENT.to_owned());
        if let Some(length) = call.length() {
            self.add(headers, "content-length", || length.to_string());
        }
    }

    /// The one of them that whoever uses a presigned URL sends too.
    pub(super) fn supply_host(&self, headers: &mut Vec<Pair>, url: &Url) {
        self.add(headers, "host", || host_header(url));
    }

    fn add(&self, headers: &mut Vec<Pair>, name: &str, value: impl FnOnce() -> String) {
        let wanted = self.version == SignatureVersion::V4 && self.additional_headers.iter().any(|other| other == name);
        if wanted && !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
            headers.push((name.to_owned(), value()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_signed_are_refused_in_words() {
        let one = |name: &str| checked(vec![name.to_owned()]);
        assert_eq!(one(" Content-Length ").expect("can be"), ["content-length"]);
        for name in ["", "a b", "é", "Transfer-Encoding", "authorization", "Accept"] {
            let words = one(name).expect_err(name).to_string();
            assert!(words.contains(&name.to_ascii_lowercase()), "{words}");
        }
    }
}
