//! PostObject: a form as a browser sends it, allowed by a policy that somebody signed beforehand.

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::ETAG;
use serde::{Deserialize, Deserializer};

use super::object::Stored;
use super::{Call, Client, Payload};
use crate::body::{FileSlice, Progress};
use crate::callback::spec::{CallbackCarrier, CallbackSpec};
use crate::error::Error;
use crate::form::Form;
use crate::headers::ObjectHeaders;
use crate::names::ObjectKey;
use crate::post_policy::PostPolicy;
use crate::xml::stored::PostedDocument;
use crate::xml::unquoted;

/// What a form says besides the file's bytes.
///
/// `Debug` names the policy's fields without their values, which allow an upload to whoever has them.
#[derive(Clone, Default)]
pub struct PostForm {
    /// The signed fields (`policy` and its signature, V1 or V4), as they are.
    pub policy: Vec<(String, String)>,
    /// The file's name, which OSS puts in the place of `${filename}` and otherwise ignores.
    pub file_name: String,
    /// What is said about the object; the policy may have to allow it. Tags cannot be said here.
    pub headers: ObjectHeaders,
    /// A callback of our own. One that the application server handed over belongs to `policy`.
    pub callback: Option<CallbackSpec>,
    /// `success_action_status`: 200, 201 (with an XML answer) or 204, which is the default.
    pub success_status: Option<u16>,
}

impl std::fmt::Debug for PostForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.policy.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("PostForm")
            .field("policy", &names)
            .field("file_name", &self.file_name)
            .field("headers", &self.headers)
            .field("callback", &self.callback)
            .field("success_status", &self.success_status)
            .finish()
    }
}

/// What an application server hands over so that its users can upload without keys of their own, in the shapes that
/// Alibaba's samples have for V1 and V4 [server-side signing pages; POST V4 signature].
#[derive(Clone, Deserialize)]
pub struct HandedPolicy {
    /// Where to send the form: the bucket's address.
    #[serde(default)]
    pub host: String,
    /// What keys must begin with.
    #[serde(default)]
    pub dir: String,
    /// When it ends, in seconds since 1970 (V1).
    #[serde(default, deserialize_with = "seconds")]
    pub expire: Option<i64>,
    #[serde(default, alias = "accessid")]
    access_id: Option<String>,
    policy: String,
    #[serde(default)]
    signature: Option<String>,
    #[serde(default)]
    callback: Option<String>,
    #[serde(default, alias = "x-oss-signature-version", alias = "version")]
    x_oss_signature_version: Option<String>,
    #[serde(default, alias = "x-oss-credential")]
    x_oss_credential: Option<String>,
    #[serde(default, alias = "x-oss-date")]
    x_oss_date: Option<String>,
    #[serde(default, alias = "x-oss-signature")]
    x_oss_signature: Option<String>,
    #[serde(default, alias = "x-oss-security-token", alias = "x_oss_security_token")]
    security_token: Option<String>,
}

/// Seconds since 1970, which servers write as a number or as text.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let value = Option::<serde_json::Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())))
}

impl std::fmt::Debug for HandedPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HandedPolicy").field("host", &self.host).field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl HandedPolicy {
    /// The signed fields of the form, and the callback the server wants. [`Error::Invalid`] names what is missing.
    pub fn fields(&self) -> Result<Vec<(String, String)>, Error> {
        let v4 = [
            ("x-oss-signature-version", &self.x_oss_signature_version),
            ("x-oss-credential", &self.x_oss_credential),
            ("x-oss-date", &self.x_oss_date),
            ("x-oss-signature", &self.x_oss_signature.clone().or_else(|| self.signature.clone())),
        ]
        .map(|(name, value)| (name, value.clone()));
        let v1 = [("OSSAccessKeyId", self.access_id.clone()), ("Signature", self.signature.clone())];
        let signed = if self.x_oss_credential.is_some() { &v4[..] } else { &v1[..] };
        let mut fields = vec![("policy".to_owned(), self.policy.clone())];
        for (name, value) in signed {
            let Some(value) = value.as_deref().filter(|value| !value.is_empty()) else {
                return Err(Error::Invalid(format!(
                    "The upload policy from the application server has no {name}: the server must hand it over."
                )));
            };
            fields.push(((*name).to_owned(), value.to_owned()));
        }
        let also = [("x-oss-security-token", &self.security_token), ("callback", &self.callback)];
        for (name, value) in also {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                fields.push((name.to_owned(), value.to_owned()));
            }
        }
        Ok(fields)
    }
}

impl Client {
    /// The signed fields of a form that this client's own keys allow, for [`PostForm::policy`] or for somebody else's form:
    /// by the signature version and region of the client and by the server's time. Nothing is sent; keys may be fetched.
    /// See [`PostPolicy::form_fields`] for what is refused. [POST V4 signature]
    pub async fn post_fields(&self, policy: &PostPolicy) -> Result<Vec<(String, String)>, Error> {
        let site = &self.site;
        let credential = site.credentials.current().await?;
        policy.form_fields(site.version, &credential, &site.region, site.clock.server_time(Timestamp::now()))
    }

    /// PostObject: stores `body` (up to 5 GB) under `key` by a form. The request has no signature of its own: the policy
    /// is the permission, so the client's keys are not used. [PostObject; Callback]
    ///
    /// The CRC-64 OSS answers with is compared as for [`Client::put_object`]. It is repeated on doubt unless there is a
    /// callback or nothing may be overwritten. Errors worth knowing: 403 `AccessDenied` (the policy does not allow a
    /// field, or has ended), 400 `EntityTooLarge`, 403 `SignatureDoesNotMatch`.
    pub async fn post_object(
        &self,
        key: &ObjectKey,
        body: &FileSlice,
        form: &PostForm,
        progress: Option<&Progress>,
    ) -> Result<Stored, Error> {
        if key.as_str().contains("${filename}") {
            let words =
                "OSS would put the file's name in the place of “${filename}” in a form's key: write the name itself.";
            return Err(Error::Invalid(words.to_owned()));
        }
        let handed = form.policy.iter().any(|(name, _)| name.eq_ignore_ascii_case("callback"));
        if handed && form.callback.is_some() {
            let words = "The policy brings a callback with it, so there can be no other: choose one.";
            return Err(Error::Invalid(words.to_owned()));
        }
        let mut fields = vec![("key".to_owned(), key.as_str().to_owned())];
        fields.extend(form.headers.for_form()?);
        if let Some(status) = form.success_status {
            if !matches!(status, 200 | 201 | 204) {
                let words = format!("A form can ask for the status 200, 201 or 204, not for {status}.");
                return Err(Error::Invalid(words));
            }
            fields.push(("success_action_status".to_owned(), status.to_string()));
        }
        if let Some(callback) = &form.callback {
            fields.extend(callback.carried(CallbackCarrier::Form)?);
        }
        fields.extend(form.policy.iter().cloned());
        let content_type = form.headers.content_type.as_deref().unwrap_or("application/octet-stream");
        let written = Form::new(&fields, &form.file_name, content_type, body.clone())?;

        let asked = handed || form.callback.is_some();
        let mut call = Call::new("PostObject", Method::POST, None).header("content-type", written.content_type());
        call.unsigned = true;
        call.repeatable = !asked && !form.headers.forbid_overwrite;
        call.finishing = asked;
        call.payload = Payload::Form(&written);
        call.progress = progress;
        self.send(&call, |answer| {
            answer.agreed_crc64()?;
            // Only the XML of a 201 says the ETag in its body as well.
            let etag = match answer.header(ETAG.as_str()) {
                None if answer.status == 201 => unquoted(&answer.xml::<PostedDocument>()?.etag).to_owned(),
                _ => answer.etag()?,
            };
            answer.stored(etag, asked)
        })
        .await
    }
}
