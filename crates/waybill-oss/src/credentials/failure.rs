//! Why a fetch brought no keys, in words that can be told to everybody who waited for it.

use std::fmt;

use crate::error::Error;

/// Why there are no keys. The words never hold a value, only names.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// Something people have to change.
    Setup(String),
    /// The source was asked, and this came of it.
    Fetch {
        origin: &'static str,
        message: String,
        /// Whether asking again can have another end.
        passing: bool,
    },
}

impl Failure {
    /// The source could not be reached, or not now.
    pub(super) fn passing(origin: &'static str, message: impl Into<String>) -> Self {
        Failure::Fetch { origin, message: message.into(), passing: true }
    }

    /// The source said no, or something that is no keys.
    pub(super) fn lasting(origin: &'static str, message: impl Into<String>) -> Self {
        Failure::Fetch { origin, message: message.into(), passing: false }
    }

    /// The same failure without these words, should a server have repeated what it was sent.
    pub(super) fn without(self, secrets: &[String]) -> Self {
        match self {
            Failure::Fetch { origin, mut message, passing } => {
                for secret in secrets {
                    message = message.replace(secret.as_str(), "***");
                }
                Failure::Fetch { origin, message, passing }
            }
            setup => setup,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Setup(words) => f.write_str(words),
            Failure::Fetch { origin, message, .. } => write!(f, "{origin}: {message}"),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Setup(words) => Error::Invalid(words),
            Failure::Fetch { origin, message, passing } => Error::Credentials { origin, message, passing },
        }
    }
}
