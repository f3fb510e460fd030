//! An AccessKey pair and its token: held in memory only, starred wherever it might be printed.

use std::fmt;

use jiff::Timestamp;

/// Who signs. It is never serialised; `Debug` prints stars for everything secret.
#[derive(Clone)]
pub struct Credential {
    access_key_id: String,
    access_key_secret: String,
    security_token: Option<String>,
    expires_at: Option<Timestamp>,
}

impl Credential {
    /// Takes the pair, and the token that comes with temporary keys from STS. Blanks around them are dropped, as they
    /// come along when a key is copied from a page; a blank token is no token.
    pub fn new(
        access_key_id: impl Into<String>,
        access_key_secret: impl Into<String>,
        security_token: Option<String>,
    ) -> Self {
        Credential {
            access_key_id: access_key_id.into().trim().to_owned(),
            access_key_secret: access_key_secret.into().trim().to_owned(),
            security_token: security_token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty()),
            expires_at: None,
        }
    }

    /// The same keys, good until then.
    pub fn with_expiry(self, at: Timestamp) -> Self {
        Credential { expires_at: Some(at), ..self }
    }

    /// The public half, which every signed request shows.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The secret half: only for signing and for the SecretStore.
    pub fn access_key_secret(&self) -> &str {
        &self.access_key_secret
    }

    /// The STS token: as secret as the secret itself.
    pub fn security_token(&self) -> Option<&str> {
        self.security_token.as_deref()
    }

    /// When OSS stops taking them; none for lasting keys, and where the source does not say.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Whether these are the same keys, whatever is said of their end.
    pub(crate) fn same_keys(&self, other: &Credential) -> bool {
        self.access_key_id == other.access_key_id
            && self.access_key_secret == other.access_key_secret
            && self.security_token == other.security_token
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("access_key_id", &self.access_key_id)
            .field("access_key_secret", &"***")
            .field("security_token", &self.security_token.as_ref().map(|_| "***"))
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_a_pasted_key_are_dropped() {
        let credential = Credential::new(" ak\n", "\tsk ", Some("  ".to_owned()));
        assert_eq!((credential.access_key_id(), credential.access_key_secret()), ("ak", "sk"));
        assert_eq!(credential.security_token(), None);
    }

    #[test]
    fn secret_and_token_are_not_in_debug() {
        let credential = Credential::new("LTAI5t", "s3cr3t-key", Some("CAIStoken".to_owned()));
        let text = format!("{credential:?} {credential:#?}");
        assert!(text.contains("LTAI5t") && text.contains("***"), "{text}");
        assert!(!text.contains("s3cr3t-key") && !text.contains("CAIStoken"), "{text}");
    }
}
