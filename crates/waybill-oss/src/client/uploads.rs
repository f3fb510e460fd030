//! ListMultipartUploads: the uploads that were begun in a bucket and neither completed nor aborted.

use reqwest::Method;

use super::{Call, Client};
use crate::error::Error;
use crate::xml::listing::UploadsPage;

/// An upload that is open: its parts are stored, and billed, until it is completed or aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenUpload {
    /// The key it will be stored under.
    pub key: String,
    /// UploadId.
    pub upload_id: String,
    /// When it began, as it came: `2012-02-23T04:18:23.000Z`.
    pub initiated: String,
}

/// One page of open uploads, by key and then by the time they began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadPage {
    /// Up to 1000.
    pub uploads: Vec<OpenUpload>,
    /// Where the next page begins; none if this is the last one.
    pub next: Option<UploadMarker>,
}

/// The last upload of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadMarker {
    /// `key-marker`.
    pub key: String,
    /// `upload-id-marker`.
    pub upload_id: String,
}

impl Client {
    /// ListMultipartUploads: one page of at most 1000 open uploads whose keys begin with `prefix`, behind `after`.
    /// (API page ListMultipartUploads)
    pub async fn list_uploads_page(&self, prefix: &str, after: Option<&UploadMarker>) -> Result<UploadPage, Error> {
        let mut call = Call::new("ListMultipartUploads", Method::GET, None)
            .query("uploads", "")
            .query("max-uploads", "1000")
            .query("encoding-type", "url");
        if !prefix.is_empty() {
            call = call.query("prefix", prefix);
        }
        if let Some(marker) = after {
            call = call.query("key-marker", &marker.key).query("upload-id-marker", &marker.upload_id);
        }
        self.send(&call, |answer| {
            let page: UploadsPage = answer.xml()?;
            let truncated = page.is_truncated;
            let page = page.decoded().map_err(|error| answer.unreadable(&error))?;
            let next = page.next.map(|(key, upload_id)| UploadMarker { key, upload_id });
            if truncated && (next.is_none() || next.as_ref() == after) {
                return Err(answer.unreadable("it is cut off and does not say where the next page begins"));
            }
            let uploads = page.rows.into_iter().map(|row| OpenUpload {
                key: row.key,
                upload_id: row.upload_id,
                initiated: row.initiated,
            });
            Ok(UploadPage { uploads: uploads.collect(), next })
        })
        .await
    }

    /// ListMultipartUploads, all pages: every open upload whose key begins with `prefix`.
    pub async fn list_uploads(&self, prefix: &str) -> Result<Vec<OpenUpload>, Error> {
        let mut page = self.list_uploads_page(prefix, None).await?;
        let mut all = page.uploads;
        while let Some(after) = page.next {
            page = self.list_uploads_page(prefix, Some(&after)).await?;
            all.append(&mut page.uploads);
        }
        Ok(all)
    }
}
