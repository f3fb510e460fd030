//! What OSS is asked to call after an upload, and how a request carries it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::rules::{self, refuse};
use crate::error::Error;
use crate::headers::Pair;

/// The longest value OSS takes, measured on the Base64 text (EC 0007-00000101).
const LONGEST: usize = 5 * 1024;

/// A callback as a person sets it up (API page Callback). [`CallbackSpec::encode`] refuses what OSS is known to refuse, and
/// [`CallbackSpec::warnings`] names what it takes but what seldom does what was meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallbackSpec {
    /// One to five addresses, tried in order until the first that answers. They are percent-encoded where they are not yet.
    pub urls: Vec<String>,
    /// Names and values that are put behind the `?` of every address, in this order, percent-encoded.
    #[serde(default)]
    pub query: Vec<(String, String)>,
    /// The Host header of the call; none for the address's own.
    #[serde(default)]
    pub host: Option<String>,
    /// The body of the call, with `${name}` for OSS's variables and `${x:name}` for ours.
    pub body: String,
    /// How OSS fills the body in, and the call's Content-Type.
    #[serde(default)]
    pub body_type: BodyType,
    /// Name the host in the TLS handshake: wanted for https addresses.
    #[serde(default)]
    pub sni: bool,
    /// Up to ten headers that OSS adds to the call; letters, digits and hyphens, none that begins with `x-oss-`.
    #[serde(default)]
    pub additional_headers: BTreeMap<String, String>,
    /// The name of a callback that is stored with the bucket, in place of all of the above; variables may be given too.
    /// [py1 `examples/bucket_callback_policy.py`]
    #[serde(default)]
    pub policy: Option<String>,
    /// Our own variables; the names may be given with or without their `x:`.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

/// How OSS fills in the body of a callback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BodyType {
    /// `application/x-www-form-urlencoded`: values are percent-encoded.
    #[default]
    Form,
    /// `application/json`: values come as JSON, texts with their quotes.
    Json,
}

impl BodyType {
    fn content_type(self) -> &'static str {
        match self {
            BodyType::Form => "application/x-www-form-urlencoded",
            BodyType::Json => "application/json",
        }
    }
}

/// Which part of a request carries a callback. OSS refuses a request with two of them (EC 0007-00000027), so each call
/// chooses one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackCarrier {
    /// `x-oss-callback` and `x-oss-callback-var`. In a presigned URL they are signed too, so whoever uses it must send them.
    Header,
    /// `callback` and `callback-var` in the URL: for presigned URLs.
    Query,
    /// The form field `callback` and one field for each variable, with its plain value: for PostObject.
    Form,
}

/// A callback as it is carried in headers or in the query: Base64 of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedCallback {
    /// `x-oss-callback` or `callback`.
    pub callback: String,
    /// `x-oss-callback-var` or `callback-var`, if there are variables.
    pub callback_var: Option<String>,
}

impl CallbackSpec {
    /// Writes the callback down, or says in words what OSS would refuse ([`Error::Invalid`]).
    pub fn encode(&self) -> Result<EncodedCallback, Error> {
        let variables = self.checked_variables()?;
        let callback_var = if variables.is_empty() {
            None
        } else {
            let object = variables.into_iter().map(|(name, value)| (name, value.into())).collect();
            Some(base64_json(object, "variables")?)
        };
        Ok(EncodedCallback { callback: base64_json(self.object()?, "settings")?, callback_var })
    }

    /// What the request says, by name and value, in the one place that carries it.
    pub(crate) fn carried(&self, carrier: CallbackCarrier) -> Result<Vec<Pair>, Error> {
        let encoded = self.encode()?;
        let (callback, callback_var) = match carrier {
            CallbackCarrier::Header => ("x-oss-callback", "x-oss-callback-var"),
            CallbackCarrier::Query => ("callback", "callback-var"),
            CallbackCarrier::Form => {
                let mut fields = vec![("callback".to_owned(), encoded.callback)];
                fields.extend(self.checked_variables()?);
                return Ok(fields);
            }
        };
        let variables = encoded.callback_var.map(|variables| (callback_var.to_owned(), variables));
        Ok([(callback.to_owned(), encoded.callback)].into_iter().chain(variables).collect())
    }

    pub(super) fn object(&self) -> Result<Map<String, Value>, Error> {
        let mut object = Map::new();
        if let Some(policy) = self.policy.as_deref().map(str::trim).filter(|policy| !policy.is_empty()) {
            let host = self.host.as_deref().unwrap_or_default();
            let texts = self.urls.iter().map(String::as_str).chain([self.body.as_str(), host]);
            let said = texts.map(str::trim).any(|text| !text.is_empty());
            if said
                || self.sni
                || !self.query.is_empty()
                || self.body_type != BodyType::default()
                || !self.additional_headers.is_empty()
            {
                return refuse(
                    "the bucket's stored callback says everything itself: take out the addresses, the host, the body and \
                     its type, SNI and the headers, or the stored callback's name",
                );
            }
            object.insert("callbackPolicy".to_owned(), policy.into());
            return Ok(object);
        }
        object.insert("callbackUrl".to_owned(), rules::joined_urls(&self.urls, &self.query)?.into());
        if let Some(host) = self.host.as_deref().map(str::trim).filter(|host| !host.is_empty()) {
            object.insert("callbackHost".to_owned(), rules::host_header(host)?.into());
        }
        object.insert("callbackBody".to_owned(), rules::body(&self.body)?.into());
        object.insert("callbackBodyType".to_owned(), self.body_type.content_type().into());
        if self.sni {
            object.insert("callbackSNI".to_owned(), true.into());
        }
        let headers = rules::additional_headers(&self.additional_headers)?;
        if !headers.is_empty() {
            let headers: Map<String, Value> = headers.into_iter().map(|(name, value)| (name, value.into())).collect();
            object.insert("additionalHeaders".to_owned(), headers.into());
        }
        Ok(object)
    }

    /// The variables with their `x:`.
    pub(super) fn checked_variables(&self) -> Result<BTreeMap<String, String>, Error> {
        let mut all = BTreeMap::new();
        for (name, value) in &self.variables {
            let name = rules::variable_name(name)?;
            if all.insert(name.clone(), value.clone()).is_some() {
                return refuse(format!("the variable “{name}” is set twice, with and without its “x:”: take one out"));
            }
        }
        Ok(all)
    }
}

fn base64_json(object: Map<String, Value>, what: &str) -> Result<String, Error> {
    let text = STANDARD.encode(Value::Object(object).to_string());
    if text.len() > LONGEST {
        return refuse(format!(
            "the {what} take {} bytes once encoded, OSS takes {LONGEST}: make them shorter",
            text.len()
        ));
    }
    Ok(text)
}

#[cfg(test)]
#[path = "spec_tests.rs"]
mod tests;
