//! The POST to the application's server: headers, signature, one address after the other.

use std::time::Instant;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use md5::{Digest, Md5};
use reqwest::{
    Certificate, Client, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect,
};

use super::{
    Order, expand,
    judge::{Answered, Failure, judge},
    sign::{KEY_PATH, signed_text},
    variables,
};
use crate::{bucket::OWNER, exchange::Exchange, store::Stored, time};

/// The clients for all callbacks: nothing between them and the server, no redirects, no connection used twice.
pub(crate) struct Clients {
    /// Names the host in a TLS handshake.
    with_sni: Client,
    without_sni: Client,
}

impl Clients {
    /// Certificates must be valid by the platform's roots, or by this one more, in PEM.
    pub(crate) fn new(extra_ca_pem: Option<&str>) -> reqwest::Result<Self> {
        let extra = extra_ca_pem.map(|pem| Certificate::from_pem(pem.as_bytes())).transpose()?;
        let client = |sni: bool| {
            let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).pool_max_idle_per_host(0);
            client.tls_sni(sni).tls_certs_merge(extra.clone()).build()
        };
        Ok(Self { with_sni: client(true)?, without_sni: client(false)? })
    }
}

/// Tries the addresses in order; the first success counts, else the last failure.
pub(super) async fn call(exchange: &Exchange, order: &Order, stored: &Stored) -> Result<Answered, Failure> {
    let shared = &exchange.shared;
    let image = variables::image_of(exchange, order, stored).await;
    let value = |name: &str| variables::value(exchange, order, stored, image.as_ref(), name);
    let body = expand::expand(&order.body, order.body_type, value);
    let limit = shared.tuning.callback_limit;
    let mut failure = Failure::cannot_connect();
    for url in &order.urls {
        let began = Instant::now();
        let attempt = tokio::time::timeout(limit, attempt(exchange, order, url, body.clone()));
        let result = tokio::select! {
            result = attempt => result,
            () = shared.stop.cancelled() => return Err(Failure::cannot_connect()),
        };
        match result {
            Ok(Ok(answered)) => return Ok(answered),
            Ok(Err(failed)) => failure = failed,
            Err(_) => failure = Failure::too_late(url, began.elapsed(), limit),
        }
    }
    Err(failure)
}

async fn attempt(exchange: &Exchange, order: &Order, url: &Url, body: String) -> Result<Answered, Failure> {
    let clients = &exchange.shared.callback_clients;
    let client = if order.sni { &clients.with_sni } else { &clients.without_sni };
    let request = client.post(url.clone()).headers(headers(exchange, order, url, &body)).body(body);
    let response = request.send().await.map_err(|_| Failure::cannot_connect())?;
    judge(response, exchange.shared.tuning.callback_answer_limit).await
}

/// The headers of the current *Callback* page and of captured callbacks. Content-Length comes from the HTTP library.
fn headers(exchange: &Exchange, order: &Order, url: &Url, body: &str) -> HeaderMap {
    let shared = &exchange.shared;
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let signature = shared.callback_key.sign(&signed_text(&target, body.as_bytes()));
    let key_url = BASE64_STANDARD.encode(format!("{}{KEY_PATH}", shared.info.endpoint));
    let names: Vec<&str> = order.additional_headers.iter().map(|(name, _)| name.as_str()).collect();
    let mut headers: HeaderMap = order.additional_headers.iter().cloned().collect();
    // How the body is framed is not the client's to say.
    for framing in ["content-length", "transfer-encoding"] {
        headers.remove(framing);
    }
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("authorization", &signature);
    set("connection", "close");
    set("content-type", order.body_type.content_type());
    set("content-md5", &BASE64_STANDARD.encode(Md5::digest(body)));
    set("date", &time::http(exchange.shared.now()));
    set("user-agent", "aliyun-oss-callback");
    set("x-oss-additional-headers", &names.join(";"));
    set("x-oss-bucket", &shared.config.bucket);
    set("x-oss-owner", OWNER);
    set("x-oss-pub-key-url", &key_url);
    set("x-oss-request-id", &exchange.request_id);
    set("x-oss-requester", OWNER);
    set("x-oss-signature-version", "1.0");
    set("x-oss-tag", "CALLBACK");
    if let Some(host) = &order.host {
        headers.insert("host", host.clone());
    }
    headers
}
