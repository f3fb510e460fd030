//! The callback studio: profiles, what OSS would send, what is wrong with it, snippets, the lab, and calling again.
//!
//! Places in a text are counted in UTF-16 units, as the window's editor counts them.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::place::{CallbackProfileForm, Variable};
use super::upload::Problem;

/// A named callback profile as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CallbackProfileView {
    /// Our id.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it says.
    pub form: CallbackProfileForm,
    /// Names of the destinations and paths of the watched folders that ask for it.
    pub used_by: Vec<String>,
}

/// What the profile editor saves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CallbackProfileDraft {
    /// None for a new one.
    pub id: Option<String>,
    /// Name; must not be empty.
    pub name: String,
    /// What it says.
    pub form: CallbackProfileForm,
}

/// What a profile is looked at for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CallbackStudyForm {
    /// The profile as it stands in the editor, saved or not.
    pub form: CallbackProfileForm,
    /// The local file to preview with; None for a made-up one.
    pub path: Option<String>,
    /// The destination it would go to; None for the current one.
    pub destination_id: Option<String>,
    /// Ask what the names in its addresses resolve to: not while they are being typed.
    pub resolve: bool,
}

/// What a profile comes to for one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CallbackStudy {
    /// What OSS would send; None when it would send nothing.
    pub preview: Option<CallbackPreview>,
    /// Why there is no preview, in English words.
    pub refusal: Option<String>,
    /// What is wrong or odd, worst first.
    pub findings: Vec<CallbackFinding>,
    /// What a name in its addresses resolves to has not been told lately, so it is worth asking.
    pub unresolved: bool,
}

/// The request that OSS would make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CallbackPreview {
    /// Name of the file it is shown for.
    pub file: String,
    /// `POST /path?query HTTP/1.1`
    pub request_line: String,
    /// Headers that follow from the profile: Host, Content-Type, Content-Length, additional ones.
    pub headers: Vec<Variable>,
    /// The body, byte for byte.
    pub body: String,
    /// The pairs of a form body, percent-decoded; empty for JSON.
    pub decoded: Vec<Variable>,
    /// The stretches of `body` that only OSS can know, filled in with samples.
    pub samples: Vec<SampleSpan>,
    /// `x-oss-callback`.
    pub callback: CarriedView,
    /// `x-oss-callback-var`, if there are variables.
    pub callback_var: Option<CarriedView>,
}

/// A stretch of the previewed body that is a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct SampleSpan {
    /// First UTF-16 unit.
    pub start: i64,
    /// Behind the last one.
    pub end: i64,
    /// The variable it stands for, for instance `etag`.
    pub name: String,
}

/// One of the two headers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CarriedView {
    /// Its JSON.
    pub json: String,
    /// As it is sent.
    pub base64: String,
    /// Length of what is sent.
    pub bytes: i64,
    /// The most that OSS takes.
    pub limit: i64,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum FindingLevel {
    /// OSS would refuse it, or nobody would be called.
    Error,
    /// OSS takes it, but it seldom does what was meant.
    Warning,
}

/// The rules of the linter. The window has words for each, with `about` filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum CallbackRule {
    /// There is no address: OSS makes no callback and says nothing.
    EmptyUrl,
    /// More than five addresses.
    TooManyUrls,
    /// Not an http or https address with a host.
    BadUrl,
    /// The port is no number from 1 to 65535.
    BadPort,
    /// An IPv6 address, which OSS does not call.
    Ipv6Address,
    /// A private or loopback address, which OSS does not call.
    PrivateAddress,
    /// A name that resolves to a private, loopback or IPv6 address.
    ResolvesPrivate,
    /// Characters of the address that are not percent-encoded; we encode them.
    NotEncoded,
    /// A `#fragment`, which is never sent.
    Fragment,
    /// An https address without SNI.
    HttpsWithoutSni,
    /// The Host header is no host.
    BadHost,
    /// An additional header that OSS does not take.
    BadHeader,
    /// The body is empty.
    EmptyBody,
    /// A `$` that begins no `${variable}`.
    LoneDollar,
    /// `${name}` that is neither OSS's nor ours.
    UnknownVariable,
    /// `${name}` where `${x:name}` was meant.
    MissingPrefix,
    /// `${x:name}` that no variable defines.
    UndefinedVariable,
    /// A variable that the body does not name: OSS does not send it.
    UnusedVariable,
    /// A variable's name with capitals.
    UpperCaseName,
    /// A variable's name that OSS may not take.
    UnusualName,
    /// Quotes around a variable in JSON: OSS adds its own.
    QuotedVariable,
    /// `\"` pasted from source code.
    EscapedQuotes,
    /// The body is not JSON once filled in.
    NotJson,
    /// A header is over 5 KB.
    TooLong,
    /// The destination's region makes no callbacks.
    RegionWithoutCallbacks,
    /// Several slow addresses can keep an upload waiting longer than it waits for an answer.
    ReadLimit,
}

/// Which part of the form a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum CallbackField {
    /// An address.
    Url,
    /// The query table.
    Query,
    /// The Host header.
    Host,
    /// The body.
    Body,
    /// The additional headers.
    Headers,
    /// The variables.
    Variables,
    /// The SNI switch.
    Sni,
    /// The profile as a whole.
    Whole,
}

/// One finding of the linter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CallbackFinding {
    /// What.
    pub rule: CallbackRule,
    /// How bad.
    pub level: FindingLevel,
    /// The name, address or figure it is about; may be empty.
    pub about: String,
    /// Where.
    pub field: CallbackField,
    /// Which row of a table or list, from 0.
    pub row: Option<i64>,
    /// First UTF-16 unit in the field's text, where one can be named.
    pub start: Option<i64>,
    /// Behind the last one.
    pub end: Option<i64>,
    /// The whole profile after the cure; None where only a person can mend it.
    pub cured: Option<CallbackProfileForm>,
}

/// The kinds of source text a callback is read from and written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum SnippetLanguage {
    /// OSS Java SDK.
    Java,
    /// OSS PHP SDK.
    Php,
    /// `ali-oss`.
    NodeJs,
    /// `oss2`.
    Python,
    /// OSS .NET SDK.
    CSharp,
    /// OSS Android SDK.
    Android,
    /// OSS iOS SDK.
    Ios,
    /// OSS C++ SDK.
    Cpp,
    /// OSS C SDK.
    C,
    /// `aliyun-oss-sdk`.
    Ruby,
    /// Headers, JSON or Base64.
    Rest,
}

/// What a pasted snippet became.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ImportedCallback {
    /// What it was taken for.
    pub language: SnippetLanguage,
    /// The profile.
    pub form: CallbackProfileForm,
    /// What was mended or could not be read.
    pub notes: Vec<ImportNote>,
}

/// Something about a pasted snippet that a person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ImportNote {
    /// What.
    pub trap: ImportTrap,
    /// The name or text it is about; may be empty.
    pub about: String,
}

/// The traps of the published samples. The window has words for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ImportTrap {
    /// Backslashes before quotes were taken out.
    EscapedQuotes,
    /// `x:` was put in front of a variable.
    PrefixAdded,
    /// A variable's name was made lower case.
    LowerCased,
    /// A variable is defined and not used in the body.
    UnusedVariable,
    /// The address is empty: with this snippet no callback is ever made.
    EmptyUrl,
    /// The query of the address was moved to the table, or out of it.
    QueryMoved,
    /// The snippet reads only the first bytes of the answer.
    ReadLimit,
    /// A fixed buffer of the snippet is too small for longer JSON.
    SmallBuffer,
    /// A name of a variable of the program stands where a value is wanted.
    NotLiteral,
    /// A switch was given as a text or number.
    SwitchAsText,
    /// A syntax error of the snippet was read over.
    BrokenSyntax,
}

/// What *send again* would change, or why it cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct ResendPlan {
    /// Our number.
    pub no: i64,
    /// Size of the object.
    pub size_bytes: i64,
    /// Copied parts; 0: an empty object is put again.
    pub parts: i64,
    /// The bucket keeps versions: there will be one more.
    pub new_version: bool,
    /// Why it cannot be sent again.
    pub problem: Option<Problem>,
}

/// Which callbacks to send again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub enum ResendSelection {
    /// These.
    These {
        /// Their numbers.
        nos: Vec<i64>,
    },
    /// All that failed, are unknown or were not as expected.
    AllBad,
    /// Of those, the ones that ask for the callback of this profile.
    #[serde(rename_all = "camelCase")]
    AllBadOf {
        /// The profile's id.
        profile_id: String,
    },
}

/// One call of the user's server, by OSS or by ourselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CallbackTrial {
    /// When it began.
    pub at_ms: i64,
    /// Milliseconds until the answer.
    pub took_ms: i64,
    /// Status of the answer: OSS's (200 or 203) or, for a probe, the server's own.
    pub status: i64,
    /// Headers of the answer.
    pub headers: Vec<Variable>,
    /// Its body as text.
    pub body: String,
    /// OSS's EC, when the callback failed.
    pub ec: Option<String>,
    /// Request id.
    pub request_id: String,
    /// OSS made and signed the call; a probe from this computer is not signed.
    pub signed_by_oss: bool,
    /// Why there is no answer.
    pub problem: Option<Problem>,
    /// What the catalogue knows of it, when it did not go well.
    #[serde(default)]
    pub advice: Option<EcAdvice>,
    /// The object of a test, where it could not be deleted.
    #[serde(default)]
    pub left_behind: Option<LeftBehind>,
}

/// An object of a test that is still in the bucket, or may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct LeftBehind {
    /// Its key.
    pub key: String,
    /// Its version, in a bucket that keeps versions.
    pub version_id: Option<String>,
    /// Why it is there.
    pub problem: Problem,
}

/// Cause and cure of an error code, in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct EcAdvice {
    /// The EC, for instance `0007-00000203`; empty where OSS names none.
    pub ec: String,
    /// Cause in English.
    pub cause_en: String,
    /// Cure in English.
    pub cure_en: String,
    /// Cause in Chinese.
    pub cause_zh: String,
    /// Cure in Chinese.
    pub cure_zh: String,
}

/// How a profile's callbacks went, newest last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CallbackTimes {
    /// At most 2,000 calls.
    pub calls: Vec<CallbackTime>,
    /// Failures by EC, most first.
    pub failures: Vec<EcCount>,
    /// Uploads whose callback needs somebody now.
    pub bad: i64,
}

/// One call in the latency view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct CallbackTime {
    /// When.
    pub at_ms: i64,
    /// Milliseconds.
    pub took_ms: i64,
    /// The server answered as wanted.
    pub ok: bool,
}

/// How often an EC came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "camelCase")]
#[ts(export)]
pub struct EcCount {
    /// EC; empty for an unknown outcome.
    pub ec: String,
    /// How often.
    pub count: i64,
}
