//! `~/.aliyun/config.json` of the Alibaba Cloud CLI [alibabacloud_credentials `provider/cli_profile.py`].

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{ConfigHints, Found, Place, read};
use crate::credentials::answer::{find as field, json, plain};
use crate::credentials::failure::Failure;
use crate::credentials::surroundings::Surroundings;

const USUAL: &str = ".aliyun/config.json";
const REFUSED: [&str; 8] =
    ["RamRoleArn", "ChainableRamRoleArn", "RsaKeyPair", "RamRoleArnWithEcs", "External", "OIDC", "CloudSSO", "OAuth"];

struct Profile {
    file: PathBuf,
    name: String,
    fields: Map<String, Value>,
}

impl Profile {
    /// The profile that is named, else that of `ALIBABA_CLOUD_PROFILE`, else the file's current one.
    async fn read(path: Option<&Path>, named: Option<&str>, surroundings: &Surroundings) -> Result<Profile, Failure> {
        let file = surroundings.file(path, USUAL)?;
        let Some(Value::Object(mut config)) = json(read(&file).await?.as_bytes()) else {
            return Err(Failure::Setup(format!("The file {} is not a JSON object.", file.display())));
        };
        let named = named.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
        let current = || text(&config, &["current"]);
        let name = named.or_else(|| surroundings.variable("ALIBABA_CLOUD_PROFILE")).or_else(current);
        let name = name.unwrap_or_else(|| "default".to_owned());
        let Some(Value::Array(profiles)) = config.remove("profiles") else {
            return Err(Failure::Setup(format!("The file {} has no list of profiles.", file.display())));
        };
        let is_wanted = |profile: &Value| profile.get("name").and_then(Value::as_str) == Some(&name);
        match profiles.into_iter().find(is_wanted) {
            Some(Value::Object(fields)) => Ok(Profile { file, name, fields }),
            _ => Err(Place { file: &file, profile: &name }.missing()),
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        text(&self.fields, &[name])
    }
}

fn text(fields: &Map<String, Value>, names: &[&str]) -> Option<String> {
    let text = field(fields, names)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The keys of a profile in mode AK or StsToken, or where modes EcsRamRole and CredentialsURI say to ask.
pub(in crate::credentials) async fn find(
    path: Option<&Path>,
    profile: Option<&str>,
    surroundings: &Surroundings,
) -> Result<Found, Failure> {
    let profile = Profile::read(path, profile, surroundings).await?;
    let place = Place { file: &profile.file, profile: &profile.name };
    let keys = |token| place.keys(profile.text("access_key_id"), profile.text("access_key_secret"), token);
    match profile.text("mode").as_deref().map(plain).as_deref() {
        Some("ak") | None => keys(None),
        Some("ststoken") => keys(Some(profile.text("sts_token").ok_or_else(|| place.lacks("STS token"))?)),
        Some("ecsramrole") => Ok(Found::EcsRole(profile.text("ram_role_name"))),
        Some("credentialsuri") => {
            let address = profile.text("credentials_uri").ok_or_else(|| place.lacks("credentials URI"))?;
            Ok(Found::Uri(address))
        }
        Some(mode) => Err(place.refuse(mode, &REFUSED)),
    }
}

/// The profile's region.
pub(in crate::credentials) async fn hints(
    path: Option<&Path>,
    profile: Option<&str>,
    surroundings: &Surroundings,
) -> Result<ConfigHints, Failure> {
    let profile = Profile::read(path, profile, surroundings).await?;
    Ok(ConfigHints { region: profile.text("region_id"), ..ConfigHints::default() })
}
