//! A multipart/form-data body taken apart as it comes in: fields first, then the file, then nothing that counts.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::body::Bytes;
use futures_util::{Stream, stream};
use md5::{Digest, Md5};
use multer::{Field, Multipart};

use crate::{
    about::Given,
    answer::{OssError, Refusal},
    intake::Intake,
};

/// Longest name of a field (*PostObject* page).
const NAME_LIMIT: usize = 8 * 1024;
/// Longest value of a field.
const VALUE_LIMIT: usize = 2 * 1024 * 1024;
/// All fields together; that there is a limit is known from its error, how much it is not.
const FIELDS_LIMIT: usize = 20 * 1024 * 1024;

/// What may come without a boundary or the head of a part in it: the parser keeps all of it and looks through it anew with
/// every piece. A name of the longest kind has room in it many times over.
const UNREAD_LIMIT: usize = 64 * 1024;

/// A form whose body comes in while it is read.
pub(crate) struct Form<'a> {
    parts: Multipart<'a>,
    tally: Shared,
}

type Shared = Arc<Mutex<Tally>>;

/// What is known of the body, told past the parser, which knows nothing of closed connections and of limits.
#[derive(Default)]
struct Tally {
    md5: Md5,
    /// What stopped the body.
    trouble: Option<Refusal>,
    bytes: usize,
    /// Of these the ones that came since the parser last found something.
    unread: usize,
    /// From here on it is the file's policy that says how much may come.
    at_file: bool,
}

impl Tally {
    /// Why no further piece is taken.
    fn overrun(&self) -> Option<OssError> {
        if !self.at_file && self.bytes > FIELDS_LIMIT {
            Some(fields_too_large())
        } else if self.unread > UNREAD_LIMIT {
            Some(malformed())
        } else {
            None
        }
    }

    fn take(&mut self, piece: &[u8]) {
        self.md5.update(piece);
        self.bytes += piece.len();
        self.unread += piece.len();
    }
}

impl<'a> Form<'a> {
    /// Begins a form of that Content-Type; 400 when it is none.
    pub(crate) fn new(content_type: &str, intake: &'a mut Intake) -> Result<Self, OssError> {
        let is_form = content_type.trim_start().to_ascii_lowercase().starts_with("multipart/form-data");
        if !is_form {
            let message = "Bucket POST must be of the enclosure-type multipart/form-data.";
            return Err(OssError::new(400, "RequestIsNotMultiPartContent", message));
        }
        let boundary = multer::parse_boundary(content_type).map_err(|_| malformed())?;
        let tally = Shared::default();
        Ok(Self { parts: Multipart::new(pieces(intake, Arc::clone(&tally)), boundary), tally })
    }

    /// Reads the fields up to the file, and gives them by [`field_name`] together with the file, which is still to come.
    pub(crate) async fn fields(&mut self) -> Result<(Given, File<'a>), Refusal> {
        let (mut fields, mut total) = (BTreeMap::new(), 0);
        while let Some(mut part) = self.part().await? {
            let name = part.part.name().ok_or_else(malformed)?.to_owned();
            if name == "file" {
                tally(&self.tally).at_file = true;
                return Ok((fields, part));
            }
            if name.len() > NAME_LIMIT {
                return Err(too_long("Your name of form field is too long.").into());
            }
            let mut value = Vec::new();
            while let Some(piece) = part.next().await? {
                if value.len() + piece.len() > VALUE_LIMIT {
                    return Err(too_long("Your value of form field is too long.").into());
                }
                value.extend_from_slice(&piece);
            }
            total += name.len() + value.len();
            if total > FIELDS_LIMIT {
                return Err(fields_too_large().into());
            }
            let value = String::from_utf8(value).map_err(|_| malformed())?;
            fields.insert(field_name(&name), value);
        }
        let message = "POST requires exactly one file upload per request.";
        Err(OssError::new(400, "IncorrectNumberOfFilesInPOSTRequest", message).into())
    }

    /// Reads what follows the file to the end of the form, and gives the MD5 of all that has come of the body so far: the
    /// parser stops at the closing boundary, and what stands behind it is still to be read.
    pub(crate) async fn finish(mut self) -> Result<Md5, Refusal> {
        while let Some(mut part) = self.part().await? {
            while part.next().await?.is_some() {}
        }
        Ok(std::mem::take(&mut tally(&self.tally).md5))
    }

    async fn part(&mut self) -> Result<Option<File<'a>>, Refusal> {
        let part = self.parts.next_field().await.map_err(|error| refusal(&self.tally, &error))?;
        tally(&self.tally).unread = 0;
        Ok(part.map(|part| File { part, tally: Arc::clone(&self.tally) }))
    }
}

/// One part on its way in.
pub(crate) struct File<'a> {
    part: Field<'a>,
    tally: Shared,
}

impl File<'_> {
    /// The file's name as the form has it, without the folders that some browsers put before it.
    pub(crate) fn name(&self) -> &str {
        let name = self.part.file_name().unwrap_or_default();
        name.rsplit(['/', '\\']).next().unwrap_or_default()
    }

    /// The part's own Content-Type.
    pub(crate) fn content_type(&self) -> Option<String> {
        self.part.headers().get("content-type").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// The next piece, `None` at the part's end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        let piece = self.part.chunk().await.map_err(|error| refusal(&self.tally, &error))?;
        tally(&self.tally).unread = 0;
        Ok(piece)
    }
}

/// In lower case, as headers are; but a callback's own variables stay as they are, since capitals are wrong in them.
fn field_name(name: &str) -> String {
    if name.starts_with("x:") { name.to_owned() } else { name.to_ascii_lowercase() }
}

fn tally(shared: &Shared) -> MutexGuard<'_, Tally> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refusal(shared: &Shared, error: &multer::Error) -> Refusal {
    tracing::debug!(%error, "a form could not be read");
    tally(shared).trouble.take().unwrap_or_else(|| malformed().into())
}

/// 400 MalformedPOSTRequest.
fn malformed() -> OssError {
    let message = "The body of your POST request is not well-formed multipart/form-data.";
    OssError::new(400, "MalformedPOSTRequest", message)
}

fn fields_too_large() -> OssError {
    let message = "Your POST request fields preceding the upload file were too large.";
    OssError::new(400, "MaxPOSTPreDataLengthExceededError", message)
}

fn too_long(message: &str) -> OssError {
    OssError::new(400, "FieldItemTooLong", message)
}

/// The body as the parser wants it: one piece at a time, since it would else take all there is before it looks at any.
fn pieces(intake: &mut Intake, shared: Shared) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + '_ {
    stream::try_unfold((intake, shared), |(intake, shared)| async move {
        tokio::task::yield_now().await;
        let overrun = tally(&shared).overrun();
        let next = match overrun {
            Some(error) => Err(error.into()),
            None => intake.next().await,
        };
        match next {
            Ok(Some(piece)) => {
                tally(&shared).take(&piece);
                Ok(Some((piece, (intake, shared))))
            }
            Ok(None) => Ok(None),
            Err(refusal) => {
                tally(&shared).trouble = Some(refusal);
                Err(std::io::ErrorKind::ConnectionAborted.into())
            }
        }
    })
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
