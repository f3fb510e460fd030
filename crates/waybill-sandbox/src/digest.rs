//! `Content-MD5`: refused when it is no MD5 at all, and when it is not that of what arrived.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use md5::{Digest, Md5};

use crate::{answer::OssError, exchange::Exchange};

/// The MD5 that the client claims its body has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim([u8; 16]);

impl Claim {
    /// Reads a `Content-MD5` value: 400 InvalidDigest unless it is the Base64 of 16 bytes.
    pub(crate) fn read(given: &str) -> Result<Self, OssError> {
        let bytes = BASE64_STANDARD.decode(given).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| {
            OssError::new(400, "InvalidDigest", "The Content-MD5 you specified was invalid.").with("Content-MD5", given)
        })
    }

    /// The claim of a request, if it makes one.
    pub(crate) fn of(exchange: &Exchange) -> Result<Option<Self>, OssError> {
        exchange.header("content-md5").map(|given| Self::read(&given)).transpose()
    }

    /// 400 InvalidDigest when the body has another MD5.
    pub(crate) fn check(self, received: [u8; 16]) -> Result<(), OssError> {
        if self.0 == received {
            return Ok(());
        }
        let message = "The Content-MD5 you specified did not match what we received.";
        Err(OssError::new(400, "InvalidDigest", message)
            .with("ExpectedDigest", BASE64_STANDARD.encode(self.0))
            .with("CalculatedDigest", BASE64_STANDARD.encode(received)))
    }

    /// [`Claim::check`] of a body that is in memory.
    pub(crate) fn check_body(self, body: &[u8]) -> Result<(), OssError> {
        self.check(Md5::digest(body).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_base64_of_sixteen_bytes_is_a_claim() {
        assert!(Claim::read("1B2M2Y8AsgTpgAmY7PhCfg==").expect("reads").check_body(b"").is_ok());
        for given in ["", "abc", "d41d8cd98f00b204e9800998ecf8427e", "AAAA", "1B2M2Y8AsgTpgAmY7PhCfg"] {
            assert_eq!(Claim::read(given).unwrap_err().code, "InvalidDigest", "{given}");
        }
    }

    #[test]
    fn a_claim_for_another_body_is_refused() {
        let claim = Claim::read("1B2M2Y8AsgTpgAmY7PhCfg==").expect("reads");
        assert_eq!(claim.check_body(b"x").unwrap_err().code, "InvalidDigest");
    }
}
