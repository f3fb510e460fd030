//! Whether a callback comes from who it says: the check that the *Callback* page asks of every application.

use axum::http::HeaderMap;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use md5::Md5;
use rsa::{
    BoxedUint, RsaPublicKey, pkcs1,
    pkcs1v15::{Signature, VerifyingKey},
    pkcs8::{Document, SubjectPublicKeyInfoRef},
    signature::Verifier,
};
use serde::{Deserialize, Serialize};

use crate::callback::KEY_PATH;

/// Key URLs that the page allows, and the one key that is published there (512 bits, as it appears in public code). It
/// does not change, and the sandbox asks nobody on the network for it.
const ALIBABA: [&str; 2] = ["http://gosspublic.alicdn.com/", "https://gosspublic.alicdn.com/"];
const ALIBABA_NAME: &str = "callback_pub_key_v1.pem";
const ALIBABA_PEM: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGs\n\
    C0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==\n\
    -----END PUBLIC KEY-----\n";
/// OSS's key has the smallest of these.
const KEY_BITS: std::ops::RangeInclusive<usize> = 512..=4096;

/// What the signature of a received callback is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Signed by this sandbox.
    SignedBySandbox,
    /// Signed with the key of Alibaba Cloud OSS.
    SignedByOss,
    /// Without `authorization` or `x-oss-pub-key-url`: not a callback, or somebody tries things out.
    NotSigned,
    /// The key URL is neither Alibaba's nor this sandbox's; an application must refuse it.
    KeyNotTrusted,
    /// The signature does not fit path, query and body; an application must refuse it.
    SignatureWrong,
}

impl Verdict {
    /// In words, for the page.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::SignedBySandbox => "signed by this sandbox",
            Self::SignedByOss => "signed by Alibaba Cloud OSS",
            Self::NotSigned => "not signed",
            Self::KeyNotTrusted => "the key URL is not to be trusted",
            Self::SignatureWrong => "THE SIGNATURE IS WRONG",
        }
    }
}

/// Checks the headers of a callback against the text that should have been signed. `endpoint` and `own_pem` are the
/// sandbox's own.
pub(super) fn verify(headers: &HeaderMap, signed: &[u8], endpoint: &str, own_pem: &str) -> Verdict {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(authorization), Some(key_url)) = (text("authorization"), text("x-oss-pub-key-url")) else {
        return Verdict::NotSigned;
    };
    let key_url = BASE64_STANDARD.decode(key_url).ok().and_then(|url| String::from_utf8(url).ok());
    let is_alibaba = |url: &str| ALIBABA.iter().any(|host| url.strip_prefix(host) == Some(ALIBABA_NAME));
    let (pem, good) = match key_url.as_deref() {
        Some(url) if url.strip_prefix(endpoint) == Some(KEY_PATH) => (own_pem, Verdict::SignedBySandbox),
        Some(url) if is_alibaba(url) => (ALIBABA_PEM, Verdict::SignedByOss),
        Some(_) | None => return Verdict::KeyNotTrusted,
    };
    if is_signed(pem, signed, authorization) { good } else { Verdict::SignatureWrong }
}

fn is_signed(pem: &str, signed: &[u8], authorization: &str) -> bool {
    let signature = BASE64_STANDARD.decode(authorization).ok();
    let signature = signature.and_then(|bytes| Signature::try_from(bytes.as_slice()).ok());
    match (public_key(pem), signature) {
        (Some(key), Some(signature)) => VerifyingKey::<Md5>::new(key).verify(signed, &signature).is_ok(),
        _ => false,
    }
}

/// The library's own reader refuses keys as short as OSS's.
fn public_key(pem: &str) -> Option<RsaPublicKey> {
    let (_label, document) = Document::from_pem(pem).ok()?;
    let info = SubjectPublicKeyInfoRef::try_from(document.as_bytes()).ok()?;
    let key = pkcs1::RsaPublicKeyRef::try_from(info.subject_public_key.as_bytes()?).ok()?;
    let modulus = BoxedUint::from_be_slice_vartime(key.modulus.as_bytes());
    let exponent = BoxedUint::from_be_slice_vartime(key.public_exponent.as_bytes());
    RsaPublicKey::new_with_size_limits(modulus, exponent, KEY_BITS).ok()
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
