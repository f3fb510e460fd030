//! What stands between client and sandbox: relays, a TLS front, and an origin that knows domains bound to the bucket.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// What passed, in words, oldest first.
#[derive(Clone, Default)]
pub(crate) struct Passed(Arc<Mutex<Vec<String>>>);

impl Passed {
    pub(crate) fn note(&self, what: String) {
        self.0.lock().expect("the list").push(what);
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().expect("the list").clone()
    }

    pub(crate) fn forget(&self) {
        self.0.lock().expect("the list").clear();
    }
}

/// Listens on a free port and serves each connection in a task of its own.
pub(crate) async fn listen<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// Passes bytes on in both directions until both sides have ended.
pub(crate) async fn relay(mut one: impl AsyncRead + AsyncWrite + Unpin, to: SocketAddr) -> io::Result<()> {
    let mut other = TcpStream::connect(to).await?;
    copy_bidirectional(&mut one, &mut other).await.map(|_| ())
}

/// The head of an HTTP message: its first line, its headers as they came.
pub(crate) struct Head {
    pub(crate) first: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    /// Reads up to the empty line and not a byte further; none at the end of the stream.
    pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Head>> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => bytes.push(byte),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut lines = text.trim_end().split("\r\n").map(str::to_owned);
        let first = lines.next().unwrap_or_default();
        let header = |line: String| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        Ok(Some(Head { first, headers: lines.filter_map(header).collect() }))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Method and target.
    pub(crate) fn asks(&self) -> (&str, &str) {
        let mut words = self.first.split(' ');
        (words.next().unwrap_or_default(), words.next().unwrap_or_default())
    }

    /// Sends another first line and these headers, and lets the connection end with the answer, so that the next
    /// request comes with a head of its own.
    pub(crate) async fn pass_on(
        &self,
        stream: &mut TcpStream,
        first: &str,
        keep: impl Fn(&str) -> bool,
        host: &str,
    ) -> io::Result<()> {
        let mut text = format!("{first}\r\nhost: {host}\r\nconnection: close\r\n");
        for (name, value) in
            self.headers.iter().filter(|(name, _)| keep(name) && name != "host" && name != "connection")
        {
            text += &format!("{name}: {value}\r\n");
        }
        stream.write_all((text + "\r\n").as_bytes()).await
    }
}

/// What OSS does with a host name: an address is followed by the bucket's name, any other host stands for the bucket.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    /// `PUT host target` of each request.
    pub(crate) passed: Passed,
}

impl Origin {
    pub(crate) async fn start(sandbox: SocketAddr, bucket: &str) -> Origin {
        let passed = Passed::default();
        let (seen, bucket) = (passed.clone(), bucket.to_owned());
        let address = listen(move |stream| as_origin(stream, sandbox, bucket.clone(), seen.clone())).await;
        Origin { address, passed }
    }
}

async fn as_origin(mut stream: TcpStream, sandbox: SocketAddr, bucket: String, seen: Passed) -> io::Result<()> {
    let Some(head) = Head::read(&mut stream).await? else {
        return Ok(());
    };
    let (method, target) = head.asks();
    let host = head.header("host").unwrap_or_default();
    seen.note(format!("{method} {host} {target}"));
    let is_address = host.starts_with("localhost") || host.starts_with(|first: char| first.is_ascii_digit());
    let target = if is_address { target.to_owned() } else { format!("/{bucket}{target}") };
    let mut server = TcpStream::connect(sandbox).await?;
    head.pass_on(&mut server, &format!("{method} {target} HTTP/1.1"), |_| true, &sandbox.to_string()).await?;
    copy_bidirectional(&mut stream, &mut server).await.map(|_| ())
}

/// Listens in: each request goes to the server unchanged, and its whole head is noted, one line for each header.
pub(crate) struct Tap {
    pub(crate) address: SocketAddr,
    pub(crate) passed: Passed,
}

impl Tap {
    pub(crate) async fn start(server: &str) -> Tap {
        let to: SocketAddr = server.trim_start_matches("http://").parse().expect("an address");
        let passed = Passed::default();
        let seen = passed.clone();
        Tap { address: listen(move |stream| as_tap(stream, to, seen.clone())).await, passed }
    }

    /// An address there.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

async fn as_tap(mut stream: TcpStream, to: SocketAddr, seen: Passed) -> io::Result<()> {
    let Some(head) = Head::read(&mut stream).await? else {
        return Ok(());
    };
    let headers: String = head.headers.iter().map(|(name, value)| format!("\n{name}: {value}")).collect();
    seen.note(format!("{}{headers}", head.first));
    let mut server = TcpStream::connect(to).await?;
    head.pass_on(&mut server, &head.first, |_| true, head.header("host").unwrap_or_default()).await?;
    copy_bidirectional(&mut stream, &mut server).await.map(|_| ())
}

/// An authority of a company's own, and a certificate that it gave out.
pub(crate) struct PrivateCa {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl PrivateCa {
    pub(crate) fn new() -> PrivateCa {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "Company Authority");
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        PrivateCa { certificate, issuer: rcgen::Issuer::new(params, key) }
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        self.certificate.der().to_vec()
    }

    /// A TLS server that passes what it hears on to `to`; its certificate names these hosts and is good until the year
    /// after `last_year`.
    pub(crate) async fn serve(&self, names: &[&str], last_year: i32, to: SocketAddr) -> SocketAddr {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).expect("names");
        params.not_after = rcgen::date_time_ymd(last_year, 12, 31);
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .expect("a certificate and its key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        listen(move |stream| {
            let acceptor = acceptor.clone();
            async move { relay(acceptor.accept(stream).await?, to).await }
        })
        .await
    }

    /// A file that makes a client trust this authority.
    pub(crate) fn file(&self, bed: &crate::bed::Bed) -> Option<PathBuf> {
        Some(bed.write("company-ca.pem", self.pem()))
    }
}
