//! DeleteMultipleObjects: a list of keys at once.

use std::sync::Arc;

use axum::http::StatusCode;

use crate::{
    answer::{OssError, Outcome, empty, xml},
    digest::Claim,
    escape::encode,
    exchange::Exchange,
    intake::Intake,
    list::wants_url,
    object::blocking,
    xml::{self, Element},
};

/// At most so many keys.
const KEY_LIMIT: usize = 1000;
/// A thousand keys of three bytes for each of 1023, with their elements, fit in well under this.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// `POST /?delete` with `Content-MD5`. A key that is not there counts as deleted; quiet mode answers with nothing.
pub(crate) async fn delete_multiple_objects(exchange: &Exchange, intake: &mut Intake) -> Outcome {
    let url =
        wants_url(exchange)? || exchange.header("encoding-type").is_some_and(|given| given.eq_ignore_ascii_case("url"));
    let claim = Claim::of(exchange)?.ok_or_else(|| {
        OssError::new(400, "MissingArgument", "Missing Some Required Arguments.").with("Header", "Content-MD5")
    })?;
    let body = intake.whole(BODY_LIMIT).await?.ok_or_else(OssError::malformed_xml)?;
    claim.check_body(&body)?;
    let (keys, quiet) = read(&body)?;
    let (store, doomed) = (Arc::clone(&exchange.shared.store), keys.clone());
    blocking(move || doomed.iter().try_for_each(|key| store.delete(key))).await?;
    if quiet {
        return Ok(empty(StatusCode::OK));
    }
    let mut result = Element::new("DeleteResult");
    if url {
        result = result.text("EncodingType", "url");
    }
    for key in &keys {
        let key = if url { encode(key.as_bytes(), false) } else { key.clone() };
        result = result.child(Element::new("Deleted").text("Key", &key));
    }
    Ok(xml(result.document()))
}

/// The keys and whether the answer is to be quiet.
fn read(body: &[u8]) -> Result<(Vec<String>, bool), OssError> {
    let malformed = |detail: &str| OssError::malformed_xml().with("ErrorDetail", detail).ec("0016-00000608");
    let root = xml::read(body).ok_or_else(|| malformed("the document is not well-formed."))?;
    if root.name != "Delete" {
        return Err(malformed("the root node is not named Delete."));
    }
    let quiet = root.child("Quiet").is_some_and(|quiet| quiet.text.trim() == "true");
    let keys: Vec<String> =
        root.all("Object").filter_map(|object| object.child("Key")).map(|key| key.text.clone()).collect();
    if keys.len() != root.all("Object").count() || keys.iter().any(String::is_empty) {
        return Err(malformed("an object has no key."));
    }
    if keys.is_empty() || keys.len() > KEY_LIMIT {
        return Err(malformed("the number of objects is not between 1 and 1000."));
    }
    Ok((keys, quiet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_as_they_are_and_quiet_is_off_unless_told() {
        let (keys, quiet) =
            read(b"<Delete><Object><Key> a&lt;b </Key></Object><Object><Key>c</Key></Object></Delete>").expect("reads");
        assert_eq!((keys, quiet), (vec![" a<b ".to_owned(), "c".to_owned()], false));
        assert!(read(b"<Delete><Quiet>true</Quiet><Object><Key>c</Key></Object></Delete>").expect("reads").1);
    }

    #[test]
    fn no_key_an_empty_one_and_more_than_a_thousand_are_malformed() {
        let many = format!("<Delete>{}</Delete>", "<Object><Key>k</Key></Object>".repeat(1001));
        for body in ["", "<Delete/>", "<Del><Object><Key>k</Key></Object></Del>", "<Delete><Object/></Delete>", &many] {
            assert_eq!(read(body.as_bytes()).unwrap_err().code, "MalformedXML", "{body}");
        }
    }
}
