//! The signature a request should have, read off what arrived (path style; sections 2 and 3 of the protocol notes).

use base64::Engine as _;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::server::{SECRET, Seen};

/// Whether the Authorization header signs the request.
pub(crate) fn in_header(request: &Seen) -> bool {
    let authorization = request.header("authorization");
    if let Some(v1) = authorization.strip_prefix("OSS ") {
        return v1 == format!("ak:{}", signature_v1(request));
    }
    let listed = authorization.split(",AdditionalHeaders=").nth(1).and_then(|rest| rest.split(',').next());
    let signature = signature(request, request.header("x-oss-date"), &query(request), listed.unwrap_or_default());
    authorization.ends_with(&format!(",Signature={signature}"))
}

/// Of a request whose query holds nothing but sub-resources.
fn signature_v1(request: &Seen) -> String {
    let mut text = format!("{}\n", request.method);
    for name in ["content-md5", "content-type", "date"] {
        text += &format!("{}\n", request.header(name));
    }
    for (name, value) in request.headers.iter().filter(|(name, _)| name.starts_with("x-oss-")) {
        text += &format!("{name}:{value}\n");
    }
    text += request.target.split('?').next().unwrap_or_default();
    let query = query(request).join("&");
    if !query.is_empty() {
        text += &format!("?{query}");
    }
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(SECRET.as_bytes()).expect("key");
    mac.update(text.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

/// Whether the URL signs the request.
pub(crate) fn in_url(request: &Seen) -> bool {
    let query = query(request);
    let value =
        |name: &str| query.iter().find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default();
    let stamp = value("x-oss-date");
    let scope = format!("ak%2F{}%2Fcn-hangzhou%2Foss%2Faliyun_v4_request", stamp.get(..8).unwrap_or_default());
    let signed: Vec<&str> = query.iter().copied().filter(|pair| !pair.starts_with("x-oss-signature=")).collect();
    value("x-oss-credential") == scope
        && value("x-oss-signature-version") == "OSS4-HMAC-SHA256"
        && value("x-oss-signature")
            == signature(request, stamp, &signed, &value("x-oss-additional-headers").replace("%3B", ";"))
}

fn query(request: &Seen) -> Vec<&str> {
    let (_, query) = request.target.split_once('?').unwrap_or_default();
    let mut query: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    // By name: as whole texts, “callback-var=” would come before “callback=”.
    query.sort_unstable_by_key(|pair| pair.split_once('=').unwrap_or((pair, "")));
    query
}

fn signature(request: &Seen, stamp: &str, query: &[&str], listed: &str) -> String {
    let path = request.target.split('?').next().unwrap_or_default();
    let mut headers = String::new();
    for (name, value) in &request.headers {
        let is_listed = listed.split(';').any(|other| other == name);
        if name.starts_with("x-oss-") || name == "content-type" || name == "content-md5" || is_listed {
            headers += &format!("{name}:{value}\n");
        }
    }
    let uri = path.replace("%2F", "/");
    let canonical = format!("{}\n{uri}\n{}\n{headers}\n{listed}\nUNSIGNED-PAYLOAD", request.method, query.join("&"));
    let date = stamp.get(..8).unwrap_or_default();
    let hash = hex(&Sha256::digest(canonical));
    let text = format!("OSS4-HMAC-SHA256\n{stamp}\n{date}/cn-hangzhou/oss/aliyun_v4_request\n{hash}");
    let mut key = format!("aliyun_v4{SECRET}").into_bytes();
    for step in [date, "cn-hangzhou", "oss", "aliyun_v4_request", &text] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("key");
        mac.update(step.as_bytes());
        key = mac.finalize().into_bytes().to_vec();
    }
    hex(&key)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
