//! A source of keys on loopback: answers as a closure says, counts, and holds answers back until the test lets go.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use waybill_oss::{CredentialSource, Credentials, Surroundings};

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: BTreeMap<String, String>,
}

pub(crate) enum Reply {
    Now(u16, String),
    /// When the test lets go.
    Held(u16, String),
    /// Never, with the line kept open.
    Never,
}

type Script = dyn Fn(usize, &Seen) -> Reply + Send + Sync;

pub(crate) struct Server {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    count: watch::Receiver<usize>,
    gate: Arc<Semaphore>,
}

impl Server {
    /// `script` is told which request it is, from 1, and what is asked.
    pub(crate) async fn start(script: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = format!("http://{}", listener.local_addr().expect("address"));
        let (counter, count) = watch::channel(0);
        let (seen, gate) = (Arc::<Mutex<Vec<Seen>>>::default(), Arc::new(Semaphore::new(0)));
        let (script, counter): (Arc<Script>, _) = (Arc::new(script), Arc::new(counter));
        let shared = (Arc::clone(&seen), Arc::clone(&gate));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, gate) = shared.clone();
                tokio::spawn(converse(stream, Arc::clone(&script), seen, gate, Arc::clone(&counter)));
            }
        });
        Server { address, seen, count, gate }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("seen").clone()
    }

    /// How often it was asked.
    pub(crate) fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Returns when it has been asked that often.
    pub(crate) async fn asked(&self, times: usize) {
        self.count.clone().wait_for(|count| *count >= times).await.expect("server");
    }

    pub(crate) fn let_go(&self) {
        self.gate.add_permits(1);
    }

    /// Keys from this server, at a time the test sets.
    pub(crate) fn credentials(&self, time: &Time) -> Credentials {
        let source = CredentialSource::Uri(format!("{}/keys", self.address));
        Credentials::from_source_in(source, surroundings(time)).expect("source")
    }
}

async fn converse(
    mut stream: TcpStream,
    script: Arc<Script>,
    seen: Arc<Mutex<Vec<Seen>>>,
    gate: Arc<Semaphore>,
    counter: Arc<watch::Sender<usize>>,
) {
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let head = String::from_utf8(buffer.drain(..end).collect()).expect("head");
        let mut lines = head.lines();
        let mut first = lines.next().expect("request line").split(' ').map(str::to_owned);
        let (method, target) = (first.next().expect("method"), first.next().expect("target"));
        let pair =
            |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
        let request = Seen { method, target, headers: lines.filter_map(pair).collect() };
        let number = {
            let mut seen = seen.lock().expect("seen");
            seen.push(request.clone());
            seen.len()
        };
        let reply = script(number, &request);
        counter.send_replace(number);
        let (status, body) = match reply {
            Reply::Now(status, body) => (status, body),
            Reply::Held(status, body) => {
                gate.acquire().await.expect("gate").forget();
                (status, body)
            }
            Reply::Never => return std::future::pending().await,
        };
        let answer =
            format!("HTTP/1.1 {status} Status\r\nLocation: /elsewhere\r\nContent-Length: {}\r\n\r\n", body.len());
        if stream.write_all((answer + &body).as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Seconds since an epoch of the test's own.
#[derive(Clone, Default)]
pub(crate) struct Time(Arc<AtomicI64>);

impl Time {
    pub(crate) fn set(&self, seconds: i64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).expect("time")
}

/// No environment variables, and the test's time.
pub(crate) fn surroundings(time: &Time) -> Surroundings {
    let time = time.clone();
    Surroundings::new().with_variables(|_| None).with_time(move || time.now())
}

/// What a credentials URI gives: keys that tell their number, good until then.
pub(crate) fn keys(number: usize, end: i64) -> String {
    format!(
        r#"{{"Code":"Success","AccessKeyId":"id{number}","AccessKeySecret":"s3cr3t{number}","SecurityToken":"t0k3n{number}","Expiration":"{}"}}"#,
        at(end)
    )
}
