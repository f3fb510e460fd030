//! How a destination is reached beyond its endpoint, and where its keys come from. Kept as JSON, so every field has a default.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The settings that most destinations leave alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", default)]
#[ts(export)]
pub struct Connection {
    /// The endpoint is the bucket's own domain (CNAME), as new accounts need it in mainland China.
    pub own_domain: bool,
    /// Somebody said in words that plain http may be used with another computer.
    pub plain_http: bool,
    /// Sign with version 1, for gateways that know nothing else.
    pub signature_v1: bool,
    /// PEM file with certificate authorities to trust beyond the system's; empty for none.
    pub ca_file: String,
    /// The way out.
    pub proxy: Proxy,
    /// Where the keys come from.
    pub keys: KeySource,
}

/// Which proxy is used; never one for this computer itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", tag = "kind")]
#[ts(export)]
pub enum Proxy {
    /// What the system or the environment says.
    #[default]
    System,
    /// None, whatever the system says.
    Direct,
    /// This one.
    At {
        /// `http://`, `https://`, `socks5://` or `socks5h://`, with a user name perhaps; its password is kept in the keychain.
        url: String,
    },
}

/// Where a destination's keys come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", tag = "kind")]
#[ts(export)]
pub enum KeySource {
    /// Typed in, and kept in the keychain.
    #[default]
    Keychain,
    /// `OSS_ACCESS_KEY_ID` and its kin in the environment Waybill was started with.
    Environment,
    /// A credentials URI.
    Uri {
        /// https, or http on this computer.
        url: String,
    },
    /// The user's own application server, which hands out temporary keys.
    AppServer {
        /// https, or http on this computer.
        url: String,
    },
    /// ossutil's configuration.
    Ossutil {
        /// Empty for `~/.ossutilconfig`.
        path: String,
    },
    /// The configuration of Alibaba's command line.
    AliyunCli {
        /// Empty for the one that is current there.
        profile: String,
    },
    /// The credentials file of Alibaba's SDKs.
    CredentialsFile {
        /// Empty for `default`.
        profile: String,
    },
    /// The role of the ECS instance this runs on.
    EcsRole {
        /// Empty: the instance says which.
        role: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_saved_before_these_settings_existed_gets_the_defaults() {
        let connection: Connection = serde_json::from_str("{}").unwrap();
        assert_eq!(connection, Connection::default());
        assert_eq!((connection.proxy, connection.keys), (Proxy::System, KeySource::Keychain));
    }
}
