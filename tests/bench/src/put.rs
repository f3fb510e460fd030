//! The client: so many workers, each of which takes the next file or part, signs it, sends it, and compares the CRC-64.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use clap::Args;
use crc_fast::{CrcAlgorithm, checksum};
use reqwest::{Body, Certificate, Client, Method, Response};
use tokio::runtime::Builder;
use tokio::sync::OnceCell;

use crate::body::FileBody;
use crate::sign::Signer;

#[derive(Debug, Args)]
pub(crate) struct PutArgs {
    path: PathBuf,
    #[arg(long)]
    endpoint: String,
    #[arg(long)]
    bucket: String,
    #[arg(long)]
    region: String,
    /// Requests in flight.
    #[arg(long, default_value_t = 8)]
    at_once: usize,
    /// A larger file goes in parts of this size.
    #[arg(long, default_value_t = 8 << 20)]
    part_size: u64,
    /// Threads of the runtime.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    #[arg(long)]
    ca_file: Option<PathBuf>,
    #[arg(long, env = "OSS_ACCESS_KEY_ID", hide_env_values = true)]
    access_key_id: String,
    #[arg(long, env = "OSS_ACCESS_KEY_SECRET", hide_env_values = true)]
    access_key_secret: String,
}

type Outcome<T> = Result<T, String>;

/// What is sent as one request.
enum Piece {
    Whole { path: PathBuf, key: String },
    Part { multi: Arc<Multi>, number: usize },
}

/// A file in parts.
struct Multi {
    file: Arc<File>,
    len: u64,
    key: String,
    upload_id: OnceCell<String>,
    etags: Mutex<Vec<String>>,
    left: AtomicUsize,
}

struct Sender {
    client: Client,
    signer: Signer,
    endpoint: String,
    bucket: String,
    part_size: u64,
    pieces: Mutex<std::vec::IntoIter<Piece>>,
}

pub(crate) fn run(args: PutArgs) -> Outcome<()> {
    let runtime = match args.threads {
        1 => Builder::new_current_thread().enable_all().build(),
        threads => Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    };
    runtime.map_err(words)?.block_on(put(args))
}

async fn put(args: PutArgs) -> Outcome<()> {
    let mut client = Client::builder()
        .http1_only()
        .tcp_nodelay(true)
        .pool_max_idle_per_host(1024)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    if let Some(path) = &args.ca_file {
        let pem = fs::read(path).map_err(words)?;
        client = client.tls_certs_only([Certificate::from_pem(&pem).map_err(words)?]);
    }
    let mut pieces = Vec::new();
    let name = args.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    collect(&args.path, name, args.part_size, &mut pieces)?;
    let sender = Arc::new(Sender {
        client: client.build().map_err(words)?,
        signer: Signer::new(args.access_key_id, &args.access_key_secret, &args.region),
        endpoint: args.endpoint,
        bucket: args.bucket,
        part_size: args.part_size,
        pieces: Mutex::new(pieces.into_iter()),
    });
    let workers: Vec<_> = (0..args.at_once).map(|_| tokio::spawn(Arc::clone(&sender).work())).collect();
    for worker in workers {
        worker.await.map_err(words)??;
    }
    Ok(())
}

/// Lists what is to be sent, in the order of the folder.
fn collect(path: &Path, key: String, part_size: u64, pieces: &mut Vec<Piece>) -> Outcome<()> {
    let data = fs::metadata(path).map_err(words)?;
    if data.is_dir() {
        for entry in fs::read_dir(path).map_err(words)? {
            let entry = entry.map_err(words)?;
            collect(&entry.path(), format!("{key}/{}", entry.file_name().to_string_lossy()), part_size, pieces)?;
        }
    } else if data.len() <= part_size {
        pieces.push(Piece::Whole { path: path.to_owned(), key });
    } else {
        let parts = data.len().div_ceil(part_size) as usize;
        let multi = Arc::new(Multi {
            file: Arc::new(File::open(path).map_err(words)?),
            len: data.len(),
            key,
            upload_id: OnceCell::new(),
            etags: Mutex::new(vec![String::new(); parts]),
            left: AtomicUsize::new(parts),
        });
        pieces.extend((0..parts).map(|number| Piece::Part { multi: Arc::clone(&multi), number }));
    }
    Ok(())
}

impl Sender {
    async fn work(self: Arc<Self>) -> Outcome<()> {
        loop {
            let next = self.pieces.lock().map_err(words)?.next();
            match next {
                None => return Ok(()),
                Some(Piece::Whole { path, key }) => self.whole(&path, &key).await?,
                Some(Piece::Part { multi, number }) => self.part(&multi, number).await?,
            }
        }
    }

    async fn whole(&self, path: &Path, key: &str) -> Outcome<()> {
        let mut file = File::open(path).map_err(words)?;
        let len = file.metadata().map_err(words)?.len() as usize;
        let mut bytes = Vec::with_capacity(len);
        file.read_to_end(&mut bytes).map_err(words)?;
        let sum = checksum(CrcAlgorithm::Crc64Xz, &bytes);
        let answer = self.send(Method::PUT, key, "", Body::from(Bytes::from(bytes))).await?;
        agree(&answer, sum, key)?;
        read(answer).await.map(drop)
    }

    async fn part(&self, multi: &Multi, number: usize) -> Outcome<()> {
        let id = multi.upload_id.get_or_try_init(|| self.initiate(&multi.key)).await?;
        let at = number as u64 * self.part_size;
        let sum = Arc::new(AtomicU64::new(0));
        let len = self.part_size.min(multi.len - at);
        let body = FileBody::new(Arc::clone(&multi.file), at, len, Arc::clone(&sum));
        let query = format!("partNumber={}&uploadId={id}", number + 1);
        let answer = self.send(Method::PUT, &multi.key, &query, Body::wrap(body)).await?;
        agree(&answer, sum.load(Ordering::Acquire), &multi.key)?;
        multi.etags.lock().map_err(words)?[number] = header(&answer, "etag").to_owned();
        read(answer).await?;
        if multi.left.fetch_sub(1, Ordering::AcqRel) == 1 { self.complete(multi, id).await } else { Ok(()) }
    }

    async fn initiate(&self, key: &str) -> Outcome<String> {
        let answer = read(self.send(Method::POST, key, "uploads", Body::default()).await?).await?;
        let id = answer.split_once("<UploadId>").and_then(|(_, rest)| rest.split_once("</UploadId>"));
        id.map(|(id, _)| id.to_owned()).ok_or_else(|| format!("no UploadId in {answer}"))
    }

    async fn complete(&self, multi: &Multi, id: &str) -> Outcome<()> {
        let mut list = String::from("<CompleteMultipartUpload>");
        for (number, etag) in multi.etags.lock().map_err(words)?.iter().enumerate() {
            list += &format!("<Part><PartNumber>{}</PartNumber><ETag>{etag}</ETag></Part>", number + 1);
        }
        list += "</CompleteMultipartUpload>";
        let query = format!("uploadId={id}");
        read(self.send(Method::POST, &multi.key, &query, Body::from(list)).await?).await.map(drop)
    }

    /// Keys of the data sets need no escaping.
    async fn send(&self, method: Method, key: &str, query: &str, body: Body) -> Outcome<Response> {
        let path = format!("/{}/{key}", self.bucket);
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{mark}{query}", self.endpoint);
        let headers = self.signer.headers(method.as_str(), &path, query);
        let answer = self.client.request(method, url).headers(headers).body(body).send().await.map_err(words)?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(format!("{key}: {} {}", answer.status(), answer.text().await.unwrap_or_default()))
    }
}

fn agree(answer: &Response, local: u64, key: &str) -> Outcome<()> {
    let server = header(answer, "x-oss-hash-crc64ecma");
    if server == local.to_string() { Ok(()) } else { Err(format!("{key}: CRC-64 {local} here, {server} there")) }
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// To its end, so that the connection can be used again.
async fn read(answer: Response) -> Outcome<String> {
    answer.text().await.map_err(words)
}

fn words(error: impl std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
