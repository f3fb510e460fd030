//! Presigned URLs: one request that somebody else may make, for a while, without keys.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;

use super::Client;
use crate::callback::spec::{CallbackCarrier, CallbackSpec};
use crate::error::Error;
use crate::headers::{ObjectHeaders, Pair};
use crate::names::{BucketName, ObjectKey};
use crate::sign::seal_query;

/// A URL that can be used until it expires, and what must be sent along. The URL is as secret as what it allows.
#[derive(Clone, PartialEq, Eq)]
pub struct PresignedRequest {
    /// The address, signature included.
    pub url: String,
    /// Headers that are signed too: whoever uses the URL must send exactly these.
    pub headers: Vec<(String, String)>,
}

impl std::fmt::Debug for PresignedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("PresignedRequest").field("url", &"***").field("headers", &names).finish()
    }
}

/// What a presigned GET says differently from the object: OSS answers with these headers instead (API page GetObject).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseHeaders {
    /// `response-content-type`.
    pub content_type: Option<String>,
    /// `response-content-disposition`, such as `attachment`.
    pub content_disposition: Option<String>,
    /// `response-cache-control`.
    pub cache_control: Option<String>,
    /// One version of the object.
    pub version_id: Option<String>,
}

impl ResponseHeaders {
    fn query(&self) -> Vec<Pair> {
        let all = [
            ("response-content-type", &self.content_type),
            ("response-content-disposition", &self.content_disposition),
            ("response-cache-control", &self.cache_control),
            ("versionId", &self.version_id),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))).collect()
    }
}

impl Client {
    /// The URL of any call, signed in its query with the keys and the server's time of now. The `headers` that take part
    /// in the signature (Content-Type, Content-MD5, `x-oss-*`, and the additional ones) must be sent with it as they are
    /// here. Nothing is sent. A callback has one carrier: both at once are refused (EC 0007-00000027). `expires` counts whole seconds: one at least, 7 days at most with V4.
    pub async fn presign(
        &self,
        method: &Method,
        key: Option<&ObjectKey>,
        mut query: Vec<(String, String)>,
        headers: &[(String, String)],
        expires: Duration,
    ) -> Result<String, Error> {
        let in_url = query.iter().any(|(name, _)| matches!(name.as_str(), "callback" | "callback-var"));
        let in_headers = headers.iter().any(|(name, _)| name.to_ascii_lowercase().starts_with("x-oss-callback"));
        if in_url && in_headers {
            let words = "A callback stands in the URL or in headers; OSS refuses a request with both: take one out.";
            return Err(Error::Invalid(words.to_owned()));
        }
        let site = &self.site;
        let mut headers = headers.to_vec();
        site.supply_host(&mut headers, &site.url(key, &[])?);
        let credential = site.credentials.current().await?;
        let seal = site.seal(&credential, site.clock.server_time(Timestamp::now()))?;
        let (bucket, name) = (site.bucket.as_ref().map(BucketName::as_str), key.map(ObjectKey::as_str));
        seal_query(&seal, expires, method.as_str(), bucket, name, &mut query, &headers)?;
        Ok(site.url(key, &query)?.into())
    }

    /// A URL that reads the object at `key` for as long as `expires` says (1 s to 7 days; made with a token it ends with
    /// the token). Nothing is sent. [Add signatures to a URL; go2 `signer/v4.go`]
    pub async fn presign_get(
        &self,
        key: &ObjectKey,
        response: &ResponseHeaders,
        expires: Duration,
    ) -> Result<PresignedRequest, Error> {
        let url = self.presign(&Method::GET, Some(key), response.query(), &[], expires).await?;
        Ok(PresignedRequest { url, headers: Vec::new() })
    }

    /// A URL that stores an object at `key` by PUT. `headers` must be sent along as they are. The callback stands in the
    /// URL itself with [`CallbackCarrier::Query`], or among the headers to send with [`CallbackCarrier::Header`]; the form
    /// is for PostObject only. Nothing is sent. [Callback; go2 `signer/v4.go`]
    pub async fn presign_put(
        &self,
        key: &ObjectKey,
        headers: &ObjectHeaders,
        callback: Option<(&CallbackSpec, CallbackCarrier)>,
        expires: Duration,
    ) -> Result<PresignedRequest, Error> {
        let (mut headers, mut query) = (headers.for_put()?, Vec::new());
        if let Some((spec, carrier)) = callback {
            match carrier {
                CallbackCarrier::Header => headers.extend(spec.carried(carrier)?),
                CallbackCarrier::Query => query = spec.carried(carrier)?,
                CallbackCarrier::Form => {
                    let words = "A presigned URL carries its callback in the URL or in headers, not in a form.";
                    return Err(Error::Invalid(words.to_owned()));
                }
            }
        }
        let url = self.presign(&Method::PUT, Some(key), query, &headers, expires).await?;
        Ok(PresignedRequest { url, headers })
    }
}
