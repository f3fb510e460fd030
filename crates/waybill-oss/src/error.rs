//! What can go wrong on the way to OSS and back, and whether trying again can help.

use std::fmt;
use std::time::Duration;

/// How long a caller should wait before it tries again when OSS was busy and named no time itself.
const BUSY_WAIT: Duration = Duration::from_secs(2);
/// How long a caller should wait when OSS could not be reached at all.
const UNREACHED_WAIT: Duration = Duration::from_secs(5);

/// How long a caller should wait before it asks the source of the keys again.
const KEYS_WAIT: Duration = Duration::from_secs(30);

/// Why a call to OSS has no good answer. `operation` is the API's own name, such as `UploadPart`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No whole answer came back.
    #[error("{operation}: {}: {message}", kind.words())]
    Transport {
        /// The API call.
        operation: &'static str,
        /// How far it got.
        kind: TransportKind,
        /// What the network said; never holds a URL or a header.
        message: String,
    },
    /// OSS answered, and the answer is an error.
    #[error(transparent)]
    Service(Box<ServiceError>),
    /// The status says success, but the answer is not what OSS sends.
    #[error("{operation}: the answer cannot be read: {message}")]
    Unreadable {
        /// The API call.
        operation: &'static str,
        /// What is wrong with it.
        message: String,
        /// OSS's request id, if there was one.
        request_id: Option<String>,
    },
    /// The CRC-64 of what OSS stored is not that of what was read from the file.
    #[error("{operation}: OSS stored something else than was sent: CRC-64 {local} here, {server} there")]
    Integrity {
        /// The API call.
        operation: &'static str,
        /// Computed while the bytes passed.
        local: u64,
        /// From `x-oss-hash-crc64ecma`.
        server: u64,
        /// OSS's request id.
        request_id: Option<String>,
    },
    /// The local file could not be read while it was being sent.
    #[error("the local file could not be read while it was being sent: {0}")]
    Source(std::io::Error),
    /// No keys to sign with: their source could not be reached, or gave none.
    #[error("no keys from {origin}: {message}")]
    Credentials {
        /// Where they should have come from, in words.
        origin: &'static str,
        /// What went wrong; never holds a key, a token or an address's query.
        message: String,
        /// Whether asking again later can help.
        passing: bool,
    },
    /// Refused before a byte was sent; the words are for people.
    #[error("{0}")]
    Invalid(String),
}

/// How far a request got that has no whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportKind {
    /// No connection, so OSS has not seen the request.
    Connect,
    /// The server's certificate is not one to trust; nothing was sent to it.
    Certificate,
    /// The proxy wants a login, or another one; OSS has not seen the request.
    ProxyLogin,
    /// Nothing moved for too long.
    Timeout,
    /// The connection broke with the request or its answer on the way.
    Interrupted,
}

impl TransportKind {
    /// OSS has not seen the request.
    fn unseen(self) -> bool {
        matches!(self, TransportKind::Connect | TransportKind::Certificate | TransportKind::ProxyLogin)
    }

    fn words(self) -> &'static str {
        match self {
            TransportKind::Connect => "no connection",
            TransportKind::Certificate => "the server's certificate is not trusted",
            TransportKind::ProxyLogin => "the proxy refused the login",
            TransportKind::Timeout => "timed out",
            TransportKind::Interrupted => "the connection broke",
        }
    }
}

/// The error OSS answered with [Error responses; `Error/{Code,Message,RequestId,HostId,EC}`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceError {
    /// The API call, such as `UploadPart`.
    pub operation: &'static str,
    /// HTTP status.
    pub status: u16,
    /// `Code`, such as `NoSuchBucket`; empty if the answer had no error document.
    pub code: String,
    /// `Message`, as OSS put it.
    pub message: String,
    /// `EC`, one number for one cause, such as `0042-00000203`.
    pub ec: Option<String>,
    /// `RequestId`, which Alibaba's support asks for.
    pub request_id: Option<String>,
    /// `HostId`.
    pub host_id: Option<String>,
    /// `Retry-After`, if OSS named a time.
    pub retry_after: Option<Duration>,
    /// What OSS signed, when its signature is not ours: compared line by line with ours it shows the difference.
    pub string_to_sign: Option<String>,
    /// The endpoint that OSS wants the bucket to be addressed by, when it was another.
    pub endpoint: Option<String>,
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: OSS answered {}", self.operation, self.status)?;
        if !self.code.is_empty() {
            write!(f, " {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if let Some(ec) = &self.ec {
            write!(f, " (EC {ec})")?;
        }
        Ok(())
    }
}

impl std::error::Error for ServiceError {}

/// Whether the same call can have another end next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Repeating at once is fine.
    Now,
    /// Repeat after this wait.
    Later(Duration),
    /// Repeating it unchanged cannot help: rights, keys, names, arguments, the local file.
    Never,
}

impl Error {
    /// Whether trying again can help, decided by what OSS or the network said.
    pub fn advice(&self) -> Advice {
        match self {
            Error::Transport { kind: TransportKind::Connect, .. } => Advice::Later(UNREACHED_WAIT),
            // Somebody has to give the authority's file or the password first.
            Error::Transport { kind: TransportKind::Certificate | TransportKind::ProxyLogin, .. } => Advice::Never,
            Error::Transport { .. } | Error::Unreadable { .. } | Error::Integrity { .. } => Advice::Now,
            Error::Credentials { passing: true, .. } => Advice::Later(KEYS_WAIT),
            Error::Credentials { .. } | Error::Source(_) | Error::Invalid(_) => Advice::Never,
            Error::Service(answer) => match (answer.status, answer.code.as_str()) {
                (429 | 503, _) => Advice::Later(answer.retry_after.unwrap_or(BUSY_WAIT)),
                (501 | 505, _) => Advice::Never,
                // 400 RequestTimeout: the body came too slowly. 400 BadRequest: the Go SDK v2 repeats it (oss/retry).
                (408 | 500.., _) | (400, "RequestTimeout" | "BadRequest") => match answer.retry_after {
                    Some(wait) => Advice::Later(wait),
                    None => Advice::Now,
                },
                _ => Advice::Never,
            },
        }
    }

    /// OSS's request id, if OSS answered.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Error::Service(answer) => answer.request_id.as_deref(),
            Error::Unreadable { request_id, .. } | Error::Integrity { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }

    /// OSS's error class, such as `0007-00000203`.
    pub fn ec(&self) -> Option<&str> {
        match self {
            Error::Service(answer) => answer.ec.as_deref(),
            _ => None,
        }
    }

    /// OSS's error code, such as `NoSuchUpload`.
    pub fn service_code(&self) -> Option<&str> {
        match self {
            Error::Service(answer) if !answer.code.is_empty() => Some(&answer.code),
            _ => None,
        }
    }

    /// The request may have been carried out although no usable answer says so: settle it, do not repeat it blindly.
    pub fn answer_lost(&self) -> bool {
        match self {
            Error::Transport { kind, .. } => !kind.unseen(),
            Error::Unreadable { .. } => true,
            // An error inside a 2xx: OSS began, and how it ended is not certain.
            Error::Service(answer) => answer.status >= 500 || answer.status < 300,
            Error::Integrity { .. } | Error::Credentials { .. } | Error::Source(_) | Error::Invalid(_) => false,
        }
    }

    /// OSS certainly did not carry the request out, so even one that must not run twice may be sent again.
    pub(crate) fn surely_not_carried_out(&self) -> bool {
        match self {
            Error::Transport { kind, .. } => kind.unseen(),
            Error::Service(answer) => (300..500).contains(&answer.status),
            Error::Credentials { .. } => true,
            _ => false,
        }
    }

    /// The wait OSS itself asked for.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Error::Service(answer) => answer.retry_after,
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, code: &str) -> Error {
        Error::Service(Box::new(ServiceError {
            operation: "UploadPart",
            status,
            code: code.to_owned(),
            message: "words".to_owned(),
            ec: Some("0002-00000040".to_owned()),
            request_id: Some("65A1".to_owned()),
            host_id: None,
            retry_after: None,
            string_to_sign: None,
            endpoint: None,
        }))
    }

    fn broken(kind: TransportKind) -> Error {
        Error::Transport { operation: "UploadPart", kind, message: "words".to_owned() }
    }

    #[test]
    fn rights_names_and_arguments_are_never_repeated() {
        for (status, code) in [
            (400, "InvalidArgument"),
            (403, "SignatureDoesNotMatch"),
            (403, "AccessDenied"),
            (404, "NoSuchBucket"),
            (404, "NoSuchUpload"),
            (409, "FileAlreadyExists"),
            (411, "MissingContentLength"),
            (412, "PreconditionFailed"),
            (501, "NotImplemented"),
            (307, "TemporaryRedirect"),
        ] {
            assert_eq!(answered(status, code).advice(), Advice::Never, "{status} {code}");
        }
        for kind in [TransportKind::Certificate, TransportKind::ProxyLogin] {
            assert_eq!(broken(kind).advice(), Advice::Never);
            assert!(!broken(kind).answer_lost() && broken(kind).surely_not_carried_out());
        }
        assert_eq!(Error::Invalid(String::new()).advice(), Advice::Never);
        assert_eq!(Error::Source(std::io::ErrorKind::NotFound.into()).advice(), Advice::Never);
    }

    #[test]
    fn trouble_that_passes_is_repeated() {
        assert_eq!(answered(500, "InternalError").advice(), Advice::Now);
        assert_eq!(answered(400, "RequestTimeout").advice(), Advice::Now);
        assert_eq!(answered(503, "ServiceUnavailable").advice(), Advice::Later(BUSY_WAIT));
        assert_eq!(answered(429, "").advice(), Advice::Later(BUSY_WAIT));
        assert_eq!(broken(TransportKind::Connect).advice(), Advice::Later(UNREACHED_WAIT));
        assert_eq!(broken(TransportKind::Interrupted).advice(), Advice::Now);
    }

    #[test]
    fn keys_are_asked_for_again_only_where_that_can_help() {
        let error = |passing| Error::Credentials { origin: "the ECS role", message: "words".to_owned(), passing };
        assert_eq!(error(true).advice(), Advice::Later(KEYS_WAIT));
        assert_eq!(error(false).advice(), Advice::Never);
        assert!(!error(true).answer_lost() && error(true).surely_not_carried_out());
    }

    #[test]
    fn an_answer_is_lost_only_when_the_request_may_have_run() {
        assert!(!broken(TransportKind::Connect).answer_lost());
        assert!(broken(TransportKind::Timeout).answer_lost());
        assert!(broken(TransportKind::Interrupted).answer_lost());
        assert!(answered(502, "").answer_lost());
        assert!(
            answered(200, "InternalError").answer_lost() && !answered(200, "InternalError").surely_not_carried_out()
        );
        assert!(!answered(404, "NoSuchUpload").answer_lost());
    }

    #[test]
    fn what_oss_said_is_shown_with_code_and_ec() {
        let error = answered(403, "AccessDenied");
        assert_eq!(error.to_string(), "UploadPart: OSS answered 403 AccessDenied: words (EC 0002-00000040)");
        assert_eq!(
            (error.service_code(), error.ec(), error.request_id()),
            (Some("AccessDenied"), Some("0002-00000040"), Some("65A1"))
        );
    }
}
