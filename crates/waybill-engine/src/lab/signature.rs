//! Whose signature a request bears: OSS's, the sandbox's, or nobody's that counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use waybill_oss::callback_signature::{self as callback, PublicKey, Refusal};
use waybill_oss::{HttpClient, HttpOptions, http_client};

use crate::error::Error;
use crate::view::{SignatureCheckForm, SignatureKind, SignatureVerdict, Variable};

/// What is asked of a request besides its body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// Path and query.
    pub(crate) target: &'a str,
    pub(crate) headers: &'a [Variable],
    /// Begin the addresses of keys that are taken besides OSS's, each ending in a slash.
    pub(crate) also: &'a [String],
    /// Taken instead of fetching the one that the request names.
    pub(crate) key: Option<&'a PublicKey>,
}

/// Checks signatures, and keeps the keys that it has fetched: they do not change. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signatures {
    keys: Arc<Mutex<HashMap<String, PublicKey>>>,
    http: Arc<tokio::sync::OnceCell<HttpClient>>,
}

impl Signatures {
    /// A pasted request.
    pub(crate) async fn check(&self, form: &SignatureCheckForm, also: &[String]) -> SignatureVerdict {
        let asked = Asked { target: form.url.trim(), headers: &headers_of(&form.headers), also, key: None };
        self.lenient(&asked, form.body.as_bytes()).await
    }

    /// A request that passed through a person's hands: it may have got a line break at its end, and its whole address.
    pub(crate) async fn lenient(&self, asked: &Asked<'_>, body: &[u8]) -> SignatureVerdict {
        let target = target_of(asked.target);
        let asked = Asked { target: &target, ..*asked };
        let verdict = self.judge(&asked, body).await;
        let end = body.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
        if verdict.kind != SignatureKind::Wrong || end == body.len() {
            return verdict;
        }
        let other = self.judge(&asked, &body[..end]).await;
        if other.kind == SignatureKind::Wrong { verdict } else { other }
    }

    /// A request as it came.
    pub(crate) async fn judge(&self, asked: &Asked<'_>, body: &[u8]) -> SignatureVerdict {
        let Asked { target, headers, also, key } = *asked;
        let header = |name: &str| {
            let found = headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            found.map(|header| header.value.as_str())
        };
        let signed = String::from_utf8_lossy(&callback::string_to_sign(target, body)).into_owned();
        let verdict = |kind, key_url: String| SignatureVerdict { kind, signed, key_url };
        let authorization = header("authorization");
        if authorization.is_none() {
            return verdict(SignatureKind::Missing, String::new());
        }
        let prefixes: Vec<&str> = also.iter().map(String::as_str).collect();
        let url = match callback::key_url(header("x-oss-pub-key-url"), &prefixes) {
            Ok(url) => url,
            Err(Refusal::ForeignKey(url)) => return verdict(SignatureKind::ForeignKey, url),
            Err(_) => return verdict(SignatureKind::NoKey, String::new()),
        };
        // With a key that somebody gave, the address says nothing: it must be the published one.
        let of_oss = callback::KEY_URL_PREFIXES.iter().any(|prefix| url.starts_with(prefix))
            && key.is_none_or(|given| callback::published_key(&url).as_ref() == Some(given));
        let key = match key {
            Some(key) => key.clone(),
            None => match self.key(&url).await {
                Ok(key) => key,
                Err(error) => {
                    tracing::info!(%error, url, "the key of a callback could not be fetched");
                    return verdict(SignatureKind::KeyUnreachable, url);
                }
            },
        };
        let kind = match callback::verify(&key, target, authorization, body) {
            Err(_) => SignatureKind::Wrong,
            Ok(()) if of_oss => SignatureKind::Oss,
            Ok(()) => SignatureKind::Sandbox,
        };
        verdict(kind, url)
    }

    async fn key(&self, url: &str) -> Result<PublicKey, Error> {
        let known = self.keys.lock().unwrap_or_else(PoisonError::into_inner).get(url).cloned();
        if let Some(key) = known.or_else(|| callback::published_key(url)) {
            return Ok(key);
        }
        let key = waybill_oss::fetch_key(&self.http().await?, url).await?;
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(url.to_owned(), key.clone());
        Ok(key)
    }

    /// A client for what is asked of others than OSS.
    pub(crate) async fn http(&self) -> Result<HttpClient, Error> {
        let made = self.http.get_or_try_init(|| async {
            let made = tokio::task::spawn_blocking(|| http_client(&HttpOptions::default())).await;
            made.map_err(|_| Error::Refused("the HTTP client could not be set up".into()))?.map_err(Error::Oss)
        });
        made.await.cloned()
    }
}

/// Path and query of an address, as they stand in it.
fn target_of(url: &str) -> String {
    let Some((_, rest)) = url.split_once("://") else {
        return if url.starts_with('/') { url.to_owned() } else { format!("/{url}") };
    };
    match rest.find(['/', '?']) {
        Some(at) if rest[at..].starts_with('/') => rest[at..].to_owned(),
        Some(at) => format!("/{}", &rest[at..]),
        None => "/".to_owned(),
    }
}

/// One `Name: value` a line; what is none is left out, such as a request line above them.
fn headers_of(text: &str) -> Vec<Variable> {
    let pair = |line: &str| {
        let (name, value) = line.split_once(':')?;
        let (name, value) = (name.trim(), value.trim());
        (!name.is_empty() && !name.contains(' ')).then(|| Variable { name: name.to_owned(), value: value.to_owned() })
    };
    text.lines().filter_map(pair).collect()
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
