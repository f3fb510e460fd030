//! Tags and ACL of an object that is there: asked for, set, taken away. Its bytes and its time stay.

use std::sync::Arc;

use axum::http::StatusCode;

use crate::{
    about::{check_tags, read_acl},
    answer::{OssError, Outcome, Refusal, empty, xml},
    bucket::owner,
    digest::Claim,
    exchange::Exchange,
    intake::Intake,
    object::{blocking, find},
    store::Stored,
    xml::{self, Element},
};

/// Ten tags fit in well under this.
const BODY_LIMIT: usize = 64 * 1024;

/// `GET /key?tagging`
pub(crate) async fn get_object_tagging(exchange: &Exchange) -> Outcome {
    let (stored, _file) = find(exchange).await?;
    let set = stored.about.tags.iter().fold(Element::new("TagSet"), |set, (key, value)| {
        set.child(Element::new("Tag").text("Key", key).text("Value", value))
    });
    Ok(xml(Element::new("Tagging").child(set).document()))
}

/// `PUT /key?tagging` replaces all tags.
pub(crate) async fn put_object_tagging(exchange: &Exchange, intake: &mut Intake) -> Outcome {
    let claim = Claim::of(exchange)?;
    let body = intake.whole(BODY_LIMIT).await?.ok_or_else(OssError::malformed_xml)?;
    if let Some(claim) = claim {
        claim.check_body(&body)?;
    }
    let tags = read(&body).ok_or_else(OssError::malformed_xml)?;
    check_tags(&tags)?;
    change(exchange, move |stored| stored.about.tags = tags).await?;
    Ok(empty(StatusCode::OK))
}

/// `DELETE /key?tagging`
pub(crate) async fn delete_object_tagging(exchange: &Exchange) -> Outcome {
    change(exchange, |stored| stored.about.tags.clear()).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// `GET /key?acl`
pub(crate) async fn get_object_acl(exchange: &Exchange) -> Outcome {
    let (stored, _file) = find(exchange).await?;
    let grant = stored.about.acl.as_deref().unwrap_or("default");
    let policy = Element::new("AccessControlPolicy")
        .child(owner())
        .child(Element::new("AccessControlList").text("Grant", grant));
    Ok(xml(policy.document()))
}

/// `PUT /key?acl` with `x-oss-object-acl`.
pub(crate) async fn put_object_acl(exchange: &Exchange) -> Outcome {
    let acl = read_acl(&exchange.header("x-oss-object-acl").unwrap_or_default())?;
    change(exchange, move |stored| stored.about.acl = acl).await?;
    Ok(empty(StatusCode::OK))
}

async fn change(exchange: &Exchange, change: impl FnOnce(&mut Stored) + Send + 'static) -> Result<Stored, Refusal> {
    let (store, key) = (Arc::clone(&exchange.shared.store), exchange.key().to_owned());
    let changed = blocking(move || store.redescribe(&key, change)).await?;
    changed.ok_or_else(|| OssError::no_such_key(exchange.key()).into())
}

fn read(body: &[u8]) -> Option<Vec<(String, String)>> {
    let root = xml::read(body).filter(|root| root.name == "Tagging")?;
    let set = root.child("TagSet")?;
    set.all("Tag").map(|tag| Some((tag.child("Key")?.text.clone(), tag.child("Value")?.text.clone()))).collect()
}
