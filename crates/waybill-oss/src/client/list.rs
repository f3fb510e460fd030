//! ListObjects, both versions: what lies in a bucket, page by page.

use reqwest::Method;

use super::{Call, Client};
use crate::error::Error;
use crate::xml::listing::ObjectsPage;
use crate::xml::unquoted;

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// Only keys that begin so.
    pub prefix: String,
    /// Keys that have this text behind the prefix are listed once, as their common prefix: `/` for folders.
    pub delimiter: Option<String>,
    /// Only keys behind this one, in the order of their bytes.
    pub start_after: Option<String>,
    /// 1 to 1000 a page, 1000 by default.
    pub page_size: Option<u16>,
    /// Version 2 by default; version 1 is older and knows the same.
    pub version: ListVersion,
}

/// Which of the two calls lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListVersion {
    /// GetBucket (ListObjects), with markers.
    V1,
    /// GetBucketV2 (ListObjectsV2), with continuation tokens.
    #[default]
    V2,
}

/// An object in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// Its key, as OSS has it.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
    /// ETag without quotes.
    pub etag: String,
    /// When it was stored, as it came: `2012-02-24T08:43:07.000Z`.
    pub last_modified: String,
    /// Normal, Multipart, Appendable or Symlink.
    pub object_type: Option<String>,
    /// Such as `Standard`.
    pub storage_class: Option<String>,
    /// How far the restoring of an archived object has got, as it came.
    pub restore_info: Option<String>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPage {
    /// Objects, in the order of their keys' bytes.
    pub objects: Vec<ListedObject>,
    /// Common prefixes, if a delimiter was given.
    pub prefixes: Vec<String>,
    /// Where the next page begins: a token or a marker. None if this is the last page.
    pub next: Option<String>,
}

/// A list that is read page by page.
#[derive(Debug)]
pub struct ObjectPages<'a> {
    client: &'a Client,
    options: ListOptions,
    /// Where the next page begins; none at the first one.
    at: Option<String>,
    over: bool,
}

impl ObjectPages<'_> {
    /// The next page, none behind the last one. After an error the same page can be asked for again.
    pub async fn next(&mut self) -> Result<Option<ObjectPage>, Error> {
        if self.over {
            return Ok(None);
        }
        let page = self.client.list_objects_page(&self.options, self.at.as_deref()).await?;
        self.at.clone_from(&page.next);
        self.over = page.next.is_none();
        Ok(Some(page))
    }

    /// All objects of the pages that are left, without the common prefixes. A large bucket takes as much memory.
    pub async fn all(mut self) -> Result<Vec<ListedObject>, Error> {
        let mut all = Vec::new();
        while let Some(page) = self.next().await? {
            all.extend(page.objects);
        }
        Ok(all)
    }
}

impl Client {
    /// ListObjects or ListObjectsV2: all pages, one at a time.
    pub fn list_objects(&self, options: ListOptions) -> ObjectPages<'_> {
        ObjectPages { client: self, options, at: None, over: false }
    }

    /// ListObjects or ListObjectsV2: one page; `at` is [`ObjectPage::next`] of the page before.
    /// [GetBucketV2 (ListObjectsV2); GetBucket (ListObjects); go2 `api_op_bucket.go`]
    pub async fn list_objects_page(&self, options: &ListOptions, at: Option<&str>) -> Result<ObjectPage, Error> {
        let size = options.page_size.unwrap_or(1000);
        if !(1..=1000).contains(&size) {
            return Err(Error::Invalid(format!("A page of a list can have 1 to 1000 objects, not {size}.")));
        }
        let (operation, start, cursor) = match options.version {
            ListVersion::V1 => ("ListObjects", "marker", "marker"),
            ListVersion::V2 => ("ListObjectsV2", "start-after", "continuation-token"),
        };
        let mut call = Call::new(operation, Method::GET, None);
        if options.version == ListVersion::V2 {
            call = call.query("list-type", "2");
        }
        call = call.query("max-keys", size.to_string()).query("encoding-type", "url");
        if !options.prefix.is_empty() {
            call = call.query("prefix", &options.prefix);
        }
        if let Some(delimiter) = &options.delimiter {
            call = call.query("delimiter", delimiter);
        }
        match (at, &options.start_after) {
            (Some(at), _) => call = call.query(cursor, at),
            (None, Some(key)) => call = call.query(start, key),
            (None, None) => {}
        }
        self.send(&call, |answer| {
            let page: ObjectsPage = answer.xml()?;
            let truncated = page.is_truncated;
            let page = page.decoded().map_err(|error| answer.unreadable(&error))?;
            // Without NextMarker the last name of the page is the marker of the next one.
            let last = || page.rows.last().map(|row| &row.key).max(page.prefixes.last()).cloned();
            let next = match (truncated, options.version) {
                (false, _) => None,
                (true, ListVersion::V1) => page.next.clone().or_else(last),
                (true, ListVersion::V2) => page.next.clone(),
            };
            if truncated && (next.is_none() || next.as_deref() == at) {
                return Err(answer.unreadable("it is cut off and does not say where the next page begins"));
            }
            let objects = page.rows.into_iter().map(|row| ListedObject {
                key: row.key,
                size: row.size,
                etag: unquoted(&row.etag).to_owned(),
                last_modified: row.last_modified,
                object_type: row.object_type,
                storage_class: row.storage_class,
                restore_info: row.restore_info,
            });
            Ok(ObjectPage { objects: objects.collect(), prefixes: page.prefixes, next })
        })
        .await
    }
}
