//! The V4 signature a request should have, read off what arrived (path style; section 3 of the protocol notes).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::server::{SECRET, Seen};

/// Whether the Authorization header signs the request.
pub(crate) fn in_header(request: &Seen) -> bool {
    let signature = signature(request, request.header("x-oss-date"), &query(request));
    request.header("authorization").ends_with(&format!("Signature={signature}"))
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
        && value("x-oss-signature") == signature(request, stamp, &signed)
}

fn query(request: &Seen) -> Vec<&str> {
    let (_, query) = request.target.split_once('?').unwrap_or_default();
    let mut query: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    // By name: as whole texts, “callback-var=” would come before “callback=”.
    query.sort_unstable_by_key(|pair| pair.split_once('=').unwrap_or((pair, "")));
    query
}

fn signature(request: &Seen, stamp: &str, query: &[&str]) -> String {
    let path = request.target.split('?').next().unwrap_or_default();
    let mut headers = String::new();
    for (name, value) in &request.headers {
        if name.starts_with("x-oss-") || name == "content-type" || name == "content-md5" {
            headers += &format!("{name}:{value}\n");
        }
    }
    let uri = path.replace("%2F", "/");
    let canonical = format!("{}\n{uri}\n{}\n{headers}\n\nUNSIGNED-PAYLOAD", request.method, query.join("&"));
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
