//! PostObject: an object from a web form.
//!
//! Sources: *PostObject*, *HTTP 400 status code* and *Callback* pages.

use axum::{
    body::Body,
    http::{Response, StatusCode, header},
};
use md5::Digest;

use crate::{
    about::{self, Given},
    answer::{OssError, Outcome, put, xml},
    auth, callback,
    digest::Claim,
    escape::encode,
    exchange::Exchange,
    form::Form,
    intake::Intake,
    object,
    route::check_key,
    store::Stored,
    xml::Element,
};

/// The key of an answer to a form, for the request log.
#[derive(Clone)]
pub(crate) struct StoredAt(pub(crate) String);

/// `POST /` with a form. What its policy does not allow is refused before the file is taken in; nothing is stored until
/// the whole body has come.
pub(crate) async fn post_object(exchange: &Exchange, intake: &mut Intake) -> Outcome {
    if exchange.header("content-length").is_none() && !exchange.headers.contains_key(header::TRANSFER_ENCODING) {
        return Err(object::no_length().into());
    }
    let claim = Claim::of(exchange)?;
    let mut form = Form::new(&exchange.header("content-type").unwrap_or_default(), intake)?;
    let (mut fields, mut file) = form.fields().await?;
    if let Some(own) = file.content_type() {
        fields.entry("content-type".to_owned()).or_insert(own);
    }
    auth::check_form(&exchange.shared, &fields, None)?;
    let key = key(&fields, file.name())?;
    let (about, forbid_overwrite) = (about::read(&given(exchange, &fields))?, about::forbids_overwrite(&fields)?);
    let order = callback::ordered_by_form(exchange, fields.iter().map(|(n, v)| (n.as_str(), v.as_str()))).await?;
    let (mut incoming, mut size) = (exchange.shared.store.incoming().await?, 0);
    while let Some(piece) = file.next().await? {
        size += piece.len() as u64;
        if size > object::BODY_LIMIT {
            return Err(object::too_large().into());
        }
        incoming.push(&piece).await?;
    }
    drop(file);
    let mut md5 = form.finish().await?;
    // The form is whole, the request not before its body has ended, and only then may a fault let it through.
    while let Some(piece) = intake.next().await? {
        md5.update(&piece);
    }
    auth::check_form(&exchange.shared, &fields, Some(size))?;
    if let Some(claim) = claim {
        claim.check(md5.finalize().into())?;
    }
    let sealed = incoming.seal().await?;
    let stored = object::store(exchange, &key, sealed, about, forbid_overwrite).await?;
    let mut plain = answer(exchange, &fields, &stored);
    object::object_headers(&mut plain, &stored);
    object::encryption_headers(&mut plain, &stored.about);
    let mut response = callback::conclude(exchange, order, &stored, plain).await?;
    response.extensions_mut().insert(StoredAt(key));
    Ok(response)
}

/// The key with `${filename}` filled, checked as any key.
fn key(fields: &Given, file_name: &str) -> Result<String, OssError> {
    let template = fields.get("key").ok_or_else(|| {
        let message =
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.";
        OssError::argument(message, "key", "")
    })?;
    let key = template.replace("${filename}", file_name);
    if key.is_empty() {
        return Err(OssError::new(400, "InvalidObjectName", "The Object name can not be empty.").ec("0016-00000001"));
    }
    check_key(&key)?;
    Ok(key)
}

/// The fields as headers of a PutObject would say them. The type is that of `x-oss-content-type`, else of the field, else
/// of the file's own part; an ACL may stand in the request's header too; tags may not be given in a form.
fn given(exchange: &Exchange, fields: &Given) -> Given {
    let mut given = fields.clone();
    given.remove("x-oss-tagging");
    if let Some(content_type) = fields.get("x-oss-content-type") {
        given.insert("content-type".to_owned(), content_type.clone());
    }
    if let Some(acl) = exchange.header("x-oss-object-acl") {
        given.entry("x-oss-object-acl".to_owned()).or_insert(acl);
    }
    given
}

/// The answer without a callback: a redirect, else what `success_action_status` says, 204 unless that is 200 or 201.
fn answer(exchange: &Exchange, fields: &Given, stored: &Stored) -> Response<Body> {
    let bucket = &exchange.shared.config.bucket;
    let etag = format!("\"{}\"", stored.etag);
    if let Some(address) = fields.get("success_action_redirect").filter(|address| !address.is_empty()) {
        let mark = if address.contains('?') { '&' } else { '?' };
        let code = |text: &str| encode(text.as_bytes(), false);
        let to = format!("{address}{mark}bucket={}&key={}&etag={}", code(bucket), code(&stored.key), code(&etag));
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        put(&mut response, "location", &to);
        return response;
    }
    let location = object::location(exchange, &stored.key);
    let mut response = match fields.get("success_action_status").map(String::as_str) {
        Some("201") => {
            let document = Element::new("PostResponse")
                .text("Bucket", bucket)
                .text("ETag", &etag)
                .text("Key", &stored.key)
                .text("Location", &location);
            let mut response = xml(document.document());
            *response.status_mut() = StatusCode::CREATED;
            response
        }
        Some("200") => Response::new(Body::empty()),
        _ => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
    };
    put(&mut response, "location", &location);
    response
}
