//! A sandbox of one's own, clients that sign either way, and a look at what was stored and asked.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use waybill_oss::{
    Account, BucketName, CallbackSpec, Client, Crc64, Credential, Credentials, Endpoint, Error, FileSlice, GetOptions,
    HttpClient, ObjectHeaders, ObjectKey, RetryPolicy, ServiceError, SignRequest, SignatureVersion, Stored,
    http_client,
};
use waybill_sandbox::{Operation, ReceivedCallback, Sandbox, Tuning};

use crate::bed::{direct, endpoint};
use crate::wire::Passed;

/// Both ways to sign.
pub(crate) const VERSIONS: [SignatureVersion; 2] = [SignatureVersion::V4, SignatureVersion::V1];
/// The smallest part that may stand before another one.
pub(crate) const PART: usize = 100 * 1024;
/// Long enough for every test.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// A sandbox whose bucket is `bucket`.
pub(crate) struct Lab {
    dir: TempDir,
    pub(crate) sandbox: Sandbox,
    pub(crate) http: HttpClient,
    /// Somebody who was handed a URL.
    pub(crate) anybody: reqwest::Client,
}

impl Lab {
    pub(crate) async fn new() -> Lab {
        Lab::with(|_| {}).await
    }

    /// Before a sandbox that is more or less like OSS than usual.
    pub(crate) async fn with(tune: impl FnOnce(&mut Tuning)) -> Lab {
        let dir = tempfile::tempdir().expect("a temp folder");
        let tuned = |tuning: &mut Tuning| {
            // A callback fails for want of time only where that is what is tried.
            tuning.callback_limit = waybill_tests::LIMIT;
            tune(tuning);
        };
        let sandbox = waybill_tests::sandbox_in(dir.path().join("sandbox"), tuned).await;
        let anybody = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        Lab { dir, sandbox, http: http_client(&direct()).expect("an HTTP client"), anybody }
    }

    /// A request to this sandbox, to be signed with its lasting keys.
    pub(crate) fn request(&self, version: SignatureVersion, method: &str, name: Option<&str>) -> SignRequest {
        SignRequest {
            version,
            method: method.into(),
            bucket: Some("bucket".into()),
            key: name.map(str::to_owned),
            query: Vec::new(),
            headers: Vec::new(),
            region: Some("cn-test".into()),
            endpoint: Some(self.sandbox.info().endpoint.clone()),
            addressing: None,
            credential: right(),
            time: None,
            expires: None,
            additional_headers: Vec::new(),
        }
    }

    /// A client with the sandbox's lasting keys, which sends every request once.
    pub(crate) fn client(&self, version: SignatureVersion) -> Client {
        self.client_of(version, right())
    }

    /// A client with other keys.
    pub(crate) fn client_of(&self, version: SignatureVersion, keys: impl Into<Credentials>) -> Client {
        self.client_at(&self.sandbox.info().endpoint, version, keys)
    }

    /// A client that goes to another address.
    pub(crate) fn client_at(&self, address: &str, version: SignatureVersion, keys: impl Into<Credentials>) -> Client {
        let bucket = BucketName::parse("bucket").expect("a bucket");
        Client::new(self.http.clone(), endpoint(address), "cn-test".to_owned(), bucket, keys)
            .with_retry(RetryPolicy::none())
            .with_signature(version)
    }

    pub(crate) fn account(&self, version: SignatureVersion) -> Account {
        Account::new(self.http.clone(), self.endpoint(), "cn-test".to_owned(), right()).with_signature(version)
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        endpoint(&self.sandbox.info().endpoint)
    }

    /// Temporary keys, with nothing said about their end.
    pub(crate) fn temporary(&self) -> Credential {
        let issued = self.sandbox.issue_token(HOUR);
        Credential::new(issued.access_key_id, issued.access_key_secret, Some(issued.security_token))
    }

    /// The bytes of an object whose key is also a file's name.
    pub(crate) fn object(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.dir.path().join("sandbox/objects/bucket").join(key)).ok()
    }

    /// How many requests there have been.
    pub(crate) fn asked(&self) -> usize {
        self.sandbox.log().len()
    }

    /// Operation and status of each request since there were so many.
    pub(crate) fn answers_since(&self, asked: usize) -> Vec<(Operation, u16)> {
        let log = self.sandbox.log().split_off(asked);
        log.into_iter().map(|entry| (entry.operation, entry.status.expect("an answer"))).collect()
    }

    /// The callback that the receiver got last.
    pub(crate) fn last_callback(&self) -> ReceivedCallback {
        self.sandbox.callbacks().pop().expect("a callback")
    }

    /// A callback to the sandbox's receiver; `query` says how it answers, see its `Command`.
    pub(crate) fn receiver(&self, query: &str) -> String {
        format!("{}{query}", self.sandbox.info().callback_url)
    }

    /// A callback that names the object.
    pub(crate) fn callback(&self, query: &str) -> CallbackSpec {
        CallbackSpec { urls: vec![self.receiver(query)], body: "object=${object}".into(), ..CallbackSpec::default() }
    }
}

/// The keys that the sandbox was started with.
pub(crate) fn right() -> Credential {
    Credential::new("test-id", "test-secret", None)
}

/// A key that can be parsed.
pub(crate) fn key(text: &str) -> ObjectKey {
    ObjectKey::parse(text).expect("a key")
}

/// These bytes as a file.
pub(crate) fn slice(content: &[u8]) -> FileSlice {
    let mut file = tempfile::tempfile().expect("a temp file");
    file.write_all(content).expect("its content");
    FileSlice { file: Arc::new(file), offset: 0, len: content.len() as u64 }
}

/// PutObject with nothing said about the object.
pub(crate) async fn put(client: &Client, name: &str, content: &[u8]) -> Result<Stored, Error> {
    client.put_object(&key(name), &slice(content), &ObjectHeaders::default(), None, None).await
}

/// GetObject, all of it.
pub(crate) async fn get(client: &Client, name: &str) -> Vec<u8> {
    let mut download = client.get_object(&key(name), &GetOptions::default()).await.expect("a download");
    let mut bytes = Vec::new();
    while let Some(chunk) = download.chunk().await.expect("a chunk") {
        bytes.extend_from_slice(&chunk);
    }
    bytes
}

/// What OSS answered instead of doing it.
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> ServiceError {
    match result.expect_err("a refusal") {
        Error::Service(answer) => *answer,
        other => panic!("no answer of the server: {other:?}"),
    }
}

/// A map of texts.
pub(crate) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The text between the first `<name>` and its end.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}"));
    rest.split_once(&format!("</{name}>")).expect("its end").0
}

/// The values of one header in all heads that passed.
pub(crate) fn values(passed: &Passed, name: &str) -> Vec<String> {
    let heads = passed.all();
    let lines = heads.iter().flat_map(|head| head.lines());
    lines.filter_map(|line| line.strip_prefix(&format!("{name}: "))).map(str::to_owned).collect()
}

/// CRC-64 of these bytes.
pub(crate) fn crc64(bytes: &[u8]) -> u64 {
    let mut crc = Crc64::new();
    crc.update(bytes);
    crc.finish()
}
