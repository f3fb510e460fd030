//! What a source of keys reaches out with: HTTP, environment variables, the time.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Url;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use super::failure::Failure;
use super::web;
use crate::clock::Clock;
use crate::http::HttpClient;

/// The metadata service of an ECS instance, the same address everywhere [go2 `ecs_role_credentials_provider.go`].
pub(super) const METADATA: &str = "http://100.100.100.200";

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;
type Time = dyn Fn() -> Timestamp + Send + Sync;

/// What a source of keys reaches out with. Cloning shares the connections.
#[derive(Clone)]
pub struct Surroundings {
    /// For this machine and the metadata service: never by a proxy. Made when it is needed first.
    near: Arc<OnceCell<HttpClient>>,
    /// For everything else; none for the same.
    far: Option<HttpClient>,
    variables: Arc<Lookup>,
    time: Arc<Time>,
    metadata: String,
}

impl Surroundings {
    /// An HTTP client of its own (5 s to connect, 10 s to answer [alibabacloud_credentials `provider/uri.py`], no
    /// redirects, no proxy), the variables of this process, the clock of this computer.
    ///
    /// Nothing is read yet. The client is made by the first fetch that needs it, in the runtime's blocking pool, since the
    /// platform's certificates are read from disk; that it cannot be made is then the error of that fetch.
    pub fn new() -> Surroundings {
        Surroundings {
            near: Arc::default(),
            far: None,
            variables: Arc::new(|name| std::env::var(name).ok()),
            time: Arc::new(Timestamp::now),
            metadata: METADATA.to_owned(),
        }
    }

    /// The same, with another HTTP client for addresses that are neither on this machine nor the metadata service:
    /// for a proxy or an own certificate authority, as [`http_client`](crate::http_client) makes it.
    pub fn with_http(self, far: HttpClient) -> Self {
        Surroundings { far: Some(far), ..self }
    }

    /// The same, with other environment variables.
    pub fn with_variables(self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Surroundings { variables: Arc::new(lookup), ..self }
    }

    /// The same, with the end of keys judged by the server's time, as this clock knows it.
    pub fn with_clock(self, clock: &Clock) -> Self {
        let clock = clock.clone();
        self.with_time(move || clock.server_time(Timestamp::now()))
    }

    /// The same, with another time.
    pub fn with_time(self, time: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Surroundings { time: Arc::new(time), ..self }
    }

    /// The same, with the ECS metadata service elsewhere, such as `http://127.0.0.1:8100`.
    pub fn with_metadata_at(self, address: impl Into<String>) -> Self {
        Surroundings { metadata: address.into(), ..self }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.time)()
    }

    /// A variable that is set and not blank.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let value = (self.variables)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    pub(super) fn metadata(&self) -> &str {
        &self.metadata
    }

    pub(super) async fn http(&self, address: &Url) -> Result<&HttpClient, Failure> {
        if let Some(far) = self.far.as_ref().filter(|_| !web::is_near(address)) {
            return Ok(far);
        }
        let made = self.near.get_or_try_init(async || match spawn_blocking(HttpClient::for_keys).await {
            Ok(made) => made.map_err(|error| error.to_string()),
            Err(_) => Err("The HTTP client for keys could not be prepared.".to_owned()),
        });
        made.await.map_err(Failure::Setup)
    }

    /// The path, with `~/` at its front replaced by the home folder; no path is `usual` in the home folder.
    pub(super) fn file(&self, path: Option<&Path>, usual: &str) -> Result<PathBuf, Failure> {
        let below_home = match path {
            None => Path::new(usual),
            Some(path) => match path.strip_prefix("~") {
                Ok(rest) => rest,
                Err(_) => return Ok(path.to_owned()),
            },
        };
        let home = self.variable("HOME").or_else(|| self.variable("USERPROFILE"));
        let home = home.ok_or_else(|| {
            Failure::Setup(format!(
                "The file {} cannot be found: neither HOME nor USERPROFILE says where the home folder is. Name its \
                 whole path.",
                Path::new("~").join(below_home).display()
            ))
        })?;
        Ok(Path::new(&home).join(below_home))
    }
}

impl Default for Surroundings {
    fn default() -> Self {
        Surroundings::new()
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}
