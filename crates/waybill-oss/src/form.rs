//! A form with a file at its end, as `multipart/form-data` of known length.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::body::{FileBody, FileSlice};
use crate::error::Error;
use crate::gate::GateSlot;
use crate::headers::Pair;
use crate::meter::Meter;

/// Longest name and longest value of a field [PostObject].
const LONGEST_NAME: usize = 8 * 1024;
const LONGEST_VALUE: usize = 2 * 1024 * 1024;

/// A form, written down but for the file's bytes.
pub(crate) struct Form {
    boundary: String,
    head: Bytes,
    file: FileSlice,
    tail: Bytes,
}

impl Form {
    /// Writes the fields and then the file, which must be the last: OSS ignores what follows it.
    pub(crate) fn new(fields: &[Pair], file_name: &str, content_type: &str, file: FileSlice) -> Result<Self, Error> {
        // 128 random bits, which no file holds by chance.
        let boundary = format!("waybill-{:032x}", rand::random::<u128>());
        let mut head = String::new();
        for (name, value) in fields {
            if name.len() > LONGEST_NAME || value.len() > LONGEST_VALUE {
                return Err(Error::Invalid(format!(
                    "The form field “{}” is too long: OSS takes 8 KB for a name and 2 MB for a value.",
                    name.chars().take(60).collect::<String>()
                )));
            }
            let name = quoted(name);
            head += &format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        let name = quoted(file_name);
        let content_type: String = content_type.chars().filter(|c| !c.is_control()).collect();
        head += &format!("--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n");
        head += &format!("Content-Type: {content_type}\r\n\r\n");
        let tail = format!("\r\n--{boundary}--\r\n");
        Ok(Form { boundary, head: head.into(), file, tail: tail.into() })
    }

    pub(crate) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// Length of the whole form in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.head.len() as u64 + self.file.len + self.tail.len() as u64
    }

    /// The form's bytes, for one attempt; progress counts the file's only.
    pub(crate) fn body(&self, meter: &Arc<Meter>) -> FormBody {
        let file = FileBody::new(self.file.clone(), Arc::clone(meter), GateSlot::default(), None);
        FormBody { head: self.head.clone(), file, tail: self.tail.clone() }
    }
}

/// What may stand in the quotes of a field's name [HTML, multipart/form-data encoding algorithm].
fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// A form on its way into a socket.
pub(crate) struct FormBody {
    head: Bytes,
    file: FileBody,
    tail: Bytes,
}

impl Body for FormBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        if !this.head.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut this.head)))));
        }
        if !this.file.is_end_stream() {
            match Pin::new(&mut this.file).poll_frame(cx) {
                Poll::Ready(None) => {}
                polled => return polled,
            }
        }
        match std::mem::take(&mut this.tail) {
            tail if tail.is_empty() => Poll::Ready(None),
            tail => Poll::Ready(Some(Ok(Frame::data(tail)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.head.is_empty() && self.file.is_end_stream() && self.tail.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let file = self.file.size_hint().exact().unwrap_or_default();
        SizeHint::with_exact(self.head.len() as u64 + file + self.tail.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_its_quotes_or_begin_a_header() {
        assert_eq!(quoted("a\"; name=\"key\r\nX: y"), "a%22; name=%22key%0D%0AX: y");
    }

    #[test]
    fn fields_that_are_too_long_are_refused() {
        let file = || FileSlice { file: Arc::new(tempfile::tempfile().expect("file")), offset: 0, len: 0 };
        let form = |name: usize, value: usize| Form::new(&[("n".repeat(name), "v".repeat(value))], "f", "t/x", file());
        assert!(form(LONGEST_NAME, 1).is_ok() && form(LONGEST_NAME + 1, 1).is_err());
        assert!(form(1, LONGEST_VALUE).is_ok() && form(1, LONGEST_VALUE + 1).is_err());
    }
}
