//! Keys from environment variables.

use super::failure::Failure;
use super::surroundings::Surroundings;
use crate::credential::Credential;

/// Id, secret and token: the names of the OSS SDKs, then those of Alibaba's credentials library
/// [py1 `credentials.py`; alibabacloud_credentials `auth_util.py`].
const FAMILIES: [[&str; 3]; 2] = [
    ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"],
    ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"],
];

/// The first family that is set; the two are never mixed.
pub(super) fn keys(surroundings: &Surroundings) -> Result<Credential, Failure> {
    for [id_name, secret_name, token_name] in FAMILIES {
        match (surroundings.variable(id_name), surroundings.variable(secret_name)) {
            (Some(id), Some(secret)) => return Ok(Credential::new(id, secret, surroundings.variable(token_name))),
            (Some(_), None) => return Err(half(id_name, secret_name)),
            (None, Some(_)) => return Err(half(secret_name, id_name)),
            (None, None) => {}
        }
    }
    let [[first, ..], [second, ..]] = FAMILIES;
    Err(Failure::Setup(format!("There are no keys in the environment: neither {first} nor {second} is set.")))
}

fn half(set: &str, unset: &str) -> Failure {
    Failure::Setup(format!("The environment variable {set} is set, but {unset} is not: set both."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &'static [(&str, &str)]) -> Result<Credential, Failure> {
        let lookup = move |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned());
        keys(&Surroundings::new().with_variables(lookup))
    }

    #[test]
    fn both_families_are_read_and_those_of_oss_come_first() {
        const OSS: [(&str, &str); 3] =
            [("OSS_ACCESS_KEY_ID", "oss-id "), ("OSS_ACCESS_KEY_SECRET", "oss-sk\n"), ("OSS_SESSION_TOKEN", "oss-t")];
        const ALIBABA: [(&str, &str); 3] = [
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ali-id"),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ali-sk"),
            ("ALIBABA_CLOUD_SECURITY_TOKEN", "ali-t"),
        ];
        const BOTH: [(&str, &str); 6] = [ALIBABA[0], ALIBABA[1], ALIBABA[2], OSS[0], OSS[1], OSS[2]];
        for (variables, prefix) in [(&OSS[..], "oss"), (&ALIBABA[..], "ali"), (&BOTH[..], "oss")] {
            let credential = read(variables).expect("keys");
            assert_eq!(credential.access_key_id(), format!("{prefix}-id"));
            assert_eq!(credential.access_key_secret(), format!("{prefix}-sk"));
            assert_eq!(credential.security_token(), Some(&*format!("{prefix}-t")));
        }
    }

    #[test]
    fn half_a_pair_is_named_and_not_completed_from_the_other_family() {
        let words = read(&[
            ("OSS_ACCESS_KEY_SECRET", "s3cr3t"),
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ali-id"),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "s3cr3t"),
        ])
        .expect_err("half")
        .to_string();
        assert!(words.contains("OSS_ACCESS_KEY_SECRET is set, but OSS_ACCESS_KEY_ID is not"), "{words}");
        assert!(!words.contains("s3cr3t"), "{words}");
    }

    #[test]
    fn blank_variables_count_as_unset() {
        let words = read(&[("OSS_ACCESS_KEY_ID", " "), ("OSS_ACCESS_KEY_SECRET", "")]).expect_err("none").to_string();
        assert!(words.contains("neither OSS_ACCESS_KEY_ID nor ALIBABA_CLOUD_ACCESS_KEY_ID is set"), "{words}");
    }
}
