//! A sandbox, a place in front of it that knows own domains, and uploads to it.

use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use waybill_oss::{
    BucketName, Client, Credential, Endpoint, Error, FileSlice, HttpOptions, ObjectHeaders, ObjectKey, PlainHttp,
    ProxyChoice, ProxyUrl, RetryPolicy, http_client,
};
use waybill_sandbox::{LoggedRequest, Operation, Sandbox};

use crate::wire::Origin;

/// An address for documentation [RFC 5737]: nothing answers there, so whoever arrives came through a proxy.
pub(crate) const ELSEWHERE: &str = "192.0.2.1";
const SIZE: usize = 40_000;

/// A sandbox behind an [`Origin`].
pub(crate) struct Bed {
    pub(crate) dir: TempDir,
    pub(crate) sandbox: Sandbox,
    pub(crate) origin: Origin,
}

impl Bed {
    pub(crate) async fn new() -> Bed {
        let dir = tempfile::tempdir().expect("a temp folder");
        let sandbox = waybill_tests::sandbox_in(dir.path().join("sandbox"), |_| {}).await;
        let address = sandbox.info().endpoint.trim_start_matches("http://").parse().expect("an address");
        let origin = Origin::start(address, &sandbox.info().bucket).await;
        std::fs::write(dir.path().join("file"), waybill_tests::content(SIZE)).expect("a file");
        Bed { dir, sandbox, origin }
    }

    /// Uploads one file and sees that the sandbox holds it whole.
    pub(crate) async fn upload(&self, key: &str, endpoint: &Endpoint, options: &HttpOptions) -> Result<(), Error> {
        self.upload_as("test-secret", key, endpoint, options).await
    }

    /// As [`Bed::upload`], signed with another secret.
    pub(crate) async fn upload_as(
        &self,
        secret: &str,
        key: &str,
        endpoint: &Endpoint,
        options: &HttpOptions,
    ) -> Result<(), Error> {
        let file = Arc::new(File::open(self.dir.path().join("file")).expect("the file"));
        upload(file, secret, key, endpoint, options).await
    }

    /// Keys of the objects that were stored, oldest first.
    pub(crate) fn stored(&self) -> Vec<String> {
        let stored = |entry: &LoggedRequest| entry.operation == Operation::PutObject && entry.status == Some(200);
        self.sandbox.log().into_iter().filter(stored).filter_map(|entry| entry.key).collect()
    }

    /// A file below the temp folder.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path
    }
}

/// PutObject and HeadObject, each in one attempt.
pub(crate) async fn upload(
    file: Arc<File>,
    secret: &str,
    key: &str,
    endpoint: &Endpoint,
    options: &HttpOptions,
) -> Result<(), Error> {
    let key = ObjectKey::parse(key)?;
    let bucket = BucketName::parse("bucket")?;
    let credential = Credential::new("test-id", secret, None);
    let client = Client::new(http_client(options)?, endpoint.clone(), "cn-test".to_owned(), bucket, credential)
        .with_retry(RetryPolicy::none());
    let len = file.metadata().expect("its length").len();
    client.put_object(&key, &FileSlice { file, offset: 0, len }, &ObjectHeaders::default(), None, None).await?;
    let head = client.head_object(&key).await?.expect("the object is there");
    assert_eq!(head.size, len);
    Ok(())
}

/// Whatever the environment of the tests says about proxies, none.
pub(crate) fn direct() -> HttpOptions {
    HttpOptions { proxy: ProxyChoice::None, ..HttpOptions::default() }
}

/// Through this proxy.
pub(crate) fn through(proxy: &str) -> HttpOptions {
    HttpOptions { proxy: ProxyChoice::Url(ProxyUrl::parse(proxy).expect("a proxy")), ..HttpOptions::default() }
}

/// An endpoint; plain http is allowed.
pub(crate) fn endpoint(text: impl AsRef<str>) -> Endpoint {
    Endpoint::parse_with(text.as_ref(), PlainHttp::Allowed).expect("an endpoint")
}

/// The endpoint with this scheme at a port of this computer.
pub(crate) fn here(scheme: &str, address: SocketAddr) -> Endpoint {
    endpoint(format!("{scheme}://{address}"))
}
