//! `~/.ossutilconfig`, as ossutil 1 and ossutil 2 write it.

use std::path::Path;

use super::ini::{Section, Sections};
use super::{BucketHint, ConfigHints, Found, Place, read};
use crate::credentials::answer::plain;
use crate::credentials::failure::Failure;
use crate::credentials::surroundings::Surroundings;

const USUAL: &str = ".ossutilconfig";
/// The spellings of ossutil 1, in any case and with any `_` or `-` [ossutil `lib/config_helper.go`]; those of ossutil 2
/// are among them [Configure ossutil].
const ID: [&str; 2] = ["accessKeyID", "accessID"];
const SECRET: [&str; 2] = ["accessKeySecret", "accessKey"];
const TOKEN: [&str; 2] = ["stsToken", "securityToken"];
const ENDPOINT: [&str; 2] = ["endpoint", "host"];
const ROLE_ARN: [&str; 2] = ["ramRoleArn", "roleArn"];
const ROLE_NAME: [&str; 3] = ["ecsRoleName", "ramRoleName", "roleName"];
const REFUSED: [&str; 2] = ["RamRoleArn", "Anonymous"];
/// A profile may take its keys from another one; a ring of them ends here.
const HOPS: usize = 5;

/// The keys of a profile. Without one, it is `[default]` of ossutil 2, else `[Credentials]` of ossutil 1.
pub(in crate::credentials) async fn find(
    path: Option<&Path>,
    profile: Option<&str>,
    surroundings: &Surroundings,
) -> Result<Found, Failure> {
    let file = surroundings.file(path, USUAL)?;
    let sections = Sections::parse(read(&file).await?, &file)?;
    let (mut name, mut section) = choose(&sections, &file, profile)?;
    for _ in 0..HOPS {
        let place = Place { file: &file, profile: &name };
        match section.value(&["sourceProfile"]) {
            Some(other) if section.value(&ID).is_none() && section.value(&["mode"]).is_none() => {
                (name, section) = choose(&sections, &file, Some(&other))?;
            }
            _ => return found(section, &sections, place),
        }
    }
    Err(Place { file: &file, profile: &name }.lacks("keys: its source profiles form a ring"))
}

/// Where to upload to, as the file says.
pub(in crate::credentials) async fn hints(
    path: Option<&Path>,
    profile: Option<&str>,
    surroundings: &Surroundings,
) -> Result<ConfigHints, Failure> {
    let file = surroundings.file(path, USUAL)?;
    let sections = Sections::parse(read(&file).await?, &file)?;
    let (_, section) = choose(&sections, &file, profile)?;
    let mut hints = ConfigHints {
        region: section.value(&["region"]),
        endpoint: section.value(&ENDPOINT),
        endpoint_is_cname: is_cname(section),
        ..ConfigHints::default()
    };
    // A CNAME comes before an endpoint, so it is written over it [ossutil `lib/command.go` getEndpoint].
    for (name, is_cname) in [("Bucket-Endpoint", false), ("Bucket-Cname", true)] {
        for (bucket, host) in sections.get(name).iter().flat_map(|section| section.pairs()) {
            let hint = BucketHint { region: None, endpoint: Some(host.clone()), is_cname };
            hints.buckets.insert(bucket.clone(), hint);
        }
    }
    for (bucket, section) in sections.of_kind("buckets") {
        let hint = BucketHint {
            region: section.value(&["region"]),
            endpoint: section.value(&ENDPOINT),
            is_cname: is_cname(section),
        };
        hints.buckets.insert(bucket.to_owned(), hint);
    }
    Ok(hints)
}

fn is_cname(section: &Section) -> bool {
    section.value(&["addressingStyle"]).is_some_and(|style| style.eq_ignore_ascii_case("cname"))
}

/// The section of a profile, and the name to call it by.
fn choose<'a>(sections: &'a Sections, file: &Path, profile: Option<&str>) -> Result<(String, &'a Section), Failure> {
    let profile = profile.map(str::trim).filter(|name| !name.is_empty());
    let full = format!("profile {}", profile.unwrap_or("default"));
    let names = match profile {
        None => vec!["default", &full, "Credentials"],
        Some("default") => vec!["default", &full],
        Some(_) => vec![full.as_str()],
    };
    let missing = || match profile {
        Some(profile) => Place { file, profile }.missing(),
        None => Failure::Setup(format!(
            "The file {} has neither a section [default] (ossutil 2) nor [Credentials] (ossutil 1).",
            file.display()
        )),
    };
    let first = names.iter().find_map(|name| Some((*name, sections.get(name)?)));
    let (name, section) = first.ok_or_else(missing)?;
    Ok((profile.unwrap_or(name).to_owned(), section))
}

fn found(section: &Section, sections: &Sections, place: Place<'_>) -> Result<Found, Failure> {
    let (id, secret, token) = (section.value(&ID), section.value(&SECRET), section.value(&TOKEN));
    match section.value(&["mode"]).as_deref().map(plain).as_deref() {
        Some("ak") => place.keys(id, secret, None),
        Some("ststoken") => {
            let token = token.ok_or_else(|| place.lacks("STS token"))?;
            place.keys(id, secret, Some(token))
        }
        Some("ecsramrole") => Ok(Found::EcsRole(section.value(&ROLE_NAME))),
        Some(mode) => Err(place.refuse(mode, &REFUSED)),
        None if section.value(&ROLE_ARN).is_some() => Err(place.refuse("RamRoleArn", &REFUSED)),
        None if id.is_none() && secret.is_none() => match sections.get("AkService").and_then(|s| s.value(&["ecsAk"])) {
            Some(address) => Ok(Found::Uri(address)),
            None => Err(place.lacks("AccessKey ID and secret")),
        },
        None => place.keys(id, secret, token),
    }
}
