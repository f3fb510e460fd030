//! What an operation ends in: an answer, an OSS error, or a closed connection.

use std::{borrow::Cow, io};

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::xml::Element;

/// How an operation ends.
pub(crate) type Outcome = Result<Response<Body>, Refusal>;

/// Why an operation did not come to its own answer.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Answered with an error document.
    Oss(OssError),
    /// The connection is closed without a byte of answer.
    Hangup,
}

impl From<OssError> for Refusal {
    fn from(error: OssError) -> Self {
        Self::Oss(error)
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        tracing::error!(%error, "sandbox storage failed");
        Self::Oss(OssError::new(500, "InternalError", format!("We encountered an internal error: {error}.")))
    }
}

/// An OSS error document.
#[derive(Debug, Clone)]
pub(crate) struct OssError {
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) ec: Option<&'static str>,
    extra: Vec<(&'static str, String)>,
}

impl OssError {
    pub(crate) fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), ec: None, extra: Vec::new() }
    }

    /// Adds the error cause number.
    pub(crate) fn ec(mut self, ec: &'static str) -> Self {
        self.ec = Some(ec);
        self
    }

    /// Adds an element such as `StringToSign`.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.extra.push((name, value.into()));
        self
    }

    #[cfg(test)]
    pub(crate) fn extra(&self, name: &str) -> Option<&str> {
        self.extra.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }

    /// 400 InvalidArgument about one named argument.
    pub(crate) fn argument(message: impl Into<String>, name: &str, value: &str) -> Self {
        Self::new(400, "InvalidArgument", message).with("ArgumentName", name).with("ArgumentValue", value)
    }

    /// 404 NoSuchUpload. Each operation has its own EC for it (NoSuchUpload FAQ and EC pages).
    pub(crate) fn no_such_upload(upload_id: &str, ec: &'static str) -> Self {
        Self::new(
            404,
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
        )
        .ec(ec)
        .with("UploadId", upload_id)
    }

    /// 404 NoSuchKey.
    pub(crate) fn no_such_key(key: &str) -> Self {
        Self::new(404, "NoSuchKey", "The specified key does not exist.").ec("0026-00000001").with("Key", key)
    }

    /// 400 MalformedXML.
    pub(crate) fn malformed_xml() -> Self {
        Self::new(
            400,
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema.",
        )
    }

    /// The document: `<Error><Code/><Message/><RequestId/><HostId/>…<EC/><RecommendDoc/></Error>`.
    pub(crate) fn document(&self, request_id: &str, host: &str) -> String {
        let mut error = Element::new("Error")
            .text("Code", &self.code)
            .text("Message", &self.message)
            .text("RequestId", request_id)
            .text("HostId", host);
        for (name, value) in &self.extra {
            error = error.text(name, value);
        }
        if let Some(ec) = self.ec {
            error = error.text("EC", ec).text("RecommendDoc", &format!("https://api.aliyun.com/troubleshoot?q={ec}"));
        }
        error.document()
    }

    /// The answer. A HEAD request has no body, so its document travels Base64-coded in `x-oss-err`.
    pub(crate) fn response(&self, request_id: &str, host: &str, head_only: bool) -> Response<Body> {
        let document = self.document(request_id, host);
        let mut response = if head_only {
            let mut response = Response::new(Body::empty());
            put(&mut response, "x-oss-err", &BASE64_STANDARD.encode(document));
            response
        } else {
            xml(document)
        };
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(ec) = self.ec {
            put(&mut response, "x-oss-ec", ec);
        }
        response
    }
}

/// A 200 answer with an XML body.
pub(crate) fn xml(document: String) -> Response<Body> {
    let mut response = Response::new(Body::from(document));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Sets a header; a value that HTTP cannot carry is left out.
pub(crate) fn put(response: &mut Response<Body>, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes())) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_document_carries_code_request_id_extras_and_ec() {
        let error = OssError::no_such_upload("U<1>", "0042-00000203");
        assert_eq!(
            error.document("REQ", "127.0.0.1:1"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchUpload</Code><Message>The specified upload does not exist. \
             The upload ID may be invalid, or the upload may have been aborted or completed.</Message><RequestId>REQ</RequestId>\
             <HostId>127.0.0.1:1</HostId><UploadId>U&lt;1&gt;</UploadId><EC>0042-00000203</EC>\
             <RecommendDoc>https://api.aliyun.com/troubleshoot?q=0042-00000203</RecommendDoc></Error>"
        );
    }

    #[test]
    fn a_head_error_has_its_document_in_a_header() {
        let response = OssError::no_such_key("k").response("REQ", "h", true);
        assert_eq!(response.status(), 404);
        let document = BASE64_STANDARD.decode(&response.headers()["x-oss-err"]).expect("Base64");
        assert!(String::from_utf8(document).expect("text").contains("<Code>NoSuchKey</Code>"));
        assert_eq!(response.headers()["x-oss-ec"], "0026-00000001");
    }
}
