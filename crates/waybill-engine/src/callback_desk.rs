//! Callbacks looked at, read, written and checked without a data folder: what the command line asks for and the window asks
//! of a running engine.

use std::path::PathBuf;

use waybill_oss::callback_lint::LintFacts;
use waybill_oss::callback_preview::Fact;
use waybill_oss::callback_signature::{self, PublicKey, Refusal};
use waybill_oss::callback_snippet;

use crate::callback_profile::CalledFor;
use crate::callback_study::{self, Planned};
use crate::clock::now_ms;
use crate::error::Error;
use crate::lab::signature::{Asked, Signatures};
use crate::resolving::Names;
use crate::upload::plan::{LineSeen, part_size};
use crate::upload::source::io_error;
use crate::view::{
    CallbackFinding, CallbackPreview, CallbackProfileForm, ImportedCallback, SignatureVerdict, SnippetLanguage,
    Variable,
};
use crate::{callback_profile, callback_snippets};

/// What is known of the place that a callback is linted for.
#[derive(Clone, Debug, Default)]
pub struct LintWish {
    /// The bucket's region, if it is known.
    pub region: Option<String>,
    /// A server on this computer makes the calls, so private addresses are right.
    pub local: bool,
    /// Ask DNS what the names in the addresses resolve to.
    pub resolve: bool,
}

/// What is wrong or odd about a profile, worst first, each with its words in English.
pub async fn lint(form: &CallbackProfileForm, wish: LintWish) -> Vec<(CallbackFinding, String)> {
    let resolved = Names::default().of(&form.urls, wish.resolve).await.addresses;
    let facts = LintFacts { region: wish.region, resolved, local: wish.local, ..LintFacts::default() };
    callback_study::findings(form, &facts)
}

/// Why a profile could not be used at all, if so: templates included, which the linter does not look at.
///
/// # Errors
/// `Invalid`, or what the encoder says.
pub fn check(form: &CallbackProfileForm) -> Result<(), Error> {
    callback_profile::check(form)
}

/// The upload that a callback is previewed for.
#[derive(Clone, Debug)]
pub struct PreviewWish {
    /// The local file; only its name and size are looked at.
    pub path: PathBuf,
    /// Its object key; None: the file's name.
    pub key: Option<String>,
    /// The bucket; None: a sample.
    pub bucket: Option<String>,
    /// What `{uploadNo}` stands for.
    pub upload_no: i64,
    /// What `{batch.no}` stands for.
    pub batch_no: i64,
}

/// What OSS would send for a file.
///
/// # Errors
/// `Source` for a file that cannot be looked at, `Invalid` for a profile of which OSS would send nothing.
pub fn preview(form: &CallbackProfileForm, wish: PreviewWish) -> Result<CallbackPreview, Error> {
    let metadata = std::fs::metadata(&wish.path).map_err(|error| io_error("look at", &wish.path, &error))?;
    if metadata.is_dir() {
        return Err(Error::Invalid(format!("\"{}\" is a folder; name one of its files", wish.path.display())));
    }
    let name = wish.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (size_bytes, key) = (metadata.len(), wish.key.unwrap_or_else(|| name.clone()));
    let planned = Planned {
        bucket: wish.bucket.as_deref().unwrap_or_default(),
        key: &key,
        size_bytes,
        mime_type: waybill_oss::content_type_for(&name).unwrap_or("application/octet-stream"),
        in_parts: size_bytes > part_size(size_bytes, LineSeen::default()),
        internal: false,
    };
    let mut facts = planned.facts();
    if wish.bucket.is_none() {
        facts.bucket = Fact::Unknown;
    }
    let told = CalledFor {
        key: &key,
        no: wish.upload_no,
        batch: wish.batch_no,
        queued_ms: now_ms(),
        size_bytes: i64::try_from(size_bytes).unwrap_or(i64::MAX),
    };
    let spec = callback_profile::spec_for(form, told)?;
    Ok(callback_study::preview_view(&name, spec.preview(&facts)?))
}

/// Reads a callback from a program, headers, JSON or Base64.
///
/// # Errors
/// `Invalid` where there is none.
pub fn import(text: &str) -> Result<ImportedCallback, Error> {
    Ok(callback_snippets::imported(callback_snippet::import(text)?))
}

/// Writes a program that uploads with this callback.
///
/// # Errors
/// `Invalid` for what OSS would refuse.
pub fn export(form: &CallbackProfileForm, language: SnippetLanguage) -> Result<String, Error> {
    Ok(callback_snippet::export(&callback_profile::as_written(form), callback_snippets::language(language))?)
}

/// A request that says it is a callback.
#[derive(Clone, Debug)]
pub struct SignedRequest {
    /// Path and query as they arrived, or the whole address.
    pub target: String,
    /// Its headers.
    pub headers: Vec<Variable>,
    /// Its body.
    pub body: Vec<u8>,
}

/// Says whose signature a request bears. `also` begins the addresses of keys that are taken besides OSS's, each ending in a
/// slash; `key` is the key in PEM, which then is not fetched.
///
/// # Errors
/// `Invalid` for a key that is none.
pub async fn verify(request: &SignedRequest, also: &[String], key: Option<&str>) -> Result<SignatureVerdict, Error> {
    let key = key.map(PublicKey::from_pem).transpose().map_err(|refusal| Error::Invalid(refusal.to_string()))?;
    let SignedRequest { target, headers, body } = request;
    let mut also = also.to_vec();
    if key.is_some() {
        also.extend(own_place(headers));
    }
    let asked = Asked { target, headers, also: &also, key: key.as_ref() };
    Ok(Signatures::default().lenient(&asked, body).await)
}

/// The sandbox that a request names, which may have ended: with its key at hand nobody need be asked.
fn own_place(headers: &[Variable]) -> Option<String> {
    let header = headers.iter().find(|header| header.name.eq_ignore_ascii_case("x-oss-pub-key-url"))?;
    let Err(Refusal::ForeignKey(url)) = callback_signature::key_url(Some(&header.value), &[]) else { return None };
    let port = url.strip_prefix("http://127.0.0.1:")?.split('/').next()?;
    port.parse::<u16>().is_ok().then(|| format!("http://127.0.0.1:{port}/"))
}
