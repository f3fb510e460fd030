//! Destinations: account, endpoint, bucket, key template and callback, and the client that speaks to each.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use waybill_oss::{BucketName, Client, Credential, Endpoint, normalize_region};

use crate::callback_profile;
use crate::changes::ChangeBus;
use crate::clock::now_ms;
use crate::error::{Code, Error};
use crate::key_template;
use crate::secrets::{MemorySecrets, SecretStore};
use crate::store::Store;
use crate::store::aborts;
use crate::store::destinations::{self, DestinationRow};
use crate::store::settings;
use crate::view::{CallbackProfileForm, ConnectionReport, DestinationForm, DestinationView};

const CURRENT: &str = "current_destination";

/// A destination that the program itself makes; its credential lives in memory only.
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
    /// Kept in memory for as long as the process lives.
    pub credential: Credential,
}

/// Reads and changes destinations. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Destinations {
    store: Store,
    http: waybill_oss::HttpClient,
    keychain: Arc<dyn SecretStore>,
    session: Arc<MemorySecrets>,
    stall: Duration,
    changes: Arc<ChangeBus>,
}

impl Destinations {
    pub(crate) fn new(
        store: Store,
        keychain: Arc<dyn SecretStore>,
        stall: Duration,
        changes: Arc<ChangeBus>,
    ) -> Result<Destinations, Error> {
        let http = waybill_oss::http_client(&waybill_oss::HttpOptions::default())?;
        Ok(Destinations { store, http, keychain, session: Arc::default(), stall, changes })
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
        let mut row = checked(&form)?;
        row.id = earlier.as_ref().map_or_else(|| uuid::Uuid::new_v4().to_string(), |row| row.id.clone());
        let credential = self.credential_of(&form, earlier.as_ref()).await?;
        row.has_secret = true;
        row.has_token = credential.security_token().is_some();
        // The secret first: a destination without one would fail every upload, a secret without one harms nobody.
        let (keychain, id) = (Arc::clone(&self.keychain), row.id.clone());
        off_runtime(move || keychain.put(&id, &credential)).await?;
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
        Endpoint::parse(&built_in.endpoint)?;
        BucketName::parse(&built_in.bucket)?;
        let not_ready = self.not_ready().await?;
        self.session.put(&built_in.id, &built_in.credential)?;
        let row = DestinationRow {
            id: built_in.id,
            name: built_in.name,
            endpoint: built_in.endpoint,
            region: normalize_region(&built_in.region)?,
            bucket: built_in.bucket,
            key_template: built_in.key_template,
            access_key_id: built_in.credential.access_key_id().to_owned(),
            has_secret: true,
            has_token: built_in.credential.security_token().is_some(),
            callback: built_in.callback,
            built_in: true,
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
        off_runtime(move || keychain.delete(&doomed)).await?;
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
        let answer = async {
            let row = checked(form)?;
            let earlier = self.earlier(form).await?;
            let credential = self.credential_of(form, earlier.as_ref()).await?;
            let client = self.connect(&row, BucketName::parse(&row.bucket)?, credential)?;
            Ok::<_, Error>(client.get_bucket_info().await?)
        }
        .await;
        let took_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        match answer {
            Ok(info) => ConnectionReport {
                ok: true,
                location: Some(info.location),
                acl: Some(info.acl),
                storage_class: Some(info.storage_class),
                took_ms,
                problem: None,
            },
            Err(error) => ConnectionReport {
                ok: false,
                location: None,
                acl: None,
                storage_class: None,
                took_ms,
                problem: Some(error.problem()),
            },
        }
    }

    /// A client for `bucket` with the destination's keys.
    ///
    /// # Errors
    /// `NoSecret` when nothing is stored for it, `Keychain`, `Store`, `Invalid`.
    pub(crate) async fn client(&self, id: &str, bucket: &BucketName) -> Result<Client, Error> {
        let row = self.find(Some(id.to_owned())).await?;
        let credential = self.stored(&row).await?.ok_or_else(|| no_secret(&row.name))?;
        self.connect(&row, bucket.clone(), credential)
    }

    /// Made by this program and in use: its credential is in memory.
    fn is_served(&self, row: &DestinationRow) -> bool {
        row.built_in && self.session.get(&row.id, &row.access_key_id).is_ok_and(|credential| credential.is_some())
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

    fn connect(&self, row: &DestinationRow, bucket: BucketName, credential: Credential) -> Result<Client, Error> {
        let endpoint = Endpoint::parse(&row.endpoint)?;
        let client = Client::new(self.http.clone(), endpoint, row.region.clone(), bucket, credential);
        Ok(client.with_stall_timeout(self.stall))
    }

    async fn earlier(&self, form: &DestinationForm) -> Result<Option<DestinationRow>, Error> {
        match &form.id {
            Some(id) => self.find(Some(id.clone())).await.map(Some),
            None => Ok(None),
        }
    }

    /// The form's secret, or the stored one where the form leaves it out.
    async fn credential_of(
        &self,
        form: &DestinationForm,
        earlier: Option<&DestinationRow>,
    ) -> Result<Credential, Error> {
        let key_id = form.access_key_id.trim();
        let typed = form.access_key_secret.as_deref().map(str::trim).filter(|secret| !secret.is_empty());
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
        Ok(Credential::new(key_id, secret, token))
    }

    async fn stored(&self, row: &DestinationRow) -> Result<Option<Credential>, Error> {
        let session = self.session.get(&row.id, &row.access_key_id)?;
        if session.is_some() || row.built_in {
            return Ok(session);
        }
        let (keychain, id, key_id) = (Arc::clone(&self.keychain), row.id.clone(), row.access_key_id.clone());
        off_runtime(move || keychain.get(&id, &key_id)).await
    }
}

/// A form as a row, or what is wrong with it. The id and the secret's flags are the caller's.
fn checked(form: &DestinationForm) -> Result<DestinationRow, Error> {
    let endpoint = Endpoint::parse(form.endpoint.trim())?;
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
    Ok(DestinationRow {
        id: String::new(),
        name: filled(&form.name, "the name")?,
        endpoint: form.endpoint.trim().to_owned(),
        region,
        bucket: bucket.as_str().to_owned(),
        key_template: template,
        access_key_id: filled(&form.access_key_id, "the AccessKey id")?,
        has_secret: false,
        has_token: false,
        callback: form.callback.clone(),
        built_in: false,
    })
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
