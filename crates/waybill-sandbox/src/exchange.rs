//! One request from its head to its answer: signature, fault, operation, common headers, log.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, request::Parts},
};
use jiff::{SignedDuration, Timestamp};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    about, admin,
    answer::{OssError, Outcome, Refusal, empty, put},
    auth::{self, Asked, IssuedToken, Tokens, Verifier},
    bucket, callback,
    config::{SandboxConfig, SandboxInfo, Tuning},
    copy, delete,
    faults::{FaultKind, Faults, Taken},
    get, guard, host,
    intake::Intake,
    list,
    log::{LoggedRequest, RequestLog},
    multipart, object,
    operation::Operation,
    post,
    receiver::{self, CallbackLog},
    route::{Target, check_bucket, check_key},
    server::Line,
    store::Store,
    tagging,
};

/// What every request can reach.
pub(crate) struct Shared {
    pub(crate) config: SandboxConfig,
    pub(crate) info: SandboxInfo,
    pub(crate) tuning: Tuning,
    pub(crate) store: Arc<Store>,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    pub(crate) callbacks: CallbackLog,
    pub(crate) callback_clients: callback::Clients,
    pub(crate) callback_key: callback::CallbackKey,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) tokens: Tokens,
}

impl Shared {
    /// `127.0.0.1:PORT`, the `HostId` of errors.
    pub(crate) fn host(&self) -> &str {
        self.info.endpoint.trim_start_matches("http://")
    }

    /// The sandbox's own time, which may be set wrong.
    pub(crate) fn now(&self) -> Timestamp {
        auth::now(self.tuning.clock_offset)
    }

    /// What signatures are checked against at this moment.
    pub(crate) fn verifier(&self) -> Verifier<'_> {
        Verifier { config: &self.config, tokens: &self.tokens, now: self.now() }
    }

    /// A temporary key pair that works for `lifetime` from now on.
    pub(crate) fn issue_token(&self, lifetime: Duration) -> IssuedToken {
        self.tokens.issue(lifetime.try_into().unwrap_or(SignedDuration::MAX), self.now())
    }
}

/// One request to the OSS side, as its operation sees it.
pub(crate) struct Exchange {
    pub(crate) shared: Arc<Shared>,
    pub(crate) request_id: String,
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) operation: Operation,
    pub(crate) headers: HeaderMap,
    pub(crate) client_ip: IpAddr,
    pub(crate) gone: CancellationToken,
}

impl Exchange {
    /// The object key; [`answer_oss`] lets no object operation through without one.
    pub(crate) fn key(&self) -> &str {
        self.target.key.as_deref().unwrap_or_default()
    }

    /// A request header as text.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes().trim_ascii()).into_owned())
    }
}

/// The one entrance. The work goes on in a task of its own, so that it is finished even if the client hangs up, as OSS
/// does; only reading the body then ends early.
pub(crate) async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response<Body> {
    let gone = CancellationToken::new();
    let _hung_up = gone.clone().drop_guard();
    let work = shared.tasks.spawn(serve(Arc::clone(&shared), line, gone, request));
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a sandbox request panicked");
        empty(StatusCode::INTERNAL_SERVER_ERROR)
    })
}

async fn serve(shared: Arc<Shared>, line: Line, gone: CancellationToken, request: Request) -> Response<Body> {
    let began = Instant::now();
    let request_id = uuid::Uuid::new_v4().simple().to_string()[..24].to_ascii_uppercase();
    let (head, body) = request.into_parts();
    let hosted = host::bucket_of(host_of(&head), head.uri.path(), &shared.tuning.domains, &shared.config.bucket);
    let guarded = |audience| guard::check(&head, host_of(&head), audience);
    let outcome = match head.uri.path() {
        path if hosted.is_none() && path.starts_with("/_sandbox/") => match guarded(admin::audience(path)) {
            Ok(()) => admin::answer(&shared, &head, body).await,
            Err(error) => Err(error.into()),
        },
        _ if is_callback(&head, hosted.as_deref()) => match guarded(receiver::audience(&head.method)) {
            Ok(()) => receiver::answer(&shared, &head, body, &gone).await,
            Err(error) => Err(error.into()),
        },
        _ => answer_oss(&shared, head, body, hosted, &line, gone, &request_id).await,
    };
    let mut response = outcome.unwrap_or_else(|refusal| match refusal {
        Refusal::Oss(error) => error.response(&request_id, shared.host(), false),
        Refusal::Hangup => {
            line.cut.cancel();
            empty(StatusCode::OK)
        }
    });
    put(&mut response, "x-oss-request-id", &request_id);
    put(&mut response, "x-oss-server-time", &began.elapsed().as_millis().to_string());
    put(&mut response, "date", &auth::http_date(shared.now()));
    response.headers_mut().insert("server", HeaderValue::from_static("AliyunOSS"));
    response
}

async fn answer_oss(
    shared: &Arc<Shared>,
    head: Parts,
    body: Body,
    hosted: Option<String>,
    line: &Line,
    gone: CancellationToken,
    request_id: &str,
) -> Outcome {
    let at = Timestamp::now();
    let asked_host = Some(host_of(&head)).filter(|host| !host.is_empty()).unwrap_or(shared.host()).to_owned();
    let raw = head.uri.path_and_query().map_or("/", |raw| raw.as_str());
    let (target, misread) = match Target::parse(raw, hosted) {
        Ok(target) => (target, None),
        Err(error) => (Target::default(), Some(error)),
    };
    let exchange = Exchange {
        shared: Arc::clone(shared),
        request_id: request_id.to_owned(),
        operation: Operation::of(&head.method, &target, &head.headers),
        method: head.method,
        target,
        headers: head.headers,
        client_ip: line.client_ip,
        gone,
    };
    let received = Arc::new(AtomicU64::new(0));
    let admitted = match misread {
        Some(error) => Err(error),
        None => admit(&exchange),
    };
    let fault = match &admitted {
        Ok(()) => {
            let Target { key, .. } = &exchange.target;
            shared.faults.take(exchange.operation, key.as_deref(), exchange.target.part_number())
        }
        Err(_) => None,
    };
    let mut intake =
        Intake::new(body, Arc::clone(&received), fault.clone(), exchange.gone.clone(), shared.stop.clone());
    let outcome = match admitted {
        Ok(()) => operate(&exchange, &mut intake, fault.as_ref()).await,
        Err(error) => Err(error.into()),
    };
    let mut code = None;
    let outcome = match outcome {
        Err(Refusal::Oss(error)) => {
            intake.discard().await;
            code = Some(error.code.to_string());
            let mut response = error.response(request_id, &asked_host, exchange.method == Method::HEAD);
            if let Some(Taken { kind: FaultKind::Status { retry_after_seconds: Some(after), .. }, .. }) = &fault {
                put(&mut response, "retry-after", &after.to_string());
            }
            Ok(response)
        }
        other => other,
    };
    let upload_id = exchange.target.upload_id().map(str::to_owned);
    let given_out = || Some(outcome.as_ref().ok()?.extensions().get::<multipart::GivenOut>()?.0.clone());
    let stored_at = || Some(outcome.as_ref().ok()?.extensions().get::<post::StoredAt>()?.0.clone());
    shared.log.push(LoggedRequest {
        at_ms: at.as_millisecond(),
        operation: exchange.operation,
        key: exchange.target.key.clone().or_else(stored_at),
        upload_id: upload_id.or_else(given_out),
        part_number: exchange.target.part_number(),
        status: outcome.as_ref().ok().map(|response| response.status().as_u16()),
        code,
        bytes_received: received.load(Ordering::Relaxed),
        request_id: request_id.to_owned(),
        fault: fault.as_ref().map(|fault| fault.kind.name().to_owned()),
    });
    after_work(outcome?, fault.as_ref())
}

/// Whether the request may be worked on at all.
fn admit(exchange: &Exchange) -> Result<(), OssError> {
    let Exchange { shared, method, target, headers, .. } = exchange;
    if let Some(bucket) = &target.bucket {
        check_bucket(bucket)?;
        elsewhere(shared, bucket)?;
    }
    // A form is signed in its fields, and signatures elsewhere are not looked at.
    if exchange.operation != Operation::PostObject {
        shared.verifier().check(Asked { method, target, headers })?;
    }
    match &target.bucket {
        Some(bucket) if *bucket == shared.config.bucket => {}
        // Any name can be asked for, and nothing at all when the buckets are listed.
        Some(_) if exchange.operation == Operation::PutBucket => {}
        None if matches!(exchange.operation, Operation::ListBuckets | Operation::DescribeRegions) => {}
        Some(bucket) => {
            return Err(OssError::new(404, "NoSuchBucket", "The specified bucket does not exist.")
                .ec("0015-00000101")
                .with("BucketName", bucket));
        }
        None => return Err(not_spoken()),
    }
    if let Some(key) = &target.key {
        check_key(key)?;
    }
    if exchange.operation == Operation::Unknown { Err(not_spoken()) } else { Ok(()) }
}

/// The host that was asked for: of the Host header, else of the request line (HTTP/2 has it there).
fn host_of(head: &Parts) -> &str {
    let header = head.headers.get("host").and_then(|value| value.to_str().ok());
    header.or_else(|| head.uri.authority().map(|authority| authority.as_str())).unwrap_or_default()
}

/// Whether a request to `/callback` is for the receiver. A callback may name any Host (`callbackHost`) and is signed in its
/// own way, so under a bucket's Host it takes a signature of OSS, and none of a callback, to mean the object `callback`.
fn is_callback(head: &Parts, hosted: Option<&str>) -> bool {
    let raw = head.uri.path_and_query().map_or("/", |raw| raw.as_str());
    let asks_oss = || {
        !head.headers.contains_key("x-oss-pub-key-url")
            && Target::parse(raw, hosted.map(str::to_owned)).is_ok_and(|target| auth::is_signed(&head.headers, &target))
    };
    receiver::is_addressed(head) && (hosted.is_none() || head.method == Method::POST && !asks_oss())
}

/// Refuses a bucket that is set to be of another region, in the words of the real service.
fn elsewhere(shared: &Shared, bucket: &str) -> Result<(), OssError> {
    let Some(endpoint) = shared.tuning.other_region_buckets.get(bucket) else { return Ok(()) };
    let text = "The bucket you are attempting to access must be addressed using the specified endpoint. \
                Please send all future requests to this endpoint.";
    Err(OssError::new(403, "AccessDenied", text).ec("0003-00001403").with("Bucket", bucket).with("Endpoint", endpoint))
}

async fn operate(exchange: &Exchange, intake: &mut Intake, fault: Option<&Taken>) -> Outcome {
    if let Some(Taken { kind: FaultKind::Status { status, code, .. }, .. }) = fault {
        intake.finish().await?;
        return Err(OssError::new(*status, code.clone(), "The sandbox was told to fail.").into());
    }
    about::check_traffic_limit(
        exchange.header("x-oss-traffic-limit").as_deref(),
        exchange.target.query("x-oss-traffic-limit"),
    )?;
    match exchange.operation {
        Operation::PutObject => return object::put_object(exchange, intake).await,
        Operation::PostObject => return post::post_object(exchange, intake).await,
        Operation::UploadPart => return multipart::upload_part(exchange, intake).await,
        Operation::CompleteMultipartUpload => return multipart::complete(exchange, intake).await,
        Operation::DeleteMultipleObjects => return delete::delete_multiple_objects(exchange, intake).await,
        Operation::PutObjectTagging => return tagging::put_object_tagging(exchange, intake).await,
        _ => intake.finish().await?,
    }
    match exchange.operation {
        Operation::CopyObject => copy::copy_object(exchange).await,
        Operation::InitiateMultipartUpload => multipart::initiate(exchange).await,
        Operation::UploadPartCopy => copy::upload_part_copy(exchange).await,
        Operation::ListParts => multipart::list_parts(exchange),
        Operation::AbortMultipartUpload => multipart::abort(exchange).await,
        Operation::ListMultipartUploads => list::list_multipart_uploads(exchange),
        Operation::HeadObject => get::head_object(exchange).await,
        Operation::GetObject => get::get_object(exchange).await,
        Operation::GetObjectMeta => get::get_object_meta(exchange).await,
        Operation::DeleteObject => object::delete_object(exchange).await,
        Operation::GetObjectTagging => tagging::get_object_tagging(exchange).await,
        Operation::DeleteObjectTagging => tagging::delete_object_tagging(exchange).await,
        Operation::GetObjectAcl => tagging::get_object_acl(exchange).await,
        Operation::PutObjectAcl => tagging::put_object_acl(exchange).await,
        Operation::ListObjects => list::list_objects(exchange).await,
        Operation::ListObjectsV2 => list::list_objects_v2(exchange).await,
        Operation::ListBuckets => bucket::list_buckets(exchange),
        Operation::DescribeRegions => bucket::describe_regions(exchange),
        Operation::PutBucket => bucket::put_bucket(exchange),
        Operation::GetBucketInfo => bucket::get_bucket_info(exchange),
        Operation::GetBucketLocation => bucket::get_bucket_location(exchange),
        Operation::GetBucketStat => bucket::get_bucket_stat(exchange).await,
        Operation::GetBucketAcl => bucket::get_bucket_acl(),
        _ => Err(not_spoken().into()),
    }
}

/// What a fault does to a finished answer.
fn after_work(mut response: Response<Body>, fault: Option<&Taken>) -> Outcome {
    match fault.map(|fault| &fault.kind) {
        Some(FaultKind::LoseAnswer) => Err(Refusal::Hangup),
        Some(FaultKind::CorruptCrc) => {
            let crc = response.headers().get(object::CRC).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
            if let Some(crc) = crc {
                put(&mut response, object::CRC, &(crc ^ 1).to_string());
            }
            Ok(response)
        }
        _ => Ok(response),
    }
}

fn not_spoken() -> OssError {
    OssError::new(501, "NotImplemented", "A header you provided implies functionality that is not implemented.")
}
