//! ListObjects, ListObjectsV2 and ListMultipartUploads, in pages.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    answer::{OssError, Outcome, xml},
    bucket::owner,
    escape::encode,
    exchange::Exchange,
    object::blocking,
    page::{Page, Wanted, page},
    store::Stored,
    time,
    xml::Element,
};

/// `GET /?prefix&marker&delimiter&max-keys&encoding-type`, the older version.
pub(crate) async fn list_objects(exchange: &Exchange) -> Outcome {
    let ask = Ask::read(exchange, "max-keys", 100)?;
    let marker = exchange.target.query("marker").unwrap_or_default();
    let found = ask.run(exchange, marker).await?;
    let mut list = Element::new("ListBucketResult")
        .text("Name", &exchange.shared.config.bucket)
        .text("Prefix", &ask.coded(&ask.prefix))
        .text("Marker", &ask.coded(marker))
        .text("MaxKeys", &ask.at_most.to_string())
        .text("Delimiter", &ask.coded(&ask.delimiter));
    list = ask.encoding(list).text("IsTruncated", truth(found.truncated));
    if found.truncated {
        list = list.text("NextMarker", &ask.coded(&found.last));
    }
    Ok(xml(ask.contents(list, &found, true).document()))
}

/// `GET /?list-type=2` with `start-after`, `continuation-token` and `fetch-owner`.
pub(crate) async fn list_objects_v2(exchange: &Exchange) -> Outcome {
    let version = exchange.target.query("list-type").unwrap_or_default();
    if version != "2" {
        return Err(OssError::argument("Invalid list-type; it must be 2.", "list-type", version).into());
    }
    let ask = Ask::read(exchange, "max-keys", 100)?;
    let start_after = exchange.target.query("start-after");
    let token = exchange.target.query("continuation-token").filter(|token| !token.is_empty());
    // A token goes before start-after.
    let after = match token {
        Some(token) => untoken(token)
            .ok_or_else(|| OssError::argument("The continuation token is incorrect.", "continuation-token", token))?,
        None => start_after.unwrap_or_default().to_owned(),
    };
    let found = ask.run(exchange, &after).await?;
    let mut list = Element::new("ListBucketResult")
        .text("Name", &exchange.shared.config.bucket)
        .text("Prefix", &ask.coded(&ask.prefix))
        .text("MaxKeys", &ask.at_most.to_string())
        .text("Delimiter", &ask.coded(&ask.delimiter));
    if let Some(start_after) = start_after {
        list = list.text("StartAfter", &ask.coded(start_after));
    }
    if let Some(token) = token {
        list = list.text("ContinuationToken", token);
    }
    list = ask.encoding(list).text("IsTruncated", truth(found.truncated));
    if found.truncated {
        list = list.text("NextContinuationToken", &token_of(&found.last));
    }
    list = list.text("KeyCount", &(found.items.len() + found.prefixes.len()).to_string());
    let with_owner = exchange.target.query("fetch-owner") == Some("true");
    Ok(xml(ask.contents(list, &found, with_owner).document()))
}

/// `GET /?uploads` with `prefix`, `delimiter`, `key-marker`, `upload-id-marker`, `max-uploads`. The next markers are
/// there on the last page too, since oss2 for Python reads them always.
pub(crate) fn list_multipart_uploads(exchange: &Exchange) -> Outcome {
    let ask = Ask::read(exchange, "max-uploads", 1000)?;
    let key_marker = exchange.target.query("key-marker").unwrap_or_default();
    // Without a key marker the id marker is ignored.
    let id_marker = exchange.target.query("upload-id-marker").filter(|_| !key_marker.is_empty()).unwrap_or_default();
    let all = exchange.shared.store.uploads.all();
    let mut after = all.iter().map(|upload| &upload.info).filter(|info| {
        info.key.as_str() > key_marker
            || (!id_marker.is_empty() && info.key == key_marker && info.upload_id.as_str() > id_marker)
    });
    let mut next = |skip: Option<&str>| after.find(|info| skip.is_none_or(|skip| !info.key.starts_with(skip)));
    let found = page(|skip| next(skip).map(|info| (info.key.clone(), info)), &ask.wanted(key_marker));
    // A common prefix in the last place has no upload id.
    let next_id = found.items.last().filter(|info| info.key == found.last).map_or("", |info| info.upload_id.as_str());
    let mut list = ask
        .encoding(Element::new("ListMultipartUploadsResult"))
        .text("Bucket", &exchange.shared.config.bucket)
        .text("KeyMarker", &ask.coded(key_marker))
        .text("UploadIdMarker", id_marker)
        .text("NextKeyMarker", &ask.coded(&found.last))
        .text("NextUploadIdMarker", next_id)
        .text("Delimiter", &ask.coded(&ask.delimiter))
        .text("Prefix", &ask.coded(&ask.prefix))
        .text("MaxUploads", &ask.at_most.to_string())
        .text("IsTruncated", truth(found.truncated));
    for info in &found.items {
        list = list.child(
            Element::new("Upload")
                .text("Key", &ask.coded(&info.key))
                .text("UploadId", &info.upload_id)
                .text("StorageClass", info.about.storage_class())
                .text("Initiated", &time::xml(time::of_ms(info.initiated_ms))),
        );
    }
    Ok(xml(ask.common_prefixes(list, &found.prefixes).document()))
}

/// What all listings are asked for.
struct Ask {
    prefix: String,
    delimiter: String,
    at_most: usize,
    /// `encoding-type=url`
    url: bool,
}

impl Ask {
    fn read(exchange: &Exchange, limit: &'static str, unless_told: usize) -> Result<Self, OssError> {
        let query = |name: &str| exchange.target.query(name).unwrap_or_default().to_owned();
        let at_most = match exchange.target.query(limit).filter(|given| !given.is_empty()) {
            None => unless_told,
            Some(given) => given.parse().ok().filter(|n| (1..=1000).contains(n)).ok_or_else(|| {
                OssError::argument(format!("Argument {limit} must be an integer between 1 and 1000."), limit, given)
            })?,
        };
        Ok(Self { prefix: query("prefix"), delimiter: query("delimiter"), at_most, url: wants_url(exchange)? })
    }

    fn wanted<'a>(&'a self, after: &'a str) -> Wanted<'a> {
        Wanted { prefix: &self.prefix, delimiter: &self.delimiter, after, at_most: self.at_most }
    }

    async fn run(&self, exchange: &Exchange, after: &str) -> Result<Page<Stored>, crate::answer::Refusal> {
        let store = Arc::clone(&exchange.shared.store);
        let (prefix, delimiter, after) = (self.prefix.clone(), self.delimiter.clone(), after.to_owned());
        let at_most = self.at_most;
        let wanted = move || Ok(store.list(&Wanted { prefix: &prefix, delimiter: &delimiter, after: &after, at_most }));
        blocking(wanted).await
    }

    /// A key, prefix or marker as the client wants to read it.
    fn coded(&self, text: &str) -> String {
        if self.url { encode(text.as_bytes(), false) } else { text.to_owned() }
    }

    fn encoding(&self, element: Element) -> Element {
        if self.url { element.text("EncodingType", "url") } else { element }
    }

    fn contents(&self, mut list: Element, found: &Page<Stored>, with_owner: bool) -> Element {
        for stored in &found.items {
            let mut item = Element::new("Contents")
                .text("Key", &self.coded(&stored.key))
                .text("LastModified", &time::xml(time::of_ms(stored.last_modified_ms)))
                .text("ETag", &format!("\"{}\"", stored.etag))
                .text("Type", stored.kind.name())
                .text("Size", &stored.size.to_string())
                .text("StorageClass", stored.about.storage_class());
            if with_owner {
                item = item.child(owner());
            }
            list = list.child(item);
        }
        self.common_prefixes(list, &found.prefixes)
    }

    fn common_prefixes(&self, list: Element, prefixes: &[String]) -> Element {
        prefixes
            .iter()
            .fold(list, |list, prefix| list.child(Element::new("CommonPrefixes").text("Prefix", &self.coded(prefix))))
    }
}

/// Whether the request has `encoding-type=url`, the only one there is.
pub(crate) fn wants_url(exchange: &Exchange) -> Result<bool, OssError> {
    match exchange.target.query("encoding-type") {
        None | Some("") => Ok(false),
        Some(given) if given.eq_ignore_ascii_case("url") => Ok(true),
        Some(given) => Err(OssError::argument("Invalid Encoding Method specified in Request.", "encoding-type", given)),
    }
}

/// `true` or `false`.
pub(crate) fn truth(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// A continuation token as OSS makes it: the key as field 1 of a protobuf message, in Base64 with `-` for padding
/// (`CgJiYw--` in the samples). The two other odd signs of Base64 are replaced too, so that it needs no escapes.
fn token_of(key: &str) -> String {
    let mut message = vec![0x0a];
    let mut length = key.len();
    while length >= 0x80 {
        message.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    message.push(length as u8);
    message.extend_from_slice(key.as_bytes());
    BASE64_STANDARD.encode(message).replace('+', ".").replace('/', "_").replace('=', "-")
}

fn untoken(token: &str) -> Option<String> {
    let message = BASE64_STANDARD.decode(token.replace('.', "+").replace('_', "/").replace('-', "=")).ok()?;
    let (&0x0a, mut rest) = message.split_first()? else { return None };
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let (&byte, tail) = rest.split_first()?;
        rest = tail;
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            break;
        }
        if shift > 21 {
            return None;
        }
    }
    if rest.len() != length {
        return None;
    }
    String::from_utf8(rest.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_one_of_the_samples_and_goes_both_ways() {
        assert_eq!(token_of("bc"), "CgJiYw--");
        for key in ["a", "目录/文件.txt", &"k".repeat(1023)] {
            assert_eq!(untoken(&token_of(key)).as_deref(), Some(key));
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for token in ["", "x", "CgJiYw", "CgNiYw--", "EgJiYw--", "____", "CoCAgICAgA--"] {
            assert_eq!(untoken(token), None, "{token}");
        }
    }
}
