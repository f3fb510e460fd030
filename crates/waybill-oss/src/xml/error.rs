//! OSS's error document, read leniently: it says why something failed, so what can be read of it must not be lost.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use serde_json::Value;

/// `Error`, the body of every refusal and of a 203. Some newer interfaces write it as JSON [Error responses].
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ErrorDocument {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) request_id: Option<String>,
    pub(crate) host_id: Option<String>,
    pub(crate) ec: Option<String>,
    /// With `SignatureDoesNotMatch`; its line ends count, so it is taken as it is, but for a token in it.
    pub(crate) string_to_sign: Option<String>,
    /// With the `AccessDenied` of a bucket in another region.
    pub(crate) endpoint: Option<String>,
}

impl ErrorDocument {
    /// Reads an error; none if the text is not one, which a root `Error` with a `Code` is. What stands around the root and
    /// behind a fault in it does not count, nor does an element that is cut off; of a repeated one the first does.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let mut found = if text.starts_with('{') { in_json(text)? } else { in_xml(text)? };
        let mut trimmed = |name: &str| {
            let text = found.remove(name)?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        Some(ErrorDocument {
            code: trimmed("Code")?,
            message: trimmed("Message").unwrap_or_default(),
            request_id: trimmed("RequestId"),
            host_id: trimmed("HostId"),
            ec: trimmed("EC"),
            endpoint: trimmed("Endpoint"),
            string_to_sign: found.remove("StringToSign").map(|text| without_token(&text)),
        })
    }
}

fn in_json(text: &str) -> Option<BTreeMap<String, String>> {
    let value: Value = serde_json::from_str(text).ok()?;
    let fields = value.get("Error")?.as_object()?;
    Some(fields.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect())
}

/// The text of each element right below the root.
fn in_xml(text: &str) -> Option<BTreeMap<String, String>> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().allow_dangling_amp = true;
    let (mut found, mut open) = (BTreeMap::new(), Vec::<String>::new());
    let mut inside = String::new();
    loop {
        let piece = match reader.read_event() {
            Ok(Event::Start(start)) => {
                open.push(start.local_name().into_inner().to_owned());
                if open[0] != "Error" {
                    return None;
                }
                if open.len() == 2 {
                    inside.clear();
                }
                continue;
            }
            Ok(Event::End(_)) => {
                if let (2, Some(name)) = (open.len(), open.pop()) {
                    found.entry(name).or_insert_with(|| std::mem::take(&mut inside));
                }
                if open.is_empty() {
                    return Some(found);
                }
                continue;
            }
            Ok(Event::Text(text)) => text.into_inner(),
            Ok(Event::CData(text)) => text.into_inner(),
            Ok(Event::GeneralRef(entity)) => resolved(&entity).into(),
            Ok(Event::Eof) | Err(_) => return Some(found),
            Ok(Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => continue,
        };
        match open.len() {
            0 if !piece.trim().is_empty() => return None,
            2 => inside += &piece,
            _ => {}
        }
    }
}

/// The character an entity stands for; one that nobody knows stays as it is.
fn resolved(entity: &BytesRef<'_>) -> String {
    let known = resolve_predefined_entity(entity).map(str::to_owned);
    let character = || entity.resolve_char_ref().ok().flatten().map(String::from);
    known.or_else(character).unwrap_or_else(|| format!("&{};", &**entity))
}

/// What OSS signed, without the token that version 1 signs as a header or as a parameter of the resource. The rest stays
/// as it is, since it is there to be compared.
fn without_token(text: &str) -> String {
    const HEADER: &str = "x-oss-security-token:";
    const PARAMETER: &str = "security-token=";
    let line = |line: &str| match line.get(..HEADER.len()) {
        Some(name) if name.eq_ignore_ascii_case(HEADER) => format!("{name}***{}", &line[line.trim_end().len()..]),
        _ => {
            let mut parts = line.split(PARAMETER);
            let mut shown = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let rest = part.find(['&', '\r', '\n']).map_or("", |end| &part[end..]);
                shown += &format!("{PARAMETER}***{rest}");
            }
            shown
        }
    };
    text.split_inclusive('\n').map(line).collect()
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
