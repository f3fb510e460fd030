//! Looking back without holding the data folder: read-only, beside whichever process does hold it.

use std::collections::HashMap;
use std::path::Path;

use crate::answered;
use crate::engine::lab::own_keys;
use crate::error::Error;
use crate::rows::{self, Standing};
use crate::store::uploads::UploadRecord;
use crate::store::{Reader, attempts, callback_profiles, calls, destinations, lists, log, parts, uploads};
use crate::view::{CallbackProfileView, Cursor, UploadDetails, UploadPage, UploadQuery, UploadRow};

/// Rows of one read.
const PAGE: i64 = 500;

/// A data folder's uploads, to be read.
#[derive(Debug)]
pub struct Records {
    reader: Reader,
    names: HashMap<String, String>,
}

impl Records {
    /// Opens the folder's database. None if it has to be opened by [`crate::Engine::start`] first: there is none, or it has
    /// the shape of an older version.
    ///
    /// # Errors
    /// `Store`, `Damaged`.
    pub fn open(data_dir: &Path) -> Result<Option<Records>, Error> {
        let Some(reader) = Reader::open(data_dir)? else { return Ok(None) };
        let rows = reader.read(destinations::all)?;
        let names = rows.into_iter().map(|row| (row.id, row.name)).collect();
        Ok(Some(Records { reader, names }))
    }

    /// As [`crate::Engine::list_uploads`].
    ///
    /// # Errors
    /// `Store`.
    pub fn list_uploads(&self, query: &UploadQuery) -> Result<UploadPage, Error> {
        let limit = query.limit.clamp(1, 500);
        let mut records = self.reader.read(|c| lists::page(c, query, &[], limit + 1))?;
        let more = records.len() as i64 > limit;
        records.truncate(limit as usize);
        let next = records.last().filter(|_| more).map(|last| Cursor { batch: last.batch, no: last.no });
        Ok(UploadPage { rows: self.rows(&records)?, next })
    }

    /// As [`crate::Engine::upload_details`].
    ///
    /// # Errors
    /// `Refused` if there is no such upload, `Store`.
    pub fn upload_details(&self, no: i64) -> Result<UploadDetails, Error> {
        let found = self.reader.read(|c| {
            let Some(record) = uploads::load(c, no)? else { return Ok(None) };
            let told = (attempts::of(c, no)?, log::of(c, no)?);
            Ok(Some((record, calls::of(c, no)?, parts::of(c, no)?, told)))
        })?;
        let (record, calls, parts, (attempts, log)) =
            found.ok_or_else(|| Error::Refused(format!("there is no upload {no}")))?;
        let row = self.rows(std::slice::from_ref(&record))?.remove(0);
        Ok(rows::details(&record, row, calls, parts, attempts, log))
    }

    /// The callback profile with this name, capitals aside.
    ///
    /// # Errors
    /// `Invalid` if there is none, `Store`.
    pub fn callback_profile_named(&self, name: &str) -> Result<CallbackProfileView, Error> {
        let profiles = self.reader.read(callback_profiles::all)?;
        let mut names: Vec<_> = profiles.iter().map(|profile| format!("\"{}\"", profile.name)).collect();
        let found = profiles.into_iter().find(|profile| profile.name.to_lowercase() == name.trim().to_lowercase());
        let none = || {
            names.truncate(20);
            let there = if names.is_empty() { "there is none with a name".into() } else { names.join(", ") };
            Error::Invalid(format!("there is no callback profile \"{name}\" in this data folder ({there})"))
        };
        found.ok_or_else(none)
    }

    /// Stored uploads whose callback needs somebody, of one profile or of all, in the order in which they were queued.
    ///
    /// # Errors
    /// `Store`.
    pub fn bad_callbacks(&self, profile_id: Option<&str>) -> Result<Vec<UploadRow>, Error> {
        let (mut rows, mut after) = (Vec::new(), 0);
        loop {
            let page = self.reader.read(|c| calls::bad(c, profile_id, after, PAGE))?;
            let Some(last) = page.last() else { return Ok(rows) };
            after = *last;
            let mut records = self.reader.read(|c| lists::by_numbers(c, &page))?;
            // Whoever is called may count on the order.
            records.sort_by_key(|record| record.no);
            rows.extend(self.rows(&records)?);
        }
    }

    /// Where keys of the sandboxes that this data folder knows lie, on this computer.
    ///
    /// # Errors
    /// `Store`.
    pub fn sandbox_keys(&self) -> Result<Vec<String>, Error> {
        Ok(own_keys(&self.reader.read(destinations::all)?))
    }

    fn rows(&self, records: &[UploadRecord]) -> Result<Vec<UploadRow>, Error> {
        let answers = self.reader.read(|c| calls::answers(c, &answered::wanted(records)))?;
        let row = |record: &UploadRecord| {
            let name = self.names.get(&record.destination_id).cloned().unwrap_or_default();
            let row = rows::row(record, &Standing { name, ready: true, trouble: None }, None);
            answered::with(row, record, answers.get(&record.no).map(String::as_str))
        };
        Ok(records.iter().map(row).collect())
    }
}
