//! OSS's XML: what we send to complete an upload, and the answers we read.

pub(crate) mod bucket;
pub(crate) mod error;
pub(crate) mod kept;
pub(crate) mod listing;
pub(crate) mod stored;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::error::Error;

/// An answer that has a root element of its own. The parser does not look at the root's name, and stops behind it.
pub(crate) trait Document: DeserializeOwned {
    /// The root element.
    const ROOT: &'static str;
}

/// Reads an answer, or says what is wrong with it. It must be whole and nothing else: what was cut off, or is another
/// document with the same elements, is refused.
pub(crate) fn read<T: Document>(bytes: &[u8]) -> Result<T, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let body = match text.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>").map_or("", |(_, body)| body.trim_start()),
        None => text,
    };
    let opens = body.strip_prefix('<').and_then(|rest| rest.strip_prefix(T::ROOT));
    let opens = opens.is_some_and(|rest| rest.starts_with(|c: char| c == '>' || c.is_ascii_whitespace()));
    let closes = body.strip_suffix('>').and_then(|rest| rest.trim_end().strip_suffix(T::ROOT));
    let once = body.matches(&format!("</{}>", T::ROOT)).count() <= 1;
    if !opens || !once || !closes.is_some_and(|rest| rest.ends_with("</")) {
        return Err(format!("it is not a whole {}", T::ROOT));
    }
    quick_xml::de::from_str(text).map_err(|error| error.to_string())
}

#[derive(Serialize)]
#[serde(rename = "CompleteMultipartUpload")]
struct CompleteBody {
    #[serde(rename = "Part")]
    parts: Vec<CompletePart>,
}

#[derive(Serialize)]
struct CompletePart {
    #[serde(rename = "PartNumber")]
    number: u32,
    #[serde(rename = "ETag")]
    etag: String,
}

/// The body of CompleteMultipartUpload: ascending numbers, quoted ETags, as its API page shows.
pub(crate) fn complete_body(parts: &[(u32, String)]) -> Result<String, Error> {
    let by_number: BTreeMap<u32, &str> = parts.iter().map(|(number, etag)| (*number, etag.as_str())).collect();
    if by_number.is_empty() {
        return Err(Error::Invalid("An upload without parts cannot be completed.".to_owned()));
    }
    if by_number.len() != parts.len() {
        return Err(Error::Invalid("A part number occurs twice in the list of parts.".to_owned()));
    }
    let part = |(number, etag): (u32, &str)| CompletePart { number, etag: format!("\"{}\"", unquoted(etag)) };
    let body = CompleteBody { parts: by_number.into_iter().map(part).collect() };
    quick_xml::se::to_string(&body)
        .map_err(|error| Error::Invalid(format!("The list of parts cannot be written: {error}.")))
}

/// An ETag without its quotes, the form it has everywhere but on the wire.
pub(crate) fn unquoted(etag: &str) -> &str {
    etag.trim().trim_matches('"')
}

/// Text is not trimmed by the parser, and OSS is known to send blanks inside elements.
pub(crate) fn trimmed<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.trim().parse().map_err(|error| de::Error::custom(format!("“{}”: {error}", text.trim())))
}

/// The same for an element that may be absent or empty.
pub(crate) fn trimmed_option<'de, D: Deserializer<'de>, T: FromStr<Err: fmt::Display>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    match Option::<String>::deserialize(deserializer)?.as_deref().map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|error| de::Error::custom(format!("“{text}”: {error}"))),
    }
}

#[cfg(test)]
#[path = "hostile_tests.rs"]
mod hostile;

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::stored::PartsPage;
    use super::*;

    #[test]
    fn the_list_of_parts_is_written_as_the_sdks_write_it() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../tests/fixtures/complete-xml.json")).expect("json");
        let vectors = vectors["vectors"].as_array().expect("vectors");
        assert_eq!(vectors.len(), 3);
        for vector in vectors {
            let part = |part: &Value| {
                let number = part["part_number"].as_u64().expect("number");
                (u32::try_from(number).expect("a part number"), part["etag"].as_str().expect("etag").to_owned())
            };
            let parts: Vec<(u32, String)> = vector["parts"].as_array().expect("parts").iter().map(part).collect();
            // oss2 quotes every ETag; alibabacloud-oss-v2 leaves them as it was given them.
            assert_eq!(complete_body(&parts).expect("body"), vector["oss2"].as_str().expect("xml"));
        }
    }

    #[test]
    fn a_list_that_cannot_be_right_is_refused() {
        assert!(complete_body(&[]).is_err());
        assert!(complete_body(&[(1, "a".to_owned()), (1, "b".to_owned())]).is_err());
    }

    #[test]
    fn a_page_of_parts_is_read_with_and_without_checksums() {
        let page: PartsPage = read(
            b"<ListPartsResult><Bucket>b</Bucket><Key>k</Key><NextPartNumberMarker>5</NextPartNumberMarker>\
             <MaxParts>1000</MaxParts><IsTruncated>true</IsTruncated>\
             <Part><PartNumber>1</PartNumber><LastModified>2012-02-23T07:01:34.000Z</LastModified>\
             <ETag>\"3349DC700140D7F86A0784842780D5F4\"</ETag><Size>6291456</Size>\
             <HashCrc64ecma>11051210869376104954</HashCrc64ecma></Part>\
             <Part><PartNumber>5</PartNumber><ETag>\"E\"</ETag><Size> 1 </Size></Part></ListPartsResult>",
        )
        .expect("page");
        assert!(page.is_truncated && page.next_part_number_marker == Some(5));
        assert_eq!(page.parts[0].crc64, Some(11_051_210_869_376_104_954));
        assert_eq!((page.parts[1].part_number, page.parts[1].size, page.parts[1].crc64), (5, 1, None));
        let empty: PartsPage = read(
            b"<ListPartsResult><NextPartNumberMarker></NextPartNumberMarker><IsTruncated>false</IsTruncated></ListPartsResult>",
        )
        .expect("empty page");
        assert!(empty.parts.is_empty() && empty.next_part_number_marker.is_none());
    }
}
