//! The upload callback as OSS makes it: after the object is stored, to the application's server, its answer passed on.
//!
//! - `parse`, `fields`, `address`: what was ordered, and everything that is wrong with it
//! - `expand`, `variables`, `image`: the body with its places filled
//! - `sign`: the RSA signature; `call`, `judge`: the POST and what its answer is worth

mod address;
mod call;
mod expand;
mod fields;
mod image;
mod judge;
mod parse;
mod sign;
mod variables;

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode},
};
use reqwest::Url;

use crate::{
    answer::{OssError, Outcome, put},
    exchange::Exchange,
    object,
    store::Stored,
};

pub(crate) use call::Clients;
pub(crate) use sign::{CallbackKey, KEY_PATH, signed_text};

/// What a client asked to be called back with, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// One to five, tried in order until the first success.
    urls: Vec<Url>,
    /// `Host` header instead of the URL's own.
    host: Option<HeaderValue>,
    /// The body with its `${…}` places.
    body: String,
    body_type: BodyType,
    /// Whether a TLS handshake names the host.
    sni: bool,
    additional_headers: Vec<(HeaderName, HeaderValue)>,
    /// `x:name` → value.
    variables: BTreeMap<String, String>,
}

/// `callbackBodyType`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyType {
    Form,
    Json,
}

impl BodyType {
    fn content_type(self) -> &'static str {
        match self {
            Self::Form => "application/x-www-form-urlencoded",
            Self::Json => "application/json",
        }
    }
}

/// The callback that a request orders in its headers or its query, `None` when it orders none. To be asked before a byte
/// is stored.
pub(crate) async fn ordered(exchange: &Exchange) -> Result<Option<Order>, OssError> {
    let order = parse::parse(&exchange.headers, &exchange.target)?;
    address::check(&exchange.shared.tuning, order.as_ref()).await?;
    Ok(order)
}

/// The callback that the fields of a PostObject form order: `callback`, and one field per `x:` variable.
pub(crate) async fn ordered_by_form<'a>(
    exchange: &Exchange,
    form: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Option<Order>, OssError> {
    let order = parse::parse_form(form)?;
    address::check(&exchange.shared.tuning, order.as_ref()).await?;
    Ok(order)
}

/// Makes the callback, if one was ordered, and turns `plain`, the answer without a callback, into the answer with one:
/// 200 with the application's body, or 203 CallbackFailed. The object is stored in both cases.
pub(crate) async fn conclude(
    exchange: &Exchange,
    order: Option<Order>,
    stored: &Stored,
    plain: Response<Body>,
) -> Outcome {
    let Some(order) = order else { return Ok(plain) };
    let mut response = match call::call(exchange, &order, stored).await {
        Ok(answered) => {
            let mut response = Response::new(Body::from(answered.body));
            put(&mut response, "content-type", &answered.content_type);
            response
        }
        Err(failure) => {
            let error = OssError::new(203, "CallbackFailed", failure.message).ec(failure.ec);
            error.response(&exchange.request_id, &exchange.host, false)
        }
    };
    object::object_headers(&mut response, stored);
    debug_assert!([StatusCode::OK, StatusCode::NON_AUTHORITATIVE_INFORMATION].contains(&response.status()));
    Ok(response)
}
