//! The secrets of destinations: typed in, kept in the keychain or in memory, and made ready for use.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use waybill_oss::{Credential, Credentials};

use crate::connect::Connector;
use crate::error::{Code, Error};
use crate::secrets::SecretStore;
use crate::store::destinations::DestinationRow;
use crate::view::{DestinationForm, KeySource};

/// What opens a destination.
#[derive(Clone)]
pub struct Access {
    /// Who signs.
    pub credentials: Credentials,
    /// The password of the user in the proxy's URL.
    pub proxy_password: Option<String>,
}

impl From<Credential> for Access {
    fn from(credential: Credential) -> Self {
        Access { credentials: credential.into(), proxy_password: None }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access(***)")
    }
}

/// What a form says about secrets, with what is stored where the form leaves something out.
pub(crate) struct Typed {
    /// None where the keys come from elsewhere.
    pub(crate) credential: Option<Credential>,
    pub(crate) proxy_password: Option<String>,
}

/// Keeps and finds the secrets of destinations. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    keychain: Arc<dyn SecretStore>,
    connector: Connector,
    /// Of the destinations that the program itself makes.
    served: Arc<Mutex<HashMap<String, Access>>>,
}

impl Keys {
    pub(crate) fn new(keychain: Arc<dyn SecretStore>, connector: Connector) -> Self {
        Keys { keychain, connector, served: Arc::default() }
    }

    /// Holds the secrets of one of the program's own destinations for as long as the process lives.
    pub(crate) fn serve(&self, id: &str, access: Access) {
        self.served().insert(id.to_owned(), access);
    }

    /// Whether the destination is served with other keys than these.
    ///
    /// # Errors
    /// `Credentials` when either could not be had.
    pub(crate) async fn serves_other(&self, id: &str, wanted: &Access) -> Result<bool, Error> {
        let Some(served) = self.served().get(id).cloned() else { return Ok(false) };
        let (ours, theirs) = (served.credentials.current().await?, wanted.credentials.current().await?);
        let keys = |of: &Credential| {
            let token = of.security_token().map(str::to_owned);
            (of.access_key_id().to_owned(), of.access_key_secret().to_owned(), token)
        };
        Ok(keys(&ours) != keys(&theirs))
    }

    /// Made by this program and in use.
    pub(crate) fn is_served(&self, row: &DestinationRow) -> bool {
        row.built_in && self.served().contains_key(&row.id)
    }

    /// What opens this destination.
    ///
    /// # Errors
    /// `NoSecret` when nothing is stored for it, `Keychain`, `Invalid`.
    pub(crate) async fn access(&self, row: &DestinationRow) -> Result<Access, Error> {
        if row.built_in {
            return self.served().get(&row.id).cloned().ok_or_else(|| no_secret(&row.name));
        }
        let proxy_password = self.proxy_password(row).await?;
        let credentials = match self.connector.supply(row, proxy_password.as_deref()).await? {
            Some(credentials) => credentials,
            None => self.credential(row).await?.ok_or_else(|| no_secret(&row.name))?.into(),
        };
        Ok(Access { credentials, proxy_password })
    }

    /// What opens the destination that a form describes; `row` is that form as a row.
    ///
    /// # Errors
    /// As [`Keys::access`].
    pub(crate) async fn access_typed(&self, row: &DestinationRow, typed: Typed) -> Result<Access, Error> {
        let proxy_password = typed.proxy_password;
        let credentials = match typed.credential {
            Some(credential) => credential.into(),
            None => {
                let supply = self.connector.supply(row, proxy_password.as_deref()).await?;
                supply.ok_or_else(|| no_secret(&row.name))?
            }
        };
        Ok(Access { credentials, proxy_password })
    }

    /// The secrets of a form, or the stored ones where it leaves them out. `in_url` stood in the proxy's URL.
    ///
    /// # Errors
    /// `Invalid` when a secret is missing, `Keychain`.
    pub(crate) async fn typed(
        &self,
        form: &DestinationForm,
        in_url: Option<String>,
        earlier: Option<&DestinationRow>,
    ) -> Result<Typed, Error> {
        let credential = match form.connection.keys {
            KeySource::Keychain => Some(self.typed_credential(form, earlier).await?),
            _ => None,
        };
        let proxy_password = match (in_url, form.proxy_password.as_deref().map(str::trim), earlier) {
            (Some(password), _, _) => Some(password),
            (None, Some(""), _) => None,
            (None, Some(password), _) => Some(password.to_owned()),
            // A password goes only where it went before.
            (None, None, Some(row)) if row.connection.proxy == form.connection.proxy => {
                self.proxy_password(row).await?
            }
            (None, None, _) => None,
        };
        Ok(Typed { credential, proxy_password })
    }

    async fn typed_credential(
        &self,
        form: &DestinationForm,
        earlier: Option<&DestinationRow>,
    ) -> Result<Credential, Error> {
        let key_id = form.access_key_id.trim();
        let typed = form.access_key_secret.as_deref().map(str::trim).filter(|secret| !secret.is_empty());
        let stored = match earlier {
            Some(row) if row.access_key_id == key_id => self.credential(row).await?,
            _ => None,
        };
        let Some(secret) = typed.or(stored.as_ref().map(Credential::access_key_secret)) else {
            return Err(Error::Invalid("type the AccessKey secret that belongs to this AccessKey id".into()));
        };
        let token = match form.security_token.as_deref().map(str::trim) {
            Some("") => None,
            Some(token) => Some(token.to_owned()),
            None => stored.as_ref().and_then(|credential| credential.security_token()).map(str::to_owned),
        };
        Ok(Credential::new(key_id, secret, token))
    }

    /// Keeps what was typed for `id`, and forgets what was not.
    ///
    /// # Errors
    /// `Keychain`.
    pub(crate) async fn keep(&self, id: &str, typed: Typed, is_new: bool) -> Result<(), Error> {
        let (keychain, id) = (Arc::clone(&self.keychain), id.to_owned());
        off_runtime(move || {
            let proxy = typed.proxy_password.map(|password| Credential::new(PROXY_USER, password, None));
            for (entry, secret) in [(proxy_entry(&id), proxy), (id, typed.credential)] {
                match secret {
                    Some(secret) => keychain.put(&entry, &secret)?,
                    None if is_new => {}
                    None => keychain.delete(&entry)?,
                }
            }
            Ok(())
        })
        .await
    }

    /// Forgets everything of `id`.
    ///
    /// # Errors
    /// `Keychain`.
    pub(crate) async fn forget(&self, id: &str) -> Result<(), Error> {
        self.keep(id, Typed { credential: None, proxy_password: None }, false).await
    }

    /// Why the keychain cannot be used, if so.
    pub(crate) async fn problem(&self) -> Option<String> {
        let keychain = Arc::clone(&self.keychain);
        off_runtime(move || Ok(keychain.problem())).await.unwrap_or_else(|error| Some(error.to_string()))
    }

    async fn credential(&self, row: &DestinationRow) -> Result<Option<Credential>, Error> {
        if row.built_in || !row.has_secret {
            return Ok(None);
        }
        self.stored(row.id.clone(), row.access_key_id.clone()).await
    }

    async fn proxy_password(&self, row: &DestinationRow) -> Result<Option<String>, Error> {
        if !row.has_proxy_password {
            return Ok(None);
        }
        let stored = self.stored(proxy_entry(&row.id), PROXY_USER.to_owned()).await?;
        Ok(stored.map(|credential| credential.access_key_secret().to_owned()))
    }

    async fn stored(&self, entry: String, user: String) -> Result<Option<Credential>, Error> {
        let keychain = Arc::clone(&self.keychain);
        off_runtime(move || keychain.get(&entry, &user)).await
    }

    fn served(&self) -> MutexGuard<'_, HashMap<String, Access>> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keychain keeps pairs; a proxy's user stands in its URL already.
const PROXY_USER: &str = "proxy";

/// Where the keychain keeps a destination's proxy password.
fn proxy_entry(id: &str) -> String {
    format!("{id}/proxy")
}

fn no_secret(name: &str) -> Error {
    Error::Secret { code: Code::NoSecret, message: format!("no AccessKey secret is stored for \"{name}\"") }
}

/// The keychain may ask the user, or a service that takes its time.
async fn off_runtime<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Error::Secret { code: Code::Keychain, message: "the keychain did not answer".into() }))
}
