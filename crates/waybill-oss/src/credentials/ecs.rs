//! Keys of the RAM role that is attached to an ECS instance, from its metadata service.

use reqwest::{Method, Url};

use super::answer;
use super::failure::Failure;
use super::surroundings::Surroundings;
use super::web::{self, Reply};
use crate::credential::Credential;

pub(super) const ORIGIN: &str = "the ECS metadata service";
const ROLES: &str = "/latest/meta-data/ram/security-credentials/";
/// How long a token of the service may live, in seconds; it is used for the two questions that follow.
const TOKEN_SECONDS: &str = "60";

/// Asks for the name of the role, unless it is known, and for the role's keys. Version 2 of the service hands out a
/// token first; where it has none, version 1 is asked [alibabacloud_credentials `provider/ecs_ram_role.py`].
pub(super) async fn keys(role: Option<&str>, surroundings: &Surroundings) -> Result<Credential, Failure> {
    let base = web::address(surroundings.metadata(), ORIGIN)?;
    let token = token(&base, surroundings).await?;
    let get = async |path: &str| {
        let mut request = surroundings.http(&base).await?.request(Method::GET, at(&base, path)?);
        if let Some(token) = &token {
            request = request.header("X-aliyun-ecs-metadata-token", token);
        }
        web::ask(ORIGIN, request).await
    };
    let role = match role.map(str::trim).filter(|role| !role.is_empty()) {
        Some(role) => role.to_owned(),
        None => {
            let reply = get(ROLES).await?;
            if reply.status == 404 {
                return Err(Failure::lasting(ORIGIN, "no RAM role is attached to this instance"));
            }
            text(good(reply)?)?
        }
    };
    check_role(&role)?;
    let reply = get(&format!("{ROLES}{role}")).await?;
    if reply.status == 404 {
        return Err(Failure::lasting(ORIGIN, format!("the RAM role {role} is not attached to this instance")));
    }
    answer::keys(ORIGIN, &good(reply)?.body)
}

/// A RAM role's name: letters, digits, `-`, `_` and `.`, at most 64.
pub(super) fn check_role(role: &str) -> Result<(), Failure> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if role.is_empty() || role.len() > 64 || !role.chars().all(fits) || role.chars().all(|c| c == '.') {
        return Err(Failure::Setup(
            "The name of the RAM role is not one: it has letters, digits, “-”, “_” and “.”, and at most 64 of them."
                .to_owned(),
        ));
    }
    Ok(())
}

/// The token of version 2, or none where only version 1 is known.
async fn token(base: &Url, surroundings: &Surroundings) -> Result<Option<String>, Failure> {
    let request = surroundings
        .http(base)
        .await?
        .request(Method::PUT, at(base, "/latest/api/token")?)
        .header("X-aliyun-ecs-metadata-token-ttl-seconds", TOKEN_SECONDS);
    let reply = web::ask(ORIGIN, request).await?;
    if reply.is_success() { text(reply).map(Some) } else { Ok(None) }
}

fn good(reply: Reply) -> Result<Reply, Failure> {
    if reply.is_success() {
        Ok(reply)
    } else {
        Err(answer::refused(ORIGIN, reply.status, reply.is_passing(), &reply.body))
    }
}

fn text(reply: Reply) -> Result<String, Failure> {
    let text = String::from_utf8(reply.body)
        .map_err(|_| Failure::lasting(ORIGIN, "it answered with something that is not text"))?;
    Ok(text.trim().to_owned())
}

fn at(base: &Url, path: &str) -> Result<Url, Failure> {
    base.join(path).map_err(|error| Failure::Setup(format!("The address of {ORIGIN} cannot be written: {error}.")))
}
