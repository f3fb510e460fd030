//! What was received, as a plain page for people: newest first, everything escaped, no scripts.

use std::fmt::Write;

use axum::{body::Body, http::Response};
use jiff::Timestamp;
use quick_xml::escape::escape;

use super::ReceivedCallback;
use crate::answer::put;

/// As many as a person reads.
const SHOWN: usize = 50;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
    color-scheme:light dark}article{border-top:1px solid #8888;padding:.5rem 0}\
    pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#8881;padding:.5rem;margin:.5rem 0}\
    h1{font-size:1.3rem}h2{font-size:1rem;margin:.3rem 0}";

/// The page; `received` comes oldest first.
pub(crate) fn page(received: &[ReceivedCallback]) -> Response<Body> {
    let mut response = Response::new(Body::from(document(received)));
    put(&mut response, "content-type", "text/html; charset=utf-8");
    // In a sandbox the page is of no origin, so that not even an object opened beside it can look into it.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";
    put(&mut response, "content-security-policy", policy);
    put(&mut response, "cache-control", "no-store");
    put(&mut response, "x-content-type-options", "nosniff");
    response
}

fn document(received: &[ReceivedCallback]) -> String {
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Callbacks</title><style>{STYLE}</style>\
         </head><body><h1>Callbacks received by this sandbox: {}</h1>",
        received.len()
    );
    if received.is_empty() {
        html.push_str(
            "<p>None yet. Upload a file with this address as its callback URL, then load this page again.</p>",
        );
    }
    for callback in received.iter().rev().take(SHOWN) {
        article(&mut html, callback);
    }
    if received.len() > SHOWN {
        html.push_str("<p>Older ones are in <code>/_sandbox/callbacks</code>.</p>");
    }
    html.push_str("</body></html>\n");
    html
}

fn article(html: &mut String, callback: &ReceivedCallback) {
    let at = Timestamp::from_millisecond(callback.at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let fault = callback.fault.as_ref().map_or_else(String::new, |fault| format!(" · told to misbehave: {fault}"));
    let headers: String = callback.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    // Writing to a String cannot fail.
    let _ = write!(
        html,
        "<article><h2>No. {} · {} · {}{}</h2><pre>{} {}</pre><pre>{}</pre>\
         <details><summary>Headers</summary><pre>{}</pre></details>\
         <details><summary>The text that is signed</summary><pre>{}</pre></details></article>",
        callback.no,
        at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        callback.verdict.words(),
        escape(&fault),
        escape(&callback.method),
        escape(&callback.path_and_query),
        escape(&callback.body),
        escape(&headers),
        escape(&callback.signed_text),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receiver::Verdict;

    fn callback(no: u64, body: &str) -> ReceivedCallback {
        ReceivedCallback {
            no,
            at_ms: 0,
            method: "POST".into(),
            path_and_query: "/callback?a=<b>".into(),
            headers: [("x-evil".to_owned(), "<script>alert(1)</script>".to_owned())].into(),
            body: body.into(),
            verdict: Verdict::SignedBySandbox,
            signed_text: format!("/callback?a=<b>\n{body}"),
            fault: None,
        }
    }

    #[test]
    fn what_was_received_cannot_become_markup() {
        let html = document(&[callback(1, "</pre><img src=x onerror='alert(1)'>\"")]);
        for markup in ["<script", "<img", "<b>"] {
            assert!(!html.contains(markup), "{markup} in {html}");
        }
        assert!(html.contains("&lt;script&gt;") && html.contains("signed by this sandbox"), "{html}");
    }

    #[test]
    fn the_newest_stands_first_and_no_more_than_fifty_are_shown() {
        let all: Vec<_> = (1..=60).map(|no| callback(no, "x")).collect();
        let html = document(&all);
        let at = |no: u64| html.find(&format!("No. {no} "));
        assert!(at(60) < at(59) && at(60).is_some() && at(11).is_some() && at(10).is_none());
        assert!(html.contains("/_sandbox/callbacks"));
        assert!(document(&[]).contains("None yet"));
    }
}
