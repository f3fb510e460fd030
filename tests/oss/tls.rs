//! Over TLS: a private authority is trusted when its file is given, and no certificate is taken on trust.

use std::net::SocketAddr;

use waybill_oss::{Error, HttpOptions, TransportKind};

use crate::bed::{Bed, direct, here};
use crate::wire::PrivateCa;

/// The words of an upload that failed before it began.
async fn refused(bed: &Bed, front: SocketAddr, options: &HttpOptions, expected: TransportKind) -> String {
    let error = bed.upload("a", &here("https", front), options).await.expect_err("no upload");
    assert!(matches!(error, Error::Transport { kind, .. } if kind == expected), "{error:?}");
    assert_eq!(bed.origin.passed.all(), [""; 0], "nothing is sent to a server that did not prove its name");
    error.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_arrives_when_the_private_authority_is_given() {
    let bed = Bed::new().await;
    let ca = PrivateCa::new();
    let front = ca.serve(&["127.0.0.1"], 2099, bed.origin.address).await;
    let other = PrivateCa::new();
    for (name, content) in [
        ("ca.pem", ca.pem().into_bytes()),
        ("bundle.pem", format!("# two\r\n{}\r\n{}", other.pem(), ca.pem()).into_bytes()),
        ("ca.cer", ca.der()),
    ] {
        let options = HttpOptions { extra_ca: Some(bed.write(name, content)), ..direct() };
        bed.upload(name, &here("https", front), &options).await.expect(name);
    }
    assert_eq!(bed.stored(), ["ca.pem", "bundle.pem", "ca.cer"]);
    bed.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_authority_is_refused_in_words() {
    let bed = Bed::new().await;
    let front = PrivateCa::new().serve(&["127.0.0.1"], 2099, bed.origin.address).await;
    let words = refused(&bed, front, &direct(), TransportKind::Certificate).await;
    assert!(words.contains("invalid peer certificate: UnknownIssuer"), "{words}");
    let stranger = PrivateCa::new();
    let words =
        refused(&bed, front, &HttpOptions { extra_ca: stranger.file(&bed), ..direct() }, TransportKind::Certificate)
            .await;
    assert!(words.contains("invalid peer certificate"), "{words}");
    bed.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_for_another_name_or_time_is_refused_in_words() {
    let bed = Bed::new().await;
    let ca = PrivateCa::new();
    let trusting = HttpOptions { extra_ca: ca.file(&bed), ..direct() };
    let misnamed = ca.serve(&["files.example.com"], 2099, bed.origin.address).await;
    let words = refused(&bed, misnamed, &trusting, TransportKind::Certificate).await;
    assert!(words.contains("not valid for name") && words.contains("files.example.com"), "{words}");
    let expired = ca.serve(&["127.0.0.1"], 2001, bed.origin.address).await;
    let words = refused(&bed, expired, &trusting, TransportKind::Certificate).await;
    assert!(words.contains("certificate expired"), "{words}");
    bed.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_speaks_no_tls_is_refused() {
    let bed = Bed::new().await;
    let sandbox = bed.sandbox.info().endpoint.trim_start_matches("http://").parse().expect("an address");
    let words = refused(&bed, sandbox, &direct(), TransportKind::Connect).await;
    assert!(words.contains("no connection"), "{words}");
    bed.sandbox.stop().await;
}
