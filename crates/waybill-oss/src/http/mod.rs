//! The HTTP client: one pool of connections, the authorities it trusts, the proxy it goes through.

mod proxy;

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Certificate, ClientBuilder, Method, Request, RequestBuilder, Response, Url};

use crate::client::chain;
use crate::error::Error;

pub use proxy::{ProxyChoice, ProxyUrl};

/// How we call ourselves.
pub(crate) const USER_AGENT: &str = concat!("waybill/", env!("CARGO_PKG_VERSION"));

/// What keeps connections open between requests, made by [`http_client`] and in no other way: one that followed redirects
/// would carry a signature to a stranger. Cloning is cheap and shares the connections.
#[derive(Clone, Debug)]
pub struct HttpClient(reqwest::Client);

impl HttpClient {
    /// One that asks for keys on this machine: no proxy, 5 s to connect and 10 s for each answer [alibabacloud_credentials
    /// `provider/uri.py`]. Reads the platform's certificates from disk.
    pub(crate) fn for_keys() -> Result<HttpClient, Error> {
        built(plain_builder(Duration::from_secs(5)).read_timeout(Duration::from_secs(10)))
    }

    /// A request to be filled in.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.0.request(method, url)
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn execute(&self, request: Request) -> reqwest::Result<Response> {
        self.0.execute(request).await
    }
}

/// What differs between the connections of two destinations; those with equal options can share one [`HttpClient`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HttpOptions {
    /// A file with certificates of authorities to trust beyond the platform's own: PEM, one or many, or one in DER. It
    /// is read once, when the client is made.
    pub extra_ca: Option<PathBuf>,
    /// Through which proxy; by default the system's.
    pub proxy: ProxyChoice,
}

/// An HTTP client: HTTP/1.1 as OSS answers it, certificates checked against the platform's authorities (there is no
/// way to turn that off), no redirects, ten seconds to connect and no limit on the whole (stalls are watched for instead).
///
/// [`Error::Invalid`] names the CA file and what is wrong with it. Reads that file, and the platform's, from disk, which
/// blocks for some 20 ms: make it where that does no harm, and keep it.
pub fn http_client(options: &HttpOptions) -> Result<HttpClient, Error> {
    let mut builder = plain_builder(Duration::from_secs(10)).http1_only().tcp_nodelay(true).pool_max_idle_per_host(256);
    if let Some(proxy) = options.proxy.to_reqwest() {
        builder = builder.proxy(proxy);
    }
    let Some(path) = &options.extra_ca else {
        return built(builder);
    };
    let built = builder.tls_certs_merge(authorities(path)?).build();
    built.map(HttpClient).map_err(|error| bad_ca(path, &format!("it cannot be used ({})", chain(&error))))
}

/// What holds for every client: it goes nowhere by itself and repeats nothing.
fn plain_builder(connect: Duration) -> ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        // Also keeps the library from asking the system by itself.
        .no_proxy()
        .connect_timeout(connect)
}

fn built(builder: ClientBuilder) -> Result<HttpClient, Error> {
    let built = builder.build().map(HttpClient);
    built.map_err(|error| Error::Invalid(format!("The HTTP client cannot be set up: {}.", chain(&error))))
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, Error> {
    const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let bytes = std::fs::read(path).map_err(|error| bad_ca(path, &error.to_string()))?;
    if !bytes.windows(PEM.len()).any(|window| window == PEM) {
        // DER begins with a SEQUENCE; what follows is checked when the client is built.
        let der = bytes.first().filter(|first| **first == 0x30).and_then(|_| Certificate::from_der(&bytes).ok());
        let no_certificate = || bad_ca(path, "no certificate is in it; it must hold -----BEGIN CERTIFICATE-----");
        return der.map(|certificate| vec![certificate]).ok_or_else(no_certificate);
    }
    match Certificate::from_pem_bundle(&bytes) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(bad_ca(path, "a certificate in it is damaged or cut off")),
    }
}

fn bad_ca(path: &Path, why: &str) -> Error {
    Error::Invalid(format!("CA file “{}”: {why}.", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(content: Option<&[u8]>) -> String {
        let folder = tempfile::tempdir().expect("a temp folder");
        let path = folder.path().join("company-ca.pem");
        if let Some(content) = content {
            std::fs::write(&path, content).expect("a file");
        }
        let options = HttpOptions { extra_ca: Some(path), ..HttpOptions::default() };
        let words = http_client(&options).expect_err("a bad file").to_string();
        assert!(words.contains("company-ca.pem"), "{words}");
        words
    }

    #[test]
    fn a_bad_ca_file_is_refused_with_its_name_and_what_is_wrong() {
        assert!(refused(None).contains("os error 2"));
        assert!(refused(Some(b"")).contains("no certificate is in it"));
        let key = b"-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n";
        assert!(refused(Some(key)).contains("no certificate is in it"));
        assert!(refused(Some(b"-----BEGIN CERTIFICATE-----\nMIIB")).contains("damaged"));
        assert!(refused(Some(b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n")).contains("damaged"));
        let no_x509 = b"-----BEGIN CERTIFICATE-----\nMC4CAQ==\n-----END CERTIFICATE-----\n";
        assert!(refused(Some(no_x509)).contains("cannot be used"));
        assert!(refused(Some(b"\x30\x03\x02\x01\x00")).contains("cannot be used"));
    }
}
