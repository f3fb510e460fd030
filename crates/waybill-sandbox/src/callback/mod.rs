//! The upload callback as OSS makes it: after the object is stored, to the application's server, its answer passed on.

mod call;
mod expand;
mod parse;

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

pub(crate) use call::client;
pub(crate) use parse::parse;

/// What a client asked to be called back with, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// One to five, tried in order until the first success.
    urls: Vec<Url>,
    /// `Host` header instead of the URL's own.
    host: Option<String>,
    /// The body with its `${…}` places.
    body: String,
    body_type: BodyType,
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
            error.response(&exchange.request_id, exchange.shared.host(), false)
        }
    };
    object::object_headers(&mut response, stored);
    debug_assert!([StatusCode::OK, StatusCode::NON_AUTHORITATIVE_INFORMATION].contains(&response.status()));
    Ok(response)
}
