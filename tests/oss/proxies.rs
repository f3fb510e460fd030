//! Small proxies: HTTP, forwarding and tunnelling, and SOCKS5; both may ask for a login.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

use crate::wire::{Head, Passed, listen, relay};

/// A proxy that leads to one place, whatever it is asked for.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    /// What it was asked for, as `CONNECT host:port`, `PUT url` or `SOCKS host:port`; what it refused is not in it.
    pub(crate) passed: Passed,
}

impl Proxy {
    /// An HTTP proxy before `to`; `login` is `user:password`.
    pub(crate) async fn http(to: SocketAddr, login: Option<&'static str>) -> Proxy {
        let passed = Passed::default();
        let seen = passed.clone();
        Proxy { address: listen(move |stream| as_http(stream, to, login, seen.clone())).await, passed }
    }

    /// A SOCKS5 proxy before `to`.
    pub(crate) async fn socks(to: SocketAddr, login: Option<&'static str>) -> Proxy {
        let passed = Passed::default();
        let seen = passed.clone();
        Proxy { address: listen(move |stream| as_socks(stream, to, login, seen.clone())).await, passed }
    }
}

async fn as_http(mut stream: TcpStream, to: SocketAddr, login: Option<&str>, seen: Passed) -> io::Result<()> {
    let Some(head) = Head::read(&mut stream).await? else {
        return Ok(());
    };
    let wanted = login.map(|login| format!("Basic {}", BASE64_STANDARD.encode(login)));
    if wanted.is_some() && head.header("proxy-authorization") != wanted.as_deref() {
        let answer = "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"test\"\r\n\
                      Content-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // To the end, since closing on unread bytes could take the answer away from the client.
        return tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(|_| ());
    }
    let (method, target) = head.asks();
    seen.note(format!("{method} {target}"));
    if method == "CONNECT" {
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        return relay(stream, to).await;
    }
    let rest = target.strip_prefix("http://").unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut server = TcpStream::connect(to).await?;
    let keep = |name: &str| !name.starts_with("proxy-");
    head.pass_on(&mut server, &format!("{method} /{path} HTTP/1.1"), keep, host).await?;
    copy_bidirectional(&mut stream, &mut server).await.map(|_| ())
}

/// RFC 1928, and RFC 1929 for the login.
async fn as_socks(mut stream: TcpStream, to: SocketAddr, login: Option<&str>, seen: Passed) -> io::Result<()> {
    assert_eq!(stream.read_u8().await?, 5, "SOCKS version");
    let methods = bytes(&mut stream).await?;
    let method = if login.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        return stream.write_all(&[5, 0xFF]).await;
    }
    stream.write_all(&[5, method]).await?;
    if let Some(login) = login {
        assert_eq!(stream.read_u8().await?, 1, "login version");
        let (user, password) = (bytes(&mut stream).await?, bytes(&mut stream).await?);
        let is_right = [user, password].join(&b':') == login.as_bytes();
        stream.write_all(&[1, u8::from(!is_right)]).await?;
        if !is_right {
            return Ok(());
        }
    }
    let mut request = [0; 4];
    stream.read_exact(&mut request).await?;
    assert_eq!(request[..2], [5, 1], "CONNECT");
    let host = match request[3] {
        1 => Ipv4Addr::from(stream.read_u32().await?).to_string(),
        4 => Ipv6Addr::from(stream.read_u128().await?).to_string(),
        _ => String::from_utf8(bytes(&mut stream).await?).expect("a name"),
    };
    let port = stream.read_u16().await?;
    seen.note(format!("SOCKS {host}:{port}"));
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    relay(stream, to).await
}

/// A length in one byte, and so many bytes.
async fn bytes(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}
