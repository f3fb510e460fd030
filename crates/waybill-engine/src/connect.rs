//! From a destination's settings to a client: one clock for all, one pool of connections for each way out, and one set of
//! keys for each destination, so that a refresh happens once however many uploads wait for it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use waybill_oss::{
    BucketName, Client, Clock, CredentialSource, Credentials, Endpoint, HttpClient, HttpOptions, PlainHttp,
    ProxyChoice, ProxyUrl, SignatureVersion, Surroundings, http_client,
};

use crate::error::Error;
use crate::keys::Access;
use crate::store::destinations::DestinationRow;
use crate::view::{Connection, KeySource, Proxy};

/// Makes clients. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    clock: Clock,
    stall: Duration,
    pools: Arc<tokio::sync::Mutex<HashMap<HttpOptions, HttpClient>>>,
    supplies: Arc<Mutex<HashMap<String, (Origin, Credentials)>>>,
}

/// Where a destination's keys come from and by which way: others than before, the proxy's password among them, and what
/// is in hand counts no more.
type Origin = (KeySource, HttpOptions);

impl Connector {
    pub(crate) fn new(clock: Clock, stall: Duration) -> Self {
        Connector { clock, stall, pools: Arc::default(), supplies: Arc::default() }
    }

    /// A client for `bucket` at this destination.
    ///
    /// # Errors
    /// `Invalid` for a CA file or a proxy that cannot be used.
    pub(crate) async fn client(
        &self,
        row: &DestinationRow,
        bucket: BucketName,
        access: Access,
    ) -> Result<Client, Error> {
        let http = self.pool(options(&row.connection, access.proxy_password.as_deref())?).await?;
        let endpoint = endpoint(&row.endpoint, &row.connection)?;
        let version = if row.connection.signature_v1 { SignatureVersion::V1 } else { SignatureVersion::V4 };
        let client = Client::new(http, endpoint, row.region.clone(), bucket, access.credentials);
        Ok(client.with_clock(self.clock.clone()).with_signature(version).with_stall_timeout(self.stall))
    }

    /// The keys of a destination whose keys come from somewhere else than the keychain, fetched the way the destination
    /// itself is reached; none for the others.
    pub(crate) async fn supply(
        &self,
        row: &DestinationRow,
        proxy_password: Option<&str>,
    ) -> Result<Option<Credentials>, Error> {
        let Some(source) = source(&row.connection.keys) else { return Ok(None) };
        let origin = (row.connection.keys.clone(), options(&row.connection, proxy_password)?);
        let http = self.pool(origin.1.clone()).await?;
        let mut supplies = locked(&self.supplies);
        if let Some((of, credentials)) = supplies.get(&row.id)
            && *of == origin
        {
            return Ok(Some(credentials.clone()));
        }
        let surroundings = Surroundings::new().with_http(http).with_clock(&self.clock);
        let credentials = Credentials::from_source_in(source, surroundings)?;
        supplies.insert(row.id.clone(), (origin, credentials.clone()));
        Ok(Some(credentials))
    }

    async fn pool(&self, options: HttpOptions) -> Result<HttpClient, Error> {
        // Held while one is made: whoever wants the same at that moment waits for it, 20 ms, and those who want another do.
        let mut pools = self.pools.lock().await;
        if let Some(http) = pools.get(&options) {
            return Ok(http.clone());
        }
        // Reads the platform's certificates and the CA file.
        let wanted = options.clone();
        let made = tokio::task::spawn_blocking(move || http_client(&wanted)).await;
        let http = made.map_err(|_| Error::Invalid("the connection could not be prepared".into()))??;
        pools.insert(options, http.clone());
        Ok(http)
    }
}

/// The endpoint as this destination addresses it.
///
/// # Errors
/// `Invalid` in words.
pub(crate) fn endpoint(text: &str, connection: &Connection) -> Result<Endpoint, Error> {
    let plain = if connection.plain_http { PlainHttp::Allowed } else { PlainHttp::LoopbackOnly };
    let endpoint =
        if connection.own_domain { Endpoint::cname_with(text, plain) } else { Endpoint::parse_with(text, plain) };
    Ok(endpoint?)
}

/// Refuses what cannot work; what needs the network or a file shows when the connection is tested.
///
/// # Errors
/// `Invalid` in words.
pub(crate) fn check(connection: &Connection) -> Result<(), Error> {
    options(connection, None)?;
    if let Some(source) = source(&connection.keys) {
        Credentials::from_source(source)?;
    }
    Ok(())
}

/// Takes a password out of the proxy's URL, so that it is kept where secrets are.
pub(crate) fn take_proxy_password(connection: &mut Connection) -> Result<Option<String>, Error> {
    let Proxy::At { url } = &mut connection.proxy else { return Ok(None) };
    let proxy = ProxyUrl::parse(url)?;
    let password = proxy.password();
    *url = proxy.without_password();
    Ok(password)
}

fn options(connection: &Connection, proxy_password: Option<&str>) -> Result<HttpOptions, Error> {
    let proxy = match &connection.proxy {
        Proxy::System => ProxyChoice::System,
        Proxy::Direct => ProxyChoice::None,
        Proxy::At { url } => {
            let proxy = ProxyUrl::parse(url)?;
            ProxyChoice::Url(match (proxy.user(), proxy_password) {
                (Some(user), Some(password)) => proxy.with_login(&user, Some(password)),
                _ => proxy,
            })
        }
    };
    let ca_file = connection.ca_file.trim();
    Ok(HttpOptions { extra_ca: (!ca_file.is_empty()).then(|| PathBuf::from(ca_file)), proxy })
}

fn source(keys: &KeySource) -> Option<CredentialSource> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    Some(match keys {
        KeySource::Keychain => return None,
        KeySource::Environment => CredentialSource::Environment,
        KeySource::Uri { url } => CredentialSource::Uri(url.trim().to_owned()),
        KeySource::AppServer { url } => CredentialSource::AppServer { url: url.trim().to_owned(), headers: Vec::new() },
        KeySource::Ossutil { path } => {
            CredentialSource::OssutilConfig { path: given(path).map(PathBuf::from), profile: None }
        }
        KeySource::AliyunCli { profile } => CredentialSource::AliyunConfig { path: None, profile: given(profile) },
        KeySource::CredentialsFile { profile } => {
            CredentialSource::AlibabaCredentials { path: None, profile: given(profile) }
        }
        KeySource::EcsRole { role } => CredentialSource::EcsRole { role: given(role) },
    })
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_corrected_proxy_password_counts_for_the_keys_too_without_a_restart() {
        let connector = Connector::new(Clock::default(), Duration::from_secs(1));
        let row = DestinationRow {
            id: "d".into(),
            connection: Connection {
                proxy: Proxy::At { url: "http://mei@proxy.example.com:3128".into() },
                keys: KeySource::AppServer { url: "https://app.example.com/keys".into() },
                ..Connection::default()
            },
            ..DestinationRow::default()
        };
        let mut ways = Vec::new();
        for password in ["wrong", "right"] {
            connector.supply(&row, Some(password)).await.unwrap().expect("keys from elsewhere");
            ways.push(locked(&connector.supplies)["d"].0.1.clone());
        }
        assert_eq!(ways[1], options(&row.connection, Some("right")).unwrap());
        assert_ne!(ways[0], ways[1]);
    }
}
