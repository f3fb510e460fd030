//! A command that finds its data folder in use hands its work to the process that holds it, and hears of it as if it did it
//! itself. The words between the two: one line of JSON each.
//!
//! Keys travel only through a socket that nobody but this user can open, from memory to memory, and only such as do not
//! run out: others could be renewed in the process they come from alone.

mod ask;
pub(crate) mod socket;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use waybill_oss::Credential;

pub use ask::{Handed, hand_over, hand_over_calls};

use crate::destination::BuiltIn;
use crate::engine::following::{Asked, Place, Told};
use crate::error::{Code, Error};
use crate::intake::{Callback, KeyRule};
use crate::keys::Access;
use crate::view::{CallbackProfileForm, Connection, OverwritePolicy};

/// Raised when the words change, so that two versions of Waybill do not misunderstand each other.
const PROTOCOL: u32 = 1;

/// What the other process is asked. No `Debug`: it may carry keys.
#[derive(Serialize, Deserialize)]
pub(crate) struct Request {
    protocol: u32,
    to: To,
    paths: Vec<String>,
    key_rule: Option<KeyRule>,
    callback: Callback,
    overwrite: Option<OverwritePolicy>,
    progress: bool,
    /// Begun by a process that has ended meanwhile.
    batch: Option<i64>,
}

/// Callbacks that the other process is asked to have made again. One of an older version does not know these words, and
/// says so.
#[derive(Serialize, Deserialize)]
pub(crate) struct CallAgain {
    protocol: u32,
    call_again: Vec<i64>,
}

/// What a line asks for.
pub(crate) enum Wanted {
    /// Uploads, and their batch if it is known.
    Uploads(Box<Asked>, Option<i64>),
    /// Callbacks of these uploads once more.
    Calls(Vec<i64>),
}

impl Wanted {
    /// # Errors
    /// `Refused` for another version's words.
    pub(crate) fn read(line: &str) -> Result<Wanted, Error> {
        match serde_json::from_str::<CallAgain>(line) {
            Ok(calls) if calls.protocol == PROTOCOL => Ok(Wanted::Calls(calls.call_again)),
            Ok(_) => Err(other_version()),
            Err(_) => Request::read(line).map(|(asked, batch)| Wanted::Uploads(Box::new(asked), batch)),
        }
    }
}

#[derive(Serialize, Deserialize)]
enum To {
    Named(String),
    Described(Box<Described>),
}

#[derive(Serialize, Deserialize)]
struct Described {
    id: String,
    name: String,
    endpoint: String,
    region: String,
    bucket: String,
    key_template: String,
    callback: Option<CallbackProfileForm>,
    connection: Connection,
    access_key_id: String,
    access_key_secret: String,
    security_token: Option<String>,
    proxy_password: Option<String>,
}

/// What it answers, again and again.
#[derive(Serialize, Deserialize)]
pub(crate) enum Answer {
    /// It will do it.
    Taken,
    /// What a command hears.
    Told(Told),
    /// All has been told.
    Ended,
    /// It could not be done.
    Refused {
        /// As in [`Error`].
        code: Code,
        /// In words.
        message: String,
    },
}

impl Request {
    /// None if these keys cannot be handed over.
    async fn of(asked: &Asked, batch: Option<i64>) -> Result<Option<Request>, Error> {
        let to = match &asked.to {
            Place::Named(name) => To::Named(name.clone()),
            Place::Described(built_in) => match Described::of(built_in).await? {
                Some(described) => To::Described(Box::new(described)),
                None => return Ok(None),
            },
        };
        Ok(Some(Request {
            protocol: PROTOCOL,
            to,
            paths: asked.paths.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
            key_rule: asked.key_rule.clone(),
            callback: asked.callback.clone(),
            overwrite: asked.overwrite,
            progress: asked.progress,
            batch,
        }))
    }

    /// What is asked for, and the batch if it is known.
    ///
    /// # Errors
    /// `Refused` for another version's words.
    fn read(line: &str) -> Result<(Asked, Option<i64>), Error> {
        // Not the reason: it might repeat what stands in the line.
        let request: Request = serde_json::from_str(line).map_err(|_| other_version())?;
        if request.protocol != PROTOCOL {
            return Err(other_version());
        }
        let asked = Asked {
            to: match request.to {
                To::Named(name) => Place::Named(name),
                To::Described(described) => Place::Described(Box::new(described.built_in())),
            },
            paths: request.paths.into_iter().map(PathBuf::from).collect(),
            key_rule: request.key_rule,
            callback: request.callback,
            overwrite: request.overwrite,
            progress: request.progress,
        };
        Ok((asked, request.batch))
    }
}

impl Described {
    async fn of(built_in: &BuiltIn) -> Result<Option<Described>, Error> {
        let keys = built_in.access.credentials.current().await?;
        if !socket::IS_PRIVATE || keys.expires_at().is_some() {
            return Ok(None);
        }
        let BuiltIn { id, name, endpoint, region, bucket, key_template, callback, connection, .. } = built_in.clone();
        Ok(Some(Described {
            id,
            name,
            endpoint,
            region,
            bucket,
            key_template,
            callback,
            connection,
            access_key_id: keys.access_key_id().to_owned(),
            access_key_secret: keys.access_key_secret().to_owned(),
            security_token: keys.security_token().map(str::to_owned),
            proxy_password: built_in.access.proxy_password.clone(),
        }))
    }

    fn built_in(self) -> BuiltIn {
        let keys = Credential::new(&self.access_key_id, self.access_key_secret, self.security_token);
        BuiltIn {
            id: self.id,
            name: self.name,
            endpoint: self.endpoint,
            region: self.region,
            bucket: self.bucket,
            key_template: self.key_template,
            callback: self.callback,
            connection: self.connection,
            access_key_id: self.access_key_id,
            access: Access { credentials: keys.into(), proxy_password: self.proxy_password },
        }
    }
}

fn other_version() -> Error {
    Error::Refused("the Waybill that holds the data folder is of another version; end it, or update both".into())
}
