//! The keys in hand and where new ones come from.

use crate::credential::Credential;
use crate::error::Error;

/// The keys in hand and where new ones come from. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Credentials(Credential);

impl From<Credential> for Credentials {
    fn from(credential: Credential) -> Self {
        Credentials(credential)
    }
}

impl Credentials {
    /// The keys to sign with now.
    pub async fn current(&self) -> Result<Credential, Error> {
        Ok(self.0.clone())
    }

    /// OSS refused these keys as expired: whether there are others now.
    pub async fn renew(&self, _refused: &Credential) -> Result<bool, Error> {
        Ok(false)
    }
}
