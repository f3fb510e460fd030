//! One request from its head to its answer: signature, fault, operation, common headers, log.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, request::Parts},
};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::{
    admin,
    admit::admit,
    answer::{Outcome, Refusal, empty, put},
    auth,
    faults::{FaultKind, Taken},
    guard, host,
    intake::Intake,
    log::LoggedRequest,
    multipart,
    operate::{after_work, operate},
    operation::Operation,
    post, receiver,
    route::Target,
    server::Line,
    shared::Shared,
    time,
};

/// One request to the OSS side, as its operation sees it.
pub(crate) struct Exchange {
    pub(crate) shared: Arc<Shared>,
    pub(crate) request_id: String,
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) operation: Operation,
    pub(crate) headers: HeaderMap,
    /// The host that was asked for, the `HostId` of errors.
    pub(crate) host: String,
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
    put(&mut response, "date", &time::http(shared.now()));
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
    let host = Some(host_of(&head)).filter(|host| !host.is_empty()).unwrap_or(shared.host()).to_owned();
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
        host,
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
        Intake::new(body, Arc::clone(&received), fault.clone(), exchange.gone.clone(), shared.stop.clone())
            .with_patience(shared.tuning.body_patience);
    let outcome = match admitted {
        Ok(()) => operate(&exchange, &mut intake, fault.as_ref()).await,
        Err(error) => Err(error.into()),
    };
    let mut code = None;
    let outcome = match outcome {
        Err(Refusal::Oss(error)) => {
            intake.discard().await;
            code = Some(error.code.to_string());
            let mut response = error.response(request_id, &exchange.host, exchange.method == Method::HEAD);
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
    after_work(outcome?, fault.as_ref(), &exchange, line).await
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
