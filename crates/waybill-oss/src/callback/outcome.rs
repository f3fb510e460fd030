//! What came of a callback, read off the answer to the upload: by its status, never by guessing at its body.

use std::collections::BTreeMap;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::xml::error::ErrorDocument;

/// As much of an application's answer as OSS passes on [HTTP 203 status code].
const LONGEST: usize = 3 * 1024 * 1024;

/// The callback's end, apart from storage: in every case but a refused upload the object is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum CallbackOutcome {
    /// No callback was asked for.
    NotRequested,
    /// The application server answered 200 and OSS passed its answer on.
    Answered {
        /// The status OSS passed on: 200.
        status: u16,
        /// The application's Content-Type.
        content_type: Option<String>,
        /// The application's body as it came, up to 3 MiB; bytes that are not UTF-8 become `�`.
        body: String,
        /// The headers the answer came with, by lower-case name.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body was longer than that, and its end is missing.
        #[serde(default)]
        cut: bool,
    },
    /// OSS answered 203: the object is stored, but OSS did not get the answer it wanted. The application may have got
    /// the call all the same.
    Failed {
        /// OSS's error class, such as `0007-00000203`.
        ec: Option<String>,
        /// OSS's sentence, such as `Error status : 502.`
        message: String,
        /// OSS's XML as it came.
        body: String,
    },
    /// Stored, but nobody was told what came of the callback: its answer was lost on the way.
    Unknown,
}

impl CallbackOutcome {
    /// Decides by the status of a successful Put or Complete and by whether a callback was asked for.
    pub(crate) fn read(asked: bool, status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        match (status, asked) {
            (203, _) => {
                let body = String::from_utf8_lossy(body).into_owned();
                let document = ErrorDocument::read(&body).unwrap_or_default();
                let message = match document.message {
                    message if message.is_empty() => "OSS reported a failed callback without a reason.".to_owned(),
                    message => message,
                };
                CallbackOutcome::Failed { ec: document.ec.or_else(|| header("x-oss-ec")), message, body }
            }
            (_, false) => CallbackOutcome::NotRequested,
            (200, true) => CallbackOutcome::Answered {
                status,
                content_type: header(CONTENT_TYPE.as_str()),
                body: String::from_utf8_lossy(&body[..body.len().min(LONGEST)]).into_owned(),
                headers: headers.keys().filter_map(|name| Some((name.to_string(), header(name.as_str())?))).collect(),
                cut: body.len() > LONGEST,
            },
            (_, true) => CallbackOutcome::Unknown,
        }
    }
}

impl Error {
    /// OSS refused what was asked about the callback (400 `InvalidArgument`, EC 0007-…), so nothing was stored and
    /// nobody was called. A callback that failed is no error but [`CallbackOutcome::Failed`].
    pub fn refuses_callback(&self) -> bool {
        matches!(self, Error::Service(answer) if answer.status == 400)
            && self.ec().is_some_and(|ec| ec.starts_with("0007-"))
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    const FAILED: &str = "<Error><Code>CallbackFailed</Code><Message>Error status : 502.</Message>\
        <RequestId>65A1</RequestId><EC>0007-00000203</EC></Error>";

    #[test]
    fn a_200_is_the_applications_answer_even_if_it_looks_like_an_error() {
        let outcome =
            CallbackOutcome::read(true, 200, &headers(&[("content-type", "application/json")]), FAILED.as_bytes());
        let CallbackOutcome::Answered { status: 200, content_type: Some(_), body, headers, cut: false } = outcome
        else {
            panic!("{outcome:?}")
        };
        assert_eq!((body.as_str(), headers["content-type"].as_str()), (FAILED, "application/json"));
    }

    #[test]
    fn a_203_is_a_failed_callback_whichever_way_it_was_asked_for() {
        for asked in [true, false] {
            let outcome =
                CallbackOutcome::read(asked, 203, &headers(&[("content-type", "application/xml")]), FAILED.as_bytes());
            let expected = CallbackOutcome::Failed {
                ec: Some("0007-00000203".to_owned()),
                message: "Error status : 502.".to_owned(),
                body: FAILED.to_owned(),
            };
            assert_eq!(outcome, expected);
        }
    }

    #[test]
    fn a_203_without_xml_keeps_the_body_and_the_header() {
        let outcome = CallbackOutcome::read(true, 203, &headers(&[("x-oss-ec", "0007-00000202")]), b"oops \xff");
        let CallbackOutcome::Failed { ec, message, body } = outcome else { panic!("{outcome:?}") };
        assert_eq!((ec.as_deref(), body.as_str()), (Some("0007-00000202"), "oops \u{fffd}"));
        assert!(!message.is_empty());
    }

    #[test]
    fn without_a_callback_nothing_is_claimed() {
        assert_eq!(CallbackOutcome::read(false, 200, &headers(&[]), b"<x/>"), CallbackOutcome::NotRequested);
        assert_eq!(CallbackOutcome::read(true, 204, &headers(&[]), b""), CallbackOutcome::Unknown);
    }

    #[test]
    fn outcomes_are_kept_as_tagged_json() {
        let outcome = CallbackOutcome::read(true, 200, &headers(&[]), b"{}");
        let json = serde_json::to_value(&outcome).expect("json");
        assert_eq!(json["outcome"], "answered");
        assert_eq!(serde_json::from_value::<CallbackOutcome>(json).expect("back"), outcome);
    }

    #[test]
    fn outcomes_kept_by_an_earlier_version_are_read() {
        let old = "{\"outcome\":\"answered\",\"status\":200,\"content_type\":null,\"body\":\"{}\"}";
        let outcome: CallbackOutcome = serde_json::from_str(old).expect("old");
        assert!(matches!(outcome, CallbackOutcome::Answered { cut: false, headers, .. } if headers.is_empty()));
    }

    #[test]
    fn an_answer_longer_than_three_megabytes_is_cut_and_says_so() {
        for (length, expected) in [(LONGEST, false), (LONGEST + 1, true)] {
            let outcome = CallbackOutcome::read(true, 200, &headers(&[]), &vec![b'x'; length]);
            let CallbackOutcome::Answered { body, cut, .. } = outcome else { panic!("{length}") };
            assert_eq!((body.len(), cut), (LONGEST, expected));
        }
    }
}
