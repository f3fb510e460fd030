//! Looking back without holding the data folder: read-only, beside whichever process does hold it.

use std::collections::HashMap;
use std::path::Path;

use crate::error::Error;
use crate::rows::{self, Standing};
use crate::store::uploads::UploadRecord;
use crate::store::{Reader, attempts, destinations, lists, log, parts, uploads};
use crate::view::{Cursor, UploadDetails, UploadPage, UploadQuery};

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
        Ok(UploadPage { rows: records.iter().map(|record| self.row(record)).collect(), next })
    }

    /// As [`crate::Engine::upload_details`].
    ///
    /// # Errors
    /// `Refused` if there is no such upload, `Store`.
    pub fn upload_details(&self, no: i64) -> Result<UploadDetails, Error> {
        let found = self.reader.read(|c| {
            let Some(record) = uploads::load(c, no)? else { return Ok(None) };
            let told = (attempts::of(c, no)?, log::of(c, no)?);
            Ok(Some((record, uploads::answer(c, no)?, parts::of(c, no)?, told)))
        })?;
        let (record, answer, parts, (attempts, log)) =
            found.ok_or_else(|| Error::Refused(format!("there is no upload {no}")))?;
        Ok(rows::details(&record, self.row(&record), answer, parts, attempts, log))
    }

    fn row(&self, record: &UploadRecord) -> crate::view::UploadRow {
        let name = self.names.get(&record.destination_id).cloned().unwrap_or_default();
        rows::row(record, &Standing { name, ready: true, trouble: None }, None)
    }
}
