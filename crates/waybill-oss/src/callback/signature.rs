//! Whether a callback really came from OSS: its signature, and the key it is checked with.
//!
//! For the server that receives callbacks [API page Callback; ruby `rails/aliyun_oss_callback_server.rb`]. The published
//! key has 512 bits, which can be factored: a good signature is weak evidence. An unguessable value in a variable or in
//! the callback's URL is better.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use rsa::pkcs1::RsaPublicKeyRef;
use rsa::pkcs8::der::{Decode, Document};
use rsa::pkcs8::spki::SubjectPublicKeyInfoRef;
use rsa::{BoxedUint, Pkcs1v15Sign, RsaPublicKey};

/// Where Alibaba publishes the keys that callbacks are signed with; a key from elsewhere proves nothing.
pub const KEY_URL_PREFIXES: [&str; 2] = ["http://gosspublic.alicdn.com/", "https://gosspublic.alicdn.com/"];

/// The key that Alibaba publishes at `http[s]://gosspublic.alicdn.com/callback_pub_key_v1.pem`. It does not change, so
/// nobody need be asked for it [API page Callback].
const PUBLISHED: &str = "-----BEGIN PUBLIC KEY-----\n\
    MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKs/JBGzwUB2aVht4crBx3oIPBLNsjGs\n\
    C0fTXv+nvlmklvkcolvpvXLTjaxUHR3W9LXxQ2EHXAJfCB+6H2YF1k8CAwEAAQ==\n\
    -----END PUBLIC KEY-----\n";
const PUBLISHED_NAME: &str = "callback_pub_key_v1.pem";

/// Key sizes taken, in bits: the published key has 512, the sandbox's more.
const KEY_BITS: std::ops::RangeInclusive<usize> = 512..=8192;

/// Why a callback is not taken for one from OSS. Written for the log of the server that received it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A header that carries the signature or the key's address is missing.
    #[error("the header “{0}” is missing, so this is not a callback of OSS")]
    Missing(&'static str),
    /// `x-oss-pub-key-url` is not the Base64 of an address.
    #[error("the header “x-oss-pub-key-url” is not the Base64 of an address")]
    KeyUrlUnreadable,
    /// The key lies where anybody could have put it.
    #[error("the key's address “{0}” is not one of Alibaba's (http[s]://gosspublic.alicdn.com/), so it proves nothing")]
    ForeignKey(String),
    /// What lies at the key's address is no RSA key in PEM.
    #[error("the public key cannot be read: {0}")]
    KeyUnreadable(String),
    /// `authorization` is not Base64.
    #[error("the header “authorization” is not Base64")]
    SignatureUnreadable,
    /// The signature is not one of this key over this request.
    #[error("the signature does not fit the path, query and body that arrived")]
    WrongSignature,
}

/// A public key that callbacks are verified with. It does not change, so it may be kept for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(RsaPublicKey);

impl PublicKey {
    /// Reads the PEM text that lies at the key's address, `-----BEGIN PUBLIC KEY-----`, 512 to 8192 bits.
    pub fn from_pem(pem: &str) -> Result<Self, Refusal> {
        let unreadable = |error: &dyn std::fmt::Display| Refusal::KeyUnreadable(error.to_string());
        let (_, document) = Document::from_pem(pem.trim()).map_err(|error| unreadable(&error))?;
        let info = SubjectPublicKeyInfoRef::from_der(document.as_bytes()).map_err(|error| unreadable(&error))?;
        let key = RsaPublicKeyRef::from_der(info.subject_public_key.raw_bytes()).map_err(|error| unreadable(&error))?;
        let (n, e) = (key.modulus.as_bytes(), key.public_exponent.as_bytes());
        let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
        let key = RsaPublicKey::new_with_size_limits(number(n), number(e), KEY_BITS);
        key.map(PublicKey).map_err(|error| unreadable(&error))
    }
}

/// The key at an address, if it is the published one; of all others its place has to be asked.
pub fn published_key(url: &str) -> Option<PublicKey> {
    let published = KEY_URL_PREFIXES.iter().any(|prefix| url.strip_prefix(prefix) == Some(PUBLISHED_NAME));
    if published { PublicKey::from_pem(PUBLISHED).ok() } else { None }
}

/// The bytes that OSS signs: the path percent-decoded, the query as it came with its question mark, LF, the body.
///
/// `request_target` is the path and query of the request line, as they arrived. A plus sign stays one.
pub fn string_to_sign(request_target: &str, body: &[u8]) -> Vec<u8> {
    let (path, query) = request_target.split_at(request_target.find('?').unwrap_or(request_target.len()));
    let mut bytes = decoded(path);
    bytes.extend_from_slice(query.as_bytes());
    bytes.push(b'\n');
    bytes.extend_from_slice(body);
    bytes
}

/// Where the key of a callback lies, from the value of its header `x-oss-pub-key-url`; the caller fetches it.
///
/// Only [`KEY_URL_PREFIXES`] are taken, and the prefixes in `also`, such as `http://127.0.0.1:9000/` for a sandbox. A
/// prefix must end where the host does, with a slash, or a foreign host could begin with it.
pub fn key_url(header: Option<&str>, also: &[&str]) -> Result<String, Refusal> {
    let header = header.ok_or(Refusal::Missing("x-oss-pub-key-url"))?;
    let bytes = STANDARD.decode(header.trim()).map_err(|_| Refusal::KeyUrlUnreadable)?;
    let url = String::from_utf8(bytes).map_err(|_| Refusal::KeyUrlUnreadable)?;
    let taken = KEY_URL_PREFIXES.iter().chain(also).any(|prefix| prefix.ends_with('/') && url.starts_with(prefix));
    if taken { Ok(url) } else { Err(Refusal::ForeignKey(url)) }
}

/// Whether `authorization`, the header's value, is this key's signature over the request: RSA PKCS#1 v1.5 with MD5 over
/// [`string_to_sign`]. `Ok` means that it is; a [`Refusal`] says why not.
pub fn verify(key: &PublicKey, request_target: &str, authorization: Option<&str>, body: &[u8]) -> Result<(), Refusal> {
    let authorization = authorization.ok_or(Refusal::Missing("authorization"))?;
    let signature = STANDARD.decode(authorization.trim()).map_err(|_| Refusal::SignatureUnreadable)?;
    let hash = Md5::digest(string_to_sign(request_target, body));
    key.0.verify(Pkcs1v15Sign::new::<Md5>(), &hash, &signature).map_err(|_| Refusal::WrongSignature)
}

/// `%XX` as the byte it stands for; what only looks like it stays as it is, as in the page's own code.
fn decoded(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                // Two digits of four bits fit a byte.
                out.push((high << 4 | low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
