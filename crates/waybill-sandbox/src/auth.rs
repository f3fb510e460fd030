//! Signature version 4 in the Authorization header, checked as the server does it.
//!
//! Source: *Include a V4 signature in the Authorization header*; ECs from the pages of those numbers.

use axum::http::{HeaderMap, Method};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use sha2::{Digest, Sha256};

use crate::{
    answer::OssError,
    config::SandboxConfig,
    escape::{encode, hex_lower, unhex},
    route::Target,
};

const ALGORITHM: &str = "OSS4-HMAC-SHA256";
/// Greatest allowed difference between the signer's clock and ours.
const SKEW_MS: i64 = 15 * 60 * 1000;

/// Accepts a request that is signed with the sandbox's own pair, for its region, at about `now`.
pub(crate) fn verify(
    config: &SandboxConfig,
    method: &Method,
    target: &Target,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<(), OssError> {
    let given = header_text(headers, "authorization").ok_or_else(|| denied("The request carries no signature."))?;
    let claim = Claim::parse(&given)?;
    if claim.access_key_id != config.access_key_id {
        return Err(OssError::new(
            403,
            "InvalidAccessKeyId",
            "The OSS Access Key Id you provided does not exist in our records.",
        )
        .ec("0002-00000902")
        .with("OSSAccessKeyId", claim.access_key_id));
    }
    let date = header_text(headers, "x-oss-date").ok_or_else(|| denied("x-oss-date is missing."))?;
    check_clock(&date, now)?;
    if claim.region != config.region {
        return Err(OssError::new(400, "InvalidArgument", "Invalid signing region in Authorization header.")
            .ec("0002-00000226")
            .with("Authorization", given));
    }
    if date.get(..8) != Some(claim.day) || claim.product != "oss" || claim.ending != "aliyun_v4_request" {
        return Err(OssError::argument("Invalid credential scope in Authorization header.", "Authorization", &given));
    }
    if header_text(headers, "x-oss-content-sha256").as_deref() != Some("UNSIGNED-PAYLOAD") {
        return Err(OssError::argument(
            "x-oss-content-sha256 must be UNSIGNED-PAYLOAD.",
            "x-oss-content-sha256",
            &header_text(headers, "x-oss-content-sha256").unwrap_or_default(),
        ));
    }
    check_additional(claim.additional, headers)?;

    let canonical = canonical_request(method, target, headers, claim.additional.unwrap_or_default());
    let to_sign = string_to_sign(&date, &claim.scope(), &canonical);
    let key = signing_key(&config.access_key_secret, claim.day, claim.region);
    let signature = unhex(claim.signature).unwrap_or_default();
    if mac(&key, to_sign.as_bytes()).verify_slice(&signature).is_err() {
        return Err(OssError::new(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
        )
        .ec("0002-00000201")
        .with("OSSAccessKeyId", claim.access_key_id)
        .with("SignatureProvided", claim.signature)
        .with("StringToSignBytes", spaced_hex(to_sign.as_bytes()))
        .with("StringToSign", to_sign));
    }
    Ok(())
}

/// The parts of an Authorization header. The order of its fields and spaces after commas are free, since oss2 for
/// Python writes them otherwise than the page does.
#[derive(Debug, PartialEq, Eq)]
struct Claim<'a> {
    access_key_id: &'a str,
    day: &'a str,
    region: &'a str,
    product: &'a str,
    ending: &'a str,
    additional: Option<&'a str>,
    signature: &'a str,
}

impl<'a> Claim<'a> {
    fn parse(header: &'a str) -> Result<Self, OssError> {
        let fields = header
            .strip_prefix(ALGORITHM)
            .ok_or_else(|| denied("The Authorization header is not of signature version 4."))?;
        let (mut credential, mut additional, mut signature) = (None, None, None);
        for field in fields.split(',') {
            match field.trim().split_once('=') {
                Some(("Credential", value)) => credential = Some(value),
                Some(("AdditionalHeaders", value)) => additional = Some(value),
                Some(("Signature", value)) => signature = Some(value),
                _ => return Err(malformed(header)),
            }
        }
        let (Some(credential), Some(signature)) = (credential, signature) else {
            return Err(malformed(header));
        };
        // An AccessKey ID may hold a slash as little as any other part, so five parts it is.
        let parts: Vec<&str> = credential.split('/').collect();
        let [access_key_id, day, region, product, ending] = parts[..] else {
            return Err(malformed(header));
        };
        Ok(Self { access_key_id, day, region, product, ending, additional, signature })
    }

    fn scope(&self) -> String {
        format!("{}/{}/{}/{}", self.day, self.region, self.product, self.ending)
    }
}

/// The canonical request. Header values may hold any bytes, so this is bytes too.
fn canonical_request(method: &Method, target: &Target, headers: &HeaderMap, additional: &str) -> Vec<u8> {
    let mut out = format!("{method}\n{}\n{}\n", canonical_uri(target), canonical_query(target)).into_bytes();
    let mut signed: Vec<&str> = headers
        .keys()
        .map(|name| name.as_str())
        .filter(|name| {
            name.starts_with("x-oss-")
                || *name == "content-type"
                || *name == "content-md5"
                || additional.split(';').any(|listed| listed == *name)
        })
        .collect();
    signed.sort_unstable();
    for name in signed {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        let values: Vec<&[u8]> = headers.get_all(name).iter().map(|value| value.as_bytes().trim_ascii()).collect();
        out.extend_from_slice(&values.join(&b","[..]));
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(additional.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(header_text(headers, "x-oss-content-sha256").unwrap_or_default().as_bytes());
    out
}

fn canonical_uri(target: &Target) -> String {
    match (&target.bucket, &target.key) {
        (None, _) => "/".to_owned(),
        (Some(bucket), None) => format!("/{}/", encode(bucket.as_bytes(), true)),
        (Some(bucket), Some(key)) => format!("/{}/{}", encode(bucket.as_bytes(), true), encode(key.as_bytes(), true)),
    }
}

fn canonical_query(target: &Target) -> String {
    let mut pairs: Vec<(String, String)> = target
        .query
        .iter()
        .map(|(name, value)| (encode(name.as_bytes(), false), encode(value.as_bytes(), false)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| if value.is_empty() { name } else { format!("{name}={value}") })
        .collect();
    pairs.join("&")
}

fn string_to_sign(date: &str, scope: &str, canonical: &[u8]) -> String {
    format!("{ALGORITHM}\n{date}\n{scope}\n{}", hex_lower(&Sha256::digest(canonical)))
}

fn signing_key(secret: &str, day: &str, region: &str) -> Vec<u8> {
    let mut key = format!("aliyun_v4{secret}").into_bytes();
    for part in [day, region, "oss", "aliyun_v4_request"] {
        key = mac(&key, part.as_bytes()).finalize().into_bytes().to_vec();
    }
    key
}

fn mac(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac
}

fn check_clock(date: &str, now: Timestamp) -> Result<(), OssError> {
    let at = DateTime::strptime("%Y%m%dT%H%M%SZ", date)
        .and_then(|time| time.to_zoned(TimeZone::UTC))
        .map_err(|_| OssError::argument("Invalid date in x-oss-date, must be in ISO8601 form.", "x-oss-date", date))?
        .timestamp();
    if (at.as_millisecond() - now.as_millisecond()).abs() > SKEW_MS {
        return Err(OssError::new(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        )
        .ec("0002-00000504")
        .with("MaxAllowedSkewMilliseconds", SKEW_MS.to_string())
        .with("RequestTime", at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string())
        .with("ServerTime", now.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()));
    }
    Ok(())
}

/// The list must be lower-case, in order, without gaps, and name headers that are there. The pages give EC -209 and
/// -210 for these cases together; which belongs to which is not established.
fn check_additional(list: Option<&str>, headers: &HeaderMap) -> Result<(), OssError> {
    let Some(list) = list else { return Ok(()) };
    let names: Vec<&str> = list.split(';').collect();
    let well_formed = names.iter().all(|name| !name.is_empty() && !name.bytes().any(|b| b.is_ascii_uppercase()))
        && names.is_sorted_by(|a, b| a < b);
    if !well_formed {
        return Err(
            OssError::argument("Invalid AdditionalHeaders list.", "AdditionalHeaders", list).ec("0002-00000209")
        );
    }
    if names.iter().any(|name| !headers.contains_key(*name)) {
        return Err(
            OssError::argument("A listed additional header is absent.", "AdditionalHeaders", list).ec("0002-00000210")
        );
    }
    Ok(())
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes().trim_ascii()).into_owned())
}

fn denied(message: &str) -> OssError {
    OssError::new(403, "AccessDenied", message)
}

fn malformed(header: &str) -> OssError {
    OssError::argument("Invalid Authorization header.", "Authorization", header)
}

fn spaced_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "auth_tests.rs"]
mod tests;
