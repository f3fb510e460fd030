//! Temporary keys, as STS issues them: a pair that works only with its token, and only until it expires.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::unknown_key;
use crate::answer::OssError;

/// A temporary key pair and its token, as AssumeRole gives them.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// AccessKey ID; begins with `STS.`.
    pub access_key_id: String,
    /// Its secret.
    pub access_key_secret: String,
    /// What every request must carry besides its signature.
    pub security_token: String,
    /// When it ends by the sandbox's clock.
    pub expires: Timestamp,
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedToken")
            .field("access_key_id", &self.access_key_id)
            .field("access_key_secret", &"***")
            .field("security_token", &"***")
            .field("expires", &self.expires)
            .finish()
    }
}

/// So many pairs are known as expired after their end; beyond that they are unknown ones.
const REMEMBERED: usize = 1_000;

/// The temporary keys that were issued since the start.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<Vec<IssuedToken>>);

impl Tokens {
    /// A new pair that works from now on for `lifetime`.
    pub(crate) fn issue(&self, lifetime: SignedDuration, now: Timestamp) -> IssuedToken {
        let random = || Uuid::new_v4().simple().to_string();
        let token = IssuedToken {
            access_key_id: format!("STS.{}", &random()[..24]),
            access_key_secret: random(),
            // Like the real ones this holds characters that must be escaped in a URL.
            security_token: format!("CAIS{}/+{}==", random(), random()),
            expires: now.saturating_add(lifetime).unwrap_or(Timestamp::MAX),
        };
        let mut issued = self.lock();
        if issued.len() >= REMEMBERED {
            issued.retain(|earlier| now < earlier.expires);
        }
        issued.push(token.clone());
        token
    }

    /// Ends every key issued so far, whatever the clock says.
    pub(crate) fn expire(&self) {
        for token in self.lock().iter_mut() {
            token.expires = Timestamp::MIN;
        }
    }

    /// The secret of a pair that is used with its own, living token.
    pub(crate) fn secret(&self, access_key_id: &str, token: &str, now: Timestamp) -> Result<String, OssError> {
        let issued = self.lock();
        let Some(known) = issued.iter().find(|known| known.access_key_id == access_key_id) else {
            // A static pair with a token is taken for an STS request too, and its ID is not one of STS.
            return Err(unknown_key(access_key_id, "0002-00000002"));
        };
        if known.security_token != token {
            return Err(if issued.iter().any(|other| other.security_token == token) {
                OssError::new(
                    403,
                    "AccessKeyIdAndSecurityTokenNotMatch",
                    "The OSS access key id and security token you provided does not match.",
                )
                .ec("0002-00000004")
            } else {
                OssError::new(403, "InvalidSecurityToken", "The security token you provided is invalid.")
                    .ec("0002-00000006")
            }
            .with("SecurityToken", token));
        }
        if now >= known.expires {
            let text = "The security token you provided has expired.";
            return Err(OssError::new(403, "SecurityTokenExpired", text)
                .ec("0002-00000007")
                .with("SecurityToken", token));
        }
        Ok(known.access_key_secret.clone())
    }

    #[cfg(test)]
    pub(crate) fn with(token: IssuedToken) -> Self {
        Self(Mutex::new(vec![token]))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<IssuedToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_pairs_are_forgotten_when_there_are_many_and_living_ones_never() {
        let (tokens, now) = (Tokens::default(), Timestamp::now());
        let (long, short) = (SignedDuration::from_hours(1), SignedDuration::from_secs(1));
        let living = tokens.issue(long, now);
        for _ in 1..REMEMBERED {
            tokens.issue(short, now);
        }
        let later = now + SignedDuration::from_secs(2);
        assert_eq!(tokens.lock().len(), REMEMBERED);
        tokens.issue(long, later);
        assert_eq!(tokens.lock().len(), 2);
        assert!(tokens.secret(&living.access_key_id, &living.security_token, later).is_ok());
    }
}
