//! Where secrets live: the OS keychain, or memory for those that must not outlive the process.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use keyring::Entry;
use waybill_oss::Credential;

use crate::error::{Code, Error};

/// The name our entries have in the OS keychain.
pub const KEYCHAIN_SERVICE: &str = "dev.waybill.app";

/// Keeps credentials by destination id. Calls may block: call them off the runtime's threads.
pub trait SecretStore: Send + Sync + fmt::Debug {
    /// Stores or replaces the secret and token of `id`.
    ///
    /// # Errors
    /// `Keychain`.
    fn put(&self, id: &str, credential: &Credential) -> Result<(), Error>;

    /// The credential of `id` for this AccessKey id, if one is stored.
    ///
    /// # Errors
    /// `Keychain`.
    fn get(&self, id: &str, access_key_id: &str) -> Result<Option<Credential>, Error>;

    /// Forgets `id`; not an error if there is none.
    ///
    /// # Errors
    /// `Keychain`.
    fn delete(&self, id: &str) -> Result<(), Error>;

    /// Why it cannot be used here, for the window to say before somebody types a secret.
    fn problem(&self) -> Option<String>;
}

/// macOS Keychain, Windows Credential Manager, or the Secret Service.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keychain;

impl SecretStore for Keychain {
    fn put(&self, id: &str, credential: &Credential) -> Result<(), Error> {
        let value = serde_json::json!({
            "secret": credential.access_key_secret(),
            "token": credential.security_token(),
        });
        entry(id)?.set_password(&value.to_string()).map_err(|error| keychain("store a secret in", &error))
    }

    fn get(&self, id: &str, access_key_id: &str) -> Result<Option<Credential>, Error> {
        let value = match entry(id)?.get_password() {
            Ok(value) => value,
            Err(keyring::Error::NoEntry) => return Ok(None),
            Err(error) => return Err(keychain("read a secret from", &error)),
        };
        // The value itself must not reach a message, so a parse error is told without it.
        let unreadable = || Error::Secret {
            code: Code::Keychain,
            message: "the keychain's entry for this destination is not one of ours; type the secret again".into(),
        };
        let value: serde_json::Value = serde_json::from_str(&value).map_err(|_| unreadable())?;
        let secret = value["secret"].as_str().ok_or_else(unreadable)?;
        let token = value["token"].as_str().map(str::to_owned);
        Ok(Some(Credential::new(access_key_id, secret, token)))
    }

    fn delete(&self, id: &str) -> Result<(), Error> {
        match entry(id)?.delete_credential() {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(keychain("delete a secret from", &error)),
        }
    }

    fn problem(&self) -> Option<String> {
        Entry::store_status().as_ref().err().map(ToString::to_string)
    }
}

/// Credentials for as long as the process lives: the sandbox's, and the command line's from the environment.
#[derive(Default)]
pub struct MemorySecrets {
    by_id: Mutex<HashMap<String, Credential>>,
}

impl fmt::Debug for MemorySecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemorySecrets")
    }
}

impl MemorySecrets {
    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<String, Credential>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretStore for MemorySecrets {
    fn put(&self, id: &str, credential: &Credential) -> Result<(), Error> {
        self.map().insert(id.to_owned(), credential.clone());
        Ok(())
    }

    fn get(&self, id: &str, _access_key_id: &str) -> Result<Option<Credential>, Error> {
        Ok(self.map().get(id).cloned())
    }

    fn delete(&self, id: &str) -> Result<(), Error> {
        self.map().remove(id);
        Ok(())
    }

    fn problem(&self) -> Option<String> {
        None
    }
}

fn entry(id: &str) -> Result<Entry, Error> {
    Entry::new(KEYCHAIN_SERVICE, id).map_err(|error| keychain("open", &error))
}

fn keychain(doing: &str, error: &keyring::Error) -> Error {
    // Some variants carry the secret's bytes; their Display does not print them.
    Error::Secret { code: Code::Keychain, message: format!("could not {doing} the system keychain: {error}") }
}
