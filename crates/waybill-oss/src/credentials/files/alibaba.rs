//! `~/.alibabacloud/credentials` of the credentials library [alibabacloud_credentials `provider/profile.py`].

use std::path::{Path, PathBuf};

use super::ini::Sections;
use super::{Found, Place, read};
use crate::credentials::answer::plain;
use crate::credentials::failure::Failure;
use crate::credentials::surroundings::Surroundings;

/// The name that most languages use, and the one of Python and Java.
const USUAL: [&str; 2] = [".alibabacloud/credentials", ".alibabacloud/credentials.ini"];
const REFUSED: [&str; 4] = ["ram_role_arn", "oidc_role_arn", "rsa_key_pair", "bearer"];

/// The keys of a profile of type `access_key` or `sts`, or the role of one of type `ecs_ram_role`.
pub(in crate::credentials) async fn find(
    path: Option<&Path>,
    profile: Option<&str>,
    surroundings: &Surroundings,
) -> Result<Found, Failure> {
    let file = file(path, surroundings).await?;
    let named = profile.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    let name = named.or_else(|| surroundings.variable("ALIBABA_CLOUD_PROFILE")).unwrap_or_else(|| "default".to_owned());
    let sections = Sections::parse(read(&file).await?, &file)?;
    let place = Place { file: &file, profile: &name };
    let section = sections.get(&name).ok_or_else(|| place.missing())?;
    let keys = |token| place.keys(section.value(&["access_key_id"]), section.value(&["access_key_secret"]), token);
    match section.value(&["type"]) {
        None => keys(section.value(&["security_token"])),
        Some(kind) => match plain(&kind).as_str() {
            "accesskey" => keys(None),
            "sts" => keys(Some(section.value(&["security_token"]).ok_or_else(|| place.lacks("security_token"))?)),
            "ecsramrole" => Ok(Found::EcsRole(section.value(&["role_name"]))),
            _ => Err(place.refuse(&kind, &REFUSED)),
        },
    }
}

/// The file that is named, else that of `ALIBABA_CLOUD_CREDENTIALS_FILE`, else the first of the usual ones that exists.
async fn file(path: Option<&Path>, surroundings: &Surroundings) -> Result<PathBuf, Failure> {
    let named =
        path.map(Path::to_owned).or_else(|| surroundings.variable("ALIBABA_CLOUD_CREDENTIALS_FILE").map(PathBuf::from));
    if let Some(path) = named {
        return surroundings.file(Some(&path), USUAL[0]);
    }
    let [first, second] = USUAL.map(|usual| surroundings.file(None, usual));
    let (first, second) = (first?, second?);
    let exists = async |path: &Path| tokio::fs::try_exists(path).await.unwrap_or(false);
    Ok(if !exists(&first).await && exists(&second).await { second } else { first })
}
