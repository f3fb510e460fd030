//! GetObject: an object's bytes as they come, summed while they pass.

use std::ops::Range;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE};

use super::head::ObjectHead;
use super::{Call, Client, Opened};
use crate::crc64::Crc64;
use crate::error::Error;
use crate::headers;
use crate::names::ObjectKey;
use crate::xml::unquoted;

/// What of an object to get, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GetOptions {
    /// Only these bytes. They must lie inside the object, else the answer is refused: OSS itself would send all of it.
    pub range: Option<Range<u64>>,
    /// Only while the object has this ETag (with or without quotes), else 412 `PreconditionFailed`.
    pub if_match: Option<String>,
    /// One version of it, the current one otherwise.
    pub version_id: Option<String>,
    /// `x-oss-traffic-limit` in bit/s, 819,200 to 838,860,800.
    pub traffic_limit: Option<u32>,
}

/// An object on its way to us.
pub struct Download {
    /// What OSS says about the object; `size` is that of the whole object.
    pub head: ObjectHead,
    /// How many bytes come.
    pub len: u64,
    opened: Opened,
    crc: Crc64,
    received: u64,
    whole: bool,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("head", &self.head).field("len", &self.len).finish_non_exhaustive()
    }
}

impl Download {
    /// The next bytes, none behind the last ones. When a whole object has come, its CRC-64 is compared with OSS's:
    /// [`Error::Integrity`] says that other bytes came than OSS has. A range has no checksum of its own to compare with.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(chunk) = self.opened.chunk().await? {
            self.received += chunk.len() as u64;
            self.crc.update(&chunk);
            return Ok(Some(chunk));
        }
        let answer = &self.opened.answer;
        if self.received != self.len {
            return Err(answer.unreadable(&format!("{} of {} bytes came", self.received, self.len)));
        }
        if let Some(server) = self.head.crc64.filter(|_| self.whole) {
            answer.check_crc64(self.crc.finish(), server)?;
        }
        Ok(None)
    }

    /// CRC-64 of the bytes that have come so far.
    pub fn crc64(&self) -> u64 {
        self.crc.finish()
    }

    /// Reads to the end, keeps nothing, and returns the CRC-64 of what came: for verification.
    pub async fn verify(mut self) -> Result<u64, Error> {
        while self.chunk().await?.is_some() {}
        Ok(self.crc64())
    }
}

impl Client {
    /// GetObject: opens the object at `key`, or a stretch of it. It is repeated until OSS begins to answer; a connection
    /// that breaks later is an error of [`Download::chunk`]. A missing object is 404 `NoSuchKey`, an archived one that is
    /// not restored 403 `InvalidObjectState`. [GetObject; go2 `api_op_object.go`]
    pub async fn get_object(&self, key: &ObjectKey, options: &GetOptions) -> Result<Download, Error> {
        let mut call = Call::new("GetObject", Method::GET, Some(key)).of_version(options.version_id.as_deref());
        call.headers = headers::traffic_limit(options.traffic_limit)?;
        if let Some(range) = &options.range {
            if range.is_empty() {
                return Err(Error::Invalid("The range to get is empty.".to_owned()));
            }
            // With this behavior a range outside of the object is an error, 416, and not the whole object.
            call = call
                .header("range", format!("bytes={}-{}", range.start, range.end - 1))
                .header("x-oss-range-behavior", "standard");
        }
        if let Some(etag) = &options.if_match {
            call = call.header("if-match", format!("\"{}\"", unquoted(etag)));
        }
        let opened = self.open(&call).await?;
        let answer = &opened.answer;
        let len = answer.header(CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok());
        let len: u64 = len.ok_or_else(|| answer.unreadable("it has no Content-Length"))?;
        let size = match &options.range {
            None if answer.status == 200 => len,
            Some(range) if answer.status == 206 => {
                let expected = format!("bytes {}-{}/", range.start, range.end - 1);
                let size = answer.header(CONTENT_RANGE.as_str()).and_then(|text| text.strip_prefix(&*expected));
                let size = size.and_then(|size| size.parse().ok()).filter(|_| len == range.end - range.start);
                size.ok_or_else(|| answer.unreadable("it has not the bytes that were asked for"))?
            }
            _ => return Err(answer.unreadable("it has not the bytes that were asked for")),
        };
        let head = ObjectHead::read(answer, size)?;
        Ok(Download { head, len, opened, crc: Crc64::new(), received: 0, whole: options.range.is_none() })
    }
}
