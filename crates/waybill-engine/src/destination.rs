//! Destinations: account, endpoint, bucket, key template and callback, and the client that speaks to each.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use waybill_oss::{BucketName, Client, Clock, normalize_region};

use crate::callback_profile;
use crate::changes::ChangeBus;
use crate::clock::now_ms;
use crate::connect::{self, Connector};
use crate::error::Error;
use crate::key_template;
use crate::keys::{Access, Keys};
use crate::secrets::SecretStore;
use crate::store::Store;
use crate::store::aborts;
use crate::store::callback_profiles;
use crate::store::destinations::{self, DestinationRow};
use crate::store::initiates;
use crate::store::resends;
use crate::store::settings;
use crate::view::{
    CallbackProfileForm, CallbackProfileView, Connection, ConnectionReport, DestinationForm, DestinationView,
    KeySource, OverwritePolicy,
};

const CURRENT: &str = "current_destination";
/// Begins the ids of destinations that a command line describes.
const COMMAND_LINE: &str = "command-line:";

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
    /// The public half of the keys, where it is known beforehand.
    pub access_key_id: String,
    /// Kept in memory for as long as the process lives.
    pub access: Access,
}

/// Reads and changes destinations. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Destinations {
    store: Store,
    connector: Connector,
    keys: Keys,
    changes: Arc<ChangeBus>,
    /// Made once for many uploads: the keychain need not be asked for each.
    clients: Arc<Mutex<Clients>>,
}

/// Clients by destination and bucket, and how often some were forgotten: one that was begun before is not kept.
#[derive(Debug, Default)]
struct Clients {
    made: HashMap<(String, BucketName), Client>,
    /// Held by whoever makes one, so that the many uploads that want it at the same time do not all make it.
    making: HashMap<String, Arc<tokio::sync::Mutex<()>>>,
    forgotten: u64,
}

impl BuiltIn {
    /// The id of a destination that a command line describes: the same place is the same destination.
    pub fn command_line_id(endpoint: &str, bucket: &str) -> String {
        format!("{COMMAND_LINE}{endpoint}/{bucket}")
    }
}

impl Destinations {
    pub(crate) fn new(
        store: Store,
        keychain: Arc<dyn SecretStore>,
        clock: Clock,
        stall: Duration,
        changes: Arc<ChangeBus>,
    ) -> Destinations {
        let connector = Connector::new(clock, stall);
        let keys = Keys::new(keychain, connector.clone());
        Destinations { store, keys, connector, changes, clients: Arc::default() }
    }

    /// All, the current one marked.
    pub(crate) async fn all(&self) -> Result<Vec<DestinationView>, Error> {
        let (rows, current) = self.store.read(|c| Ok((destinations::all(c)?, settings::get(c, CURRENT)?))).await?;
        let view = |row: DestinationRow| {
            // One that an earlier command line left behind is the user's to edit or delete.
            let built_in = self.keys.is_served(&row);
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
        if earlier.as_ref().is_some_and(|row| self.keys.is_served(row)) {
            return Err(Error::Refused("the program's own destinations cannot be edited".into()));
        }
        let (mut row, typed_password) = checked(&form)?;
        if let Some(id) = form.callback_profile_id.clone() {
            let profile = self.profile(id).await?;
            (row.callback, row.profile_id) = (Some(profile.form), Some(profile.id));
        }
        row.id = earlier.as_ref().map_or_else(|| uuid::Uuid::new_v4().to_string(), |row| row.id.clone());
        let typed = self.keys.typed(&form, typed_password, earlier.as_ref()).await?;
        row.has_secret = typed.credential.is_some();
        row.has_token = typed.credential.as_ref().is_some_and(|credential| credential.security_token().is_some());
        row.has_proxy_password = typed.proxy_password.is_some();
        // The secrets first: a destination without them would fail every upload, secrets without one harm nobody.
        self.keys.keep(&row.id, typed, earlier.is_none()).await?;
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
        self.forget_client(&row.id);
        self.changes.destinations();
        Ok(view(row, current.as_deref()))
    }

    /// Makes or refreshes one of the program's own; it becomes current if there is none, or only one that nobody serves.
    pub(crate) async fn ensure_built_in(&self, built_in: BuiltIn) -> Result<(), Error> {
        connect::endpoint(&built_in.endpoint, &built_in.connection)?;
        connect::check(&built_in.connection)?;
        BucketName::parse(&built_in.bucket)?;
        let id = built_in.id.clone();
        self.keys.serve(&built_in.id, built_in.access);
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
            profile_id: None,
            built_in: true,
            connection: built_in.connection,
            has_proxy_password: false,
            overwrite: OverwritePolicy::default(),
        };
        let this = self.clone();
        self.store
            .write(move |c| {
                destinations::save(c, &row, now_ms())?;
                match settings::get(c, CURRENT)? {
                    Some(current) if !this.not_ready(c)?.contains(&current) => Ok(()),
                    _ => settings::set(c, CURRENT, &row.id),
                }
            })
            .await?;
        self.forget_client(&id);
        self.changes.destinations();
        Ok(())
    }

    /// Opens those of these destinations that earlier command lines left behind with these keys, as far as nobody serves
    /// them. No others: they may be somebody else's account.
    pub(crate) async fn lend(&self, access: &Access, ids: &HashSet<String>) -> Result<(), Error> {
        let rows = self.store.read(destinations::all).await?;
        let left = |row: &&DestinationRow| {
            ids.contains(&row.id) && row.id.starts_with(COMMAND_LINE) && !self.keys.is_served(row)
        };
        for row in rows.iter().filter(left) {
            self.keys.serve(&row.id, access.clone());
            self.forget_client(&row.id);
        }
        Ok(())
    }

    /// Whether uploads to this destination are unfinished and go on with other keys than these.
    pub(crate) async fn is_busy_with_other_keys(&self, wanted: &BuiltIn) -> Result<bool, Error> {
        if !self.keys.serves_other(&wanted.id, &wanted.access).await? {
            return Ok(false);
        }
        let id = wanted.id.clone();
        Ok(self.store.read(move |c| destinations::unfinished_uploads(c, &id)).await? > 0)
    }

    /// Removes one and its secret; refused while uploads or watched folders need it.
    pub(crate) async fn delete(&self, id: &str) -> Result<(), Error> {
        let row = self.find(Some(id.to_owned())).await?;
        if self.keys.is_served(&row) {
            return Err(Error::Refused("the program's own destinations cannot be deleted".into()));
        }
        let wanted = row.id.clone();
        let (uploads, folders, resends) = self
            .store
            .read(move |c| {
                let (uploads, folders) =
                    (destinations::unfinished_uploads(c, &wanted)?, destinations::watched_folders(c, &wanted)?);
                Ok((uploads, folders, resends::of_destination(c, &wanted)?))
            })
            .await?;
        if uploads > 0 || folders > 0 || resends > 0 {
            return Err(Error::Refused(format!(
                "\"{}\" is still needed by {} uploads and {folders} watched folders",
                row.name,
                uploads + resends
            )));
        }
        self.keys.forget(&row.id).await?;
        self.forget_client(&row.id);
        self.store
            .write(move |c| {
                destinations::delete(c, &row.id)?;
                aborts::forget_all_of(c, &row.id)?;
                initiates::forget_all_of(c, &row.id)?;
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
        let typed = self.keys.typed(form, typed_password, earlier.as_ref()).await?;
        let access = self.keys.access_typed(&row, typed).await?;
        let client = self.connector.client(&row, BucketName::parse(&row.bucket)?, access).await?;
        Ok(client.get_bucket_info().await?)
    }

    /// A client for `bucket` with the destination's keys.
    ///
    /// # Errors
    /// `NoSecret` when nothing is stored for it, `Keychain`, `Store`, `Invalid`.
    pub(crate) async fn client(&self, id: &str, bucket: &BucketName) -> Result<Client, Error> {
        let wanted = (id.to_owned(), bucket.clone());
        let making = {
            let mut clients = self.clients();
            if let Some(client) = clients.made.get(&wanted) {
                return Ok(client.clone());
            }
            Arc::clone(clients.making.entry(id.to_owned()).or_default())
        };
        let _only_one = making.lock().await;
        let forgotten = {
            let clients = self.clients();
            if let Some(client) = clients.made.get(&wanted) {
                return Ok(client.clone());
            }
            clients.forgotten
        };
        let row = self.find(Some(id.to_owned())).await?;
        let client = self.connector.client(&row, bucket.clone(), self.keys.access(&row).await?).await?;
        let mut clients = self.clients();
        // Settings that changed meanwhile must not be outlived by a client that does not know them.
        if clients.forgotten == forgotten {
            clients.made.insert(wanted, client.clone());
        }
        Ok(client)
    }

    /// Settings and keys of this destination are asked for anew: they changed, or may be the reason for a trouble.
    pub(crate) fn forget_client(&self, id: &str) {
        let mut clients = self.clients();
        clients.forgotten += 1;
        clients.made.retain(|(of, _), _| of != id);
    }

    fn clients(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names by id, and whether uploads to it can start; for lists.
    pub(crate) async fn names(&self) -> Result<HashMap<String, (String, bool)>, Error> {
        let rows = self.store.read(destinations::all).await?;
        let entry = |row: DestinationRow| {
            let ready = !row.built_in || self.keys.is_served(&row);
            (row.id, (row.name, ready))
        };
        Ok(rows.into_iter().map(entry).collect())
    }

    /// Built-in destinations whose maker has not started yet: their uploads wait instead of failing.
    pub(crate) fn not_ready(&self, connection: &rusqlite::Connection) -> rusqlite::Result<HashSet<String>> {
        let rows = destinations::all(connection)?.into_iter();
        Ok(rows.filter(|row| row.built_in && !self.keys.is_served(row)).map(|row| row.id).collect())
    }

    /// Why the keychain cannot be used, if so.
    pub(crate) async fn keychain_problem(&self) -> Option<String> {
        self.keys.problem().await
    }

    /// A callback profile with a name.
    pub(crate) async fn profile(&self, id: String) -> Result<CallbackProfileView, Error> {
        let profile = self.store.read(move |c| callback_profiles::load(c, &id)).await?;
        profile.ok_or_else(|| Error::Invalid("there is no such callback profile; choose another".into()))
    }

    async fn earlier(&self, form: &DestinationForm) -> Result<Option<DestinationRow>, Error> {
        match &form.id {
            Some(id) => self.find(Some(id.clone())).await.map(Some),
            None => Ok(None),
        }
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
    if let (Some(callback), None) = (&form.callback, &form.callback_profile_id) {
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
        profile_id: None,
        built_in: false,
        connection,
        has_proxy_password: false,
        overwrite: form.overwrite,
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
        callback_profile_id: row.profile_id,
        connection: row.connection,
        has_proxy_password: row.has_proxy_password,
        overwrite: row.overwrite,
        built_in: row.built_in,
    }
}

#[cfg(test)]
#[path = "destination_tests.rs"]
mod tests;
