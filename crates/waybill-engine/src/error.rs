//! Errors of the engine, and the codes the window acts on.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use waybill_oss::{Advice, TransportKind};

use crate::view::{IpcError, Problem};

/// What the window branches on; each has words in i18n. A code is added when the window acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Code {
    /// OSS could not be reached or the line broke; we try again by ourselves.
    Network,
    /// The server's certificate is not one to trust.
    Certificate,
    /// The proxy refused the login.
    ProxyLogin,
    /// OSS is busy or had an error of its own; we try again by ourselves.
    ServerBusy,
    /// The AccessKey is unknown, disabled, its secret is wrong, or the STS token has expired.
    Credentials,
    /// No secret is stored for the destination.
    NoSecret,
    /// The keys are good but may not do this.
    AccessDenied,
    /// The bucket does not exist at this endpoint, or lives in another region.
    Bucket,
    /// The computer's clock is too far off.
    Clock,
    /// OSS refused the callback's parameters before storing anything.
    CallbackRejected,
    /// CRC-64 of what OSS stored is not what we sent.
    Integrity,
    /// An object is at the key already, and it is not to be overwritten.
    AlreadyThere,
    /// The outcome of the finishing request could not be settled.
    NotStored,
    /// The local file is gone.
    SourceGone,
    /// The local file cannot be read.
    SourceUnreadable,
    /// The local file changed while it was being uploaded.
    SourceChanged,
    /// Not a file: a socket, device, or broken link.
    NotAFile,
    /// Bigger than OSS takes (48.8 TB).
    TooLarge,
    /// The key or a setting is not acceptable.
    Invalid,
    /// The OS keychain cannot be used.
    Keychain,
    /// The data folder cannot be used for another reason than the next three, for instance since a newer Waybill wrote it.
    Store,
    /// The disk with the data folder is full.
    DiskFull,
    /// Nothing may be written in the data folder.
    ReadOnly,
    /// The database is damaged.
    Damaged,
    /// Another process holds the data folder.
    DataFolderInUse,
    /// The folder cannot be watched.
    Watch,
    /// The wish does not fit the upload's state (for instance pause while finishing).
    Refused,
    /// Anything else OSS said.
    Service,
}

/// Why the engine could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// OSS, or the way to it.
    #[error(transparent)]
    Oss(#[from] waybill_oss::Error),
    /// The local file.
    #[error("{message}")]
    Source {
        /// Gone, unreadable, changed, not a file, too large.
        code: Code,
        /// What we were doing, to which path.
        message: String,
    },
    /// The database or its folder.
    #[error("{message}")]
    Store {
        /// In use, or anything else.
        code: Code,
        /// What we were doing.
        message: String,
    },
    /// The OS keychain.
    #[error("{message}")]
    Secret {
        /// Missing secret, or keychain trouble.
        code: Code,
        /// What we were doing.
        message: String,
    },
    /// Watching a folder.
    #[error("{0}")]
    Watch(String),
    /// A wish that does not fit.
    #[error("{0}")]
    Refused(String),
    /// A value that cannot be used.
    #[error("{0}")]
    Invalid(String),
}

impl Error {
    /// The code for the window.
    pub fn code(&self) -> Code {
        match self {
            Error::Oss(error) => oss_code(error),
            Error::Source { code, .. } | Error::Store { code, .. } | Error::Secret { code, .. } => *code,
            Error::Watch(_) => Code::Watch,
            Error::Refused(_) => Code::Refused,
            Error::Invalid(_) => Code::Invalid,
        }
    }

    /// As a reason to show beside an upload.
    pub fn problem(&self) -> Problem {
        let (request_id, ec) = match self {
            Error::Oss(error) => (error.request_id().map(str::to_owned), error.ec().map(str::to_owned)),
            _ => (None, None),
        };
        Problem { code: self.code(), message: self.to_string(), request_id, ec }
    }

    /// Whether trying again by itself can help, and when.
    pub fn advice(&self) -> Advice {
        match self {
            // The list of parts was not the server's; the next try begins with asking for that.
            Error::Oss(error) if matches!(error.service_code(), Some("InvalidPart" | "InvalidPartOrder")) => {
                Advice::Now
            }
            Error::Oss(error) => error.advice(),
            Error::Source { code: Code::SourceChanged, .. } | Error::Store { .. } => Advice::Now,
            // At login the keychain may come up after us, or wait to be unlocked.
            Error::Secret { code: Code::Keychain, .. } => Advice::Later(Duration::from_secs(10)),
            _ => Advice::Never,
        }
    }
}

impl From<&Error> for IpcError {
    fn from(error: &Error) -> Self {
        let problem = error.problem();
        IpcError { code: problem.code, message: problem.message, request_id: problem.request_id }
    }
}

fn oss_code(error: &waybill_oss::Error) -> Code {
    match error {
        waybill_oss::Error::Transport { kind: TransportKind::Certificate, .. } => Code::Certificate,
        waybill_oss::Error::Transport { kind: TransportKind::ProxyLogin, .. } => Code::ProxyLogin,
        waybill_oss::Error::Transport { .. } => Code::Network,
        waybill_oss::Error::Unreadable { .. } => Code::Service,
        waybill_oss::Error::Integrity { .. } => Code::Integrity,
        waybill_oss::Error::Source(io) if io.kind() == std::io::ErrorKind::NotFound => Code::SourceGone,
        waybill_oss::Error::Source(_) => Code::SourceUnreadable,
        waybill_oss::Error::Credentials { passing: true, .. } => Code::Network,
        waybill_oss::Error::Credentials { .. } => Code::Credentials,
        waybill_oss::Error::Invalid(_) => Code::Invalid,
        waybill_oss::Error::Service(answer) => match answer.code.as_str() {
            "SignatureDoesNotMatch" | "InvalidAccessKeyId" | "SecurityTokenExpired" | "InvalidSecurityToken" => {
                Code::Credentials
            }
            "RequestTimeTooSkewed" => Code::Clock,
            "FileAlreadyExists" => Code::AlreadyThere,
            "NoSuchBucket" | "InvalidBucketName" => Code::Bucket,
            // OSS says so to whoever asks the wrong region, and names the right one.
            "AccessDenied" if answer.endpoint.is_some() => Code::Bucket,
            "AccessDenied" => Code::AccessDenied,
            "InvalidArgument" if answer.ec.as_deref().is_some_and(|ec| ec.starts_with("0007-")) => {
                Code::CallbackRejected
            }
            _ if answer.status >= 500 || answer.status == 429 => Code::ServerBusy,
            _ => Code::Service,
        },
    }
}
