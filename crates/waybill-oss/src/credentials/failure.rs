//! Why a fetch brought no keys, in words that can be told to everybody who waited for it.

use std::fmt;

use crate::error::Error;

/// As much as is passed on of what went wrong, a server's own words among it, in characters.
const LONGEST: usize = 300;

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

    /// The same failure in as many words as are passed on. Last of all: half a secret is not found in a text.
    pub(super) fn cut(self) -> Self {
        match self {
            Failure::Fetch { origin, message, passing } => {
                let message = match message.char_indices().nth(LONGEST) {
                    Some((end, _)) => format!("{}…", &message[..end]),
                    None => message,
                };
                Failure::Fetch { origin, message, passing }
            }
            setup => setup,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_cut_and_short_ones_stay() {
        for (said, shown) in [(LONGEST, "密".repeat(LONGEST)), (5000, "密".repeat(LONGEST) + "…")] {
            let failure = Failure::lasting("it", "密".repeat(said)).cut();
            assert_eq!(failure.to_string(), format!("it: {shown}"));
        }
    }
}
