//! Who is let in: V1 and V4 signatures in the header, in the URL and in a form, checked as the server does it.
//!
//! Codes and ECs are from Alibaba's page of each EC (help.aliyun.com, *OSS EC 0002-…*) unless said otherwise.

mod clock;
mod form;
mod policy;
mod presigned;
mod tokens;
mod v1;
mod v4;

use axum::http::{HeaderMap, Method};
use jiff::Timestamp;

use crate::{answer::OssError, config::SandboxConfig, route::Target};

pub(crate) use clock::now;
pub(crate) use form::check_form;
pub(crate) use presigned::URL_PARAMETERS;
pub use tokens::IssuedToken;
pub(crate) use tokens::Tokens;

/// What signatures are checked against: the keys, the region and the sandbox's own clock.
pub(crate) struct Verifier<'a> {
    pub(crate) config: &'a SandboxConfig,
    pub(crate) tokens: &'a Tokens,
    pub(crate) now: Timestamp,
}

/// What of a request is signed.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a Method,
    pub(crate) target: &'a Target,
    pub(crate) headers: &'a HeaderMap,
}

impl Verifier<'_> {
    /// Accepts a request that is signed with a known pair, for this region, at about this time.
    pub(crate) fn check(&self, asked: Asked<'_>) -> Result<(), OssError> {
        let header = header_text(asked.headers, "authorization");
        let url = presigned::Kind::of(asked.target);
        match (header, url) {
            (Some(given), Some(_)) => Err(OssError::argument(
                "The request carries a signature in the Authorization header and another one in the URL.",
                "Authorization",
                &given,
            )
            .ec("0002-00000039")),
            (Some(given), None) if given.starts_with(v4::ALGORITHM) => v4::check_header(self, asked, &given),
            (Some(given), None) if given.starts_with("OSS ") => v1::check_header(self, asked, &given),
            (Some(given), None) => {
                Err(OssError::argument("Authorization header is invalid.", "Authorization", &given).ec("0002-00000061"))
            }
            (None, Some(presigned::Kind::V4)) => presigned::check_v4(self, asked),
            (None, Some(presigned::Kind::V1)) => presigned::check_v1(self, asked),
            (None, None) => Err(anonymous(asked.target)),
        }
    }

    /// The secret of an AccessKey ID. With a security token the pair must be a temporary one, without it the static one. For
    /// a temporary one without its token OSS has words of its own (an answer of it in lucky1213/aliyun_oss, issue 19).
    fn secret(&self, access_key_id: &str, token: Option<&str>) -> Result<String, OssError> {
        match token.filter(|token| !token.is_empty()) {
            Some(token) => self.tokens.secret(access_key_id, token, self.now),
            None if access_key_id == self.config.access_key_id => Ok(self.config.access_key_secret.clone()),
            None if access_key_id.starts_with("STS.") => {
                let message = "The OSS Access Key Id you provided does not exist in our records. The Security Token may \
                               be lost to specify that it is a STS Access Id.";
                let mut error = unknown_key(access_key_id, "0002-00000003");
                error.message = message.to_owned();
                Err(error)
            }
            None => Err(unknown_key(access_key_id, "0002-00000902")),
        }
    }
}

/// Whether a request carries a signature of any kind, good or bad.
pub(crate) fn is_signed(headers: &HeaderMap, target: &Target) -> bool {
    headers.contains_key("authorization") || presigned::Kind::of(target).is_some()
}

fn anonymous(target: &Target) -> OssError {
    if target.bucket.is_some() {
        denied("You have no right to access this object because of bucket acl.").ec("0003-00000001")
    } else {
        denied("Anonymous access is forbidden for this operation.").ec("0003-00001201")
    }
}

fn unknown_key(access_key_id: &str, ec: &'static str) -> OssError {
    OssError::new(403, "InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records.")
        .ec(ec)
        .with("OSSAccessKeyId", access_key_id)
}

/// The answer that ends most signing bugs: what the server signed, as text and as bytes (which end in a space, as OSS
/// writes them). Whether OSS adds the canonical request for V4 is not established, so it is not there.
fn mismatch(ec: &'static str, access_key_id: &str, provided: &str, to_sign: &[u8]) -> OssError {
    let bytes: String = to_sign.iter().map(|byte| format!("{byte:02X} ")).collect();
    OssError::new(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    )
    .ec(ec)
    .with("OSSAccessKeyId", access_key_id)
    .with("SignatureProvided", provided)
    .with("StringToSign", String::from_utf8_lossy(to_sign))
    .with("StringToSignBytes", bytes)
}

/// The security token of a header request: `x-oss-security-token`, signed with the other `x-oss-` headers.
///
/// alibabacloud-oss-v2 signs V1 with an unsigned `security-token` header instead (`signer/v1.py`, every version up to July
/// 2026). No page says that OSS reads it, so it is not read here: what works against a sandbox must work against OSS.
fn header_token(headers: &HeaderMap) -> Option<String> {
    header_text(headers, "x-oss-security-token")
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes().trim_ascii()).into_owned())
}

/// A header's values, trimmed and joined as HTTP joins repeated headers. They may hold any bytes.
fn header_values(headers: &HeaderMap, name: &str) -> Vec<u8> {
    let values: Vec<&[u8]> = headers.get_all(name).iter().map(|value| value.as_bytes().trim_ascii()).collect();
    values.join(&b","[..])
}

fn denied(message: &str) -> OssError {
    OssError::new(403, "AccessDenied", message)
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod form_tests;
#[cfg(test)]
#[path = "garbage_tests.rs"]
mod garbage_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
#[path = "vector_tests.rs"]
mod vector_tests;
