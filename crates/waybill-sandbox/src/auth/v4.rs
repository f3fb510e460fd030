//! Signature version 4: HMAC-SHA256 with a key of one day and region, over the hash of a canonical request.
//!
//! Source: *Include a V4 signature in the Authorization header*.

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{Asked, Verifier, clock, header_text, header_token, header_values, mismatch};
use crate::{
    answer::OssError,
    escape::{encode, hex_lower},
    route::Target,
};

pub(super) const ALGORITHM: &str = "OSS4-HMAC-SHA256";
/// The only payload hash that the SDKs send, and that the page of EC 0002-00000214 allows.
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const ENDING: &str = "aliyun_v4_request";

/// Checks `Authorization: OSS4-HMAC-SHA256 Credential=…[,AdditionalHeaders=…],Signature=…`.
pub(super) fn check_header(verifier: &Verifier<'_>, asked: Asked<'_>, given: &str) -> Result<(), OssError> {
    let Claim { credential, additional, signature } = Claim::parse(given)?;
    let scope = Scope::parse(credential, Place::HEADER, given)?;
    let secret = verifier.secret(scope.access_key_id, header_token(asked.headers).as_deref())?;
    let (_, at) = clock::request_date(asked.headers)?;
    clock::check_skew(at, verifier.now)?;
    let date = at.strftime("%Y%m%dT%H%M%SZ").to_string();
    scope.check(&date, &verifier.config.region, Place::HEADER, given)?;
    let hash = header_text(asked.headers, "x-oss-content-sha256").unwrap_or_default();
    if hash != UNSIGNED {
        let text = format!("x-oss-content-sha256 must be {UNSIGNED}.");
        return Err(OssError::argument(text, "x-oss-content-sha256", &hash).ec("0002-00000214"));
    }
    check_additional(additional, asked.headers)?;
    check_signature(asked, &scope, &secret, &date, additional.unwrap_or_default(), signature)
}

/// Compares with the signature that the server calculates; `date` is the one that was signed.
pub(super) fn check_signature(
    asked: Asked<'_>,
    scope: &Scope<'_>,
    secret: &str,
    date: &str,
    additional: &str,
    signature: &str,
) -> Result<(), OssError> {
    let to_sign = string_to_sign(date, scope, &canonical_request(asked, additional));
    if scope.sign(secret, to_sign.as_bytes()) == signature {
        return Ok(());
    }
    Err(mismatch("0002-00000201", scope.access_key_id, signature, to_sign.as_bytes()))
}

/// The parts of an Authorization header. The order of its fields and spaces after commas are free, since oss2 for
/// Python writes them otherwise than the page does.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claim<'a> {
    pub(super) credential: &'a str,
    pub(super) additional: Option<&'a str>,
    pub(super) signature: &'a str,
}

impl<'a> Claim<'a> {
    pub(super) fn parse(header: &'a str) -> Result<Self, OssError> {
        let malformed =
            || OssError::argument("Authorization header is invalid.", "Authorization", header).ec("0002-00000202");
        let fields = header.strip_prefix(ALGORITHM).and_then(|rest| rest.strip_prefix(' ')).ok_or_else(malformed)?;
        let (mut credential, mut additional, mut signature) = (None, None, None);
        for field in fields.split(',') {
            let slot = match field.trim().split_once('=') {
                Some(("Credential", value)) => (&mut credential, value),
                Some(("AdditionalHeaders", value)) => (&mut additional, value),
                Some(("Signature", value)) => (&mut signature, value),
                _ => return Err(malformed()),
            };
            if slot.0.replace(slot.1).is_some() {
                return Err(malformed());
            }
        }
        let (Some(credential), Some(signature)) = (credential, signature) else {
            return Err(malformed());
        };
        Ok(Self { credential, additional, signature })
    }
}

/// Where a credential stands decides the words and the ECs of its refusals.
#[derive(Clone, Copy)]
pub(super) struct Place {
    argument: &'static str,
    credential_ec: &'static str,
    day_ec: &'static str,
}

impl Place {
    pub(super) const HEADER: Self =
        Self { argument: "Authorization", credential_ec: "0002-00000213", day_ec: "0002-00000212" };
    /// The EC of a bad credential in a URL is not established; that of its AccessKey ID part stands in.
    pub(super) const URL: Self =
        Self { argument: "x-oss-credential", credential_ec: "0002-00000222", day_ec: "0002-00000223" };
    pub(super) const FORM: Self =
        Self { argument: "x-oss-credential", credential_ec: "0002-00000710", day_ec: "0002-00000709" };

    fn invalid(self, what: &str, ec: &'static str, given: &str) -> OssError {
        let place = if self.argument == "Authorization" { "Authorization header" } else { self.argument };
        OssError::argument(format!("Invalid signing {what} in {place}."), self.argument, given).ec(ec)
    }
}

/// `<AccessKeyId>/<day>/<region>/oss/aliyun_v4_request`
pub(super) struct Scope<'a> {
    pub(super) access_key_id: &'a str,
    day: &'a str,
    region: &'a str,
    product: &'a str,
    ending: &'a str,
}

impl<'a> Scope<'a> {
    pub(super) fn parse(credential: &'a str, place: Place, given: &str) -> Result<Self, OssError> {
        // An AccessKey ID may hold a slash as little as any other part, so five parts it is.
        let mut parts = credential.split('/');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        match (next(), next(), next(), next(), next(), next()) {
            (Some(access_key_id), Some(day), Some(region), Some(product), Some(ending), None) if ending == ENDING => {
                Ok(Self { access_key_id, day, region, product, ending })
            }
            _ => Err(place.invalid("credential", place.credential_ec, given)),
        }
    }

    /// Whether it is for this region and product and the day of `date`. Of the signing region and product the real
    /// service says just these words (issues 29 of the Go SDK and 74 of the Python SDK).
    pub(super) fn check(&self, date: &str, region: &str, place: Place, given: &str) -> Result<(), OssError> {
        if date.get(..8) != Some(self.day) {
            return Err(place.invalid("date", place.day_ec, given));
        }
        if self.region != region {
            return Err(place.invalid("region", "0002-00000226", given));
        }
        if self.product != "oss" {
            return Err(place.invalid("product", "0002-00000227", given));
        }
        Ok(())
    }

    /// The signature in lower-case hex.
    pub(super) fn sign(&self, secret: &str, message: &[u8]) -> String {
        let mut key = format!("aliyun_v4{secret}").into_bytes();
        for part in [self.day, self.region, self.product, self.ending] {
            key = mac(&key, part.as_bytes());
        }
        hex_lower(&mac(&key, message))
    }
}

/// The list must be lower-case, in order, without gaps, and name headers that are there: empty, an empty name in it and
/// an absent header have a page each. For disorder and capitals, which the same pages forbid, no EC is established.
pub(super) fn check_additional(list: Option<&str>, headers: &HeaderMap) -> Result<(), OssError> {
    let Some(list) = list else { return Ok(()) };
    let refuse =
        |ec| Err(OssError::argument("Invalid additional headers of the signature.", "AdditionalHeaders", list).ec(ec));
    let names: Vec<&str> = list.split(';').collect();
    if list.is_empty() {
        refuse("0002-00000209")
    } else if names.iter().any(|name| name.is_empty()) {
        refuse("0002-00000210")
    } else if names.iter().any(|name| name.contains('_') || !headers.contains_key(*name)) {
        refuse("0002-00000211")
    } else if list.bytes().any(|b| b.is_ascii_uppercase()) || !names.is_sorted_by(|a, b| a < b) {
        refuse("0002-00000209")
    } else {
        Ok(())
    }
}

/// The canonical request. Header values may hold any bytes, so this is bytes too.
pub(super) fn canonical_request(asked: Asked<'_>, additional: &str) -> Vec<u8> {
    let Asked { method, target, headers } = asked;
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
        out.extend_from_slice(&header_values(headers, name));
        out.push(b'\n');
    }
    out.push(b'\n');
    out.extend_from_slice(additional.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(UNSIGNED.as_bytes());
    out
}

fn canonical_uri(target: &Target) -> String {
    match (&target.bucket, &target.key) {
        (None, _) => "/".to_owned(),
        (Some(bucket), key) => {
            format!(
                "/{}/{}",
                encode(bucket.as_bytes(), true),
                encode(key.as_deref().unwrap_or_default().as_bytes(), true)
            )
        }
    }
}

/// Every parameter but the signature itself, sorted by its escaped name as bytes.
fn canonical_query(target: &Target) -> String {
    let mut pairs: Vec<(String, String)> = target
        .query
        .iter()
        .filter(|(name, _)| name != "x-oss-signature")
        .map(|(name, value)| (encode(name.as_bytes(), false), encode(value.as_bytes(), false)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| if value.is_empty() { name } else { format!("{name}={value}") })
        .collect();
    pairs.join("&")
}

pub(super) fn string_to_sign(date: &str, scope: &Scope<'_>, canonical: &[u8]) -> String {
    let Scope { day, region, product, ending, .. } = scope;
    format!("{ALGORITHM}\n{date}\n{day}/{region}/{product}/{ending}\n{}", hex_lower(&Sha256::digest(canonical)))
}

fn mac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
