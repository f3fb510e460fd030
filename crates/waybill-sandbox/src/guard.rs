//! Who may see what belongs to the sandbox itself: programs on this machine and the person in front of it, no web page.
//!
//! A page in the person's browser reaches loopback too. It says `Origin` when it sends something, `Sec-Fetch-Site` with
//! everything, and when its own name was made to lead here (DNS rebinding), that name stands in `Host`. A page among the
//! objects has the very origin of the sandbox, so being of the same origin is no right either.

use axum::http::{HeaderMap, request::Parts};

use crate::answer::OssError;

/// Whose business a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Programs: faults, logs, keys.
    Programs,
    /// A person too, who may have come by a link: pages to read.
    People,
    /// Applications of any name, since a callback carries the Host that it was ordered with.
    Callers,
}

/// 403 AccessDenied unless the request comes from that audience. `host` is the one it asked for.
pub(crate) fn check(head: &Parts, host: &str, audience: Audience) -> Result<(), OssError> {
    let fine = match audience {
        Audience::Callers => !head.headers.contains_key("origin"),
        Audience::Programs => is_ours(host) && comes_of_no_page(&head.headers),
        Audience::People => is_ours(host) && (comes_of_no_page(&head.headers) || is_opened(&head.headers)),
    };
    if fine { Ok(()) } else { Err(OssError::new(403, "AccessDenied", "Not for web pages.")) }
}

/// Whether a Host is one under which the sandbox listens. Any port will do: a browser cannot name another than the one it
/// connects to, and a forwarded one (`ssh -L`, a container's) is the person's own doing.
fn is_ours(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|own| own.eq_ignore_ascii_case(name))
}

fn comes_of_no_page(headers: &HeaderMap) -> bool {
    !headers.contains_key("origin") && headers.get("sec-fetch-site").is_none_or(|site| site == "none")
}

/// Whether a browser opens it as a page of its own, which another page cannot look into: see the page's policy.
fn is_opened(headers: &HeaderMap) -> bool {
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|given| given == value);
    !headers.contains_key("origin") && says("sec-fetch-mode", "navigate") && says("sec-fetch-dest", "document")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Audience; 3] = [Audience::Programs, Audience::People, Audience::Callers];

    /// Which of the three audiences a request with these headers belongs to.
    fn passes(host: &str, headers: &[(&str, &str)]) -> [bool; 3] {
        let mut request = axum::http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).expect("is a request").into_parts();
        ALL.map(|audience| check(&head, host, audience).is_ok())
    }

    #[test]
    fn a_name_that_is_not_exactly_ours_is_refused_wherever_it_leads() {
        for host in
            ["127.0.0.1:8080", "localhost:8080", "LocalHost:8080", "[::1]:8080", "127.0.0.1", "[::1]", "localhost:1"]
        {
            assert_eq!(passes(host, &[]), [true; 3], "{host}");
        }
        for host in [
            "",
            "127.0.0.1.evil.example:8080",
            "127.0.0.1.nip.io:8080",
            "localhost.evil.example:8080",
            "localhost.:8080",
            "evil.example:8080",
            "127.0.0.2:8080",
            "127.0.0.1:",
            "127.0.0.1:x",
            "127.0.0.1:8080:8080",
            "me@127.0.0.1:8080",
        ] {
            assert_eq!(passes(host, &[]), [false, false, true], "{host}");
        }
    }

    #[test]
    fn what_a_page_asks_for_is_refused_and_what_a_person_opens_is_shown() {
        let opened = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        let with = |headers: &[(&str, &str)]| passes("127.0.0.1:8080", headers);
        assert_eq!(with(&[("sec-fetch-site", "none"), opened[0], opened[1]]), [true; 3]);
        for site in ["same-origin", "same-site", "cross-site"] {
            assert_eq!(with(&[("sec-fetch-site", site), opened[0], opened[1]]), [false, true, true], "{site}");
            let fetched = [("sec-fetch-site", site), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")];
            assert_eq!(with(&fetched), [false, false, true], "{site}");
            let framed = [("sec-fetch-site", site), opened[0], ("sec-fetch-dest", "iframe")];
            assert_eq!(with(&framed), [false, false, true], "{site}");
        }
        for origin in ["http://evil.example", "http://127.0.0.1:8080", "null"] {
            assert_eq!(with(&[("origin", origin)]), [false; 3], "{origin}");
            assert_eq!(with(&[("origin", origin), opened[0], opened[1]]), [false; 3], "{origin}");
        }
    }
}
