//! What was received, as a plain page for people: newest first, everything escaped, no scripts.

use std::{borrow::Cow, fmt::Write};

use axum::{body::Body, http::Response};
use quick_xml::escape::escape;

use super::{CallbackLog, ReceivedCallback};
use crate::{answer::put, time};

/// As many as a person reads.
const SHOWN: usize = 50;
/// As many bytes of one text.
const TEXT_SHOWN: usize = 8 * 1024;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
    color-scheme:light dark}article{border-top:1px solid #8888;padding:.5rem 0}\
    pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#8881;padding:.5rem;margin:.5rem 0}\
    h1{font-size:1.3rem}h2{font-size:1rem;margin:.3rem 0}";

/// The page of the last callbacks.
pub(crate) fn page(log: &CallbackLog) -> Response<Body> {
    let (latest, count) = log.latest(SHOWN);
    let mut response = Response::new(Body::from(document(&latest, count)));
    put(&mut response, "content-type", "text/html; charset=utf-8");
    // In a sandbox the page is of no origin, so that not even an object opened beside it can look into it.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox";
    put(&mut response, "content-security-policy", policy);
    put(&mut response, "cache-control", "no-store");
    put(&mut response, "x-content-type-options", "nosniff");
    response
}

/// `latest` comes newest first, of `count` that there are.
fn document(latest: &[ReceivedCallback], count: usize) -> String {
    let mut html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Callbacks</title><style>{STYLE}</style>\
         </head><body><h1>Callbacks received by this sandbox: {count}</h1>"
    );
    if latest.is_empty() {
        html.push_str(
            "<p>None yet. Upload a file with this address as its callback URL, then load this page again.</p>",
        );
    }
    for callback in latest {
        article(&mut html, callback);
    }
    if count > latest.len() {
        html.push_str("<p>Older ones are in <code>/_sandbox/callbacks</code>.</p>");
    }
    html.push_str("</body></html>\n");
    html
}

fn article(html: &mut String, callback: &ReceivedCallback) {
    let at = time::of_ms(callback.at_ms);
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
        escape(cut(&callback.body)),
        escape(&headers),
        escape(cut(&callback.signed_text())),
    );
}

/// The beginning of a long text, and that there is more.
fn cut(text: &str) -> Cow<'_, str> {
    let end = text.floor_char_boundary(TEXT_SHOWN);
    if end == text.len() {
        return text.into();
    }
    format!("{}… ({} bytes, the whole is in /_sandbox/callbacks)", &text[..end], text.len()).into()
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
            fault: None,
        }
    }

    #[test]
    fn what_was_received_cannot_become_markup() {
        let html = document(&[callback(1, "</pre><img src=x onerror='alert(1)'>\"")], 1);
        for markup in ["<script", "<img", "<b>"] {
            assert!(!html.contains(markup), "{markup} in {html}");
        }
        assert!(html.contains("&lt;script&gt;") && html.contains("signed by this sandbox"), "{html}");
    }

    #[test]
    fn the_newest_stands_first_and_no_more_than_fifty_are_shown() {
        let log = CallbackLog::new();
        for no in 1..=60 {
            log.push(callback(no, "x"));
        }
        let (latest, count) = log.latest(SHOWN);
        let html = document(&latest, count);
        let at = |no: u64| html.find(&format!("No. {no} "));
        assert!(at(60) < at(59) && at(60).is_some() && at(11).is_some() && at(10).is_none());
        assert!(html.contains("sandbox: 60") && html.contains("/_sandbox/callbacks"));
        assert!(document(&[], 0).contains("None yet"));
    }

    #[test]
    fn a_long_body_is_cut_on_the_page_and_says_so() {
        let html = document(&[callback(1, &"é".repeat(TEXT_SHOWN))], 1);
        assert!(html.len() < 4 * TEXT_SHOWN, "{}", html.len());
        assert!(html.contains(&format!("({} bytes", 2 * TEXT_SHOWN)));
        assert!(!document(&[callback(1, &"x".repeat(100))], 1).contains("bytes, the whole"));
    }
}
