//! A callback profile looked at before it is used: what OSS would send, what is wrong with it, what the server says to it;
//! and profiles read from programs and written as programs.

use std::time::Duration;

use jiff::Zoned;
use waybill_oss::callback_lint::LintFacts;

use super::Engine;
use crate::callback_profile::CalledFor;
use crate::callback_study::{self, Planned, StudiedFile};
use crate::clock::now_ms;
use crate::error::Error;
use crate::key_template::{FileFacts, render};
use crate::resolving::Resolved;
use crate::store::{batches, uploads};
use crate::upload::plan::{LineSeen, part_size};
use crate::upload::source::io_error;
use crate::view::{
    CallbackProfileForm, CallbackStudy, CallbackStudyForm, CallbackTrial, ImportedCallback, SnippetLanguage, Variable,
};
use crate::{answered, callback_desk, callback_profile};

/// As long as OSS waits for the whole answer [Callback].
const PATIENCE: Duration = Duration::from_secs(5);
/// The file that a profile is shown for where none was chosen.
const MADE_UP: (&str, u64) = ("clip.mp4", 48_213_504);

/// A destination and a file, as far as a preview needs them.
struct Subject {
    name: String,
    key: String,
    size_bytes: u64,
    bucket: String,
    endpoint: String,
    region: String,
    upload_no: i64,
    batch_no: i64,
}

impl Subject {
    fn planned(&self) -> Planned<'_> {
        Planned {
            bucket: &self.bucket,
            key: &self.key,
            size_bytes: self.size_bytes,
            mime_type: waybill_oss::content_type_for(&self.name).unwrap_or("application/octet-stream"),
            in_parts: self.size_bytes > part_size(self.size_bytes, LineSeen::default()),
            internal: self.endpoint.contains("-internal."),
        }
    }

    fn called_for(&self, queued_ms: i64) -> CalledFor<'_> {
        let size_bytes = i64::try_from(self.size_bytes).unwrap_or(i64::MAX);
        CalledFor { key: &self.key, no: self.upload_no, batch: self.batch_no, queued_ms, size_bytes }
    }

    /// A server on this computer makes the calls.
    fn is_local(&self) -> bool {
        let host = self.endpoint.split_once("://").map_or(self.endpoint.as_str(), |(_, host)| host);
        ["127.", "localhost", "[::1]"].iter().any(|local| host.starts_with(local))
    }
}

impl Engine {
    /// What a profile comes to for one file: what OSS would send, and what is wrong with it.
    ///
    /// # Errors
    /// `Invalid` without a destination, `Source` for a file that cannot be looked at, `Store`.
    pub async fn study_callback(&self, form: CallbackStudyForm) -> Result<CallbackStudy, Error> {
        let subject = self.subject(&form).await?;
        let file = StudiedFile {
            name: &subject.name,
            upload: subject.called_for(now_ms()),
            object: subject.planned().facts(),
        };
        let local = subject.is_local();
        let Resolved { addresses: resolved, unresolved } =
            if local { Resolved::default() } else { self.names.of(&form.form.urls, form.resolve).await };
        let region = (!local).then(|| subject.region.clone());
        let facts = LintFacts { region, resolved, local, ..LintFacts::default() };
        Ok(CallbackStudy { unresolved, ..callback_study::study(&form.form, &file, &facts) })
    }

    /// Sends what OSS would send from this computer, to the first address, without OSS's signature.
    ///
    /// # Errors
    /// As [`Engine::study_callback`], and `Invalid` for a profile of which OSS would send nothing. What goes wrong on the way
    /// is in the answer.
    pub async fn probe_server(&self, form: CallbackStudyForm) -> Result<CallbackTrial, Error> {
        let subject = self.subject(&form).await?;
        let at_ms = now_ms();
        let spec = callback_profile::spec_for(&form.form, subject.called_for(at_ms))?;
        let call = spec.preview(&subject.planned().facts())?;
        let http = self.lab.signatures.http().await?;
        Ok(match waybill_oss::probe(&http, &call.url, &call.headers, call.body, PATIENCE).await {
            Err(error) => answered::nothing(at_ms, now_ms() - at_ms, false, &Error::Oss(error)),
            Ok(told) => CallbackTrial {
                at_ms,
                took_ms: i64::try_from(told.elapsed.as_millis()).unwrap_or(i64::MAX),
                status: i64::from(told.status),
                headers: told.headers.into_iter().map(|(name, value)| Variable { name, value }).collect(),
                body: String::from_utf8_lossy(&told.body).into_owned(),
                ec: None,
                request_id: String::new(),
                signed_by_oss: false,
                problem: None,
                advice: None,
                left_behind: None,
            },
        })
    }

    /// Reads a callback from a pasted program, headers, JSON or Base64.
    ///
    /// # Errors
    /// `Invalid` where there is none.
    pub fn import_callback(&self, text: &str) -> Result<ImportedCallback, Error> {
        callback_desk::import(text)
    }

    /// Writes a program that uploads with this callback.
    ///
    /// # Errors
    /// `Invalid` for what OSS would refuse.
    pub fn export_callback(&self, form: &CallbackProfileForm, language: SnippetLanguage) -> Result<String, Error> {
        callback_desk::export(form, language)
    }

    async fn subject(&self, form: &CallbackStudyForm) -> Result<Subject, Error> {
        let destination = self.destinations.find(form.destination_id.clone()).await?;
        let (name, size_bytes) = match form.path.clone() {
            None => (MADE_UP.0.to_owned(), MADE_UP.1),
            Some(path) => {
                let path = std::path::PathBuf::from(path);
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let looked = tokio::task::spawn_blocking(move || {
                    let metadata = std::fs::metadata(&path).map_err(|error| io_error("look at", &path, &error))?;
                    Ok::<_, Error>(metadata.len())
                });
                let interrupted = |_| Error::Refused("looking at the file was interrupted".into());
                (name, looked.await.map_err(interrupted)??)
            }
        };
        let queued = Zoned::now();
        let facts = FileFacts { relative: &name, queued: &queued, upload: None };
        let key = render(&destination.key_template, &facts)?;
        let (upload_no, batch_no) = self.store.read(|c| Ok((uploads::next_no(c)?, batches::next_no(c)?))).await?;
        let (bucket, endpoint, region) = (destination.bucket, destination.endpoint, destination.region);
        Ok(Subject { name, key, size_bytes, bucket, endpoint, region, upload_no, batch_no })
    }
}
