//! A multipart/form-data body taken apart as it comes in: fields first, then the file, then nothing that counts.

use std::{collections::BTreeMap, sync::Arc, sync::Mutex};

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

/// A form whose body comes in while it is read.
pub(crate) struct Form<'a> {
    parts: Multipart<'a>,
    trouble: Trouble,
    digest: Arc<Mutex<Md5>>,
}

/// What stopped the body, told past the parser, which knows nothing of closed connections.
type Trouble = Arc<Mutex<Option<Refusal>>>;

impl<'a> Form<'a> {
    /// Begins a form of that Content-Type; 400 when it is none.
    pub(crate) fn new(content_type: &str, intake: &'a mut Intake) -> Result<Self, OssError> {
        let is_form = content_type.trim_start().to_ascii_lowercase().starts_with("multipart/form-data");
        if !is_form {
            let message = "Bucket POST must be of the enclosure-type multipart/form-data.";
            return Err(OssError::new(400, "RequestIsNotMultiPartContent", message));
        }
        let boundary = multer::parse_boundary(content_type).map_err(|_| malformed())?;
        let (trouble, digest) = (Trouble::default(), Arc::new(Mutex::new(Md5::new())));
        let parts = Multipart::new(pieces(intake, Arc::clone(&trouble), Arc::clone(&digest)), boundary);
        Ok(Self { parts, trouble, digest })
    }

    /// Reads the fields up to the file, and gives them by lower-case name together with the file, which is still to come.
    pub(crate) async fn fields(&mut self) -> Result<(Given, File<'a>), Refusal> {
        let (mut fields, mut total) = (BTreeMap::new(), 0);
        while let Some(part) = self.parts.next_field().await.map_err(|error| self.trouble(&error))? {
            let name = part.name().ok_or_else(malformed)?.to_owned();
            if name == "file" {
                return Ok((fields, File { part, trouble: Arc::clone(&self.trouble) }));
            }
            if name.len() > NAME_LIMIT {
                return Err(too_long("Your name of form field is too long.").into());
            }
            let mut value = Vec::new();
            let mut file = File { part, trouble: Arc::clone(&self.trouble) };
            while let Some(piece) = file.next().await? {
                if value.len() + piece.len() > VALUE_LIMIT {
                    return Err(too_long("Your value of form field is too long.").into());
                }
                value.extend_from_slice(&piece);
            }
            total += name.len() + value.len();
            if total > FIELDS_LIMIT {
                let message = "Your POST request fields preceding the upload file were too large.";
                return Err(OssError::new(400, "MaxPOSTPreDataLengthExceededError", message).into());
            }
            let value = String::from_utf8(value).map_err(|_| malformed())?;
            fields.insert(name.to_ascii_lowercase(), value);
        }
        let message = "POST requires exactly one file upload per request.";
        Err(OssError::new(400, "IncorrectNumberOfFilesInPOSTRequest", message).into())
    }

    /// Reads what follows the file to the end of the body and gives the MD5 of all of it.
    pub(crate) async fn finish(mut self) -> Result<[u8; 16], Refusal> {
        while let Some(part) = self.parts.next_field().await.map_err(|error| self.trouble(&error))? {
            drop(part);
        }
        let digest = self.digest.lock().map(|digest| digest.clone()).map_err(|_| malformed())?;
        Ok(digest.finalize().into())
    }

    fn trouble(&self, error: &multer::Error) -> Refusal {
        refusal(&self.trouble, error)
    }
}

/// One part on its way in.
pub(crate) struct File<'a> {
    part: Field<'a>,
    trouble: Trouble,
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
        self.part.chunk().await.map_err(|error| refusal(&self.trouble, &error))
    }
}

fn refusal(trouble: &Trouble, error: &multer::Error) -> Refusal {
    tracing::debug!(%error, "a form could not be read");
    let stopped = trouble.lock().ok().and_then(|mut trouble| trouble.take());
    stopped.unwrap_or_else(|| malformed().into())
}

/// 400 MalformedPOSTRequest.
fn malformed() -> OssError {
    let message = "The body of your POST request is not well-formed multipart/form-data.";
    OssError::new(400, "MalformedPOSTRequest", message)
}

fn too_long(message: &str) -> OssError {
    OssError::new(400, "FieldItemTooLong", message)
}

/// The body as the parser wants it.
fn pieces(
    intake: &mut Intake,
    trouble: Trouble,
    digest: Arc<Mutex<Md5>>,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + '_ {
    stream::try_unfold((intake, trouble, digest), |(intake, trouble, digest)| async move {
        match intake.next().await {
            Ok(Some(piece)) => {
                if let Ok(mut digest) = digest.lock() {
                    digest.update(&piece);
                }
                Ok(Some((piece, (intake, trouble, digest))))
            }
            Ok(None) => Ok(None),
            Err(refusal) => {
                if let Ok(mut trouble) = trouble.lock() {
                    *trouble = Some(refusal);
                }
                Err(std::io::ErrorKind::ConnectionAborted.into())
            }
        }
    })
}
