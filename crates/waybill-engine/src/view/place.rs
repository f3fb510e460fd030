//! Where uploads go and come from: destinations, callbacks, watched folders, and the forms that make them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::connection::Connection;
use super::upload::Problem;

/// A name and a value, in a form or a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Variable {
    /// Name, with `x:`.
    pub name: String,
    /// Value, or a template for it.
    pub value: String,
}

/// What becomes of an object that is at an upload's key already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum OverwritePolicy {
    /// It is replaced. Nobody asks first, so this costs no request.
    #[default]
    Overwrite,
    /// It stays if it has the size and CRC-64 of the file; nothing is sent then. Else it is replaced.
    SkipIdentical,
    /// It stays, and the upload fails: OSS itself refuses (`x-oss-forbid-overwrite`), so there is no race.
    Forbid,
    /// It stays, and the file goes to `name (2).ext`, or the next number that is free.
    Rename,
    /// It stays unless the file was changed after it was stored.
    Newer,
}

impl OverwritePolicy {
    /// OSS is told not to overwrite.
    pub(crate) fn forbids(self) -> bool {
        matches!(self, OverwritePolicy::Forbid | OverwritePolicy::Rename)
    }
}

/// A destination as shown; no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DestinationView {
    /// Our id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Endpoint URL.
    pub endpoint: String,
    /// Region id, without `oss-`.
    pub region: String,
    /// Bucket.
    pub bucket: String,
    /// Object key template.
    pub key_template: String,
    /// AccessKey id (not secret).
    pub access_key_id: String,
    /// A secret is stored for it.
    pub has_secret: bool,
    /// An STS token is stored for it.
    pub has_token: bool,
    /// Callback asked for on every upload.
    pub callback: Option<CallbackProfileForm>,
    /// The profile with a name that it is; none for one of the destination's own.
    pub callback_profile_id: Option<String>,
    /// How it is reached, and where its keys come from.
    pub connection: Connection,
    /// A proxy password is stored for it.
    pub has_proxy_password: bool,
    /// What becomes of objects that are there already.
    pub overwrite: OverwritePolicy,
    /// Made by the program itself (the Sandbox): cannot be edited or deleted.
    pub built_in: bool,
    /// New drops go here.
    pub current: bool,
}

/// What the destination form sends. An absent secret keeps the stored one.
#[derive(Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct DestinationForm {
    /// None for a new one.
    pub id: Option<String>,
    /// Name.
    pub name: String,
    /// Endpoint, with or without scheme.
    pub endpoint: String,
    /// Region, with or without `oss-`; empty: taken from the endpoint.
    pub region: String,
    /// Bucket.
    pub bucket: String,
    /// Object key template, for instance `raw/{yyyy}/{mm}/{path}`.
    pub key_template: String,
    /// AccessKey id.
    pub access_key_id: String,
    /// AccessKey secret; None keeps the stored one.
    pub access_key_secret: Option<String>,
    /// STS token; None keeps the stored one, empty removes it.
    pub security_token: Option<String>,
    /// Callback; None for no callback. Not looked at where a profile is named.
    pub callback: Option<CallbackProfileForm>,
    /// The profile with a name to ask for instead.
    #[serde(default)]
    pub callback_profile_id: Option<String>,
    /// How it is reached, and where its keys come from.
    pub connection: Connection,
    /// The password of the user in the proxy's URL; None keeps the stored one, empty removes it.
    pub proxy_password: Option<String>,
    /// What becomes of objects that are there already.
    #[serde(default)]
    pub overwrite: OverwritePolicy,
}

/// A callback profile, in a form or shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CallbackProfileForm {
    /// Up to five URLs, tried in order.
    pub urls: Vec<String>,
    /// Host header; empty for the URL's.
    pub host: String,
    /// Body with `${variables}`.
    pub body: String,
    /// Form or JSON.
    pub body_type: BodyKind,
    /// Send the TLS server name (SNI).
    pub sni: bool,
    /// `x:` variables.
    pub variables: Vec<Variable>,
    /// Pairs that are put behind the `?` of every URL.
    #[serde(default)]
    pub query: Vec<Variable>,
    /// Up to ten headers that OSS adds to the call.
    #[serde(default)]
    pub headers: Vec<Variable>,
    /// A callback that fails only makes a note; else the upload needs you.
    #[serde(default)]
    pub best_effort: bool,
    /// What the answer must say, or it is *not as expected*.
    #[serde(default)]
    pub expectations: Vec<Expectation>,
    /// What is taken out of the answer and shown in lists.
    #[serde(default)]
    pub columns: Vec<AnswerColumn>,
}

/// Something that a callback's answer must say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct Expectation {
    /// JSON pointer into the answer, for instance `/status`.
    pub pointer: String,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what; read as JSON where it is JSON, else as text. Not used by `Exists`.
    pub value: String,
}

/// How an answer is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum Comparison {
    /// It is there.
    Exists,
    /// It equals the value.
    Equals,
    /// It differs from the value, or is not there.
    Differs,
    /// It is a text that holds the value.
    Contains,
}

/// A column that is read from the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct AnswerColumn {
    /// Its title.
    pub title: String,
    /// JSON pointer into the answer, for instance `/job/id`.
    pub pointer: String,
}

/// How the callback body is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum BodyKind {
    /// `application/x-www-form-urlencoded`
    #[default]
    Form,
    /// `application/json`
    Json,
}

/// What *Test connection* found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ConnectionReport {
    /// The bucket answered and the keys are good.
    pub ok: bool,
    /// Bucket's own region, as OSS says (`oss-cn-hangzhou`).
    pub location: Option<String>,
    /// Its ACL.
    pub acl: Option<String>,
    /// Its storage class.
    pub storage_class: Option<String>,
    /// Milliseconds the call took.
    pub took_ms: i64,
    /// Why not.
    pub problem: Option<Problem>,
    /// The endpoint that OSS wants this bucket to be addressed by, when it is another: press a button, test again.
    pub offered_endpoint: Option<String>,
}

/// A watched folder as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct WatchedFolderView {
    /// Our id.
    pub id: String,
    /// The folder.
    pub path: String,
    /// Where its files go.
    pub destination_id: String,
    /// Name of that destination.
    pub destination: String,
    /// Put in front of the key, may be empty.
    pub prefix: String,
    /// The callback profile with a name that its files ask for; none for the destination's callback.
    pub callback_profile_id: Option<String>,
    /// The user said stop.
    pub paused: bool,
    /// The folder is there and readable.
    pub reachable: bool,
    /// Files seen but still growing.
    pub settling: i64,
    /// Files handed to the queue so far.
    pub uploaded: i64,
    /// Last full look at the folder.
    pub last_scan_ms: Option<i64>,
    /// Why it is not watched.
    pub problem: Option<Problem>,
}

/// What the watched-folder form sends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct WatchedFolderForm {
    /// None for a new one.
    pub id: Option<String>,
    /// The folder.
    pub path: String,
    /// Where its files go.
    pub destination_id: String,
    /// Put in front of the key, may be empty.
    pub prefix: String,
    /// The callback profile with a name to ask for; none for the destination's callback.
    #[serde(default)]
    pub callback_profile_id: Option<String>,
    /// Also upload what is in it already.
    pub include_existing: bool,
}
