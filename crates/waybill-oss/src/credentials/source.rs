//! Where keys come from, as it is written down in a destination.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::failure::Failure;
use super::files::{self, ConfigHints, Found};
use super::surroundings::Surroundings;
use super::{answer, ecs, environment, process, web};
use crate::credential::Credential;
use crate::error::Error;
use crate::escape;

const URI: &str = "the credentials URI";
const APP_SERVER: &str = "the application server";

/// Where keys come from. `Debug` shows what tells sources apart, and stars for what may be secret.
///
/// A file is named by its path (`~/` at its front is the home folder); no path means its usual place.
#[derive(Clone)]
#[non_exhaustive]
pub enum CredentialSource {
    /// These keys, and no others.
    Fixed(Credential),
    /// `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET`, `OSS_SESSION_TOKEN`, or the same of the credentials library:
    /// `ALIBABA_CLOUD_ACCESS_KEY_ID`, `…_ACCESS_KEY_SECRET`, `…_SECURITY_TOKEN`.
    Environment,
    /// A credentials URI: GET gives `{"Code":"Success","AccessKeyId",…}` [alibabacloud_credentials `provider/uri.py`].
    Uri(String),
    /// An own application server: GET gives the JSON of the mobile demo, of AssumeRole, or bare keys [Set up direct data
    /// transfer for mobile apps]. Who asks is told by headers, such as `Authorization: Bearer …`.
    AppServer {
        /// https, or http on this machine.
        url: String,
        /// Sent along; the values are secret.
        headers: Vec<(String, String)>,
    },
    /// A program that prints `{"AccessKeyId","AccessKeySecret"[,"SecurityToken","Expiration"]}` within 15 s, run without
    /// a shell [go2 `process_credentials_provider.go`].
    Process {
        /// Its path, or its name if it lies in `PATH`.
        program: String,
        /// May be secret.
        args: Vec<String>,
    },
    /// `~/.ossutilconfig` of ossutil 1 (`[Credentials]`) or 2 (`[default]`, `[profile …]`).
    OssutilConfig {
        /// The file.
        path: Option<PathBuf>,
        /// A profile of ossutil 2.
        profile: Option<String>,
    },
    /// `~/.aliyun/config.json` of the Alibaba Cloud CLI.
    AliyunConfig {
        /// The file.
        path: Option<PathBuf>,
        /// Its name; else the variable `ALIBABA_CLOUD_PROFILE`, else the file's current one.
        profile: Option<String>,
    },
    /// `~/.alibabacloud/credentials`, also with `.ini`, of the credentials library.
    AlibabaCredentials {
        /// The file; else the variable `ALIBABA_CLOUD_CREDENTIALS_FILE`.
        path: Option<PathBuf>,
        /// Its name; else the variable `ALIBABA_CLOUD_PROFILE`, else `default`.
        profile: Option<String>,
    },
    /// The RAM role attached to the ECS instance this runs on.
    EcsRole {
        /// Its name; asked for if unknown.
        role: Option<String>,
    },
}

impl CredentialSource {
    /// A program with its arguments, from one line. Quotes keep blanks together; there is no shell.
    ///
    /// # Errors
    /// `Invalid` if the line is blank or a quote is not closed.
    pub fn process(command_line: &str) -> Result<CredentialSource, Error> {
        let mut words = process::split(command_line)?.into_iter();
        let source = CredentialSource::Process { program: words.next().unwrap_or_default(), args: words.collect() };
        source.check()?;
        Ok(source)
    }

    /// One word for the kind of source, for settings and logs.
    pub fn kind(&self) -> &'static str {
        match self {
            CredentialSource::Fixed(_) => "fixed",
            CredentialSource::Environment => "environment",
            CredentialSource::Uri(_) => "uri",
            CredentialSource::AppServer { .. } => "app_server",
            CredentialSource::Process { .. } => "process",
            CredentialSource::OssutilConfig { .. } => "ossutil_config",
            CredentialSource::AliyunConfig { .. } => "aliyun_config",
            CredentialSource::AlibabaCredentials { .. } => "alibaba_credentials",
            CredentialSource::EcsRole { .. } => "ecs_role",
        }
    }

    /// What else the source's file says about where to upload to; nothing for a source that is no such file.
    ///
    /// # Errors
    /// `Invalid` if the file cannot be read or is not what it should be.
    pub async fn hints(&self, surroundings: &Surroundings) -> Result<ConfigHints, Error> {
        Ok(match self {
            CredentialSource::OssutilConfig { path, profile } => {
                files::ossutil::hints(path.as_deref(), profile.as_deref(), surroundings).await?
            }
            CredentialSource::AliyunConfig { path, profile } => {
                files::aliyun::hints(path.as_deref(), profile.as_deref(), surroundings).await?
            }
            _ => ConfigHints::default(),
        })
    }

    /// Refuses what cannot work whatever the world says.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self {
            CredentialSource::Uri(url) => web::address(url, URI).map(drop),
            CredentialSource::AppServer { url, headers } => {
                let fits = |(name, value): &(String, String)| {
                    HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value.trim()).is_ok()
                };
                match headers.iter().find(|header| !fits(header)) {
                    Some((name, _)) => Err(Failure::Setup(format!(
                        "The header “{}” for {APP_SERVER} cannot be sent: check its name and value.",
                        name.escape_debug()
                    ))),
                    None => web::address(url, APP_SERVER).map(drop),
                }
            }
            CredentialSource::Process { program, .. } if program.trim().is_empty() => {
                Err(Failure::Setup("The credential program has no name.".to_owned()))
            }
            CredentialSource::EcsRole { role: Some(role) } if !role.trim().is_empty() => ecs::check_role(role.trim()),
            _ => Ok(()),
        }
    }

    /// Asks the source.
    pub(super) async fn fetch(&self, surroundings: &Surroundings) -> Result<Credential, Failure> {
        self.ask(surroundings).await.map_err(Failure::cut)
    }

    async fn ask(&self, surroundings: &Surroundings) -> Result<Credential, Failure> {
        let found = match self {
            CredentialSource::Fixed(credential) => return Ok(credential.clone()),
            CredentialSource::Environment => return environment::keys(surroundings),
            CredentialSource::Uri(url) => return from_web(URI, url, &[], surroundings).await,
            CredentialSource::AppServer { url, headers } => {
                return from_web(APP_SERVER, url, headers, surroundings).await;
            }
            CredentialSource::Process { program, args } => return process::keys(program, args).await,
            CredentialSource::EcsRole { role } => return ecs::keys(role.as_deref(), surroundings).await,
            CredentialSource::OssutilConfig { path, profile } => {
                files::ossutil::find(path.as_deref(), profile.as_deref(), surroundings).await?
            }
            CredentialSource::AliyunConfig { path, profile } => {
                files::aliyun::find(path.as_deref(), profile.as_deref(), surroundings).await?
            }
            CredentialSource::AlibabaCredentials { path, profile } => {
                files::alibaba::find(path.as_deref(), profile.as_deref(), surroundings).await?
            }
        };
        match found {
            Found::Keys(credential) => Ok(credential),
            Found::EcsRole(role) => ecs::keys(role.as_deref(), surroundings).await,
            Found::Uri(url) => from_web(URI, &url, &[], surroundings).await,
        }
    }
}

async fn from_web(
    origin: &'static str,
    url: &str,
    headers: &[(String, String)],
    surroundings: &Surroundings,
) -> Result<Credential, Failure> {
    let url = web::address(url, origin)?;
    let secrets = secrets(&url, headers);
    let mut request = surroundings.http(&url).await?.request(Method::GET, url);
    for (name, value) in headers {
        // A value that cannot be a header has been refused by `check`.
        if let Ok(mut value) = HeaderValue::from_str(value.trim()) {
            value.set_sensitive(true);
            request = request.header(name, value);
        }
    }
    let outcome = async {
        let reply = web::ask(origin, request).await?;
        if !reply.is_success() {
            return Err(answer::refused(origin, reply.status, reply.is_passing(), &reply.body));
        }
        answer::keys(origin, &reply.body)
    };
    outcome.await.map_err(|failure| failure.without(&secrets))
}

/// What a server was sent and might repeat, the longest first: the words of the headers' values, and of its address the
/// login, the values of the query and whatever in the path is as long as a key.
fn secrets(url: &Url, headers: &[(String, String)]) -> Vec<String> {
    const SHORTEST: usize = 6;
    let words = headers.iter().flat_map(|(_, value)| value.split_whitespace());
    let words = words.filter(|word| !word.eq_ignore_ascii_case("Bearer"));
    let query = url.query().unwrap_or_default().split('&');
    let query = query.map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
    let path = url.path().split('/').filter(|piece| piece.len() >= 16);
    let login = [url.username(), url.password().unwrap_or_default()];
    let mut all: Vec<String> = words.chain(query).chain(path).chain(login).map(str::to_owned).collect();
    all.extend(all.clone().iter().filter_map(|text| escape::decoded(&text.replace('+', " "))));
    let [user, password] = login.map(|text| escape::decoded(text).unwrap_or_default());
    all.push(STANDARD.encode(format!("{user}:{password}")));
    all.retain(|text| text.len() >= SHORTEST);
    all.push(password);
    all.retain(|text| !text.is_empty());
    all.sort_by_key(|text| std::cmp::Reverse(text.len()));
    all
}

impl fmt::Debug for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = |f: &mut fmt::Formatter<'_>, name: &str, path: &Option<PathBuf>, profile: &Option<String>| {
            f.debug_struct(name)
                .field("path", &path.as_deref().map(Path::display).map(|p| p.to_string()))
                .field("profile", profile)
                .finish()
        };
        match self {
            CredentialSource::Fixed(credential) => f.debug_tuple("Fixed").field(credential).finish(),
            CredentialSource::Environment => f.write_str("Environment"),
            CredentialSource::Uri(url) => f.debug_tuple("Uri").field(&web::shown(url)).finish(),
            CredentialSource::AppServer { url, headers } => {
                let names: Vec<_> = headers.iter().map(|(name, _)| (name, "***")).collect();
                f.debug_struct("AppServer").field("url", &web::shown(url)).field("headers", &names).finish()
            }
            CredentialSource::Process { program, args } => {
                f.debug_struct("Process").field("program", program).field("args", &vec!["***"; args.len()]).finish()
            }
            CredentialSource::OssutilConfig { path, profile } => file(f, "OssutilConfig", path, profile),
            CredentialSource::AliyunConfig { path, profile } => file(f, "AliyunConfig", path, profile),
            CredentialSource::AlibabaCredentials { path, profile } => file(f, "AlibabaCredentials", path, profile),
            CredentialSource::EcsRole { role } => f.debug_struct("EcsRole").field("role", role).finish(),
        }
    }
}
