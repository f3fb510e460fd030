//! `--own-domain`, `--proxy`, `--keys` and their kin: how the bucket of a command line is reached, and by whom.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use waybill_engine::view::{Connection, Proxy};
use waybill_engine::{CredentialSource, Credentials};

/// Where a proxy's password is read from: arguments can be seen by every user of the machine.
const PROXY_PASSWORD: &str = "WAYBILL_PROXY_PASSWORD";

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// The endpoint is the bucket's own domain (CNAME).
    #[arg(long, conflicts_with = "destination")]
    own_domain: bool,
    /// Allow plain http to another computer: everything can be read and changed on the way.
    #[arg(long, conflicts_with = "destination")]
    plain_http: bool,
    /// Signature version.
    #[arg(long, value_enum, default_value_t = SignatureVersion::V4, conflicts_with = "destination")]
    signature: SignatureVersion,
    /// PEM file with certificate authorities to trust beyond the system's.
    #[arg(long, value_name = "FILE", conflicts_with = "destination")]
    ca_file: Option<PathBuf>,
    /// system, none, or http://, https://, socks5:// with a user perhaps; its password is read from
    /// WAYBILL_PROXY_PASSWORD.
    #[arg(long, value_name = "URL", default_value = "system", conflicts_with = "destination")]
    proxy: String,
    /// `env` (OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET, OSS_SESSION_TOKEN), `uri:URL`, `server:URL`, `process:COMMAND`,
    /// `ossutil[:FILE]`, `aliyun[:PROFILE]`, `file[:PROFILE]`, `ecs[:ROLE]`.
    #[arg(long, value_name = "SOURCE", default_value = "env", conflicts_with = "destination")]
    keys: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SignatureVersion {
    V4,
    V1,
}

impl ConnectionArgs {
    /// As a destination has it.
    pub(crate) fn connection(&self) -> Connection {
        Connection {
            own_domain: self.own_domain,
            plain_http: self.plain_http,
            signature_v1: self.signature == SignatureVersion::V1,
            ca_file: self.ca_file.as_ref().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default(),
            proxy: match self.proxy.as_str() {
                "system" => Proxy::System,
                "none" => Proxy::Direct,
                url => Proxy::At { url: url.to_owned() },
            },
            ..Connection::default()
        }
    }

    /// The AccessKey id to begin with, and the keys.
    pub(crate) async fn keys(&self) -> Result<(String, Credentials), String> {
        keys_from(&self.keys).await
    }

    /// The proxy's password, if the environment has one.
    pub(crate) fn proxy_password(&self) -> Option<String> {
        proxy_password()
    }
}

/// The proxy's password, if the environment has one.
pub(crate) fn proxy_password() -> Option<String> {
    std::env::var(PROXY_PASSWORD).ok().filter(|password| !password.is_empty())
}

/// The AccessKey id to begin with, and the keys, from what `--keys` names.
pub(crate) async fn keys_from(keys: &str) -> Result<(String, Credentials), String> {
    let (kind, rest) = keys.split_once(':').map_or((keys, None), |(kind, rest)| (kind, Some(rest)));
    let (name, path) = (rest.map(str::to_owned), rest.map(PathBuf::from));
    let address =
        || name.clone().ok_or_else(|| format!("--keys {kind}: an address must follow, as in {kind}:https://…"));
    let source = match kind {
        "env" => CredentialSource::Environment,
        "uri" => CredentialSource::Uri(address()?),
        "server" => CredentialSource::AppServer { url: address()?, headers: Vec::new() },
        "process" => CredentialSource::process(rest.unwrap_or_default()).map_err(|error| error.to_string())?,
        "ossutil" => CredentialSource::OssutilConfig { path, profile: None },
        "aliyun" => CredentialSource::AliyunConfig { path: None, profile: name },
        "file" => CredentialSource::AlibabaCredentials { path: None, profile: name },
        "ecs" => CredentialSource::EcsRole { role: name },
        _ => return Err(format!("--keys {kind}: there is no such source; --help lists them")),
    };
    let credentials = Credentials::from_source(source).map_err(|error| error.to_string())?;
    // At once, so that what is missing is told before anything is queued.
    let first = credentials
        .current()
        .await
        .map_err(|error| format!("{error} (--keys {kind}; another --keys or --destination names another source)"))?;
    Ok((first.access_key_id().to_owned(), credentials))
}
