//! Sending: one request is sent, watched for stalls, answered, and repeated where that is safe.

mod answer;
pub(crate) mod bucket;
pub(crate) mod multipart;
pub(crate) mod object;
mod request;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Request;

use crate::credential::Credential;
use crate::endpoint::Endpoint;
use crate::error::{Error, TransportKind};
use crate::meter::Meter;
use crate::names::BucketName;
use crate::retry::{RetryPolicy, Tries};
use answer::Answer;
use request::{Call, Payload, Site};

/// How long nothing may move before a request is given up.
const STALL: Duration = Duration::from_secs(30);
/// How long a finishing request may wait for its answer: five callback addresses at five seconds each, and room for
/// OSS to put thousands of parts together.
const FINISHING: Duration = Duration::from_secs(60);
/// After the last byte of a file was handed over, up to a mebibyte of it may still lie in buffers, which a slow line takes
/// this many times [`STALL`] to drain.
const DRAIN: u32 = 4;
/// As much of an answer as is read: OSS passes a callback's answer on up to 3 MB.
const ANSWER_LIMIT: usize = 3 * 1024 * 1024;

/// The shared HTTP client: one pool of connections for all destinations.
pub type HttpClient = reqwest::Client;

/// The HTTP client for the whole process: one connection pool, HTTP/1.1 as OSS answers it, no redirects, no proxy from
/// the environment, ten seconds to connect and no limit on the whole (stalls are watched for instead).
pub fn http_client() -> Result<HttpClient, Error> {
    reqwest::Client::builder()
        .user_agent(concat!("waybill/", env!("CARGO_PKG_VERSION")))
        .http1_only()
        .tcp_nodelay(true)
        .pool_max_idle_per_host(256)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .connect_timeout(Duration::from_secs(10))
        .build()
        .map_err(|error| Error::Invalid(format!("The HTTP client cannot be set up: {}.", chain(&error))))
}

/// One bucket, seen with one credential. Cloning is cheap and shares the connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    site: Arc<Site>,
    retry: RetryPolicy,
    stall: Duration,
}

/// Takes an attempt's bytes back unless the attempt was kept, also when its future is dropped half-way.
struct Attempt(Arc<Meter>);

impl Drop for Attempt {
    fn drop(&mut self) {
        self.0.take_back();
    }
}

impl Client {
    /// A client for `bucket` at `endpoint`. `region` is the id signatures use, such as `cn-hangzhou`.
    pub fn new(
        http: reqwest::Client,
        endpoint: Endpoint,
        region: String,
        bucket: BucketName,
        credential: Credential,
    ) -> Client {
        let site = Arc::new(Site::new(endpoint, region, bucket, credential));
        Client { http, site, retry: RetryPolicy::default(), stall: STALL }
    }

    /// The same client with another retry policy.
    pub fn with_retry(self, policy: RetryPolicy) -> Client {
        Client { retry: policy, ..self }
    }

    /// The same client with another time for which nothing may move, 30 s by default. Completing an upload and anything
    /// with a callback waits 30 s longer for its answer.
    pub fn with_stall_timeout(self, stall: Duration) -> Client {
        Client { stall, ..self }
    }

    /// Sends a call until it succeeds or is given up; `read` turns the answer into what was asked for, and an answer it
    /// refuses counts as a failed attempt.
    async fn send<T>(&self, call: &Call<'_>, read: impl Fn(&Answer) -> Result<T, Error>) -> Result<T, Error> {
        let policy = if call.once { RetryPolicy::none() } else { self.retry };
        let mut tries = Tries::new(&policy, call.operation, call.repeatable);
        loop {
            match self.attempt(call, &read).await {
                Ok(value) => return Ok(value),
                Err(error) => tries.wait_after(error).await?,
            }
        }
    }

    async fn attempt<T>(&self, call: &Call<'_>, read: impl Fn(&Answer) -> Result<T, Error>) -> Result<T, Error> {
        let meter = Meter::new(call.progress.cloned());
        let attempt = Attempt(Arc::clone(&meter));
        let request = self.site.request(call, &meter, Timestamp::now())?;
        let patience = if call.finishing { self.stall + (FINISHING - STALL) } else { self.stall };
        let patience =
            if matches!(call.payload, Payload::File(_)) { patience.max(self.stall * DRAIN) } else { patience };
        let answer = tokio::select! {
            biased;
            answer = self.exchange(call.operation, request, &meter) => answer,
            () = meter.stalled(self.stall, patience) => Err(Error::Transport {
                operation: call.operation,
                kind: TransportKind::Timeout,
                message: "nothing moved for too long".to_owned(),
            }),
        };
        let answer = answer.map_err(|error| meter.take_failure().map_or(error, Error::Source))?;
        tracing::debug!(
            operation = call.operation,
            status = answer.status,
            request_id = answer.request_id(),
            "answered"
        );
        if !(200..300).contains(&answer.status) {
            return Err(answer.service_error());
        }
        let value = read(&answer)?;
        attempt.0.keep();
        Ok(value)
    }

    /// Puts the request on the wire and reads the whole answer, up to [`ANSWER_LIMIT`].
    async fn exchange(&self, operation: &'static str, request: Request, meter: &Meter) -> Result<Answer, Error> {
        let broken = |error: reqwest::Error| transport(operation, error);
        let mut response = self.http.execute(request).await.map_err(broken)?;
        meter.touch();
        let mut body = Vec::new();
        while body.len() < ANSWER_LIMIT {
            let Some(chunk) = response.chunk().await.map_err(broken)? else {
                break;
            };
            meter.touch();
            body.extend_from_slice(&chunk[..chunk.len().min(ANSWER_LIMIT - body.len())]);
        }
        Ok(Answer {
            operation,
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body,
            local_crc64: meter.crc64(),
            elapsed: meter.since_body_sent(),
        })
    }
}

fn transport(operation: &'static str, error: reqwest::Error) -> Error {
    let kind = if error.is_connect() {
        TransportKind::Connect
    } else if error.is_timeout() {
        TransportKind::Timeout
    } else {
        TransportKind::Interrupted
    };
    Error::Transport { operation, kind, message: chain(&error.without_url()) }
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text += &format!(": {inner}");
        cause = inner.source();
    }
    text
}
