//! Signature version 4 of OSS in its shortest form: nothing but the two headers that it needs, the key of the day kept.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Signs for one day and region, which outlive a run.
pub(crate) struct Signer {
    key: [u8; 32],
    /// `day/region/oss/aliyun_v4_request`
    scope: String,
    id: String,
}

impl Signer {
    pub(crate) fn new(id: String, secret: &str, region: &str) -> Self {
        let day = Timestamp::now().strftime("%Y%m%d").to_string();
        let first = mac(format!("aliyun_v4{secret}").as_bytes(), day.as_bytes());
        let key = [region, "oss", "aliyun_v4_request"].iter().fold(first, |key, part| mac(&key, part.as_bytes()));
        Signer { key, scope: format!("{day}/{region}/oss/aliyun_v4_request"), id }
    }

    /// `path` is `/bucket/key` and `query` sorted, both escaped as they are sent.
    pub(crate) fn headers(&self, method: &str, path: &str, query: &str) -> HeaderMap {
        let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let canonical =
            format!("{method}\n{path}\n{query}\nx-oss-content-sha256:{UNSIGNED}\nx-oss-date:{stamp}\n\n\n{UNSIGNED}");
        let hash = hex(&Sha256::digest(canonical.as_bytes()));
        let text = format!("OSS4-HMAC-SHA256\n{stamp}\n{}\n{hash}", self.scope);
        let signature = hex(&mac(&self.key, text.as_bytes()));
        let seal = format!("OSS4-HMAC-SHA256 Credential={}/{},Signature={signature}", self.id, self.scope);
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(HeaderName::from_static("x-oss-content-sha256"), HeaderValue::from_static(UNSIGNED));
        for (name, value) in [(HeaderName::from_static("x-oss-date"), stamp), (AUTHORIZATION, seal)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        headers
    }
}

fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
