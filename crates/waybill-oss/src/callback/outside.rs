//! Requests to others than OSS: the application's server, called as OSS would call it, and the place of the public key.

use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::signature::PublicKey;
use crate::client::{stalled, transport};
use crate::error::Error;
use crate::http::HttpClient;

/// As much of an answer as is read, which is as much as OSS passes on [HTTP 203 status code].
const LONGEST: usize = 3 * 1024 * 1024;
/// A key in PEM takes a few hundred bytes.
const KEY: usize = 64 * 1024;
const FETCHING: Duration = Duration::from_secs(5);

/// An answer of somebody else's server, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// Its status.
    pub status: u16,
    /// Its headers, in the order they came.
    pub headers: Vec<(String, String)>,
    /// Its body, up to 3 MiB.
    pub body: Vec<u8>,
    /// From the request to the end of the answer.
    pub elapsed: Duration,
}

/// Sends a POST to an application's server, once, without a signature and without following redirects: what the server says
/// to a callback, for whoever writes it. OSS waits five seconds for the whole (API page Callback).
pub async fn probe(
    http: &HttpClient,
    url: &str,
    headers: &[(String, String)],
    body: String,
    limit: Duration,
) -> Result<Probed, Error> {
    const OPERATION: &str = "a probe of the server";
    let mut request = http.request(Method::POST, parsed(url)?);
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad_header(name))?;
        if name != CONTENT_LENGTH {
            let value = HeaderValue::from_str(value).map_err(|_| bad_header(name.as_str()))?;
            request = request.header(name, value);
        }
    }
    let request = request.body(body).build().map_err(|error| Error::Invalid(error.without_url().to_string()))?;
    let began = Instant::now();
    let exchange = async {
        let mut response = http.execute(request).await.map_err(|error| transport(OPERATION, error))?;
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body = read(OPERATION, &mut response, LONGEST).await?;
        Ok(Probed { status: response.status().as_u16(), headers, body, elapsed: began.elapsed() })
    };
    tokio::time::timeout(limit, exchange).await.unwrap_or_else(|_| Err(stalled(OPERATION)))
}

/// Fetches the key that callbacks are signed with. Whether its address is to be trusted is for
/// [`super::signature::key_url`] to say, before.
pub async fn fetch_key(http: &HttpClient, url: &str) -> Result<PublicKey, Error> {
    const OPERATION: &str = "fetching the public key";
    let request = http.request(Method::GET, parsed(url)?).build();
    let request = request.map_err(|error| Error::Invalid(error.without_url().to_string()))?;
    let unreadable = |message: String| Error::Unreadable { operation: OPERATION, message, request_id: None };
    let exchange = async {
        let mut response = http.execute(request).await.map_err(|error| transport(OPERATION, error))?;
        if !response.status().is_success() {
            return Err(unreadable(format!("its status is {}", response.status())));
        }
        let pem = read(OPERATION, &mut response, KEY).await?;
        PublicKey::from_pem(&String::from_utf8_lossy(&pem)).map_err(|refusal| unreadable(refusal.to_string()))
    };
    tokio::time::timeout(FETCHING, exchange).await.unwrap_or_else(|_| Err(stalled(OPERATION)))
}

async fn read(operation: &'static str, response: &mut reqwest::Response, most: usize) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while body.len() < most {
        let Some(chunk) = response.chunk().await.map_err(|error| transport(operation, error))? else { break };
        body.extend_from_slice(&chunk[..chunk.len().min(most - body.len())]);
    }
    Ok(body)
}

fn parsed(url: &str) -> Result<Url, Error> {
    let parsed = Url::parse(url).ok().filter(|parsed| matches!(parsed.scheme(), "http" | "https"));
    parsed.ok_or_else(|| Error::Invalid(format!("“{url}” is no http or https address.")))
}

fn bad_header(name: &str) -> Error {
    Error::Invalid(format!("The header “{name}” cannot be sent."))
}
