//! https callbacks: the certificate must be good, and the handshake names the host only when `callbackSNI` says so.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};
use tokio_rustls::{
    LazyConfigAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer, server::Acceptor},
};
use waybill_sandbox::Tuning;

use crate::bed::{Bed, Got};

/// An application behind TLS, with a certificate for `localhost`; it tells the server name of each handshake.
struct Application {
    port: u16,
    ca_pem: String,
    names: UnboundedReceiver<Option<String>>,
}

async fn application() -> Application {
    let ca_key = KeyPair::generate().expect("a key");
    let mut ca = CertificateParams::new(Vec::new()).expect("parameters");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_key).expect("a certificate").pem();
    let key = KeyPair::generate().expect("a key");
    let issuer = Issuer::new(ca, ca_key);
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let certificate = leaf.signed_by(&key, &issuer).expect("signed");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let chain = vec![certificate.der().clone()];
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).expect("fits");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let port = listener.local_addr().expect("bound").port();
    let (tell, names) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(start) = LazyConfigAcceptor::new(Acceptor::default(), socket).await else { continue };
            let _ = tell.send(start.client_hello().server_name().map(str::to_owned));
            let Ok(mut stream) = start.into_stream(Arc::clone(&config)).await else { continue };
            let mut request = [0; 16 * 1024];
            let _ = stream.read(&mut request).await;
            let answer =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"tls\":true}";
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    Application { port, ca_pem, names }
}

async fn put(bed: &Bed, url: &str, sni: bool) -> Got {
    let callback = json!({"callbackUrl": url, "callbackBody": "a=1", "callbackSNI": sni});
    bed.ask(Method::PUT, "k").callback(callback).body("x").send().await
}

fn trusting(application: &Application) -> Tuning {
    Tuning { callback_ca_pem: Some(application.ca_pem.clone()), ..Tuning::default() }
}

#[tokio::test]
async fn the_handshake_names_the_host_only_with_sni() {
    let mut application = application().await;
    let bed = Bed::tuned(trusting(&application)).await;
    let url = format!("https://localhost:{}/cb", application.port);
    for (sni, named) in [(true, Some("localhost".to_owned())), (false, None)] {
        let got = put(&bed, &url, sni).await;
        assert_eq!((got.status, got.text().as_str()), (200, r#"{"tls":true}"#), "callbackSNI {sni}");
        assert_eq!(application.names.recv().await.expect("a handshake"), named, "callbackSNI {sni}");
    }
}

#[tokio::test]
async fn an_untrusted_certificate_or_one_for_another_host_is_no_connection() {
    let application = application().await;
    let trusting = Bed::tuned(trusting(&application)).await;
    let strict = Bed::start().await;
    for (bed, host) in [(&strict, "localhost"), (&trusting, "127.0.0.1")] {
        let got = put(bed, &format!("https://{host}:{}/cb", application.port), true).await;
        got.refused(203, "CallbackFailed");
        assert_eq!(
            got.element("Message"),
            "Error status : -1.OSS can not connect to your callbackUrl, please check it."
        );
    }
}

#[tokio::test]
async fn a_certificate_authority_that_is_none_stops_the_start() {
    let dir = tempfile::tempdir().expect("temp dir");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned();
    let tuning = Tuning { callback_ca_pem: Some(broken), ..Tuning::default() };
    let started = waybill_sandbox::Sandbox::start_with(crate::bed::config(dir.path(), 0), tuning).await;
    let error = started.expect_err("refused").to_string();
    assert!(error.contains("callback client"), "{error}");
}
