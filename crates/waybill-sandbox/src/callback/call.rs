//! The POST to the application's server and the judgement of its answer.

use std::time::{Duration, Instant};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use md5::{Digest, Md5};
use reqwest::{
    Client, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect,
};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{Order, expand};
use crate::{bucket::OWNER, exchange::Exchange, object::http_date, store::Stored, xml};

/// The page says 1 MB in one place and 3 MB in another.
const ANSWER_LIMIT: u64 = 1024 * 1024;

/// What the application answered, to be passed on.
pub(super) struct Answered {
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// Why there is no such answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) ec: &'static str,
    pub(super) message: String,
}

/// Over the time limit.
const EC_TIMEOUT: &str = "0007-00000202";
/// No connection, or not the status that is wanted.
const EC_STATUS: &str = "0007-00000203";
/// Not JSON.
const EC_BODY: &str = "0007-00000205";

/// The client for all callbacks: nothing between it and the server, no redirects, no connection used twice.
pub(crate) fn client() -> reqwest::Result<Client> {
    Client::builder().no_proxy().redirect(redirect::Policy::none()).pool_max_idle_per_host(0).build()
}

/// Tries the addresses in order; the first success counts, else the last failure.
pub(super) async fn call(exchange: &Exchange, order: &Order, stored: &Stored) -> Result<Answered, Failure> {
    let body = expand::expand(&order.body, order.body_type, |name| variable(exchange, order, stored, name));
    let headers = headers(exchange, order, &body);
    let limit = exchange.shared.tuning.callback_limit;
    let mut failure = cannot_connect();
    for url in &order.urls {
        let began = Instant::now();
        let attempt = tokio::time::timeout(limit, attempt(exchange, url, headers.clone(), body.clone()));
        let result = tokio::select! {
            result = attempt => result,
            () = exchange.shared.stop.cancelled() => return Err(cannot_connect()),
        };
        match result {
            Ok(Ok(answered)) => return Ok(answered),
            Ok(Err(failed)) => failure = failed,
            Err(_) => failure = too_late(began.elapsed(), limit),
        }
    }
    Err(failure)
}

async fn attempt(exchange: &Exchange, url: &Url, headers: HeaderMap, body: String) -> Result<Answered, Failure> {
    let request = exchange.shared.callback_client.post(url.clone()).headers(headers).body(body);
    let mut response = request.send().await.map_err(|_| cannot_connect())?;
    if response.status().as_u16() != 200 {
        return Err(Failure { ec: EC_STATUS, message: format!("Error status : {}.", response.status().as_u16()) });
    }
    let text = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    let length = text("content-length").and_then(|length| length.parse::<u64>().ok());
    let content_type = text("content-type").unwrap_or_else(|| "application/json".to_owned());
    match length {
        None => {
            return Err(Failure { ec: EC_STATUS, message: "missing content-length".to_owned() });
        }
        Some(length) if length > ANSWER_LIMIT => {
            return Err(Failure { ec: EC_STATUS, message: "too long content-length".to_owned() });
        }
        Some(_) => {}
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|_| cannot_connect())? {
        body.extend_from_slice(&piece);
    }
    judge(&content_type, &body)?;
    Ok(Answered { content_type, body })
}

/// JSON without a byte-order mark; the current Chinese page also allows XML that says so.
fn judge(content_type: &str, body: &[u8]) -> Result<(), Failure> {
    let says_xml =
        content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/xml"));
    if serde_json::from_slice::<IgnoredAny>(body).is_ok() || says_xml && xml::is_well_formed(body) {
        return Ok(());
    }
    Err(Failure { ec: EC_BODY, message: "Response body is not valid json format.".to_owned() })
}

/// System and custom variables. The sandbox looks at no images, so `imageInfo` is always missing.
fn variable(exchange: &Exchange, order: &Order, stored: &Stored, name: &str) -> Value {
    match name {
        "bucket" => json!(exchange.shared.config.bucket),
        "object" => json!(stored.key),
        "etag" => json!(stored.etag),
        "size" => json!(stored.size),
        "mimeType" => json!(stored.content_type),
        "crc64" => json!(stored.crc64.to_string()),
        "contentMd5" => json!(stored.content_md5),
        "clientIp" => json!(exchange.client_ip.to_string()),
        "reqId" => json!(exchange.request_id),
        "operation" => json!(exchange.operation.name()),
        custom => order.variables.get(custom).map_or(Value::Null, |value| json!(value)),
    }
}

/// The headers of the current *Callback* page, but for the signature.
fn headers(exchange: &Exchange, order: &Order, body: &str) -> HeaderMap {
    let mut headers: HeaderMap = order.additional_headers.iter().cloned().collect();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("connection", "close");
    set("content-type", order.body_type.content_type());
    set("content-md5", &BASE64_STANDARD.encode(Md5::digest(body)));
    set("date", &http_date(Timestamp::now().as_millisecond()));
    set("user-agent", "aliyun-oss-callback");
    set("x-oss-additional-headers", "");
    set("x-oss-bucket", &exchange.shared.config.bucket);
    set("x-oss-owner", OWNER);
    set("x-oss-requester", OWNER);
    set("x-oss-request-id", &exchange.request_id);
    set("x-oss-signature-version", "1.0");
    set("x-oss-tag", "CALLBACK");
    if let Some(host) = &order.host {
        set("host", host);
    }
    headers
}

fn cannot_connect() -> Failure {
    let message = "Error status : -1 OSS can not connect to your callbackUrl, please check it.".to_owned();
    Failure { ec: EC_STATUS, message }
}

fn too_late(cost: Duration, limit: Duration) -> Failure {
    let message = format!("reply timeout, cost:{}, timeout:{}", cost.as_millis(), limit.as_millis());
    Failure { ec: EC_TIMEOUT, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_passes_and_text_a_byte_order_mark_or_nothing_fails() {
        for body in [r#"{"Status":"OK"}"#, "[1]", " null "] {
            assert!(judge("text/html", body.as_bytes()).is_ok(), "{body}");
        }
        for body in ["OK", "", "\u{feff}{}", "{} {}", "<a/>"] {
            assert_eq!(judge("application/json", body.as_bytes()).unwrap_err().ec, "0007-00000205", "{body}");
        }
    }

    #[test]
    fn xml_passes_only_when_it_says_so_and_is_whole() {
        assert!(judge("application/xml; charset=utf-8", b"<a><b/></a>").is_ok());
        assert!(judge("application/xml", b"<a>").is_err());
        assert!(judge("text/xml", b"<a/>").is_err());
    }
}
