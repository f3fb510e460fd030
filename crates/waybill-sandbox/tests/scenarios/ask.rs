//! A small client with a V4 signer of its own.

use std::{collections::BTreeMap, path::Path, time::Duration};

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::Method;
use sha2::{Digest, Sha256};
use waybill_sandbox::SandboxConfig;

pub(crate) const BUCKET: &str = "test-bucket";
pub(crate) const REGION: &str = "cn-hangzhou";
pub(crate) const ID: &str = "test-id";
pub(crate) const SECRET: &str = "test-secret";
/// How long a test waits for what must happen.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) fn config(dir: &Path, port: u16) -> SandboxConfig {
    SandboxConfig {
        port,
        data_dir: dir.to_owned(),
        access_key_id: ID.into(),
        access_key_secret: SECRET.into(),
        region: REGION.into(),
        bucket: BUCKET.into(),
    }
}

/// One request to be signed and sent.
pub(crate) struct Ask<'a> {
    http: &'a reqwest::Client,
    pub(crate) endpoint: String,
    pub(crate) method: Method,
    key: String,
    query: Vec<(String, String)>,
    headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) region: String,
    pub(crate) bucket: String,
    pub(crate) at: Timestamp,
    /// Headers that are signed besides those that always are.
    pub(crate) additional: Vec<&'static str>,
    /// A Host that names the bucket, which is then left out of the path.
    pub(crate) host: Option<String>,
}

impl<'a> Ask<'a> {
    /// A request to a sandbox that may run in another process.
    pub(crate) fn new(http: &'a reqwest::Client, endpoint: &str, method: Method, key: &str) -> Self {
        Self {
            http,
            endpoint: endpoint.to_owned(),
            method,
            key: key.to_owned(),
            query: Vec::new(),
            headers: BTreeMap::new(),
            body: Vec::new(),
            id: ID.into(),
            secret: SECRET.into(),
            region: REGION.into(),
            bucket: BUCKET.into(),
            at: Timestamp::now(),
            additional: Vec::new(),
            host: None,
        }
    }
}

impl Ask<'_> {
    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) async fn send(self) -> Got {
        self.try_send().await.expect("an answer")
    }

    /// `Err` when the connection ends without an answer.
    pub(crate) async fn try_send(self) -> reqwest::Result<Got> {
        let url = format!("{}{}", self.endpoint, self.wire_target());
        let mut request = self.http.request(self.method.clone(), url);
        for (name, value) in self.signed() {
            request = request.header(name, value);
        }
        if let Some(host) = &self.host {
            request = request.header("host", host);
        }
        if self.body.is_empty() && self.method == Method::PUT {
            // reqwest announces no length for an empty body.
            request = request.header("content-length", "0");
        }
        let response = request.body(self.body).send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Ok(Got { status, headers, body: response.bytes().await?.to_vec() })
    }

    fn wire_target(&self) -> String {
        let target = self.target();
        let bucket = format!("/{}", self.bucket);
        if self.host.is_some() { target.replacen(&bucket, "", 1) } else { target }
    }

    pub(crate) fn target(&self) -> String {
        let query: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| {
                if value.is_empty() {
                    escape(name, false)
                } else {
                    format!("{}={}", escape(name, false), escape(value, false))
                }
            })
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        if self.bucket.is_empty() {
            return format!("/{mark}{}", query.join("&"));
        }
        format!("/{}/{}{mark}{}", self.bucket, escape(&self.key, true), query.join("&"))
    }

    pub(crate) fn signed(&self) -> BTreeMap<String, String> {
        let mut headers = self.headers.clone();
        headers.insert("x-oss-date".into(), self.at.strftime("%Y%m%dT%H%M%SZ").to_string());
        headers.insert("x-oss-content-sha256".into(), "UNSIGNED-PAYLOAD".into());
        let lines: String = headers
            .iter()
            .filter(|(name, _)| {
                name.starts_with("x-oss-")
                    || *name == "content-type"
                    || *name == "content-md5"
                    || self.additional.contains(&name.as_str())
            })
            .map(|(name, value)| format!("{name}:{}\n", value.trim()))
            .collect();
        let target = self.target();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut query: Vec<&str> = query.split('&').collect();
        query.sort_unstable();
        let canonical = format!(
            "{}\n{path}\n{}\n{lines}\n{}\nUNSIGNED-PAYLOAD",
            self.method,
            query.join("&"),
            self.additional.join(";")
        );
        let day = self.at.strftime("%Y%m%d").to_string();
        let scope = format!("{day}/{}/oss/aliyun_v4_request", self.region);
        let to_sign =
            format!("OSS4-HMAC-SHA256\n{}\n{scope}\n{}", headers["x-oss-date"], hex(&Sha256::digest(canonical)));
        let key = [day.as_str(), &self.region, "oss", "aliyun_v4_request"]
            .iter()
            .fold(format!("aliyun_v4{}", self.secret).into_bytes(), |key, part| hmac(&key, part));
        let signature = hex(&hmac(&key, &to_sign));
        let additional = match &self.additional[..] {
            [] => String::new(),
            names => format!(",AdditionalHeaders={}", names.join(";")),
        };
        let authorization =
            format!("OSS4-HMAC-SHA256 Credential={}/{scope}{additional},Signature={signature}", self.id);
        headers.insert("authorization".into(), authorization);
        headers
    }
}

pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> String {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers));
        value.to_str().expect("text").to_owned()
    }

    /// Text of the first element of that name.
    pub(crate) fn element(&self, name: &str) -> String {
        let text = self.text();
        let from = text.find(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {text}")) + name.len() + 2;
        let to = text[from..].find("</").expect("closed") + from;
        text[from..to].to_owned()
    }

    /// Texts of all elements of that name, in order.
    pub(crate) fn elements(&self, name: &str) -> Vec<String> {
        let (text, begin, end) = (self.text(), format!("<{name}>"), format!("</{name}>"));
        text.split(&begin).skip(1).filter_map(|piece| Some(piece.split_once(&end)?.0.to_owned())).collect()
    }
}

fn escape(text: &str, keep_slash: bool) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            b'/' if keep_slash => "/".to_owned(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

pub(crate) fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
