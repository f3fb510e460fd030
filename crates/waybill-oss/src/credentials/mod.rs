//! The keys in hand and where new ones come from: fetched once for everybody who waits, refreshed before they end.

mod answer;
mod due;
mod ecs;
mod environment;
mod failure;
mod files;
mod process;
mod source;
mod surroundings;
mod web;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::credential::Credential;
use crate::error::Error;
use due::Due;
use failure::Failure;

pub use files::{BucketHint, ConfigHints};
pub use source::CredentialSource;
pub use surroundings::Surroundings;

/// The keys in hand and where new ones come from. Cloning is cheap and shares them.
#[derive(Clone)]
pub struct Credentials(Arc<Supply>);

enum Supply {
    Fixed(Credential),
    Fetched(Box<Fetched>),
}

struct Fetched {
    source: CredentialSource,
    surroundings: Surroundings,
    hand: Mutex<Hand>,
    /// Whoever holds it fetches. When an upload is paused while it fetches, the next one in line takes over.
    turn: tokio::sync::Mutex<()>,
}

/// What the last fetch brought.
#[derive(Default)]
struct Hand {
    keys: Option<(Credential, Timestamp)>,
    /// No early refresh before this, after one has failed.
    quiet_until: Option<Timestamp>,
    /// How many fetches have ended.
    ended: u64,
    /// Why the last one failed: for those who waited for it, not for those who come later.
    failure: Option<Failure>,
}

impl From<Credential> for Credentials {
    fn from(credential: Credential) -> Self {
        Credentials(Arc::new(Supply::Fixed(credential)))
    }
}

impl Credentials {
    /// Keys from this source, reached directly: no proxy, the variables of this process. Nothing is fetched yet.
    ///
    /// # Errors
    /// `Invalid` if the source is not set up rightly, such as an address that would show the keys on the network.
    pub fn from_source(source: CredentialSource) -> Result<Credentials, Error> {
        match source {
            CredentialSource::Fixed(credential) => Ok(credential.into()),
            source => Credentials::from_source_in(source, Surroundings::new()),
        }
    }

    /// Keys from this source, reached as the surroundings say.
    ///
    /// # Errors
    /// As [`Credentials::from_source`].
    pub fn from_source_in(source: CredentialSource, surroundings: Surroundings) -> Result<Credentials, Error> {
        source.check()?;
        Ok(match source {
            CredentialSource::Fixed(credential) => credential.into(),
            source => Credentials(Arc::new(Supply::Fetched(Box::new(Fetched {
                source,
                surroundings,
                hand: Mutex::default(),
                turn: tokio::sync::Mutex::default(),
            })))),
        })
    }

    /// The keys to sign with now. They are fetched when there are none or they have ended, and refreshed by one caller
    /// shortly before, while the others go on with those in hand. However many wait, there is one fetch.
    ///
    /// # Errors
    /// `Invalid` if the source lacks something only people can add, `Credentials` if it could not be reached or gave
    /// no keys. Everybody who waited for a fetch is told; whoever asks later causes a new one. While the keys in hand
    /// are good, an early refresh that fails is no error.
    pub async fn current(&self) -> Result<Credential, Error> {
        match &*self.0 {
            Supply::Fixed(credential) => Ok(credential.clone()),
            Supply::Fetched(fetched) => Ok(fetched.current().await?),
        }
    }

    /// OSS refused these keys as run out: whether there are others now. They are fetched, unless somebody has done so
    /// meanwhile. False if the source cannot give others or gave the same again.
    ///
    /// # Errors
    /// As [`Credentials::current`].
    pub async fn renew(&self, refused: &Credential) -> Result<bool, Error> {
        match &*self.0 {
            Supply::Fixed(_) => Ok(false),
            Supply::Fetched(fetched) => Ok(fetched.renew(refused).await?),
        }
    }
}

impl Fetched {
    async fn current(&self) -> Result<Credential, Failure> {
        let before = self.hand().ended;
        let turn = match self.keys() {
            Some((credential, Due::Fresh)) => return Ok(credential),
            Some((credential, Due::Refresh)) => match self.turn.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(credential),
            },
            Some((_, Due::Expired)) | None => self.turn.lock().await,
        };
        // Somebody may have fetched before it was our turn.
        if let Some((credential, Due::Fresh)) = self.keys() {
            return Ok(credential);
        }
        let outcome = match self.told_since(before) {
            Some(failure) => Err(failure),
            None => self.fetch().await,
        };
        drop(turn);
        match (outcome, self.keys()) {
            (Err(failure), Some((credential, Due::Fresh | Due::Refresh))) => {
                tracing::warn!(source = self.source.kind(), %failure, "the keys could not be refreshed early");
                Ok(credential)
            }
            (outcome, _) => outcome,
        }
    }

    async fn renew(&self, refused: &Credential) -> Result<bool, Failure> {
        let before = self.hand().ended;
        let _turn = self.turn.lock().await;
        let others = |hand: &Hand| hand.keys.as_ref().is_some_and(|(credential, _)| !credential.same_keys(refused));
        {
            let hand = self.hand();
            if others(&hand) {
                return Ok(true);
            }
            if hand.ended != before {
                return hand.failure.clone().map_or(Ok(false), Err);
            }
        }
        Ok(!self.fetch().await?.same_keys(refused))
    }

    /// Asks the source and keeps what it says. The caller holds the turn.
    async fn fetch(&self) -> Result<Credential, Failure> {
        let outcome = self.source.fetch(&self.surroundings).await;
        let now = self.surroundings.now();
        let mut hand = self.hand();
        hand.ended += 1;
        match &outcome {
            Ok(credential) => {
                tracing::debug!(source = self.source.kind(), expires_at = ?credential.expires_at(), "fetched keys");
                *hand = Hand { keys: Some((credential.clone(), now)), ended: hand.ended, ..Hand::default() };
            }
            Err(failure) => {
                let end = hand.keys.as_ref().and_then(|(credential, _)| credential.expires_at());
                hand.quiet_until = end.map(|end| due::next_early_try(now, end));
                hand.failure = Some(failure.clone());
            }
        }
        outcome
    }

    /// The keys in hand, and whether it is time for new ones.
    fn keys(&self) -> Option<(Credential, Due)> {
        let now = self.surroundings.now();
        let hand = self.hand();
        let (credential, fetched_at) = hand.keys.as_ref()?;
        let due = match credential.expires_at().map_or(Due::Fresh, |end| due::due(now, *fetched_at, end)) {
            Due::Refresh if hand.quiet_until.is_some_and(|until| now < until) => Due::Fresh,
            due => due,
        };
        Some((credential.clone(), due))
    }

    fn told_since(&self, before: u64) -> Option<Failure> {
        let hand = self.hand();
        (hand.ended != before).then(|| hand.failure.clone()).flatten()
    }

    fn hand(&self) -> MutexGuard<'_, Hand> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Supply::Fixed(credential) => f.debug_tuple("Credentials").field(credential).finish(),
            Supply::Fetched(fetched) => f.debug_tuple("Credentials").field(&fetched.source).finish(),
        }
    }
}
