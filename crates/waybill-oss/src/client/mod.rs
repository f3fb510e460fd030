//! Sending: one request is sent, watched for stalls, answered, and repeated where that is safe.

mod additional;
mod answer;
pub(crate) mod bucket;
pub(crate) mod copy;
pub(crate) mod download;
pub(crate) mod head;
mod kept;
pub(crate) mod list;
pub(crate) mod multipart;
pub(crate) mod object;
pub(crate) mod post;
pub(crate) mod presigned;
mod request;
mod rounds;
pub(crate) mod uploads;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::credentials::Credentials;
use crate::endpoint::Endpoint;
use crate::error::{Error, TransportKind};
use crate::http::HttpClient;
use crate::meter::Meter;
use crate::names::BucketName;
use crate::pace::{End, Exchange, Pace};
use crate::retry::RetryPolicy;
use crate::sign::SignatureVersion;
use answer::Answer;
use request::{Call, Payload, Site};
use rounds::{Rounds, Signature};

/// How long nothing may move before a request is given up.
const STALL: Duration = Duration::from_secs(30);
/// How long a finishing request may wait for its answer: five callback addresses at five seconds each, and room for
/// OSS to put thousands of parts together.
pub(crate) const FINISHING: Duration = Duration::from_secs(60);
/// After the last byte of a file was handed over, up to a mebibyte of it may still lie in buffers, which a slow line takes
/// this many times [`STALL`] to drain.
const DRAIN: u32 = 4;
/// As much of an answer as is read: a page of a thousand encoded keys of 1023 bytes is larger than the largest answer
/// of a callback, which OSS passes on up to 3 MB.
const ANSWER_LIMIT: usize = 8 * 1024 * 1024;

/// One bucket, seen with one credential. Cloning is cheap and shares the connections, the keys and the clock.
#[derive(Clone, Debug)]
pub struct Client {
    http: HttpClient,
    site: Arc<Site>,
    retry: RetryPolicy,
    stall: Duration,
    pace: Option<Arc<dyn Pace>>,
}

/// What belongs to no bucket: the account's own calls, and the way to its buckets.
#[derive(Clone, Debug)]
pub struct Account(Client);

/// Takes an attempt's bytes back unless the attempt was kept, also when its future is dropped half-way.
struct Attempt(Arc<Meter>);

impl Drop for Attempt {
    fn drop(&mut self) {
        self.0.take_back();
    }
}

/// The head of an answer whose body is read piece by piece.
struct Opened {
    /// Status and headers; the body is empty.
    answer: Answer,
    response: reqwest::Response,
    stall: Duration,
}

impl Opened {
    /// The next piece of the body, none at its end.
    async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let operation = self.answer.operation;
        match tokio::time::timeout(self.stall, self.response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| transport(operation, error)),
            Err(_) => Err(stalled(operation)),
        }
    }
}

impl Account {
    /// The account whose keys these are, at an endpoint that is no own domain; `region` as for [`Client::new`].
    pub fn new(http: HttpClient, endpoint: Endpoint, region: String, credentials: impl Into<Credentials>) -> Account {
        let site = Site::new(endpoint, region, None, credentials.into());
        Account(Client { http, site: Arc::new(site), retry: RetryPolicy::default(), stall: STALL, pace: None })
    }

    /// As [`Client::with_retry`].
    pub fn with_retry(self, policy: RetryPolicy) -> Account {
        Account(self.0.with_retry(policy))
    }

    /// As [`Client::with_stall_timeout`].
    pub fn with_stall_timeout(self, stall: Duration) -> Account {
        Account(self.0.with_stall_timeout(stall))
    }

    /// As [`Client::with_clock`].
    pub fn with_clock(self, clock: Clock) -> Account {
        Account(self.0.with_clock(clock))
    }

    /// As [`Client::with_signature`].
    pub fn with_signature(self, version: SignatureVersion) -> Account {
        Account(self.0.with_signature(version))
    }

    /// As [`Client::with_additional_headers`].
    pub fn with_additional_headers(self, names: Vec<String>) -> Result<Account, Error> {
        self.0.with_additional_headers(names).map(Account)
    }

    /// How far this computer's clock is off.
    pub fn clock(&self) -> &Clock {
        self.0.clock()
    }

    /// The client for one bucket at the same endpoint, with the same keys, clock and settings.
    pub fn bucket(&self, bucket: BucketName) -> Client {
        self.0.clone().with_site(|site| site.bucket = Some(bucket))
    }
}

impl Client {
    /// A client for `bucket` at `endpoint`. `region` is the id that signatures of version 4 name, such as `cn-hangzhou`,
    /// with or without `oss-`; a text that cannot be one is refused ([`Error::Invalid`]) by each call, before it is sent.
    pub fn new(
        http: HttpClient,
        endpoint: Endpoint,
        region: String,
        bucket: BucketName,
        credentials: impl Into<Credentials>,
    ) -> Client {
        Account::new(http, endpoint, region, credentials).bucket(bucket)
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

    /// The same client, which asks before each request and before the bytes of files.
    pub fn with_pace(self, pace: Arc<dyn Pace>) -> Client {
        Client { pace: Some(pace), ..self }
    }

    /// Where requests are sent to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.site.endpoint
    }

    /// The same client with a clock that others correct too.
    pub fn with_clock(self, clock: Clock) -> Client {
        self.with_site(|site| site.clock = clock)
    }

    /// The same client with another signature version, V4 by default.
    pub fn with_signature(self, version: SignatureVersion) -> Client {
        self.with_site(|site| site.version = version)
    }

    /// The same client, which also signs these headers where a request has them (V4 only; `AdditionalHeaders`). `host` is
    /// on every request, `user-agent` on all but presigned ones, `content-length` on those with a body.
    ///
    /// [`Error::Invalid`] for a name that is none, and for headers that are written or changed after signing.
    /// [Include a V4 signature in the Authorization header]
    pub fn with_additional_headers(self, names: Vec<String>) -> Result<Client, Error> {
        let names = additional::checked(names)?;
        Ok(self.with_site(|site| site.additional_headers = names))
    }

    /// How far this computer's clock is off.
    pub fn clock(&self) -> &Clock {
        &self.site.clock
    }

    fn with_site(mut self, change: impl FnOnce(&mut Site)) -> Client {
        change(Arc::make_mut(&mut self.site));
        self
    }

    /// Sends a call until it succeeds or is given up; `read` turns the answer into what was asked for, and an answer it
    /// refuses counts as a failed attempt.
    async fn send<T>(&self, call: &Call<'_>, read: impl Fn(&Answer) -> Result<T, Error>) -> Result<T, Error> {
        self.leave().await;
        let mut rounds = Rounds::new(self, call);
        loop {
            // Boxed, as what follows a failure is: fetching keys is rare, and its state is large.
            let signature = Box::pin(rounds.sign()).await?;
            match self.attempt(call, &signature, &read).await {
                Ok(value) => return Ok(value),
                Err(error) => Box::pin(rounds.after(error, &signature)).await?,
            }
            self.leave().await;
        }
    }

    /// Sends a call whose answer may be large. It is repeated until the head of an answer is there, not later.
    async fn open(&self, call: &Call<'_>) -> Result<Opened, Error> {
        self.leave().await;
        let mut rounds = Rounds::new(self, call);
        loop {
            let signature = rounds.sign().await?;
            match self.attempt_to_open(call, &signature).await {
                Ok(opened) => return Ok(opened),
                Err(error) => rounds.after(error, &signature).await?,
            }
            self.leave().await;
        }
    }

    /// Waits until the next request may begin.
    async fn leave(&self) {
        if let Some(pace) = &self.pace {
            pace.request().granted().await;
        }
    }

    async fn attempt_to_open(&self, call: &Call<'_>, signature: &Signature) -> Result<Opened, Error> {
        let meter = Meter::new(None);
        let mut response = self.watched(call, &meter, self.begin(call, signature, &meter)).await?;
        if !response.status().is_success() {
            let answer = self.watched(call, &meter, self.whole(call.operation, response, &meter)).await?;
            return Err(self.refused(&answer));
        }
        let answer = head(call.operation, &mut response, &meter);
        Ok(Opened { answer, response, stall: self.stall })
    }

    async fn attempt<T>(
        &self,
        call: &Call<'_>,
        signature: &Signature,
        read: impl Fn(&Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let meter = Meter::new(call.progress.cloned());
        let attempt = Attempt(Arc::clone(&meter));
        let exchange = async {
            let response = self.begin(call, signature, &meter).await?;
            self.whole(call.operation, response, &meter).await
        };
        let began = Instant::now();
        let answer = self.watched(call, &meter, exchange).await;
        self.tell_pace(&meter, began, &answer);
        let answer = answer.map_err(|error| meter.take_failure().map_or(error, Error::Source))?;
        tracing::debug!(
            operation = call.operation,
            status = answer.status,
            request_id = answer.request_id(),
            "answered"
        );
        if !(200..300).contains(&answer.status) {
            return Err(self.refused(&answer));
        }
        let value = read(&answer)?;
        attempt.0.keep();
        Ok(value)
    }

    /// The error that this answer is. One about the clock is believed about the time.
    fn refused(&self, answer: &Answer) -> Error {
        let error = answer.service_error();
        if error.service_code() == Some("RequestTimeTooSkewed")
            && let Some(server) = answer::server_time(&answer.headers)
        {
            self.site.clock.correct(server, Timestamp::now());
        }
        error
    }

    fn tell_pace(&self, meter: &Meter, began: Instant, answer: &Result<Answer, Error>) {
        let Some(pace) = &self.pace else { return };
        let end = match answer {
            Ok(answer) if matches!(answer.status, 429 | 503) => End::Busy,
            Ok(_) => End::Answered,
            Err(error) => End::of(error),
        };
        let (bytes, held) = meter.sent_and_held();
        pace.ended(&Exchange { bytes, elapsed: began.elapsed().saturating_sub(held), end });
    }

    /// Gives a request up when nothing moves for too long.
    async fn watched<T>(
        &self,
        call: &Call<'_>,
        meter: &Meter,
        exchange: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let patience = if call.finishing { self.stall + (FINISHING - STALL) } else { self.stall };
        let patience = if matches!(call.payload, Payload::File(_) | Payload::Whole(..) | Payload::Form(_)) {
            patience.max(self.stall * DRAIN)
        } else {
            patience
        };
        tokio::select! {
            biased;
            done = exchange => done,
            () = meter.stalled(self.stall, patience) => Err(stalled(call.operation)),
        }
    }

    /// Puts the request on the wire and waits for the head of its answer, which also says what time it is.
    async fn begin(
        &self,
        call: &Call<'_>,
        signature: &Signature,
        meter: &Arc<Meter>,
    ) -> Result<reqwest::Response, Error> {
        let request = self.site.request(call, signature, meter, self.pace.as_ref())?;
        let response = self.http.execute(request).await.map_err(|error| transport(call.operation, error))?;
        meter.touch();
        if let Some(server) = answer::server_time(response.headers()) {
            self.site.clock.hear(server, Timestamp::now());
        }
        Ok(response)
    }

    /// Reads the rest of an answer, up to [`ANSWER_LIMIT`].
    async fn whole(
        &self,
        operation: &'static str,
        mut response: reqwest::Response,
        meter: &Meter,
    ) -> Result<Answer, Error> {
        let mut body = Vec::new();
        while body.len() < ANSWER_LIMIT {
            let chunk = response.chunk().await.map_err(|error| transport(operation, error))?;
            let Some(chunk) = chunk else { break };
            meter.touch();
            body.extend_from_slice(&chunk[..chunk.len().min(ANSWER_LIMIT - body.len())]);
        }
        Ok(Answer { body, ..head(operation, &mut response, meter) })
    }
}

/// Status and headers of an answer, as of now.
fn head(operation: &'static str, response: &mut reqwest::Response, meter: &Meter) -> Answer {
    Answer {
        operation,
        status: response.status().as_u16(),
        headers: std::mem::take(response.headers_mut()),
        body: Vec::new(),
        local_crc64: meter.crc64(),
        elapsed: meter.since_body_sent(),
    }
}

pub(crate) fn stalled(operation: &'static str) -> Error {
    Error::Transport { operation, kind: TransportKind::Timeout, message: "nothing moved for too long".to_owned() }
}

pub(crate) fn transport(operation: &'static str, error: reqwest::Error) -> Error {
    let error = error.without_url();
    let message = chain(&error);
    Error::Transport { operation, kind: kind_of(&error, &message), message }
}

/// What the libraries below have no type for that reaches us is told by their words; `tests/oss` would notice others.
fn kind_of(error: &reqwest::Error, message: &str) -> TransportKind {
    let says = |words: &[&str]| words.iter().any(|words| message.contains(words));
    if says(&["invalid peer certificate"]) {
        TransportKind::Certificate
    } else if says(&["proxy authorization required", "credentials not accepted"]) {
        TransportKind::ProxyLogin
    } else if error.is_connect() {
        TransportKind::Connect
    } else if error.is_timeout() {
        TransportKind::Timeout
    } else {
        TransportKind::Interrupted
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text += &format!(": {inner}");
        cause = inner.source();
    }
    text
}
