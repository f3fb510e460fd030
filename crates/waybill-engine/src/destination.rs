//! Destinations: account, endpoint, bucket, key template and callback, and the client that speaks to each.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use waybill_oss::{BucketName, Client, Clock, Credential, Credentials, normalize_region};

use crate::callback_profile;
use crate::changes::ChangeBus;
use crate::clock::now_ms;
use crate::connect::{self, Connector};
use crate::error::{Code, Error};
use crate::key_template;
use crate::secrets::SecretStore;
use crate::store::Store;
use crate::store::aborts;
use crate::store::destinations::{self, DestinationRow};
use crate::store::settings;
use crate::view::{CallbackProfileForm, Connection, ConnectionReport, DestinationForm, DestinationView, KeySource};

const CURRENT: &str = "current_destination";

/// A destination that the program itself makes; its keys live in memory only.
#[derive(Clone, Debug)]
pub struct BuiltIn {
    /// Stable across starts, so that unfinished uploads find it again.
    pub id: String,
    /// Name.
    pub name: String,
    /// Endpoint URL.
    pub endpoint: String,
    /// Region id.
    pub region: String,
    /// Bucket.
    pub bucket: String,
    /// Object key template.
    pub key_template: String,
    /// Callback, if any.
    pub callback: Option<CallbackProfileForm>,
    /// How it is reached.
    pub connection: Connection,
    /// The password of the user in the proxy's URL.
    pub proxy_password: Option<String>,
    /// The public half of the keys, where it is known beforehand.
    pub access_key_id: String,
    /// Kept in memory for as long as the process lives.
    pub credentials: Credentials,
}

/// The secrets of a destination, ready for use.
#[derive(Clone)]
struct Keys {
    credentials: Credentials,
    proxy_password: Option<String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

/// Reads and changes destinations. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Destinations {
    store: Store,
    connector: Connector,
    keychain: Arc<dyn SecretStore>,
    /// Of the destinations that the program itself makes.
    served: Arc<Mutex<HashMap<String, Keys>>>,
    changes: Arc<ChangeBus>,
}

impl Destinations {
    pub(crate) fn new(
        store: Store,
        keychain: Arc<dyn SecretStore>,
        clock: Clock,
        stall: Duration,
        changes: Arc<ChangeBus>,
    ) -> Destinations {
        Destinations { store, connector: Connector::new(clock, stall), keychain, served: Arc::default(), changes }
    }

    /// All, the current one marked.
    pub(crate) async fn all(&self) -> Result<Vec<DestinationView>, Error> {
        let (rows, current) = self.store.read(|c| Ok((destinations::all(c)?, settings::get(c, CURRENT)?))).await?;
        let view = |row: DestinationRow| {
            // One that an earlier command line left behind is the user's to edit or delete.
            let built_in = self.is_served(&row);
            DestinationView {
                built_in,
                has_secret: row.has_secret && (built_in || !row.built_in),
                ..view(row, current.as_deref())
            }
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// The one with this id, or the current one.
    pub(crate) async fn find(&self, id: Option<String>) -> Result<DestinationRow, Error> {
        let row = self
            .store
            .read(move |c| match id.or(settings::get(c, CURRENT)?) {
                Some(id) => destinations::load(c, &id),
                None => Ok(None),
            })
            .await?;
        row.ok_or_else(|| Error::Invalid("there is no such destination; choose one first".into()))
    }

    /// The one with this name.
    pub(crate) async fn named(&self, name: &str) -> Result<Option<DestinationRow>, Error> {
        let name = name.to_owned();
        self.store.read(move |c| destinations::named(c, &name)).await
    }

    /// Checks a form, stores its secret in the keychain and the rest in the database.
    pub(crate) async fn save(&self, form: DestinationForm) -> Result<DestinationView, Error> {
        let earlier = self.earlier(&form).await?;
        if earlier.as_ref().is_some_and(|row| self.is_served(row)) {
            return Err(Error::Refused("the program's own destinations cannot be edited".into()));
        }
        let (mut row, typed_password) = checked(&form)?;
        row.id = earlier.as_ref().map_or_else(|| uuid::Uuid::new_v4().to_string(), |row| row.id.clone());
        let credential = self.credential_of(&form, earlier.as_ref()).await?;
        let proxy_password = self.proxy_password_of(&form, typed_password, earlier.as_ref()).await?;
        row.has_secret = credential.is_some();
        row.has_token = credential.as_ref().is_some_and(|credential| credential.security_token().is_some());
        row.has_proxy_password = proxy_password.is_some();
        // The secrets first: a destination without them would fail every upload, secrets without one harm nobody.
        let (keychain, id) = (Arc::clone(&self.keychain), row.id.clone());
        let forget = earlier.is_some();
        off_runtime(move || {
            put_or_forget(&*keychain, &id, credential.as_ref(), forget)?;
            let proxy = proxy_password.map(|password| Credential::new("proxy", password, None));
            put_or_forget(&*keychain, &proxy_entry(&id), proxy.as_ref(), forget)
        })
        .await?;
        let saved = row.clone();
        let current = self
            .store
            .write(move |c| {
                destinations::save(c, &saved, now_ms())?;
                if settings::get(c, CURRENT)?.is_none() {
                    settings::set(c, CURRENT, &saved.id)?;
                }
                settings::get(c, CURRENT)
            })
            .await?;
        self.changes.destinations();
        Ok(view(row, current.as_deref()))
    }

    /// Makes or refreshes one of the program's own; it becomes current if there is none, or only one that nobody serves.
    pub(crate) async fn ensure_built_in(&self, built_in: BuiltIn) -> Result<(), Error> {
        connect::endpoint(&built_in.endpoint, &built_in.connection)?;
        connect::check(&built_in.connection)?;
        BucketName::parse(&built_in.bucket)?;
        let not_ready = self.not_ready().await?;
        let keys = Keys { credentials: built_in.credentials, proxy_password: built_in.proxy_password };
        self.served().insert(built_in.id.clone(), keys);
        let row = DestinationRow {
            id: built_in.id,
            name: built_in.name,
            endpoint: built_in.endpoint,
            region: normalize_region(&built_in.region)?,
            bucket: built_in.bucket,
            key_template: built_in.key_template,
            access_key_id: built_in.access_key_id,
            has_secret: true,
            has_token: false,
            callback: built_in.callback,
            built_in: true,
            connection: built_in.connection,
            has_proxy_password: false,
        };
        self.store
            .write(move |c| {
                destinations::save(c, &row, now_ms())?;
                match settings::get(c, CURRENT)? {
                    Some(current) if !not_ready.contains(&current) => Ok(()),
                    _ => settings::set(c, CURRENT, &row.id),
                }
            })
            .await?;
        self.changes.destinations();
        Ok(())
    }

    /// Removes one and its secret; refused while uploads or watched folders need it.
    pub(crate) async fn delete(&self, id: &str) -> Result<(), Error> {
        let row = self.find(Some(id.to_owned())).await?;
        if self.is_served(&row) {
            return Err(Error::Refused("the program's own destinations cannot be deleted".into()));
        }
        let wanted = row.id.clone();
        let (uploads, folders) = self
            .store
            .read(move |c| {
                Ok((destinations::unfinished_uploads(c, &wanted)?, destinations::watched_folders(c, &wanted)?))
            })
            .await?;
        if uploads > 0 || folders > 0 {
            return Err(Error::Refused(format!(
                "\"{}\" is still needed by {uploads} uploads and {folders} watched folders",
                row.name
            )));
        }
        let (keychain, doomed) = (Arc::clone(&self.keychain), row.id.clone());
        off_runtime(move || keychain.delete(&doomed).and_then(|()| keychain.delete(&proxy_entry(&doomed)))).await?;
        self.store
            .write(move |c| {
                destinations::delete(c, &row.id)?;
                aborts::forget_all_of(c, &row.id)?;
                if settings::get(c, CURRENT)?.as_deref() == Some(&row.id)
                    && let Some(other) = destinations::all(c)?.first()
                {
                    settings::set(c, CURRENT, &other.id)?;
                }
                Ok(())
            })
            .await?;
        self.changes.destinations();
        Ok(())
    }

    /// New drops go to this one.
    pub(crate) async fn set_current(&self, id: &str) -> Result<(), Error> {
        let row = self.find(Some(id.to_owned())).await?;
        self.store.write(move |c| settings::set(c, CURRENT, &row.id)).await?;
        self.changes.destinations();
        Ok(())
    }

    /// Asks the bucket who it is (GetBucketInfo) with the form's keys, or the stored ones.
    pub(crate) async fn test(&self, form: &DestinationForm) -> ConnectionReport {
        let began = Instant::now();
        let answer = self.bucket_info(form).await;
        let took_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        match answer {
            Ok(info) => ConnectionReport {
                ok: true,
                location: Some(info.location),
                acl: Some(info.acl),
                storage_class: Some(info.storage_class),
                took_ms,
                problem: None,
                offered_endpoint: None,
            },
            Err(error) => ConnectionReport {
                ok: false,
                location: None,
                acl: None,
                storage_class: None,
                took_ms,
                problem: Some(error.problem()),
                offered_endpoint: offered(form, &error),
            },
        }
    }

    async fn bucket_info(&self, form: &DestinationForm) -> Result<waybill_oss::BucketInfo, Error> {
        let (row, typed_password) = checked(form)?;
        let earlier = self.earlier(form).await?;
        let proxy_password = self.proxy_password_of(form, typed_password, earlier.as_ref()).await?;
        let credentials = match self.credential_of(form, earlier.as_ref()).await? {
            Some(credential) => credential.into(),
            None => {
                let supply = self.connector.supply(&row, proxy_password.as_deref()).await?;
                supply.ok_or_else(|| no_secret(&row.name))?
            }
        };
        let bucket = BucketName::parse(&row.bucket)?;
        let client = self.connector.client(&row, bucket, credentials, proxy_password.as_deref()).await?;
        Ok(client.get_bucket_info().await?)
    }

    /// A client for `bucket` with the destination's keys.
    ///
    /// # Errors
    /// `NoSecret` when nothing is stored for it, `Keychain`, `Store`, `Invalid`.
    pub(crate) async fn client(&self, id: &str, bucket: &BucketName) -> Result<Client, Error> {
        let row = self.find(Some(id.to_owned())).await?;
        let keys = self.keys(&row).await?;
        self.connector.client(&row, bucket.clone(), keys.credentials, keys.proxy_password.as_deref()).await
    }

    /// Made by this program and in use: its credential is in memory.
    fn is_served(&self, row: &DestinationRow) -> bool {
        row.built_in && self.served().contains_key(&row.id)
    }

    fn served(&self) -> std::sync::MutexGuard<'_, HashMap<String, Keys>> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names by id, and whether uploads to it can start; for lists.
    pub(crate) async fn names(&self) -> Result<HashMap<String, (String, bool)>, Error> {
        let rows = self.store.read(destinations::all).await?;
        let entry = |row: DestinationRow| {
            let ready = !row.built_in || self.is_served(&row);
            (row.id, (row.name, ready))
        };
        Ok(rows.into_iter().map(entry).collect())
    }

    /// Built-in destinations whose maker has not started yet: their uploads wait instead of failing.
    pub(crate) async fn not_ready(&self) -> Result<Vec<String>, Error> {
        let rows = self.store.write(destinations::all).await?;
        Ok(rows.into_iter().filter(|row| row.built_in && !self.is_served(row)).map(|row| row.id).collect())
    }

    /// Why the keychain cannot be used, if so.
    pub(crate) async fn keychain_problem(&self) -> Option<String> {
        let keychain = Arc::clone(&self.keychain);
        off_runtime(move || Ok(keychain.problem())).await.unwrap_or_else(|error| Some(error.to_string()))
    }

    async fn earlier(&self, form: &DestinationForm) -> Result<Option<DestinationRow>, Error> {
        match &form.id {
            Some(id) => self.find(Some(id.clone())).await.map(Some),
            None => Ok(None),
        }
    }

    /// The form's secret, or the stored one where the form leaves it out; none where the keys come from elsewhere.
    async fn credential_of(
        &self,
        form: &DestinationForm,
        earlier: Option<&DestinationRow>,
    ) -> Result<Option<Credential>, Error> {
        if form.connection.keys != KeySource::Keychain {
            return Ok(None);
        }
        let key_id = form.access_key_id.trim();
        let typed = typed(form.access_key_secret.as_deref());
        let stored = match earlier {
            Some(row) if row.access_key_id == key_id => self.stored(row).await?,
            _ => None,
        };
        let secret = typed.or(stored.as_ref().map(Credential::access_key_secret));
        let Some(secret) = secret else {
            return Err(Error::Invalid("type the AccessKey secret that belongs to this AccessKey id".into()));
        };
        let token = match form.security_token.as_deref().map(str::trim) {
            Some("") => None,
            Some(token) => Some(token.to_owned()),
            None => stored.as_ref().and_then(|credential| credential.security_token()).map(str::to_owned),
        };
        Ok(Some(Credential::new(key_id, secret, token)))
    }

    /// The proxy's password as typed in its field or in the URL, or the stored one where the form leaves it out.
    async fn proxy_password_of(
        &self,
        form: &DestinationForm,
        in_url: Option<String>,
        earlier: Option<&DestinationRow>,
    ) -> Result<Option<String>, Error> {
        match (in_url, form.proxy_password.as_deref().map(str::trim), earlier) {
            (Some(password), _, _) => Ok(Some(password)),
            (None, Some(""), _) => Ok(None),
            (None, Some(password), _) => Ok(Some(password.to_owned())),
            // A password goes only where it went before.
            (None, None, Some(row)) if row.connection.proxy == form.connection.proxy => {
                self.stored_proxy_password(row).await
            }
            (None, None, _) => Ok(None),
        }
    }

    async fn keys(&self, row: &DestinationRow) -> Result<Keys, Error> {
        if row.built_in {
            return self.served().get(&row.id).cloned().ok_or_else(|| no_secret(&row.name));
        }
        let proxy_password = self.stored_proxy_password(row).await?;
        let credentials = match self.connector.supply(row, proxy_password.as_deref()).await? {
            Some(credentials) => credentials,
            None => self.stored(row).await?.ok_or_else(|| no_secret(&row.name))?.into(),
        };
        Ok(Keys { credentials, proxy_password })
    }

    async fn stored(&self, row: &DestinationRow) -> Result<Option<Credential>, Error> {
        if row.built_in || !row.has_secret {
            return Ok(None);
        }
        let (keychain, id, key_id) = (Arc::clone(&self.keychain), row.id.clone(), row.access_key_id.clone());
        off_runtime(move || keychain.get(&id, &key_id)).await
    }

    async fn stored_proxy_password(&self, row: &DestinationRow) -> Result<Option<String>, Error> {
        if !row.has_proxy_password {
            return Ok(None);
        }
        let (keychain, entry) = (Arc::clone(&self.keychain), proxy_entry(&row.id));
        let stored = off_runtime(move || keychain.get(&entry, "proxy")).await?;
        Ok(stored.map(|credential| credential.access_key_secret().to_owned()))
    }
}

fn typed(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// Where the keychain keeps a destination's proxy password.
fn proxy_entry(id: &str) -> String {
    format!("{id}/proxy")
}

fn put_or_forget(keychain: &dyn SecretStore, id: &str, secret: Option<&Credential>, forget: bool) -> Result<(), Error> {
    match secret {
        Some(secret) => keychain.put(id, secret),
        None if forget => keychain.delete(id),
        None => Ok(()),
    }
}

/// The endpoint to use instead, where OSS said that the bucket lives elsewhere.
fn offered(form: &DestinationForm, error: &Error) -> Option<String> {
    let Error::Oss(waybill_oss::Error::Service(answer)) = error else { return None };
    let current = connect::endpoint(form.endpoint.trim(), &form.connection).ok()?;
    current.offered(answer.endpoint.as_deref()?).map(|endpoint| endpoint.to_string())
}

/// A form as a row, or what is wrong with it, and the password that stood in the proxy's URL. The id and the secrets'
/// flags are the caller's.
fn checked(form: &DestinationForm) -> Result<(DestinationRow, Option<String>), Error> {
    let mut connection = form.connection.clone();
    let proxy_password = connect::take_proxy_password(&mut connection)?;
    connect::check(&connection)?;
    let endpoint = connect::endpoint(form.endpoint.trim(), &connection)?;
    let bucket = BucketName::parse(form.bucket.trim())?;
    let region = match form.region.trim() {
        "" => endpoint.region().ok_or_else(|| {
            Error::Invalid("the region cannot be told from this endpoint; type it, for instance cn-hangzhou".into())
        })?,
        region => normalize_region(region)?,
    };
    let filled = |value: &str, what: &str| match value.trim() {
        "" => Err(Error::Invalid(format!("{what} is missing"))),
        value => Ok(value.to_owned()),
    };
    let template = filled(&form.key_template, "the object key template")?;
    key_template::check(&template)?;
    if let Some(callback) = &form.callback {
        callback_profile::check(callback)?;
    }
    let access_key_id = match connection.keys {
        KeySource::Keychain => filled(&form.access_key_id, "the AccessKey id")?,
        _ => String::new(),
    };
    let row = DestinationRow {
        id: String::new(),
        name: filled(&form.name, "the name")?,
        endpoint: form.endpoint.trim().to_owned(),
        region,
        bucket: bucket.as_str().to_owned(),
        key_template: template,
        access_key_id,
        has_secret: false,
        has_token: false,
        callback: form.callback.clone(),
        built_in: false,
        connection,
        has_proxy_password: false,
    };
    Ok((row, proxy_password))
}

fn view(row: DestinationRow, current: Option<&str>) -> DestinationView {
    DestinationView {
        current: current == Some(&row.id),
        id: row.id,
        name: row.name,
        endpoint: row.endpoint,
        region: row.region,
        bucket: row.bucket,
        key_template: row.key_template,
        access_key_id: row.access_key_id,
        has_secret: row.has_secret,
        has_token: row.has_token,
        callback: row.callback,
        connection: row.connection,
        has_proxy_password: row.has_proxy_password,
        built_in: row.built_in,
    }
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
